/*
 * The words of a scenario about changes: who asks for one, the keeper, and
 * what may be expected of both.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/uplink.h"
#include "tests/unit/scenario.h"

/* "LINE | LINE" as torrc lines. */
static void
read_uplink(struct pol_uplink *u, char *arg)
{
	char why[POL_UPLINK_WHY];

	for (char *s = arg; (s = strstr(s, " | ")) != NULL;)
		memcpy(s, " \n ", 3);
	if (pol_uplink_parse(u, why, &w.policy, arg, strlen(arg)) != 0)
		world_trouble("no change", why);
}

int
apply_op_change(void *arg, const struct link_change *c)
{
	(void)arg;
	ck_assert(link_change_ok(c));
	if (w.keeper_deaf)
		return -1;
	w.change = *c;
	world_note("keeper step %u\n", c->step);
	return 0;
}

/* "[dry] LINE | LINE" */
void
script_apply(char *arg)
{
	struct snap_change c;

	world_flush();
	memset(&c, 0, sizeof c);
	c.magic = SNAP_CHANGE_MAGIC;
	c.id = ++w.change_id;
	c.dry_run = strncmp(arg, "dry ", 4) == 0;
	read_uplink(&c.uplink, arg + (c.dry_run != 0 ? 4 : 0));
	ck_assert(snap_change_ok(&c));
	memset(&w.result, 0, sizeof w.result);
	w.said[0] = '\0';
	engine_change(w.e, &c, w.now);
	(void)world_settle();
}

int
apply_op_look(void *arg, const struct link_look *q)
{
	(void)arg;
	ck_assert(link_look_ok(q));
	if (w.keeper_deaf)
		return -1;
	w.look = *q;
	w.looking = true;
	w.looks++;
	return 0;
}

/* Has anything been answered? */
bool
apply_answer(void)
{
	static const char files[] = "250-config-file=/etc/tor/torrc\r\n"
	    "250-config-defaults-file=/usr/share/defaults\r\n250 OK\r\n";

	if (w.feeding || w.nfeed > 0)
		return false;
	if (w.files_asked) {
		w.files_asked = false;
		if (w.linked)
			engine_tor_bytes(w.e, files, sizeof files - 1, w.now);
		return true;
	}
	if (!w.looking || w.keeper_slow)
		return false;
	w.looking = false;
	ck_assert_str_eq(w.look.torrc, "/etc/tor/torrc");
	w.seen.magic = LINK_SEEN_MAGIC;
	w.seen.id = w.look.id;
	ck_assert(link_seen_ok(&w.seen));
	engine_looked(w.e, &w.seen, w.now);
	return true;
}

/* "good", "not-ours", or "unreached", "option" and a file. */
void
script_seen(char *arg)
{
	const char *file = strchr(arg, ' ');

	memset(w.seen.file, 0, sizeof w.seen.file);
	w.seen.option = POL_TORRC_BRIDGE;
	w.seen.line = 0;
	if (strcmp(arg, "good") == 0) {
		w.seen.finding = LINK_F_GOOD;
	} else if (strcmp(arg, "not-ours") == 0) {
		w.seen.finding = LINK_F_NOT_OURS;
	} else if (file != NULL) {
		w.seen.finding = arg[0] == 'o' ? LINK_F_OPTION :
		    LINK_F_UNREACHED;
		w.seen.line = arg[0] == 'o' ? 7 : 0;
		(void)snprintf(w.seen.file, sizeof w.seen.file, "%s",
		    file + 1);
	} else {
		world_trouble("seen", arg);
	}
}

/* What is kept: "LINE | LINE", as such a file has them, or nothing. */
void
script_stored(char *arg)
{
	char text[4096];

	for (char *s = arg; (s = strstr(s, " | ")) != NULL;)
		memcpy(s, "\n  ", 3);
	(void)snprintf(text, sizeof text, "# Written by portcullis(1): x\n%s",
	    arg);
	w.seen.kept = arg[0] != '\0';
	if (w.seen.kept == 1 && !pol_uplink_read(&w.seen.uplink,
	    &w.seen.addr, &w.policy, text, strlen(text)))
		world_trouble("nothing like what is kept", arg);
}

/* The last engine died while it changed "[ADDR = ]LINE | LINE". */
void
script_pending(char *arg)
{
	struct link_pending was = { .addr.family = 0 };
	char *eq = strstr(arg, " = ");

	if (eq != NULL) {
		*eq = '\0';
		ck_assert(pol_addr_parse(&was.addr, arg));
		arg = eq + 3;
	}
	read_uplink(&was.uplink, arg);
	engine_pending(w.e, &was);
}

/* The keeper has done what it was asked for last, or failed. */
void
script_kept(char *arg)
{
	struct link_kept k = { .magic = LINK_KEPT_MAGIC, .id = w.change.id,
		.error = (int32_t)strtol(arg, NULL, 10) };

	world_flush();
	w.change.step = LINK_CHANGE_NONE;
	engine_kept(w.e, &k, w.now);
	(void)world_settle();
}

/* "hears", "deaf", or "slow": it answers when it hears again. */
void
script_keeper(char *arg)
{
	if (strcmp(arg, "deaf") != 0 && strcmp(arg, "hears") != 0 &&
	    strcmp(arg, "slow") != 0)
		world_trouble("keeper", arg);
	w.keeper_deaf = arg[0] == 'd';
	w.keeper_slow = arg[0] == 's';
	(void)world_settle();
}

static const char *
address(char *buf, size_t cap)
{
	if (w.change.addr.family == 0)
		return "none";
	pol_addr_format(buf, cap, &w.change.addr);
	return buf;
}

const char *
apply_value(const char *key, char *buf, size_t cap)
{
	static const char *const steps[LINK_NCHANGE] = { "nothing",
		"remember", "keep", "forget" };
	const struct pol_uplink *u = &w.change.uplink;

	if (strcmp(key, "change") == 0)
		return snap_apply_step_name(
		    (enum snap_apply_step)w.snap.apply_step);
	/* What the keeper was asked last, and has not answered. */
	if (strcmp(key, "keeper") == 0)
		return steps[w.change.step];
	if (strcmp(key, "keeper_host") == 0)
		return u->host;
	if (strcmp(key, "keeper_addr") == 0)
		return address(buf, cap);
	if (strcmp(key, "keeper_proxy") == 0)
		return pol_proxy_name((enum pol_proxy)u->proxy);
	if (strcmp(key, "keeper_bridges") != 0 && strcmp(key, "more") != 0)
		return NULL;
	(void)snprintf(buf, cap, "%u", key[0] == 'm' ? w.result.more :
	    u->nbridges);
	return buf;
}
