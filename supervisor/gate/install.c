#include "supervisor/gate/install.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/gate/nft_compile.h"
#include "supervisor/log.h"

/* Acks and dumps are short; events come in bursts when others reload. */
#define RECV_BYTES (1u << 20)
/* CLOSE and the like: a few messages. */
#define SMALL_BATCH (2 * NFT_MSG_ROOM)
/* Others load and flush the boot table; once it is owned they cannot. */
#define BOOT_TRIES 8

static int
owned_by_another(const struct nft_table_info *info)
{
	if (info->owner == 0)
		return 0;
	log_err("another portcullisd holds the gate in this network "
	    "namespace (netlink port %u); stop it first",
	    (unsigned)info->owner);
	return -1;
}

/* The boot table is the keeper's to hold, and another with it: anchor.h. */
static bool
is_keepers(const struct nft_table_info info[POL_NTABLE], unsigned i)
{
	return i == POL_T_BOOT || (i == POL_T_NETDEV &&
	    info[i].owner == info[POL_T_BOOT].owner);
}

/* What is there before us; -1, with the sentence, if it is another's. */
static int
look_first(struct nft_sock *s, struct nft_table_info info[POL_NTABLE])
{
	int rc;

	for (unsigned i = 0; i < POL_NTABLE; i++) {
		rc = nft_read_table(s, &info[i], (enum pol_table_id)i);
		if (rc != 0) {
			log_err("cannot ask the kernel for its nf_tables: %s",
			    log_errno(-rc));
			return -1;
		}
		if (!is_keepers(info, i) && owned_by_another(&info[i]) == -1)
			return -1;
	}
	return 0;
}

static int
new_batch(struct nft_batch *b, size_t cap)
{
	void *buf = malloc(cap);

	if (buf == NULL)
		return -1;
	nft_batch_begin(b, buf, cap);
	return 0;
}

/* What ends the clients' leases, and if ALL Tor's and the permits. */
static int
build_close(struct nft_batch *b, const struct pol_policy *p, bool all)
{
	const char *table = pol_table_name(POL_T_GATE);

	/* Six flushes at most, far smaller than a room together. */
	if (new_batch(b, SMALL_BATCH + NFT_MSG_ROOM) == -1)
		return -1;
	nft_elem_flush(b, table, pol_set_name(POL_S_GATE));
	if (p->timesync.required)
		nft_elem_flush(b, table, pol_set_name(POL_S_SYNC));
	if (all) {
		nft_elem_flush(b, table, pol_set_name(POL_S_EGRESS));
		permits_flush(b, p);
	}
	nft_batch_end(b);
	return 0;
}

/*
 * Nobody's table of our name, loaded from a printed ruleset perhaps, cannot
 * be adopted, nor can one that has outlived its owner become an ordinary one:
 * it goes, in the same transaction.
 */
static void
clear_way(struct nft_batch *b, enum pol_table_id id, uint32_t flags,
    const struct nft_table_info *was)
{
	if (was->present && (was->flags & flags & NFT_TABLE_PERSIST) == 0)
		nft_compile_delete(b, id);
}

static int
build_over(struct nft_batch *b, const struct pol_table *t, uint32_t flags,
    const struct nft_table_info *was)
{
	if (new_batch(b, nft_compile_bound(t) + 4 * NFT_MSG_ROOM) == -1)
		return -1;
	clear_way(b, t->id, flags, was);
	if (nft_compile_replace(b, t, flags) == -1)
		return -1;
	if (t->id == POL_T_NETDEV)
		nft_compile_by_name(b, t->id);
	nft_batch_end(b);
	return 0;
}

/* A whole table, ready to be put in the place of its like. */
static int
build_table(struct nft_batch *b, const struct pol_table *t, uint32_t flags)
{
	static const struct nft_table_info nothing;

	return build_over(b, t, flags, &nothing);
}

