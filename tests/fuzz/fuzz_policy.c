/*
 * Promises: a refusal has a reason and leaves nothing behind; our scanner
 * and libconfuse never disagree about a text; what parses prints as text
 * that parses to the same policy and prints the same; no filter of any such
 * policy lets an unmarked client pass; no section gives away what is not its
 * own; every option made of it means its own listener, and as a port line
 * wants its socket and no other one's.
 */
#include "tests/fuzz/fuzz.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/options.h"
#include "policy/parse.h"
#include "policy/portline.h"
#include "policy/rules.h"
#include "policy/uplink.h"
#include "tests/unit/polprops.h"

/* Any addresses, each another one. */
static void
make_ifaddrs(struct pol_addr ifaddrs[POL_MAX_IFADDRS],
    const struct pol_policy *p)
{
	char text[INET6_ADDRSTRLEN];

	memset(ifaddrs, 0, POL_MAX_IFADDRS * sizeof *ifaddrs);
	for (size_t i = 0; i < p->nifaddrs; i++) {
		bool v6 = p->ifaddrs[i].family == AF_INET6;

		(void)snprintf(text, sizeof text, v6 ? "fd99::%zx" :
		    "10.99.99.%zu", i + 1);
		FUZZ_ASSERT(pol_addr_parse(&ifaddrs[i], text));
	}
}

static void
check_option(const struct pol_policy *p, const struct pol_option *o,
    const struct pol_addr *ifaddrs)
{
	const struct pol_listener *l = &p->listeners[o->listener];
	struct pol_line line;

	FUZZ_ASSERT(pol_option_same(l, o->value, ifaddrs));
	FUZZ_ASSERT(pol_line_parse(&line, o->value));
	FUZZ_ASSERT(pol_line_collides(&line, l->kind, l, ifaddrs));
	FUZZ_ASSERT(pol_line_reachable(o->value) == !l->loopback);
}

static void
check_options(const struct pol_policy *p)
{
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	struct pol_view view = { .ifaddrs = ifaddrs };
	struct pol_options o;

	make_ifaddrs(ifaddrs, p);
	FUZZ_ASSERT(pol_options_make(&o, p, &view) == 0);
	for (size_t i = 0; i < o.n; i++)
		if (o.list[i].listener != SIZE_MAX)
			check_option(p, &o.list[i], ifaddrs);
	FUZZ_ASSERT(o.n == p->nlisteners + 1);
	pol_options_clear(&o);
}

/* The input itself as a line: it must not hurt, and its place is a place. */
static void
check_line(const char *data, size_t size)
{
	char value[512];
	struct pol_line line;

	if (size >= sizeof value)
		return;
	if (size != 0)
		memcpy(value, data, size);
	value[size] = '\0';
	if (!pol_line_parse(&line, value)) {
		FUZZ_ASSERT(pol_line_reachable(value));
		return;
	}
	FUZZ_ASSERT(line.flags >= value &&
	    line.flags <= value + strlen(value));
	FUZZ_ASSERT((line.addr.family == AF_UNIX) == (line.path[0] != '\0'));
	FUZZ_ASSERT(line.port == 0 || line.addr.family != AF_UNIX);
	FUZZ_ASSERT(line.addr.family != AF_UNSPEC || line.by_name);
}

static void
check_rules(const struct pol_policy *p)
{
	struct pol_ruleset rs;

	FUZZ_ASSERT(pol_ruleset_make(&rs, p) == 0);
	FUZZ_ASSERT(pp_ruleset_fault(&rs) == NULL);
	for (size_t i = 0; i < POL_NTABLE; i++) {
		char *text = pol_table_print(&rs.tables[i], p, POL_POS_OPEN);

		FUZZ_ASSERT(text != NULL);
		free(text);
	}
	pol_ruleset_clear(&rs);
}

