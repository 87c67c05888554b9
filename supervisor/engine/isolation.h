/*
 * The isolation self-test: which listener to try next, with which bytes, and
 * what Tor's STREAM events say about it.  No clock, no I/O, no randomness of
 * its own: the caller connects, sends, closes and tells what came.
 *
 * Nothing that exists is contacted, and nobody is asked for our address:
 *
 *   flags     Each listener is asked for "p0123abcd.exit" (random), in its
 *	       own protocol.  Tor reports the new stream with its session group
 *	       and isolation fields, and then refuses a .exit name by itself:
 *	       measured, no circuit is used and no resolver asked, by SOCKS,
 *	       HTTP CONNECT and DNS alike, and Tor logs it at most once in 15
 *	       minutes.  (A literal address would be refused nowhere before
 *	       the exit, and an invalid .onion name is logged each time.)
 *   direct    A TransPort learns its target from the kernel; a connection
 *	       that nobody redirected has the listener itself as its target.
 *	       Tor refuses that as a private address.  Not tried where Tor
 *	       would *not* refuse it: see iso_new().  When the kernel knows
 *	       of no target, Tor closes the stream with an event that names
 *	       nobody; it could be anybody's, so nothing is provable then.
 *   circuits  One listener of each section that takes a name (up to
 *	       ISO_WITNESSES) asks for port 443 of an address in
 *	       233.252.0.0/24, which is for documentation only (RFC 6676).
 *	       It is a multicast one: TCP must refuse to
 *	       open a connection to it (RFC 9293, 3.9.2.3), so the kernel of
 *	       the exit that Tor has chosen sends nothing.  That exit does see
 *	       the request: Tor names the circuit when it sends it, not
 *	       sooner.  That port, because every exit allows it and Tor keeps
 *	       circuits ready for it.  The socket is closed when the circuit
 *	       is known.
 */
#ifndef ISOLATION_H
#define ISOLATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct cp_event;
struct iso;
struct iso_evidence;
struct verdict;

/* Streams that are open at the same time. */
#define ISO_SLOTS 8
/*
 * Circuits that are looked at: as many as Tor builds at a time.  Thousands
 * would be a burden on its network, and keep Tor from answering us.
 */
#define ISO_WITNESSES 32
#define ISO_RANDOM 8 /* octets that a probe takes */
#define ISO_PROBE_DATA 96
#define ISO_SOURCE_LEN (POL_PATH_LEN + 8)

/* What to connect to, and what to send there when connected. */
struct iso_probe {
	bool datagram;
	struct pol_addr addr; /* AF_UNIX: PATH is it */
	uint16_t port;
	const char *path; /* the policy's */
	unsigned char data[ISO_PROBE_DATA];
	size_t len;
};

/*
 * POLICY must outlive the test; IFADDRS are copied (NULL: none).  REJECTS:
 * Tor has ClientRejectInternalAddresses; without it no TransPort is tried,
 * for its own address would be carried to an exit.  All is over at the time
 * ENDS.  Dies when out of memory.
 */
struct iso *iso_new(const struct pol_policy *policy,
    const struct pol_addr *ifaddrs, bool rejects, uint64_t ends);
void iso_free(struct iso *t);

/* Test listener NUMBER, too; each once, before anything else. */
void iso_add(struct iso *t, uint32_t number);

/*
 * The next probe and its slot; -1: none now.  RND is fresh for each call, so
 * that nobody can guess what our streams are called.
 */
int iso_next(struct iso *t, struct iso_probe *out,
    const unsigned char rnd[ISO_RANDOM], uint64_t now);

/*
 * SLOT's own end is SOURCE ("10.0.0.1:4711", as Tor writes it: an IPv6
 * address without brackets); empty for a Unix socket.  To be called before
 * any event can be about it: at once.
 */
void iso_connected(struct iso *t, int slot, const char *source);
/* SLOT could not be connected or was ended by an error: it is free again. */
void iso_failed(struct iso *t, int slot);

/*
 * EV is CP_EV_STREAM.  Whose stream it is not is not looked at further.
 * Returns the slot that has said all, and is free now: close it.  -1: none.
 */
int iso_event(struct iso *t, const struct cp_event *ev);
/* A slot that has waited long enough and is free now: close it.  -1: none. */
int iso_expire(struct iso *t, uint64_t now);

/*
 * What was or will be seen of evidence AT (an index of iso_evidence()) is not
 * of one and the same listener.
 */
void iso_disturbed(struct iso *t, size_t at);

/* Nothing is left to do, or the time is over; all slots are to be closed. */
bool iso_over(const struct iso *t, uint64_t now);
/* When iso_expire() or iso_over() may have news. */
uint64_t iso_wake(const struct iso *t);
/* "120 of 333 listeners looked at, 3 of 31 circuits." */
void iso_progress(const struct iso *t, char *dst, size_t cap);
void iso_judge(const struct iso *t, struct verdict *out);
/* What was seen, *N of it; borrowed. */
const struct iso_evidence *iso_evidence(const struct iso *t, size_t *n);

#endif
