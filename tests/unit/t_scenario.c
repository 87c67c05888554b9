/*
 * Whole sessions as text: a fake Tor, a fake gate, a fake kernel and a
 * virtual clock around the real core.  Every scenario is run three times,
 * with Tor's bytes one line, one octet and all together at a time; what the
 * engine did must be the same.  The language is in tests/scenario/README.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"
#include "supervisor/log.h"
#include "tests/unit/scenario.h"

/* PATTERN with * for any run of octets. */
static bool
matches(const char *pattern, const char *text)
{
	for (; *pattern != '\0' && *pattern != '*'; pattern++, text++)
		if (*pattern != *text)
			return false;
	if (*pattern == '\0')
		return *text == '\0';
	for (;; text++) {
		if (matches(pattern + 1, text))
			return true;
		if (*text == '\0')
			return false;
	}
}

/* --- the language ------------------------------------------------------- */

static void run_line(char *line);

static void
do_sent(char *arg)
{
	char *cmd;

	world_flush();
	if (w.nsent == 0)
		world_trouble("no command was sent, wanted", arg);
	cmd = w.sent[0];
	if (!matches(arg, cmd))
		world_trouble("another command was sent", cmd);
	free(cmd);
	memmove(w.sent, w.sent + 1, --w.nsent * sizeof w.sent[0]);
}

static void
do_feed(char *arg)
{
	world_feed(arg);
	world_feed("\r\n");
}

/* The value of KEY= in ARG, up to a space; FALLBACK if there is none. */
static const char *
option(char *dst, size_t cap, const char *arg, const char *key,
    const char *fallback)
{
	size_t n = strlen(key);

	for (const char *s = strstr(arg, key); s != NULL;
	    s = strstr(s + 1, key)) {
		if (s != arg && s[-1] != ' ')
			continue;
		(void)snprintf(dst, cap, "%.*s", (int)strcspn(s + n, " "),
		    s + n);
		return dst;
	}
	(void)snprintf(dst, cap, "%s", fallback);
	return dst;
}

static void
feed_option(const char *prefix, const char *arg, const char *key,
    const char *fallback)
{
	char value[512], line[1024];

	(void)snprintf(line, sizeof line, "250-%s%s\r\n", prefix,
	    option(value, sizeof value, arg, key, fallback));
	world_feed(line);
}

/* "a,b" as net/listeners writes it: "a" "b". */
static void
feed_listeners(const char *kind, const char *arg)
{
	char key[32], value[512], line[1024];
	size_t n;

	(void)snprintf(key, sizeof key, "%s=", kind);
	option(value, sizeof value, arg, key, "");
	n = (size_t)snprintf(line, sizeof line, "250-net/listeners/%s=",
	    kind);
	for (char *s = strtok(value, ","); s != NULL; s = strtok(NULL, ","))
		n += (size_t)snprintf(line + n, sizeof line - n, "%s\"%s\"",
		    line[n - 1] == '=' ? "" : " ", s);
	(void)snprintf(line + n, sizeof line - n, "\r\n");
	world_feed(line);
}

/* The next command is a probe; Tor answers that it has these listeners. */
static void
do_probe(char *arg)
{
	char sent[] = "GETINFO status/circuit-established *";
	char progress[16], line[128];

	do_sent(sent);
	feed_option("status/circuit-established=", arg, "circuit=", "1");
	feed_option("status/enough-dir-info=", arg, "circuit=", "1");
	feed_listeners("socks", arg);
	feed_listeners("httptunnel", arg);
	feed_listeners("trans", arg);
	feed_listeners("dns", arg);
	feed_option("traffic/read=", arg, "read=", "0");
	world_feed("250-process/pid=77\r\n");
	(void)snprintf(line, sizeof line, "250-status/bootstrap-phase="
	    "NOTICE BOOTSTRAP PROGRESS=%s TAG=done SUMMARY=\"Done\"\r\n",
	    option(progress, sizeof progress, arg, "progress=", "100"));
	world_feed(line);
	world_feed("250 OK\r\n");
}

/* The next command is GETCONF; Tor answers LINE | LINE ... */
static void
do_conf(char *arg)
{
	char sent[] = "GETCONF SocksPortLines *";
	bool network = false;
	char *end;

	do_sent(sent);
	for (char *s = strtok_r(arg, "|", &end); s != NULL;
	    s = strtok_r(NULL, "|", &end)) {
		s += strspn(s, " ");
		s[strlen(s) - (s[0] != '\0' && s[strlen(s) - 1] == ' ')] =
		    '\0';
		network |= strncmp(s, "DisableNetwork", 14) == 0;
		world_feed("250-");
		world_feed(s);
		world_feed("\r\n");
	}
	world_feed(network ? "" : "250-DisableNetwork=0\r\n");
	world_feed("250 CountPrivateBandwidth=0\r\n");
}

