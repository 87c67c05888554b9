#include "supervisor/gate/kern.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/log.h"

static const char *
gate_table(void)
{
	return pol_table_name(POL_T_GATE);
}

int
kern_close(struct kern *k, bool all)
{
	struct nft_batch *b = all ? &k->close_all : &k->close_gate;
	int rc = nft_commit(&k->owner, b);

	/* Once more: closing is idempotent, and a lost answer is no answer. */
	if (rc != 0)
		rc = nft_commit(&k->owner, b);
	if (rc == 0 && all)
		k->permits.held = 0;
	return rc;
}

void
kern_abandon(struct kern *k)
{
	nft_sock_close(&k->owner);
	k->permits.held = 0; /* with the table all of it is gone */
	k->reach.dirty = k->reach.stale = false;
}

void
kern_put_lease(struct kern *k, struct nft_batch *b, enum pol_set_id set,
    int family)
{
	struct nft_adder adder = { .batch = b, .table = gate_table(),
		.set = pol_set_name(set),
		.timeout_ms = k->policy->lease_ms, .excl = true };
	struct nft_key key;

	nft_key_family(&key, family);
	nft_adder_add(&adder, &key);
	nft_adder_end(&adder);
}

int
kern_begin_lease(struct kern *k, enum pol_set_id set, int family)
{
	struct nft_batch b;

	nft_batch_begin(&b, k->work, k->work_cap);
	kern_put_lease(k, &b, set, family);
	nft_batch_end(&b);
	return nft_commit(&k->owner, &b);
}

int
kern_close_egress(struct kern *k)
{
	struct nft_batch b;

	nft_batch_begin(&b, k->work, k->work_cap);
	nft_elem_flush(&b, gate_table(), pol_set_name(POL_S_EGRESS));
	nft_batch_end(&b);
	return nft_commit(&k->owner, &b);
}

int
kern_read_held(struct kern *k, struct kern_held *out)
{
	int rc = nft_read_lease(&k->reader, &out->gate, POL_S_GATE);

	memset(&out->sync, 0, sizeof out->sync);
	if (rc == 0 && k->policy->timesync.required)
		rc = nft_read_lease(&k->reader, &out->sync, POL_S_SYNC);
	if (rc == 0)
		rc = permits_read(k, &out->permits);
	if (rc != 0)
		return rc;
	return nft_read_lease(&k->reader, &out->egress, POL_S_EGRESS);
}

int
kern_seal(struct kern *k, enum pol_table_id id)
{
	struct kern_seal *seal = &k->seals[id];
	struct nft_table_info info;
	int rc = nft_read_table(&k->reader, &info, id);

	if (rc == 0 && !info.present)
		rc = -ENOENT;
	if (rc != 0)
		return rc;
	seal->handle = info.handle;
	seal->flags = info.flags;
	return nft_read_print(&k->reader, &seal->print, id);
}

static bool
same_print(const struct nft_print *a, const struct nft_print *b)
{
	return a->hash == b->hash && a->chains == b->chains &&
	    a->sets == b->sets && a->rules == b->rules;
}

/* The moving part: nobody but we can have changed it, if we have. */
static bool
same_moving(struct kern *k, struct kern_seal *seal,
    const struct nft_print *now)
{
	if (!k->unsealed)
		return now->moving == seal->print.moving;
	seal->print.moving = now->moving;
	k->unsealed = false;
	return true;
}

/* Whose it is to be. */
static uint32_t
owner_of(const struct kern *k, enum pol_table_id id)
{
	return id == POL_T_BOOT || (id == POL_T_NETDEV && k->netdev.held) ?
	    k->boot_owner : k->owner.portid;
}

enum kern_state
kern_compare(struct kern *k, enum pol_table_id id)
{
	struct kern_seal *seal = &k->seals[id];
	struct nft_table_info info;
	struct nft_print print;

	if (nft_read_table(&k->reader, &info, id) != 0)
		return KERN_UNKNOWN;
	/* First of all: what is not there cannot be read. */
	if (!info.present || info.handle != seal->handle ||
	    info.flags != seal->flags || info.owner != owner_of(k, id))
		return KERN_DRIFT;
	if (nft_read_print(&k->reader, &print, id) != 0)
		return KERN_UNKNOWN;
	if (!same_print(&print, &seal->print))
		return KERN_DRIFT;
	if (id == POL_T_GATE && !same_moving(k, seal, &print))
		return KERN_DRIFT;
	return KERN_AS_MADE;
}

enum kern_state
kern_reseal(struct kern *k)
{
	return kern_compare(k, POL_T_GATE);
}

int
kern_boot_reload(struct kern *k)
{
	int rc = nft_commit(&k->owner, &k->boot);

	if (rc == 0)
		rc = kern_seal(k, POL_T_BOOT);
	k->boot_up = rc == 0;
	return rc;
}

static void
restore_boot(struct kern *k)
{
	const bool before = k->boot_up;
	int rc = kern_boot_reload(k);

	if (rc == 0)
		log_warn("somebody changed %s; it has been put back",
		    pol_table_name(POL_T_BOOT));
	else if (before)
		log_err("somebody changed %s and it cannot be put back: %s",
		    pol_table_name(POL_T_BOOT), log_errno(-rc));
}

/*
 * False: not known.  That is no reason to replace it, nor to give up one that
 * we could not put back.
 */
static bool
check_boot(struct kern *k)
{
	switch (kern_compare(k, POL_T_BOOT)) {
	case KERN_UNKNOWN:
		return false;
	case KERN_AS_MADE:
		k->boot_up = true;
		break;
	case KERN_DRIFT:
		restore_boot(k);
		break;
	}
	return true;
}

enum kern_state
kern_verify(struct kern *k, bool always)
{
	const enum pol_table_id vital[] = {
		k->boot_held ? POL_T_BOOT : POL_T_GUARD, POL_T_GATE };
	enum kern_state state;
	uint32_t generation;

	kern_listen(k);
	k->quiet = false;
	if (nft_read_generation(&k->reader, &generation) != 0)
		return KERN_UNKNOWN;
	if (!always && generation == k->generation && k->boot_up) {
		k->quiet = true;
		return KERN_AS_MADE;
	}
	for (size_t i = 0; i < sizeof vital / sizeof vital[0]; i++) {
		state = kern_compare(k, vital[i]);
		if (state != KERN_AS_MADE)
			return state;
	}
	/* Not vital where the guard stands: boot_up tells, we ask again. */
	if (k->boot_held || check_boot(k))
		k->generation = generation;
	return KERN_AS_MADE;
}

/*
 * By way of an option that sockets of any kind have, because the ioctl(2)
 * that answers the same runs modprobe for a name that it does not know, and
 * rtnetlink may wait for a lock.
 */
uint32_t
kern_ifindex(const char *name)
{
	const socklen_t len = (socklen_t)strnlen(name, POL_IFNAME_LEN);
	socklen_t out_len;
	int fd, index = 0;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return 0;
	out_len = sizeof index;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, len) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index,
	    &out_len) == -1)
		index = 0;
	(void)close(fd);
	return (uint32_t)index;
}

/* A number has one name, but an alternative one is not told: ask for that. */
uint32_t
kern_ifindex_again(const char *name, uint32_t was, int fd)
{
	struct ifreq ifr = { .ifr_ifindex = (int)was };

	if (was != 0 && ioctl(fd, SIOCGIFNAME, &ifr) == 0 &&
	    strncmp(ifr.ifr_name, name, sizeof ifr.ifr_name) == 0)
		return was;
	return kern_ifindex(name);
}
