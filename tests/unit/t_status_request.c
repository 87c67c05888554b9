#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/status/request.h"

#define N(table) ((int)(sizeof(table) / sizeof(table)[0]))
#define LINE(text) text, sizeof(text) - 1

/* clang-format off */
static const struct {
	const char *line;
	size_t n;
	enum snap_verb_code code;
	const char *id; /* as JSON; NULL: none */
} good[] = {
	{ LINE("{\"cmd\":\"hold\"}"), SNAP_V_HOLD, NULL },
	{ LINE("{\"cmd\":\"release\",\"id\":1}"), SNAP_V_RELEASE, "1" },
	{ LINE(" { \"id\" : null , \"cmd\" : \"newnym\" } "), SNAP_V_NEWNYM,
	    "null" },
	{ LINE("{\"cmd\":\"reprove\",\"id\":\"a\\\"}{[[[[[[\"}\r"),
	    SNAP_V_REPROVE, "\"a\\\"}{[[[[[[\"" },
	{ LINE("{\"cmd\":\"hold\",\"id\":[[[1]]]}"), SNAP_V_HOLD, "[[[1]]]" },
	{ LINE("{\"cmd\":\"hold\",\"id\":\"\xc3\xa4\"}"), SNAP_V_HOLD,
	    "\"\xc3\xa4\"" },
	{ LINE("{\"cmd\":\"\\u0068old\"}"), SNAP_V_HOLD, NULL },
	{ LINE("{\"cmd\":\"check-isolation\"}"), SNAP_V_CHECK_ISOLATION,
	    NULL },
};

static const struct {
	const char *line;
	size_t n;
	const char *part; /* of the sentence */
} bad[] = {
	{ LINE(""), "not valid JSON" },
	{ LINE("hold"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\""), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\"} x"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\"}{\"cmd\":\"hold\"}"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\",}"), "not valid JSON" },
	{ LINE("{\"cmd\":\"ho\0ld\"}"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\\u0000\"}"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\"}\0"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\",\"id\":\"\xff\"}"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\",\"id\":\"\xc0\xaf\"}"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\",\"id\":\"\xed\xa0\x80\"}"),
	    "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\",\"cmd\":\"release\"}"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\",\"id\":1e999}"), "not valid JSON" },
	{ LINE("{\"cmd\":\"hold\",\"id\":99999999999999999999}"),
	    "not valid JSON" },
	{ LINE("[]"), "not a JSON object" },
	{ LINE("[{\"cmd\":\"hold\"}]"), "not a JSON object" },
	{ LINE("{}"), "no \"cmd\"" },
	{ LINE("{\"id\":1}"), "no \"cmd\"" },
	{ LINE("{\"cmd\":\"HOLD\"}"), "not one of" },
	{ LINE("{\"cmd\":\"hold \"}"), "not one of" },
	{ LINE("{\"cmd\":\"open\"}"), "not one of" },
	{ LINE("{\"cmd\":\"\"}"), "not one of" },
	{ LINE("{\"cmd\":1}"), "not one of" },
	{ LINE("{\"cmd\":null}"), "not one of" },
	{ LINE("{\"cmd\":[\"hold\"]}"), "not one of" },
	{ LINE("{\"cmd\":\"hold\",\"uid\":0}"), "other than" },
	{ LINE("{\"cmd\":\"hold\",\"id\":1,\"x\":1}"), "other than" },
	{ LINE("{\"cmd\":\"hold\",\"id\":[[[[1]]]]}"), "too deeply" },
	{ LINE("[[[[[[[["), "too deeply" },
};
/* clang-format on */

START_TEST(good_line_is_a_verb)
{
	struct status_request req;
	const char *error;
	char *id;

	error = status_request_parse(&req, good[_i].line, good[_i].n);
	ck_assert_msg(error == NULL, "%s: %s", good[_i].line, error);
	ck_assert_int_eq(req.code, good[_i].code);
	if (good[_i].id == NULL) {
		ck_assert_ptr_null(req.id);
	} else {
		id = json_dumps(req.id, JSON_ENCODE_ANY | JSON_COMPACT);
		ck_assert_str_eq(id, good[_i].id);
		free(id);
	}
	status_request_clear(&req);
}
END_TEST

