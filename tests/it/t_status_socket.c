/*
 * The whole of portcullis-status against good, bad and absent neighbours.
 * Needs no privilege.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/it/status_rig.h"

#define NFEW 20
#define NSIZES 7

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

START_TEST(first_line_is_a_full_snapshot)
{
	int fd = rig_connect(&rig, "status.sock");
	json_t *line = rig_line(fd, SOON);

	ck_assert_ptr_nonnull(json_object_get(line, "counters"));
	ck_assert_ptr_nonnull(json_object_get(line, "firewall"));
	ck_assert_int_eq(json_integer_value(json_object_get(line, "v")), 1);
	json_incref(line);
	rig_expect(line, "type", "snapshot");
	rig_expect(line, "position", "unknown");
	close(fd);
}
END_TEST

START_TEST(change_follows_the_engine_and_its_silence)
{
	int fd = rig_connect(&rig, "status.sock");

	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert(rig_until(fd, "open", SOON));
	rig_snapshot(&rig, GATE_CLOSED, 2);
	rig_expect(rig_line(fd, SOON), "type", "change");
	/* Then nothing: two seconds later it is not known any more. */
	ck_assert_ptr_null(rig_line(fd, 1000));
	ck_assert(rig_until(fd, "unknown", SOON));
	close(fd);
}
END_TEST

START_TEST(heartbeats_come_unasked)
{
	int fd = rig_connect(&rig, "status.sock");

	rig_expect(rig_line(fd, SOON), "type", "snapshot");
	rig_expect(rig_line(fd, SOON), "type", "heartbeat");
	rig_expect(rig_line(fd, SOON), "type", "heartbeat");
	close(fd);
}
END_TEST

START_TEST(dead_engine_is_unknown_at_once)
{
	int fd = rig_connect(&rig, "status.sock");

	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert(rig_until(fd, "open", SOON));
	rig_hang_up(&rig);
	ck_assert(rig_until(fd, "unknown", 1500));
	close(fd);
}
END_TEST

/* What is no snapshot ends the link, and a new engine mends it. */
START_TEST(nonsense_from_the_engine_ends_its_link)
{
	int fd = rig_connect(&rig, "status.sock");
	union {
		struct snap_page page;
		struct snapshot snapshot;
		struct snap_result result;
	} most;
	char nonsense[sizeof most + 1] = { 0 };
	static const size_t sizes[NSIZES] = { 1, sizeof(struct snap_result),
		sizeof(struct snapshot), sizeof(struct snapshot) + 1,
		sizeof(struct snap_page) - 1, sizeof(struct snap_page),
		sizeof(struct snap_page) + 1 };

	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert(rig_until(fd, "open", SOON));
	ck_assert_int_ne(send(rig.engine, nonsense, sizes[_i], 0), -1);
	ck_assert(rig_closed(rig.engine, SOON));
	ck_assert(rig_until(fd, "unknown", SOON));
	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 2);
	ck_assert(rig_until(fd, "open", SOON));
	close(fd);
}
END_TEST

