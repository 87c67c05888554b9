/*
 * Single addresses that the gate is to let Tor or the resolver process reach
 * for a while: part of the engine's core.
 */
#ifndef REACH_H
#define REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/gatemsg.h"

struct engine;

/* Begin a message for WHO. */
void reach_begin(struct gate_reach *r, enum gate_reacher who, uint32_t ttl_s);
/* What no relay can be (loopback), and what is too many, is left out. */
void reach_add(struct gate_reach *r, const struct pol_addr *addr,
    uint16_t port);
/*
 * Send R, if there is anything in it.  Its number, by which reach_in_force()
 * knows it; 0: not taken now.
 */
uint32_t reach_send(struct engine *e, struct gate_reach *r)
    __attribute__((warn_unused_result));
bool reach_in_force(const struct engine *e, uint32_t seq);

#endif
