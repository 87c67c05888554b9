/*
 * What the tests of the isolation check share: a policy with a listener of
 * each kind, a check of it, and Tor's words about its probes.
 */
#ifndef ISOLATION_RIG_H
#define ISOLATION_RIG_H

#include "policy/policy.h"
#include "supervisor/engine/isolation.h"
#include "supervisor/engine/verdict.h"

#define T0 100000
#define MANY (ISO_WITNESSES + 2)
#define ENDS (T0 + 60000)
#define FIELDS "SOCKS_USERNAME,SOCKS_PASSWORD,CLIENTADDR," \
    "SESSION_GROUP,NYM_EPOCH"

enum { SOCKS = 0, TUNNEL, DNS, TRANS, UNIX, SOCKS2, NLISTENERS };

extern struct pol_policy policy;
extern struct iso *t;
extern struct iso_probe probe;
extern const unsigned char rnd[ISO_RANDOM];

void setup(void);
void teardown(void);
void add(enum pol_kind kind, const char *name, uint16_t port,
    const char *flags);
/* The slot that TEXT, a STREAM event's line, sets free; -1: none. */
int event(const char *text);
int next(void);
/* Start the next probe and have Tor show it with GROUP and FIELDS. */
void see(int group, const char *fields);

#endif
