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

/* The last engine died while it changed "LINE | LINE". */
void
script_pending(char *arg)
{
	struct pol_uplink u;

	read_uplink(&u, arg);
	engine_pending(w.e, &u);
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

void
script_keeper(char *arg)
{
	if (strcmp(arg, "deaf") != 0 && strcmp(arg, "hears") != 0)
		world_trouble("keeper", arg);
	w.keeper_deaf = arg[0] == 'd';
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
