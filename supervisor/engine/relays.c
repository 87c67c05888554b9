/*
 * The list is made of up to three answers: GETCONF says whether Tor goes
 * through a proxy, through bridges, or to the relays themselves; then, if it
 * uses those that it comes with, config/defaults has the directories, and
 * ns/all the consensus.  In doubt the list that is in force stays: no fault
 * here lets Tor reach more than it could before.
 *
 * CONSENSUS_ARRIVED tells of a new consensus.  NEWCONSENSUS would bring all
 * of it, unasked, while a probe waits for its answer.
 */
#include "supervisor/engine/relays.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/ns.h"
#include "controlproto/reader.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* Events get lost; consensuses change once an hour. */
#define POLL_MS 600000
/* Before there is one: Tor fetches it within seconds. */
#define POLL_EMPTY_MS 2000
/* After an answer that was of no use. */
#define POLL_FAULT_MS 30000
/* So many sessions may end over ns/all before it is left alone for a while. */
#define BROKEN_MAX 2
/* Whoever changes options all the time does not keep Tor at this work. */
#define GAP_MS 1000
/* ns/all is asked for right after a probe, unless none is that quick. */
#define WAIT_MS 2000

/* A gate that does not take a page, or has not said that it has them all. */
#define AGAIN_MS 5
#define CONFIRM_MS 5000
#define PAGES_PER_TURN 4

/* A bridge with a transport's arguments is some hundreds of octets long. */
#define LINE_CAP 4096
/* More than one line in so many is no text that we understand. */
#define ODD_PART 8

enum option { O_DIR = 0, O_ALT_DIR, O_FALLBACK, O_DEFAULT_FALLBACKS,
	O_USE_BRIDGES, O_BRIDGE, O_HTTPS_PROXY, O_SOCKS4_PROXY,
	O_SOCKS5_PROXY, O_TCP_PROXY, O_HTTP_PROXY, NOPTION };

static const char *const options[NOPTION] = {
	[O_DIR] = "DirAuthority",
	[O_ALT_DIR] = "AlternateDirAuthority",
	[O_FALLBACK] = "FallbackDir",
	[O_DEFAULT_FALLBACKS] = "UseDefaultFallbackDirs",
	[O_USE_BRIDGES] = "UseBridges",
	[O_BRIDGE] = "Bridge",
	[O_HTTPS_PROXY] = "HTTPSProxy",
	[O_SOCKS4_PROXY] = "Socks4Proxy",
	[O_SOCKS5_PROXY] = "Socks5Proxy",
	[O_TCP_PROXY] = "TCPProxy",
	[O_HTTP_PROXY] = "HTTPProxy",
};

/* Tor's default ports; 0: the option has none. */
static const uint16_t proxy_ports[NOPTION] = {
	[O_HTTPS_PROXY] = 443,
	[O_SOCKS4_PROXY] = 1080,
	[O_SOCKS5_PROXY] = 1080,
	[O_HTTP_PROXY] = 80,
};

static const char *const defaults_key[] = { "config/defaults" };
static const char *const ns_key[] = { "ns/all" };

/* What GETCONF says, before any address of it is looked at. */
struct where {
	bool set[NOPTION]; /* has a value */
	bool bridges;
	bool default_fallbacks;
};

void
relays_init(struct engine *e)
{
	if (e->policy->tor.strict_egress)
		e->relays.page = xcalloc(1, sizeof *e->relays.page);
}

void
relays_clear(struct engine *e)
{
	struct relays *r = &e->relays;

	relaylist_clear(&r->next);
	relaylist_clear(&r->list);
	free(r->page);
	r->page = NULL;
}

