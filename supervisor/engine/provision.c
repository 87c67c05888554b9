#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/provision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"
#include "policy/options.h"
#include "policy/portline.h"
#include "supervisor/engine/uplink.h"
#include "supervisor/log.h"

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

static void
memo_forget_all(struct prov *p)
{
	p->conf.valid = false;
	for (unsigned k = 0; k < POL_NKIND; k++)
		p->listeners[k].valid = false;
}

/* --- the index ----------------------------------------------------------- */

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

static void
unread(struct prov_listener *l)
{
	l->named = l->line = l->stale = false;
}

static void
make_texts(struct prov *p)
{
	size_t n = p->policy->nlisteners;

	for (size_t i = 0; i < n; i++) {
		p->l[i].twin = prov_is_twin(p, i);
		if (p->l[i].twin)
			unread(&p->l[i]);
		pol_listener_format(p->l[i].text, sizeof p->l[i].text,
		    p->policy, &p->policy->listeners[i],
		    p->l[i].twin ? NULL : p->last);
		p->sorted[i] = i;
	}
	qsort_r(p->sorted, n, sizeof *p->sorted, compare_index, p);
}

size_t
prov_find(const struct prov *p, enum pol_kind kind, const char *text)
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

static size_t
scan(const struct prov *p, enum pol_kind kind, const char *value)
{
	const struct pol_policy *policy = p->policy;

	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].kind == kind && !p->l[i].twin &&
		    pol_option_same(&policy->listeners[i], value, p->last))
			return i;
	return SIZE_MAX;
}

size_t
prov_find_line(const struct prov *p, enum pol_kind kind, const char *value,
    unsigned *scans)
{
	char addr[POL_LISTENER_TEXT];
	size_t n = strcspn(value, " \t"), i = SIZE_MAX;

	if (n < sizeof addr) {
		memcpy(addr, value, n);
		addr[n] = '\0';
		i = prov_find(p, kind, addr);
	}
	if (i == SIZE_MAX && (*scans)++ < MAX_SCANS)
		i = scan(p, kind, value);
	return i;
}

/* --- life ---------------------------------------------------------------- */

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
	extras_init(&p->x);
	make_texts(p);
	for (size_t i = 0; i < n; i++) {
		p->uses[policy->listeners[i].kind] = true;
		p->l[i].gone = policy->listeners[i].ifaddr != 0;
	}
	prov_forget(p);
}

void
prov_clear(struct prov *p)
{
	free(p->l);
	free(p->sorted);
	free(p->left_out);
	free(p->good);
	free(p->conf.p);
	for (unsigned k = 0; k < POL_NKIND; k++)
		free(p->listeners[k].p);
	extras_clear(&p->x);
	memset(p, 0, sizeof *p);
}

void
prov_forget(struct prov *p)
{
	struct prov_listener *l;

	prov_void(p);
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		l = &p->l[i];
		l->doubt = true;
		l->opened = l->withheld = l->refused = false;
		l->set = l->lost = false;
		l->hinted = l->cycled = l->sought = false;
		l->holder.kind = PROOF_NONE;
		l->delay_ms = 0;
		l->retry_at = l->failed_at = l->socket = l->ours = 0;
	}
	extras_forget(&p->x);
	p->have_good = p->network_off = p->surplus = false;
	p->count_private = true; /* until read: it only takes evidence away */
}

void
prov_void(struct prov *p)
{
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		unread(&p->l[i]);
		p->l[i].proof.kind = PROOF_NONE;
	}
	memo_forget_all(p);
	p->version++;
}

void
prov_doubt(struct prov *p, unsigned kinds)
{
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if ((kinds & PROV_KIND(p->policy->listeners[i].kind)) == 0)
			continue;
		unread(&p->l[i]);
		p->l[i].doubt = true;
	}
	memo_forget_all(p);
	p->version++;
}

bool
prov_flags_seen(struct prov *p, size_t i, bool right)
{
	/* A connection from before a doubt says nothing about after it. */
	if (p->l[i].doubt == !right || (right && prov_can_reopen(p, i)))
		return false;
	p->l[i].doubt = !right;
	p->l[i].opened |= right;
	p->l[i].ours = 0;
	memo_forget_all(p);
	p->version++;
	return true;
}

