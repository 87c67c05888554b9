#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/provision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"
#include "policy/options.h"
#include "supervisor/log.h"

/*
 * Tor opens the listeners of its torrc before it drops root, so those belong
 * to root although they are Tor's.  We have Tor close and open them again,
 * after which they are its own uid's.  Below this number it could not.
 */
#define UNPRIVILEGED_PORT 1024

/* An option value that Tor reports: address, flags; see POL_FLAGS_LEN. */
#define VALUE_CAP 1024

/*
 * Lines whose address is not written as we write it need a look at every
 * listener; after so many of them the answer is "not ours" anyhow.
 */
#define MAX_SCANS 16

/* Virtual names: they return the plain and the "__" option together. */
static const char *const line_names[POL_NKIND] = {
	[POL_SOCKS] = "SocksPortLines",
	[POL_HTTPTUNNEL] = "HTTPTunnelPortLines",
	[POL_TRANS] = "TransPortLines",
	[POL_DNS] = "DNSPortLines",
};

static int
compare_key(enum pol_kind a, const char *atext, enum pol_kind b,
    const char *btext)
{
	if (a != b)
		return a < b ? -1 : 1;
	return strcmp(atext, btext);
}

static int
compare_index(const void *a, const void *b, void *arg)
{
	const struct prov *p = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;

	return compare_key(p->policy->listeners[i].kind, p->l[i].text,
	    p->policy->listeners[j].kind, p->l[j].text);
}

void
prov_init(struct prov *p, const struct pol_policy *policy)
{
	size_t n = policy->nlisteners;

	memset(p, 0, sizeof *p);
	p->policy = policy;
	p->l = xcalloc(n + 1, sizeof *p->l);
	p->sorted = xcalloc(n + 1, sizeof *p->sorted);
	p->left_out = xcalloc(n + 1, sizeof *p->left_out);
	p->good = xcalloc(n + 1, sizeof *p->good);
	for (size_t i = 0; i < n; i++) {
		pol_listener_format(p->l[i].text, sizeof p->l[i].text,
		    policy, &policy->listeners[i], NULL);
		p->sorted[i] = i;
		p->uses[policy->listeners[i].kind] = true;
	}
	qsort_r(p->sorted, n, sizeof *p->sorted, compare_index, p);
}

void
prov_clear(struct prov *p)
{
	free(p->l);
	free(p->sorted);
	free(p->left_out);
	free(p->good);
	memset(p, 0, sizeof *p);
}

void
prov_forget(struct prov *p)
{
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		p->l[i].proof = (struct proof){ .kind = PROOF_NONE };
		p->l[i].named = p->l[i].line = p->l[i].stale = false;
		p->l[i].withheld = p->l[i].cycled = false;
	}
	p->have_good = p->network_off = false;
	p->extra_line = p->extra_named = false;
	p->count_private = true; /* until read: it only takes evidence away */
}

/* The listener of KIND that is written TEXT; SIZE_MAX if there is none. */
static size_t
find(const struct prov *p, enum pol_kind kind, const char *text)
{
	size_t lo = 0, hi = p->policy->nlisteners, mid, i;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		i = p->sorted[mid];
		c = compare_key(kind, text, p->policy->listeners[i].kind,
		    p->l[i].text);
		if (c == 0)
			return i;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return SIZE_MAX;
}

enum cp_err
prov_cmd_getconf(const struct prov *p, struct cp_cmd *out)
{
	const char *names[POL_NKIND + 2];
	size_t n = 0;

	for (unsigned k = 0; k < POL_NKIND; k++)
		if (p->uses[k])
			names[n++] = line_names[k];
	names[n++] = "DisableNetwork";
	names[n++] = "CountPrivateBandwidth";
	return cp_cmd_getconf(out, names, n);
}

/* The kind that option KEY sets; POL_NKIND when it is none that we own. */
static enum pol_kind
kind_of_key(const struct prov *p, struct cp_str key)
{
	struct cp_str bare = key;

	if (key.n > 2 && memcmp(key.p, "__", 2) == 0)
		bare = (struct cp_str){ .p = key.p + 2, .n = key.n - 2 };
	for (unsigned k = 0; k < POL_NKIND; k++)
		if (p->uses[k] &&
		    (cp_str_is_nocase(bare, pol_kind_option(k)) ||
		    cp_str_is_nocase(key, line_names[k])))
			return (enum pol_kind)k;
	return POL_NKIND;
}

