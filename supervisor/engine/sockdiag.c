/*
 * A listener is proven by the kernel when a socket with exactly its address
 * and port is there, it is Tor's, and no other socket could take its place:
 * wildcard sockets of the same port, dual-stack :: included, and for UDP
 * connected ones too, count as overlapping.
 *
 * The sockets that overlap are digested while they are dumped; as long as the
 * digest and the addresses stay the same, so do the verdicts.
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/engine/addrs.h"
#include "supervisor/engine/digest.h"
#include "supervisor/engine/inetask.h"
#include "supervisor/engine/nlask.h"
#include "supervisor/engine/sock.h"
#include "supervisor/engine/sockowner.h"
#include "supervisor/engine/unixdiag.h"

/* A dump that was changed while it ran is asked for again, so often. */
#define DUMP_TRIES 4
/*
 * The kernel's name, since 6.8, for what is bound but does not listen; older
 * ones know no such state and show nothing.
 */
#define STATE_BOUND_INACTIVE 13

/* What one pass has seen of one listener. */
struct seen {
	uint32_t tor;		/* Tor's socket, exactly there; 0: none */
	bool foreign;		/* anything else that overlaps */
	unsigned root;		/* root's, exactly there */
	uint32_t uid, inode, root_inode; /* the foreign one; root's */
	bool taken;		/* somebody is bound there, but is not ... */
	uint32_t taker, taker_inode; /* ... listening: Tor cannot have it */
};

/* Listeners in the order of protocol and port. */
struct by_port {
	uint32_t key;
	uint32_t listener;
};

/* The sockets of one UDP port. */
struct crowd {
	unsigned part; /* of the answer: the one with the first of them */
	bool split, stranger;
	struct sock who; /* the last one of another user */
};

struct sockdiag {
	const struct pol_policy *policy;
	const struct addrs *addrs;
	struct unixdiag *unix_sockets; /* NULL: the policy has none */
	struct nlask ask;
	struct by_port *by_port;
	size_t ninet;
	uint8_t l4proto; /* of the dump that is running */
	bool inactive;	 /* it is of sockets that do not listen */
	bool apart;	 /* the kernel wants a question for each family ... */
	bool udp_apart;	 /* ... if it is about UDP */
	size_t absent;	 /* TCP listeners without any socket, last time */
	struct seen *seen;
	struct crowd crowd;
	struct digest digest;
	/* By listener: where it is to be; family 0: it can be nowhere. */
	struct pol_addr *where;
	struct proof *verdict;
	/* What the verdicts rest on. */
	bool judged;
	uint64_t sum, generation;
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
};

enum { MEMBER_V6ONLY = 1, MEMBER_INACTIVE = 2 };

/* The same for the digest: without padding. */
struct member {
	uint32_t listener, uid, inode;
	uint16_t port;
	uint8_t family;
	uint8_t how; /* MEMBER_* */
	uint8_t addr[16];
};

static uint32_t
port_key(uint8_t l4proto, uint16_t port)
{
	return (uint32_t)l4proto << 16 | port;
}

static int
compare_key(const void *a, const void *b)
{
	const struct by_port *ka = a, *kb = b;

	return (ka->key > kb->key) - (ka->key < kb->key);
}

static void
sort_ports(struct sockdiag *d)
{
	const struct pol_listener *l = d->policy->listeners;

	for (size_t i = 0; i < d->policy->nlisteners; i++)
		if (l[i].addr.family != AF_UNIX)
			d->by_port[d->ninet++] = (struct by_port){
				port_key(pol_kind_l4proto(l[i].kind),
				    l[i].port), (uint32_t)i };
	qsort(d->by_port, d->ninet, sizeof *d->by_port, compare_key);
}

static int
alloc(struct sockdiag *d)
{
	size_t n = d->policy->nlisteners + 1; /* calloc(0) may be NULL */

	d->by_port = calloc(n, sizeof *d->by_port);
	d->seen = calloc(n, sizeof *d->seen);
	d->where = calloc(n, sizeof *d->where);
	d->verdict = calloc(n, sizeof *d->verdict);
	if (d->by_port == NULL || d->seen == NULL || d->where == NULL ||
	    d->verdict == NULL)
		return -1;
	sort_ports(d);
	if (d->ninet == d->policy->nlisteners)
		return 0;
	d->unix_sockets = unixdiag_new(d->policy);
	return d->unix_sockets == NULL ? -1 : 0;
}