/* The interface numbered K has another address now, or none. */
static void
move_listeners(struct prov *p, size_t k)
{
	bool moved = p->now[k].family != 0 &&
	    !pol_addr_equal(&p->now[k], &p->last[k]);
	struct prov_listener *l;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		l = &p->l[i];
		if (p->policy->listeners[i].ifaddr != k + 1)
			continue;
		l->gone = p->now[k].family == 0;
		l->proof.kind = PROOF_NONE;
		l->retry_at = 0;
		if (!moved)
			continue;
		unread(l);
		l->doubt = true;
		l->opened = false;
		l->socket = l->ours = 0;
	}
	if (!moved)
		return;
	memmove(&p->former[k][1], &p->former[k][0],
	    (PROV_FORMER - 1) * sizeof p->former[k][0]);
	p->former[k][0] = p->last[k];
	p->last[k] = p->now[k];
}

bool
prov_addresses(struct prov *p, const struct pol_addr *ifaddrs)
{
	bool changed = false;

	for (size_t k = 0; k < p->policy->nifaddrs; k++) {
		if (ifaddrs[k].family == 0 ? p->now[k].family == 0 :
		    pol_addr_equal(&ifaddrs[k], &p->now[k]))
			continue;
		p->now[k] = ifaddrs[k];
		move_listeners(p, k);
		changed = true;
	}
	if (!changed)
		return false;
	make_texts(p);
	memo_forget_all(p);
	p->version++;
	return true;
}

/* --- GETCONF ------------------------------------------------------------- */

enum cp_err
prov_cmd_getconf(const struct prov *p, struct cp_cmd *out)
{
	const char *names[POL_NKIND + 2 + UPLINK_OPTIONS];
	size_t n = 0;

	(void)p;
	for (unsigned k = 0; k < POL_NKIND; k++)
		names[n++] = line_names[k];
	names[n++] = "DisableNetwork";
	names[n++] = "CountPrivateBandwidth";
	for (unsigned i = 0; i < UPLINK_OPTIONS; i++)
		names[n++] = uplink_options[i];
	return cp_cmd_getconf(out, names, n);
}

enum pol_kind
prov_kind_of_key(struct cp_str key)
{
	struct cp_str bare = key;

	if (key.n > 2 && memcmp(key.p, "__", 2) == 0)
		bare = (struct cp_str){ .p = key.p + 2, .n = key.n - 2 };
	for (unsigned k = 0; k < POL_NKIND; k++)
		if (cp_str_is_nocase(bare, pol_kind_option(k)) ||
		    cp_str_is_nocase(key, line_names[k]))
			return (enum pol_kind)k;
	return POL_NKIND;
}

/* One "SocksPort=..." line of Tor's answer. */
static void
read_line(struct prov *p, enum pol_kind kind, const char *value,
    unsigned *scans)
{
	struct prov_listener *l;
	size_t i;

	if (strcmp(value, "0") == 0)
		return; /* switched off: no line */
	i = prov_find_line(p, kind, value, scans);
	if (i == SIZE_MAX) {
		if (prov_is_former(p, kind, value) ||
		    extras_leftover(p, kind, value))
			p->surplus = true;
		else
			extras_add(p, kind, value);
		return;
	}
	l = &p->l[i];
	if (l->line || l->stale)
		p->surplus = true;
	if (pol_option_same(&p->policy->listeners[i], value, p->last))
		l->line = true;
	else
		l->stale = true;
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

static enum cp_err
read_conf(struct prov *p, const struct cp_reply *reply)
{
	char value[VALUE_CAP];
	struct cp_conf conf;
	enum pol_kind kind;
	enum cp_err err;
	unsigned scans = 0;
	bool network = false;

	for (size_t i = 0; i < cp_reply_nconf(reply); i++) {
		if ((err = cp_reply_conf(reply, &conf, i)) != CP_OK)
			return err;
		if (uplink_has(conf.key))
			continue;
		kind = prov_kind_of_key(conf.key);
		if (kind != POL_NKIND && !conf.has_value)
			continue;
		/* A line too long to be ours is not worth an error. */
		if (cp_conf_value(value, sizeof value, &conf) != CP_OK) {
			memset(value, '?', sizeof value - 1);
			value[sizeof value - 1] = '\0';
		}
		if (kind != POL_NKIND)
			read_line(p, kind, value, &scans);
		else if (!read_switch(p, conf.key, value, &network))
			return CP_ERR_KEY;
	}
	return network ? CP_OK : CP_ERR_KEY;
}

static bool
is_same_conf(struct prov *p, const struct cp_reply *reply)
{
	struct cp_str line;
	size_t at = 0;

	for (size_t i = 0; i < cp_reply_nlines(reply); i++) {
		line = cp_reply_text(reply, i);
		/* They are not ours, and may hold a password. */
		if (!uplink_has_line(line))
			(void)memo_next(&p->conf, &at, line);
	}
	return memo_end(&p->conf, at);
}

/* Who has opened what Tor's options do not have, or have otherwise? */
static void
doubt_lineless(struct prov *p)
{
	const struct prov_listener *l;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		l = &p->l[i];
		if (l->named && (!l->line || l->stale) && !prov_is_ours(l))
			p->l[i].doubt = true;
	}
	p->conf_version = ++p->version;
}

