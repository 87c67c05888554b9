/* The view, the transitions, the keys and the feed of portcullis top. */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/top/feed.h"
#include "supervisor/top/past.h"
#include "supervisor/top/ui.h"
#include "supervisor/top/view.h"
#include "tests/unit/top_sample.h"

#define NOW 100000

static bool
has_line(const struct top_text *t, const char *part)
{
	for (size_t i = 0; i < t->n; i++)
		if (strstr(t->line[i], part) != NULL)
			return true;
	return false;
}

static void
take(struct top_view *v, json_t *line)
{
	ck_assert(top_view_take(v, line, NOW));
	json_decref(line);
}

START_TEST(words_are_kept_whole)
{
	const char *next;

	ck_assert_uint_eq(top_text_wrap("one two three", 9, &next), 7);
	ck_assert_str_eq(next, "three");
	ck_assert_uint_eq(top_text_wrap("one two", 7, &next), 7);
	ck_assert_str_eq(next, "");
	ck_assert_uint_eq(top_text_wrap("one  two", 3, &next), 3);
	ck_assert_str_eq(next, "two");
	/* Where there is no blank, it is cut. */
	ck_assert_uint_eq(top_text_wrap("unbreakable", 4, &next), 4);
	ck_assert_str_eq(next, "eakable");
}
END_TEST

START_TEST(nothing_is_known_at_first)
{
	struct top_view v;

	top_view_init(&v, "why");
	ck_assert(!v.known);
	ck_assert_int_eq(v.head.pos, TOP_UNKNOWN);
	ck_assert_str_eq(v.head.reason, "why");
	ck_assert(has_line(&v.pane[TOP_LISTENERS], "Nothing is known."));
	top_view_clear(&v);
}
END_TEST

/* After a loss nothing of the old line is left to be seen as true. */
START_TEST(loss_leaves_nothing_but_the_past)
{
	struct top_view v;

	top_view_init(&v, "");
	take(&v, top_sample_line("open"));
	ck_assert(has_line(&v.pane[TOP_LISTENERS], "open"));
	top_view_lose(&v, "It went away.", "2026-11-22T11:30:00Z");
	ck_assert(!v.known);
	ck_assert_int_eq(v.head.pos, TOP_UNKNOWN);
	ck_assert_str_eq(v.head.reason, "It went away.");
	ck_assert_str_eq(v.head.lease, "not known");
	ck_assert_uint_eq(v.head.facts, 0);
	ck_assert(!v.head.has_progress);
	ck_assert_ptr_null(v.table);
	for (unsigned p = 0; p < TOP_NPANE; p++)
		if (p != TOP_PAST)
			ck_assert_uint_eq(v.pane[p].n, 1);
	ck_assert_str_eq(v.pane[TOP_PAST].line[0],
	    "2026-11-22T11:30:00  unknown    It went away.");
	/* The same again is no transition. */
	top_view_lose(&v, "It went away.", "2026-11-22T11:31:00Z");
	top_view_lose(&v, "It is still away.", "2026-11-22T11:32:00Z");
	ck_assert_str_eq(v.head.reason, "It is still away.");
	ck_assert_uint_eq(v.pane[TOP_PAST].n, 4);
	top_view_clear(&v);
}
END_TEST

START_TEST(table_is_kept_until_it_is_void)
{
	struct top_view v;
	json_t *line = top_sample_line("open");

	top_view_init(&v, "");
	take(&v, top_sample_line("open"));
	json_object_del(json_object_get(line, "listeners"), "table");
	take(&v, json_deep_copy(line));
	ck_assert(has_line(&v.pane[TOP_LISTENERS], "10.152.152.10:9050  open"));
	/* The gate closes: none of them is open any more. */
	json_object_set_new(line, "position", json_string("closed"));
	take(&v, json_deep_copy(line));
	ck_assert(has_line(&v.pane[TOP_LISTENERS],
	    "10.152.152.10:9050  proven"));
	json_object_set_new(json_object_get(line, "listeners"), "table",
	    json_null());
	take(&v, json_deep_copy(line));
	ck_assert(has_line(&v.pane[TOP_LISTENERS], "is not known"));
	json_object_del(json_object_get(line, "listeners"), "table");
	take(&v, line);
	ck_assert(has_line(&v.pane[TOP_LISTENERS], "is not known"));
	top_view_clear(&v);
}
END_TEST

START_TEST(another_schema_is_refused)
{
	json_t *line = top_sample_line("open");
	struct top_view v;

	top_view_init(&v, "");
	json_object_set_new(line, "v", json_integer(2));
	ck_assert(!top_view_take(&v, line, NOW));
	ck_assert(!v.known);
	json_decref(line);
	line = json_array();
	ck_assert(!top_view_take(&v, line, NOW));
	json_decref(line);
	top_view_clear(&v);
}
END_TEST

