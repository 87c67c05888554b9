#include "policy/needs.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "policy/host.h"
#include "policy/uplink.h"

/* Tor's and the transports' own, where nothing says another. */
#define HTTP_PORT 80
#define HTTPS_PORT 443
#define SOCKS_PORT 1080
#define STUN_PORT 3478

/* Where a value came from: Tor's option, and which of its lines. */
struct origin {
	const char *option;
	unsigned line;
};

/* One bridge line while its names are looked for. */
struct reader {
	struct pol_needs *n;
	const struct pol_bridge *b;
	const struct pol_plugin_line *plugin; /* NULL: none is known */
	unsigned line;
	/* What get() has found. */
	struct origin from;
	char value[POL_BRIDGE_LEN];
};

void
pol_needs_init(struct pol_needs *n)
{
	memset(n, 0, sizeof *n);
}

static bool
same_need(const struct pol_need *a, const struct pol_need *b)
{
	return a->by == b->by && a->port == b->port &&
	    a->l4proto == b->l4proto && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->transport, b->transport) == 0;
}

/* One bridge's address less, the last; false: there is none. */
static bool
make_room(struct pol_needs *n)
{
	size_t i = n->n;

	while (i > 0 && n->need[i - 1].role != POL_NEED_BRIDGE)
		i--;
	if (i == 0)
		return false;
	memmove(&n->need[i - 1], &n->need[i],
	    (n->n - i) * sizeof n->need[0]);
	n->n--;
	return true;
}

static void
push(struct pol_needs *n, const struct pol_need *need)
{
	for (size_t i = 0; i < n->n; i++)
		if (same_need(&n->need[i], need))
			return;
	if (n->n == POL_MAX_NEEDS) {
		n->more++;
		if (need->by == POL_BY_NOBODY || !make_room(n))
			return;
	}
	n->need[n->n++] = *need;
}

/* HOST for ROLE, which BY would resolve if it is a name. */
static void
add_host(struct pol_needs *n, const struct pol_need *like,
    const struct pol_host *host, struct origin from)
{
	struct pol_need need = *like;

	(void)snprintf(need.option, sizeof need.option, "%s", from.option);
	need.line = from.line;
	memcpy(need.host, host->name, sizeof need.host);
	need.addr = host->addr;
	need.port = host->port;
	if (host->addr.family != AF_UNSPEC)
		need.by = POL_BY_NOBODY;
	push(n, &need);
}

/* The same for R's transport. */
static void
add_for(struct reader *r, enum pol_need_role role, uint8_t l4proto,
    const struct pol_host *host)
{
	struct pol_need like;

	memset(&like, 0, sizeof like);
	like.role = role;
	like.by = POL_BY_TRANSPORT;
	like.l4proto = l4proto;
	memcpy(like.transport, r->b->transport, sizeof like.transport);
	add_host(r->n, &like, host, r->from);
}

/* The bridge line's value of KEY, or else the program's. */
static bool
get(struct reader *r, const char *key)
{
	char option[16];

	r->from = (struct origin){ "Bridge", r->line };
	if (pol_args_find(r->value, sizeof r->value, r->b->args, key))
		return true;
	if (r->plugin == NULL)
		return false;
	r->from = (struct origin){ "ClientTransportPlugin", r->plugin->line };
	(void)snprintf(option, sizeof option, "-%s", key);
	return pol_args_find(r->value, sizeof r->value, r->plugin->args,
	    option);
}

