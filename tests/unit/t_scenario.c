/*
 * Whole sessions as text: a fake Tor, a fake gate, a fake kernel and a
 * virtual clock around the real core.  Every scenario is run three times,
 * with Tor's bytes one line, one octet and all together at a time; what the
 * engine did must be the same.  The language is in tests/scenario/README.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"
#include "supervisor/log.h"
#include "tests/unit/scenario.h"

/* --- the language ------------------------------------------------------- */

static void run_line(char *line);

/* Raw octets: \r, \n and \xHH are understood. */
static void
do_raw(char *arg)
{
	char out[1024];
	unsigned hex;
	size_t n = 0;

	for (; *arg != '\0' && n < sizeof out - 1; arg++) {
		if (*arg != '\\') {
			out[n++] = *arg;
			continue;
		}
		arg++;
		if (*arg == 'x' && sscanf(arg + 1, "%2x", &hex) == 1) {
			out[n++] = (char)hex;
			arg += 2;
		} else {
			out[n++] = *arg == 'n' ? '\n' : '\r';
		}
	}
	out[n] = '\0';
	world_feed(out);
}

static void
do_flood(char *arg)
{
	for (long n = strtol(arg, NULL, 10); n > 0; n--)
		world_feed("650 WARN the same again and again\r\n");
}

static void
do_expect(char *arg)
{
	world_flush();
	for (char *s = strtok(arg, " "); s != NULL; s = strtok(NULL, " "))
		world_expect(s);
}

static void
do_tick(char *arg)
{
	world_tick(strtoul(arg, NULL, 10));
}

static void
do_connect(char *arg)
{
	world_flush();
	w.linked = strcmp(arg, "ok") == 0;
	if (w.linked)
		engine_tor_up(w.e, w.now);
	else
		engine_tor_down(w.e, LOSS_NO_TOR, w.now);
	(void)world_settle();
}

static void
do_eof(char *arg)
{
	(void)arg;
	world_flush();
	w.linked = false;
	engine_tor_down(w.e, LOSS_EOF, w.now);
	/* Before the loop turns: the gate was told in the same breath. */
	ck_assert_int_eq(w.gate.up ? (int)w.gate.pos : 0, GATE_CLOSED);
	(void)world_settle();
}

static void
do_gate(char *arg)
{
	world_flush();
	if (strcmp(arg, "up") == 0) {
		w.gate = (struct fake_gate){ .up = true, .epoch = 1,
			.told_at = w.now };
		engine_gate_up(w.e, w.now);
	} else if (strcmp(arg, "down") == 0) {
		w.gate.up = false;
		engine_gate_down(w.e, w.now);
	} else if (strcmp(arg, "stingy") == 0 ||
	    strcmp(arg, "generous") == 0) {
		w.gate.stingy = arg[0] == 's';
	} else if (strcmp(arg, "lapse") == 0) {
		w.gate.epoch++;
		w.gate.pos = GATE_CLOSED;
	} else if (strcmp(arg, "tell") == 0) {
		w.gate.pending = true;
	} else if (strcmp(arg, "mute") == 0 || strcmp(arg, "speak") == 0) {
		w.gate.mute = arg[0] == 'm';
	} else if (strcmp(arg, "full") == 0 || strcmp(arg, "reads") == 0) {
		w.gate.full = arg[0] == 'f';
	} else if (strcmp(arg, "forgets") == 0) {
		w.gate.generation = w.gate.nrelays = 0;
		w.gate.pending = true;
	} else if (strncmp(arg, "holds ", 6) == 0) {
		w.gate.generation = (uint32_t)strtoul(arg + 6, NULL, 10);
		w.gate.pending = true;
	} else if (strncmp(arg, "lacks ", 6) == 0) {
		w.gate.absent = (uint32_t)strtoul(arg + 6, NULL, 0);
		w.gate.pending = true;
	} else if (strcmp(arg, "junk") == 0) {
		engine_gate_bytes(w.e, "junk", 4, w.now);
	} else {
		world_trouble("gate", arg);
	}
	(void)world_settle();
}

