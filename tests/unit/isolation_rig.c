#include "tests/unit/isolation_rig.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controlproto/event.h"
#include "controlproto/reply.h"
#include "tests/unit/cputil.h"

struct pol_policy policy;
struct iso *t;
struct iso_probe probe;
const unsigned char rnd[ISO_RANDOM] = { 0, 0, 0, 1, 0xab, 0xcd, 1, 2 };

void
add(enum pol_kind kind, const char *name, uint16_t port, const char *flags)
{
	struct pol_listener *l = &policy.listeners[policy.nlisteners++];

	l->kind = kind;
	ck_assert(pol_addr_parse(&l->addr, "10.152.152.10"));
	l->port = port;
	(void)snprintf(l->name, sizeof l->name, "%s", name);
	(void)snprintf(l->flags, sizeof l->flags, "%s", flags);
}

void
setup(void)
{
	struct pol_listener *l;

	pol_policy_init(&policy);
	policy.listeners = calloc(NLISTENERS + MANY,
	    sizeof *policy.listeners);
	ck_assert_ptr_nonnull(policy.listeners);
	add(POL_SOCKS, "socks", 9050, "IPv6Traffic IsolateDestAddr");
	add(POL_HTTPTUNNEL, "tunnel", 9190, "");
	add(POL_DNS, "dns", 5300, "");
	add(POL_TRANS, "trans", 9040, "");
	add(POL_SOCKS, "unix", 0, "GroupWritable");
	l = &policy.listeners[UNIX];
	l->addr.family = AF_UNIX;
	(void)snprintf(l->path, sizeof l->path, "/run/tor/socks");
	add(POL_SOCKS, "socks", 443, "");
	t = iso_new(&policy, NULL, true, ENDS);
}

void
teardown(void)
{
	iso_free(t);
	pol_policy_clear(&policy);
}

int
event(const char *text)
{
	char wire[512];
	struct cp_reply *reply;
	struct cp_event ev;
	int slot;

	(void)snprintf(wire, sizeof wire, "650 STREAM %s\r\n", text);
	reply = cputil_reply(wire);
	cp_event_parse(&ev, reply);
	ck_assert_int_eq(ev.kind, CP_EV_STREAM);
	slot = iso_event(t, &ev);
	cp_reply_free(reply);
	return slot;
}

int
next(void)
{
	return iso_next(t, &probe, rnd, T0);
}

void
see(int group, const char *fields)
{
	char line[400], source[32];
	int slot = next();

	ck_assert_int_ge(slot, 0);
	(void)snprintf(source, sizeof source, "10.152.152.10:%d", 1000 + slot);
	if (probe.path[0] == '\0')
		iso_connected(t, slot, source);
	else
		(void)snprintf(source, sizeof source, "%s:0", probe.path);
	(void)snprintf(line, sizeof line, "7 NEW 0 pabcd0102.exit:%s "
	    "SOURCE_ADDR=%s SESSION_GROUP=%d ISO_FIELDS=%s",
	    probe.datagram ? "0" : "1025", source, group, fields);
	ck_assert_int_eq(event(line), slot);
}