enum cp_err
prov_read_conf(struct prov *p, const struct cp_reply *reply)
{
	enum cp_err err;

	if (!cp_reply_is_ok(reply))
		return CP_ERR_REFUSED;
	if (is_same_conf(p, reply)) {
		if (p->conf_version != p->version)
			doubt_lineless(p);
		return CP_OK;
	}
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		p->l[i].line = p->l[i].stale = false;
	p->surplus = false;
	p->network_off = true;
	extras_begin(&p->x);
	err = read_conf(p, reply);
	extras_end(&p->x);
	extras_match(p);
	doubt_lineless(p);
	return err;
}

/* --- net/listeners ------------------------------------------------------- */

static enum cp_err
read_entries(struct prov *p, enum pol_kind kind, struct cp_str value)
{
	char text[256];
	size_t i;
	int rc;

	while ((rc = cp_listeners_next(text, sizeof text, &value)) > 0) {
		if (rc == 2)
			continue; /* its socket is lost: it is not there */
		i = prov_find(p, kind, text);
		if (i != SIZE_MAX)
			p->l[i].told = true;
		else
			extras_stranger(&p->x, kind, text);
	}
	return rc == 0 ? CP_OK : CP_ERR_SYNTAX;
}

/*
 * What is shut has no flags to be wrong; what is open although no SETCONF of
 * ours opened it since may have any.  An answer from before a doubt can only
 * add to it.
 *
 * Tor 0.4.9 can lose a listener's socket: a DNSPort that is shut amid a
 * question closes its number twice, which may be another's by then.  Tor goes
 * on believing that the other listens, so that no SETCONF that has it changes
 * anything.
 */
static void
note_named(struct prov_listener *l, bool counts)
{
	if (!l->told)
		l->opened = l->named = false;
	if (!counts)
		return;
	l->named = l->told;
	l->lost = !l->named && (l->set || l->lost);
	l->set = false;
	if (!l->named) {
		l->doubt = false;
		l->socket = l->ours = 0;
	} else if (!l->opened) {
		l->doubt = true;
	}
}

static bool
is_same_list(struct prov *p, const struct cp_str values[POL_NKIND])
{
	bool same = true;
	size_t at;

	for (unsigned k = 0; k < POL_NKIND; k++) {
		at = 0;
		(void)memo_next(&p->listeners[k], &at, values[k]);
		same &= memo_end(&p->listeners[k], at);
	}
	return same;
}

enum cp_err
prov_read_listeners(struct prov *p, const struct cp_str values[POL_NKIND],
    bool counts)
{
	enum cp_err err;

	if (counts)
		prov_note_ours(p);
	if (is_same_list(p, values) && counts)
		return CP_OK;
	p->version++;
	extras_strangers_begin(&p->x);
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		p->l[i].told = false;
	for (unsigned k = 0; k < POL_NKIND; k++) {
		err = read_entries(p, (enum pol_kind)k, values[k]);
		if (err != CP_OK)
			return err;
	}
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		note_named(&p->l[i], counts);
	extras_match(p);
	if (!counts)
		memo_forget_all(p);
	return CP_OK;
}
