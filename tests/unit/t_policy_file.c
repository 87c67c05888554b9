#include <sys/stat.h>

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/origins.h"
#include "supervisor/policyfile.h"
#include "tests/unit/polutil.h"

/* A folder of our own, emptied and removed after each test. */
static char folder[64];
static char path[128];

static void
in_folder(char *dst, size_t cap, const char *name)
{
	(void)snprintf(dst, cap, "%s/%s", folder, name);
}

static void
put(const char *name, const char *text)
{
	char file[256];
	FILE *f;

	in_folder(file, sizeof file, name);
	f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(file, 0644), 0);
}

static void
set_mode(const char *name, mode_t mode)
{
	char file[256];

	in_folder(file, sizeof file, name);
	ck_assert_int_eq(chmod(file, mode), 0);
}

static void
make_folder(void)
{
	char conf_d[128];

	(void)snprintf(folder, sizeof folder, "/tmp/t_policy_file.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chmod(folder, 0755), 0);
	in_folder(path, sizeof path, "main.conf");
	in_folder(conf_d, sizeof conf_d, "conf.d");
	ck_assert_int_eq(mkdir(conf_d, 0755), 0);
}

static void
remove_folder(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void
load(struct pol_policy *p)
{
	struct pol_diags d;
	int rc = policyfile_load(p, &d, path, false);

	ck_assert_msg(rc == 0, "%s", d.n != 0 ? d.list[0].text : "");
	pol_diags_clear(&d);
}

/* Loading fails, and this is said of FILE. */
static void
load_wrong(bool for_real, const char *file, const char *words)
{
	struct pol_policy p;
	struct pol_diags d;
	bool found = false;

	ck_assert_int_eq(policyfile_load(&p, &d, path, for_real), -1);
	ck_assert_ptr_null(p.listeners);
	for (size_t i = 0; i < d.n; i++)
		found |= strstr(d.list[i].file, file) != NULL &&
		    strstr(d.list[i].text, words) != NULL;
	ck_assert_msg(found, "\"%s\" is not said, but %s: %s", words,
	    d.list[0].file, d.list[0].text);
	pol_diags_clear(&d);
}

START_TEST(files_are_merged_in_name_order)
{
	struct pol_policy p;

	put("main.conf", P_ALL);
	put("conf.d/20.conf", "tor { user = 20 }\n");
	put("conf.d/10.conf", "tor { user = 10 control = \"unix:/10\" }\n");
	put("conf.d/.30.conf", "tor { user = 30 }\n");
	put("conf.d/40.conf~", "tor { user = 40 }\n");
	load(&p);
	ck_assert_uint_eq(p.tor.user.uid, 20);
	ck_assert_str_eq(p.tor.control_path, "/10");
	pol_policy_clear(&p);
}
END_TEST

START_TEST(conf_d_need_not_be_there)
{
	struct pol_policy p;
	char conf_d[128];

	put("main.conf", P_ALL);
	in_folder(conf_d, sizeof conf_d, "conf.d");
	ck_assert_int_eq(rmdir(conf_d), 0);
	load(&p);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(a_fault_in_conf_d_is_named_there)
{
	put("main.conf", P_ALL);
	put("conf.d/a.conf", "\nx { }\n");
	load_wrong(false, "conf.d/a.conf", "no section");
}
END_TEST

START_TEST(what_cannot_be_read_is_refused)
{
	char file[256], big[1 << 10];
	FILE *f;

	load_wrong(false, "main.conf", "cannot open");
	in_folder(file, sizeof file, "x");
	ck_assert_int_eq(symlink(file, path), 0);
	load_wrong(false, "main.conf", "symbolic link");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0644), 0);
	load_wrong(false, "main.conf", "not a regular file");
	ck_assert_int_eq(unlink(path), 0);
	memset(big, '\n', sizeof big);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i <= 4 << 10; i++)
		ck_assert_uint_eq(fwrite(big, sizeof big, 1, f), 1);
	ck_assert_int_eq(fclose(f), 0);
	load_wrong(false, "main.conf", "4 MiB at most");
	put("main.conf", P_ALL);
	for (unsigned i = 0; i < 65; i++) {
		(void)snprintf(file, sizeof file, "conf.d/%u.conf", i);
		put(file, "");
	}
	load_wrong(false, "conf.d", "65 files here: 64 at most");
}
END_TEST

