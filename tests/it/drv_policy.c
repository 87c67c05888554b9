#include "tests/it/drv_policy.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/gate/anchor.h"
#include "supervisor/gate/gate.h"
#include "supervisor/log.h"
#include "supervisor/policyfile.h"

/* Listeners that set the clock, of the first 32. */
static uint32_t clock_map;
static bool holds; /* the boot table */

uint8_t
drv_ifaddr_number(struct pol_policy *p, const char *spec)
{
	struct pol_ifaddr a = { .family = AF_INET };
	const size_t n = strcspn(spec, ":");

	if (n >= sizeof a.ifname || strncmp(spec + n, ":ipv", 4) != 0)
		fatal("IFACE:ipv4 is what an interface's address looks like");
	memcpy(a.ifname, spec, n);
	if (spec[n + 4] == '6')
		a.family = AF_INET6;
	for (size_t i = 0; i < p->nifaddrs; i++)
		if (p->ifaddrs[i].family == a.family &&
		    strcmp(p->ifaddrs[i].ifname, a.ifname) == 0)
			return (uint8_t)(i + 1);
	if (p->nifaddrs == POL_MAX_IFADDRS)
		fatal("too many addresses of interfaces");
	p->ifaddrs[p->nifaddrs++] = a;
	return (uint8_t)p->nifaddrs;
}

static void
add_listener(struct pol_policy *p, char *spec)
{
	struct pol_listener *l = &p->listeners[p->nlisteners];
	char *kind = strtok(spec, "/"), *addr = strtok(NULL, "/");
	char *port = strtok(NULL, "/");

	if (addr != NULL && strncmp(addr, "unix:", 5) == 0) {
		l->addr.family = AF_UNIX;
		(void)snprintf(l->path, sizeof l->path, "/run/%s", addr + 5);
		port = strchr(addr, ':') + 1; /* none */
	} else if (addr != NULL && strstr(addr, ":ipv") != NULL) {
		l->ifaddr = drv_ifaddr_number(p, addr);
		l->addr.family = p->ifaddrs[l->ifaddr - 1].family;
	} else if (addr == NULL || !pol_addr_parse(&l->addr, addr)) {
		fatal("KIND/ADDRESS/PORT is what a listener looks like");
	}
	if (port == NULL)
		fatal("a port is missing");
	l->port = (uint16_t)atoi(port);
	for (l->kind = POL_SOCKS; l->kind < POL_NKIND; l->kind++)
		if (strcmp(pol_kind_name(l->kind), kind) == 0)
			break;
	if (l->kind == POL_NKIND)
		fatal("no such kind of listener");
	l->loopback = strncmp(addr, "127.", 4) == 0 ||
	    strcmp(addr, "::1") == 0;
	(void)snprintf(l->name, sizeof l->name, "l%zu", p->nlisteners);
	p->nlisteners++;
}

static void
set_user(struct pol_user *u, const char *uid)
{
	u->uid = u->gid = (uint32_t)atoi(uid);
	u->resolved = true;
}

static void
add_iface(char list[][POL_IFNAME_LEN], size_t *n, const char *name)
{
	if (*n == POL_MAX_IFACES)
		fatal("too many interfaces");
	(void)snprintf(list[(*n)++], POL_IFNAME_LEN, "%s", name);
}

/* After -e: on the first external interface. */
static void
add_service(struct pol_policy *p, const char *port)
{
	struct pol_service *s = &p->services[p->nservices++];

	(void)snprintf(s->name, sizeof s->name, "port%s", port);
	(void)snprintf(s->ifname, sizeof s->ifname, "%s", p->external[0]);
	s->traffic.l4proto = IPPROTO_TCP;
	s->traffic.nports = 1;
	s->traffic.ports[0].first = s->traffic.ports[0].last =
	    (uint16_t)atoi(port);
}

static void
set_routes(struct pol_policy *p, const char *word)
{
	p->firewall.routes = strcmp(word, "full") == 0 ? POL_ROUTES_FULL :
	    strcmp(word, "off") == 0 ? POL_ROUTES_OFF : POL_ROUTES_INTERNAL;
}

static void
read_file(struct pol_policy *p, const char *path)
{
	struct pol_diags diags = { 0 };

	if (policyfile_load(p, &diags, path, false) == -1)
		fatal("%s:%u: %s", path, diags.n > 0 ? diags.list[0].line : 0,
		    diags.n > 0 ? diags.list[0].text : "not a policy");
	pol_diags_clear(&diags);
}

static const char *
read_options(struct pol_policy *p, int argc, char **argv)
{
	const char *print = NULL;
	int opt;

	set_user(&p->tor.user, "4300");
	set_user(&p->gate_user, "4242");
	p->ninternal = p->nexternal = 0;
	while ((opt = getopt(argc, argv,
	    "sl:t:u:i:e:p:rR:E:S:PXT:U:f:A")) != -1) {
		switch (opt) {
		case 's': p->closed = POL_CLOSED_STRICT; break;
		case 'l': p->lease_ms = (uint32_t)atoi(optarg); break;
		case 't': set_user(&p->tor.user, optarg); break;
		case 'u': set_user(&p->gate_user, optarg); break;
		case 'i': add_iface(p->internal, &p->ninternal, optarg);
			break;
		case 'e': add_iface(p->external, &p->nexternal, optarg);
			break;
		case 'p': print = optarg; break;
		case 'f': read_file(p, optarg); break;
		case 'r': exit(gate_remove_rules());
		case 'A': holds = true; break;
		case 'X': p->tor.strict_egress = true; break;
		case 'T': clock_map |= 1u << atoi(optarg); break;
		case 'U': set_user(&p->timesync.users[p->timesync.nusers++],
			optarg);
			break;
		case 'R': set_routes(p, optarg); break;
		case 'S': add_service(p, optarg); break;
		case 'P': p->firewall.icmp |= POL_ICMP_ECHO; break;
		case 'E': set_user(&p->egress[p->negress++].user, optarg);
			break;
		default: fatal("usage: see the top of gatedrv.c");
		}
	}
	return print;
}

static const char *
make_policy(struct pol_policy *p, int argc, char **argv)
{
	const char *print;

	pol_policy_init(p);
	print = read_options(p, argc, argv);
	if (p->listeners != NULL) { /* a policy file's, as is the rest */
		if (optind < argc)
			fatal("listeners are in the policy");
		return print;
	}
	p->listeners = xcalloc((size_t)argc, sizeof *p->listeners);
	for (int i = optind; i < argc; i++)
		add_listener(p, argv[i]);
	p->timesync.required = clock_map != 0;
	for (size_t i = 0; i < p->nlisteners && i < 32; i++)
		p->listeners[i].timesync = clock_map >> i & 1;
	return print;
}

const char *
drv_policy(struct pol_policy *p, int argc, char **argv)
{
	const char *print = make_policy(p, argc, argv);

	if (holds && anchor_drop(p) == -1)
		exit(1);
	return print;
}
