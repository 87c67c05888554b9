/*
 * The transports' DNS server: UDP and TCP on 127.0.0.1 and ::1.  Names of the
 * configuration that transports may ask for are answered from what is known,
 * after a lookup if need be; everything else is refused, and counted.
 */
#ifndef RESOLVER_STUB_H
#define RESOLVER_STUB_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/resolver/names.h"

struct stub;

/* All borrowed; questions mark in NAMES what is to be looked up. */
struct stub *stub_new(struct event_base *base, struct names *names,
    uint16_t port);
void stub_free(struct stub *s);

/*
 * Be there or not; retried by stub_settle() if a port is not free yet.  When
 * it goes, those who wait are refused.
 */
void stub_serve(struct stub *s, bool on);

/*
 * Answer whom it can.  Returns the number of a name whose addresses have to
 * be put in force for somebody who waits, or NAMES_NONE.
 */
size_t stub_settle(struct stub *s, uint64_t now);
/* When it has something to do next; UINT64_MAX: never. */
uint64_t stub_next(const struct stub *s);

/* The addresses of HOST will not be in force: those who wait fail. */
void stub_deny(struct stub *s, const char *host);

bool stub_serving(const struct stub *s);
uint64_t stub_answered(const struct stub *s);
uint64_t stub_refused(const struct stub *s);

#endif
