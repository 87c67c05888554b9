/*
 * SETCONF of the uplink.  250 is no proof that it works, but from then on Tor
 * has it; every other answer leaves what was there.
 */
#include "config.h" /* _GNU_SOURCE */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/engine/uplink.h"
#include "supervisor/log.h"

/* One that Tor has refused is not sent again before. */
#define PIN_AGAIN_MS 30000

/* Bridges, plugins, and the other options with room to spare. */
#define MAX_OPTS (POL_UPLINK_BRIDGES + POL_MAX_TRANSPORTS + 16)

/* Options with values of their own, for one command. */
struct opts {
	struct cp_opt opt[MAX_OPTS];
	size_t n, used;
	char *text; /* owned: UPLINK_TEXT */
	bool over;
};

static bool
add_opt(void *arg, const char *option, const char *value)
{
	struct opts *o = arg;
	size_t n = value != NULL ? strlen(value) + 1 : 0;

	if (o->n == MAX_OPTS || n > UPLINK_TEXT - o->used) {
		o->over = true;
		return false;
	}
	o->opt[o->n].name = option;
	o->opt[o->n++].value = value != NULL ? o->text + o->used : NULL;
	if (value != NULL)
		memcpy(o->text + o->used, value, n);
	o->used += n;
	return true;
}

static enum cp_err
build(const struct engine *e, struct cp_cmd *cmd)
{
	const struct uplink *u = &e->uplink;
	struct opts o = { .text = xmalloc(UPLINK_TEXT) };
	enum cp_err err = CP_ERR_ARG;

	if (pol_uplink_options(&u->wanted, e->policy, &u->wanted_addr,
	    add_opt, &o) && !o.over)
		err = cp_cmd_setconf(cmd, o.opt, o.n);
	explicit_bzero(o.text, UPLINK_TEXT);
	free(o.text);
	return err;
}

int
uplink_set(struct engine *e, const struct pol_uplink *wanted, uint64_t now)
{
	struct uplink *u = &e->uplink;
	struct pol_addr addr;

	(void)now;
	uplink_proxy_addr(e, &addr, wanted);
	if ((e->state != SM_CONFIGURE && e->state != SM_WATCH) ||
	    u->set == UPLINK_SET_WAITING || u->set_pin ||
	    (wanted->proxy != POL_PROXY_NONE && addr.family == 0))
		return -1;
	u->wanted = *wanted;
	u->wanted_addr = addr;
	u->set = UPLINK_SET_WAITING;
	u->refusal[0] = '\0';
	return 0;
}

enum uplink_set
uplink_state(const struct engine *e)
{
	return e->uplink.set;
}

const char *
uplink_refusal(const struct engine *e)
{
	return e->uplink.refusal;
}

/* --- the proxy's address in its name's place ----------------------------- */

/* Is what Tor has among what the name resolves to? */
static bool
pin_is_good(const struct uplink_pin *pin, const struct name_known *k)
{
	if (pin->addr.family == 0)
		return false;
	for (uint32_t i = 0; i < k->n; i++)
		if (pol_addr_equal(&k->addr[i], &pin->addr))
			return true;
	return false;
}

/* PIN's address, if it stands for the name of W's proxy and may go on so. */
static bool
pin_serves(const struct engine *e, const struct uplink_pin *pin,
    const struct pol_uplink *w)
{
	const struct name_known *k = names_find(e, w->host);

	return pin->addr.family != 0 && strcmp(pin->host, w->host) == 0 &&
	    (k == NULL || k->n == 0 || pin_is_good(pin, k));
}

void
uplink_proxy_addr(const struct engine *e, struct pol_addr *out,
    const struct pol_uplink *w)
{
	const struct uplink *u = &e->uplink;

	pol_uplink_proxy_addr(out, w);
	if (out->family != 0 || w->proxy == POL_PROXY_NONE)
		return;
	if (pin_serves(e, &u->pin, w))
		*out = u->pin.addr;
	else if (pin_serves(e, &u->old_pin, w))
		*out = u->old_pin.addr;
	else
		names_pick(e, out, w->host);
}

/* An answer that does not have it any more: Tor keeps its connections. */
static bool
pin_due(const struct engine *e, uint64_t now)
{
	const struct uplink *u = &e->uplink;
	const struct name_known *k;

	if (!u->known || u->considered || u->set == UPLINK_SET_WAITING ||
	    u->pin.kind == POL_PROXY_NONE || now < u->pin_due)
		return false;
	k = names_find(e, u->pin.host);
	return k != NULL && k->n > 0 && !pin_is_good(&u->pin, k);
}

bool
uplink_set_due(const struct engine *e, uint64_t now)
{
	return (e->uplink.set == UPLINK_SET_WAITING && !e->uplink.set_open) ||
	    pin_due(e, now);
}

static const char *const proxy_options[POL_NPROXY] = {
	[POL_PROXY_NONE] = "",
	[POL_PROXY_HTTPS] = "HTTPSProxy",
	[POL_PROXY_SOCKS4] = "Socks4Proxy",
	[POL_PROXY_SOCKS5] = "Socks5Proxy",
};