/* The host of an URL, with the port that the scheme has. */
static bool
url_host(struct pol_host *out, const char *url)
{
	static const char http[] = "http://", https[] = "https://";
	char text[POL_HOST_TEXT];
	uint16_t port = HTTPS_PORT;
	char *host, *at;
	size_t n;

	if (strncasecmp(url, https, sizeof https - 1) == 0) {
		url += sizeof https - 1;
	} else if (strncasecmp(url, http, sizeof http - 1) == 0) {
		url += sizeof http - 1;
		port = HTTP_PORT;
	} else {
		return false;
	}
	n = strcspn(url, "/?#");
	if (n >= sizeof text)
		return false;
	memcpy(text, url, n);
	text[n] = '\0';
	at = strrchr(text, '@'); /* behind a user */
	host = at != NULL ? at + 1 : text;
	n = strlen(host);
	/* "host:" is the scheme's port, for an URL. */
	if (n > 0 && host[n - 1] == ':')
		host[n - 1] = '\0';
	return pol_host_parse(out, host, port);
}

/* Each word of LIST, with commas between, goes to DO. */
static void
each_word(struct reader *r, char *list, uint16_t port,
    void (*each)(struct reader *r, const char *word, uint16_t port))
{
	char *rest = list, *word;

	while ((word = strsep(&rest, ",")) != NULL)
		if (word[0] != '\0')
			each(r, word, port);
}

static void
add_front(struct reader *r, const char *word, uint16_t port)
{
	struct pol_host host;

	if (pol_host_parse(&host, word, port))
		add_for(r, POL_NEED_FRONT, IPPROTO_TCP, &host);
	else
		r->n->unread++;
}

/* "stun:HOST:PORT", and what some write behind it: "?transport=udp". */
static void
add_stun(struct reader *r, const char *word, uint16_t port)
{
	static const char stun[] = "stun:";
	char text[POL_HOST_TEXT];
	struct pol_host host;
	size_t n;

	if (strncasecmp(word, stun, sizeof stun - 1) != 0) {
		r->n->unread++;
		return;
	}
	word += sizeof stun - 1;
	n = strcspn(word, "?");
	(void)snprintf(text, sizeof text, "%.*s",
	    n < sizeof text ? (int)n : (int)sizeof text - 1, word);
	if (n < sizeof text && pol_host_parse(&host, text, port))
		add_for(r, POL_NEED_STUN, IPPROTO_UDP, &host);
	else
		r->n->unread++;
}

/* Where webtunnel connects to, whatever its url says. */
static void
add_address(struct reader *r, const char *word, uint16_t port)
{
	struct pol_host host;

	if (pol_host_parse(&host, word, port))
		add_for(r, POL_NEED_URL, IPPROTO_TCP, &host);
	else
		r->n->unread++;
}

/*
 * An AMP cache is asked by a name below its own, made of the broker's: a dash
 * is two, a dot is one, and what then looks like an encoded name is wrapped.
 * False: it is made in some other way.
 */
static bool
amp_host(struct pol_host *cache, const struct pol_host *broker)
{
	char label[2 * POL_HOST_LEN], text[sizeof label + POL_HOST_LEN + 8];
	size_t n = 0;
	bool wrap;

	if (strstr(broker->name, "xn--") != NULL)
		return false;
	for (const char *p = broker->name; *p != '\0'; p++) {
		label[n++] = *p == '.' ? '-' : *p;
		if (*p == '-')
			label[n++] = '-';
	}
	label[n] = '\0';
	wrap = n > 3 && label[2] == '-' && label[3] == '-';
	(void)snprintf(text, sizeof text, "%s%s%s.%s", wrap ? "0-" : "",
	    label, wrap ? "-0" : "", cache->name);
	if (!pol_host_ok(text))
		return false;
	memset(cache->name, 0, sizeof cache->name);
	memcpy(cache->name, text, strlen(text));
	return true;
}

/* Of a transport that fetches an URL: URL is its host, if it is known. */
static void
add_url(struct reader *r, struct pol_host *url, bool known)
{
	struct origin from = r->from;
	struct pol_host cache;

	if (!get(r, "ampcache")) {
		r->from = from;
		if (known)
			add_for(r, POL_NEED_URL, IPPROTO_TCP, url);
	} else if (known && url_host(&cache, r->value) &&
	    amp_host(&cache, url)) {
		add_for(r, POL_NEED_URL, IPPROTO_TCP, &cache);
	} else {
		r->n->unread++;
	}
}