START_TEST(a_missing_folder_is_refused)
{
	(void)snprintf(path, sizeof path, "%s/nowhere/x.conf", folder);
	load_wrong(false, "nowhere", "cannot open this folder");
}
END_TEST

START_TEST(an_endless_path_is_refused)
{
	static char endless[8192];
	struct pol_policy p;
	struct pol_diags d;

	memset(endless, 'x', sizeof endless - 1);
	ck_assert_int_eq(policyfile_load(&p, &d, endless, false), -1);
	pol_diags_clear(&d);
}
END_TEST

START_TEST(what_others_can_write_is_refused)
{
	static const char *const names[] = { "main.conf", "conf.d",
		"conf.d/a.conf", "." };
	static const mode_t modes[] = { 0664, 0775, 0646, 0777 };

	put("main.conf", P_ALL);
	put("conf.d/a.conf", "");
	set_mode(names[_i], modes[_i]);
	load_wrong(true, names[_i][0] == '.' ? folder : names[_i],
	    "others than its owner can write");
}
END_TEST

/* Nor does it come through when there is no memory to say so. */
START_TEST(what_cannot_be_complained_about_is_refused)
{
	struct pol_policy p;
	struct pol_diags d;

	put("main.conf", P_ALL);
	set_mode("main.conf", 0666);
	for (unsigned n = 1; n <= 64; n++) {
		int rc;

		pu_fail_at(n);
		rc = policyfile_load(&p, &d, path, true);
		pu_fail_at(0);
		ck_assert_int_eq(rc, -1);
		ck_assert_ptr_null(p.listeners);
		pol_diags_clear(&d);
	}
}
END_TEST

START_TEST(what_is_not_roots_is_refused)
{
	struct pol_policy p;
	struct pol_diags d;

	put("main.conf", P_ALL);
	if (geteuid() == 0) {
		ck_assert_int_eq(policyfile_load(&p, &d, path, true), 0);
		pol_policy_clear(&p);
		pol_diags_clear(&d);
		ck_assert_int_eq(chown(path, 1, 0), 0);
	}
	load_wrong(true, "main.conf", "give it to root");
}
END_TEST

