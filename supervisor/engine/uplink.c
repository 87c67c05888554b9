/*
 * What Tor has is read anew with each GETCONF, and judged only when it is
 * otherwise than before.  In doubt nothing is known, and nothing looked up.
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/uplink.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/ns.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* Torrc lines of a text: each octet escaped, two NULs are four octets. */
#define LINES_CAP (UPLINK_TEXT * 2)

enum option { O_USE_BRIDGES = 0, O_PLUGIN, O_HTTPS, O_HTTPS_AUTH, O_SOCKS4,
	O_SOCKS5, O_SOCKS5_USER, O_SOCKS5_PASSWORD, O_DIR, O_FALLBACK,
	O_BRIDGE, NOPTION };

const char *const uplink_options[UPLINK_OPTIONS] = {
	[O_USE_BRIDGES] = "UseBridges",
	[O_PLUGIN] = "ClientTransportPlugin",
	[O_HTTPS] = "HTTPSProxy",
	[O_HTTPS_AUTH] = "HTTPSProxyAuthenticator",
	[O_SOCKS4] = "Socks4Proxy",
	[O_SOCKS5] = "Socks5Proxy",
	[O_SOCKS5_USER] = "Socks5ProxyUsername",
	[O_SOCKS5_PASSWORD] = "Socks5ProxyPassword",
	[O_DIR] = "DirAuthority",
	[O_FALLBACK] = "FallbackDir",
	[O_BRIDGE] = "Bridge",
};
_Static_assert((int)NOPTION == UPLINK_OPTIONS, "one name for each option");

static enum option
find_option(struct cp_str key)
{
	unsigned o = 0;

	while (o < NOPTION && !cp_str_is_nocase(key, uplink_options[o]))
		o++;
	return (enum option)o;
}

bool
uplink_has(struct cp_str key)
{
	return find_option(key) != NOPTION;
}

bool
uplink_has_line(struct cp_str line)
{
	const char *eq = line.n == 0 ? NULL : memchr(line.p, '=', line.n);

	if (eq != NULL)
		line.n = (size_t)(eq - line.p);
	return uplink_has(line);
}

/* --- life ---------------------------------------------------------------- */

void
uplink_init(struct engine *e)
{
	e->uplink.text = xcalloc(1, UPLINK_TEXT);
	e->uplink.next = xcalloc(1, UPLINK_TEXT);
}

/* What was read, secrets and all. */
static void
forget(struct uplink *u)
{
	explicit_bzero(u->text, UPLINK_TEXT);
	explicit_bzero(u->next, UPLINK_TEXT);
	explicit_bzero(&u->conf, sizeof u->conf);
	pol_needs_init(&u->needs);
	u->len = u->nnext = u->nplugins = 0;
	u->directory.family = 0;
	u->known = u->fits = false;
	u->changed_at = 0;
}

void
uplink_clear(struct engine *e)
{
	struct uplink *u = &e->uplink;

	if (u->text == NULL)
		return;
	forget(u);
	free(u->text);
	free(u->next);
	explicit_bzero(u, sizeof *u);
}

void
uplink_lost(struct engine *e)
{
	struct uplink *u = &e->uplink;

	forget(u);
	if (u->set == UPLINK_SET_WAITING) {
		u->set = UPLINK_SET_LOST;
		explicit_bzero(&u->wanted, sizeof u->wanted);
	}
	u->set_open = u->set_pin = false;
	u->pin_due = 0;
	transports_lost(e);
	names_changed(e);
}

void
uplink_doubt(struct engine *e)
{
	e->uplink.known = false;
	names_changed(e);
}

bool
uplink_enabled(const struct engine *e)
{
	return e->uplink.known && e->conf_read && !e->prov.network_off;
}

bool
uplink_unresolved(const struct engine *e)
{
	const struct uplink_pin *pin = &e->uplink.pin;

	return e->policy->resolver.addr.family != 0 && e->uplink.known &&
	    pin->kind != POL_PROXY_NONE && pin->addr.family == 0;
}

/* --- the options' text --------------------------------------------------- */

/* Option and value at *AT of what is being read; false at the end. */
static bool
next_pair(const struct uplink *u, size_t *at, enum option *o,
    const char **value)
{
	const char *key = u->text + *at;

	if (*at >= u->len)
		return false;
	*value = key + strlen(key) + 1;
	*o = find_option(cp_str_of(key));
	*at = (size_t)(*value - u->text) + strlen(*value) + 1;
	return true;
}

