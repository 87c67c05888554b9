/*
 * Where the listeners are, and who is in their place.
 */
#include <string.h>

#include "supervisor/engine/core.h"

/* The keeper looks through all processes of a user: not often. */
#define OWNER_MS 1000

void
engine_addresses(struct engine *e, const struct pol_addr *ifaddrs,
    uint64_t now)
{
	/* A literal address may have come or gone: the kernel is asked. */
	e->due.probe = now;
	if (!prov_addresses(&e->prov, ifaddrs))
		return;
	e->moved = true;
	e->need_conf = e->need_probe = true;
	engine_publish(e);
	engine_decide(e, now);
}

void
engine_internal(struct engine *e, const struct pol_addr *addrs, size_t n)
{
	struct privacy *p = &e->table.privacy;

	p->ninternal = n < PRIVACY_INTERNAL ? n : PRIVACY_INTERNAL;
	memcpy(p->internal, addrs, p->ninternal * sizeof *addrs);
	table_look(e);
}

/* A foreign socket that several listeners meet has one owner. */
void
engine_owner(struct engine *e, uint64_t inode, int32_t pid, uint64_t now)
{
	const struct proof *rival;
	struct prov_listener *l;

	(void)now;
	for (size_t i = 0; i < e->policy->nlisteners; i++) {
		l = &e->prov.l[i];
		rival = prov_rival(&e->prov, i);
		if (inode == 0 || rival == NULL || rival->inode != inode ||
		    l->pid == pid)
			continue;
		l->pid = pid;
		e->prov.version++;
	}
}

/*
 * Tor could not bind a port on which nobody listens: who has a connection
 * there?  Each failure is worth one look.  True: there was one to look for.
 */
static bool
seek_holder(struct engine *e)
{
	struct prov_listener *l;
	struct proof was;
	size_t i = 0;

	for (; i < e->policy->nlisteners; i++) {
		l = &e->prov.l[i];
		/* (Without a delay it has only to wait for others.) */
		if (l->refused && l->delay_ms != 0 && !l->sought &&
		    l->proof.kind == PROOF_NO_SOCKET)
			break;
	}
	if (i == e->policy->nlisteners)
		return false;
	l->sought = true;
	was = l->holder;
	if (e->ops->holder(e->arg, &l->holder, i) == -1)
		l->holder.kind = PROOF_NONE;
	if (l->holder.kind != was.kind || l->holder.inode != was.inode) {
		l->pid = 0;
		l->asked = false;
		e->prov.version++;
	}
	return true;
}

void
places_ask_owner(struct engine *e, uint64_t now)
{
	const struct proof *proof = NULL, *rival;

	if (e->owners_asked == e->prov.version || now < e->due.owner)
		return;
	if (seek_holder(e))
		e->due.owner = now + OWNER_MS;
	for (size_t i = 0; i < e->policy->nlisteners; i++) {
		rival = prov_rival(&e->prov, i);
		if (rival == NULL || rival->inode == 0 || e->prov.l[i].asked)
			continue;
		if (proof == NULL)
			proof = rival;
		if (rival->inode == proof->inode)
			e->prov.l[i].asked = true;
	}
	if (proof == NULL) {
		/* There may be more to look for, in a second. */
		if (now >= e->due.owner)
			e->owners_asked = e->prov.version;
		return;
	}
	e->due.owner = now + OWNER_MS;
	/* Not asked: then status does not name the process. */
	(void)e->ops->ask_owner(e->arg, proof->uid, proof->inode);
}
