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
names(const struct nlattr *at, enum pol_table_id id)
{
	const char *name = pol_table_name(id);
	size_t n = strlen(name) + 1;

	return mnl_attr_get_payload_len(at) == n &&
	    memcmp(mnl_attr_get_payload(at), name, n) == 0;
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

/* Which of our tables H is about; POL_NTABLE: none. */
static unsigned
table_of(const struct nlmsghdr *h)
{
	const struct nlattr *at;

	NFT_ATTR_EACH_IN(at, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(at) != ATTR_TABLE)
			continue;
		for (unsigned i = 0; i < POL_NTABLE; i++)
			if (names(at, (enum pol_table_id)i))
				return i;
	}
	return POL_NTABLE;
}

struct event_sum {
	unsigned foreign;
	bool check, boot;
};

static void
take_event(struct kern *k, struct event_sum *sum, const struct nlmsghdr *h)
{
	unsigned table;

	if (!is_nft(h) || h->nlmsg_pid == k->owner.portid)
		return;
	if (is_commit(h)) { /* comes last in each transaction */
		k->in_foreign = false;
		return;
	}
	table = table_of(h);
	if (table == POL_NTABLE)
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
	sum->boot = sum->boot || table == POL_T_BOOT;
}

unsigned
kern_events(struct kern *k, bool *check)
{
	struct event_sum sum = { 0 };
	const struct nlmsghdr *h;
	ssize_t n;
	int left;

	for (int i = 0; i < EVENT_MOST; i++) {
		n = nft_recv(&k->events, event_buf, sizeof event_buf);
		if (n == -EAGAIN)
			break;
		if (n < 0) { /* some were lost: they may have been ours */
			sum.check = sum.boot = true;
			continue;
		}
		left = (int)n;
		for (h = (void *)event_buf; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left))
			take_event(k, &sum, h);
	}
	if (sum.boot && kern_boot_reload(k) != 0)
		log_err("%s was tampered with and cannot be put back",
		    pol_table_name(POL_T_BOOT));
	*check = *check || sum.check;
	return sum.foreign;
}