/* Append one; false: no room, or no value of one line. */
static bool
gather_one(struct uplink *u, enum option o, const struct cp_conf *conf)
{
	size_t n = strlen(uplink_options[o]) + 1;
	char *value;

	if (n + 1 > UPLINK_TEXT - u->nnext)
		return false;
	value = u->next + u->nnext + n;
	if (cp_conf_value(value, UPLINK_TEXT - u->nnext - n, conf) != CP_OK ||
	    strpbrk(value, "\r\n") != NULL)
		return false;
	memcpy(u->next + u->nnext, uplink_options[o], n);
	u->nnext += n + strlen(value) + 1;
	return true;
}

/* False: an option is missing, or one cannot be taken. */
static bool
gather(struct uplink *u, const struct cp_reply *reply)
{
	bool named[NOPTION] = { false };
	struct cp_conf conf;
	enum option o;

	u->nnext = 0;
	for (size_t i = 0; i < cp_reply_nconf(reply); i++) {
		if (cp_reply_conf(reply, &conf, i) != CP_OK)
			return false;
		o = find_option(conf.key);
		if (o == NOPTION)
			continue;
		named[o] = true;
		if (conf.has_value && conf.value.n > 0 &&
		    !gather_one(u, o, &conf))
			return false;
	}
	for (unsigned i = 0; i < NOPTION; i++)
		if (!named[i])
			return false;
	return true;
}

/* --- what it means ------------------------------------------------------- */

/* The first address of the directories that the options name. */
static void
read_directory(struct uplink *u, const char *value)
{
	struct cp_dirline d;

	if (u->directory.family != 0 ||
	    cp_dirline_parse(&d, cp_str_of(value)) != CP_OK || d.n == 0 ||
	    d.at[0].v6)
		return;
	u->directory.family = AF_INET;
	memcpy(&u->directory.v4, d.at[0].addr, sizeof u->directory.v4);
	u->directory_port = d.at[0].port;
}

/* Everything but the bridges, which come after the plugins. */
static void
read_needs(struct uplink *u, bool bridges)
{
	const char *value;
	enum option o;
	size_t at = 0;

	while (next_pair(u, &at, &o, &value)) {
		if ((o == O_BRIDGE) != bridges)
			continue;
		if (o == O_PLUGIN)
			transports_plugin(u, value);
		if (o == O_DIR || o == O_FALLBACK)
			read_directory(u, value);
		else
			pol_needs_add(&u->needs, uplink_options[o], value);
	}
}

static bool
uses_bridges(const struct uplink *u)
{
	const char *value;
	enum option o;
	size_t at = 0;

	while (next_pair(u, &at, &o, &value))
		if (o == O_USE_BRIDGES && strcmp(value, "1") == 0)
			return true;
	return false;
}

/*
 * One as a torrc line, in quotes: what Tor has may begin with a quote or a
 * space, or have a # in it, and means itself.  LINES holds LINES_CAP.
 */
static size_t
add_line(char *lines, size_t n, const char *option, const char *value)
{
	n += (size_t)snprintf(lines + n, LINES_CAP - n, "%s \"", option);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			lines[n++] = '\\';
		lines[n++] = *value;
	}
	lines[n++] = '"';
	lines[n++] = '\n';
	return n;
}

/*
 * As torrc lines, for what a change could put back.  The plugins are the
 * policy's then, whatever they are now: no other program is ever set by us.
 */
static void
read_conf(struct engine *e)
{
	struct uplink *u = &e->uplink;
	bool bridges = uses_bridges(u);
	const char *value;
	enum option o;
	size_t at = 0, n = 0;
	char *lines = xmalloc(LINES_CAP);

	while (next_pair(u, &at, &o, &value)) {
		if (o == O_PLUGIN || o == O_DIR || o == O_FALLBACK ||
		    (o == O_BRIDGE && !bridges))
			continue;
		n = add_line(lines, n, uplink_options[o], value);
	}
	u->fits = pol_uplink_parse(&u->conf, u->why, e->policy, lines, n) ==
	    0;
	if (!u->fits)
		explicit_bzero(&u->conf, sizeof u->conf);
	explicit_bzero(lines, LINES_CAP);
	free(lines);
}

