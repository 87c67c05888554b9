#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/facts.h"
#include "supervisor/status/encode.h"
#include "tests/unit/status_line.h"
#include "tests/unit/status_sample.h"

struct field {
	const char *part, *key, *good, *doubt;
};

/* Every field: its value in the sample, and once the engine is silent. */
/* clang-format off */
static const struct field fields[] = {
	{ "", "v", "1", "1" },
	{ "", "type", "\"change\"", "\"change\"" },
	{ "", "seq", "42", "42" },
	{ "", "time", "\"2026-01-31T23:59:59.123Z\"",
	    "\"2026-01-31T23:59:59.123Z\"" },
	{ "", "position", "\"open\"", "\"unknown\"" },
	{ "", "state", "\"WATCH\"", "null" },
	{ "reason", "code", "\"ready\"", "\"engine-silent\"" },
	{ "reason", "text",
	    "\"Tor carries traffic and everything is proven.\"",
	    "\"The engine has said nothing for two seconds.\"" },
	{ "", "advice", "null",
	    "\"It is started again by itself; if this lasts, read the log.\"" },
	{ "", "since", "\"2026-01-31T23:59:59Z\"", "null" },
	{ "", "hold", "false", "null" },
	{ "tor", "enabled", "true", "null" },
	{ "tor", "running", "true", "null" },
	{ "tor", "pid", "812", "null" },
	{ "tor", "version", "\"0.4.9.11\"", "null" },
	{ "tor", "since", "\"2026-01-31T23:50:00Z\"", "null" },
	{ "tor", "restarts", "2", "null" },
	{ "tor", "dormant", "false", "null" },
	{ "control", "authenticated", "true", "null" },
	{ "control", "method", "\"safecookie\"", "null" },
	{ "control", "lost", "null", "null" },
	{ "bootstrap", "progress", "100", "null" },
	{ "bootstrap", "tag", "\"done\"", "null" },
	{ "bootstrap", "summary", "\"Done\"", "null" },
	{ "bootstrap", "warning", "null", "null" },
	{ "bootstrap", "since", "\"2026-01-31T23:59:58Z\"", "null" },
	{ "bootstrap", "stalled", "false", "null" },
	{ "bootstrap", "tor_said", "null", "null" },
	{ "bootstrap", "severity", "\"notice\"", "null" },
	{ "bootstrap", "reason", "null", "null" },
	{ "bootstrap", "count", "null", "null" },
	{ "bootstrap", "recommendation", "null", "null" },
	{ "bootstrap", "line",
	    "\"NOTICE BOOTSTRAP PROGRESS=100 TAG=done "
	    "SUMMARY=\\\"Done\\\"\"", "null" },
	{ "uplink", "bridges", "0", "null" },
	{ "uplink", "proxy", "null", "null" },
	{ "uplink", "transports", "[]", "null" },
	{ "uplink", "names", "[]", "null" },
	{ "uplink", "names_total", "0", "null" },
	{ "uplink", "resolver", "{\"running\":true,\"queries\":21,"
	    "\"stub_answered\":22,\"stub_refused\":23}", "null" },
	{ "uplink", "change", "null", "null" },
	{ "circuits", "established", "true", "null" },
	{ "circuits", "enough_dir_info", "true", "null" },
	{ "circuits", "usable", "\"yes\"", "\"unknown\"" },
	{ "circuits", "built", "\"2026-01-31T23:59:58Z\"", "null" },
	{ "circuits", "built_id", "17", "null" },
	{ "circuits", "built_age_ms", "null", "null" }, /* in a change */
	{ "consensus", "valid_after", "\"2026-01-31T23:00:00Z\"", "null" },
	{ "consensus", "fresh_until", "\"2026-02-01T00:00:00Z\"", "null" },
	{ "consensus", "valid_until", "\"2026-02-01T02:00:00Z\"", "null" },
	{ "consensus", "clock", "\"ok\"", "\"unknown\"" },
	{ "consensus", "skew_s", "null", "null" },
	{ "listeners", "total", "5", "null" },
	{ "listeners", "proven", "5", "null" },
	{ "listeners", "open", "4", "null" },
	{ "listeners", "withheld", "1", "null" },
	{ "listeners", "trouble", "[]", "[]" },
	{ "listeners", "extra", "2", "null" },
	{ "listeners", "alarms", "1", "null" },
	{ "listeners", "extras",
	    "[{\"kind\":\"dns\",\"address\":\"0.0.0.0:5399\",\"alarm\":true},"
	    "{\"kind\":\"socks\",\"address\":\"127.0.0.1:9999\","
	    "\"alarm\":false}]", "[]" },
	{ "listeners", "generation", "17", "null" },
	{ "clock", "required", "true", "null" },
	{ "clock", "right", "true", "null" },
	{ "clock", "timesync", "\"success\"", "null" },
	{ "firewall", "position", "\"open\"", "\"unknown\"" },
	{ "firewall", "known", "true", "false" },
	{ "firewall", "mode", "\"veto\"", "null" },
	{ "firewall", "egress", "\"strict\"", "null" },
	{ "firewall", "relays",
	    "{\"ipv4\":6000,\"ipv6\":4000,\"generation\":3,\"wanted\":10100,"
	    "\"wanted_generation\":4,\"fault\":\"It is too long.\"}", "null" },
	{ "firewall", "lease_ms", "812", "null" },
	{ "firewall", "proven", "5", "null" },
	{ "firewall", "epoch", "7", "null" },
	{ "firewall", "barriers",
	    "{\"boot\":true,\"guard\":true,\"persist\":true,\"netdev\":true,"
	    "\"forward4_off\":true,\"forward6_off\":false,\"routes\":true}",
	    "{\"boot\":null,\"guard\":null,\"persist\":null,\"netdev\":null,"
	    "\"forward4_off\":null,\"forward6_off\":null,\"routes\":null}" },
	{ "firewall", "flush_immunity", "\"yes\"", "null" },
	{ "firewall", "closes", "6", "6" },
	{ "firewall", "close_last_us", "210", "210" },
	{ "firewall", "close_max_us", "400", "400" },
	{ "firewall", "close_us",
	    "{\"50\":0,\"100\":2,\"250\":3,\"500\":4,\"1000\":5,"
	    "\"10000\":6,\"inf\":6,\"sum\":1310}",
	    "{\"50\":0,\"100\":2,\"250\":3,\"500\":4,\"1000\":5,"
	    "\"10000\":6,\"inf\":6,\"sum\":1310}" },
	{ "firewall", "foreign_changes", "2", "2" },
	{ "firewall", "purges", "5", "5" },
	{ "firewall", "error", "null", "null" },
	{ "firewall", "last_close_reason", "\"the engine asked for it\"",
	    "\"the engine asked for it\"" },
	{ "facts", "link", "true", "false" },
	{ "facts", "configuration", "true", "false" },
	{ "facts", "listeners", "true", "false" },
	{ "facts", "bootstrap", "true", "false" },
	{ "facts", "circuit", "true", "false" },
	{ "facts", "usable", "true", "false" },
	{ "facts", "alive", "true", "false" },
	{ "facts", "time", "true", "false" },
	{ "facts", "free", "true", "false" },
	{ "engine", "pid", "12", "null" },
	{ "engine", "fresh", "true", "false" },
	{ "gate", "pid", "11", "null" },
	{ "status", "pid", "13", "13" },
	{ "counters", "links", "3", "3" },
	{ "counters", "provisions", "4", "4" },
	{ "counters", "repairs", "9", "9" },
	{ "", "history", "null", "null" },
};
/* clang-format on */
#define NFIELDS ((int)(sizeof fields / sizeof fields[0]))

