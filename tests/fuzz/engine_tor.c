/*
 * The fuzzer's Tor: it answers as asked, with or without flaws, and notes
 * what its answers show.
 */
#include "tests/fuzz/engine_world.h"

#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* What the fake Tor proves to know the cookie with; all inputs are fixed. */
#define SERVER_HASH \
	"C7C1EBE5584F7213036E388672531197" \
	"37149DE5BA55788034B93842023D1798"
#define SERVER_NONCE \
	"11111111111111111111111111111111" \
	"11111111111111111111111111111111"

/* As Tor writes them; the interface's one where it is now, or was. */
static const char *
text_of(unsigned i, bool former)
{
	static const char *const texts[NLISTENERS] = { "10.0.0.1:9050",
		"[fd00::1]:9050", "10.0.0.1:5300", "10.0.0.9:9060",
		"unix:/run/t" };
	static char here[POL_LISTENER_TEXT];

	if (i != IFACE || former || w.last.family == 0)
		return texts[i];
	pol_addrport_format(here, sizeof here, &w.last, 9060);
	return here;
}

void
fuzz_shadow_void(unsigned listeners, bool doubt)
{
	w.doubts++;
	for (unsigned i = 0; i < NLISTENERS; i++) {
		if ((listeners & (1u << i)) == 0)
			continue;
		w.s[i].named = w.s[i].line = false;
		w.s[i].doubt |= doubt;
	}
}

/* Tor names the listeners of MASK; an answer from before a doubt adds to it. */
static void
shadow_named(uint8_t mask, bool former)
{
	bool counts = w.asked_doubts == w.doubts, named;

	for (unsigned i = 0; i < NLISTENERS; i++) {
		struct shadow *s = &w.s[i];

		named = (mask & (1u << i)) != 0 &&
		    !(i == IFACE && (former || w.last.family == 0));
		s->opened &= named;
		s->named &= named;
		if (!counts)
			continue;
		s->named = named;
		if (!named)
			s->doubt = false;
		else if (!s->opened)
			s->doubt = true;
	}
}

void
fuzz_feed(const void *p, size_t n)
{
	if (w.linked)
		engine_tor_bytes(w.e, p, n, w.now);
}

void
fuzz_feed_text(const char *text)
{
	fuzz_feed(text, strlen(text));
}

/* The entries of net/listeners for the listeners of MASK from A to B. */
static void
put_named(char *dst, size_t cap, unsigned from, unsigned mask, bool former)
{
	size_t n = 0;

	dst[0] = '\0';
	for (unsigned i = from; i < NLISTENERS; i++)
		if ((mask & (1u << i)) != 0)
			n += (size_t)snprintf(dst + n, cap - n, "%s\"%s\"",
			    n == 0 ? "" : " ", text_of(i, former));
}

/* Tor's answer to a probe; FLAW's bits spoil it in one way each. */
static void
answer_probe(uint8_t flaw)
{
	char text[1024], socks[256], dns[64];
	bool former = (flaw & 4) != 0;

	put_named(socks, sizeof socks, 0, w.mask & ~4u, former);
	put_named(dns, sizeof dns, 2, w.mask & 4u, former);
	(void)snprintf(text, sizeof text,
	    "250-status/circuit-established=%d\r\n"
	    "250-status/enough-dir-info=%d\r\n"
	    "250-net/listeners/socks=%s\r\n"
	    "250-net/listeners/httptunnel=\r\n"
	    "250-net/listeners/trans=\r\n"
	    "250-net/listeners/dns=%s\r\n"
	    "250-traffic/read=%llu\r\n"
	    "250-process/pid=%d\r\n"
	    "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=%d "
	    "TAG=done SUMMARY=\"Done\"\r\n250 OK\r\n",
	    (flaw & 1) == 0, (flaw & 2) == 0, socks,
	    (flaw & 8) == 0 ? dns : "\"0.0.0.0:53\"",
	    (unsigned long long)w.now, (flaw & 16) == 0 ? 77 : 78,
	    (flaw & 32) == 0 ? 100 : 95);
	shadow_named((flaw & 8) == 0 ? w.mask : w.mask & ~4u, former);
	fuzz_feed_text(text);
}

static const char *const flags_of[NLISTENERS] = { " IsolateDestAddr",
	" IsolateDestAddr", "", " IsolateDestAddr", " IsolateDestAddr" };