/* Every member in turn is what it should not be. */
START_TEST(odd_members_are_no_harm)
{
	json_t *line = top_sample_line("stalled"), *odd[6], *copy;
	struct top_view v;
	const char *key;
	json_t *value;
	size_t i;

	odd[0] = json_null();
	odd[1] = json_array();
	odd[2] = json_string("\033[2J\n");
	odd[3] = json_integer(-1);
	odd[4] = json_pack("[{}, 1, null]");
	odd[5] = json_pack("{s:{}, s:s, s:I}", "a", "text", "\033", "progress",
	    (json_int_t)1 << 60);
	top_view_init(&v, "");
	json_object_foreach(line, key, value)
		for (i = 0; i < 6; i++) {
			copy = json_deep_copy(line);
			json_object_set(copy, key, odd[i]);
			if (strcmp(key, "v") != 0)
				take(&v, copy);
			else
				json_decref(copy);
			ck_assert(v.head.progress >= 0 &&
			    v.head.progress <= 100);
			ck_assert_ptr_null(strchr(v.head.reason, '\033'));
			ck_assert(!has_line(&v.pane[TOP_DETAILS], "\033"));
		}
	for (i = 0; i < 6; i++)
		json_decref(odd[i]);
	json_decref(line);
	top_view_clear(&v);
}
END_TEST

START_TEST(past_is_told_ours_and_bounded)
{
	json_t *ours = json_array(), *told;
	char stamp[32];
	int i;

	told = json_pack("[{s:s,s:s},{s:s,s:s}]", "time",
	    "2026-01-01T00:00:10.500Z", "position", "closed", "time",
	    "2026-01-01T00:00:20.500Z", "position", "open");
	top_past_add(ours, "2026-01-01T00:00:09Z", "unknown", "a", "older");
	top_past_add(ours, "2026-01-01T00:00:10Z", "closed", "b", "same");
	top_past_add(ours, "2026-01-01T00:00:30Z", "open", "c", "newer");
	top_past_merge(ours, told);
	ck_assert_uint_eq(json_array_size(ours), 3);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(ours,
	    0), "text")), "older");
	top_past_merge(ours, NULL);
	ck_assert_uint_eq(json_array_size(ours), 3);
	/* A gap that only we saw stays, in its place. */
	top_past_add(ours, "2026-01-01T00:00:15Z", "unknown", TOP_NO_ANSWER,
	    "gap");
	top_past_merge(ours, told);
	ck_assert_uint_eq(json_array_size(ours), 4);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(ours,
	    2), "text")), "gap");
	for (i = 0; i < 40; i++) {
		(void)snprintf(stamp, sizeof stamp, "2026-01-01T00:01:%02dZ",
		    i);
		top_past_add(ours, stamp, "open", "d", "more");
	}
	ck_assert_uint_eq(json_array_size(ours), TOP_HISTORY);
	json_decref(told);
	json_decref(ours);
}
END_TEST

START_TEST(changes_without_history_are_noted)
{
	json_t *line = top_sample_line("open");
	struct top_view v;

	top_view_init(&v, "");
	take(&v, top_sample_line("open"));
	json_object_set_new(line, "history", json_null());
	take(&v, json_deep_copy(line));
	ck_assert_uint_eq(v.pane[TOP_PAST].n, 3);
	json_object_set_new(line, "position", json_string("closed"));
	json_object_set_new(line, "time", json_string("2026-11-22T12:00:00Z"));
	take(&v, line);
	ck_assert_uint_eq(v.pane[TOP_PAST].n, 4);
	ck_assert(strncmp(v.pane[TOP_PAST].line[0],
	    "2026-11-22T12:00:00  closed ", 28) == 0);
	top_view_clear(&v);
}
END_TEST