/* The sample with everything in it that a line can tell. */
static void
full_view(struct status_view *v)
{
	struct snapshot *s = &v->snap;
	struct snap_page p;

	sample_view(v);
	sample_table(v, 5);
	sample_page(&p, 5, 0, 1);
	p.line[0].unix_socket = 1;
	ck_assert(status_view_page(v, &p, sizeof p));
	s->nwithheld = 1;
	s->time_required = 1;
	s->mode = POL_MODE_VETO;
	s->gate.strict = 1;
	s->gate.nrelays4 = 6000;
	s->gate.nrelays6 = 4000;
	s->gate.relays_generation = 3;
	s->nrelays = 10100;
	s->relays_generation = 4;
	(void)strcpy(s->relays_fault, "It is too long.");
	s->nextra = 2;
	s->nalarm = 1;
	s->table_generation = 17;
	s->extra[0] = (struct snap_extra){ .kind = POL_DNS, .alarm = 1,
		.address = "0.0.0.0:5399" };
	s->extra[1] = (struct snap_extra){ .kind = POL_SOCKS,
		.address = "127.0.0.1:9999" };
}

START_TEST(field_tells_the_snapshot)
{
	const struct field *f = &fields[_i];
	struct status_view v;
	json_t *line;

	full_view(&v);
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, f->part, f->key, f->good);
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