static void
answer_conf(uint8_t flaw)
{
	char text[1024] = "";
	bool former = (flaw & 1) != 0, off = (flaw & 2) != 0, right;
	size_t n = 0;

	for (unsigned i = 0; i < NLISTENERS; i++) {
		bool bad = (flaw & (16u << (i % 4))) != 0;

		right = (w.mask & (1u << i)) != 0 && (!bad || i == 2) &&
		    !(i == IFACE && (former || w.last.family == 0));
		if (w.asked_doubts == w.doubts) {
			w.s[i].line = right;
			if (w.s[i].named && !right)
				w.s[i].doubt = true;
		}
		if ((w.mask & (1u << i)) != 0)
			n += (size_t)snprintf(text + n, sizeof text - n,
			    "250-%s=%s%s\r\n", i == 2 ? "DNSPort" :
			    "SocksPort", text_of(i, former),
			    bad ? "" : flags_of[i]);
	}
	(void)snprintf(text + n, sizeof text - n, "%s250-DisableNetwork=%d"
	    "\r\n", (flaw & 8) != 0 ? "250-SocksPort=0.0.0.0:99 x\r\n" : "",
	    off);
	fuzz_feed_text(text);
	if (w.names)
		fuzz_feed_uplink(w.uplink);
	fuzz_feed_text((flaw & 4) != 0 ? "250 CountPrivateBandwidth=1\r\n" :
	    "250 CountPrivateBandwidth=0\r\n");
}

static void
answer_setconf(uint8_t flaw)
{
	static const char *const answers[] = { "250 OK\r\n",
		"553 Unable to set option: Failed to bind\r\n",
		"513 Unacceptable option value: x\r\n",
		"553 Transition not allowed\r\n" };

	/* Of its uplink: no listener's business. */
	if (strstr(w.command, "Port=") == NULL) {
		fuzz_feed_text(answers[flaw % 4]);
		return;
	}
	/* What it named, it has opened, if it was not open. */
	if (flaw % 4 == 0)
		w.set = 0;
	for (unsigned i = 0; flaw % 4 == 0 && i < NLISTENERS; i++) {
		/* (Before it has an address, that is a line of the user's.) */
		if (strstr(w.command, text_of(i, false)) == NULL ||
		    (i == IFACE && w.last.family == 0))
			continue;
		w.s[i].opened = true;
		w.set |= 1u << i;
	}
	fuzz_feed_text(answers[flaw % 4]);
}

static void
answer_challenge(uint8_t flaw)
{
	(void)flaw;
	w.genuine = true;
	fuzz_feed_text("250 AUTHCHALLENGE SERVERHASH=" SERVER_HASH
	    " SERVERNONCE=" SERVER_NONCE "\r\n");
}

static void
answer_circuits(uint8_t flaw)
{
	char text[128];

	(void)snprintf(text, sizeof text,
	    "250-circuit-status=%u BUILT $A~a PURPOSE=GENERAL\r\n"
	    "250 OK\r\n", flaw);
	fuzz_feed_text(text);
}

