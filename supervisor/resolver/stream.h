/*
 * The stub by TCP.  libevent's DNS server knows datagrams only, so each
 * connection has a server port of its own, on a pair of sockets: what comes
 * in with a length before it goes there as a datagram, and the answer comes
 * back and gets its length.  One question at a time, few connections, and no
 * patience with slow ones.
 */
#ifndef RESOLVER_STREAM_H
#define RESOLVER_STREAM_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdint.h>

struct pol_addr;
struct streams;
struct stream;

struct stream_ops {
	/* As evdns_request_callback_fn_type; STREAM only names it. */
	void (*question)(void *arg, struct evdns_server_request *req,
	    const struct stream *stream);
	/* STREAM ends: its questions are to be dropped now. */
	void (*gone)(void *arg, const struct stream *stream);
};

/* BASE, OPS and ARG are borrowed. */
struct streams *streams_new(struct event_base *base,
    const struct stream_ops *ops, void *arg);
void streams_free(struct streams *all);

/* Listen at one more address, of two; -1 and errno. */
int streams_open(struct streams *all, const struct pol_addr *addr,
    uint16_t port);
/* Close every connection and every listening socket. */
void streams_close(struct streams *all);

/* End those that are late. */
void streams_tick(struct streams *all, uint64_t now);
uint64_t streams_next(const struct streams *all); /* UINT64_MAX: never */

#endif