static size_t
scan(const struct prov *p, enum pol_kind kind, const char *value)
{
	const struct pol_policy *policy = p->policy;

	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].kind == kind &&
		    pol_option_same(&policy->listeners[i], value, NULL))
			return i;
	return SIZE_MAX;
}

/* One "SocksPort=..." line of Tor's answer. */
static void
read_line(struct prov *p, enum pol_kind kind, const char *value,
    unsigned *scans)
{
	char addr[64];
	size_t n = strcspn(value, " \t"), i = SIZE_MAX;

	if (strcmp(value, "0") == 0)
		return; /* switched off: no line */
	if (n < sizeof addr) {
		memcpy(addr, value, n);
		addr[n] = '\0';
		i = find(p, kind, addr);
	}
	if (i == SIZE_MAX && (*scans)++ < MAX_SCANS)
		i = scan(p, kind, value);
	if (i == SIZE_MAX || p->l[i].withheld || p->l[i].line) {
		p->extra_line = true;
		return;
	}
	if (pol_option_same(&p->policy->listeners[i], value, NULL))
		p->l[i].line = true;
	else
		p->l[i].stale = true;
}

/*
 * One of the two options that are no listener's; false if it is neither.
 * Anything but a plain 0 is the answer that keeps the gate closed.
 */
static bool
read_switch(struct prov *p, struct cp_str key, const char *value, bool *off)
{
	if (cp_str_is_nocase(key, "CountPrivateBandwidth")) {
		p->count_private = strcmp(value, "0") != 0;
		return true;
	}
	if (!cp_str_is_nocase(key, "DisableNetwork"))
		return false;
	p->network_off = strcmp(value, "0") != 0;
	*off = true;
	return true;
}

enum cp_err
prov_read_conf(struct prov *p, const struct cp_reply *reply)
{
	char value[VALUE_CAP];
	struct cp_conf conf;
	enum pol_kind kind;
	enum cp_err err;
	unsigned scans = 0;
	bool network = false;

	if (!cp_reply_is_ok(reply))
		return CP_ERR_REFUSED;
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		p->l[i].line = p->l[i].stale = false;
	p->extra_line = false;
	p->network_off = true;
	for (size_t i = 0; i < cp_reply_nconf(reply); i++) {
		if ((err = cp_reply_conf(reply, &conf, i)) != CP_OK)
			return err;
		kind = kind_of_key(p, conf.key);
		if (kind != POL_NKIND && !conf.has_value)
			continue;
		/* A line too long to be ours is not worth an error. */
		if (cp_conf_value(value, sizeof value, &conf) != CP_OK)
			(void)snprintf(value, sizeof value, "?");
		if (kind != POL_NKIND)
			read_line(p, kind, value, &scans);
		else if (!read_switch(p, conf.key, value, &network))
			return CP_ERR_KEY;
	}
	return network ? CP_OK : CP_ERR_KEY;
}

void
prov_listeners_begin(struct prov *p)
{
	p->extra_named = false;
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		p->l[i].named = false;
}

enum cp_err
prov_read_listeners(struct prov *p, enum pol_kind kind, struct cp_str value)
{
	char text[256];
	size_t i;
	int rc;

	if (!p->uses[kind])
		return CP_OK;
	while ((rc = cp_listeners_next(text, sizeof text, &value)) == 1) {
		i = find(p, kind, text);
		if (i == SIZE_MAX || p->l[i].withheld)
			p->extra_named = true;
		if (i != SIZE_MAX)
			p->l[i].named = true;
	}
	return rc == 0 ? CP_OK : CP_ERR_SYNTAX;
}

bool
prov_conf_ok(const struct prov *p)
{
	if (p->network_off || p->extra_line)
		return false;
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		if (!p->l[i].withheld && !p->l[i].line)
			return false;
	return true;
}

bool
prov_named_ok(const struct prov *p)
{
	if (p->extra_named)
		return false;
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		if (!p->l[i].withheld && !p->l[i].named)
			return false;
	return true;
}

/* Could Tor not open listener I now? */
static bool
blocked(const struct prov_listener *l)
{
	switch (l->proof.kind) {
	case PROOF_FOREIGN:
	case PROOF_NO_ADDR:
	case PROOF_ROOT:
		return !l->named;
	case PROOF_NONE:
	case PROOF_OK:
	case PROOF_NO_SOCKET:
	case PROOF_FILE:
		break;
	}
	return false;
}

