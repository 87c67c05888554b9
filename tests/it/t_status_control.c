/*
 * control.sock of a whole portcullis-status: good, bad and silent askers, and
 * an engine of each kind.  Needs no privilege, but for one test.  Deadlines are
 * in tests/unit/t_status_deadlines.c.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/status/request.h"
#include "tests/it/status_rig.h"

static struct rig rig;

static void
setup(void)
{
	rig_start(&rig, 0);
}

static void
teardown(void)
{
	rig_stop(&rig);
}

START_TEST(verb_goes_up_and_the_answer_comes_back)
{
	int fd = rig_connect(&rig, "control.sock");
	struct snap_verb v;
	json_t *answer;

	rig_settle(&rig, GATE_CLOSED);
	rig_say(fd, "{\"cmd\":\"hold\",\"id\":\"x\"}\n{\"cmd\":\"newnym\"}\n");
	ck_assert(rig_verb(&rig, &v, SOON));
	ck_assert_uint_eq(v.code, SNAP_V_HOLD);
	ck_assert_uint_eq(v.uid, geteuid());
	rig_result(&rig, v.id, true, "Held.\x1b");
	answer = rig_line(fd, SOON);
	ck_assert(json_is_true(json_object_get(answer, "ok")));
	json_incref(answer);
	rig_expect(answer, "id", "x");
	rig_expect(answer, "text", "Held.?");
	ck_assert(rig_verb(&rig, &v, SOON));
	ck_assert_uint_eq(v.code, SNAP_V_NEWNYM);
	rig_result(&rig, v.id + 1, true, "not yours");
	rig_result(&rig, v.id, false, "Not now.");
	answer = rig_line(fd, SOON);
	ck_assert(json_is_false(json_object_get(answer, "ok")));
	rig_expect(answer, "error", "Not now.");
	close(fd);
}
END_TEST

START_TEST(asker_that_stops_writing_gets_its_answer)
{
	int fd = rig_connect(&rig, "control.sock");
	struct snap_verb v;

	rig_settle(&rig, GATE_CLOSED);
	rig_say(fd, "{\"cmd\":\"reprove\"}\n");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert(rig_verb(&rig, &v, SOON));
	(void)usleep(400000); /* a tick goes by */
	rig_result(&rig, v.id, true, "Done.");
	rig_expect(rig_line(fd, SOON), "text", "Done.");
	ck_assert(rig_closed(fd, SOON));
	close(fd);
}
END_TEST

START_TEST(verb_without_an_engine_is_refused)
{
	int fd = rig_connect(&rig, "control.sock");

	rig_say(fd, "{\"cmd\":\"hold\"}\n");
	rig_expect(rig_line(fd, SOON), "error",
	    "The engine is not there to do it.");
	rig_say(fd, "{\"cmd\":\"hold\"}\n"); /* and it may ask again */
	rig_expect(rig_line(fd, SOON), "error",
	    "The engine is not there to do it.");
	close(fd);
}
END_TEST

START_TEST(engine_that_goes_away_is_told_at_once)
{
	int fd = rig_connect(&rig, "control.sock");
	struct snap_verb v;

	rig_settle(&rig, GATE_CLOSED);
	rig_say(fd, "{\"cmd\":\"hold\"}\n");
	ck_assert(rig_verb(&rig, &v, SOON));
	rig_hang_up(&rig);
	rig_expect(rig_line(fd, SOON), "error",
	    "The engine went away before it answered.");
	close(fd);
}
END_TEST