static int
commit_over(struct nft_sock *s, const struct pol_table *t, uint32_t flags,
    const struct nft_table_info *was)
{
	struct nft_batch b = { 0 };
	int rc;

	if (build_over(&b, t, flags, was) == -1)
		rc = -ENOMEM;
	else if (nft_sock_buffers(s, b.len + RECV_BYTES, RECV_BYTES) == -1)
		rc = -errno;
	else
		rc = nft_commit(s, &b);
	free(b.buf);
	return rc;
}

/* Has the table come or gone since we looked?  Or an old kernel's answer. */
static bool
is_overtaken(int rc)
{
	return rc == -ENOENT || rc == -EOPNOTSUPP;
}

int
install_one(struct nft_sock *s, const struct pol_table *t, uint32_t flags)
{
	struct nft_table_info was;
	int rc = -ENOENT;

	for (int i = 0; i < BOOT_TRIES && is_overtaken(rc); i++) {
		rc = nft_read_table(s, &was, t->id);
		if (rc != 0)
			return rc;
		if (was.owner != 0 && was.owner != s->portid)
			return -EPERM;
		rc = commit_over(s, t, flags, &was);
	}
	return rc;
}

static int
build_clear(struct kern *k)
{
	/* Four flushes at most. */
	if (new_batch(&k->clear, SMALL_BATCH + NFT_MSG_ROOM) == -1)
		return -1;
	proven_flush(k, &k->clear);
	nft_batch_end(&k->clear);
	return 0;
}

static int
build_all(struct kern *k, const struct pol_ruleset *rs)
{
	if (proven_init(k) == -1 ||
	    build_table(&k->boot, &rs->tables[POL_T_BOOT], 0) == -1 ||
	    build_close(&k->close_gate, k->policy, false) == -1 ||
	    build_close(&k->close_all, k->policy, true) == -1 ||
	    build_clear(k) == -1 || permits_init(k) == -1 ||
	    reach_init(k) == -1 ||
	    relays_init(k, &rs->tables[POL_T_GATE]) == -1)
		return -1;
	return 0;
}

static uint32_t
guard_flags(const struct kern *k)
{
	return NFT_TABLE_F_OWNER | (k->persist ? NFT_TABLE_PERSIST : 0);
}

/* Where it is not needed, one that is left over goes; see anchor.h. */
static int
build_guard(struct kern *k, struct nft_batch *b,
    const struct pol_table *guard, const struct nft_table_info *was)
{
	if (k->boot_held) {
		if (was->present)
			nft_compile_delete(b, POL_T_GUARD);
		return 0;
	}
	clear_way(b, POL_T_GUARD, guard_flags(k), was);
	return nft_compile_replace(b, guard, guard_flags(k));
}

static int
build_vital(struct nft_batch *b, struct kern *k, const struct pol_ruleset *rs,
    const struct nft_table_info *info)
{
	const struct pol_table *guard = &rs->tables[POL_T_GUARD];
	const struct pol_table *gate = &rs->tables[POL_T_GATE];

	if (new_batch(b, nft_compile_bound(guard) + nft_compile_bound(gate) +
	    2 * NFT_MSG_ROOM) == -1)
		return -1;
	if (build_guard(k, b, guard, &info[POL_T_GUARD]) == -1)
		return -1;
	if (info[POL_T_GATE].present)
		nft_compile_delete(b, POL_T_GATE);
	if (nft_compile_create(b, gate, NFT_TABLE_F_OWNER) == -1)
		return -1;
	nft_batch_end(b);
	return 0;
}

static int
commit_vital(struct kern *k, const struct pol_ruleset *rs,
    const struct nft_table_info *info)
{
	struct nft_batch b = { 0 };
	int rc;

	rc = build_vital(&b, k, rs, info);
	if (rc == -1)
		rc = -ENOMEM;
	else if (nft_sock_buffers(&k->owner, b.len + RECV_BYTES,
	    RECV_BYTES) == -1)
		rc = -errno;
	else
		rc = nft_commit(&k->owner, &b);
	free(b.buf);
	return rc;
}

