#include "supervisor/gate/permits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/rules.h"
#include "supervisor/gate/heart.h"
#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_elem.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

/* One flush and its brackets. */
#define END_BYTES (2 * NFT_MSG_ROOM)

static const struct {
	uint32_t bit;
	enum pol_set_id set;
	enum heart_side side;
	bool (*has)(const struct pol_policy *p);
} permits[PERMITS] = {
	{ GATE_P_LOOKUP, POL_S_LOOKUP, HEART_LOOKUP, pol_has_lookup },
	{ GATE_P_STUB, POL_S_STUB, HEART_STUB, pol_has_stub },
	{ GATE_P_UDP, POL_S_UDP, HEART_UDP, pol_has_udp },
};

static void
put_flush(struct nft_batch *b, size_t i)
{
	nft_elem_flush(b, pol_table_name(POL_T_GATE),
	    pol_set_name(permits[i].set));
}

void
permits_flush(struct nft_batch *b, const struct pol_policy *p)
{
	for (size_t i = 0; i < PERMITS; i++)
		if (permits[i].has(p))
			put_flush(b, i);
}

int
permits_init(struct kern *k)
{
	struct permits *m = &k->permits;

	for (size_t i = 0; i < PERMITS; i++) {
		void *buf;

		if (!permits[i].has(k->policy))
			continue;
		buf = malloc(END_BYTES);
		if (buf == NULL)
			return -1;
		nft_batch_begin(&m->end[i], buf, END_BYTES);
		put_flush(&m->end[i], i);
		nft_batch_end(&m->end[i]);
		m->may |= permits[i].bit;
	}
	return 0;
}

void
permits_clear(struct kern *k)
{
	for (size_t i = 0; i < PERMITS; i++)
		free(k->permits.end[i].buf);
}

/* The heartbeat first: it says whether the lease has to be begun. */
static void
hold_family(struct kern *k, const struct heart *h, size_t i, int family)
{
	int rc = heart_beat(h, family, permits[i].side);

	if (rc == -EPERM)
		rc = kern_begin_lease(k, permits[i].set, family);
	if (rc != 0 && rc != -EEXIST)
		log_warn("cannot hold %s: %s",
		    pol_set_name(permits[i].set), log_errno(-rc));
}

void
permits_hold(struct kern *k, const struct heart *h, uint32_t want)
{
	struct permits *m = &k->permits;

	for (size_t i = 0; i < PERMITS; i++) {
		if ((want & m->may & permits[i].bit) == 0)
			continue;
		if ((m->held & permits[i].bit) == 0)
			log_debug("%s", pol_set_name(permits[i].set));
		m->held |= permits[i].bit;
		if (k->egress4)
			hold_family(k, h, i, AF_INET);
		if (k->egress6)
			hold_family(k, h, i, AF_INET6);
	}
}

void
permits_end(struct kern *k, uint32_t bits)
{
	struct permits *m = &k->permits;
	int rc;

	for (size_t i = 0; i < PERMITS; i++) {
		if ((bits & m->held & permits[i].bit) == 0)
			continue;
		rc = nft_commit(&k->owner, &m->end[i]);
		if (rc != 0) /* idempotent, and a lost answer is no answer */
			rc = nft_commit(&k->owner, &m->end[i]);
		if (rc == 0)
			m->held &= ~permits[i].bit;
		else
			log_warn("cannot end %s, which lapses: "
			    "%s", pol_set_name(permits[i].set), log_errno(-rc));
	}
}

int
permits_read(struct kern *k, struct permits_held *out)
{
	int rc = 0;

	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < PERMITS && rc == 0; i++)
		if ((k->permits.may & permits[i].bit) != 0)
			rc = nft_read_lease(&k->reader, &out->lease[i],
			    permits[i].set);
	return rc;
}

uint32_t
permits_live(const struct permits_held *h)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < PERMITS; i++)
		if (nft_lease_any(&h->lease[i]))
			bits |= permits[i].bit;
	return bits;
}

bool
permits_wrong(const struct permits_held *h)
{
	for (size_t i = 0; i < PERMITS; i++)
		if (h->lease[i].wrong)
			return true;
	return false;
}
