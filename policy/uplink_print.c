/* struct pol_uplink -> Tor's options, as values and as a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/host.h"
#include "policy/uplink.h"

/* A user, a colon and a password. */
#define AUTH_LEN (2 * POL_SECRET_LEN)

const char *
pol_proxy_name(enum pol_proxy kind)
{
	static const char *const names[POL_NPROXY] = {
		[POL_PROXY_NONE] = "none",
		[POL_PROXY_HTTPS] = "https",
		[POL_PROXY_SOCKS4] = "socks4",
		[POL_PROXY_SOCKS5] = "socks5",
	};

	return names[kind];
}

void
pol_uplink_proxy_addr(struct pol_addr *out, const struct pol_uplink *u)
{
	(void)pol_addr_parse(out, u->host); /* cleared if it is a name */
}

bool
pol_uplink_same(const struct pol_uplink *a, const struct pol_uplink *b)
{
	if (a->nbridges != b->nbridges || a->proxy != b->proxy ||
	    a->port != b->port || a->has_auth != b->has_auth ||
	    strcmp(a->host, b->host) != 0 ||
	    strcmp(a->user, b->user) != 0 ||
	    strcmp(a->password, b->password) != 0)
		return false;
	for (size_t i = 0; i < a->nbridges; i++)
		if (strcmp(a->bridge[i], b->bridge[i]) != 0)
			return false;
	return true;
}

/* Is LINE for the method NAME, or in the section SECTION? */
static bool
is_wanted(const struct pol_policy *p, const struct pol_bridge_line *line,
    const char *method, const char *section)
{
	size_t n = strlen(method);

	if (section != NULL)
		return strcmp(p->transports[line->transport].name, section) ==
		    0;
	return strncmp(line->text, method, n) == 0 && line->text[n] == ' ';
}

/* How many of P's lines are wanted; as many as there is room for. */
static uint32_t
take_stock(struct pol_uplink *u, const struct pol_policy *p,
    const char *method, const char *section)
{
	uint32_t n = 0;

	for (size_t i = 0; i < p->nbridges && n < POL_UPLINK_BRIDGES; i++)
		if (is_wanted(p, &p->bridges[i], method, section))
			memcpy(u->bridge[n++], p->bridges[i].text,
			    POL_BRIDGE_LEN);
	return n;
}

bool
pol_uplink_stock(struct pol_uplink *u, const struct pol_policy *p,
    const char *name)
{
	struct pol_uplink with = *u;
	bool found;

	memset(with.bridge, 0, sizeof with.bridge);
	with.nbridges = take_stock(&with, p, name, NULL);
	if (with.nbridges == 0)
		with.nbridges = take_stock(&with, p, name, name);
	found = with.nbridges != 0;
	if (found)
		*u = with;
	explicit_bzero(&with, sizeof with);
	return found;
}

/* Whom the options are for, while they are handed out. */
struct giver {
	const struct pol_uplink *u;
	const struct pol_policy *p;
	pol_option_fn *each;
	void *arg;
};

static bool
give(const struct giver *g, const char *option, const char *value)
{
	return g->each(g->arg, option, value);
}

/* Does one of U's bridges go by T? */
static bool
in_use(const struct giver *g, size_t t)
{
	char why[POL_UPLINK_WHY];
	struct pol_bridge b;

	for (size_t i = 0; i < g->u->nbridges; i++)
		if (pol_bridge_parse(&b, why, g->u->bridge[i]) &&
		    b.transport[0] != '\0' &&
		    pol_transport_find(g->p, b.transport) == t)
			return true;
	return false;
}

static bool
give_plugins(const struct giver *g)
{
	char plugin[POL_PLUGIN_LEN];
	bool any = false;

	for (size_t i = 0; i < g->p->ntransports; i++) {
		if (!in_use(g, i))
			continue;
		any = true;
		pol_transport_plugin(plugin, sizeof plugin,
		    &g->p->transports[i]);
		if (!give(g, "ClientTransportPlugin", plugin))
			return false;
	}
	return any || give(g, "ClientTransportPlugin", NULL);
}

static bool
give_bridges(const struct giver *g)
{
	if (!give(g, "UseBridges", g->u->nbridges != 0 ? "1" : "0"))
		return false;
	for (size_t i = 0; i < g->u->nbridges; i++)
		if (!give(g, "Bridge", g->u->bridge[i]))
			return false;
	if (g->u->nbridges == 0 && !give(g, "Bridge", NULL))
		return false;
	return give_plugins(g);
}

/* HOST is the proxy's, as "address:port". */
static bool
give_proxy(const struct giver *g, const char *host)
{
	const struct pol_uplink *u = g->u;
	const bool https = u->proxy == POL_PROXY_HTTPS;
	const bool socks5 = u->proxy == POL_PROXY_SOCKS5;
	const bool auth = u->has_auth != 0;
	char both[AUTH_LEN];
	bool ok;

	(void)snprintf(both, sizeof both, "%s:%s", u->user, u->password);
	ok = give(g, "HTTPSProxy", https ? host : NULL) &&
	    give(g, "HTTPSProxyAuthenticator", https && auth ? both : NULL) &&
	    give(g, "Socks4Proxy",
		u->proxy == POL_PROXY_SOCKS4 ? host : NULL) &&
	    give(g, "Socks5Proxy", socks5 ? host : NULL) &&
	    give(g, "Socks5ProxyUsername", socks5 && auth ? u->user : NULL) &&
	    give(g, "Socks5ProxyPassword",
		socks5 && auth ? u->password : NULL);
	explicit_bzero(both, sizeof both);
	return ok;
}