START_TEST(users_are_looked_up)
{
	struct passwd *pw = getpwnam("daemon");
	struct pol_policy p;
	struct pol_diags d = { 0 };

	if (pw == NULL)
		return; /* every Unix has it, but who knows */
	put("main.conf", "tor { user = daemon control = \"unix:/c\" }\n" P_GW
	    "users { gate = 4000000001 engine = 4000000002\n"
	    "status = 4000000003 }\n" P_SOCKS);
	load(&p);
	ck_assert_int_eq(policyfile_resolve(&p, &d), 0);
	ck_assert_uint_eq(p.tor.user.uid, pw->pw_uid);
	ck_assert_uint_eq(p.tor.user.gid, pw->pw_gid);
	ck_assert_str_eq(p.tor.user.name, "daemon");
	ck_assert_uint_eq(p.gate_user.gid, 4000000001u);
	/* The same user under its other name. */
	p.status_user = (struct pol_user){ .resolved = true,
		.uid = (uint32_t)pw->pw_uid };
	ck_assert_int_eq(policyfile_resolve(&p, &d), -1);
	ck_assert_uint_eq(d.n, 1);
	ck_assert(pu_has_diag(&d, 0, "they must be different"));
	pol_diags_clear(&d);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(a_user_who_does_not_exist_is_named)
{
	struct pol_policy p;
	struct pol_diags d = { 0 };

	put("main.conf", P_ALL "users { gate = no-such-user-here }\n");
	load(&p);
	ck_assert_int_eq(policyfile_resolve(&p, &d), -1);
	ck_assert(pu_has_diag(&d, 0, "\"no-such-user-here\" (users gate) does "
	    "not exist"));
	(void)snprintf(p.gate_user.name, sizeof p.gate_user.name, "root");
	ck_assert_int_eq(policyfile_resolve(&p, &d), -1);
	ck_assert(pu_has_diag(&d, 0, "is root"));
	pol_diags_clear(&d);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(those_who_pass_beside_tor_are_looked_up)
{
	struct passwd *pw = getpwnam("daemon");
	struct pol_policy p;
	struct pol_diags d = { 0 };

	if (pw == NULL)
		return; /* every Unix has it, but who knows */
	put("main.conf", P_ALL "egress e { user = daemon }\n"
	    "timesync { users = { daemon, 4000000009 } }\n");
	load(&p);
	ck_assert_int_eq(policyfile_resolve(&p, &d), 0);
	ck_assert(p.egress[0].user.resolved);
	ck_assert_uint_eq(p.egress[0].user.uid, pw->pw_uid);
	ck_assert_uint_eq(p.timesync.users[0].uid, pw->pw_uid);
	ck_assert_uint_eq(p.timesync.users[1].uid, 4000000009u);
	/* Tor's, under another name. */
	p.tor.user = (struct pol_user){ .resolved = true,
		.uid = (uint32_t)pw->pw_uid };
	ck_assert_int_eq(policyfile_resolve(&p, &d), -1);
	ck_assert_uint_eq(d.n, 2);
	ck_assert(pu_has_diag(&d, 0, "\"tor user\" and \"egress e\" are "
	    "both user"));
	ck_assert(pu_has_diag(&d, 0, "\"tor user\" and \"timesync users\" "
	    "are both user"));
	pol_diags_clear(&d);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(a_missing_one_who_passes_beside_tor_is_named)
{
	struct pol_policy p;
	struct pol_diags d = { 0 };

	put("main.conf", P_ALL "egress e { user = no-such-user-a }\n"
	    "timesync { users = { no-such-user-b } }\n");
	load(&p);
	ck_assert_int_eq(policyfile_resolve(&p, &d), -1);
	ck_assert_uint_eq(d.n, 2);
	ck_assert(pu_has_diag(&d, 0, "\"no-such-user-a\" (egress e) does not "
	    "exist: create it or name another"));
	ck_assert(pu_has_diag(&d, 0, "\"no-such-user-b\" (timesync users) "
	    "does not exist: create it or name another"));
	/* What -n prints all the same must not be about root. */
	ck_assert(!p.egress[0].user.resolved);
	ck_assert_uint_eq(p.egress[0].user.uid, UINT32_MAX);
	ck_assert_uint_eq(p.timesync.users[0].uid, UINT32_MAX);
	pol_diags_clear(&d);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(a_user_is_complained_about_where_he_was_named)
{
	struct pol_origins from = { 0 };
	struct pol_policy p;
	struct pol_diags d;

	put("main.conf", P_TOR P_GW P_SOCKS "users { engine = 103 }\n");
	put("conf.d/a.conf", "\n\ntor { user = \"no-such-user\" }\n"
	    "egress \"x\" {\nuser = \"nor-such-user\" }\n");
	ck_assert_int_eq(policyfile_load_from(&p, &d, &from, path, false), 0);
	pol_diags_clear(&d);
	ck_assert_int_eq(policyfile_resolve_from(&p, &d, &from), -1);
	ck_assert(pu_has_diag(&d, 3, "no-such-user"));
	ck_assert(pu_has_diag(&d, 4, "nor-such-user"));
	ck_assert(pu_has_diag(&d, 0, "(users gate, by default)"));
	ck_assert_ptr_nonnull(strstr(d.list[0].file, "conf.d/a.conf"));
	pol_diags_clear(&d);
	pol_origins_clear(&from);
	pol_policy_clear(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_file");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, make_folder, remove_folder);
	tcase_add_test(t, a_user_is_complained_about_where_he_was_named);
	tcase_add_test(t, files_are_merged_in_name_order);
	tcase_add_test(t, conf_d_need_not_be_there);
	tcase_add_test(t, a_fault_in_conf_d_is_named_there);
	tcase_add_test(t, what_cannot_be_read_is_refused);
	tcase_add_test(t, a_missing_folder_is_refused);
	tcase_add_test(t, an_endless_path_is_refused);
	tcase_add_loop_test(t, what_others_can_write_is_refused, 0, 4);
	tcase_add_test(t, what_cannot_be_complained_about_is_refused);
	tcase_add_test(t, what_is_not_roots_is_refused);
	tcase_add_test(t, users_are_looked_up);
	tcase_add_test(t, a_user_who_does_not_exist_is_named);
	tcase_add_test(t, those_who_pass_beside_tor_are_looked_up);
	tcase_add_test(t, a_missing_one_who_passes_beside_tor_is_named);
	suite_add_tcase(s, t);
	return pu_run(s);
}
