#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/cli/conn.h"
#include "supervisor/cli/shelllook.h"
#include "supervisor/cli/shellvars.h"
#include "tests/unit/cli_states.h"

static const struct cli_shellenv good_env = { .socks = CLI_SOCKS_THERE,
	.first_run = true, .consecutive_run = true, .timesync = "success" };

static struct cli_shellvars vars;

static void
make(const char *state)
{
	json_t *line = state != NULL ? cli_state_line(state) : NULL;

	cli_shellvars_make(&vars, line, &good_env);
	json_decref(line);
}

#define DONE "NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\""

/* All of them, in the order of the enum. */
static const char *const open_values[CLI_NSHELLVAR] = {
	"tor-bootstrap-check", "100", DONE, "100", DONE, "none", "1",
	"established", "0", "0", "0", "check-ok", "0", "2026-11-22 07:00:00",
	"1795330800", "0", "2026-11-22 10:00:00", "1795341600", "127.0.0.1",
	"::1", "9051", "", "1", "0", "Tor process 812: Pid running.", "0",
	"22", "consecutive_run", "The firewall was loaded again since boot.",
	"success", "ok",
	"The clock is within the time range of the Tor consensus.",
};

START_TEST(every_variable_has_its_value)
{
	make("open");
	for (unsigned i = 0; i < CLI_NSHELLVAR; i++)
		ck_assert_msg(strcmp(vars.value[i], open_values[i]) == 0,
		    "%s is %s", cli_shellvar_name((enum cli_shellvar)i),
		    vars.value[i]);
}
END_TEST

#define UP "1", "established", "0"
#define DOWN "0", "not established", "1"
#define GONE "0", "not established", "255"

/* What differs: percent, circuit, built, dormant, enabled, pid, clock. */
static const struct {
	const char *state, *percent, *established, *word, *established_code;
	const char *built, *dormant, *enabled, *pid_code, *clock, *time;
} wants[] = {
	{ NULL, "255", GONE, "255", "", "1", "255", "error", "success" },
	{ "engine-gone", "255", GONE, "255", "", "1", "255", "error",
	    "success" },
	{ "tor-down", "255", GONE, "255", "", "1", "3", "error", "success" },
	{ "auth-refused", "255", GONE, "255", "", "1", "255", "error",
	    "success" },
	{ "disabled", "0", DOWN, "1", "0", "0", "0", "ok", "success" },
	{ "starting-0", "0", DOWN, "1", "0", "1", "0", "noneyet", "success" },
	{ "starting-5", "5", DOWN, "1", "0", "1", "0", "noneyet", "success" },
	{ "starting-10", "10", DOWN, "1", "0", "1", "0", "noneyet",
	    "success" },
	{ "starting-30", "30", DOWN, "1", "0", "1", "0", "noneyet",
	    "success" },
	{ "starting-50", "50", DOWN, "1", "0", "1", "0", "ok", "success" },
	{ "starting-95", "95", DOWN, "1", "0", "1", "0", "ok", "success" },
	{ "stalled", "5", DOWN, "1", "0", "1", "0", "noneyet", "success" },
	{ "unusable", "100", UP, "1", "0", "1", "0", "ok", "success" },
	{ "dormant", "100", UP, "0", "1", "1", "0", "ok", "success" },
	{ "clock-slow", "100", UP, "0", "0", "1", "0", "slow", "success" },
	{ "timesync", "100", UP, "0", "0", "1", "0", "ok", "pending" },
};
#define NWANTS ((int)(sizeof wants / sizeof wants[0]))

static void
assert_var(enum cli_shellvar var, const char *want)
{
	ck_assert_msg(strcmp(vars.value[var], want) == 0,
	    "%s is \"%s\", not \"%s\"",
	    cli_shellvar_name(var), vars.value[var], want);
}

