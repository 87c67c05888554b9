/*
 * The proxy, tried by the resolver process: what Tor says of one that does
 * not work is next to nothing.  Part of the engine's core.
 */
#ifndef TRYOUT_H
#define TRYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/uplink.h"
#include "supervisor/namemsg.h"

struct engine;

enum tryout_step { TRYOUT_NONE = 0, TRYOUT_REACH, TRYOUT_PERMIT, TRYOUT_SENT };

struct tryout {
	enum tryout_step step;
	struct name_tryout msg; /* wiped when sent */
	uint32_t reach;
	uint64_t ends;
	uint32_t id;
	enum name_verdict verdict; /* of the last one */
	uint32_t code;
	bool wanted;	/* the configuration has changed */
	uint64_t next;	/* not of our own accord before */
	uint64_t again; /* what was not taken is tried once more */
};

/* Try U's proxy, whatever was under way; -1: see uplink_try(). */
int tryout_start(struct engine *e, const struct pol_uplink *u, uint64_t now)
    __attribute__((warn_unused_result));
/* Does anything listen there?  -1 as above. */
int tryout_bridge(struct engine *e, const struct pol_addr *addr,
    uint16_t port, uint64_t now) __attribute__((warn_unused_result));
/* Is the gate's permission needed for one? */
bool tryout_running(const struct engine *e);
void tryout_on_verdict(struct engine *e, const struct name_verdict_msg *v,
    uint64_t now);
/* The resolver process is another one. */
void tryout_lost(struct engine *e, uint64_t now);
/* What Tor has is otherwise now: its proxy is to be tried, soon. */
void tryout_changed(struct engine *e, uint64_t now);
void tryout_settle(struct engine *e, uint64_t now);
uint64_t tryout_wake(const struct engine *e);

#endif