static void
answer_protocolinfo(uint8_t flaw)
{
	fuzz_feed_text((flaw & 1) == 0 ?
	    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=SAFECOOKIE "
	    "COOKIEFILE=\"/c\"\r\n250 OK\r\n" :
	    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250 OK\r\n");
}

static void
answer_info(uint8_t flaw)
{
	fuzz_feed_text((flaw & 1) == 0 ? "250-version=0.4.9.11\r\n"
	    "250-process/pid=77\r\n250-events/names=STATUS_CLIENT "
	    "STATUS_GENERAL CONF_CHANGED SIGNAL WARN\r\n"
	    "250-process/descriptor-limit=1015\r\n250 OK\r\n" :
	    "250-version=x\r\n250-process/pid=77\r\n"
	    "250-events/names=WARN\r\n"
	    "250-process/descriptor-limit=x\r\n250 OK\r\n");
}

/* Where it goes: to the relays, to a bridge, through a proxy. */
static void
answer_where(uint8_t flaw)
{
	char text[1024];

	(void)snprintf(text, sizeof text, "250-DirAuthority%s\r\n"
	    "250-AlternateDirAuthority\r\n250-FallbackDir%s\r\n"
	    "250-UseDefaultFallbackDirs=%d\r\n250-UseBridges=%d\r\n"
	    "250-Bridge=%s\r\n250-HTTPSProxy%s\r\n250-Socks4Proxy\r\n"
	    "250-Socks5Proxy\r\n%s250 HTTPProxy\r\n",
	    (flaw & 1) == 0 ? "" : "=a v3ident=A orport=1 192.0.2.1:2 B",
	    (flaw & 2) == 0 ? "" : "=192.0.2.3 orport=4 id=A",
	    (flaw & 4) == 0, (flaw & 8) != 0,
	    (flaw & 16) == 0 ? "x 192.0.2.5:6" : "bridge.example:1",
	    (flaw & 32) == 0 ? "" : "=192.0.2.7:8",
	    (flaw & 64) == 0 ? "250-TCPProxy\r\n" : "");
	fuzz_feed_text(text);
}

static void
answer_defaults(uint8_t flaw)
{
	fuzz_feed_text((flaw & 1) == 0 ? "250+config/defaults=\r\n"
	    "DirAuthority \"a v3ident=A orport=1 192.0.2.9:2 B\"\r\n"
	    "FallbackDir \"192.0.2.10 orport=4 id=A\"\r\nX \"\"\r\n"
	    ".\r\n250 OK\r\n" : "552 Unrecognized key\r\n");
}

static void
answer_ns(uint8_t flaw)
{
	char text[512];

	(void)snprintf(text, sizeof text, "250+ns/all=\r\n"
	    "r a A B 2038-01-01 00:00:00 192.0.2.%u 9001 %s\r\n"
	    "a [::ffff:192.0.2.11]:%u\r\ns Fast\r\n.\r\n250 OK\r\n",
	    (unsigned)flaw, (flaw & 1) == 0 ? "0" : "x",
	    (flaw & 2) == 0 ? 9001 : 0);
	fuzz_feed_text(text);
}

/* What it was started with. */
static void
answer_files(uint8_t flaw)
{
	fuzz_feed_text((flaw & 1) == 0 ? "250-config-file=/etc/tor/torrc\r\n"
	    "250-config-defaults-file=/usr/share/tor/defaults\r\n250 OK\r\n" :
	    "250-config-file=\r\n250-config-defaults-file=\x01\r\n250 OK\r\n");
}

static const struct {
	const char *start;
	void (*answer)(uint8_t flaw);
	bool masked; /* an operand says which listeners Tor has */
} answers[] = {
	{ "PROTOCOLINFO", answer_protocolinfo, false },
	{ "AUTHCHALLENGE", answer_challenge, false },
	{ "GETINFO version", answer_info, false },
	{ "GETINFO status", answer_probe, true },
	{ "GETINFO circuit", answer_circuits, false },
	{ "GETCONF DirAuthority", answer_where, false },
	{ "GETINFO config/defaults", answer_defaults, false },
	{ "GETINFO ns/all", answer_ns, false },
	{ "GETINFO config-file", answer_files, false },
	{ "GETCONF", answer_conf, true },
	{ "SETCONF", answer_setconf, false },
};

/*
 * What decides nothing is answered without taking anything from the input,
 * in one way or another.
 */
static void
answer_about(void)
{
	static const char *const keys[] = { "dormant",
		"consensus/valid-after", "consensus/fresh-until",
		"consensus/valid-until", "uptime" };
	static const char *const values[] = { "0", "2026-01-01 00:00:00",
		"", "2026-13-01 00:00:00", "99999999999999999999" };
	char text[512] = "";
	size_t n = 0, how = (size_t)(w.now / 250);

	if (how % 4 == 0) {
		w.sent[0] = '\0';
		fuzz_feed_text(how % 8 == 0 ? "552 Unrecognized key\r\n" :
		    "551 no\r\n");
		return;
	}
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strstr(w.sent, keys[i]) != NULL)
			n += (size_t)snprintf(text + n, sizeof text - n,
			    "250-%s=%s\r\n", keys[i],
			    values[(how + i) % 5]);
	w.sent[0] = '\0';
	fuzz_feed_text(text);
	fuzz_feed_text("250 OK\r\n");
}

