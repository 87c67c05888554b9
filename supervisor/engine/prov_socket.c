/*
 * The listeners' sockets, as the kernel has them.
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/provision.h"

/* What is in the way has gone: but not more often than this. */
#define RETRY_AT_ONCE_MS 1000

/*
 * The kernel had these sockets before Tor was asked: had anybody else opened
 * them since our SETCONF, Tor would have told us before it answered.
 */
void
prov_note_ours(struct prov *p)
{
	struct prov_listener *l;

	if (p->known_version == p->version)
		return;
	p->known_version = p->version;
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		l = &p->l[i];
		if (l->opened && !l->doubt && l->proof.kind == PROOF_OK)
			l->ours = l->socket;
	}
}

/*
 * Shut and opened anew between two looks: no event tells of it when a SETCONF
 * fails, or when Tor tries a refused list once more, with that list's flags.
 */
static void
note_socket(struct prov_listener *l)
{
	if (l->proof.kind != PROOF_OK || l->proof.inode == 0)
		return;
	if (l->socket != 0 && l->socket != l->proof.inode)
		l->doubt = true;
	l->socket = l->proof.inode;
}

static void
set_proof(struct prov *p, size_t i, const struct proof *proof, uint64_t now)
{
	struct prov_listener *l = &p->l[i];
	bool blocked = prov_blocked(p, i);

	if (proof->inode != l->proof.inode || proof->uid != l->proof.uid) {
		l->pid = 0;
		l->asked = false;
	}
	l->proof = *proof;
	note_socket(l);
	if (l->withheld && blocked && !prov_blocked(p, i) &&
	    now - l->failed_at >= RETRY_AT_ONCE_MS)
		l->retry_at = 0;
}

/*
 * Whatever has happened to Tor's options: a socket keeps the flags that it was
 * opened with, and this one we have opened.  To shut it would do harm: see
 * note_named() in provision.c.
 */
bool
prov_is_ours(const struct prov_listener *l)
{
	return l->opened && l->ours != 0 && l->proof.kind == PROOF_OK &&
	    l->proof.inode == l->ours;
}

static void
end_doubts(struct prov *p)
{
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (!p->l[i].doubt || !prov_is_ours(&p->l[i]))
			continue;
		p->l[i].doubt = false;
		p->version++;
	}
}

void
prov_read_proofs(struct prov *p, const struct proof *proofs, uint64_t now)
{
	static const struct proof none = { .kind = PROOF_NONE };
	const struct proof *proof, *had;
	bool changed = false;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		proof = proofs != NULL ? &proofs[i] : &none;
		had = &p->l[i].proof;
		if (proof->kind == had->kind && proof->uid == had->uid &&
		    proof->inode == had->inode)
			continue;
		set_proof(p, i, proof, now);
		changed = true;
	}
	if (changed)
		p->version++;
	if (p->known_version != p->version)
		end_doubts(p);
}
