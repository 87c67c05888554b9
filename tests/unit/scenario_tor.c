/*
 * The words of a scenario that are Tor's: what it was asked, and its answers.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void
script_sent(char *arg)
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

void
script_feed(char *arg)
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
void
script_probe(char *arg)
{
	char sent[] = "GETINFO status/circuit-established *";
	char progress[16], line[128];

	script_sent(sent);
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
void
script_conf(char *arg)
{
	char sent[] = "GETCONF SocksPortLines *";
	bool network = false;
	char *end;

	script_sent(sent);
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
	if (w.has_uplink)
		names_feed_uplink();
	world_feed("250 CountPrivateBandwidth=0\r\n");
}

/* The next command is ns/all; N relays from 10.x.y.z, odd ports, are it. */
void
script_consensus(char *arg)
{
	char sent[] = "GETINFO ns/all", line[160];
	unsigned long n = strtoul(arg, NULL, 10);

	script_sent(sent);
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

/* "N FROM": the next command is stream-status; N questions are under way. */
void
script_questions(char *arg)
{
	char sent[] = "GETINFO stream-status", line[64];
	unsigned n = 0, from = 0;

	(void)sscanf(arg, "%u %u", &n, &from);
	script_sent(sent);
	world_feed("250+stream-status=\r\n");
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(line, sizeof line, "%u %s name%u.example:0\r\n",
		    from + i, i % 2 == 0 ? "SENTRESOLVE 4" : "NEWRESOLVE 0",
		    from + i);
		world_feed(line);
	}
	world_feed(".\r\n250 OK\r\n");
}

/* "N FROM": the next commands close these streams, the last one first. */
void
script_closes(char *arg)
{
	unsigned n = 0, from = 0;
	char sent[64];

	ck_assert_int_eq(sscanf(arg, "%u %u", &n, &from), 2);
	while (n-- > 0) {
		(void)snprintf(sent, sizeof sent, "CLOSESTREAM %u 1",
		    from + n);
		script_sent(sent);
		world_feed("250 OK\r\n");
	}
}

/*
 * The next command is GETCONF for where Tor goes; NAME=VALUE | NAME=VALUE
 * are what is set, all else is at its default.
 */
void
script_where(char *arg)
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

	script_sent(sent);
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
	if (set[n - 1]) /* a last line there must be; this one says nothing */
		world_feed("250 TCPProxy\r\n");
}