/* Guard and gate: together or not at all. */
static int
install_vital(struct kern *k, const struct pol_ruleset *rs,
    struct nft_table_info *info)
{
	int rc;

	k->persist = true;
	rc = commit_vital(k, rs, info);
	if (rc == -EOPNOTSUPP) {
		k->persist = false;
		rc = commit_vital(k, rs, info);
		if (rc == 0)
			log_warn("this kernel is older than 6.9: %s does not "
			    "outlive the gate; only %s does",
			    pol_table_name(POL_T_GUARD),
			    pol_table_name(POL_T_BOOT));
	}
	if (rc == 0)
		return 0;
	/* Did somebody come between our look and our commit? */
	if (look_first(&k->reader, info) == -1)
		return -1;
	log_err("the kernel refused the ruleset at message %u: %s",
	    (unsigned)k->owner.fail_msg, log_errno(-rc));
	return -1;
}

/* The keeper's, as a rule; else it is ours to load and to put back. */
static int
settle_boot(struct kern *k, const struct pol_ruleset *rs,
    const struct nft_table_info *was)
{
	int rc = 0;

	k->boot_held = was->owner != 0 &&
	    (was->flags & NFT_TABLE_PERSIST) != 0;
	k->boot_owner = k->boot_held ? was->owner : 0;
	if (!k->boot_held)
		rc = install_one(&k->owner, &rs->tables[POL_T_BOOT], 0);
	if (rc == 0)
		rc = kern_seal(k, POL_T_BOOT);
	k->boot_up = rc == 0;
	if (rc == 0)
		return 0;
	log_err("the kernel refused %s at message %u: %s",
	    pol_table_name(POL_T_BOOT), (unsigned)k->owner.fail_msg,
	    log_errno(-rc));
	return -1;
}

/*
 * Not vital: without it Tor gets nothing out, and we try again.  The old one
 * goes first only where its flags would not do.
 */
static int
install_netdev(struct kern *k, const struct pol_ruleset *rs,
    const struct nft_table_info *info)
{
	struct nft_batch b;
	int rc;

	k->netdev.held = info[POL_T_NETDEV].owner != 0;
	nft_batch_begin(&b, k->work, k->work_cap);
	if (!k->netdev.held)
		clear_way(&b, POL_T_NETDEV, guard_flags(k),
		    &info[POL_T_NETDEV]);
	nft_batch_end(&b);
	if (b.ended) {
		rc = nft_commit(&k->owner, &b);
		if (rc != 0)
			log_warn("cannot clear away the old %s: %s",
			    pol_table_name(POL_T_NETDEV), log_errno(-rc));
	}
	if (netdev_start(k, &rs->tables[POL_T_NETDEV],
	    guard_flags(k)) == -1) {
		log_err("out of memory");
		return -1;
	}
	return 0;
}

static bool
family_has_listener(const struct pol_policy *p, int family)
{
	for (size_t i = 0; i < p->nlisteners; i++)
		if (p->listeners[i].addr.family == family)
			return true;
	return false;
}

/* The table in the kernel has as many parts as the one we wanted. */
static bool
is_whole(const struct kern *k, const struct pol_table *t)
{
	const struct nft_print *p = &k->seals[t->id].print;

	return p->chains == t->nchains && p->sets == t->nsets &&
	    p->rules == t->nrules;
}

/* What we call closed is what the kernel holds. */
static int
verify_closed(struct kern *k, const struct pol_ruleset *rs)
{
	static const uint8_t nothing[POL_MAX_LISTENERS / 8];
	static const struct pol_addr nowhere[POL_MAX_IFADDRS];
	struct kern_held held;

	if (!k->boot_held && (kern_seal(k, POL_T_GUARD) != 0 ||
	    !is_whole(k, &rs->tables[POL_T_GUARD])))
		return -1;
	if (kern_seal(k, POL_T_GATE) != 0 ||
	    !is_whole(k, &rs->tables[POL_T_BOOT]) ||
	    !is_whole(k, &rs->tables[POL_T_GATE]))
		return -1;
	if (kern_read_held(k, &held) != 0 || nft_lease_any(&held.gate) ||
	    nft_lease_any(&held.sync) || nft_lease_any(&held.egress) ||
	    permits_live(&held.permits) != 0)
		return -1;
	if (kern_check_proven(k, nothing, nowhere) != 0)
		return -1;
	return kern_verify(k, true) == KERN_AS_MADE ? 0 : -1;
}