bool
prov_withhold(struct prov *p)
{
	bool added = false;

	for (size_t i = 0; i < p->policy->nlisteners; i++)
		if (!p->l[i].withheld && blocked(&p->l[i]))
			p->l[i].withheld = added = true;
	return added;
}

bool
prov_unwithhold(struct prov *p)
{
	bool any = false;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (!p->l[i].withheld || p->l[i].proof.kind == PROOF_NONE ||
		    blocked(&p->l[i]))
			continue;
		p->l[i].withheld = false;
		any = true;
	}
	return any;
}

bool
prov_withheld_any(const struct prov *p)
{
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		if (p->l[i].withheld)
			return true;
	return false;
}

/*
 * Tor applies new flags only to a listener that it opens anew, and only one
 * opened anew belongs to Tor's uid (see UNPRIVILEGED_PORT).
 */
static bool
needs_cycle(const struct prov *p, size_t i)
{
	const struct prov_listener *l = &p->l[i];

	if (!l->named || l->withheld)
		return false;
	if (l->stale)
		return true;
	return l->proof.kind == PROOF_ROOT && !l->cycled &&
	    p->policy->listeners[i].port >= UNPRIVILEGED_PORT;
}

enum prov_plan
prov_plan_make(const struct prov *p)
{
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		if (needs_cycle(p, i))
			return PROV_CYCLE;
	return prov_conf_ok(p) && prov_named_ok(p) ? PROV_DONE : PROV_SET;
}

static enum cp_err
make_setconf(struct cp_cmd *out, const struct pol_policy *policy,
    const bool *left_out)
{
	struct pol_view view = { .withheld = left_out };
	struct pol_options o;
	struct cp_opt *opts;
	enum cp_err err;

	if (pol_options_make(&o, policy, &view) == -1)
		return CP_ERR_NOMEM;
	opts = xcalloc(o.n + 1, sizeof *opts);
	for (size_t i = 0; i < o.n; i++) {
		opts[i].name = o.list[i].name;
		opts[i].value = o.list[i].value;
	}
	err = cp_cmd_setconf(out, opts, o.n);
	free(opts);
	pol_options_clear(&o);
	return err;
}

enum cp_err
prov_cmd_setconf(struct prov *p, struct cp_cmd *out, enum prov_plan plan)
{
	bool cycle;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (plan == PROV_DONE) {
			p->left_out[i] = p->have_good && p->good[i];
			continue;
		}
		cycle = plan == PROV_CYCLE && needs_cycle(p, i);
		p->l[i].cycled |= cycle;
		p->left_out[i] = cycle || p->l[i].withheld;
	}
	return make_setconf(out, p->policy, p->left_out);
}

void
prov_accepted(struct prov *p)
{
	memcpy(p->good, p->left_out,
	    p->policy->nlisteners * sizeof *p->good);
	p->have_good = true;
}

bool
prov_listener_proven(const struct prov *p, size_t i)
{
	const struct prov_listener *l = &p->l[i];

	if (!l->named || l->withheld)
		return false;
	if (l->proof.kind == PROOF_OK)
		return true;
	/* Only root can bind here, and root is not whom we guard against. */
	return l->proof.kind == PROOF_ROOT &&
	    p->policy->listeners[i].port < UNPRIVILEGED_PORT;
}

uint32_t
prov_proven(const struct prov *p, uint8_t *map)
{
	uint32_t n = 0;

	memset(map, 0, POL_MAX_LISTENERS / 8);
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (!prov_listener_proven(p, i))
			continue;
		gate_map_set(map, (unsigned)i);
		n++;
	}
	return n;
}

enum snap_listener_why
prov_why(const struct prov *p, size_t i)
{
	const struct prov_listener *l = &p->l[i];

	if (prov_listener_proven(p, i))
		return SNAP_L_OK;
	switch (l->proof.kind) {
	case PROOF_FOREIGN:
	case PROOF_ROOT:
		return SNAP_L_FOREIGN;
	case PROOF_NO_ADDR:
		return SNAP_L_NO_ADDRESS;
	case PROOF_FILE:
		return SNAP_L_FILE;
	case PROOF_NONE:
		return SNAP_L_NOT_CHECKED;
	case PROOF_OK:
	case PROOF_NO_SOCKET:
		break;
	}
	if (l->stale)
		return SNAP_L_FLAGS;
	return l->named ? SNAP_L_NO_SOCKET : SNAP_L_NOT_REPORTED;
}
