/*
 * Lists of relays in a real nf_tables, in a network namespace of the test's
 * own; skipped where none can be made.
 */
#ifndef TESTS_IT_RELAYS_RIG_H
#define TESTS_IT_RELAYS_RIG_H

#include <check.h>
#include <stdint.h>

#include "supervisor/gate/heart.h"
#include "supervisor/gate/install.h"
#include "supervisor/gatemsg.h"

#define LEASE_MS 1000u
#define NS_PER_MS UINT64_C(1000000)

extern struct pol_policy policy;
extern struct kern kern;
extern struct heart heart;
extern struct gate_relays page;
extern uint64_t longest_ns; /* away from the main loop */

/* A gate's tables, closed, with strict egress; and what took them away. */
void setup(void);
void teardown(void);

uint64_t now_ns(void);
void take_time(uint64_t since);

/* Number I: N4 of IPv4, then IPv6.  SALT tells lists apart. */
struct gate_relay relay(uint32_t i, uint32_t n4, uint8_t salt);
/* PAGE is the one of list GENERATION that begins with number FIRST. */
void make_page(uint32_t generation, uint32_t first, uint32_t n4,
    uint32_t n6);
void put_page(void);

/* What main() returns. */
int run(Suite *s);

#endif