static void
do_prove(char *arg)
{
	static const char *const kinds[] = { "none", "ok", "no-socket",
		"no-addr", "root", "foreign", "file" };
	unsigned long long inode = 0;
	unsigned i, uid = 0;
	char kind[16];

	if (strcmp(arg, "fails") == 0) {
		w.prove_fails = true;
		return;
	}
	if (sscanf(arg, "%u %15s %u %llu", &i, kind, &uid, &inode) < 2 ||
	    i >= 64)
		world_trouble("prove", arg);
	if (strcmp(kind, "held") == 0)
		w.holders[i] = (struct proof){ PROOF_FOREIGN, uid, inode };
	for (unsigned k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		if (strcmp(kind, kinds[k]) == 0)
			w.proofs[i] = (struct proof){ .kind = k, .uid = uid,
				.inode = inode };
}

/* "N ADDRESS": interface N has it now; "N none"; alone: just a call. */
static void
do_address(char *arg)
{
	char text[64];
	unsigned i;

	world_flush();
	if (sscanf(arg, "%u %63s", &i, text) == 2 && i < POL_MAX_IFADDRS) {
		memset(&w.ifaddrs[i], 0, sizeof w.ifaddrs[i]);
		if (strcmp(text, "none") != 0)
			ck_assert(pol_addr_parse(&w.ifaddrs[i], text));
	}
	engine_addresses(w.e, w.ifaddrs, w.now);
	(void)world_settle();
}

static void
do_owner(char *arg)
{
	unsigned long long inode;
	int pid;

	world_flush();
	if (sscanf(arg, "%llu %d", &inode, &pid) != 2)
		world_trouble("owner", arg);
	engine_owner(w.e, inode, pid, w.now);
	(void)world_settle();
}

/* A status process comes, goes, or does not read; or lines counted anew. */
static void
do_status(char *arg)
{
	world_flush();
	if (strcmp(arg, "up") == 0)
		engine_status_up(w.e);
	else if (strcmp(arg, "down") == 0)
		engine_status_down(w.e);
	else if (strcmp(arg, "full") == 0 || strcmp(arg, "reads") == 0)
		w.status_full = arg[0] == 'f';
	else if (strcmp(arg, "count") != 0)
		world_trouble("status", arg);
	w.nlines = 0;
	(void)world_settle();
}

static void
do_verb(char *arg)
{
	struct snap_verb v = { .magic = SNAP_VERB_MAGIC, .id = 5 };

	world_flush();
	memset(&w.result, 0, sizeof w.result);
	w.said[0] = '\0';
	for (unsigned i = 1; i < SNAP_NVERB; i++)
		if (strcmp(arg, snap_verb_name(i)) == 0)
			v.code = i;
	ck_assert(snap_verb_ok(&v));
	engine_verb(w.e, &v, w.now);
	(void)world_settle();
}

static void
do_clock(char *arg)
{
	static const char *const kinds[ENGINE_NCLOCK] = { "unknown", "right",
		"no-file", "no-directory", "denied", "bad-directory",
		"bad-file" };

	world_flush();
	w.blind = strcmp(arg, "unseen") == 0;
	for (unsigned i = 0; i < ENGINE_NCLOCK; i++)
		if (strcmp(arg, kinds[i]) == 0)
			w.clock = (enum engine_clock)i;
	if (w.blind)
		return;
	if (strcmp(arg, kinds[w.clock]) != 0)
		world_trouble("clock", arg);
	engine_time(w.e, w.clock, w.now);
	/* Before the loop turns: nobody but those who set it has a lease. */
	ck_assert(w.clock == CLOCK_RIGHT || w.gate.pos != GATE_OPEN);
	(void)world_settle();
}

/* Is TEXT in the answer to the last verb? */
static void
do_says(char *arg)
{
	world_flush();
	if (strstr(w.said, arg) == NULL)
		world_trouble(arg, w.said);
}

void __wrap_log_warn(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* In place of log_warn(). */
void
__wrap_log_warn(const char *fmt, ...)
{
	const size_t n = strlen(w.warned);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w.warned + n, sizeof w.warned - n, fmt, ap);
	va_end(ap);
}

/* Is TEXT in what was logged as a warning?  Alone: nothing was. */
static void
do_warned(char *arg)
{
	world_flush();
	if (arg[0] == '\0' ? w.warned[0] != '\0' :
	    strstr(w.warned, arg) == NULL)
		world_trouble(arg, w.warned);
	w.warned[0] = '\0';
}

/* The isolation check's client breaks. */
static void
do_lose(char *arg)
{
	unsigned slot = (unsigned)(arg[0] - '0');

	world_flush();
	ck_assert(slot < ISO_SLOTS && w.client[slot]);
	w.client[slot] = false;
	engine_client_lost(w.e, (int)slot);
	(void)world_settle();
}

static void
do_break(char *arg)
{
	if (strcmp(arg, "cookie") == 0)
		w.cookie_fails = true;
	else if (strncmp(arg, "peer", 4) == 0 && sscanf(arg + 4, "%u",
	    &w.peer_uid) == 1)
		w.peer_fails = true;
	else if (strcmp(arg, "clients") == 0)
		w.clients_fail = !w.clients_fail;
	else
		world_trouble("break", arg);
}

static void
do_play(char *arg)
{
	unsigned line = w.line;

	for (size_t d = 0; d < w.ndefs; d++) {
		if (strcmp(w.defs[d].name, arg) != 0)
			continue;
		for (size_t i = 0; i < w.defs[d].n; i++) {
			char *copy = strdup(w.defs[d].lines[i]);

			run_line(copy);
			free(copy);
		}
		w.line = line;
		return;
	}
	world_trouble("no such definition", arg);
}

static void
do_def(char *arg)
{
	struct def *d;

	ck_assert_uint_lt(w.ndefs, MAX_DEFS);
	d = &w.defs[w.ndefs++];
	(void)snprintf(d->name, sizeof d->name, "%s", arg);
	w.open_def = d;
}

static void run_file(const char *name);

static void
do_include(char *arg)
{
	const char *file = w.file;
	unsigned line = w.line;

	run_file(arg);
	w.file = file;
	w.line = line;
}

static void start_engine(const char *policy);

static void
do_policy(char *arg)
{
	w.looks = 0;
	engine_free(w.e);
	pol_policy_clear(&w.policy);
	start_engine(arg);
}

static const struct {
	const char *word;
	void (*run)(char *arg);
} words[] = { { "probe", script_probe }, { "conf", script_conf },
	{ "address", do_address }, { "owner", do_owner },
	{ "status", do_status }, { "policy", do_policy },
	{ ">", script_sent }, { "<", script_feed }, { "raw", do_raw },
	{ "flood", do_flood }, { "expect", do_expect }, { "tick", do_tick },
	{ "connect", do_connect }, { "eof", do_eof }, { "gate", do_gate },
	{ "prove", do_prove }, { "verb", do_verb }, { "break", do_break },
	{ "says", do_says }, { "clock", do_clock }, { "lose", do_lose },
	{ "warned", do_warned }, { "questions", script_questions },
	{ "closes", script_closes },
	{ "consensus", script_consensus }, { "where", script_where },
	{ "resolver", script_resolver }, { "name", script_name },
	{ "want", script_want }, { "verdict", script_verdict },
	{ "program", script_program }, { "kept", script_kept },
	{ "uplink", script_uplink }, { "change", script_change },
	{ "apply", script_apply }, { "about", script_about },
	{ "pending", script_pending }, { "keeper", script_keeper },
	{ "seen", script_seen }, { "stored", script_stored },
	{ "play", do_play }, { "def", do_def }, { "include", do_include } };

static void
run_line(char *line)
{
	size_t n = strcspn(line, " ");
	char *arg = line + n;

	if (*arg == ' ')
		*arg++ = '\0';
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(line, words[i].word) != 0)
			continue;
		if (words[i].run != script_feed && words[i].run != do_raw &&
		    words[i].run != do_flood) {
			world_flush();
			about_answer();
		}
		words[i].run(arg);
		return;
	}
	world_trouble("unknown word", line);
}