START_TEST(only_y_is_a_yes)
{
	struct top_ui ui;

	top_ui_init(&ui);
	ck_assert_int_eq(top_ui_key(&ui, 'h'), TOP_DO_NOTHING);
	ck_assert_int_eq(ui.asking, TOP_ASK_HOLD);
	ck_assert_int_eq(top_ui_key(&ui, '\n'), TOP_DO_NOTHING);
	ck_assert_int_eq(ui.asking, TOP_ASK_NONE);
	ck_assert_int_eq(ui.asked, TOP_ASK_NONE);
	(void)top_ui_key(&ui, 'r');
	ck_assert_int_eq(top_ui_key(&ui, 'q'), TOP_DO_NOTHING);
	(void)top_ui_key(&ui, 'n');
	ck_assert_int_eq(top_ui_key(&ui, 'y'), TOP_DO_ASK);
	ck_assert_str_eq(top_ask_verb(ui.asked), "newnym");
	/* One at a time. */
	(void)top_ui_key(&ui, 'h');
	ck_assert_int_eq(ui.asking, TOP_ASK_NONE);
	top_ui_answer(&ui, "Done\033.");
	ck_assert_str_eq(ui.say, "Done?.");
	(void)top_ui_key(&ui, 'h');
	ck_assert_int_eq(ui.asking, TOP_ASK_HOLD);
	/* A resize is no answer. */
	ck_assert_int_eq(top_ui_key(&ui, TOP_K_REDRAW), TOP_DO_REDRAW);
	ck_assert_int_eq(top_ui_key(&ui, TOP_K_NONE), TOP_DO_NOTHING);
	ck_assert_int_eq(ui.asking, TOP_ASK_HOLD);
}
END_TEST

START_TEST(keys_move_and_turn)
{
	struct top_ui ui;

	top_ui_init(&ui);
	ui.page = 5;
	(void)top_ui_key(&ui, TOP_K_UP);
	ck_assert_int_eq(ui.line[TOP_LISTENERS], 0);
	(void)top_ui_key(&ui, TOP_K_PGDN);
	(void)top_ui_key(&ui, TOP_K_DOWN);
	ck_assert_int_eq(ui.line[TOP_LISTENERS], 6);
	(void)top_ui_key(&ui, TOP_K_END);
	(void)top_ui_key(&ui, TOP_K_DOWN);
	ck_assert_int_eq(ui.line[TOP_LISTENERS], INT_MAX);
	(void)top_ui_key(&ui, TOP_K_HOME);
	ck_assert_int_eq(ui.line[TOP_LISTENERS], 0);
	(void)top_ui_key(&ui, TOP_K_RIGHT);
	ck_assert_int_gt(ui.column, 0);
	(void)top_ui_key(&ui, TOP_K_BACKTAB);
	ck_assert_int_eq(ui.pane, TOP_DETAILS);
	ck_assert_int_eq(ui.column, 0);
	(void)top_ui_key(&ui, '\t');
	ck_assert_int_eq(ui.pane, TOP_LISTENERS);
	(void)top_ui_key(&ui, '?');
	ck_assert(ui.help);
	(void)top_ui_key(&ui, 'h');
	ck_assert(!ui.help);
	ck_assert_int_eq(ui.asking, TOP_ASK_NONE);
	ck_assert_int_eq(top_ui_key(&ui, 'q'), TOP_DO_QUIT);
}
END_TEST

struct server {
	char dir[64], path[100];
	int listener, client;
};

static void
serve(struct server *s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)strcpy(s->dir, "/tmp/portcullis-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
	(void)snprintf(s->path, sizeof s->path, "%s/status.sock", s->dir);
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(s->listener, (struct sockaddr *)&sun,
	    sizeof sun), 0);
	ck_assert_int_eq(listen(s->listener, 4), 0);
}

static void
stop(struct server *s)
{
	close(s->listener);
	(void)unlink(s->path);
	(void)rmdir(s->dir);
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
}

#define OPEN_LINE "{\"v\":1,\"position\":\"open\"}\n"

START_TEST(silence_makes_it_unknown)
{
	struct top_feed f;
	struct top_view v;
	struct server s;

	serve(&s);
	top_view_init(&v, "");
	top_feed_init(&f, s.dir);
	ck_assert(!top_feed_step(&f, &v, NOW));
	s.client = accept(s.listener, NULL, NULL);
	say(s.client, OPEN_LINE);
	ck_assert(top_feed_step(&f, &v, NOW));
	ck_assert_int_eq(v.head.pos, TOP_OPEN);
	ck_assert_uint_eq(top_feed_due(&f), NOW + TOP_SILENCE_MS);
	ck_assert(!top_feed_step(&f, &v, NOW + TOP_SILENCE_MS - 1));
	ck_assert_int_eq(v.head.pos, TOP_OPEN);
	ck_assert(top_feed_step(&f, &v, NOW + TOP_SILENCE_MS));
	ck_assert_int_eq(v.head.pos, TOP_UNKNOWN);
	ck_assert_int_eq(f.c.fd, -1);
	/* It comes back by itself, on another connection. */
	(void)top_feed_step(&f, &v, top_feed_due(&f));
	close(s.client);
	s.client = accept(s.listener, NULL, NULL);
	say(s.client, OPEN_LINE);
	ck_assert(top_feed_step(&f, &v, NOW + 20000));
	ck_assert_int_eq(v.head.pos, TOP_OPEN);
	close(s.client);
	ck_assert(top_feed_step(&f, &v, NOW + 20001));
	ck_assert_int_eq(v.head.pos, TOP_UNKNOWN);
	top_feed_clear(&f);
	top_view_clear(&v);
	stop(&s);
}
END_TEST

