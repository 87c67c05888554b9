/*
 * What stands between the transports and libevent's DNS server: UDP and TCP
 * sockets, and a pair of sockets behind which that server is.
 *
 * It is not let near the network.  libevent 2.1 crashes on a datagram that is
 * shorter than a DNS header, and knows no TCP.  So every question is first
 * looked at in here; what is not exactly one well-formed question is dropped.
 * A number of ours goes in the place of its ID, by which its answer finds the
 * way back.  Memory is bounded: so many questions at a time, the oldest giving
 * way; few connections, one question at a time on each, and no patience with
 * slow ones.
 */
#ifndef RESOLVER_FRONT_H
#define RESOLVER_FRONT_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdint.h>

/* More than anybody waits for: transports ask for one name at a time. */
#define FRONT_MAX_QUESTIONS 256

struct pol_addr;
struct front;

/* BASE and ARG are borrowed.  ON_QUESTION answers, now or later. */
struct front *front_new(struct event_base *base,
    evdns_request_callback_fn_type on_question, void *arg);
/* Every question has been answered. */
void front_free(struct front *f);

/* UDP and TCP at one more address, of two; -1 and errno. */
int front_open(struct front *f, const struct pol_addr *addr, uint16_t port);
/* Close all of it.  Answers that come later are dropped. */
void front_close(struct front *f);

/* After each answer: libevent's way out is narrow. */
void front_drain(struct front *f);

/* End what is late, go on with what was put off. */
void front_tick(struct front *f, uint64_t now);
uint64_t front_next(const struct front *f); /* UINT64_MAX: never */

/* Questions that were none. */
uint64_t front_dropped(const struct front *f);

#endif