struct sockdiag *
sockdiag_new(const struct pol_policy *policy, const struct addrs *addrs)
{
	struct sockdiag *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->policy = policy;
	d->addrs = addrs;
	nlask_init(&d->ask, NETLINK_SOCK_DIAG);
	d->udp_apart = !inetask_udp_families(&d->ask);
	if (digest_init(&d->digest) == -1 || alloc(d) == -1) {
		sockdiag_free(d);
		return NULL;
	}
	return d;
}

void
sockdiag_free(struct sockdiag *d)
{
	if (d == NULL)
		return;
	nlask_clear(&d->ask);
	unixdiag_free(d->unix_sockets);
	free(d->by_port);
	free(d->seen);
	free(d->where);
	free(d->verdict);
	free(d);
}

static void
digest_sock(struct sockdiag *d, size_t i, const struct sock *s)
{
	struct member m = { .listener = (uint32_t)i, .uid = s->uid,
		.inode = s->inode, .port = s->port,
		.family = (uint8_t)s->family };

	if (s->v6only)
		m.how |= MEMBER_V6ONLY;
	if (d->inactive)
		m.how |= MEMBER_INACTIVE;
	if (s->family == AF_INET)
		memcpy(m.addr, &s->addr.v4, sizeof s->addr.v4);
	else
		memcpy(m.addr, &s->addr.v6, sizeof s->addr.v6);
	digest_add(&d->digest, &m, sizeof m);
}

static void
note_foreign(struct seen *seen, const struct sock *s)
{
	if (seen->foreign)
		return;
	seen->foreign = true;
	seen->uid = s->uid;
	seen->inode = s->inode;
}

static void
note(struct sockdiag *d, size_t i, const struct sock *s)
{
	struct seen *seen = &d->seen[i];
	bool exact = s->family == d->where[i].family && !s->wildcard;

	if (!sock_overlaps(s, &d->where[i]))
		return;
	digest_sock(d, i, s);
	if (s->uid == d->policy->tor.user.uid) {
		if (exact && !d->inactive)
			seen->tor = s->inode;
	} else if (d->inactive) {
		seen->taken = true;
		seen->taker = s->uid;
		seen->taker_inode = s->inode;
	} else if (s->uid == 0 && exact) {
		seen->root++;
		seen->root_inode = s->inode;
	} else {
		note_foreign(seen, s);
	}
}

/* Does an answer for one port come in more than one message? */
static void
note_crowd(struct sockdiag *d, const struct sock *s)
{
	struct crowd *c = &d->crowd;

	if (c->part == 0)
		c->part = d->ask.parts;
	if (c->part != d->ask.parts)
		c->split = true;
	if (s->uid == 0 || s->uid == d->policy->tor.user.uid)
		return;
	c->stranger = true;
	c->who = *s;
}

