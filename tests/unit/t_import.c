#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/import/assign.h"

static struct import_text t;
static struct import_assign a;

static enum import_found
first(const char *text)
{
	import_text_init(&t, text, strlen(text));
	return import_assign_next(&t, &a);
}

START_TEST(simple_assignments)
{
	static const struct {
		const char *text, *name, *value;
		bool append;
	} fine[] = {
		{ "A=b", "A", "b", false },
		{ "  A_1=b # c\n", "A_1", "b", false },
		{ "export A=b;", "A", "b", false },
		{ "A=\"b c\"", "A", "b c", false },
		{ "A='b $c `d`'", "A", "b $c `d`", false },
		{ "A=b'c'\"d\"", "A", "bcd", false },
		{ "A=", "A", "", false },
		{ "A+=\" b\"", "A", " b", true },
		{ "A=\"$A b\"", "A", " b", true },
		{ "A=\"${A} b\"", "A", " b", true },
		{ "A=$A", "A", "", true },
		{ "A='b\nc'", "A", "b c", false },
		{ "# A=x\n\n;\nA=b", "A", "b", false },
	};

	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		ck_assert_msg(first(fine[i].text) == IMPORT_ASSIGNMENT, "%s",
		    fine[i].text);
		ck_assert_str_eq(a.name, fine[i].name);
		ck_assert_str_eq(a.value, fine[i].value);
		ck_assert_int_eq(a.append, fine[i].append);
		ck_assert_int_eq(import_assign_next(&t, &a), IMPORT_END);
	}
}
END_TEST

START_TEST(what_only_a_shell_can_tell)
{
	static const struct {
		const char *text, *name;
	} shell[] = {
		{ "A=$B", "A" }, { "A=\"b$A\"", "A" }, { "A=$(b)", "A" },
		{ "A=`b`", "A" }, { "A=\"`b`\"", "A" }, { "A=\"\\b\"", "A" },
		{ "A=(b c)", "A" }, { "A=b c", "A" }, { "A=b&&c", "A" },
		{ "A=b|c", "A" }, { "A=b>c", "A" }, { "A=~", "A" },
		{ "A=*", "A" }, { "A=\"b", "A" }, { "A='b", "A" },
		{ "A=\"${A:-b}\"", "A" }, { "A+=$A", "A" }, { "A", "" },
		{ "touch b", "" }, { "test b && A=c", "" }, { "[ b ]", "" },
		{ "1A=b", "" }, { "A =b", "" }, { "export A", "" },
		{ "export", "" }, { "if b; then A=c; fi", "" },
	};

	for (size_t i = 0; i < sizeof shell / sizeof shell[0]; i++) {
		ck_assert_msg(first(shell[i].text) == IMPORT_SHELL, "%s",
		    shell[i].text);
		ck_assert_str_eq(a.name, shell[i].name);
	}
}
END_TEST

START_TEST(conditions_are_not_believed)
{
	static const char text[] = "if a; then\n\tB=c\nelse\n\tB=d\nfi\n"
	    "E=f\nfoo() {\nB=c\n}\nG=h\ncase $x in y) B=c;; esac\nI=j\n";
	const char *names[] = { "E", "G", "I" };
	size_t n = 0;

	import_text_init(&t, text, strlen(text));
	for (enum import_found f; (f = import_assign_next(&t, &a)) !=
	    IMPORT_END;) {
		if (f == IMPORT_SHELL)
			continue;
		ck_assert_uint_lt(n, 3);
		ck_assert_str_eq(a.name, names[n++]);
	}
	ck_assert_uint_eq(n, 3);
}
END_TEST