START_TEST(field_is_honest_when_the_engine_is_silent)
{
	const struct field *f = &fields[_i];
	struct status_view v;
	json_t *line;

	full_view(&v);
	line = line_at(&v, SAMPLE_NOW + STATUS_SNAP_MAX_NS + 1);
	line_says(line, f->part, f->key, f->doubt);
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

START_TEST(no_field_is_missing_from_the_table)
{
	struct status_view v;
	size_t leaves = 0;
	const char *key;
	json_t *line, *value;

	sample_view(&v);
	line = line_at(&v, SAMPLE_NOW);
	json_object_foreach(line, key, value)
		leaves += json_is_object(value) ? json_object_size(value) : 1;
	ck_assert_uint_eq(leaves, NFIELDS);
	json_decref(line);
}
END_TEST

static void
no_link(struct status_view *v)
{
	status_view_link(v, false);
}

static void
bad_link(struct status_view *v)
{
	status_view_bad(v);
}

static void
no_snapshot(struct status_view *v)
{
	status_view_link(v, true);
}

static void
stale_gate(struct status_view *v)
{
	v->snap.gate_fresh = 0;
}

static void
old_gate(struct status_view *v)
{
	v->snap.gate.at_ns = SAMPLE_NOW - STATUS_GATE_MAX_NS - 1;
}

static void
future_gate(struct status_view *v)
{
	v->snap.gate.at_ns = SAMPLE_NOW + 1;
}

static void
no_gate(struct status_view *v)
{
	memset(&v->snap.gate, 0, sizeof v->snap.gate);
}

static void
unknown_gate(struct status_view *v)
{
	v->snap.gate.known = 0;
	v->snap.gate.error = 5;
}

static const struct {
	void (*spoil)(struct status_view *v);
	const char *code;
} doubts[] = {
	{ no_link, "\"engine-gone\"" },
	{ bad_link, "\"engine-invalid\"" },
	{ no_snapshot, "\"engine-silent\"" },
	{ stale_gate, "\"gate-silent\"" },
	{ old_gate, "\"gate-silent\"" },
	{ future_gate, "\"gate-silent\"" },
	{ no_gate, "\"gate-silent\"" },
	{ unknown_gate, "\"read-back-failed\"" },
};

/* In every position: a doubt about "closed" is no "closed" either. */
START_TEST(doubt_is_unknown_in_every_position)
{
	struct status_view v;
	json_t *line;
	unsigned p;

	for (p = 0; p < GATE_NWANT; p++) {
		sample_view(&v);
		v.snap.gate.position = p;
		doubts[_i].spoil(&v);
		line = line_at(&v, SAMPLE_NOW);
		line_says(line, "", "position", "\"unknown\"");
		line_says(line, "firewall", "position", "\"unknown\"");
		line_says(line, "firewall", "known", "false");
		line_says(line, "reason", "code", doubts[_i].code);
		json_decref(line);
	}
}
END_TEST

START_TEST(position_is_the_gates)
{
	static const char *const want[GATE_NWANT] = { "\"closed\"",
		"\"tor-only\"", "\"time-sync\"", "\"open\"" };
	struct status_view v;
	json_t *line;

	sample_view(&v);
	v.snap.gate.position = (uint32_t)_i;
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, "", "position", want[_i]);
	json_decref(line);
}
END_TEST

START_TEST(exactly_two_seconds_are_still_fresh)
{
	struct status_view v;
	json_t *line;

	sample_view(&v);
	line = line_at(&v, SAMPLE_NOW + STATUS_SNAP_MAX_NS);
	line_says(line, "", "position", "\"open\"");
	json_decref(line);
}
END_TEST

START_TEST(no_persist_is_immune_while_running_only)
{
	struct status_view v;
	json_t *line;

	sample_view(&v);
	v.snap.gate.barriers &= ~GATE_BAR_PERSIST;
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, "firewall", "flush_immunity", "\"while-running\"");
	json_decref(line);
}
END_TEST

START_TEST(trouble_names_each_listener)
{
	struct status_view v;
	struct snap_trouble *t = v.snap.trouble;
	json_t *line;

	sample_view(&v);
	v.snap.ntrouble = 2;
	t[0] = (struct snap_trouble){ .listener = 3, .why = SNAP_L_FOREIGN,
		.uid = 1000, .pid = 1234, .name = "socks",
		.address = "10.0.0.1:9050" };
	t[1] = (struct snap_trouble){ .listener = 4, .why = 99,
		.uid = 1000, .name = "dns", .address = "[fd19::10]:5300" };
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, "listeners", "trouble",
	    "[{\"number\":3,\"name\":\"socks\",\"address\":\"10.0.0.1:9050\","
	    "\"why\":\"foreign\",\"uid\":1000,\"pid\":1234},"
	    "{\"number\":4,\"name\":\"dns\",\"address\":\"[fd19::10]:5300\","
	    "\"why\":\"unknown\",\"uid\":null,\"pid\":null}]");
	json_decref(line);
}
END_TEST

