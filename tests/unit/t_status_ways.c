/* How Tor gets out, from the engine's snapshot to a person's screen. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/row.h"
#include "supervisor/namemsg.h"
#include "supervisor/status/ways.h"
#include "tests/unit/status_sample.h"

#define SET(member, text) \
	(void)snprintf(s->member, sizeof s->member, "%s", text)

static void
sample_ways(struct snapshot *s)
{
	sample_snapshot(s);
	s->nbridges = 2;
	s->proxy.kind = POL_PROXY_SOCKS5;
	s->proxy.port = 1080;
	s->proxy.by_name = 1;
	s->proxy.verdict = NAME_V_AUTH;
	s->proxy.code = 2;
	s->ntransports = 1;
	SET(transport[0].method, "meek_lite");
	SET(transport[0].said, "lookup failed");
	s->transport[0].state = SNAP_T_DIED;
	s->transport[0].deaths = 3;
	s->nnames = SNAP_MAX_NAMES + 2;
	for (unsigned i = 0; i < SNAP_MAX_NAMES; i++) {
		SET(name[i].host, "front.example");
		SET(name[i].needed_by, "Bridge line 1, front (meek_lite)");
		SET(name[i].since, "2026-01-31T23:59:57Z");
		s->name[i].state = NAME_NXDOMAIN;
		s->name[i].by_transport = 1;
	}
	s->apply_step = SNAP_A_ROLLED_BACK;
	SET(apply_text, "Tor made no circuit.");
	SET(apply_since, "2026-01-31T23:50:00Z");
}

START_TEST(encodes_every_part)
{
	struct snapshot s;
	json_t *all, *want;
	char *got, *hoped;

	sample_ways(&s);
	s.nnames = 1;
	ck_assert(status_ways_ok(&s));
	all = status_ways_encode(&s, true);
	want = json_pack("{s:i,s:{s:s,s:b,s:s,s:i},s:[{s:s,s:s,s:i,s:s}],"
	    "s:[{s:s,s:s,s:s,s:s,s:s,s:i}],s:i,s:{s:b,s:i,s:i,s:i},"
	    "s:{s:s,s:s,s:s}}", "bridges", 2, "proxy", "kind", "socks5",
	    "by_name", 1, "state", "password", "code", 2, "transports",
	    "method", "meek_lite", "state", "died", "deaths", 3, "said",
	    "lookup failed", "names", "name", "front.example", "needed_by",
	    "Bridge line 1, front (meek_lite)", "asked_by", "transport",
	    "state", "nxdomain", "since", "2026-01-31T23:59:57Z",
	    "addresses", 0, "names_total", 1, "resolver", "running", 1,
	    "queries", 21, "stub_answered", 22, "stub_refused", 23, "change",
	    "step", "rolled-back", "text", "Tor made no circuit.", "since",
	    "2026-01-31T23:50:00Z");
	ck_assert_ptr_nonnull(want);
	got = json_dumps(all, JSON_SORT_KEYS);
	hoped = json_dumps(want, JSON_SORT_KEYS);
	ck_assert_str_eq(got, hoped);
	free(got);
	free(hoped);
	json_decref(want);
	json_decref(all);
}
END_TEST

/* What is not within its bounds is no snapshot: each by itself. */
START_TEST(refuses_what_is_out_of_bounds)
{
	struct snapshot s;

	sample_ways(&s);
	ck_assert(status_ways_ok(&s));
	switch (_i) {
	case 0: s.nbridges = POL_UPLINK_BRIDGES + 1; break;
	case 1: s.proxy.kind = POL_NPROXY; break;
	case 2: s.proxy.port = 65536; break;
	case 3: s.proxy.by_name = 2; break;
	case 4: s.proxy.verdict = NAME_NVERDICT; break;
	case 5: s.ntransports = SNAP_MAX_TRANSPORTS + 1; break;
	case 6: s.transport[0].state = SNAP_NTSTATE; break;
	case 7: s.name[SNAP_MAX_NAMES - 1].state = NAME_NSTATE; break;
	case 8: s.name[0].naddrs = NAME_MAX_ADDRS + 1; break;
	case 9: s.name[0].by_transport = 2; break;
	case 10: s.resolver = 2; break;
	case 11: s.resolver_up = 2; break;
	case 12: s.stalled = 2; break;
	default: s.apply_step = SNAP_NASTEP; break;
	}
	ck_assert(!status_ways_ok(&s));
}
END_TEST

START_TEST(text_cannot_harm)
{
	struct snapshot s;

	sample_ways(&s);
	memset(s.name[0].host, '\n', sizeof s.name[0].host);
	memset(s.transport[0].said, 0x1b, sizeof s.transport[0].said);
	status_ways_clean(&s);
	ck_assert_uint_eq(strlen(s.name[0].host), sizeof s.name[0].host - 1);
	ck_assert_uint_eq(strspn(s.name[0].host, "?"),
	    sizeof s.name[0].host - 1);
	ck_assert_uint_eq(strspn(s.transport[0].said, "?"),
	    sizeof s.transport[0].said - 1);
}
END_TEST

START_TEST(is_shown_in_rows)
{
	struct snapshot s;
	json_t *line;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	ck_assert_ptr_nonnull(out);
	sample_ways(&s);
	s.nnames = SNAP_MAX_NAMES + 2;
	line = json_pack("{s:o}", "uplink", status_ways_encode(&s, true));
	cli_format_ways(out, line);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_msg(strncmp(text,
	    "Bridges     2\n"
	    "Proxy       socks5, given by name, when last tried: password "
	    "(its code 2)\n"
	    "Transport   meek_lite: died, ended 3 times\n"
	    "            it said: lookup failed\n"
	    "Name        front.example: nxdomain, for Bridge line 1, front "
	    "(meek_lite)\n", 200) == 0, "%s", text);
	ck_assert_ptr_nonnull(strstr(text,
	    "            and 2 more\n"
	    "Resolver    running, 21 lookups; of transports' questions "
	    "22 answered, 23 refused\n"
	    "Change      rolled-back, 2026-01-31T23:50:00Z: Tor made no "
	    "circuit.\n"));
	free(text);
	json_decref(line);
}
END_TEST

START_TEST(nothing_where_there_is_nothing)
{
	json_t *line = json_object();
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	cli_format_ways(out, line);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, "");
	free(text);
	json_decref(line);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_ways");
	TCase *tc = tcase_create("status_ways");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, encodes_every_part);
	tcase_add_loop_test(tc, refuses_what_is_out_of_bounds, 0, 14);
	tcase_add_test(tc, text_cannot_harm);
	tcase_add_test(tc, is_shown_in_rows);
	tcase_add_test(tc, nothing_where_there_is_nothing);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
