#include "supervisor/applets/asktor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/event.h"
#include "controlproto/reply.h"
#include "supervisor/applets/torctl.h"
#include "supervisor/applets/torsay.h"
#include "supervisor/cli/field.h"

#define CIRCUIT_CAP 24 /* a number and its NUL */
#define WORD_CAP 32

/* As a C string, fit for a terminal; cut to CAP. */
static void
take_text(char *dst, size_t cap, struct cp_str s)
{
	char raw[TORSAY_TEXT];
	size_t n = s.n < sizeof raw - 1 ? s.n : sizeof raw - 1;

	for (size_t i = 0; i < n; i++)
		raw[i] = s.p[i] != '\0' ? s.p[i] : '?';
	raw[n] = '\0';
	(void)cli_plain(dst, cap, raw);
}

/* GETINFO of N (1 or 2) keys; V borrows from *REPLY, which is the caller's. */
static enum cp_err
getinfo(struct torctl *t, struct cp_reply **reply, struct cp_str *v,
    const char *const *keys, size_t n)
{
	struct cp_cmd cmd = { 0 };
	enum cp_err err = torctl_ask(t, &cmd, cp_cmd_getinfo(&cmd, keys, n),
	    reply);

	if (err == CP_OK)
		err = cp_reply_getinfo(*reply, v, keys, n);
	return err;
}

/* Without " KEY=value": which relay it is is nobody's business. */
static struct cp_str
without(char *dst, struct cp_str line, const char *key)
{
	struct cp_str v;
	size_t before, after;

	if (!cp_kv_find(&v, line, key, NULL))
		return line;
	before = (size_t)(v.p - line.p) - strlen(key) - 1;
	after = (size_t)(line.p + line.n - (v.p + v.n));
	if (before > 0 && line.p[before - 1] == ' ')
		before--;
	memcpy(dst, line.p, before);
	memcpy(dst + before, v.p + v.n, after);
	return (struct cp_str) { dst, before + after };
}

static void
take_bootstrap(struct torsay *say, struct cp_str line)
{
	struct cp_bootstrap boot;
	char *one, *two;

	if (!cp_bootstrap_parse(&boot, line) || boot.progress < 0)
		return;
	one = malloc(line.n + 1);
	two = malloc(line.n + 1);
	if (one != NULL && two != NULL) {
		line = without(one, line, "HOSTID");
		line = without(two, line, "HOSTADDR");
		take_text(say->line, sizeof say->line, line);
		say->progress = boot.progress;
		say->known |= SAY_BOOT;
	}
	free(one);
	free(two);
}

static void
ask_bootstrap(struct torsay *say, struct torctl *t)
{
	static const char *const key = "status/bootstrap-phase";
	struct cp_reply *reply;
	struct cp_str v;

	if (getinfo(t, &reply, &v, &key, 1) == CP_OK)
		take_bootstrap(say, v);
	cp_reply_free(reply);
}

/* A key whose value is 0 or 1. */
static void
ask_flag(struct torsay *say, struct torctl *t, const char *key,
    unsigned bit)
{
	struct cp_reply *reply;
	struct cp_str v;
	bool yes = false;

	if (getinfo(t, &reply, &v, &key, 1) == CP_OK) {
		yes = cp_str_is(v, "1");
		if (yes || cp_str_is(v, "0"))
			say->known |= bit;
	}
	cp_reply_free(reply);
	if (bit == SAY_DORMANT)
		say->dormant = yes;
	else
		say->established = yes;
}

static void
ask_enabled(struct torsay *say, struct torctl *t)
{
	static const char *const name = "DisableNetwork";
	struct cp_cmd cmd = { 0 };
	struct cp_reply *reply;
	struct cp_conf conf;
	char value[WORD_CAP];

	if (torctl_ask(t, &cmd, cp_cmd_getconf(&cmd, &name, 1), &reply) ==
	    CP_OK && cp_reply_is_ok(reply) && cp_reply_nconf(reply) == 1 &&
	    cp_reply_conf(reply, &conf, 0) == CP_OK &&
	    cp_str_is_nocase(conf.key, name) &&
	    cp_conf_value(value, sizeof value, &conf) == CP_OK) {
		say->enabled = strcmp(value, "0") == 0 || value[0] == '\0';
		say->known |= SAY_ENABLED;
	}
	cp_reply_free(reply);
}

/* Empty, or no such key: Tor has none.  Two times make one. */
static void
ask_consensus(struct torsay *say, struct torctl *t)
{
	static const char *const keys[] = { "consensus/valid-after",
		"consensus/valid-until" };
	char after[WORD_CAP] = "", until[WORD_CAP] = "";
	struct cp_reply *reply;
	struct cp_str v[2];
	enum cp_err err = getinfo(t, &reply, v, keys, 2);

	if (err == CP_OK) {
		take_text(after, sizeof after, v[0]);
		take_text(until, sizeof until, v[1]);
		say->valid_after = torsay_time_of(after);
		say->valid_until = torsay_time_of(until);
	}
	if (err == CP_ERR_REFUSED || (err == CP_OK &&
	    (say->valid_after != 0) == (after[0] != '\0') &&
	    (say->valid_until != 0) == (until[0] != '\0')))
		say->known |= SAY_CONSENSUS;
	cp_reply_free(reply);
}

