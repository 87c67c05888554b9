/* portcullis(1) itself: its exit codes, against portcullis-status. */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/cli/exit.h"
#include "tests/it/status_rig.h"

#define MAX_ARGS 12
#define OUT_CAP (4 * 1024 * 1024)

static struct rig rig;
static char out[OUT_CAP]; /* what the last command printed, both streams */
static size_t out_len;

static void
setup(void)
{
	rig_start(&rig, 0);
	ck_assert_int_eq(setenv("PORTCULLIS_RUN_DIR", rig.dir, 1), 0);
}

static void
teardown(void)
{
	rig_stop(&rig);
}

struct run {
	pid_t pid;
	int out;
};

/* Start "portcullis ARGS"; ARGS has single spaces between. */
static struct run
start(const char *args, int stdout_fd)
{
	char path[1024], words[256], *argv[MAX_ARGS] = { NULL }, *save = NULL;
	struct run r;
	int pipefd[2], n = 0;

	(void)snprintf(path, sizeof path, "%s/portcullis",
	    getenv("top_builddir") != NULL ? getenv("top_builddir") : ".");
	(void)snprintf(words, sizeof words, "portcullis %s", args);
	for (char *w = strtok_r(words, " ", &save);
	     w != NULL && n < MAX_ARGS - 1; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	ck_assert_int_eq(pipe2(pipefd, O_CLOEXEC), 0);
	r.pid = fork();
	ck_assert_int_ne(r.pid, -1);
	if (r.pid == 0) {
		(void)dup2(stdout_fd != -1 ? stdout_fd : pipefd[1], 1);
		(void)dup2(pipefd[1], 2);
		execv(path, argv);
		_exit(99);
	}
	close(pipefd[1]);
	r.out = pipefd[0];
	out_len = 0;
	return r;
}

/* More of what it prints, into OUT; false: that was all. */
static bool
prints_more(struct run r)
{
	ssize_t n = read(r.out, out + out_len, sizeof out - 1 - out_len);

	if (n > 0)
		out_len += (size_t)n;
	out[out_len] = '\0';
	return n > 0;
}

static void
until_printed(struct run r, const char *text)
{
	do
		ck_assert_msg(prints_more(r), "not printed: %s", text);
	while (strstr(out, text) == NULL);
}

/* Its exit code; what it printed is in OUT. */
static int
end(struct run r)
{
	int status;

	while (prints_more(r))
		;
	close(r.out);
	ck_assert_int_eq(waitpid(r.pid, &status, 0), r.pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
assert_run(const char *args, int code, const char *part)
{
	int got = end(start(args, -1));

	ck_assert_msg(got == code, "%s: %d, not %d: %s", args, got, code, out);
	ck_assert_msg(strstr(out, part) != NULL, "%s: %s", args, out);
}

static const struct {
	const char *args;
	int code;
	const char *part;
} usages[] = {
	{ "", CLI_USAGE, "exactly one command" },
	{ "status watch", CLI_USAGE, "exactly one command" },
	{ "check", CLI_USAGE, "needs an operand" },
	{ "check isolation now", CLI_USAGE, "no more than it takes" },
	{ "check circuits", CLI_USAGE, "no check has that name" },
	{ "check isolation --shell", CLI_USAGE, "does not take that option" },
	{ "check clock --max-age 5", CLI_USAGE, "for \"usable\" and" },
	{ "check usable --max-age x", CLI_USAGE, "number of seconds" },
	{ "check all --socket-dir /nonexistent", CLI_UNREACHABLE,
	    "not running" },
	{ "explain --socket-dir /nonexistent", CLI_UNREACHABLE,
	    "not running" },
	{ "log --socket-dir /nonexistent", CLI_UNREACHABLE, "not running" },
	{ "metrics --socket-dir /nonexistent", CLI_UNREACHABLE,
	    "not running" },
	{ "status --shell --socket-dir /nonexistent", CLI_UNREACHABLE,
	    "tor_bootstrap_percent='255'\n" },
	{ "check isolation --socket-dir /nonexistent", CLI_UNREACHABLE,
	    "not running" },
	{ "listeners --socket-dir /nonexistent", CLI_UNREACHABLE,
	    "not running" },
	{ "open", CLI_USAGE, "no such command" },
	{ "hold --json", CLI_USAGE, "does not take that option" },
	{ "status --timeout 1", CLI_USAGE, "does not take that option" },
	{ "wait", CLI_USAGE, "needs an option" },
	{ "wait --for tor-only", CLI_USAGE, "takes open" },
	{ "wait --for open --timeout -1", CLI_USAGE, "number of seconds" },
	{ "wait --for open --timeout nan", CLI_USAGE, "number of seconds" },
	{ "wait --for open --timeout 1s", CLI_USAGE, "number of seconds" },
	{ "--nonsense", CLI_USAGE, "usage:" },
	{ "--help", CLI_OK, "usage:" },
	{ "help", CLI_OK, "  status " },
	{ "help wait", CLI_OK, "wait --for GOAL [--timeout SECONDS]" },
	{ "wait --help", CLI_OK, "  --timeout SECONDS" },
	{ "help nonsense", CLI_USAGE, "no such command" },
	{ "--timeout x wait --for open", CLI_USAGE, "usage: portcullis "
	    "[--socket-dir DIR] wait" },
	{ "wait --nonsense", CLI_USAGE, "wait --for GOAL" },
	{ "status --json --shell", CLI_USAGE, "exclude each other" },
	{ "--version", CLI_OK, "portcullis 0" },
	{ "status --socket-dir /nonexistent", CLI_UNREACHABLE, "not running" },
	{ "hold --socket-dir /nonexistent", CLI_UNREACHABLE, "not running" },
	{ "watch --socket-dir /nonexistent", CLI_UNREACHABLE, "not running" },
	{ "wait --for open --timeout 0.3 --socket-dir /nonexistent",
	    CLI_TIMEOUT, "did not answer" },
};
#define NUSAGES ((int)(sizeof usages / sizeof usages[0]))

START_TEST(command_line_is_checked)
{
	assert_run(usages[_i].args, usages[_i].code, usages[_i].part);
}
END_TEST

START_TEST(status_follows_the_gate)
{
	assert_run("status", CLI_OK, "It is not known");
	rig_settle(&rig, GATE_OPEN);
	assert_run("status", CLI_OK, "The gate is open");
	assert_run("status --json", CLI_OK, "\"position\":\"open\"");
	rig_settle(&rig, GATE_SYNC);
	assert_run("status", CLI_OK, "but for time synchronisation");
	assert_run("status --json", CLI_OK, "\"position\":\"time-sync\"");
	rig_settle(&rig, GATE_TOR_ONLY);
	assert_run("status", CLI_OK, "only Tor itself");
	rig_settle(&rig, GATE_CLOSED);
	assert_run("status", CLI_OK, "nothing reaches Tor");
}
END_TEST

START_TEST(wait_ends_when_the_goal_is_met)
{
	struct run r;

	rig_settle(&rig, GATE_CLOSED);
	assert_run("wait --for closed", CLI_OK, "");
	assert_run("wait --for bootstrapped --timeout 20", CLI_OK, "");
	assert_run("wait --for closed --timeout 0", CLI_OK, "");
	assert_run("wait --for open --timeout 0", CLI_TIMEOUT, "");
	assert_run("wait --for open --timeout 0.3", CLI_TIMEOUT,
	    "The time is up.");
	/* Neither open nor closed. */
	rig_settle(&rig, GATE_SYNC);
	assert_run("wait --for time-sync --timeout 20", CLI_OK, "");
	assert_run("wait --for open --timeout 0.3", CLI_TIMEOUT, "");
	assert_run("wait --for closed --timeout 0.3", CLI_TIMEOUT, "");
	r = start("wait --for open --timeout 60", -1);
	(void)usleep(200000);
	rig_settle(&rig, GATE_OPEN);
	ck_assert_int_eq(end(r), CLI_OK);
}
END_TEST

START_TEST(wait_outlives_a_restart)
{
	struct run r = start("wait --for open --timeout 60", -1);

	(void)usleep(200000);
	rig_kill(&rig, SIGKILL);
	rig_spawn(&rig, 0);
	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert_int_eq(end(r), CLI_OK);
}
END_TEST

START_TEST(watch_prints_changes_until_the_end)
{
	struct run r = start("watch", -1);
	char *first;

	until_printed(r, "\n");
	rig_settle(&rig, GATE_OPEN);
	rig_settle(&rig, GATE_OPEN); /* says the same: no line */
	rig_settle(&rig, GATE_CLOSED);
	until_printed(r, " closed: number 1");
	rig_kill(&rig, SIGKILL);
	ck_assert_int_eq(end(r), CLI_UNREACHABLE);
	first = strstr(out, " open: number 1");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, " open: "));
	ck_assert_ptr_nonnull(strstr(first, " closed: number 1"));
}
END_TEST

static void
assert_verb(const char *command, enum snap_verb_code code, bool ok)
{
	struct run r = start(command, -1);
	struct snap_verb v;

	ck_assert(rig_verb(&rig, &v, SOON));
	ck_assert_uint_eq(v.code, code);
	rig_result(&rig, v.id, ok, "So be it.");
	ck_assert_int_eq(end(r), ok ? CLI_OK : CLI_REFUSED);
	ck_assert_ptr_nonnull(strstr(out, "So be it."));
}

START_TEST(verbs_are_carried)
{
	rig_settle(&rig, GATE_OPEN);
	assert_verb("hold", SNAP_V_HOLD, true);
	assert_verb("release", SNAP_V_RELEASE, true);
	assert_verb("newnym", SNAP_V_NEWNYM, false);
	assert_verb("reprove", SNAP_V_REPROVE, true);
}
END_TEST

START_TEST(verb_without_an_engine_is_refused)
{
	assert_run("hold", CLI_REFUSED, "The engine is not there");
}
END_TEST

START_TEST(listeners_follow_the_table_and_the_gate)
{
	rig_settle(&rig, GATE_OPEN);
	assert_run("listeners", CLI_UNKNOWN, "is not known now");
	assert_run("listeners --json", CLI_UNKNOWN, "null\n");
	rig_table(&rig, 2);
	rig_settle(&rig, GATE_OPEN);
	assert_run("listeners", CLI_OK,
	    "socks-1 (app)  socks  10.0.0.1:9001  open   uid 107  Isolate");
	assert_run("listeners --json", CLI_OK, "\"state\":\"open\"");
	ck_assert_int_eq(out[0], '[');
	assert_run("status", CLI_OK, "5 of 5 proven, 2 open");
	rig_settle(&rig, GATE_CLOSED);
	assert_run("listeners", CLI_OK, " proven ");
	assert_run("listeners --json", CLI_OK, "\"state\":\"proven\"");
}
END_TEST

START_TEST(largest_table_is_printed)
{
	rig_settle(&rig, GATE_CLOSED);
	rig_table(&rig, POL_MAX_LISTENERS);
	(void)usleep(500000);
	rig_keep(&rig, GATE_CLOSED, 1);
	assert_run("listeners", CLI_OK, "socks-4095 (app)");
	assert_run("listeners --json", CLI_OK, "socks-4095");
	assert_run("status", CLI_OK, "nothing reaches Tor");
	assert_run("status --json", CLI_OK, "socks-4095");
}
END_TEST

/* Every sentence as it comes, and the verdict in the exit code. */
START_TEST(check_prints_each_sentence)
{
	bool ok = _i == 0;
	struct run r;
	struct snap_verb v;
	char first[8] = "";

	rig_settle(&rig, GATE_OPEN);
	r = start("check isolation", -1);
	ck_assert(rig_verb(&rig, &v, SOON));
	ck_assert_uint_eq(v.code, SNAP_V_CHECK_ISOLATION);
	rig_more(&rig, v.id, true, "One.");
	ck_assert_int_eq(read(r.out, first, 5), 5); /* before the end */
	ck_assert_str_eq(first, "One.\n");
	rig_more(&rig, v.id, ok, "Two.");
	rig_result(&rig, v.id, ok, "That is all.");
	ck_assert_int_eq(end(r), ok ? CLI_OK : CLI_FAILED);
	ck_assert_str_eq(out, "Two.\nThat is all.\n");
}
END_TEST

START_TEST(check_that_was_not_made_is_no_verdict)
{
	struct snap_verb v;
	struct run r;

	assert_run("check isolation", CLI_REFUSED, "The engine is not there");
	rig_settle(&rig, GATE_OPEN);
	r = start("check isolation", -1);
	ck_assert(rig_verb(&rig, &v, SOON));
	rig_more(&rig, v.id, true, "One.");
	rig_hang_up(&rig);
	ck_assert_int_eq(end(r), CLI_REFUSED);
	ck_assert_ptr_nonnull(strstr(out, "The engine went away"));
	rig_link(&rig);
	rig_settle(&rig, GATE_OPEN);
	r = start("check isolation", -1);
	ck_assert(rig_verb(&rig, &v, SOON));
	rig_more(&rig, v.id, true, "One.");
	rig_kill(&rig, SIGKILL);
	ck_assert_int_eq(end(r), CLI_UNREACHABLE);
}
END_TEST

START_TEST(check_of_isolation_is_told_as_json)
{
	struct snap_verb v;
	struct run r;

	rig_settle(&rig, GATE_OPEN);
	r = start("check isolation --json", -1);
	ck_assert(rig_verb(&rig, &v, SOON));
	rig_more(&rig, v.id, true, "One.");
	rig_result(&rig, v.id, false, "That is all.");
	ck_assert_int_eq(end(r), CLI_FAILED);
	ck_assert_str_eq(out, "{\"check\":\"isolation\",\"ok\":false,"
	    "\"code\":1,\"text\":\"That is all.\",\"why\":null,"
	    "\"hint\":null,\"details\":[\"One.\",\"That is all.\"]}\n");
}
END_TEST

/* What they say is tested on lines; this is that they are asked, and end. */
START_TEST(one_line_commands_end_as_they_should)
{
	assert_run("check running", CLI_UNKNOWN, "It is not known");
	assert_run("check all", CLI_UNKNOWN, "13 of 13 checks are not well");
	assert_run("metrics", CLI_OK,
	    "portcullis_position{portcullis_position=\"unknown\"} 1\n");
	rig_settle(&rig, GATE_OPEN);
	assert_run("check control", CLI_OK, "The control connection to Tor");
	assert_run("check control --json", CLI_OK, "{\"check\":\"control\"");
	assert_run("check firewall", CLI_FIREWALL,
	    "A barrier does not stand: forward6_off.\n");
	assert_run("check all --json", CLI_FIREWALL, "\"checks\":[{");
	assert_run("check usable --max-age 0", CLI_FAILED, "No circuit");
	assert_run("explain", CLI_OK, "The gate is open");
	assert_run("explain --json", CLI_OK, "\"missing\":[]");
	assert_run("log", CLI_OK, " open ");
	assert_run("log --json", CLI_OK, "\"position\":\"open\"");
	assert_run("metrics", CLI_OK, "\n# EOF\n");
	assert_run("status --shell", CLI_OK, "tor_bootstrap_percent='100'\n");
	assert_run("status --field tor.pid", CLI_OK, "812\n");
	assert_run("status --field=position", CLI_OK, "open\n");
	ck_assert_str_eq(out, "open\n");
	assert_run("status --field nonsense", CLI_USAGE, "no such field");
}
END_TEST

#define NOUTPUTS 12

START_TEST(lost_output_is_no_success)
{
	static const char *const args[NOUTPUTS] = { "status",
		"status --json", "watch", "listeners", "listeners --json",
		"--help", "--version", "check all", "explain", "log --json",
		"metrics", "status --shell" };
	int pipefd[2], full;

	rig_settle(&rig, GATE_OPEN);
	ck_assert_int_eq(pipe2(pipefd, O_CLOEXEC), 0);
	close(pipefd[0]);
	ck_assert_int_eq(end(start(args[_i], pipefd[1])), CLI_UNKNOWN);
	close(pipefd[1]);
	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ne(full, -1);
	ck_assert_int_eq(end(start(args[_i], full)), CLI_UNKNOWN);
	close(full);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli_run");
	TCase *tc = tcase_create("run");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, command_line_is_checked, 0, NUSAGES);
	tcase_add_test(tc, status_follows_the_gate);
	tcase_add_test(tc, wait_ends_when_the_goal_is_met);
	tcase_add_test(tc, wait_outlives_a_restart);
	tcase_add_test(tc, watch_prints_changes_until_the_end);
	tcase_add_test(tc, verbs_are_carried);
	tcase_add_test(tc, verb_without_an_engine_is_refused);
	tcase_add_test(tc, listeners_follow_the_table_and_the_gate);
	tcase_add_test(tc, largest_table_is_printed);
	tcase_add_loop_test(tc, check_prints_each_sentence, 0, 2);
	tcase_add_test(tc, check_that_was_not_made_is_no_verdict);
	tcase_add_test(tc, check_of_isolation_is_told_as_json);
	tcase_add_test(tc, one_line_commands_end_as_they_should);
	tcase_add_loop_test(tc, lost_output_is_no_success, 0, NOUTPUTS);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