/* What looks like an assignment to B, and is a part of something else. */
START_TEST(parts_of_commands)
{
	static const char *const texts[] = {
		"echo \"\nB=c\n\"", "echo 'a\nB=c\n'", "echo \\\nB=c",
		"a &&\nB=c", "a ||\nB=c", "a |\nB=c", "A=(\nB=c\n)",
		"A=$(\nB=c\n)", "(\nB=c\n)", "cat <<E\nB=c\nE",
		"cat <<-'E'\nB=c\nE", "if a; then\necho done\nB=c\nfi",
		"if a\nthen\nB=c\nfi", "f() {\necho }\nB=c\n}",
		"select a in b; do\nB=c\ndone", "A=\"$(x\nB=c\n)\"",
		"case a in\nb)\nB=c\n;;\nesac", "while a; do B=c; done",
	};
	static const char *const whole[] = {
		"echo \"\n\"\nB=c", "# it's\nB=c", "a # it's (\nB=c",
		"a & \nB=c", "cat <<<x\nB=c", "(a)\nB=c",
		"if a\nthen\nb\nfi\nB=c", "f() {\n:; }\nB=c",
		"case a in\nb) c;;\nesac\nB=c", "A=\"$(x)\"\nB=c",
	};
	size_t n;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		import_text_init(&t, texts[i], strlen(texts[i]));
		for (enum import_found f; (f = import_assign_next(&t, &a)) !=
		    IMPORT_END;)
			ck_assert_msg(f == IMPORT_SHELL, "%s", texts[i]);
	}
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		n = 0;
		import_text_init(&t, whole[i], strlen(whole[i]));
		for (enum import_found f; (f = import_assign_next(&t, &a)) !=
		    IMPORT_END;)
			n += f == IMPORT_ASSIGNMENT && strcmp(a.name, "B") ==
			    0;
		ck_assert_msg(n == 1, "%s", whole[i]);
	}
}
END_TEST

START_TEST(lines_are_counted)
{
	ck_assert_int_eq(first("A='b\n\n'\nC=d; E=f\n\ng\nH=i"),
	    IMPORT_ASSIGNMENT);
	ck_assert_uint_eq(a.line, 1);
	ck_assert_int_eq(import_assign_next(&t, &a), IMPORT_ASSIGNMENT);
	ck_assert_str_eq(a.name, "C");
	ck_assert_uint_eq(a.line, 4);
	ck_assert_int_eq(import_assign_next(&t, &a), IMPORT_ASSIGNMENT);
	ck_assert_str_eq(a.name, "E");
	ck_assert_uint_eq(a.line, 4);
	ck_assert_int_eq(import_assign_next(&t, &a), IMPORT_SHELL);
	ck_assert_uint_eq(a.line, 6);
	ck_assert_int_eq(import_assign_next(&t, &a), IMPORT_ASSIGNMENT);
	ck_assert_uint_eq(a.line, 7);
}
END_TEST

START_TEST(too_long_is_no_assignment)
{
	char text[2 * IMPORT_VALUE_LEN];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert_int_eq(first(text), IMPORT_SHELL);
	text[1] = '=';
	ck_assert_int_eq(first(text), IMPORT_SHELL);
	text[IMPORT_VALUE_LEN + 1] = '\0';
	ck_assert_int_eq(first(text), IMPORT_ASSIGNMENT);
}
END_TEST

/* Whatever the octets: it ends, and what it gives out is clean. */
START_TEST(any_octets)
{
	static const char some[] = "A=b\"'$ {}()\n;#+`\\if fi";
	char text[64];
	unsigned seed = 1;

	for (int i = 0; i < 200000; i++) {
		size_t n = (size_t)rand_r(&seed) % sizeof text, steps = 0;

		for (size_t k = 0; k < n; k++)
			text[k] = rand_r(&seed) % 16 == 0 ?
			    (char)rand_r(&seed) :
			    some[(size_t)rand_r(&seed) % (sizeof some - 1)];
		import_text_init(&t, text, n);
		while (import_assign_next(&t, &a) != IMPORT_END) {
			ck_assert_uint_le(++steps, n);
			for (const char *p = a.value; *p != '\0'; p++)
				ck_assert((unsigned char)*p >= ' ');
		}
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("import");
	TCase *c = tcase_create("assign");
	SRunner *sr;
	int failed;

	tcase_set_timeout(c, 120);
	tcase_add_test(c, simple_assignments);
	tcase_add_test(c, what_only_a_shell_can_tell);
	tcase_add_test(c, conditions_are_not_believed);
	tcase_add_test(c, parts_of_commands);
	tcase_add_test(c, lines_are_counted);
	tcase_add_test(c, too_long_is_no_assignment);
	tcase_add_test(c, any_octets);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