static int
open_sockets(struct kern *k)
{
	k->owner.fd = k->reader.fd = k->events.fd = k->relays.sock.fd = -1;
	k->netdev.events.fd = -1;
	if (k->policy->tor.strict_egress &&
	    (nft_sock_open(&k->relays.sock, 0) == -1 ||
	    nft_sock_buffers(&k->relays.sock, SMALL_BATCH, RECV_BYTES) == -1))
		goto fail;
	if (nft_sock_open(&k->owner, 0) == -1 ||
	    nft_sock_open(&k->reader, 0) == -1 ||
	    nft_sock_open(&k->events, NFNLGRP_NFTABLES) == -1 ||
	    nft_sock_buffers(&k->events, SMALL_BATCH, RECV_BYTES) == -1 ||
	    nft_sock_buffers(&k->reader, SMALL_BATCH, RECV_BYTES) == -1)
		goto fail;
	return 0;
fail:
	log_err("cannot open netlink sockets (is CAP_NET_ADMIN there?): %s",
	    log_errno(errno));
	return -1;
}

static int
install_rules(struct kern *k, const struct pol_ruleset *rs,
    struct nft_table_info *info)
{
	if (build_all(k, rs) == -1) {
		log_err("out of memory");
		return -1;
	}
	if (settle_boot(k, rs, &info[POL_T_BOOT]) == -1 ||
	    install_vital(k, rs, info) == -1 ||
	    install_netdev(k, rs, info) == -1)
		return -1;
	if (verify_closed(k, rs) == -1) {
		log_err("the kernel does not hold the ruleset that it "
		    "has acknowledged");
		return -1;
	}
	return 0;
}

int
install_look(struct kern *k, const struct pol_policy *p)
{
	struct nft_table_info info[POL_NTABLE];

	memset(k, 0, sizeof *k);
	k->policy = p;
	if (open_sockets(k) == -1)
		return -1;
	return look_first(&k->reader, info);
}

int
install_tables(struct kern *k, bool with6)
{
	struct nft_table_info info[POL_NTABLE];
	struct pol_ruleset rs;
	int rc;

	k->egress4 = true;
	k->egress6 = with6;
	/* With Unix sockets only there is a lease as well: of nothing. */
	k->gate4 = family_has_listener(k->policy, AF_INET) ||
	    !family_has_listener(k->policy, AF_INET6);
	k->gate6 = with6 && family_has_listener(k->policy, AF_INET6);
	if (!with6 && family_has_listener(k->policy, AF_INET6))
		log_warn("there is no ::1 here, so no IPv6 lease: the "
		    "policy's IPv6 listeners stay closed");
	if (look_first(&k->reader, info) == -1)
		return -1;
	if (pol_ruleset_make(&rs, k->policy) == -1) {
		log_err("out of memory");
		return -1;
	}
	rc = install_rules(k, &rs, info);
	pol_ruleset_clear(&rs);
	return rc;
}

void
install_clear(struct kern *k)
{
	nft_sock_close(&k->owner);
	nft_sock_close(&k->reader);
	nft_sock_close(&k->events);
	free(k->boot.buf);
	netdev_clear(k);
	free(k->close_gate.buf);
	free(k->close_all.buf);
	free(k->clear.buf);
	free(k->work);
	free(k->keys);
	permits_clear(k);
	reach_clear(k);
	relays_clear(k);
	memset(k, 0, sizeof *k);
	k->owner.fd = k->reader.fd = k->events.fd = k->relays.sock.fd = -1;
	k->netdev.events.fd = -1;
}
