#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/parse.h"
#include "policy/print.h"

static const struct {
	unsigned bit;
	const char *name;
} auths[] = {
	{ POL_AUTH_SAFECOOKIE, "safecookie" },
	{ POL_AUTH_PASSWORD, "password" },
	{ POL_AUTH_COOKIE, "cookie" },
	{ POL_AUTH_NULL, "null" },
};

/* The parser lets no quote or backslash into any value: none is escaped. */
static void
print_text(FILE *f, const char *key, const char *value)
{
	if (value[0] != '\0')
		(void)fprintf(f, "\t%s = \"%s\"\n", key, value);
}

static void
print_user(FILE *f, const char *key, const struct pol_user *user)
{
	if (user->name[0] != '\0')
		print_text(f, key, user->name);
	else
		(void)fprintf(f, "\t%s = %u\n", key, user->uid);
}

static void
print_ifaces(FILE *f, const char *key, const char (*list)[POL_IFNAME_LEN],
    size_t n)
{
	(void)fprintf(f, "\t%s = {", key);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(f, "%s \"%s\"", i != 0 ? "," : "", list[i]);
	(void)fputs(" }\n", f);
}

static void
print_tor(FILE *f, const struct pol_tor *tor)
{
	char control[sizeof "unix:" + POL_PATH_LEN];
	const char *comma = "";

	(void)fputs("tor {\n", f);
	print_user(f, "user", &tor->user);
	if (tor->control_is_unix) {
		(void)snprintf(control, sizeof control, "unix:%s",
		    tor->control_path);
	} else {
		pol_addrport_format(control, sizeof control,
		    &tor->control_addr, tor->control_port);
	}
	print_text(f, "control", control);
	(void)fputs("\tauth = {", f);
	for (size_t i = 0; i < sizeof auths / sizeof auths[0]; i++) {
		if ((tor->auth & auths[i].bit) == 0)
			continue;
		(void)fprintf(f, "%s \"%s\"", comma, auths[i].name);
		comma = ",";
	}
	(void)fputs(" }\n", f);
	print_text(f, "cookie_file", tor->cookie_file);
	print_text(f, "password_file", tor->password_file);
	print_text(f, "egress", tor->strict_egress ? "strict" : "any");
	print_text(f, "torrc", tor->torrc);
	if (tor->enable)
		(void)fputs("\tenable = true\n", f);
	if (tor->nifaces != 0)
		print_ifaces(f, "interface", tor->ifaces, tor->nifaces);
	(void)fputs("}\n", f);
}

static void
print_gateway(FILE *f, const struct pol_policy *p)
{
	(void)fputs("gateway {\n", f);
	print_ifaces(f, "internal", p->internal, p->ninternal);
	print_ifaces(f, "external", p->external, p->nexternal);
	print_text(f, "closed", p->closed == POL_CLOSED_STRICT ?
	    "strict" : "tor-allowed");
	(void)fprintf(f, "\tlease_ms = %u\n\tprobe_ms = %u\n\tdhcp = %s\n",
	    p->lease_ms, p->probe_ms, p->dhcp ? "true" : "false");
	print_text(f, "run_dir", p->run_dir);
	(void)fputs("}\n", f);
}

/*
 * Without a resolver it need not exist, and then it has no number; but what
 * the policy says about it must not get lost.
 */
static bool
shows_resolver_user(const struct pol_policy *p)
{
	const struct pol_user *u = &p->resolver_user;

	if (u->name[0] == '\0')
		return u->resolved;
	return p->resolver.addr.family != AF_UNSPEC ||
	    strcmp(u->name, POL_RESOLVER_USER) != 0;
}

static void
print_users(FILE *f, const struct pol_policy *p)
{
	(void)fputs("users {\n", f);
	print_user(f, "gate", &p->gate_user);
	print_user(f, "engine", &p->engine_user);
	print_user(f, "status", &p->status_user);
	if (shows_resolver_user(p))
		print_user(f, "resolver", &p->resolver_user);
	(void)fputs("}\n", f);
}

static const char *
truth(bool value)
{
	return value ? "true" : "false";
}

/* The words of BITS, the lowest first. */
static void
print_bits(FILE *f, const char *key, unsigned bits, const char *const *names)
{
	const char *comma = "";

	(void)fprintf(f, "\t%s = {", key);
	for (unsigned i = 0; bits >> i != 0; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		(void)fprintf(f, "%s \"%s\"", comma, names[i]);
		comma = ",";
	}
	(void)fputs(" }\n", f);
}

