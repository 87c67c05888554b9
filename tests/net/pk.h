/*
 * Packets with a mark in them, for leak and latency tests.  CLOCK_MONOTONIC
 * is one clock for all namespaces of a machine: a sender's stamp may be
 * compared with any receiver's.
 */
#ifndef PK_H
#define PK_H

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#define PK_NS 1000000000u /* in a second */
#define PK_TOKEN_LEN 16
#define PK_PAYLOAD_LEN (PK_TOKEN_LEN + 16)
#define PK_FRAME_MAX 512
#define PK_MAX_FRAMES 2 /* a probe of two fragments */

struct pk_addr {
	int family; /* AF_INET or AF_INET6 */
	uint8_t octets[16];
	size_t len; /* 4 or 16 */
};

struct pk_opts {
	const char *iface;
	uint8_t token[PK_TOKEN_LEN];
	uint8_t mac[6]; /* of the next hop */
	struct pk_addr src, dst;
	uint16_t sport, dport, tcp;
	unsigned long rate;    /* packets per second */
	unsigned long count;   /* 0: no bound */
	unsigned long seconds; /* 0: until a signal */
	bool all;	       /* sink: what leaves here as well */
	bool verbose;
};

struct pk_frame {
	uint8_t octets[PK_FRAME_MAX];
	size_t len;
};

uint64_t pk_now_ns(void);

/*
 * From here on SIGTERM and SIGINT only make pk_stopped() true, and arrive
 * only while *MASK is in force: for ppoll().
 */
void pk_signals_hold(sigset_t *mask);
bool pk_stopped(void);

/* TS: from now to END, at most a second.  False when END is past. */
bool pk_until(struct timespec *ts, uint64_t end);

/* A as a socket address in SS; returns its length. */
socklen_t pk_sockaddr(struct sockaddr_storage *ss, const struct pk_addr *a,
    uint16_t port);

/* The payload: token, number, time of now; PK_PAYLOAD_LEN octets. */
void pk_payload_make(uint8_t *out, const uint8_t *token, uint64_t seq);

/* Big-endian store and load. */
void pk_put16(uint8_t *p, uint16_t v);
void pk_put32(uint8_t *p, uint32_t v);
uint64_t pk_get64(const uint8_t *p);

/* Internet checksum of the LEN octets at L4 with their pseudo header. */
uint16_t pk_sum_l4(const struct pk_addr *src, const struct pk_addr *dst,
    uint8_t proto, const uint8_t *l4, size_t len);

/* A TCP header with no options, checksum over it and the N octets behind. */
void pk_tcp_make(uint8_t *l4, const struct pk_opts *o, uint8_t flags,
    uint32_t seq, size_t n);

#define PK_TCP_LEN 20
#define PK_TCP_SYN 0x02
#define PK_TCP_RST 0x04
#define PK_TCP_ACK 0x10

/* NULL after the last one. */
const char *pk_kind_name(size_t i);

/*
 * The Ethernet frames of one probe of KIND from SMAC.  Returns how many, 0
 * for a kind that is not known or has no form in this address family.
 */
size_t pk_frames_make(struct pk_frame out[PK_MAX_FRAMES], const char *kind,
    const struct pk_opts *o, const uint8_t *smac);

/* The commands; each returns the exit status. */
int pk_blast(const struct pk_opts *o);
int pk_syn(const struct pk_opts *o);
int pk_sink(const struct pk_opts *o);
int pk_recv(const struct pk_opts *o);
int pk_probe(const struct pk_opts *o, const char *kind);

#endif
