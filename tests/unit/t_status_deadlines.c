/*
 * Who takes too long at control.sock, with little patience: the
 * real server in this process, with the loop turned by hand.
 */
#include <check.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/status/control.h"
#include "supervisor/status/source.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define LATEST (3 * SECOND) /* on a busy machine */
#define ANSWER_CAP 512

static const struct status_deadlines soon = {
	.half_line_ns = 400 * MS,
	.idle_ns = 1000 * MS,
	.answer_ns = 300 * MS,
	.check_answer_ns = 600 * MS,
	.check_ns = 1500 * MS,
};

static struct event_base *base;
static struct status_control *ctl;
static struct sockaddr_un address;
static struct snap_verb verb; /* the last that went up */
static int door, asker;

static bool
note_verb(void *arg, const struct snap_verb *v)
{
	(void)arg;
	verb = *v;
	return true;
}

static struct snap_change change; /* the last that went up */

static bool
note_change(void *arg, const struct snap_change *c)
{
	(void)arg;
	change = *c;
	return true;
}

static const struct pol_policy *
lend_policy(void *arg)
{
	static struct pol_policy policy;

	(void)arg;
	pol_policy_init(&policy);
	return &policy;
}

static const struct status_control_ops ops = { note_verb, note_change,
	lend_policy };

/* An abstract name that is ours alone: the kernel chooses it. */
static void
setup(void)
{
	socklen_t len = sizeof address.sun_family;

	memset(&address, 0, sizeof address);
	memset(&verb, 0, sizeof verb);
	address.sun_family = AF_UNIX;
	door = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(door, (struct sockaddr *)&address, len), 0);
	len = sizeof address;
	ck_assert_int_eq(getsockname(door, (struct sockaddr *)&address, &len),
	    0);
	ck_assert_int_eq(listen(door, 8), 0);
	base = event_base_new();
	ctl = status_control_new(base, door, &soon, &ops, NULL);
	asker = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(asker, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(fcntl(asker, F_SETFL, O_NONBLOCK), 0);
}

static void
teardown(void)
{
	status_control_free(ctl);
	event_base_free(base);
	close(door);
	close(asker);
}

/*
 * Turn the loop until the asker has been told something, for at most that
 * many ns.  The line, or NULL when nothing came; "" at the end.
 */
static const char *
heard_within(uint64_t ns)
{
	static char line[ANSWER_CAP];
	uint64_t end = status_now_ns() + ns;
	ssize_t n;

	do {
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		status_control_tick(ctl);
		n = recv(asker, line, sizeof line - 1, 0);
		if (n >= 0) {
			line[n] = '\0';
			return line;
		}
		(void)usleep(1000);
	} while (status_now_ns() < end);
	return NULL;
}

static void
ask(const char *text)
{
	ck_assert_int_eq(send(asker, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

static void
check_told(const char *sentence)
{
	const char *line = heard_within(LATEST);

	ck_assert_ptr_nonnull(line);
	ck_assert_msg(strstr(line, sentence) != NULL, "%s", line);
}

static void
answer(bool more)
{
	struct snap_result r = { .magic = SNAP_RESULT_MAGIC, .ok = 1,
		.more = more, .id = verb.id, .text = "So far." };

	ck_assert(status_control_result(ctl, &r));
}

/* The sentences say these numbers. */
START_TEST(real_deadlines_are_those_of_the_sentences)
{
	ck_assert_uint_eq(status_deadlines.half_line_ns, 10 * SECOND);
	ck_assert_uint_eq(status_deadlines.idle_ns, 60 * SECOND);
	ck_assert_uint_eq(status_deadlines.answer_ns, 5 * SECOND);
	ck_assert_uint_eq(status_deadlines.check_answer_ns, 30 * SECOND);
	ck_assert_uint_eq(status_deadlines.check_ns, 150 * SECOND);
	ck_assert_uint_eq(status_deadlines.apply_answer_ns, 60 * SECOND);
	ck_assert_uint_eq(status_deadlines.apply_ns, 600 * SECOND);
}
END_TEST

START_TEST(silent_engine_is_told)
{
	ask("{\"cmd\":\"hold\"}\n");
	ck_assert_ptr_null(heard_within(150 * MS));
	ck_assert_uint_eq(verb.code, SNAP_V_HOLD);
	check_told("The engine has not answered within five seconds.");
	answer(false); /* too late, and nobody's */
	ck_assert_ptr_null(heard_within(50 * MS));
}
END_TEST

START_TEST(half_a_line_has_its_time)
{
	ask("{\"cmd\":");
	ck_assert_ptr_null(heard_within(200 * MS));
	check_told("The request was not finished within ten seconds.");
	ck_assert_str_eq(heard_within(LATEST), "");
}
END_TEST

/* An octet now and then does not make it longer. */
START_TEST(half_a_line_that_grows_has_no_more)
{
	uint64_t begun = status_now_ns();
	const char *line = NULL;

	while (line == NULL && status_now_ns() - begun < LATEST) {
		ask(" ");
		line = heard_within(30 * MS);
	}
	ck_assert_ptr_nonnull(line);
	ck_assert_ptr_nonnull(strstr(line, "within ten seconds"));
}
END_TEST

START_TEST(idle_asker_goes)
{
	ck_assert_ptr_null(heard_within(500 * MS));
	check_told("No request for a minute.");
	ck_assert_str_eq(heard_within(LATEST), "");
}
END_TEST

/* Longer than others, not for ever; the asker says no more. */
START_TEST(check_may_take_its_time)
{
	ask("{\"cmd\":\"check-isolation\"}\n");
	ck_assert_int_eq(shutdown(asker, SHUT_WR), 0);
	ck_assert_ptr_null(heard_within(350 * MS));
	ck_assert_uint_eq(verb.code, SNAP_V_CHECK_ISOLATION);
	answer(true);
	check_told("So far.");
	ck_assert_ptr_null(heard_within(300 * MS));
	check_told("The check has told nothing new for 30 seconds.");
	ck_assert_str_eq(heard_within(LATEST), "");
}
END_TEST

START_TEST(check_that_goes_on_telling_ends)
{
	uint64_t begun = status_now_ns();
	const char *line = "";

	ask("{\"cmd\":\"check-isolation\"}\n");
	while (strstr(line, "not finished") == NULL) {
		ck_assert_uint_lt(status_now_ns() - begun, 2 * LATEST);
		line = heard_within(100 * MS);
		line = line != NULL ? line : "";
		if (line[0] == '\0')
			answer(true);
	}
	ck_assert_uint_ge(status_now_ns() - begun, soon.check_ns);
	ck_assert_ptr_nonnull(strstr(line, "within 150 seconds"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_deadlines");
	TCase *tc = tcase_create("deadlines");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, real_deadlines_are_those_of_the_sentences);
	tcase_add_test(tc, silent_engine_is_told);
	tcase_add_test(tc, half_a_line_has_its_time);
	tcase_add_test(tc, half_a_line_that_grows_has_no_more);
	tcase_add_test(tc, idle_asker_goes);
	tcase_add_test(tc, check_may_take_its_time);
	tcase_add_test(tc, check_that_goes_on_telling_ends);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
