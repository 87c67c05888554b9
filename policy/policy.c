#include "policy/policy.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RESOLVER_PORT 53
#define RESOLVER_TIMEOUT_MS 5000
#define STUB_PORT 5453

static const struct {
	const char *option;
	const char *name;
	uint8_t l4proto;
	bool redirected;
} kinds[POL_NKIND] = {
	[POL_SOCKS] = { "SocksPort", "socks", IPPROTO_TCP, false },
	[POL_HTTPTUNNEL] = { "HTTPTunnelPort", "httptunnel", IPPROTO_TCP,
	    false },
	[POL_TRANS] = { "TransPort", "trans", IPPROTO_TCP, true },
	[POL_DNS] = { "DNSPort", "dns", IPPROTO_UDP, true },
};

const char *
pol_kind_option(enum pol_kind kind)
{
	return kinds[kind].option;
}

const char *
pol_kind_name(enum pol_kind kind)
{
	return kinds[kind].name;
}

uint8_t
pol_kind_l4proto(enum pol_kind kind)
{
	return kinds[kind].l4proto;
}

bool
pol_kind_redirected(enum pol_kind kind)
{
	return kinds[kind].redirected;
}

void
pol_policy_init(struct pol_policy *p)
{
	memset(p, 0, sizeof *p);
	p->lease_ms = POL_LEASE_DEFAULT_MS;
	p->probe_ms = POL_LEASE_DEFAULT_MS / POL_PROBE_PART;
	p->closed = POL_CLOSED_TOR_ALLOWED;
	p->dhcp = false;
	p->firewall.mode = POL_MODE_STANDALONE;
	p->firewall.refuse = POL_REFUSE_REJECT;
	p->firewall.routes = POL_ROUTES_INTERNAL;
	p->firewall.icmp = POL_ICMP_FRAG_NEEDED;
	p->firewall.ra = true;
	(void)snprintf(p->timesync.directory, sizeof p->timesync.directory,
	    "/run/sdwdate");
	p->tor.auth = POL_AUTH_SAFECOOKIE;
	p->resolver.port = RESOLVER_PORT;
	p->resolver.timeout_ms = RESOLVER_TIMEOUT_MS;
	p->resolver.stub_port = STUB_PORT;
	(void)snprintf(p->run_dir, sizeof p->run_dir, "/run/portcullis");
	(void)snprintf(p->gate_user.name, sizeof p->gate_user.name,
	    "portcullis-gate");
	(void)snprintf(p->engine_user.name, sizeof p->engine_user.name,
	    "portcullis-engine");
	(void)snprintf(p->status_user.name, sizeof p->status_user.name,
	    "portcullis-status");
	(void)snprintf(p->resolver_user.name, sizeof p->resolver_user.name,
	    POL_RESOLVER_USER);
}

void
pol_policy_clear(struct pol_policy *p)
{
	free(p->listeners);
	free(p->bridges);
	explicit_bzero(p, sizeof *p);
}

bool
pol_listener_addr(struct pol_addr *out, const struct pol_listener *l,
    const struct pol_addr *ifaddrs)
{
	memset(out, 0, sizeof *out);
	if (l->addr.family == AF_UNIX)
		return false;
	if (l->ifaddr == 0)
		*out = l->addr;
	else if (ifaddrs != NULL)
		*out = ifaddrs[l->ifaddr - 1];
	return out->family != 0;
}

void
pol_listener_format(char *dst, size_t cap, const struct pol_policy *p,
    const struct pol_listener *l, const struct pol_addr *ifaddrs)
{
	struct pol_addr addr;

	if (l->addr.family == AF_UNIX)
		(void)snprintf(dst, cap, "unix:%s", l->path);
	else if (pol_listener_addr(&addr, l, ifaddrs))
		pol_addrport_format(dst, cap, &addr, l->port);
	else
		(void)snprintf(dst, cap, "interface:%s:%s:%u",
		    p->ifaddrs[l->ifaddr - 1].ifname,
		    l->addr.family == AF_INET6 ? "ipv6" : "ipv4",
		    (unsigned)l->port);
}

bool
pol_iface_match(const char *pattern, const char *name)
{
	const size_t n = strlen(pattern);

	if (n != 0 && pattern[n - 1] == '*')
		return strncmp(pattern, name, n - 1) == 0;
	return strcmp(pattern, name) == 0;
}

bool
pol_traffic_covers(const struct pol_traffic *t, const struct pol_listener *l)
{
	if (l->addr.family == AF_UNIX ||
	    (t->l4proto != 0 && t->l4proto != pol_kind_l4proto(l->kind)))
		return false;
	for (size_t i = 0; i < t->nports; i++)
		if (t->ports[i].first <= l->port && l->port <= t->ports[i].last)
			return true;
	return t->nports == 0;
}

bool
pol_tor_leaves_by(const struct pol_policy *p, const char *name)
{
	for (size_t i = 0; i < p->tor.nifaces; i++)
		if (strcmp(p->tor.ifaces[i], name) == 0)
			return true;
	return p->tor.nifaces == 0;
}