/* The first place in by_port whose key is not below KEY. */
static size_t
lower_bound(const struct sockdiag *d, uint32_t key)
{
	size_t lo = 0, hi = d->ninet, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (d->by_port[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int
on_socket(const struct nlmsghdr *nlh, void *data)
{
	struct sockdiag *d = data;
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct sock s;
	uint32_t key;
	size_t k;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *m)
		return MNL_CB_ERROR;
	key = port_key(d->l4proto, ntohs(m->id.idiag_sport));
	k = lower_bound(d, key);
	if (k == d->ninet || d->by_port[k].key != key ||
	    (m->idiag_family != AF_INET && m->idiag_family != AF_INET6))
		return MNL_CB_OK;
	if (!sock_read(&s, nlh))
		return MNL_CB_ERROR;
	note_crowd(d, &s);
	for (; k < d->ninet && d->by_port[k].key == key; k++)
		note(d, d->by_port[k].listener, &s);
	return MNL_CB_OK;
}

static int
dump(struct sockdiag *d, const struct inetask *q)
{
	d->l4proto = q->l4proto;
	return inetask_run(&d->ask, q, on_socket, d);
}

/*
 * UDP ports, unlike TCP's, can be shared with another user (SO_REUSEADDR).
 * The kernel lists a port's sockets in one go as long as they fit into one
 * message.  Who has more can have one passed over, by closing another between
 * two messages (measured: one pass in forty): nothing is proven there then.
 */
static int
dump_udp_port(struct sockdiag *d, int family, uint32_t key)
{
	const struct inetask q = { family, IPPROTO_UDP, UINT32_MAX,
		(uint16_t)key };
	struct crowd *c = &d->crowd;
	int rc;

	*c = (struct crowd){ 0 };
	rc = dump(d, &q);
	if (rc == -1 || !c->split || !c->stranger)
		return rc;
	for (size_t k = lower_bound(d, key); k < d->ninet &&
	    d->by_port[k].key == key; k++) {
		digest_sock(d, d->by_port[k].listener, &c->who);
		note_foreign(&d->seen[d->by_port[k].listener], &c->who);
	}
	return 0;
}

/* POL_MAX_DNS_PORTS bounds these. */
static int
dump_udp_ports(struct sockdiag *d, int family)
{
	size_t k = lower_bound(d, port_key(IPPROTO_UDP, 0));
	int rc = 0;

	for (; k < d->ninet && rc == 0;
	    k = lower_bound(d, d->by_port[k].key + 1))
		rc = dump_udp_port(d, family, d->by_port[k].key);
	return rc;
}

static int
dump_udp(struct sockdiag *d)
{
	if (!d->udp_apart)
		return dump_udp_ports(d, AF_UNSPEC);
	return dump_udp_ports(d, AF_INET) == -1 ? -1 :
	    dump_udp_ports(d, AF_INET6);
}

/* TCP sockets in these states, of each family by its own question. */
static int
dump_tcp(struct sockdiag *d, uint32_t states)
{
	struct inetask q = { AF_INET, IPPROTO_TCP, states, 0 };

	if (dump(d, &q) == -1)
		return -1;
	q.family = AF_INET6;
	return dump(d, &q);
}

/*
 * TCP listeners of both families by one walk.  The kernel's table has
 * thousands of buckets, and to look at those that are empty costs more than a
 * few hundred sockets.
 */
static int
dump_listening(struct sockdiag *d)
{
	const struct inetask q = { AF_UNSPEC, IPPROTO_TCP, 1u << TCP_LISTEN,
		0 };

	if (d->apart)
		return dump_tcp(d, q.states);
	if (dump(d, &q) == 0)
		return 0;
	/* What has come is to be forgotten: the caller begins again. */
	d->apart = errno != EINTR;
	return -1;
}

/*
 * Who is bound to a port without listening there gets no packet, but keeps
 * Tor from it.  Of interest only where Tor is missing, hence not asked for
 * otherwise: the kernel walks through a large table for it.
 */
static int
dump_inactive(struct sockdiag *d)
{
	int rc;

	d->inactive = true;
	rc = dump_tcp(d, 1u << STATE_BOUND_INACTIVE);
	d->inactive = false;
	return rc;
}

static int
dump_once(struct sockdiag *d)
{
	memset(d->seen, 0, d->policy->nlisteners * sizeof *d->seen);
	digest_begin(&d->digest);
	if (dump_listening(d) == -1 || dump_udp(d) == -1)
		return -1;
	return d->absent > 0 ? dump_inactive(d) : 0;
}

static int
dump_all(struct sockdiag *d)
{
	for (int i = 0; i < DUMP_TRIES; i++)
		if (dump_once(d) == 0)
			return 0;
	return -1;
}

/* Where each listener is to be, after addresses came or went. */
static void
place_listeners(struct sockdiag *d)
{
	const struct pol_policy *p = d->policy;
	struct pol_addr last = { 0 }, addr;
	bool here = false;

	for (size_t i = 0; i < p->nlisteners; i++) {
		memset(&d->where[i], 0, sizeof d->where[i]);
		if (!pol_listener_addr(&addr, &p->listeners[i], d->ifaddrs))
			continue;
		/* Neighbours share an address more often than not. */
		if (!pol_addr_equal(&addr, &last))
			here = addrs_here(d->addrs, &addr);
		last = addr;
		if (here)
			d->where[i] = addr;
	}
}

/* True: the verdicts of the last pass rest on other addresses. */
static bool
addresses_changed(struct sockdiag *d, const struct pol_addr *ifaddrs)
{
	struct pol_addr now[POL_MAX_IFADDRS];
	uint64_t generation = addrs_generation(d->addrs);

	addrs_interface(d->addrs, now);
	/* Where the caller and the kernel disagree nothing is proven. */
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++)
		if (now[i].family != 0 &&
		    !pol_addr_equal(&now[i], &ifaddrs[i]))
			memset(&now[i], 0, sizeof now[i]);
	if (d->judged && generation == d->generation &&
	    memcmp(now, d->ifaddrs, sizeof now) == 0)
		return false;
	memcpy(d->ifaddrs, now, sizeof now);
	d->generation = generation;
	place_listeners(d);
	return true;
}

static struct proof
judge(const struct sockdiag *d, size_t i)
{
	const struct seen *seen = &d->seen[i];

	/* Even while Tor's socket stays bound to what is gone. */
	if (d->where[i].family == 0)
		return (struct proof){ PROOF_NO_ADDR, UINT32_MAX, 0 };
	if (seen->foreign)
		return (struct proof){ PROOF_FOREIGN, seen->uid, seen->inode };
	if (seen->root > 1 || (seen->root == 1 && seen->tor))
		return (struct proof){ PROOF_FOREIGN, 0, seen->root_inode };
	if (seen->root == 1)
		return (struct proof){ PROOF_ROOT, 0, 0 };
	if (seen->tor)
		return (struct proof){ PROOF_OK, d->policy->tor.user.uid,
			seen->tor };
	if (seen->taken)
		return (struct proof){ PROOF_FOREIGN, seen->taker,
			seen->taker_inode };
	return (struct proof){ PROOF_NO_SOCKET, UINT32_MAX, 0 };
}

static bool
is_absent(const struct sockdiag *d, size_t i)
{
	const struct seen *seen = &d->seen[i];

	return d->where[i].family != 0 && !seen->tor && !seen->foreign &&
	    seen->root == 0 &&
	    pol_kind_l4proto(d->policy->listeners[i].kind) == IPPROTO_TCP;
}

/*
 * True: look again.  A listener that was proven has no socket any more, or
 * one is absent and nobody has looked at what does not listen.
 */
static bool
judge_all(struct sockdiag *d)
{
	bool lost = false, looked = d->absent > 0;
	struct proof p;

	d->absent = 0;
	for (size_t k = 0; k < d->ninet; k++) {
		size_t i = d->by_port[k].listener;

		d->absent += is_absent(d, i);
		p = judge(d, i);
		if (d->verdict[i].kind == PROOF_OK &&
		    p.kind == PROOF_NO_SOCKET)
			lost = true;
		d->verdict[i] = p;
	}
	d->judged = true;
	d->sum = d->digest.sum;
	return lost || (d->absent > 0 && !looked);
}

/*
 * A dump of many goes on, piece by piece, at "so many sockets further on":
 * where one before that place is closed meanwhile, one after it is passed
 * over.  So what is missing is looked for twice.
 */
static int
prove_changed(struct sockdiag *d)
{
	if (!judge_all(d))
		return 0;
	if (dump_all(d) == -1) {
		d->judged = false;
		return -1;
	}
	(void)judge_all(d);
	return 0;
}

int
sockdiag_prove(struct sockdiag *d, struct proof *out,
    const struct pol_addr *ifaddrs)
{
	/* Until this pass is over no verdict is to be had for nothing. */
	if (addresses_changed(d, ifaddrs))
		d->judged = false;
	if (dump_all(d) == -1)
		return -1;
	if ((!d->judged || d->digest.sum != d->sum) && prove_changed(d) == -1)
		return -1;
	memcpy(out, d->verdict, d->policy->nlisteners * sizeof *out);
	if (d->unix_sockets != NULL)
		unixdiag_prove(d->unix_sockets, out);
	return 0;
}

int
sockdiag_owner(struct sockdiag *d, uint32_t *uid,
    const struct sockaddr *local, const struct sockaddr *remote)
{
	return sockowner_find(&d->ask, uid, local, remote);
}

int
sockdiag_holder(struct sockdiag *d, struct proof *out, size_t i)
{
	const struct pol_listener *l = &d->policy->listeners[i];

	*out = (struct proof){ .uid = d->policy->tor.user.uid };
	if (d->where[i].family == 0 ||
	    pol_kind_l4proto(l->kind) != IPPROTO_TCP)
		return -1;
	return sockowner_holder(&d->ask, out, &d->where[i], l->port);
}