/* One error line, then the end; and the neighbour notices nothing. */
START_TEST(bad_asker_is_dropped_alone)
{
	static char longest[STATUS_REQ_LINE + 2];
	const char *const lines[] = { "hold\n", "{\"cmd\":\"open\"}\n", "\n",
		longest };
	int bad = rig_connect(&rig, "control.sock");
	int good = rig_connect(&rig, "control.sock");
	json_t *answer;

	memset(longest, ' ', sizeof longest - 1);
	rig_say(bad, lines[_i]);
	answer = rig_line(bad, SOON);
	ck_assert(json_is_false(json_object_get(answer, "ok")));
	json_decref(answer);
	ck_assert(rig_closed(bad, SOON));
	rig_say(good, "{\"cmd\":\"hold\"}\n");
	rig_expect(rig_line(good, SOON), "error",
	    "The engine is not there to do it.");
	close(bad);
	close(good);
}
END_TEST

START_TEST(eleven_requests_a_second_are_too_many)
{
	int fd = rig_connect(&rig, "control.sock"), i;

	for (i = 0; i < 11; i++)
		rig_say(fd, "{\"cmd\":\"newnym\"}\n");
	for (i = 0; i < 10; i++)
		rig_expect(rig_line(fd, SOON), "error",
		    "The engine is not there to do it.");
	rig_expect(rig_line(fd, SOON), "error",
	    "More than ten requests in a second.");
	ck_assert(rig_closed(fd, SOON));
	close(fd);
}
END_TEST

START_TEST(thirty_third_asker_is_refused)
{
	int fds[33], i;

	for (i = 0; i < 33; i++)
		fds[i] = rig_connect(&rig, "control.sock");
	rig_expect(rig_line(fds[32], SOON), "error",
	    "Too many clients are connected.");
	close(fds[0]);
	(void)usleep(100000);
	close(fds[32]);
	fds[0] = rig_connect(&rig, "control.sock");
	rig_say(fds[0], "{\"cmd\":\"hold\"}\n");
	rig_expect(rig_line(fds[0], SOON), "error",
	    "The engine is not there to do it.");
	for (i = 0; i < 32; i++)
		close(fds[i]);
}
END_TEST

/* A child of ours as uid and group ID asks; its answer's first letters. */
static void
ask_as(unsigned id, unsigned other, const char *want)
{
	gid_t others[1] = { other };
	json_t *answer;
	pid_t pid = fork();
	int fd, status;

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		if (setgroups(1, others) == -1 || setresgid(id, id, id) == -1 ||
		    setresuid(id, id, id) == -1)
			_exit(2);
		fd = rig_connect(&rig, "control.sock");
		/* One that is refused may be gone already. */
		(void)send(fd, "{\"cmd\":\"hold\"}\n", 15, MSG_NOSIGNAL);
		answer = rig_line(fd, SOON);
		_exit(answer != NULL && strcmp(json_string_value(
		    json_object_get(answer, "error")), want) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* Needs root, to be somebody else; the file's mode is not in the way. */
START_TEST(only_members_of_the_group_may_ask)
{
	const char *allowed = "The engine is not there to do it.";
	const char *refused = "You may not ask for this.";
	char path[128];

	if (geteuid() != 0)
		return;
	rig_kill(&rig, SIGKILL);
	(void)snprintf(path, sizeof path, "%s/control.sock", rig.dir);
	ck_assert_int_eq(chmod(rig.dir, 0711), 0);
	ck_assert_int_eq(chown(path, 0, 4711), 0);
	ck_assert_int_eq(chmod(path, 0666), 0);
	rig_spawn(&rig, 0);
	ask_as(4710, 4710, refused);
	ask_as(4711, 4710, allowed);
	ask_as(4710, 4711, allowed);
}
END_TEST

/* Two sentences and a verdict; then the asker may go on. */
START_TEST(check_is_answered_sentence_by_sentence)
{
	int fd = rig_connect(&rig, "control.sock");
	struct snap_verb v;
	json_t *answer;

	rig_settle(&rig, GATE_CLOSED);
	rig_say(fd, "{\"cmd\":\"check-isolation\",\"id\":5}\n");
	ck_assert(rig_verb(&rig, &v, SOON));
	ck_assert_uint_eq(v.code, SNAP_V_CHECK_ISOLATION);
	rig_more(&rig, v.id, true, "One.");
	answer = rig_line(fd, SOON);
	ck_assert(json_is_true(json_object_get(answer, "more")));
	ck_assert(json_is_true(json_object_get(answer, "ok")));
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "id")),
	    5);
	rig_expect(answer, "text", "One.");
	rig_more(&rig, v.id, false, "Two.");
	answer = rig_line(fd, SOON);
	ck_assert(json_is_false(json_object_get(answer, "ok")));
	rig_expect(answer, "text", "Two.");
	rig_result(&rig, v.id, false, "Not isolated.");
	answer = rig_line(fd, SOON);
	ck_assert_ptr_null(json_object_get(answer, "more"));
	ck_assert_ptr_null(json_object_get(answer, "refused"));
	rig_expect(answer, "error", "Not isolated.");
	rig_more(&rig, v.id, true, "nobody waits for this");
	ck_assert_ptr_null(rig_line(fd, 300));
	ck_assert(!rig_closed(rig.engine, 100));
	close(fd);
}
END_TEST