/* What is under way by DNS: nothing mostly, something, or nonsense. */
static void
answer_questions(void)
{
	const size_t how = (size_t)(w.now / 250);
	const bool closing = w.sent[0] == 'C';

	w.sent[0] = '\0';
	if (closing)
		fuzz_feed_text(how % 2 == 0 ? "250 OK\r\n" :
		    "552 Unknown stream \"7\"\r\n");
	else if (how % 32 == 3)
		fuzz_feed_text("250-stream-status=x\r\n250 OK\r\n");
	else if (how % 16 == 2)
		fuzz_feed_text("250+stream-status=\r\n"
		    "7 SENTRESOLVE 4 a.example:0\r\n"
		    "8 SUCCEEDED 5 192.0.2.1:443\r\n"
		    "9 NEWRESOLVE 0 :0\r\n.\r\n250 OK\r\n");
	else
		fuzz_feed_text("250-stream-status=\r\n250 OK\r\n");
}

static bool
is_questions(const char *sent)
{
	return strcmp(sent, "GETINFO stream-status") == 0 ||
	    strncmp(sent, "CLOSESTREAM ", 12) == 0;
}

/* Not "GETINFO config/defaults": that decides something. */
static bool
is_about(const char *sent)
{
	return strncmp(sent, "GETINFO dormant", 15) == 0 ||
	    strncmp(sent, "GETINFO consensus/", 18) == 0 ||
	    strncmp(sent, "GETINFO uptime", 14) == 0;
}

void
fuzz_answer(struct input *in)
{
	uint8_t flaw = fuzz_take(in);

	while (is_about(w.sent) || is_questions(w.sent)) {
		if (is_about(w.sent))
			answer_about();
		else
			answer_questions();
	}
	/* An answer to nothing only now and then: it ends the session. */
	if (w.sent[0] == '\0' && flaw < 250)
		return;
	/* While this is read the engine may send the next one. */
	memcpy(w.command, w.sent, sizeof w.command);
	w.sent[0] = '\0';
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (strncmp(w.command, answers[i].start,
		    strlen(answers[i].start)) != 0)
			continue;
		if (answers[i].masked)
			w.mask = fuzz_take(in);
		answers[i].answer(flaw);
		return;
	}
	fuzz_feed_text(flaw < 250 ? "250 OK\r\n" : "551 no\r\n");
}

void
fuzz_answer_well(void)
{
	const uint8_t right[] = { 0, (uint8_t)w.set };
	struct input in = { right, sizeof right };

	fuzz_answer(&in);
}

#define SOCKS_MASK (ALL & ~4u)

static const struct {
	const char *text;
	unsigned listeners; /* it puts these in doubt */
	bool flags;	    /* ... their flags, too */
} events[] = {
	{ "650-CONF_CHANGED\r\n650-SocksPort=1\r\n650 OK\r\n",
	    SOCKS_MASK, true },
	{ "650 SIGNAL RELOAD\r\n", ALL, true },
	{ "650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n", 0, false },
	{ "650 STATUS_CLIENT WARN CIRCUIT_NOT_ESTABLISHED REASON=x\r\n", 0,
	    false },
	{ "650 STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO\r\n", 0, false },
	{ "650 STATUS_GENERAL WARN CLOCK_JUMPED TIME=100 IDLE=0\r\n", ALL,
	    false },
	{ "650 WARN \x1b[31m \xff\r\n", 0, false },
	{ "650 WARN Could not bind to 10.0.0.1:9050: x\r\n", 0, false },
	{ "650-CONF_CHANGED\r\n650-DNSPort=10.0.0.1:5300 IsolateDestPort\r\n"
	    "650 OK\r\n", 4, true },
	{ "650-CONF_CHANGED\r\n650-DNSPort=10.0.0.1:5300\r\n650 OK\r\n", 0,
	    false },
	{ "650-CONF_CHANGED\r\n650-DisableNetwork=1\r\n650 OK\r\n", 0,
	    false },
	{ "650-CONF_CHANGED\r\n650-Nickname=x\r\n650 OK\r\n", 0, false },
};

void
fuzz_say_event(struct input *in)
{
	size_t i = fuzz_take(in) % (sizeof events / sizeof events[0]);

	/* A list without ours, where we had set none, opens none of ours. */
	if (w.linked && events[i].listeners != 0 &&
	    (i != 0 || (w.set & SOCKS_MASK) != 0))
		fuzz_shadow_void(events[i].listeners, events[i].flags);
	/* What was asked before an option of ours changed is asked again. */
	if (w.linked && strstr(events[i].text, "DisableNetwork") != NULL)
		w.doubts++;
	fuzz_feed_text(events[i].text);
}