/* The next command is ns/all; N relays from 10.x.y.z, odd ports, are it. */
static void
do_consensus(char *arg)
{
	char sent[] = "GETINFO ns/all", line[160];
	unsigned long n = strtoul(arg, NULL, 10);

	do_sent(sent);
	world_feed("250+ns/all=\r\n");
	for (unsigned long i = 0; i < n; i++) {
		(void)snprintf(line, sizeof line, "r relay%lu "
		    "G17rsci5LIX4TrpvM3dwnlyQa6Y m/LN1/M/bAinYRI5EIddhQwVGZQ "
		    "2038-01-01 00:00:00 10.%lu.%lu.%lu 9001 0\r\n", i,
		    i / 65536, i / 256 % 256, i % 256);
		world_feed(line);
		world_feed("s Fast Guard HSDir Running Stable V2Dir Valid\r\n"
		    "w Bandwidth=100\r\np reject 1-65535\r\n");
	}
	world_feed(".\r\n250 OK\r\n");
}

/*
 * The next command is GETCONF for where Tor goes; NAME=VALUE | NAME=VALUE
 * are what is set, all else is at its default.
 */
static void
do_where(char *arg)
{
	static const char *const names[] = { "DirAuthority",
		"AlternateDirAuthority", "FallbackDir",
		"UseDefaultFallbackDirs", "UseBridges", "Bridge",
		"HTTPSProxy", "Socks4Proxy", "Socks5Proxy", "TCPProxy",
		"HTTPProxy" };
	char sent[] = "GETCONF DirAuthority AlternateDirAuthority *";
	const size_t n = sizeof names / sizeof names[0];
	char line[512], *end;
	bool set[sizeof names / sizeof names[0]] = { false };

	do_sent(sent);
	for (char *s = strtok_r(arg, "|", &end); s != NULL;
	    s = strtok_r(NULL, "|", &end)) {
		s += strspn(s, " ");
		for (size_t i = 0; i < n; i++)
			set[i] |= strncmp(s, names[i], strlen(names[i])) ==
			    0 && s[strlen(names[i])] == '=';
		s[strlen(s) - (s[0] != '\0' && s[strlen(s) - 1] == ' ')] =
		    '\0';
		(void)snprintf(line, sizeof line, "250-%s\r\n", s);
		world_feed(line);
	}
	for (size_t i = 0; i < n; i++) {
		if (set[i])
			continue;
		(void)snprintf(line, sizeof line, "250%c%s%s\r\n",
		    i == n - 1 ? ' ' : '-', names[i], i == 3 ? "=1" :
		    i == 4 ? "=0" : "");
		world_feed(line);
	}
}

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
		w.gate = (struct fake_gate){ .up = true, .epoch = 1 };
		engine_gate_up(w.e, w.now);
	} else if (strcmp(arg, "down") == 0) {
		w.gate.up = false;
		engine_gate_down(w.e, w.now);
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
	static const char *const names[SNAP_NVERB] = { "", "hold", "release",
		"newnym", "reprove", "check-isolation" };
	struct snap_verb v = { .magic = SNAP_VERB_MAGIC, .id = 5 };

	world_flush();
	memset(&w.result, 0, sizeof w.result);
	w.said[0] = '\0';
	for (unsigned i = 1; i < SNAP_NVERB; i++)
		if (strcmp(arg, names[i]) == 0)
			v.code = i;
	ck_assert(snap_verb_ok(&v));
	engine_verb(w.e, &v, w.now);
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
	else if (strcmp(arg, "peer") == 0)
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
	engine_free(w.e);
	pol_policy_clear(&w.policy);
	start_engine(arg);
}

static const struct {
	const char *word;
	void (*run)(char *arg);
} words[] = { { "probe", do_probe }, { "conf", do_conf },
	{ "address", do_address }, { "owner", do_owner },
	{ "status", do_status }, { "policy", do_policy },
	{ ">", do_sent }, { "<", do_feed }, { "raw", do_raw },
	{ "flood", do_flood }, { "expect", do_expect }, { "tick", do_tick },
	{ "connect", do_connect }, { "eof", do_eof }, { "gate", do_gate },
	{ "prove", do_prove }, { "verb", do_verb }, { "break", do_break },
	{ "says", do_says }, { "lose", do_lose },
	{ "consensus", do_consensus }, { "where", do_where },
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

static const char *const scenarios[] = { "open.txt", "drift.txt",
	"disabled.txt", "hung.txt", "squatter.txt", "eof.txt", "hash.txt",
	"garbage.txt", "flood.txt", "epoch.txt", "hold.txt", "stale.txt",
	"fight.txt", "refused.txt", "cookie.txt", "evidence.txt",
	"bootstrap.txt", "gate.txt", "root.txt", "newnym.txt", "pid.txt",
	"private.txt", "mute.txt", "told.txt", "events.txt", "extra.txt",
	"bindfail.txt", "files.txt", "shrink.txt",
	"again.txt", "cycle.txt", "address.txt", "owner.txt", "table.txt",
	"odd.txt",
	"auto.txt", "rival.txt", "sockfile.txt", "userport.txt", "reopened.txt",
	"echo.txt", "isolation.txt", "disturbed.txt", "relays.txt", "relays_proxy.txt",
	"relays_lost.txt", "relays_odd.txt" };
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