static void
print_firewall(FILE *f, const struct pol_firewall *fw)
{
	static const char *const modes[] = { "standalone", "veto" };
	static const char *const refusals[] = { "reject", "drop" };
	static const char *const routes[] = { "internal", "full", "off" };
	static const char *const icmp[] = { "frag-needed", "unreachable",
		"echo" };
	static const char *const own[] = { "tcp", "dns" };

	(void)fputs("firewall {\n", f);
	print_text(f, "mode", modes[fw->mode]);
	print_text(f, "refuse", refusals[fw->refuse]);
	print_text(f, "routes", routes[fw->routes]);
	print_bits(f, "icmp", fw->icmp, icmp);
	print_bits(f, "transparent", fw->transparent, own);
	(void)fprintf(f, "\tra = %s\n\tlog_per_minute = %u\n}\n",
	    truth(fw->ra), fw->log_per_minute);
}

static void
print_time_users(FILE *f, const struct pol_timesync *t)
{
	(void)fputs("\tusers = {", f);
	for (size_t i = 0; i < t->nusers; i++) {
		const struct pol_user *u = &t->users[i];

		(void)fputs(i != 0 ? ", " : " ", f);
		if (u->name[0] != '\0')
			(void)fprintf(f, "\"%s\"", u->name);
		else
			(void)fprintf(f, "%u", u->uid);
	}
	(void)fputs(" }\n", f);
}

/* All of a section are marked, or none; they stand together. */
static void
print_time_listeners(FILE *f, const struct pol_policy *p)
{
	const char *comma = "", *last = "";

	(void)fputs("\tlisteners = {", f);
	for (size_t i = 0; i < p->nlisteners; i++) {
		const struct pol_listener *l = &p->listeners[i];

		if (!l->timesync || strcmp(l->name, last) == 0)
			continue;
		last = l->name;
		(void)fprintf(f, "%s \"%s\"", comma, last);
		comma = ",";
	}
	(void)fputs(" }\n", f);
}

static void
print_timesync(FILE *f, const struct pol_policy *p)
{
	const struct pol_timesync *t = &p->timesync;

	(void)fprintf(f, "timesync {\n\trequired = %s\n",
	    truth(t->required));
	print_text(f, "directory", t->directory);
	print_time_users(f, t);
	print_time_listeners(f, p);
	(void)fprintf(f, "\tworkstations = %s\n}\n",
	    truth(t->workstations));
}

/* Only where it is used: elsewhere nobody needs to know of it. */
static void
print_whonix(FILE *f, const struct pol_policy *p)
{
	if (p->status_files[0] == '\0')
		return;
	(void)fputs("whonix {\n", f);
	print_text(f, "status_files", p->status_files);
	(void)fputs("}\n", f);
}

static void
print_traffic(FILE *f, const struct pol_traffic *t)
{
	char net[INET6_ADDRSTRLEN + 4];

	print_text(f, "protocol", t->l4proto == 0 ? "any" :
	    t->l4proto == IPPROTO_TCP ? "tcp" : "udp");
	if (t->nports != 0)
		(void)fputs("\tport = {", f);
	for (size_t i = 0; i < t->nports; i++) {
		(void)fprintf(f, "%s \"%u", i != 0 ? "," : "",
		    (unsigned)t->ports[i].first);
		if (t->ports[i].last != t->ports[i].first)
			(void)fprintf(f, "-%u", (unsigned)t->ports[i].last);
		(void)fputs("\"", f);
	}
	(void)fputs(t->nports != 0 ? " }\n" : "", f);
	if (t->nnets != 0)
		(void)fputs("\tnetwork = {", f);
	for (size_t i = 0; i < t->nnets; i++) {
		pol_net_format(net, sizeof net, &t->nets[i]);
		(void)fprintf(f, "%s \"%s\"", i != 0 ? "," : "", net);
	}
	(void)fputs(t->nnets != 0 ? " }\n" : "", f);
}

/* What may pass beside Tor. */
static void
print_passes(FILE *f, const struct pol_policy *p)
{
	for (size_t i = 0; i < p->negress; i++) {
		const struct pol_egress *e = &p->egress[i];

		(void)fprintf(f, "egress \"%s\" {\n", e->name);
		print_user(f, "user", &e->user);
		print_text(f, "interface", e->ifname);
		print_traffic(f, &e->traffic);
		(void)fputs("}\n", f);
	}
	for (size_t i = 0; i < p->nservices; i++) {
		const struct pol_service *v = &p->services[i];

		(void)fprintf(f, "service \"%s\" {\n", v->name);
		print_text(f, "interface", v->ifname);
		print_traffic(f, &v->traffic);
		(void)fputs("}\n", f);
	}
}

