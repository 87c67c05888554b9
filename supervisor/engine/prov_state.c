/*
 * What is known of each listener, put into one word.
 */
#include <string.h>
#include <sys/socket.h>

#include "policy/options.h"
#include "policy/portline.h"
#include "supervisor/engine/provision.h"

/*
 * Tor opens the listeners of its torrc before it drops root, so those belong
 * to root although they are Tor's.  We have Tor close and open them again,
 * after which they are its own uid's.  Below this number it could not.
 */
#define UNPRIVILEGED_PORT 1024

bool
prov_is_unix(const struct prov *p, size_t i)
{
	return p->policy->listeners[i].addr.family == AF_UNIX;
}

bool
prov_can_reopen(const struct prov *p, size_t i)
{
	return prov_is_unix(p, i) ||
	    p->policy->listeners[i].port >= UNPRIVILEGED_PORT;
}

/* Who keeps a place that several want: the lowest, then the first of them. */
static int
rank(const struct prov *p, size_t i)
{
	uint8_t k = p->policy->listeners[i].ifaddr;

	if (k == 0)
		return 0;
	return p->now[k - 1].family != 0 ? 1 : 2;
}

/* Does J have the socket that I wants?  Tor refuses a list with both. */
static bool
has_place_of(const struct prov *p, size_t j, size_t i)
{
	const struct pol_listener *a = &p->policy->listeners[j];
	const struct pol_listener *b = &p->policy->listeners[i];
	struct pol_addr x, y;
	int c = rank(p, j) - rank(p, i);

	return a->port == b->port && (c < 0 || (c == 0 && j < i)) &&
	    pol_kind_l4proto(a->kind) == pol_kind_l4proto(b->kind) &&
	    pol_listener_addr(&x, a, p->last) &&
	    pol_listener_addr(&y, b, p->last) && pol_addr_equal(&x, &y);
}

/* Among literals there are none: the policy's parser sees to that. */
bool
prov_is_twin(const struct prov *p, size_t i)
{
	size_t j = 0;

	if (p->policy->listeners[i].ifaddr == 0)
		return false;
	while (j < p->policy->nlisteners && !has_place_of(p, j, i))
		j++;
	return j < p->policy->nlisteners;
}

bool
prov_blocked(const struct prov *p, size_t i)
{
	const struct prov_listener *l = &p->l[i];

	/* What Tor has open needs no bind: it stays in the list. */
	if (l->named && !l->withheld)
		return false;
	if (l->gone || l->twin)
		return true;
	switch (l->proof.kind) {
	case PROOF_FOREIGN:
	case PROOF_NO_ADDR:
	case PROOF_ROOT:
		return true;
	case PROOF_NONE:
	case PROOF_OK:
	case PROOF_NO_SOCKET:
	case PROOF_FILE:
		break;
	}
	return false;
}

const struct proof *
prov_rival(const struct prov *p, size_t i)
{
	const struct prov_listener *l = &p->l[i];

	if (l->proof.kind == PROOF_FOREIGN)
		return &l->proof;
	if (l->refused && l->proof.kind == PROOF_NO_SOCKET &&
	    l->holder.kind == PROOF_FOREIGN)
		return &l->holder;
	return NULL;
}

bool
prov_listener_proven(const struct prov *p, size_t i)
{
	const struct prov_listener *l = &p->l[i];

	if (!l->line || !l->named || l->stale || l->withheld || l->gone)
		return false;
	/* One that cannot be opened anew keeps its flags; the table says so. */
	if (l->doubt && prov_can_reopen(p, i))
		return false;
	if (l->proof.kind == PROOF_OK)
		return true;
	/* Only root can bind here, and root is not whom we guard against. */
	return l->proof.kind == PROOF_ROOT && !prov_can_reopen(p, i);
}