static void
set_fault(struct relays *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
set_fault(struct relays *r, const char *fmt, ...)
{
	char text[sizeof r->fault];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (text[0] != '\0' && strcmp(text, r->fault) != 0)
		log_warn("strict egress: %s", text);
	memcpy(r->fault, text, sizeof r->fault);
}

static void
abandon(struct relays *r)
{
	r->step = RELAYS_IDLE;
	r->reading = false;
	relaylist_clear(&r->next);
}

/*
 * An answer that is too long, or takes too long, ends the session.  If it
 * always did, so would every session, and the gate would never open.
 */
void
relays_lost(struct engine *e)
{
	struct relays *r = &e->relays;

	if (r->reading && ++r->broken >= BROKEN_MAX) {
		r->held = r->begun + POLL_MS;
		set_fault(r, "Tor's list of relays could not be read to its "
		    "end; the one from before stays in force.");
	}
	abandon(r);
	r->changed = true;
	r->begun = 0;
}

void
relays_gate(struct engine *e)
{
	e->relays.sending = false;
	e->relays.again = 0;
}

void
relays_changed(struct engine *e)
{
	e->relays.changed = true;
}

static enum option
find_option(struct cp_str key)
{
	unsigned o = 0;

	while (o < NOPTION && !cp_str_is_nocase(key, options[o]))
		o++;
	return o;
}

void
relays_on_changed(struct engine *e, const struct cp_reply *event)
{
	struct cp_conf conf;

	for (size_t i = 0; i < cp_reply_nconf(event); i++)
		if (cp_reply_conf(event, &conf, i) != CP_OK ||
		    find_option(conf.key) != NOPTION)
			relays_changed(e);
}

/* --- asking Tor --------------------------------------------------------- */

bool
relays_due(const struct engine *e, uint64_t now)
{
	const struct relays *r = &e->relays;

	if (!e->policy->tor.strict_egress || now < r->held)
		return false;
	if (r->step == RELAYS_IDLE || r->changed)
		return (r->changed || now >= r->due) &&
		    (r->begun == 0 || now - r->begun >= GAP_MS);
	if (r->step != RELAYS_NS)
		return true;
	/* A long answer: the next probe's is then in time all the same. */
	return e->due.probe - now >= e->policy->probe_ms / 4 * 3 ||
	    now - r->begun >= WAIT_MS;
}

static void
begin(struct relays *r, uint64_t now)
{
	abandon(r);
	r->step = RELAYS_CONF;
	r->changed = r->fallbacks = false;
	r->begun = now;
	r->odd = 0;
}

void
relays_ask(struct engine *e, uint64_t now)
{
	struct relays *r = &e->relays;
	struct cp_cmd cmd = { 0 };

	if (r->step == RELAYS_IDLE || r->changed)
		begin(r, now);
	switch (r->step) {
	case RELAYS_CONF:
		session_send(e, CMD_RELAYS_CONF, &cmd,
		    cp_cmd_getconf(&cmd, options, NOPTION), now);
		break;
	case RELAYS_DEFAULTS:
		session_send(e, CMD_RELAYS_DEFAULTS, &cmd,
		    cp_cmd_getinfo(&cmd, defaults_key, 1), now);
		break;
	case RELAYS_NS:
		session_send(e, CMD_RELAYS_NS, &cmd,
		    cp_cmd_getinfo(&cmd, ns_key, 1), now);
		r->reading = e->conn != NULL;
		if (e->conn != NULL)
			cp_conn_expect(e->conn, &cp_limits_relays);
		break;
	case RELAYS_IDLE:
	case RELAYS_NSTEP:
		break;
	}
}

/* No list this time; the one that is in force stays. */
static void
give_up(struct engine *e, const char *why, uint64_t now)
{
	abandon(&e->relays);
	e->relays.due = now + POLL_FAULT_MS;
	set_fault(&e->relays, "%s", why);
}

/* Tor does not have the key, or what it sent is no reply to us. */
static void
not_answered(struct engine *e, enum cp_err err, uint64_t now)
{
	if (err == CP_ERR_REFUSED)
		give_up(e, "Tor does not say where it connects to.", now);
	else
		engine_lose(e, LOSS_BYTES, cp_strerror(err), now);
}

/* The list is whole. */
static void
finish(struct engine *e, uint64_t poll_ms, uint64_t now)
{
	struct relays *r = &e->relays;

	if (relaylist_finish(&r->next) == -1) {
		give_up(e, "Tor names more relays than the gate has room for; "
		    "those from before stay in force.", now);
		return;
	}
	r->step = RELAYS_IDLE;
	r->due = now + poll_ms;
	if (r->odd != 0)
		set_fault(r, "%zu lines of what Tor says are no address and "
		    "port, and are left out: strict egress needs numbers.",
		    r->odd);
	else
		set_fault(r, "%s", "");
	if (r->have && relaylist_equal(&r->list, &r->next)) {
		relaylist_clear(&r->next);
		return;
	}
	relaylist_clear(&r->list);
	r->list = r->next;
	memset(&r->next, 0, sizeof r->next);
	r->have = true;
	r->generation = 0;
	r->sending = false;
	r->again = 0;
	log_info("relays: Tor is to reach %zu addresses and ports",
	    r->list.n);
}

/* --- GETCONF ------------------------------------------------------------ */

/*
 * Each option must be there, with a value or without: one that is missing
 * could be the proxy.
 */
static enum cp_err
read_where(struct where *w, const struct cp_reply *reply)
{
	bool named[NOPTION] = { false };
	struct cp_conf conf;
	enum option o;

	memset(w, 0, sizeof *w);
	for (size_t i = 0; i < cp_reply_nconf(reply); i++) {
		if (cp_reply_conf(reply, &conf, i) != CP_OK)
			return CP_ERR_SYNTAX;
		o = find_option(conf.key);
		if (o == NOPTION)
			return CP_ERR_KEY;
		named[o] = true;
		w->set[o] |= conf.has_value && conf.value.n > 0;
		if (o == O_USE_BRIDGES)
			w->bridges = !cp_str_is(conf.value, "0");
		if (o == O_DEFAULT_FALLBACKS)
			w->default_fallbacks = cp_str_is(conf.value, "1");
	}
	for (unsigned i = 0; i < NOPTION; i++)
		if (!named[i])
			return CP_ERR_KEY;
	return CP_OK;
}

static bool
add_dirline(struct relays *r, struct cp_str value, bool v3_only)
{
	struct cp_dirline d;

	if (cp_dirline_parse(&d, value) != CP_OK)
		return false;
	for (size_t i = 0; i < d.n && (d.v3 || !v3_only); i++)
		relaylist_add(&r->next, &d.at[i]);
	return true;
}

static bool
add_proxy(struct relays *r, enum option o, struct cp_str value)
{
	struct cp_endpoint at;
	const char *sp;

	/* "haproxy 192.0.2.1:8080" */
	if (o == O_TCP_PROXY) {
		sp = value.n == 0 ? NULL : memchr(value.p, ' ', value.n);
		if (sp == NULL)
			return false;
		value.n -= (size_t)(sp + 1 - value.p);
		value.p = sp + 1;
	}
	if (cp_endpoint_parse(&at, value, proxy_ports[o]) != CP_OK)
		return false;
	relaylist_add(&r->next, &at);
	return true;
}

static bool
add_bridge(struct relays *r, struct cp_str value)
{
	struct cp_endpoint at;

	if (cp_bridge_parse(&at, value) != CP_OK)
		return false;
	relaylist_add(&r->next, &at);
	return true;
}

static bool
add_option(struct relays *r, enum option o, struct cp_str value)
{
	switch (o) {
	case O_DIR:
	case O_ALT_DIR:
	case O_FALLBACK:
		return add_dirline(r, value, false);
	case O_BRIDGE:
		return add_bridge(r, value);
	case O_HTTPS_PROXY:
	case O_SOCKS4_PROXY:
	case O_SOCKS5_PROXY:
	case O_TCP_PROXY:
	case O_HTTP_PROXY:
		return add_proxy(r, o, value);
	case O_DEFAULT_FALLBACKS:
	case O_USE_BRIDGES:
	case NOPTION:
		break;
	}
	return true;
}

/* Add what the options FROM to UPTO say, in as far as it is understood. */
static void
add_options(struct relays *r, const struct cp_reply *reply, enum option from,
    enum option upto)
{
	char value[LINE_CAP];
	struct cp_conf conf;
	enum option o;

	for (size_t i = 0; i < cp_reply_nconf(reply); i++) {
		if (cp_reply_conf(reply, &conf, i) != CP_OK)
			continue; /* read_where() has read them all */
		o = find_option(conf.key);
		if (o < from || o > upto || !conf.has_value ||
		    conf.value.n == 0)
			continue;
		if (cp_conf_value(value, sizeof value, &conf) != CP_OK ||
		    !add_option(r, o, cp_str_of(value)))
			r->odd++;
	}
}

/*
 * HTTPProxy is for Tor's old directory requests alone and takes nothing away
 * from where the rest goes.  Bridge authorities are no client's business.
 */
void
relays_on_conf(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct relays *r = &e->relays;
	struct where w;
	enum cp_err err = cp_reply_is_ok(reply) ? read_where(&w, reply) :
	    CP_ERR_REFUSED;

	if (err != CP_OK) {
		not_answered(e, err, now);
		return;
	}
	if (w.set[O_HTTPS_PROXY] || w.set[O_SOCKS4_PROXY] ||
	    w.set[O_SOCKS5_PROXY] || w.set[O_TCP_PROXY]) {
		add_options(r, reply, O_HTTPS_PROXY, O_HTTP_PROXY);
		finish(e, POLL_MS, now);
		return;
	}
	if (w.bridges) {
		add_options(r, reply, O_BRIDGE, O_BRIDGE);
		finish(e, POLL_MS, now);
		return;
	}
	add_options(r, reply, O_DIR, O_FALLBACK);
	add_options(r, reply, O_HTTP_PROXY, O_HTTP_PROXY);
	/* As Tor: defaults are taken only where nothing is set instead. */
	r->fallbacks = !w.set[O_FALLBACK] && w.default_fallbacks;
	r->step = w.set[O_DIR] || w.set[O_ALT_DIR] ? RELAYS_NS :
	    RELAYS_DEFAULTS;
}

/* --- GETINFO ------------------------------------------------------------ */

/* Line of config/defaults: an authority, a fallback, or one of all others. */
static bool
add_default(struct relays *r, struct cp_str line)
{
	char value[LINE_CAP];
	enum cp_err err;

	err = cp_default_value(value, sizeof value, line, options[O_DIR]);
	if (err == CP_OK)
		return add_dirline(r, cp_str_of(value), true);
	if (err != CP_ERR_KEY || !r->fallbacks)
		return err == CP_ERR_KEY;
	err = cp_default_value(value, sizeof value, line,
	    options[O_FALLBACK]);
	if (err == CP_OK)
		return add_dirline(r, cp_str_of(value), false);
	return err == CP_ERR_KEY;
}

void
relays_on_defaults(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	struct relays *r = &e->relays;
	struct cp_str v;
	enum cp_err err = cp_reply_getinfo(reply, &v, defaults_key, 1);

	if (err != CP_OK) {
		not_answered(e, err, now);
		return;
	}
	while (v.n > 0)
		if (!add_default(r, cp_next_line(&v)))
			r->odd++;
	r->step = RELAYS_NS;
}

void
relays_on_ns(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct relays *r = &e->relays;
	struct cp_endpoint at;
	struct cp_ns ns;
	struct cp_str v;
	enum cp_err err = cp_reply_getinfo(reply, &v, ns_key, 1);

	r->reading = false;
	if (err != CP_OK) {
		not_answered(e, err, now);
		return;
	}
	r->broken = 0;
	cp_ns_init(&ns, v);
	while (cp_ns_next(&ns, &at))
		relaylist_add(&r->next, &at);
	if (ns.malformed > ns.entries / ODD_PART) {
		give_up(e, "Tor's list of relays is not understood; the one "
		    "from before stays in force.", now);
		return;
	}
	r->odd += ns.malformed;
	log_debug("relays: %zu in the consensus, answered in %llu ms",
	    ns.entries, (unsigned long long)(now - e->sent));
	finish(e, ns.entries == 0 ? POLL_EMPTY_MS : POLL_MS, now);
}

/* --- telling the gate --------------------------------------------------- */

bool
relays_missing(const struct engine *e)
{
	return e->policy->tor.strict_egress && e->gate_known &&
	    e->report.relays_generation == 0;
}

/* The gate has another list in force than ours, or we cannot know. */
static bool
must_send(const struct engine *e)
{
	const struct relays *r = &e->relays;

	return e->policy->tor.strict_egress && r->have && e->gate_up &&
	    e->gate_known && (r->sending || r->generation == 0 ||
	    e->report.relays_generation != r->generation);
}

/* One that no list has had, neither of ours nor of an engine before us. */
static uint32_t
new_generation(struct engine *e)
{
	struct relays *r = &e->relays;

	if (e->report.relays_generation > r->used)
		r->used = e->report.relays_generation;
	if (++r->used == 0)
		r->used = 1;
	return r->used;
}

/* False: not taken now. */
static bool
send_page(struct engine *e, uint64_t now)
{
	struct relays *r = &e->relays;

	relaylist_page(r->page, &r->list, r->sent, r->generation);
	if (e->ops->gate_relays(e->arg, r->page) == -1) {
		r->again = now + AGAIN_MS;
		return false;
	}
	r->sent += r->page->n;
	r->sending = r->sent < r->list.n;
	r->again = r->sending ? now : now + CONFIRM_MS;
	return r->sending;
}

void
relays_tick(struct engine *e, uint64_t now)
{
	struct relays *r = &e->relays;

	if (!must_send(e) || now < r->again)
		return;
	if (!r->sending) {
		r->generation = new_generation(e);
		r->sending = true;
		r->sent = 0;
	}
	for (int i = 0; i < PAGES_PER_TURN; i++)
		if (!send_page(e, now))
			break;
}

uint64_t
relays_wake(const struct engine *e)
{
	return must_send(e) ? e->relays.again : UINT64_MAX;
}