static void
check_same(const struct pol_policy *p, const char *text)
{
	struct pol_source src = { "printed", text, strlen(text) };
	struct pol_policy q;
	struct pol_diags diags;
	char *again;

	FUZZ_ASSERT(pol_parse(&q, &diags, &src, 1) == 0);
	FUZZ_ASSERT(diags.n == 0);
	FUZZ_ASSERT(q.nlisteners == p->nlisteners);
	FUZZ_ASSERT(q.negress == p->negress && q.nservices == p->nservices &&
	    q.tor.nifaces == p->tor.nifaces &&
	    q.timesync.nusers == p->timesync.nusers);
	FUZZ_ASSERT(q.ntransports == p->ntransports &&
	    q.nbridges == p->nbridges && memcmp(q.transports, p->transports,
	    sizeof q.transports) == 0);
	FUZZ_ASSERT(q.resolver.addr.family == p->resolver.addr.family &&
	    q.resolver.port == p->resolver.port &&
	    q.resolver.stub_port == p->resolver.stub_port &&
	    memcmp(q.resolver.pin, p->resolver.pin, POL_PIN_LEN) == 0);
	FUZZ_ASSERT(memcmp(&q.firewall, &p->firewall, sizeof q.firewall) == 0);
	FUZZ_ASSERT(q.nifaddrs == p->nifaddrs &&
	    memcmp(q.ifaddrs, p->ifaddrs, sizeof q.ifaddrs) == 0);
	FUZZ_ASSERT(memcmp(q.listeners, p->listeners,
	    p->nlisteners * sizeof *p->listeners) == 0);
	again = pol_print(&q);
	FUZZ_ASSERT(again != NULL && strcmp(again, text) == 0);
	free(again);
	pol_diags_clear(&diags);
	pol_policy_clear(&q);
}

/* No traffic past the gate's own proof, whatever the sections said. */
static void
check_passes(const struct pol_policy *p)
{
	for (size_t i = 0; i < p->negress; i++) {
		const struct pol_user *u = &p->egress[i].user;

		FUZZ_ASSERT(u->resolved ? u->uid != 0 : u->name[0] != '\0');
		FUZZ_ASSERT(!u->resolved || !p->tor.user.resolved ||
		    u->uid != p->tor.user.uid);
	}
	for (size_t i = 0; i < p->nservices; i++) {
		const struct pol_service *v = &p->services[i];

		FUZZ_ASSERT(v->ifname[0] != '\0');
		FUZZ_ASSERT(v->traffic.nports == 0 || v->traffic.l4proto != 0);
		for (size_t j = 0; j < p->nexternal; j++)
			FUZZ_ASSERT(!v->internal ||
			    strcmp(v->ifname, p->external[j]) != 0);
	}
	for (size_t i = 0; i < p->ninternal; i++)
		FUZZ_ASSERT(!pol_iface_match(p->internal[i], "lo"));
}

/* The transports' bridges are theirs, and no line but themselves. */
static void
check_uplink(const struct pol_policy *p)
{
	static struct pol_uplink u;
	char why[POL_UPLINK_WHY], plugin[POL_PLUGIN_LEN];

	for (size_t i = 0; i < p->ntransports; i++) {
		const struct pol_transport *t = &p->transports[i];

		pol_transport_plugin(plugin, sizeof plugin, t);
		FUZZ_ASSERT(strpbrk(plugin, "\n\r\t\"'\\#") == NULL);
		FUZZ_ASSERT(strlen(plugin) < sizeof plugin - 1);
		FUZZ_ASSERT(t->program[0] == '/');
		for (size_t j = 0; j < t->nmethods; j++)
			FUZZ_ASSERT(pol_transport_find(p, t->methods[j]) == i);
	}
	for (size_t i = 0; i < p->nbridges; i++) {
		FUZZ_ASSERT(p->bridges[i].transport < p->ntransports);
		memset(&u, 0, sizeof u);
		FUZZ_ASSERT(pol_uplink_stock(&u, p,
		    p->transports[p->bridges[i].transport].name));
		FUZZ_ASSERT(u.nbridges != 0 && pol_uplink_ok(&u, why, p));
	}
}

static void
check_refusal(const struct pol_diags *diags)
{
	/* At the start: further on there may be words of the input. */
	static const char apart[] = "this cannot be parsed";

	FUZZ_ASSERT(diags->n > 0);
	for (size_t i = 0; i < diags->n; i++)
		FUZZ_ASSERT(diags->list[i].text[0] != '\0' &&
		    strncmp(diags->list[i].text, apart, sizeof apart - 1) !=
		    0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pol_source src = { "fuzz", (const char *)data, size };
	struct pol_policy p;
	struct pol_diags diags;
	char *text;

	check_line((const char *)data, size);
	if (pol_parse(&p, &diags, &src, 1) == -1) {
		check_refusal(&diags);
		FUZZ_ASSERT(p.listeners == NULL);
		pol_diags_clear(&diags);
		return 0;
	}
	FUZZ_ASSERT(!pol_diags_wrong(&diags) && p.nlisteners > 0);
	pol_diags_clear(&diags);
	text = pol_print(&p);
	FUZZ_ASSERT(text != NULL);
	check_same(&p, text);
	check_options(&p);
	check_passes(&p);
	check_uplink(&p);
	check_rules(&p);
	free(text);
	pol_policy_clear(&p);
	return 0;
}
