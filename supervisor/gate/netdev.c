#include "supervisor/gate/netdev.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/gate/rtnl.h"
#include "supervisor/log.h"

/* Interfaces that go between our look and the commit; then a second later. */
#define TRIES 4

static uint32_t
all_bits(const struct kern *k)
{
	return (1u << k->policy->nexternal) - 1;
}

/* The table with the chains of those in WANT, in the place of what is there. */
static int
put(struct kern *k, uint32_t want)
{
	struct netdev *n = &k->netdev;
	struct nft_batch b;

	nft_batch_begin(&b, n->buf, n->cap);
	nft_compile_afresh(&b, POL_T_NETDEV, n->flags);
	for (size_t i = 0; i < k->policy->nexternal; i++)
		if ((want >> i & 1) != 0)
			nft_batch_append(&b, &n->part[i]);
	nft_batch_end(&b);
	return nft_commit(&k->owner, &b);
}

/* Is it the same as when last looked? */
static bool
look(struct kern *k)
{
	struct netdev *n = &k->netdev;
	bool same = true;

	n->absent = 0;
	for (size_t i = 0; i < k->policy->nexternal; i++) {
		uint32_t was = n->index[i];

		n->index[i] = kern_ifindex_again(k->policy->external[i], was,
		    k->owner.fd);
		same = same && n->index[i] == was;
		if (n->index[i] == 0)
			n->absent |= 1u << i;
	}
	return same;
}

/*
 * What has a chain already is hung on its name anew even where the kernel
 * would have done that: then it is acknowledged.
 */
static int
install(struct kern *k)
{
	int rc = put(k, all_bits(k));

	for (int i = 0; i < TRIES && rc == -ENOENT; i++) {
		(void)look(k);
		rc = put(k, all_bits(k) & ~k->netdev.absent);
	}
	return rc == 0 ? kern_seal(k, POL_T_NETDEV) : rc;
}

/*
 * Held by the keeper, it was there before us, for every interface by its
 * name, and nobody but the keeper could put it back.  Nor does anybody change
 * it: if it cannot be read for once it is what it was.
 */
static int
look_at(struct kern *k)
{
	const struct netdev *n = &k->netdev;

	switch (kern_compare(k, POL_T_NETDEV)) {
	case KERN_AS_MADE:
		return n->whole ? 0 : -EPERM;
	case KERN_UNKNOWN:
		return n->up ? 0 : -EAGAIN;
	case KERN_DRIFT:
		break;
	}
	return -EPERM;
}

/* One sentence for each that has come or gone. */
static void
tell_absent(const struct kern *k, uint32_t was)
{
	const uint32_t is = k->netdev.absent;

	for (size_t i = 0; i < k->policy->nexternal; i++) {
		const char *name = k->policy->external[i];

		if (((is ^ was) >> i & 1) == 0)
			continue;
		if ((is >> i & 1) != 0)
			log_warn("external interface %s is not there: "
			    "nothing leaves by it until it is", name);
		else
			log_info("external interface %s is there", name);
	}
}

static void
tell_barrier(struct netdev *n, int rc)
{
	if (n->up)
		log_info("packet sockets are stopped on the external side");
	else if (!n->said)
		log_warn("packet sockets are not stopped on the external "
		    "side, so Tor's traffic is not let out: %s",
		    log_errno(-rc));
	n->said = !n->up;
}

/* SAME: nothing can have changed but what look() sees. */
static bool
check(struct kern *k, bool same)
{
	struct netdev *n = &k->netdev;
	const uint32_t was = n->absent;
	const bool before = n->up;
	int rc;

	if (look(k) && n->up &&
	    (same || kern_compare(k, POL_T_NETDEV) == KERN_AS_MADE)) {
		n->generation = k->generation;
		return true;
	}
	rc = n->held ? look_at(k) : install(k);
	n->up = rc == 0;
	tell_absent(k, was);
	if (!n->up || !before)
		tell_barrier(n, rc);
	return n->up;
}

bool
netdev_check(struct kern *k)
{
	return check(k, false);
}

bool
netdev_look(struct kern *k)
{
	const struct netdev *n = &k->netdev;

	return check(k, k->quiet && n->events.fd != -1 &&
	    n->generation == k->generation);
}

bool
netdev_told(struct kern *k)
{
	const struct nft_sock *s = &k->netdev.events;

	return rtnl_told(s, s->portid); /* which asks for nothing: anybody's */
}

/* Chain NTH of T, with its rules. */
static int
build_part(struct nft_batch *part, const struct pol_table *t, size_t nth)
{
	const size_t cap = nft_compile_bound(t) + 2 * NFT_MSG_ROOM;
	void *buf = malloc(cap);

	if (buf == NULL)
		return -1;
	nft_batch_begin(part, buf, cap);
	return nft_compile_part(part, t, nth);
}

static bool
is_whole(const struct nft_print *p, const struct pol_table *t)
{
	return p->chains == t->nchains && p->rules == t->nrules;
}

static int
build(struct kern *k, const struct pol_table *t)
{
	struct netdev *n = &k->netdev;

	n->cap = nft_compile_bound(t) + 2 * NFT_MSG_ROOM;
	n->buf = malloc(n->cap);
	if (n->buf == NULL)
		return -1;
	for (size_t i = 0; i < t->nchains; i++)
		if (build_part(&n->part[i], t, i) == -1)
			return -1;
	return 0;
}

int
netdev_start(struct kern *k, const struct pol_table *t, uint32_t flags)
{
	struct netdev *n = &k->netdev;

	n->flags = flags;
	if (build(k, t) == -1)
		return -1;
	/* First the news, so that none is missed after the first look. */
	if (rtnl_open(&n->events, RTMGRP_LINK) == -1)
		log_warn("external interfaces that appear are seen a second "
		    "late: %s", log_errno(errno));
	if (n->held && kern_seal(k, POL_T_NETDEV) == 0)
		n->whole = is_whole(&k->seals[POL_T_NETDEV].print, t);
	(void)netdev_check(k); /* netdev.up tells */
	return 0;
}

void
netdev_clear(struct kern *k)
{
	struct netdev *n = &k->netdev;

	nft_sock_close(&n->events);
	for (size_t i = 0; i < POL_MAX_IFACES; i++)
		free(n->part[i].buf);
	free(n->buf);
	memset(n, 0, sizeof *n);
	n->events.fd = -1;
}
