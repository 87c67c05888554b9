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
	struct prov_listener *l;

	(void)now;
	for (size_t i = 0; i < e->policy->nlisteners; i++) {
		l = &e->prov.l[i];
		if (inode == 0 || l->proof.kind != PROOF_FOREIGN ||
		    l->proof.inode != inode || l->pid == pid)
			continue;
		l->pid = pid;
		e->prov.version++;
	}
}

void
places_ask_owner(struct engine *e, uint64_t now)
{
	const struct proof *proof = NULL;
	struct prov_listener *l;

	if (e->owners_asked == e->prov.version || now < e->due.owner)
		return;
	for (size_t i = 0; i < e->policy->nlisteners; i++) {
		l = &e->prov.l[i];
		if (l->proof.kind != PROOF_FOREIGN || l->proof.inode == 0 ||
		    l->asked)
			continue;
		if (proof == NULL)
			proof = &l->proof;
		if (l->proof.inode == proof->inode)
			l->asked = true;
	}
	if (proof == NULL) {
		e->owners_asked = e->prov.version;
		return;
	}
	e->due.owner = now + OWNER_MS;
	/* Not asked: then status does not name the process. */
	(void)e->ops->ask_owner(e->arg, proof->uid, proof->inode);
}