static void
take_line(char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return;
	if (w.open_def == NULL) {
		run_line(line);
	} else if (strcmp(line, "end") == 0) {
		w.open_def = NULL;
	} else {
		ck_assert_uint_lt(w.open_def->n, MAX_LINES);
		w.open_def->lines[w.open_def->n++] = strdup(line);
	}
}

static FILE *
open_scenario(const char *name)
{
	const char *src = getenv("top_srcdir");
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/tests/scenario/%s",
	    src != NULL ? src : ".", name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	return f;
}

static void
run_file(const char *name)
{
	FILE *f = open_scenario(name);
	char line[4096];

	w.file = name;
	w.line = 0;
	while (fgets(line, sizeof line, f) != NULL) {
		w.line++;
		take_line(line);
	}
	(void)fclose(f);
}

static void
load_policy(const char *name)
{
	char text[4096];
	struct pol_source src = { .name = "policy", .text = text };
	struct pol_diags diags = { 0 };
	FILE *f = open_scenario(name);

	src.len = fread(text, 1, sizeof text, f);
	(void)fclose(f);
	ck_assert_int_eq(pol_parse(&w.policy, &diags, &src, 1), 0);
	pol_diags_clear(&diags);
	ck_assert_uint_le(w.policy.nlisteners, 64);
}