bool
pol_uplink_options(const struct pol_uplink *u, const struct pol_policy *p,
    const struct pol_addr *addr, pol_option_fn *each, void *arg)
{
	const struct giver g = { u, p, each, arg };
	char host[INET6_ADDRSTRLEN + 8] = "";
	struct pol_addr own;

	pol_uplink_proxy_addr(&own, u);
	if (own.family == AF_UNSPEC && addr != NULL)
		own = *addr;
	if (u->proxy != POL_PROXY_NONE) {
		if (own.family != AF_INET && own.family != AF_INET6)
			return false;
		pol_addrport_format(host, sizeof host, &own,
		    (uint16_t)u->port);
	}
	return give_bridges(&g) && give_proxy(&g, host);
}

/* In quotes, with Tor's escapes: only a user or password needs any. */
static void
print_quoted(FILE *f, const char *value)
{
	(void)fputc('"', f);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			(void)fputc('\\', f);
		(void)fputc(*value, f);
	}
	(void)fputs("\"\n", f);
}

static bool
print_option(void *arg, const char *option, const char *value)
{
	static const char *const secrets[] = { "HTTPSProxyAuthenticator",
		"Socks5ProxyUsername", "Socks5ProxyPassword" };
	FILE *f = arg;

	if (value == NULL)
		return true; /* what a file does not say is not set */
	(void)fprintf(f, "%s ", option);
	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
		if (strcmp(option, secrets[i]) == 0) {
			print_quoted(f, value);
			return true;
		}
	(void)fprintf(f, "%s\n", value);
	return true;
}

/* The first line, and how that begins in files of any version of ours. */
#define HEAD_BEGINS "# Written by portcullis(1):"
#define HEAD HEAD_BEGINS " \"portcullis apply\" replaces this file.\n"

static void
print_head(FILE *f, const struct pol_uplink *u)
{
	char name[POL_HOST_TEXT];
	struct pol_addr own;

	(void)fputs(HEAD, f);
	pol_uplink_proxy_addr(&own, u);
	if (u->proxy == POL_PROXY_NONE || own.family != AF_UNSPEC)
		return;
	pol_host_format(name, u->host, (uint16_t)u->port);
	(void)fprintf(f, "# portcullis: proxy %s\n", name);
}

/*
 * As long as any: a stream in memory would move what it has as it grows, and
 * leave passwords behind.
 */
#define PRINT_MAX (POL_UPLINK_BRIDGES * (POL_BRIDGE_LEN + 16) + \
	POL_MAX_TRANSPORTS * (POL_PLUGIN_LEN + 32) + 4096)

char *
pol_uplink_print(const struct pol_uplink *u, const struct pol_policy *p,
    const struct pol_addr *addr)
{
	char *text = calloc(1, PRINT_MAX);
	FILE *f = text != NULL ? fmemopen(text, PRINT_MAX, "w") : NULL;
	bool ok = false;

	if (f != NULL) {
		(void)setvbuf(f, NULL, _IONBF, 0);
		print_head(f, u);
		ok = pol_uplink_options(u, p, addr, print_option, f) &&
		    ferror(f) == 0;
		ok = fclose(f) == 0 && ok;
	}
	if (ok)
		return text;
	if (text != NULL)
		explicit_bzero(text, PRINT_MAX);
	free(text);
	return NULL;
}

bool
pol_uplink_is_ours(const char *text, size_t len)
{
	return len >= sizeof HEAD_BEGINS - 1 &&
	    memcmp(text, HEAD_BEGINS, sizeof HEAD_BEGINS - 1) == 0;
}

/* What TEXT says without its first two lines; NULL: nothing by P. */
static struct pol_uplink *
read_plain(const struct pol_policy *p, const char *text, size_t len)
{
	struct pol_uplink *u = malloc(sizeof *u);
	const char *at = text, *end = text + len;
	char why[POL_UPLINK_WHY];

	for (int i = 0; i < 2 && at != NULL; i++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at += at != NULL;
	}
	if (u != NULL && at != NULL &&
	    pol_uplink_parse(u, why, p, at, (size_t)(end - at)) == 0)
		return u;
	free(u);
	return NULL;
}

bool
pol_uplink_read(struct pol_uplink *out, struct pol_addr *addr,
    const struct pol_policy *p, const char *text, size_t len)
{
	char why[POL_UPLINK_WHY];
	struct pol_uplink *plain;

	*addr = (struct pol_addr){ .family = AF_UNSPEC };
	memset(out, 0, sizeof *out);
	if (!pol_uplink_is_ours(text, len) ||
	    pol_uplink_parse(out, why, p, text, len) != 0)
		return false;
	pol_uplink_proxy_addr(addr, out);
	if (out->proxy == POL_PROXY_NONE || addr->family != AF_UNSPEC) {
		addr->family = AF_UNSPEC;
		return true;
	}
	/* Without the comment in the second line the proxy is its address. */
	plain = read_plain(p, text, len);
	if (plain != NULL) {
		pol_uplink_proxy_addr(addr, plain);
		explicit_bzero(plain, sizeof *plain);
		free(plain);
	}
	if (addr->family == AF_UNSPEC)
		explicit_bzero(out, sizeof *out);
	return addr->family != AF_UNSPEC;
}