static void
ask_pin(struct engine *e, uint64_t now)
{
	struct uplink *u = &e->uplink;
	char value[POL_LISTENER_TEXT];
	struct cp_cmd cmd = { 0 };
	struct cp_opt opt = { .name = proxy_options[u->pin.kind],
		.value = value };

	names_pick(e, &u->wanted_addr, u->pin.host);
	pol_addrport_format(value, sizeof value, &u->wanted_addr,
	    u->pin.port);
	u->set_pin = true;
	u->pin_due = now + PIN_AGAIN_MS;
	session_send(e, CMD_UPLINK_SET, &cmd, cp_cmd_setconf(&cmd, &opt, 1),
	    now);
}

void
uplink_ask_set(struct engine *e, uint64_t now)
{
	struct uplink *u = &e->uplink;
	struct cp_cmd cmd = { 0 };

	if (u->set != UPLINK_SET_WAITING || u->set_open) {
		ask_pin(e, now);
		return;
	}
	u->set_open = true;
	session_send(e, CMD_UPLINK_SET, &cmd, build(e, &cmd), now);
}

void
uplink_pin_make(struct uplink_pin *pin, const struct pol_uplink *u,
    const struct pol_addr *addr)
{
	struct pol_addr own;

	pol_uplink_proxy_addr(&own, u);
	memset(pin, 0, sizeof *pin);
	if (u->proxy == POL_PROXY_NONE || own.family != 0 || addr->family == 0)
		return;
	pin->kind = (enum pol_proxy)u->proxy;
	pin->port = (uint16_t)u->port;
	memcpy(pin->host, u->host, sizeof pin->host);
	pin->addr = *addr;
}

/* From now on Tor has the address that stands for U's proxy's name. */
static void
take_pin(struct uplink *u)
{
	u->old_pin = u->pin;
	uplink_pin_make(&u->pin, &u->wanted, &u->wanted_addr);
}

static void
on_pin(struct engine *e, bool ok)
{
	struct uplink *u = &e->uplink;

	u->set_pin = false;
	if (!ok) {
		log_warn("Tor refuses the proxy's address in the place of "
		    "its name");
		return;
	}
	u->pin.addr = u->wanted_addr;
	log_info("uplink: Tor has an address in the place of the proxy's "
	    "name");
}

/* What was heard of the way out before says nothing of this one. */
static void
forget_hearsay(struct engine *e, uint64_t now)
{
	struct tor_info *t = &e->tor;

	t->progress_at = t->dir_at = now;
	t->warning[0] = t->why[0] = '\0';
	t->said = 0;
}

static void
on_change(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct uplink *u = &e->uplink;
	struct cp_str text = cp_reply_text(reply, 0);
	char words[SNAP_TEXT];

	u->set_open = false;
	u->set_at = now;
	if (cp_reply_is_ok(reply)) {
		u->set = UPLINK_SET_OK;
		take_pin(u);
		forget_hearsay(e, now);
		uplink_doubt(e); /* what was read is what there was before */
		log_info("uplink: bridges and proxy are set");
	} else {
		u->set = UPLINK_SET_REFUSED;
		log_esc(words, sizeof words, text.p, text.n);
		uplink_scrub(e, u->refusal, sizeof u->refusal, words);
		log_warn("uplink: Tor refuses it: %u %s",
		    cp_reply_code(reply), u->refusal);
	}
	explicit_bzero(&u->wanted, sizeof u->wanted);
}

void
uplink_on_set(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	if (e->uplink.set_pin)
		on_pin(e, cp_reply_is_ok(reply));
	else
		on_change(e, reply, now);
	names_changed(e);
	/* 250 is no proof of anything: read back what there is. */
	e->need_conf = e->need_probe = true;
	e->due.conf = now;
}

uint64_t
uplink_wake(const struct engine *e, uint64_t now)
{
	/* Names and replies wake by themselves; this is a refused pin. */
	return e->uplink.pin_due > now ? e->uplink.pin_due : UINT64_MAX;
}

/* --- evidence ------------------------------------------------------------ */

void
uplink_watch(struct engine *e, bool on, uint64_t now)
{
	e->ev.look = on;
	e->ev.based = e->ev.fresh = false;
	e->ev.look_at = now;
	e->ev.extend_at = 0;
	e->due.circuits = now;
}

void
uplink_evidence(const struct engine *e, struct uplink_evidence *out)
{
	bool since = e->ev.look && e->probe_at > e->ev.look_at;

	out->progress = e->tor.progress;
	out->dir = since && e->tor.enough_dir;
	out->circuit = since && e->tor.circuit;
	out->built = e->ev.look && e->ev.fresh;
}

int
uplink_try(struct engine *e, const struct pol_uplink *u, uint64_t now)
{
	return tryout_start(e, u, now);
}

enum name_verdict
uplink_tried(const struct engine *e, uint32_t *code)
{
	*code = e->tryout.code;
	return tryout_running(e) ? NAME_V_NONE : e->tryout.verdict;
}