START_TEST(variables_follow_the_state)
{
	make(wants[_i].state);
	assert_var(CLI_SV_PERCENT, wants[_i].percent);
	assert_var(CLI_SV_HELPER_CODE, wants[_i].percent);
	assert_var(CLI_SV_TIMEOUT_TYPE, "none");
	assert_var(CLI_SV_ESTABLISHED, wants[_i].established);
	assert_var(CLI_SV_ESTABLISHED_WORD, wants[_i].word);
	assert_var(CLI_SV_ESTABLISHED_CODE, wants[_i].established_code);
	assert_var(CLI_SV_BUILT_CODE, wants[_i].built);
	assert_var(CLI_SV_DORMANT, wants[_i].dormant);
	assert_var(CLI_SV_ENABLED, wants[_i].enabled);
	assert_var(CLI_SV_PID_CODE, wants[_i].pid_code);
	assert_var(CLI_SV_CLOCK, wants[_i].clock);
	assert_var(CLI_SV_TIME, wants[_i].time);
	assert_var(CLI_SV_AFTER_CODE, strcmp(wants[_i].percent, "255") == 0 ?
	    "255" : "0");
	/* Unreachable: the applet prints nothing either. */
	ck_assert((vars.value[CLI_SV_STATUS][0] == '\0') ==
	    (strcmp(wants[_i].percent, "255") == 0));
}
END_TEST

START_TEST(no_consensus_is_an_empty_line)
{
	make("starting-5");
	assert_var(CLI_SV_AFTER_CODE, "0");
	assert_var(CLI_SV_AFTER, "");
	assert_var(CLI_SV_AFTER_UNIX, "");
	assert_var(CLI_SV_UNTIL, "");
}
END_TEST

START_TEST(hung_tor_does_not_answer_socks)
{
	make("tor-hung");
	assert_var(CLI_SV_SOCKS, "28");
}
END_TEST

START_TEST(refused_configuration_is_told)
{
	make("refused");
	assert_var(CLI_SV_VERIFY_CODE, "1");
	make("starting-5");
	assert_var(CLI_SV_VERIFY_CODE, "0");
}
END_TEST

START_TEST(values_are_of_the_permitted_characters)
{
	const char *name;

	for (unsigned i = 0; (name = cli_state_name(i)) != NULL; i++) {
		make(name);
		for (unsigned k = 0; k < CLI_NSHELLVAR; k++)
			for (const char *s = vars.value[k]; *s != '\0'; s++)
				ck_assert_msg(*s >= 0x20 && *s <= 0x7e &&
				    strchr("<>&`$\\", *s) == NULL, "%s: %s",
				    name, vars.value[k]);
	}
	make("stalled");
	ck_assert_ptr_nonnull(strstr(vars.value[CLI_SV_STATUS],
	    "WARNING=\"No route to _host_ _ _x_ _y\" REASON=NOROUTE"));
}
END_TEST

/* A shell gets back exactly what was in the values. */
START_TEST(shell_reads_them_back)
{
	char path[] = "/tmp/t_cli_shellvars.XXXXXX", command[256], back[512];
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w"), *sh;
	json_t *line = cli_state_line("open");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(json_object_set_new(json_object_get(line,
	    "bootstrap"), "line", json_string("it's '\\''; exit 9 #'")), 0);
	cli_shellvars_make(&vars, line, &good_env);
	cli_shellvars_print(out, &vars);
	ck_assert_int_eq(fclose(out), 0);
	(void)snprintf(command, sizeof command, "set -eu; eval \"$(cat %s)\"; "
	    "printf '%%s|%%s|%%s' \"$tor_bootstrap_status\" \"$GATEWAY_IP\" "
	    "\"$clock_tor_consensus_check_result\"", path);
	sh = popen(command, "r");
	ck_assert_ptr_nonnull(sh);
	back[fread(back, 1, sizeof back - 1, sh)] = '\0';
	ck_assert_int_eq(pclose(sh), 0);
	ck_assert_str_eq(back, "it's '_''; exit 9 #'|127.0.0.1|ok");
	ck_assert_int_eq(unlink(path), 0);
	json_decref(line);
}
END_TEST