START_TEST(bad_line_is_a_sentence)
{
	struct status_request req;
	const char *error;

	error = status_request_parse(&req, bad[_i].line, bad[_i].n);
	ck_assert_msg(error != NULL, "taken: %s", bad[_i].line);
	ck_assert_msg(strstr(error, bad[_i].part) != NULL, "%s: %s",
	    bad[_i].line, error);
	ck_assert_int_eq(error[strlen(error) - 1], '.');
	ck_assert_int_eq(req.code, SNAP_V_NONE);
	ck_assert_ptr_null(req.id);
}
END_TEST

/* A request with an id of N letters. */
static size_t
with_id(char *line, size_t n)
{
	size_t at = sizeof "{\"cmd\":\"hold\",\"id\":\"" - 1;

	memcpy(line, "{\"cmd\":\"hold\",\"id\":\"", at);
	memset(line + at, 'x', n);
	memcpy(line + at + n, "\"}", 2);
	return at + n + 2;
}

START_TEST(id_is_bounded_exactly)
{
	char line[STATUS_REQ_LINE];
	struct status_request req;
	size_t n;

	n = with_id(line, STATUS_REQ_ID - 2); /* two are the quotes */
	ck_assert_ptr_null(status_request_parse(&req, line, n));
	status_request_clear(&req);
	n = with_id(line, STATUS_REQ_ID - 1);
	ck_assert_ptr_nonnull(status_request_parse(&req, line, n));
}
END_TEST

START_TEST(line_is_bounded_exactly)
{
	static char line[STATUS_REQ_LINE + 1];
	static const char text[] = "{\"cmd\":\"hold\"}";
	struct status_request req;

	memset(line, ' ', sizeof line);
	memcpy(line, text, sizeof text - 1);
	ck_assert_ptr_null(status_request_parse(&req, line, STATUS_REQ_LINE));
	status_request_clear(&req);
	ck_assert_ptr_nonnull(status_request_parse(&req, line,
	    STATUS_REQ_LINE + 1));
}
END_TEST

START_TEST(nesting_of_a_whole_line_is_refused)
{
	static char line[STATUS_REQ_LINE];
	struct status_request req;
	const char *error;

	memset(line, _i == 0 ? '[' : '{', sizeof line);
	error = status_request_parse(&req, line, sizeof line);
	ck_assert_str_eq(error, "The request is nested too deeply.");
}
END_TEST

/* Takes the answer's id. */
static void
assert_answer(struct status_answer a, const char *want)
{
	size_t len;
	char *line = status_answer_line(&a, &len);

	ck_assert_str_eq(line, want);
	ck_assert_uint_eq(len, strlen(want));
	free(line);
	json_decref(a.id);
}

START_TEST(answer_gives_the_id_back)
{
	struct status_answer a = { .kind = STATUS_ANSWER_LAST, .ok = true,
		.id = json_integer(7), .sentence = "Held." };

	assert_answer(a, "{\"ok\":true,\"text\":\"Held.\",\"id\":7}\n");
	a.ok = false;
	a.id = json_string("\xc3\xa4\n");
	a.sentence = "No \"x\".";
	assert_answer(a, "{\"ok\":false,\"error\":\"No \\\"x\\\".\","
	    "\"id\":\"\\u00E4\\n\"}\n");
	a.id = NULL;
	a.sentence = "No.";
	assert_answer(a, "{\"ok\":false,\"error\":\"No.\"}\n");
}
END_TEST

/* What this process refuses was never judged by the engine. */
START_TEST(refusal_is_told_from_an_answer)
{
	struct status_answer a = { .kind = STATUS_ANSWER_REFUSED, .ok = true,
		.sentence = "No." };

	assert_answer(a,
	    "{\"ok\":false,\"error\":\"No.\",\"refused\":true}\n");
}
END_TEST

START_TEST(answer_says_that_more_follow)
{
	struct status_answer a = { .kind = STATUS_ANSWER_MORE, .ok = false,
		.id = json_integer(1), .sentence = "One." };

	assert_answer(a, "{\"ok\":false,\"text\":\"One.\",\"id\":1,"
	    "\"more\":true}\n");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_request");
	TCase *tc = tcase_create("request");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, good_line_is_a_verb, 0, N(good));
	tcase_add_loop_test(tc, bad_line_is_a_sentence, 0, N(bad));
	tcase_add_test(tc, id_is_bounded_exactly);
	tcase_add_test(tc, line_is_bounded_exactly);
	tcase_add_loop_test(tc, nesting_of_a_whole_line_is_refused, 0, 2);
	tcase_add_test(tc, answer_gives_the_id_back);
	tcase_add_test(tc, refusal_is_told_from_an_answer);
	tcase_add_test(tc, answer_says_that_more_follow);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