START_TEST(more_trouble_than_fits_is_cut)
{
	struct status_view v;
	json_t *line;

	sample_view(&v);
	v.snap.ntrouble = SNAP_MAX_TROUBLE + 100;
	line = line_at(&v, SAMPLE_NOW);
	ck_assert_uint_eq(json_array_size(json_object_get(
	    json_object_get(line, "listeners"), "trouble")),
	    SNAP_MAX_TROUBLE);
	json_decref(line);
}
END_TEST

START_TEST(gate_error_is_told_in_words)
{
	struct status_view v;
	json_t *line;

	sample_view(&v);
	v.snap.gate.error = 1; /* EPERM */
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, "firewall", "error", "\"Operation not permitted\"");
	json_decref(line);
}
END_TEST

/* Arrays without a NUL, control characters, quotes, octets above 127. */
START_TEST(line_is_printable_ascii_whatever_the_engine_sends)
{
	struct status_stamp st = line_stamp;
	struct status_view v;
	struct snapshot s;
	size_t len, i;
	char *text;

	sample_snapshot(&s);
	memset(s.reason, '"', sizeof s.reason);
	memset(s.advice, 0xff, sizeof s.advice);
	memset(s.boot_warning, '\n', sizeof s.boot_warning);
	memset(s.tor_version, 0x1b, sizeof s.tor_version);
	memset(&s.tor.lost, 0x1b, sizeof s.tor.lost);
	memset(&s.tor.built, 0xff, sizeof s.tor.built);
	memset(&s.tor.boot_line, '\r', sizeof s.tor.boot_line);
	s.ntrouble = 1;
	memset(s.trouble[0].name, '\\', sizeof s.trouble[0].name);
	memset(s.trouble[0].address, 0x80, sizeof s.trouble[0].address);
	s.nextra = 1;
	memset(s.extra[0].address, 0x07, sizeof s.extra[0].address);
	status_view_init(&v);
	status_view_link(&v, true);
	ck_assert(status_view_take(&v, &s, sizeof s, SAMPLE_NOW));
	text = status_encode(&v, &st, &len);
	ck_assert_ptr_nonnull(text);
	for (i = 0; i + 1 < len; i++)
		ck_assert(text[i] >= 0x20 && text[i] <= 0x7e);
	ck_assert_int_eq(text[len - 1], '\n');
	free(text);
}
END_TEST

START_TEST(a_new_link_forgets_the_old_word)
{
	struct status_view v;
	json_t *line;

	sample_view(&v);
	status_view_link(&v, true);
	ck_assert_int_eq(status_view_doubt(&v, SAMPLE_NOW),
	    STATUS_ENGINE_SILENT);
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, "counters", "links", "null");
	line_says(line, "firewall", "closes", "null");
	json_decref(line);
}
END_TEST

/* Two tables, since no code of the engine is linked into this process. */
START_TEST(facts_are_the_engines)
{
	unsigned f;

	ck_assert_uint_eq(SNAP_NFACT, NFACT);
	for (f = 0; f < SNAP_NFACT; f++)
		ck_assert_str_eq(snap_fact_name((enum snap_fact)f),
		    facts_name((enum fact)f));
	ck_assert_uint_eq(SNAP_F_LINK, FACT_LINK);
}
END_TEST

START_TEST(time_is_rfc_3339)
{
	char text[STATUS_TIME_LEN];

	status_time_format(text, 1769903999, 7999999);
	ck_assert_str_eq(text, "2026-01-31T23:59:59.007Z");
	status_time_format(text, INT64_MAX, 0); /* year out of range */
	ck_assert_str_eq(text, "");
}
END_TEST

#define N(table) ((int)(sizeof(table) / sizeof(table)[0]))

int
main(void)
{
	Suite *s = suite_create("status_encode");
	TCase *tc = tcase_create("encode");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, field_tells_the_snapshot, 0, NFIELDS);
	tcase_add_loop_test(tc, field_is_honest_when_the_engine_is_silent, 0,
	    NFIELDS);
	tcase_add_test(tc, no_field_is_missing_from_the_table);
	tcase_add_loop_test(tc, doubt_is_unknown_in_every_position, 0,
	    N(doubts));
	tcase_add_loop_test(tc, position_is_the_gates, 0, GATE_NWANT);
	tcase_add_test(tc, exactly_two_seconds_are_still_fresh);
	tcase_add_test(tc, no_persist_is_immune_while_running_only);
	tcase_add_test(tc, trouble_names_each_listener);
	tcase_add_test(tc, more_trouble_than_fits_is_cut);
	tcase_add_test(tc, gate_error_is_told_in_words);
	tcase_add_test(tc,
	    line_is_printable_ascii_whatever_the_engine_sends);
	tcase_add_test(tc, a_new_link_forgets_the_old_word);
	tcase_add_test(tc, facts_are_the_engines);
	tcase_add_test(tc, time_is_rfc_3339);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
