/*
 * What the kernel tells about changes of nf_tables.  Nothing relies on it
 * coming or being complete: it makes the next check come sooner.
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_attr.h"
#include "supervisor/log.h"

#define EVENT_BUF 32768
/* Per call: the rest waits, so that a flood cannot hold up the main loop. */
#define EVENT_MOST 64
/*
 * In every message that we care about the first attribute names the table:
 * NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE and
 * NFTA_SET_ELEM_LIST_TABLE.
 */
#define ATTR_TABLE 1u

static _Alignas(struct nlmsghdr) uint8_t event_buf[EVENT_BUF];

static bool
is_our_name(const struct nlattr *at)
{
	const char *name;

	for (unsigned i = 0; i < POL_NTABLE; i++) {
		name = pol_table_name((enum pol_table_id)i);
		if (mnl_attr_get_payload_len(at) == strlen(name) + 1 &&
		    memcmp(mnl_attr_get_payload(at), name,
		    strlen(name) + 1) == 0)
			return true;
	}
	return false;
}

static bool
is_nft(const struct nlmsghdr *h)
{
	return h->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES &&
	    mnl_nlmsg_get_payload_len(h) >= sizeof(struct nfgenmsg);
}

static bool
is_commit(const struct nlmsghdr *h)
{
	return (h->nlmsg_type & 0xff) == NFT_MSG_NEWGEN;
}

static bool
is_about_us(const struct nlmsghdr *h)
{
	const struct nlattr *at;

	NFT_ATTR_EACH_IN(at, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(at) == ATTR_TABLE && is_our_name(at))
			return true;
	return false;
}

struct event_sum {
	unsigned foreign;
	bool check;
};

static void
take_event(struct kern *k, struct event_sum *sum, const struct nlmsghdr *h)
{
	if (!is_nft(h) || h->nlmsg_pid == k->owner.portid)
		return;
	if (is_commit(h)) { /* comes last in each transaction */
		k->in_foreign = false;
		return;
	}
	if (!is_about_us(h))
		return;
	/*
	 * A transaction is one change, however many events it makes.  Port 0
	 * is the kernel itself: an interface has gone.
	 */
	if (h->nlmsg_pid != 0 && !k->in_foreign) {
		k->in_foreign = true;
		sum->foreign++;
	}
	sum->check = true;
}

unsigned
kern_events(struct kern *k, bool *check)
{
	struct event_sum sum = { .check = k->missed };
	const struct nlmsghdr *h;
	ssize_t n;
	int left;

	if (k->missed) /* the end of a transaction, perhaps */
		k->in_foreign = false;
	k->missed = false;
	for (int i = 0; i < EVENT_MOST; i++) {
		n = nft_recv(&k->events, event_buf, sizeof event_buf);
		if (n == -EAGAIN)
			break;
		if (n < 0) { /* some were lost: they may have been ours */
			sum.check = true;
			k->in_foreign = false; /* its end may be lost */
			continue;
		}
		left = (int)n;
		for (h = (void *)event_buf; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left))
			take_event(k, &sum, h);
	}
	*check = *check || sum.check;
	return sum.foreign;
}

/*
 * An interface that goes away changes tables without a commit.  Of that
 * rtnetlink tells as well, or else we stay where we are told.
 */
static bool
may_leave(const struct kern *k)
{
	return !k->deaf && k->netdev.events.fd != -1;
}

/*
 * GENERATION is what it was when we could still be told of everything up to
 * it: it is read first, and whoever was amid telling is waited for.
 */
static bool
leave(struct kern *k, uint32_t *generation)
{
	if (!may_leave(k) ||
	    nft_read_generation(&k->reader, generation) != 0 ||
	    nft_fence(&k->owner) != 0)
		return false;
	k->deaf = nft_sock_leave(&k->events, NFNLGRP_NFTABLES) == 0;
	return k->deaf;
}

void
kern_listen(struct kern *k)
{
	if (k->deaf)
		k->deaf = nft_sock_join(&k->events, NFNLGRP_NFTABLES) == -1;
}

int
kern_commit_unheard(struct kern *k, struct nft_batch *b)
{
	uint32_t before, after;
	int rc;

	if (!leave(k, &before))
		return nft_commit(&k->owner, b);
	rc = nft_commit(&k->owner, b);
	kern_listen(k);
	if (k->deaf)
		log_warn("changes of nf_tables are seen a second late: %s",
		    log_errno(errno));
	/* In this order: of whoever commits from here on we are told. */
	if (k->deaf || nft_read_generation(&k->reader, &after) != 0 ||
	    after - before != (rc == 0 ? 1u : 0u))
		k->missed = true;
	return rc;
}