/*
 * meek, snowflake and whatever else has the same words: the front is asked in
 * place of the url's host.  A program that does not know "fronts" asks the
 * url's host all the same: both are needed.
 */
static void
add_fronted(struct reader *r)
{
	struct pol_host url = { .port = HTTPS_PORT };
	bool has_url = get(r, "url"), known, front;
	struct origin from = r->from;

	known = has_url && url_host(&url, r->value);
	if (has_url && !known)
		r->n->unread++;
	front = get(r, "front");
	if (front)
		add_front(r, r->value, url.port);
	if (get(r, "fronts")) {
		r->n->fronts |= !front;
		each_word(r, r->value, url.port, add_front);
	}
	r->from = from;
	if (!front)
		add_url(r, &url, known);
	if (get(r, "ice"))
		each_word(r, r->value, STUN_PORT, add_stun);
}

static void
add_webtunnel(struct reader *r)
{
	struct pol_host url;

	if (get(r, "addr"))
		each_word(r, r->value, HTTPS_PORT, add_address);
	else if (get(r, "url") && url_host(&url, r->value))
		add_for(r, POL_NEED_URL, IPPROTO_TCP, &url);
	else
		r->n->unread++;
}

/* Is METHOD among the comma-separated METHODS? */
static bool
lists(const char *methods, const char *method)
{
	size_t len = strlen(method);

	while (*methods != '\0') {
		size_t n = strcspn(methods, ",");

		if (n == len && memcmp(methods, method, n) == 0)
			return true;
		methods += n + (methods[n] == ',');
	}
	return false;
}

static const struct pol_plugin_line *
find_plugin(const struct pol_needs *n, const char *method)
{
	for (size_t i = 0; i < n->nplugins; i++)
		if (lists(n->plugins[i].methods, method))
			return &n->plugins[i];
	return NULL;
}

/* The line's own address: no name, but who is needed. */
static void
add_place(struct reader *r)
{
	struct pol_host host;

	memset(&host, 0, sizeof host);
	pol_addr_format(host.name, sizeof host.name, &r->b->addr);
	host.addr = r->b->addr;
	host.port = r->b->port;
	r->from = (struct origin){ "Bridge", r->line };
	add_for(r, POL_NEED_BRIDGE, IPPROTO_TCP, &host);
}

static void
add_bridge(struct pol_needs *n, char *value)
{
	char why[POL_UPLINK_WHY];
	struct pol_bridge b;
	struct reader r = { .n = n, .b = &b, .line = ++n->nbridge_lines };

	if (!pol_bridge_parse(&b, why, value)) {
		n->unread++;
		return;
	}
	add_place(&r);
	if (b.transport[0] == '\0')
		return;
	r.plugin = find_plugin(n, b.transport);
	if (strcmp(b.transport, "webtunnel") == 0)
		add_webtunnel(&r);
	else
		add_fronted(&r);
}

/* "METHODS exec PROGRAM ARGUMENTS", or "METHODS socks5 ADDRESS:PORT". */
static void
add_plugin(struct pol_needs *n, char *value)
{
	char *rest = value, *word[3];
	unsigned line = ++n->nplugin_lines;
	struct pol_plugin_line *p;

	for (size_t i = 0; i < 3; i++) {
		if (rest != NULL)
			rest += strspn(rest, " ");
		word[i] = strsep(&rest, " ");
		if (word[i] == NULL || word[i][0] == '\0') {
			n->unread++;
			return;
		}
	}
	if (strcasecmp(word[1], "exec") != 0) {
		struct pol_host host;

		/* Somebody else's program; Tor would look up a name. */
		if (!pol_host_parse(&host, word[2], 0) ||
		    host.addr.family == AF_UNSPEC)
			n->unread++;
		return;
	}
	if (rest == NULL)
		rest = word[2] + strlen(word[2]);
	if (strlen(word[0]) >= sizeof p->methods ||
	    strlen(rest) >= sizeof p->args) {
		n->unread++;
	} else if (n->nplugins == POL_MAX_PLUGINS) {
		n->more++;
	} else {
		p = &n->plugins[n->nplugins++];
		p->line = line;
		(void)snprintf(p->methods, sizeof p->methods, "%s", word[0]);
		(void)snprintf(p->args, sizeof p->args, "%s", rest);
	}
}