uint32_t
prov_proven(const struct prov *p, uint8_t *map, struct pol_addr *ifaddr)
{
	uint8_t k;
	uint32_t n = 0;

	memset(map, 0, POL_MAX_LISTENERS / 8);
	memset(ifaddr, 0, POL_MAX_IFADDRS * sizeof *ifaddr);
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (prov_is_unix(p, i) || !prov_listener_proven(p, i))
			continue;
		gate_map_set(map, (unsigned)i);
		n++;
		k = p->policy->listeners[i].ifaddr;
		if (k != 0)
			ifaddr[k - 1] = p->now[k - 1];
	}
	return n;
}

/* What the kernel holds against listener L; SNAP_L_OK: nothing. */
static enum snap_listener_why
why_kernel(const struct prov_listener *l)
{
	switch (l->proof.kind) {
	case PROOF_FOREIGN:
	case PROOF_ROOT:
		return SNAP_L_FOREIGN;
	case PROOF_NO_ADDR:
		return SNAP_L_NO_ADDRESS;
	case PROOF_FILE:
		return SNAP_L_FILE;
	case PROOF_NONE:
		return l->refused ? SNAP_L_REFUSED : SNAP_L_NOT_CHECKED;
	case PROOF_OK:
	case PROOF_NO_SOCKET:
		break;
	}
	return SNAP_L_OK;
}

enum snap_listener_why
prov_why(const struct prov *p, size_t i)
{
	const struct prov_listener *l = &p->l[i];
	enum snap_listener_why why;

	if (prov_listener_proven(p, i))
		return SNAP_L_OK;
	if (l->gone)
		return SNAP_L_NO_ADDRESS;
	if (l->twin)
		return SNAP_L_REFUSED;
	why = why_kernel(l);
	if (why != SNAP_L_OK)
		return why;
	if (prov_rival(p, i) != NULL)
		return SNAP_L_FOREIGN;
	if (l->refused)
		return SNAP_L_REFUSED;
	if (l->stale)
		return SNAP_L_FLAGS;
	if (!l->named)
		return SNAP_L_NOT_REPORTED;
	if (l->doubt)
		return SNAP_L_STALE;
	return l->line ? SNAP_L_NO_SOCKET : SNAP_L_FLAGS;
}

enum snap_listener_state
prov_state(const struct prov *p, size_t i)
{
	const struct prov_listener *l = &p->l[i];

	if (prov_listener_proven(p, i))
		return SNAP_LS_PROVEN;
	if (l->withheld || l->gone || l->twin || l->proof.kind == PROOF_NO_ADDR)
		return SNAP_LS_WITHHELD;
	return l->named ? SNAP_LS_LISTENING : SNAP_LS_WANTED;
}

/* Is LINE (VALUE, parsed) what we sent when interface K had that address? */
static bool
was_ours(const struct prov *p, enum pol_kind kind, const char *value,
    const struct pol_line *line, size_t k)
{
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	char text[POL_LISTENER_TEXT];
	size_t i;

	pol_addrport_format(text, sizeof text, &p->last[k], line->port);
	i = prov_find(p, kind, text);
	if (i == SIZE_MAX || p->policy->listeners[i].ifaddr != k + 1)
		return false;
	memcpy(ifaddrs, p->last, sizeof ifaddrs);
	ifaddrs[k] = line->addr;
	return pol_option_same(&p->policy->listeners[i], value, ifaddrs);
}

bool
prov_is_former(const struct prov *p, enum pol_kind kind, const char *value)
{
	const struct pol_addr *former;
	struct pol_line line;

	if (p->policy->nifaddrs == 0 || !pol_line_parse(&line, value) ||
	    line.addr.family == 0)
		return false;
	for (size_t j = 0; j < p->policy->nifaddrs * PROV_FORMER; j++) {
		former = &p->former[j / PROV_FORMER][j % PROV_FORMER];
		if (former->family != 0 &&
		    pol_addr_equal(former, &line.addr) &&
		    was_ours(p, kind, value, &line, j / PROV_FORMER))
			return true;
	}
	return false;
}
