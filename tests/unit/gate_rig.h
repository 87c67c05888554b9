/*
 * A gate's core under test, and what is asked of it.  Time is a number; the
 * kernel and the interfaces are whatever the test says they answered.
 */
#ifndef GATE_RIG_H
#define GATE_RIG_H

#include "supervisor/gate/core.h"

#define LEASE 1000u
#define MS UINT64_C(1000000)
#define T0 (UINT64_C(5000) * MS)
#define EPOCH UINT64_C(700)
#define NLISTENERS 10u
/* Listeners 6 and 7 are on the first interface's address, 8 on the second. */
#define NIFADDRS 2u
/* These are for time synchronisation, the second of them floating too. */
#define SYNC_LISTENER 2u
#define SYNC_FLOATING 8u

extern struct gate_core core;
extern struct gate_req req;
extern uint32_t missing; /* of what is named: the interfaces lack it */

void setup(void);
/* Make REQ one for OPEN, proven at NOW, of a listener on a literal address. */
void want_open(uint64_t now);
struct gate_decision ask(uint64_t now);
/* Up, as far as the kernel is concerned too. */
void be_open(uint64_t now);
void assert_closed(uint64_t epoch, enum gate_reason why);

#endif