static void
flood(int fd)
{
	static char junk[65536];

	while (send(fd, junk, sizeof junk, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		continue;
}

/* Some flood, some never read; the good one gets every last word. */
START_TEST(bad_clients_suffer_alone)
{
	int bad[NFEW], good = rig_connect(&rig, "status.sock"), i;
	char text[32];
	unsigned n;

	rig_link(&rig);
	for (i = 0; i < NFEW; i++) {
		bad[i] = rig_connect(&rig, "status.sock");
		if (i % 2 == 0)
			flood(bad[i]);
	}
	for (n = 1; n <= 120; n++) { /* twelve seconds */
		rig_keep(&rig, GATE_OPEN, n);
		(void)snprintf(text, sizeof text, "number %u", n);
		ck_assert_msg(rig_until_text(good, text, SOON), "%s", text);
		(void)usleep(100000);
	}
	for (i = 0; i < NFEW; i++) {
		ck_assert_msg(rig_closed(bad[i], SOON), "%d is kept", i);
		close(bad[i]);
	}
	rig_keep(&rig, GATE_CLOSED, n);
	ck_assert(rig_until(good, "closed", SOON));
	close(good);
}
END_TEST

START_TEST(flooder_that_reads_is_served)
{
	int fd = rig_connect(&rig, "status.sock");

	flood(fd);
	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert(rig_until(fd, "open", SOON));
	close(fd);
}
END_TEST

START_TEST(half_closed_client_is_served)
{
	int fd = rig_connect(&rig, "status.sock");

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert(rig_until(fd, "open", SOON));
	rig_keep(&rig, GATE_CLOSED, 2);
	ck_assert(rig_until(fd, "closed", SOON));
	close(fd);
}
END_TEST

/* Nanoseconds that the process has been on a CPU. */
static uint64_t
cpu_ns(void)
{
	struct timespec ts;
	clockid_t clock;

	ck_assert_int_eq(clock_getcpuclockid(rig.pid, &clock), 0);
	ck_assert_int_eq(clock_gettime(clock, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/*
 * All is sent, and read but for the last line: to a socket it is an error
 * when its peer leaves that behind, and no mere end.
 */
START_TEST(who_leaves_unread_keeps_nobody_busy)
{
	struct pollfd pfd[NFEW];
	uint64_t before;

	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 1);
	for (unsigned i = 0; i < NFEW; i++) {
		pfd[i].fd = rig_connect(&rig, "status.sock");
		pfd[i].events = POLLIN;
		ck_assert(rig_until(pfd[i].fd, "open", SOON));
	}
	rig_keep(&rig, GATE_CLOSED, 2);
	for (unsigned i = 0; i < NFEW; i++)
		ck_assert_int_eq(poll(&pfd[i], 1, SOON), 1);
	(void)usleep(100000); /* the whole line */
	for (unsigned i = 0; i < NFEW; i++)
		close(pfd[i].fd);
	before = cpu_ns();
	(void)usleep(1000000);
	ck_assert_uint_lt(cpu_ns() - before, 50000000);
}
END_TEST

/* A burst is told as few lines, and the last word is among them. */
START_TEST(burst_is_coalesced)
{
	int fd = rig_connect(&rig, "status.sock");
	unsigned n, lines = 0;
	json_t *line;

	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 0);
	ck_assert(rig_until(fd, "open", SOON));
	for (n = 1; n <= 500; n++) {
		rig_keep(&rig, GATE_OPEN, n);
		(void)usleep(1000);
	}
	while ((line = rig_line(fd, 500)) != NULL) {
		lines++;
		n = strcmp(json_string_value(json_object_get(
		    json_object_get(line, "reason"), "text")), "number 500") ==
		    0 ? 0 : n;
		json_decref(line);
	}
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_le(lines, 250); /* in five seconds, if so slow */
	close(fd);
}
END_TEST

START_TEST(restart_keeps_the_doors)
{
	int old = rig_connect(&rig, "status.sock"), waiting;

	rig_expect(rig_line(old, SOON), "type", "snapshot");
	rig_kill(&rig, SIGKILL);
	ck_assert(rig_closed(old, SOON));
	waiting = rig_connect(&rig, "status.sock"); /* nobody is there */
	ck_assert_ptr_null(rig_line(waiting, 100));
	rig_spawn(&rig, 0);
	rig_expect(rig_line(waiting, SOON), "type", "snapshot");
	close(old);
	close(waiting);
}
END_TEST

/* The dump for the log: with AddressSanitizer, no octet too many. */
START_TEST(it_survives_being_asked_for_a_dump)
{
	int fd = rig_connect(&rig, "status.sock");
	json_t *line;

	json_decref(rig_line(fd, SOON));
	ck_assert_int_eq(kill(rig.pid, SIGUSR1), 0);
	line = rig_line(fd, SOON);
	ck_assert_ptr_nonnull(line);
	json_decref(line);
	close(fd);
}
END_TEST

START_TEST(it_ends_with_its_keeper)
{
	int status;

	close(rig.keeper);
	status = rig_wait(&rig, SOON / 1000);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
END_TEST

START_TEST(it_refuses_to_start_without_its_doors)
{
	int status, fd = rig.status_fd;

	rig_kill(&rig, SIGKILL);
	rig.status_fd = rig.engine = socket(AF_UNIX, SOCK_STREAM, 0);
	rig_spawn(&rig, 0);
	status = rig_wait(&rig, SOON / 1000);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	rig_hang_up(&rig);
	rig.status_fd = fd;
}
END_TEST

/* A line of a client's of its own; NULL: there is no place yet. */
static json_t *
try_to_stay(int *fd)
{
	json_t *line;
	const char *type;

	*fd = rig_connect(&rig, "status.sock");
	line = rig_line(*fd, SOON);
	type = json_string_value(json_object_get(line, "type"));
	if (type != NULL && strcmp(type, "refused") != 0)
		return line;
	json_decref(line);
	close(*fd);
	return NULL;
}

/* 16 places, all taken by clients that do not read: a newcomer gets one. */
START_TEST(full_house_makes_room_for_a_reader)
{
	int bad[32], good, i;
	json_t *line = NULL;
	unsigned n;

	rig_kill(&rig, SIGKILL);
	rig_spawn(&rig, 128 + 16);
	rig_link(&rig);
	for (i = 0; i < 32; i++)
		bad[i] = rig_connect(&rig, "status.sock");
	for (n = 0; n < 60 && line == NULL; n++) {
		rig_keep(&rig, GATE_OPEN, n);
		(void)usleep(100000);
		line = try_to_stay(&good);
	}
	rig_expect(line, "type", "snapshot");
	rig_keep(&rig, GATE_CLOSED, n);
	ck_assert(rig_until(good, "closed", SOON));
	for (i = 0; i < 32; i++)
		close(bad[i]);
	close(good);
}
END_TEST

static void
add_status_tests(TCase *tc)
{
	tcase_add_test(tc, first_line_is_a_full_snapshot);
	tcase_add_test(tc, change_follows_the_engine_and_its_silence);
	tcase_add_test(tc, heartbeats_come_unasked);
	tcase_add_test(tc, dead_engine_is_unknown_at_once);
	tcase_add_loop_test(tc, nonsense_from_the_engine_ends_its_link, 0,
	    NSIZES);
	tcase_add_test(tc, bad_clients_suffer_alone);
	tcase_add_test(tc, flooder_that_reads_is_served);
	tcase_add_test(tc, half_closed_client_is_served);
	tcase_add_test(tc, who_leaves_unread_keeps_nobody_busy);
	tcase_add_test(tc, burst_is_coalesced);
	tcase_add_test(tc, restart_keeps_the_doors);
	tcase_add_test(tc, it_survives_being_asked_for_a_dump);
	tcase_add_test(tc, it_ends_with_its_keeper);
	tcase_add_test(tc, it_refuses_to_start_without_its_doors);
	tcase_add_test(tc, full_house_makes_room_for_a_reader);
}

int
main(void)
{
	Suite *s = suite_create("status_socket");
	TCase *tc = tcase_create("socket");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	add_status_tests(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