START_TEST(pauses_grow_while_nobody_answers)
{
	uint64_t now = NOW, pause, last = 0;
	struct top_feed f;
	struct top_view v;
	int i;

	top_view_init(&v, "");
	top_feed_init(&f, "/nonexistent");
	for (i = 0; i < 10; i++) {
		ck_assert(top_feed_step(&f, &v, now));
		ck_assert(!top_feed_step(&f, &v, now));
		pause = top_feed_due(&f) - now;
		ck_assert(pause >= last && pause > 0 && pause <= 4000);
		last = pause;
		now = top_feed_due(&f);
	}
	ck_assert_uint_eq(last, 4000);
	ck_assert_int_eq(v.head.pos, TOP_UNKNOWN);
	top_feed_clear(&f);
	top_view_clear(&v);
}
END_TEST

START_TEST(nonsense_ends_the_connection)
{
	struct top_feed f;
	struct top_view v;
	struct server s;

	serve(&s);
	top_view_init(&v, "");
	top_feed_init(&f, s.dir);
	(void)top_feed_step(&f, &v, NOW);
	s.client = accept(s.listener, NULL, NULL);
	say(s.client, OPEN_LINE);
	(void)top_feed_step(&f, &v, NOW);
	/* Half a line is none yet, and no harm. */
	say(s.client, "{\"v\":1,\"posi");
	ck_assert(!top_feed_step(&f, &v, NOW));
	say(s.client, "tion\":\"closed\"}\n");
	ck_assert(top_feed_step(&f, &v, NOW));
	ck_assert_int_eq(v.head.pos, TOP_CLOSED);
	say(s.client, "nonsense\n");
	ck_assert(top_feed_step(&f, &v, NOW));
	ck_assert_int_eq(f.c.fd, -1);
	ck_assert_int_eq(v.head.pos, TOP_UNKNOWN);
	close(s.client);
	top_feed_clear(&f);
	top_view_clear(&v);
	stop(&s);
}
END_TEST

START_TEST(no_place_is_said_and_asked_for_less_often)
{
	uint64_t now = NOW, pause = 0;
	struct top_feed f;
	struct top_view v;
	struct server s;

	serve(&s);
	top_view_init(&v, "");
	top_feed_init(&f, s.dir);
	for (int i = 0; i < 6; i++) {
		(void)top_feed_step(&f, &v, now);
		s.client = accept(s.listener, NULL, NULL);
		say(s.client, "{\"v\":1,\"type\":\"refused\","
		    "\"position\":\"open\"}\n");
		close(s.client);
		(void)top_feed_step(&f, &v, now);
		ck_assert_int_eq(v.head.pos, TOP_UNKNOWN);
		ck_assert_ptr_nonnull(strstr(v.head.reason, "no place"));
		ck_assert_int_eq(f.c.fd, -1);
		ck_assert_uint_ge(top_feed_due(&f) - now, pause);
		pause = top_feed_due(&f) - now;
		now = top_feed_due(&f);
	}
	ck_assert_uint_eq(pause, 4000);
	(void)top_feed_step(&f, &v, now);
	s.client = accept(s.listener, NULL, NULL);
	say(s.client, OPEN_LINE);
	(void)top_feed_step(&f, &v, now);
	ck_assert_int_eq(v.head.pos, TOP_OPEN);
	close(s.client);
	(void)top_feed_step(&f, &v, now);
	ck_assert_ptr_nonnull(strstr(v.head.reason, "went away"));
	top_feed_clear(&f);
	top_view_clear(&v);
	stop(&s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("top_view");
	TCase *tc = tcase_create("view");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, words_are_kept_whole);
	tcase_add_test(tc, nothing_is_known_at_first);
	tcase_add_test(tc, loss_leaves_nothing_but_the_past);
	tcase_add_test(tc, table_is_kept_until_it_is_void);
	tcase_add_test(tc, another_schema_is_refused);
	tcase_add_test(tc, odd_members_are_no_harm);
	tcase_add_test(tc, past_is_told_ours_and_bounded);
	tcase_add_test(tc, changes_without_history_are_noted);
	tcase_add_test(tc, only_y_is_a_yes);
	tcase_add_test(tc, keys_move_and_turn);
	tcase_add_test(tc, silence_makes_it_unknown);
	tcase_add_test(tc, pauses_grow_while_nobody_answers);
	tcase_add_test(tc, nonsense_ends_the_connection);
	tcase_add_test(tc, no_place_is_said_and_asked_for_less_often);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