/* How many listeners, from L on, are at its place: N at most. */
static size_t
same_place(const struct pol_listener *l, size_t n)
{
	size_t i = 1;

	if (l->addr.family == AF_UNIX)
		return 1; /* without a port it is alone there */
	while (i < n && l[i].ifaddr == l->ifaddr &&
	    pol_addr_equal(&l[i].addr, &l->addr))
		i++;
	return i;
}

static void
print_place(FILE *f, const struct pol_policy *p, const struct pol_listener *l)
{
	char addr[INET6_ADDRSTRLEN];

	if (l->addr.family == AF_UNIX) {
		(void)fprintf(f, "\"unix:%s\"", l->path);
	} else if (l->ifaddr != 0) {
		(void)fprintf(f, "\"interface:%s:%s\"",
		    p->ifaddrs[l->ifaddr - 1].ifname,
		    l->addr.family == AF_INET6 ? "ipv6" : "ipv4");
	} else {
		pol_addr_format(addr, sizeof addr, &l->addr);
		(void)fprintf(f, "\"%s\"", addr);
	}
}

/* Where the section listens. */
static void
print_places(FILE *f, const struct pol_policy *p,
    const struct pol_listener *l, size_t n)
{
	(void)fputs("\taddress = {", f);
	for (size_t i = 0; i < n; i += same_place(&l[i], n - i)) {
		(void)fputs(i != 0 ? ", " : " ", f);
		print_place(f, p, &l[i]);
	}
	(void)fputs(" }\n", f);
}

/* The ports of the N listeners of one section's first place that has any. */
static void
print_ports(FILE *f, const struct pol_listener *l, size_t n)
{
	size_t i = 0;

	while (n != 0 && l->addr.family == AF_UNIX) {
		l++;
		n--;
	}
	if (n == 0)
		return;
	n = same_place(l, n);
	(void)fputs("\tport = {", f);
	while (i < n) {
		size_t first = i;

		while (i + 1 < n && l[i + 1].port == l[i].port + 1)
			i++;
		(void)fprintf(f, "%s \"%u", first != 0 ? "," : "",
		    (unsigned)l[first].port);
		if (i != first)
			(void)fprintf(f, "-%u", (unsigned)l[i].port);
		(void)fputs("\"", f);
		i++;
	}
	(void)fputs(" }\n", f);
}

static void
print_flags(FILE *f, const char *flags)
{
	const char *comma = "";

	if (flags[0] == '\0')
		return;
	(void)fputs("\tflags = {", f);
	while (*flags != '\0') {
		size_t n = strcspn(flags, " ");

		(void)fprintf(f, "%s \"%.*s\"", comma, (int)n, flags);
		comma = ",";
		flags += n;
		flags += strspn(flags, " ");
	}
	(void)fputs(" }\n", f);
}

/* The N listeners of one section, in the order in which parsing made them. */
static void
print_section(FILE *f, const struct pol_policy *p,
    const struct pol_listener *l, size_t n)
{
	(void)fprintf(f, "listener \"%s\" {\n\tkind = \"%s\"\n", l->name,
	    pol_kind_name(l->kind));
	print_text(f, "app", l->app);
	print_places(f, p, l, n);
	print_ports(f, l, n);
	print_flags(f, l->flags);
	(void)fputs("}\n", f);
}

static void
print_listeners(FILE *f, const struct pol_policy *p)
{
	size_t i = 0;

	while (i < p->nlisteners) {
		const struct pol_listener *l = &p->listeners[i];
		size_t n = 1;

		while (i + n < p->nlisteners &&
		    strcmp(l[n].name, l->name) == 0)
			n++;
		print_section(f, p, l, n);
		i += n;
	}
}

char *
pol_print(const struct pol_policy *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool failed;

	if (f == NULL)
		return NULL;
	print_tor(f, &p->tor);
	print_gateway(f, p);
	print_users(f, p);
	print_firewall(f, &p->firewall);
	print_timesync(f, p);
	pol_print_resolver(f, &p->resolver);
	print_whonix(f, p);
	pol_print_transports(f, p);
	print_passes(f, p);
	print_listeners(f, p);
	failed = ferror(f) != 0;
	if (fclose(f) == EOF || failed) {
		free(text);
		return NULL;
	}
	return text;
}