static void
add_proxy(struct pol_needs *n, const char *option, const char *value,
    uint16_t port)
{
	struct pol_need like;
	struct pol_host host;

	memset(&like, 0, sizeof like);
	like.role = POL_NEED_PROXY;
	like.by = POL_BY_TOR;
	like.l4proto = IPPROTO_TCP;
	if (pol_host_parse(&host, value, port))
		add_host(n, &like, &host, (struct origin){ option, 1 });
	else
		n->unread++;
}

/* Longer is neither a bridge nor a plugin that could be used. */
#define VALUE_LEN (2 * POL_ARGS_LEN + POL_PATH_LEN)

/* With spaces for tabs.  What is longer becomes nothing, which is unread. */
static void
copy_line(char text[VALUE_LEN], const char *value)
{
	size_t len = strlen(value);

	if (len >= VALUE_LEN)
		len = 0;
	for (size_t i = 0; i < len; i++)
		text[i] = value[i] == '\t' ? ' ' : value[i];
	text[len] = '\0';
}

void
pol_needs_add(struct pol_needs *n, const char *option, const char *value)
{
	static const struct {
		const char *option;
		uint16_t port;
	} proxies[] = { { "HTTPSProxy", HTTPS_PORT },
		{ "Socks4Proxy", SOCKS_PORT }, { "Socks5Proxy", SOCKS_PORT } };
	char text[VALUE_LEN];
	bool bridge;

	if (value == NULL || value[0] == '\0')
		return;
	if (strcasecmp(option, "UseBridges") == 0)
		n->bridges = strcmp(value, "1") == 0;
	for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++)
		if (strcasecmp(option, proxies[i].option) == 0)
			add_proxy(n, proxies[i].option, value,
			    proxies[i].port);
	bridge = strcasecmp(option, "Bridge") == 0;
	if (!bridge && strcasecmp(option, "ClientTransportPlugin") != 0)
		return;
	copy_line(text, value);
	(bridge ? add_bridge : add_plugin)(n, text);
}

void
pol_needs_finish(struct pol_needs *n)
{
	size_t kept = 0;

	if (n->bridges)
		return; /* nothing was taken twice, or without a bridge */
	n->fronts = false;
	for (size_t i = 0; i < n->n; i++)
		if (n->need[i].role == POL_NEED_PROXY)
			n->need[kept++] = n->need[i];
	n->n = kept;
}

size_t
pol_needs_methods(char out[POL_MAX_METHODS][POL_NAME_LEN],
    const struct pol_needs *n)
{
	size_t count = 0;

	for (size_t i = 0; i < n->n && count < POL_MAX_METHODS; i++) {
		const char *method = n->need[i].transport;
		size_t j = 0;

		while (j < count && strcmp(out[j], method) != 0)
			j++;
		if (method[0] != '\0' && j == count)
			memcpy(out[count++], method, POL_NAME_LEN);
	}
	return count;
}

const char *
pol_need_role_name(enum pol_need_role role)
{
	static const char *const names[POL_NROLE] = {
		[POL_NEED_PROXY] = "proxy",
		[POL_NEED_BRIDGE] = "bridge",
		[POL_NEED_URL] = "url",
		[POL_NEED_FRONT] = "front",
		[POL_NEED_STUN] = "stun",
	};

	return names[role];
}