static const struct {
	const char *json, *text;
	int64_t unix_s;
} times[] = {
	{ "\"2026-11-22T07:00:00Z\"", "2026-11-22 07:00:00", 1795330800 },
	{ "\"2026-11-22T07:00:00.123Z\"", "2026-11-22 07:00:00", 1795330800 },
	{ "\"2026-11-22 07:00:00\"", "", 0 },
	{ "\"2026-11-22T07:00\"", "", 0 },
	{ "\"2026-11-22T07:00:00+01:00\"", "", 0 },
	{ "\"\"", "", 0 },
	{ "null", "", 0 },
	{ "7", "", 0 },
};
#define NTIMES ((int)(sizeof times / sizeof times[0]))

START_TEST(times_are_read_strictly)
{
	json_t *value = json_loads(times[_i].json, JSON_DECODE_ANY, NULL);
	char text[CLI_TEXT_CAP];
	int64_t at;

	ck_assert(cli_shell_time(text, &at, value) == (times[_i].unix_s != 0));
	ck_assert_str_eq(text, times[_i].text);
	ck_assert_int_eq(at, times[_i].unix_s);
	json_decref(value);
}
END_TEST

/* --- what only files tell ------------------------------------------------- */

static void
put_file(const char *root, const char *path)
{
	char full[256];
	int fd;

	(void)snprintf(full, sizeof full, "%s%s", root, path);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	close(fd);
}

static int
listen_at(const char *root)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s/run/tor/socks",
	    root);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	return fd;
}

static void
assert_look(const char *root, int socks, const char *timesync)
{
	struct cli_shellenv env;

	cli_shell_look(&env, root, cli_now_ms() + 50);
	ck_assert_int_eq(env.socks, socks);
	if (timesync == NULL)
		ck_assert_ptr_null(env.timesync);
	else
		ck_assert_str_eq(env.timesync, timesync);
}

START_TEST(files_are_looked_at)
{
	static const char *const dirs[] = { "/run", "/run/tor",
		"/run/sdwdate", "/run/whonix_firewall" };
	char root[] = "/tmp/t_cli_look.XXXXXX", path[256];
	struct cli_shellenv env;
	struct cli_conn c[2];
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(root));
	assert_look(root, CLI_SOCKS_REFUSED, NULL);
	for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", root, dirs[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	fd = listen_at(root);
	put_file(root, "/run/sdwdate/fail");
	assert_look(root, CLI_SOCKS_THERE, "fail");
	put_file(root, "/run/sdwdate/first_success");
	/* Room for one that waits, and the one above does: none is left. */
	(void)snprintf(path, sizeof path, "%s/run/tor", root);
	for (size_t i = 0; i < 2; i++)
		(void)!cli_conn_open(&c[i], path, "socks", cli_now_ms() + 50);
	assert_look(root, CLI_SOCKS_SILENT, "first_success");
	for (size_t i = 0; i < 2; i++)
		cli_conn_close(&c[i]);
	close(fd);
	assert_look(root, CLI_SOCKS_REFUSED, "first_success");
	put_file(root, "/run/whonix_firewall/first_run_current_boot.status");
	cli_shell_look(&env, root, cli_now_ms() + 50);
	ck_assert(env.first_run && !env.consecutive_run);
	(void)snprintf(path, sizeof path, "rm -r %s", root);
	ck_assert_int_eq(system(path), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli_shellvars");
	TCase *tc = tcase_create("shellvars");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, every_variable_has_its_value);
	tcase_add_loop_test(tc, variables_follow_the_state, 0, NWANTS);
	tcase_add_test(tc, no_consensus_is_an_empty_line);
	tcase_add_test(tc, hung_tor_does_not_answer_socks);
	tcase_add_test(tc, refused_configuration_is_told);
	tcase_add_test(tc, values_are_of_the_permitted_characters);
	tcase_add_test(tc, shell_reads_them_back);
	tcase_add_loop_test(tc, times_are_read_strictly, 0, NTIMES);
	tcase_add_test(tc, files_are_looked_at);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