static enum pol_proxy
kind_of(const char *option)
{
	static const enum option options[POL_NPROXY] = {
		[POL_PROXY_HTTPS] = O_HTTPS,
		[POL_PROXY_SOCKS4] = O_SOCKS4,
		[POL_PROXY_SOCKS5] = O_SOCKS5,
	};

	for (unsigned k = POL_PROXY_NONE + 1; k < POL_NPROXY; k++)
		if (strcmp(option, uplink_options[options[k]]) == 0)
			return (enum pol_proxy)k;
	return POL_PROXY_NONE;
}

static const struct pol_need *
proxy_need(const struct pol_needs *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->need[i].role == POL_NEED_PROXY)
			return &n->need[i];
	return NULL;
}

enum pol_proxy
uplink_proxy(const struct engine *e, uint32_t *port)
{
	const struct pol_need *need = proxy_need(&e->uplink.needs);

	if (port != NULL)
		*port = need != NULL ? need->port : 0;
	return need != NULL ? kind_of(need->option) : POL_PROXY_NONE;
}

uint32_t
uplink_nbridges(const struct engine *e)
{
	const struct uplink *u = &e->uplink;
	uint32_t n = 0;

	if (u->fits)
		return u->conf.nbridges;
	for (size_t i = 0; i < u->needs.n; i++)
		n += u->needs.need[i].role == POL_NEED_BRIDGE;
	return n;
}

/* A proxy by name is pinned; one by another address ends that. */
static void
read_pin(struct uplink *u)
{
	const struct pol_need *need = proxy_need(&u->needs);
	struct uplink_pin *pin = &u->pin;
	enum pol_proxy kind = need != NULL ? kind_of(need->option) :
	    POL_PROXY_NONE;

	if (kind == POL_PROXY_NONE) {
		memset(pin, 0, sizeof *pin);
	} else if (need->addr.family == 0) {
		memset(pin, 0, sizeof *pin);
		pin->kind = kind;
		pin->port = need->port;
		memcpy(pin->host, need->host, sizeof pin->host);
		u->pin_due = 0;
	} else if (pin->kind != kind || pin->port != need->port ||
	    !pol_addr_equal(&pin->addr, &need->addr)) {
		memset(pin, 0, sizeof *pin);
	}
}

static void
judge(struct engine *e, uint64_t now)
{
	struct uplink *u = &e->uplink;

	u->nplugins = 0;
	u->directory.family = 0;
	pol_needs_init(&u->needs);
	read_needs(u, false);
	read_needs(u, true);
	pol_needs_finish(&u->needs);
	read_conf(e);
	read_pin(u);
	u->changed_at = now;
	transports_changed(e, now);
	tryout_changed(e, now);
	if (u->needs.more > 0)
		log_warn("uplink: %zu names are too many to look up",
		    u->needs.more);
}

static bool
is_same(const struct uplink *u)
{
	return u->changed_at != 0 && u->nnext == u->len &&
	    memcmp(u->next, u->text, u->len) == 0;
}

void
uplink_on_conf(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct uplink *u = &e->uplink;
	bool whole = gather(u, reply);
	char *text;

	if (!whole) {
		forget(u);
	} else if (!is_same(u)) {
		text = u->text;
		u->text = u->next;
		u->len = u->nnext;
		u->next = text;
		judge(e, now);
	}
	explicit_bzero(u->next, UPLINK_TEXT);
	u->nnext = 0;
	u->known = whole;
	names_changed(e);
}

/* --- what nobody is told ------------------------------------------------ */

/* Shorter ones are found in every other sentence. */
#define SECRET_MIN 4

static void
hide(char *text, const char *secret, const char *word)
{
	size_t n = strlen(secret), w = strlen(word);
	char *at = text;

	if (n < SECRET_MIN || w > n)
		return;
	while ((at = strcasestr(at, secret)) != NULL) {
		memcpy(at, word, w);
		memmove(at + w, at + n, strlen(at + n) + 1);
		at += w;
	}
}

void
uplink_scrub(const struct engine *e, char *dst, size_t cap, const char *src)
{
	const struct uplink *u = &e->uplink;

	(void)privacy_text(dst, cap, &e->table.privacy, src);
	for (size_t i = 0; i < u->needs.n; i++)
		if (u->needs.need[i].addr.family == 0)
			hide(dst, u->needs.need[i].host, "name");
	hide(dst, u->pin.host, "name");
	hide(dst, u->conf.user, "user");
	hide(dst, u->conf.password, "***");
	hide(dst, u->change.user, "user");
	hide(dst, u->change.password, "***");
}