/* The engine's refusal is not a verdict, nor can it be good or go on. */
START_TEST(refusal_of_the_engine_is_told_as_one)
{
	struct snap_result r = { .magic = SNAP_RESULT_MAGIC, .refused = 1,
		.text = "Not now." };
	int fd = rig_connect(&rig, "control.sock");
	struct snap_verb v;
	json_t *answer;

	rig_settle(&rig, GATE_CLOSED);
	rig_say(fd, "{\"cmd\":\"check-isolation\"}\n");
	ck_assert(rig_verb(&rig, &v, SOON));
	r.id = v.id;
	r.ok = _i == 1;
	r.more = _i == 2;
	r.refused += _i == 3;
	ck_assert_int_eq(send(rig.engine, &r, sizeof r, MSG_NOSIGNAL),
	    sizeof r);
	answer = rig_line(fd, SOON);
	ck_assert(json_is_false(json_object_get(answer, "ok")));
	ck_assert(json_is_true(json_object_get(answer, "refused")));
	rig_expect(answer, "error", _i == 0 ? "Not now." :
	    "The engine went away before it answered.");
	close(fd);
}
END_TEST

START_TEST(more_to_another_verb_ends_the_link)
{
	int fd = rig_connect(&rig, "control.sock");
	struct snap_verb v;

	rig_settle(&rig, GATE_CLOSED);
	rig_say(fd, "{\"cmd\":\"hold\"}\n");
	ck_assert(rig_verb(&rig, &v, SOON));
	rig_more(&rig, v.id, true, "One.");
	ck_assert(rig_closed(rig.engine, SOON));
	rig_expect(rig_line(fd, SOON), "error",
	    "The engine went away before it answered.");
	close(fd);
}
END_TEST

static void
add_control_tests(TCase *tc)
{
	tcase_add_test(tc, verb_goes_up_and_the_answer_comes_back);
	tcase_add_test(tc, asker_that_stops_writing_gets_its_answer);
	tcase_add_test(tc, verb_without_an_engine_is_refused);
	tcase_add_test(tc, engine_that_goes_away_is_told_at_once);
	tcase_add_loop_test(tc, bad_asker_is_dropped_alone, 0, 4);
	tcase_add_test(tc, eleven_requests_a_second_are_too_many);
	tcase_add_test(tc, thirty_third_asker_is_refused);
	tcase_add_test(tc, only_members_of_the_group_may_ask);
	tcase_add_test(tc, check_is_answered_sentence_by_sentence);
	tcase_add_loop_test(tc, refusal_of_the_engine_is_told_as_one, 0, 4);
	tcase_add_test(tc, more_to_another_verb_ends_the_link);
}

int
main(void)
{
	Suite *s = suite_create("status_control");
	TCase *tc = tcase_create("control");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	add_control_tests(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
