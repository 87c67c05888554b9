/*
 * What portcullis top shows, screen by screen: a line, keys and a size, and
 * the screen in tests/golden/top/NAME.ok.  PORTCULLIS_UPDATE=1 rewrites these;
 * the difference is to be reviewed.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/top/layout.h"
#include "tests/unit/top_sample.h"

#define NOW 100000

static const struct screen {
	const char *name, *line, *keys;
	int rows, cols;
} screens[] = {
	{ "open", "open", "", 24, 80 },
	{ "down", "down", "", 24, 80 },
	{ "held", "held", "\t\t", 24, 80 },
	{ "stalled", "stalled", "", 24, 80 },
	{ "stalled-ways", "stalled", "\t", 24, 80 },
	{ "sync", "sync", "\t\t", 24, 80 },
	{ "unknown", "unknown", "\t\t", 24, 80 },
	{ "details", "open", "\t\t\t", 30, 100 },
	{ "scrolled", "open", "   ", 24, 80 },
	{ "question", "open", "h", 24, 80 },
	{ "help", "open", "?", 24, 80 },
	{ "small", "open", "", 15, 60 },
	{ "small-stalled", "stalled", "", 15, 60 },
	{ "smallest", "stalled", "", 10, 40 },
	{ "smallest-help", "open", "?", 10, 40 },
	{ "too-low", "open", "", 9, 80 },
	{ "too-narrow", "open", "", 24, 20 },
	{ "nobody", NULL, "", 24, 80 },
};

static char *
draw(const struct screen *s)
{
	struct top_view v;
	struct top_grid g;
	struct top_ui ui;
	json_t *line;
	char *text;

	top_view_init(&v, "The supervisor is not running or went away.");
	if (s->line != NULL) {
		line = top_sample_line(s->line);
		ck_assert(top_view_take(&v, line, NOW));
		json_decref(line);
	}
	top_ui_init(&ui);
	ck_assert(top_grid_init(&g, s->rows, s->cols));
	/* Once to learn how long a page is. */
	top_layout(&g, &v, &ui, NOW);
	top_grid_clear(&g);
	for (const char *k = s->keys; *k != '\0'; k++)
		(void)top_ui_key(&ui, *k);
	ck_assert(top_grid_init(&g, s->rows, s->cols));
	top_layout(&g, &v, &ui, NOW + 2999);
	text = top_sample_text(&g);
	top_grid_clear(&g);
	top_view_clear(&v);
	return text;
}

/* The whole of it; the caller's. */
static char *
read_file(const char *path)
{
	char *text = NULL;
	size_t cap = 0;
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "cannot read %s", path);
	ck_assert_int_ge(getdelim(&text, &cap, '\0', f), 0);
	fclose(f);
	return text;
}

START_TEST(screen_is_as_reviewed)
{
	const struct screen *s = &screens[_i];
	const char *top = getenv("top_srcdir");
	char path[1024], *text = draw(s), *want;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/tests/golden/top/%s.ok",
	    top != NULL ? top : ".", s->name);
	if (getenv("PORTCULLIS_UPDATE") != NULL) {
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		ck_assert_int_ge(fputs(text, f), 0);
		ck_assert_int_eq(fclose(f), 0);
	}
	want = read_file(path);
	ck_assert_msg(strcmp(text, want) == 0, "%s is now:\n%s", s->name,
	    text);
	free(want);
	free(text);
}
END_TEST

/* No size makes it fail, and every line of every state fits every size. */
START_TEST(every_size_is_drawn)
{
	static const char *const lines[] = { "open", "down", "held",
		"stalled", "sync", "unknown" };
	struct screen s = { .line = lines[_i], .keys = "\th" };

	for (s.rows = 0; s.rows < 40; s.rows += 3)
		for (s.cols = 0; s.cols < 130; s.cols += 7)
			free(draw(&s));
	s.rows = s.cols = TOP_GRID_MAX + 1;
	free(draw(&s));
}
END_TEST

/* The sentence, and the bars at the left of it, look like the position. */
START_TEST(position_has_its_look)
{
	static const struct {
		const char *line;
		enum top_look look;
	} cases[] = {
		{ "open", TOP_GOOD }, { "down", TOP_BAD },
		{ "held", TOP_BAD }, { "stalled", TOP_DOUBT },
		{ "sync", TOP_DOUBT }, { "unknown", TOP_DOUBT },
	};
	json_t *line = top_sample_line(cases[_i].line);
	struct top_view v;
	struct top_grid g;
	struct top_ui ui;

	top_view_init(&v, "");
	top_ui_init(&ui);
	ck_assert(top_view_take(&v, line, NOW));
	ck_assert(top_grid_init(&g, 24, 80));
	top_layout(&g, &v, &ui, NOW);
	ck_assert_int_eq(top_grid_at(&g, 1, 26)->look, cases[_i].look);
	ck_assert_int_eq(top_grid_at(&g, 3, 6)->look, cases[_i].look);
	top_grid_clear(&g);
	top_view_clear(&v);
	json_decref(line);
}
END_TEST

/* A long answer takes rows from the pane, and is not drawn over the keys. */
START_TEST(long_answer_is_wrapped)
{
	static const char keys[] = " q quit";
	struct top_view v;
	struct top_grid g;
	struct top_ui ui;
	char *text;

	top_view_init(&v, "");
	top_ui_init(&ui);
	top_ui_answer(&ui, "It was not done, for a reason that takes quite "
	    "some words to be said in full, more than one row has.");
	ck_assert(top_grid_init(&g, 24, 80));
	top_layout(&g, &v, &ui, NOW);
	text = top_sample_text(&g);
	ck_assert_ptr_nonnull(strstr(text, "\n It was not done"));
	ck_assert_ptr_nonnull(strstr(text, "more than one row has.\n q quit"));
	ck_assert_int_eq(top_grid_at(&g, 23, 1)->ch, keys[1]);
	free(text);
	top_grid_clear(&g);
	top_view_clear(&v);
}
END_TEST

/* Whatever comes, nothing that a terminal would act on goes out. */
START_TEST(cells_are_printable)
{
	struct top_grid g;

	ck_assert(top_grid_init(&g, 1, 4));
	ck_assert_int_eq(top_grid_put(&g, 0, 0, TOP_PLAIN, "\033\n\177a"), 4);
	ck_assert_int_eq(top_grid_put(&g, 0, 3, TOP_PLAIN, "\377beyond"), 10);
	ck_assert_int_eq(top_grid_putn(&g, 7, -2, "beyond", 3), 1);
	for (int col = 0; col < 4; col++)
		ck_assert_int_eq(top_grid_at(&g, 0, col)->ch, '?');
	ck_assert_ptr_null(top_grid_at(&g, 0, 4));
	ck_assert_ptr_null(top_grid_at(&g, 1, 0));
	top_grid_clear(&g);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("top_screen");
	TCase *tc = tcase_create("screen");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, screen_is_as_reviewed, 0,
	    sizeof screens / sizeof screens[0]);
	tcase_add_loop_test(tc, every_size_is_drawn, 0, 6);
	tcase_add_loop_test(tc, position_has_its_look, 0, 6);
	tcase_add_test(tc, long_answer_is_wrapped);
	tcase_add_test(tc, cells_are_printable);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