/* --- for a change -------------------------------------------------------- */

bool
uplink_capture(const struct engine *e, struct pol_uplink *out,
    char why[POL_UPLINK_WHY])
{
	const struct uplink *u = &e->uplink;

	memset(out, 0, sizeof *out);
	why[0] = '\0';
	if (!u->known) {
		(void)snprintf(why, POL_UPLINK_WHY,
		    "It is not known what Tor uses now.");
		return false;
	}
	if (!u->fits) {
		(void)snprintf(why, POL_UPLINK_WHY, "What Tor uses now could "
		    "not be put back: %.180s", u->why);
		return false;
	}
	*out = u->conf;
	if (u->pin.kind != POL_PROXY_NONE && u->pin.kind == out->proxy &&
	    u->pin.port == out->port)
		memcpy(out->host, u->pin.host, sizeof out->host);
	return true;
}

/* One option of what is considered; the bridges by themselves, at the end. */
static bool
add_other(void *arg, const char *option, const char *value)
{
	if (value != NULL && strcmp(option, uplink_options[O_BRIDGE]) != 0)
		pol_needs_add(arg, option, value);
	return true;
}

static bool
add_bridge(void *arg, const char *option, const char *value)
{
	if (value != NULL && strcmp(option, uplink_options[O_BRIDGE]) == 0)
		pol_needs_add(arg, option, value);
	return true;
}

void
uplink_consider(struct engine *e, const struct pol_uplink *change)
{
	struct uplink *u = &e->uplink;
	/* Stands for a name, which is looked up all the same. */
	const struct pol_addr any = { .family = AF_INET };

	pol_needs_init(&u->change_needs);
	u->considered = change != NULL;
	if (change == NULL) {
		explicit_bzero(&u->change, sizeof u->change);
		names_changed(e);
		return;
	}
	u->change = *change;
	if (!pol_uplink_options(change, e->policy, &any, add_other,
	    &u->change_needs) ||
	    !pol_uplink_options(change, e->policy, &any, add_bridge,
	    &u->change_needs))
		log_warn("uplink: not all of a change's names are known");
	pol_needs_finish(&u->change_needs);
	names_changed(e);
}

static enum uplink_names
name_state(const struct engine *e, const char *host, enum name_state *state)
{
	const struct name_known *k = names_find(e, host);

	*state = k != NULL ? k->state : NAME_UNKNOWN;
	if (k != NULL && k->n > 0)
		return UPLINK_NAMES_OK;
	return *state == NAME_UNKNOWN ? UPLINK_NAMES_ASKING :
					UPLINK_NAMES_FAILED;
}

const char *
uplink_change_host(const struct uplink *u, size_t i)
{
	struct pol_addr addr;
	const struct pol_need *need;

	if (i < u->change_needs.n) {
		need = &u->change_needs.need[i];
		return need->addr.family == 0 && need->role !=
		    POL_NEED_PROXY ? need->host : "";
	}
	pol_uplink_proxy_addr(&addr, &u->change);
	if (i == u->change_needs.n && u->change.proxy != POL_PROXY_NONE &&
	    addr.family == 0)
		return u->change.host;
	return i == u->change_needs.n ? "" : NULL;
}

enum uplink_names
uplink_names(const struct engine *e, const char **host,
    enum name_state *state)
{
	enum uplink_names all = UPLINK_NAMES_NONE, one;
	enum name_state is;
	const char *name;

	*host = "";
	*state = NAME_UNKNOWN;
	if (!e->uplink.considered)
		return UPLINK_NAMES_NONE;
	for (size_t i = 0;
	    (name = uplink_change_host(&e->uplink, i)) != NULL; i++) {
		if (name[0] == '\0')
			continue;
		if (!names_enabled(e))
			return UPLINK_NAMES_OFF;
		one = name_state(e, name, &is);
		if (one == UPLINK_NAMES_FAILED) {
			*host = name;
			*state = is;
			return one;
		}
		if (all != UPLINK_NAMES_ASKING)
			all = one;
	}
	return all;
}