static void
start_engine(const char *policy)
{
	load_policy(policy);
	for (size_t i = 0; i < 64; i++)
		w.proofs[i].kind = PROOF_NO_SOCKET;
	w.e = engine_new(&w.policy, &world_ops, NULL, 1);
	engine_status_up(w.e);
	(void)world_settle();
}

/* The trace of one run; the caller frees it. */
static char *
run(const char *name, enum chunking chunking)
{
	char *trace;

	memset(&w, 0, sizeof w);
	about_init();
	w.chunking = chunking;
	w.now = T0;
	w.feed = xmalloc(FEED_CAP);
	w.trace = xcalloc(1, TRACE_CAP);
	start_engine("common/policy.conf");
	run_file(name);
	world_flush();
	if (w.nsent != 0)
		world_trouble("a command was not expected", w.sent[0]);
	engine_free(w.e);
	for (size_t d = 0; d < w.ndefs; d++)
		for (size_t i = 0; i < w.defs[d].n; i++)
			free(w.defs[d].lines[i]);
	pol_policy_clear(&w.policy);
	free(w.feed);
	trace = w.trace;
	return trace;
}

static const char *const scenarios[] = {
	"about.txt", "about_boot.txt", "about_mute.txt",
	"about_old.txt", "about_restart.txt",
	"apply_513.txt", "apply_dry.txt", "apply_forget.txt",
	"apply_gate.txt", "apply_gone.txt", "apply_keep.txt",
	"apply_keeper.txt", "apply_kept.txt", "apply_late.txt",
	"apply_lost.txt", "apply_names.txt", "apply_pending.txt",
	"apply_proxy.txt", "apply_refused.txt", "apply_reload.txt",
	"open.txt", "drift.txt", "storm.txt", "unsettled.txt", "vain.txt",
	"leftover.txt",
	"disabled.txt", "hung.txt", "squatter.txt", "eof.txt", "hash.txt",
	"garbage.txt", "flood.txt", "epoch.txt", "hold.txt", "stale.txt",
	"fight.txt", "refused.txt", "cookie.txt", "evidence.txt",
	"bootstrap.txt", "gate.txt", "root.txt", "newnym.txt", "pid.txt",
	"private.txt", "mute.txt", "told.txt", "events.txt", "extra.txt",
	"bindfail.txt", "blame.txt", "held.txt", "files.txt", "shrink.txt",
	"kept.txt", "kept_name.txt", "disabled_torrc.txt",
	"absent.txt", "again.txt", "cycle.txt", "address.txt", "owner.txt",
	"table.txt", "odd.txt", "lost.txt", "same_socket.txt",
	"auto.txt", "rival.txt", "sockfile.txt", "userport.txt", "reopened.txt",
	"echo.txt", "isolation.txt", "disturbed.txt", "relays.txt",
	"relays_where.txt", "relays_gate.txt", "relays_again.txt",
	"relays_held.txt",
	"relays_proxy.txt", "relays_lost.txt",
	"relays_odd.txt", "relays_boot.txt", "timesync.txt",
	"timesync_gate.txt", "names.txt",
	"names_off.txt", "names_proxy.txt", "names_strict.txt",
	"names_odd.txt", "names_kept.txt", "change.txt",
	"questions.txt", "questions_bad.txt", "questions_doubt.txt",
	"questions_gate.txt", "questions_more.txt", "questions_other.txt",
	"transports.txt", "proxy.txt", "stall.txt" };
#define NSCENARIOS (int)(sizeof scenarios / sizeof scenarios[0])

START_TEST(does_the_same_however_the_bytes_come)
{
	char *first = run(scenarios[_i], BY_LINE), *other;

	for (int c = BY_OCTET; c < NCHUNKING; c++) {
		other = run(scenarios[_i], c);
		ck_assert_str_eq(first, other);
		free(other);
	}
	free(first);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("scenario");
	TCase *tc = tcase_create("scenario");
	SRunner *sr;
	int failed;

	log_init("test", LOG_LV_ERR);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, does_the_same_however_the_bytes_come, 0,
	    NSCENARIOS);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