static bool
set_events(struct torctl *t, const char *name)
{
	struct cp_cmd cmd = { 0 };
	struct cp_reply *reply;
	bool ok = torctl_ask(t, &cmd, cp_cmd_setevents(&cmd, &name, 1),
	    &reply) == CP_OK && cp_reply_is_ok(reply);

	cp_reply_free(reply);
	return ok;
}

/* The N-th word of EVENT, from 0; "" when there is none, or it is longer. */
static void
word_of(char dst[WORD_CAP], const struct cp_reply *event, unsigned n)
{
	struct cp_str s = cp_reply_text(event, 0);
	size_t i = 0, start;

	dst[0] = '\0';
	for (;; n--) {
		start = i;
		while (i < s.n && s.p[i] != ' ')
			i++;
		if (n == 0 || i == s.n)
			break;
		i++;
	}
	if (n == 0 && i - start < WORD_CAP)
		take_text(dst, WORD_CAP, (struct cp_str) { s.p + start,
		    i - start });
}

/* True when it is about ID, and decides. */
static bool
is_end_of_circuit(struct torsay *say, const struct cp_reply *event,
    const char *id)
{
	char kind[WORD_CAP], number[WORD_CAP], status[WORD_CAP];
	struct cp_str reason;

	word_of(kind, event, 0);
	word_of(number, event, 1);
	word_of(status, event, 2);
	if (strcmp(kind, "CIRC") != 0 || strcmp(number, id) != 0)
		return false;
	say->usable = strcmp(status, "BUILT") == 0;
	if (say->usable)
		return true;
	if (strcmp(status, "FAILED") != 0 && strcmp(status, "CLOSED") != 0)
		return false;
	(void)snprintf(say->trouble, sizeof say->trouble, "Circuit failed");
	if (cp_kv_find(&reason, cp_reply_text(event, 0), "REASON", NULL))
		take_text(say->trouble, WORD_CAP, reason);
	return true;
}

static void
await_circuit(struct torsay *say, struct torctl *t, const char *id)
{
	struct cp_reply *event = NULL;
	bool end = false;

	say->circuit = strtoull(id, NULL, 10);
	while (!end && torctl_event(t, &event) == CP_OK) {
		end = is_end_of_circuit(say, event, id);
		cp_reply_free(event);
	}
	say->known |= SAY_USABLE;
}

static void
ask_circuit(struct torsay *say, struct torctl *t)
{
	struct cp_cmd cmd = { 0 };
	struct cp_reply *reply = NULL;
	char word[WORD_CAP], id[WORD_CAP];
	enum cp_err err;

	if (!set_events(t, "CIRC"))
		return;
	err = torctl_ask(t, &cmd, cp_cmd_newcircuit(&cmd), &reply);
	if (err == CP_OK && !cp_reply_is_ok(reply)) {
		take_text(say->trouble, sizeof say->trouble,
		    cp_reply_text(reply, 0));
		say->known |= SAY_USABLE;
	} else if (err == CP_OK) {
		word_of(word, reply, 0);
		word_of(id, reply, 1);
		if (strcmp(word, "EXTENDED") == 0 && strlen(id) < CIRCUIT_CAP)
			await_circuit(say, t, id);
	}
	cp_reply_free(reply);
}

/* The target is in the event, and goes nowhere. */
static void
ask_stream(struct torsay *say, struct torctl *t)
{
	struct cp_reply *event = NULL;
	struct cp_event e;

	if (!set_events(t, "STREAM"))
		return;
	while (!say->usable && torctl_event(t, &event) == CP_OK) {
		cp_event_parse(&e, event);
		say->usable = e.kind == CP_EV_STREAM &&
		    cp_str_is(e.action, "SUCCEEDED");
		cp_reply_free(event);
	}
	say->known |= SAY_USABLE;
}

static void
ask_newnym(struct torsay *say, struct torctl *t)
{
	static const enum cp_signal signals[] = { CP_SIGNAL_ACTIVE,
		CP_SIGNAL_NEWNYM };
	struct cp_reply *reply;
	bool ok = true;

	for (size_t i = 0; ok && i < 2; i++) {
		struct cp_cmd cmd = { 0 };

		ok = torctl_ask(t, &cmd, cp_cmd_signal(&cmd, signals[i]),
		    &reply) == CP_OK && cp_reply_is_ok(reply);
		cp_reply_free(reply);
	}
	if (ok)
		say->known |= SAY_SIGNALLED;
}

void
asktor(struct torsay *say, struct torctl *t, const struct question *q)
{
	memset(say, 0, sizeof *say);
	switch (q->applet) {
	case APPLET_BOOTSTRAP:
		ask_bootstrap(say, t);
		break;
	case APPLET_ESTABLISHED:
		ask_flag(say, t, "status/circuit-established",
		    SAY_ESTABLISHED);
		break;
	case APPLET_BUILT:
		ask_circuit(say, t);
		break;
	case APPLET_STREAM:
		ask_stream(say, t);
		break;
	case APPLET_DORMANT:
		ask_flag(say, t, "dormant", SAY_DORMANT);
		break;
	case APPLET_NEWNYM:
		ask_newnym(say, t);
		break;
	case APPLET_VALID_AFTER:
	case APPLET_VALID_UNTIL:
	case APPLET_ANONDATE:
		ask_consensus(say, t);
		break;
	case APPLET_ENABLED:
		ask_enabled(say, t);
		break;
	case APPLET_NONE:
	case NAPPLET:
		break;
	}
}
