/* What "portcullis apply" makes of a file, and what it says of a bad one. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/cli/change.h"

static char path[64], said[1024];

static void
setup(void)
{
	int fd;

	(void)strcpy(path, "/tmp/portcullis-change.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(close(fd), 0);
}

static void
teardown(void)
{
	(void)unlink(path);
}

/* What is made of the LEN octets of TEXT; what was complained of: SAID. */
static json_t *
load(const char *text, size_t len, bool dry_run)
{
	FILE *f = fopen(path, "w"), *saved = stderr;
	json_t *obj;

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	memset(said, 0, sizeof said);
	stderr = fmemopen(said, sizeof said - 1, "w");
	ck_assert_ptr_nonnull(stderr);
	obj = cli_change_load(path, dry_run);
	(void)fclose(stderr);
	stderr = saved;
	return obj;
}

static void
assert_bad(const char *text, const char *words)
{
	char want[128];

	ck_assert_ptr_null(load(text, strlen(text), false));
	(void)snprintf(want, sizeof want, "portcullis: %s%s", path, words);
	ck_assert_msg(strstr(said, want) == said, "%s", said);
	ck_assert_ptr_null(strstr(said, "secretword"));
}

START_TEST(torrc_lines_go_as_they_are)
{
	static const char lines[] = "# x\nUseBridges 1\nBridge 192.0.2.1:1\n";
	json_t *obj = load(lines, sizeof lines - 1, true);

	ck_assert_str_eq(json_string_value(json_object_get(obj, "torrc")),
	    lines);
	ck_assert_str_eq(json_string_value(json_object_get(obj, "cmd")),
	    "apply");
	ck_assert(json_is_true(json_object_get(obj, "dry_run")));
	ck_assert_uint_eq(json_object_size(obj), 3);
	ck_assert_str_eq(said, "");
	json_decref(obj);
}
END_TEST

START_TEST(an_object_becomes_the_request)
{
	static const char text[] = " \n{\"bridges\":\"none\","
	    "\"proxy\":\"none\"}\n";
	json_t *obj = load(text, sizeof text - 1, false);

	ck_assert_str_eq(json_string_value(json_object_get(obj, "bridges")),
	    "none");
	ck_assert_str_eq(json_string_value(json_object_get(obj, "cmd")),
	    "apply");
	ck_assert(json_is_false(json_object_get(obj, "dry_run")));
	ck_assert_uint_eq(json_object_size(obj), 4);
	json_decref(obj);
}
END_TEST

START_TEST(bad_json_is_told_by_file_and_line_and_never_quoted)
{
	assert_bad("{\"bridges\":\"none\",\n\"password\":secretword}",
	    ", line 2, column ");
	assert_bad("{\"a\":1,\n\n\"a\":\"secretword\"}", ", line 3, column ");
	assert_bad("{\"a\":1}\nsecretword", ", line 2, column ");
}
END_TEST

START_TEST(a_file_does_not_say_what_is_done_with_it)
{
	assert_bad("{\"cmd\":\"hold\"}", " has \"cmd\" or \"dry_run\"");
	assert_bad("{\"dry_run\":false,\"bridges\":\"none\"}",
	    " has \"cmd\" or \"dry_run\"");
}
END_TEST

START_TEST(what_is_no_text_is_refused)
{
	ck_assert_ptr_null(load("UseBridges 0\0\n", 14, false));
	ck_assert_ptr_nonnull(strstr(said, " has a NUL octet"));
	ck_assert_ptr_null(load("{\"a\":1}\0", 8, false));
	ck_assert_ptr_nonnull(strstr(said, " has a NUL octet"));
	assert_bad("UseBridges 0\xff\n", " is not text in UTF-8");
}
END_TEST

START_TEST(a_file_holds_so_much_and_no_octet_more)
{
	char *text = malloc(CLI_CHANGE_MAX + 1);
	json_t *obj;

	ck_assert_ptr_nonnull(text);
	memset(text, '#', CLI_CHANGE_MAX + 1);
	obj = load(text, CLI_CHANGE_MAX, false);
	ck_assert_uint_eq(json_string_length(json_object_get(obj, "torrc")),
	    CLI_CHANGE_MAX);
	json_decref(obj);
	ck_assert_ptr_null(load(text, CLI_CHANGE_MAX + 1, false));
	ck_assert_ptr_nonnull(strstr(said, " is longer than 49152 octets"));
	free(text);
}
END_TEST

START_TEST(what_cannot_be_read_is_told)
{
	char name[sizeof path];

	(void)strcpy(name, path);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	ck_assert_ptr_null(cli_change_load(name, false));
	ck_assert_ptr_null(cli_change_load("/", false));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli_change");
	TCase *tc = tcase_create("cli_change");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, torrc_lines_go_as_they_are);
	tcase_add_test(tc, an_object_becomes_the_request);
	tcase_add_test(tc,
	    bad_json_is_told_by_file_and_line_and_never_quoted);
	tcase_add_test(tc, a_file_does_not_say_what_is_done_with_it);
	tcase_add_test(tc, what_is_no_text_is_refused);
	tcase_add_test(tc, a_file_holds_so_much_and_no_octet_more);
	tcase_add_test(tc, what_cannot_be_read_is_told);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
