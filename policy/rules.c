#include "policy/rules.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/build.h"

static const char *const table_names[POL_NTABLE] = {
	[POL_T_BOOT] = "portcullis_boot",
	[POL_T_GUARD] = "portcullis_guard",
	[POL_T_GATE] = "portcullis",
	[POL_T_NETDEV] = "portcullis_egress",
};

static const char *const set_names[POL_NSET] = {
	[POL_S_GATE] = "gate",
	[POL_S_EGRESS] = "egress",
	[POL_S_PROVEN4] = "proven4",
	[POL_S_PROVEN6] = "proven6",
	[POL_S_LISTEN4] = "listen4",
	[POL_S_LISTEN6] = "listen6",
	[POL_S_DIRECT4] = "direct4",
	[POL_S_DIRECT6] = "direct6",
	[POL_S_PORTS4] = "ports4",
	[POL_S_PORTS6] = "ports6",
	[POL_S_DIRECT_PORTS4] = "direct_ports4",
	[POL_S_DIRECT_PORTS6] = "direct_ports6",
	[POL_S_TARGET4] = "target4",
	[POL_S_TARGET6] = "target6",
	[POL_S_SYNC] = "sync",
	[POL_S_RELAYS4_A] = "relays4a",
	[POL_S_RELAYS6_A] = "relays6a",
	[POL_S_RELAYS4_B] = "relays4b",
	[POL_S_RELAYS6_B] = "relays6b",
	[POL_S_LOOKUP] = "permit_lookup",
	[POL_S_STUB] = "permit_stub",
	[POL_S_UDP] = "permit_udp",
	[POL_S_STUB_PORT4] = "stub_port4",
	[POL_S_STUB_PORT6] = "stub_port6",
	[POL_S_REACH_TOR4] = "reach_tor4",
	[POL_S_REACH_TOR6] = "reach_tor6",
	[POL_S_REACH_RESOLVER4] = "reach_resolver4",
	[POL_S_REACH_RESOLVER6] = "reach_resolver6",
};

static const char *const position_names[POL_NPOS] = {
	[POL_POS_CLOSED] = "closed",
	[POL_POS_TOR_ONLY] = "tor-only",
	[POL_POS_SYNC] = "time-sync",
	[POL_POS_OPEN] = "open",
};

static void (*const fill[POL_NTABLE])(struct pol_build *,
    const struct pol_policy *) = {
	[POL_T_BOOT] = pol_build_guard,
	[POL_T_GUARD] = pol_build_guard,
	[POL_T_GATE] = pol_build_gate,
	[POL_T_NETDEV] = pol_build_netdev,
};

const char *
pol_table_name(enum pol_table_id id)
{
	return table_names[id];
}

const char *
pol_set_name(enum pol_set_id id)
{
	return set_names[id];
}

const char *
pol_position_name(enum pol_position pos)
{
	return position_names[pos];
}

/* The family comes first: keys of the other one mean nothing. */
static void
relays_rule(struct pol_rule *out, size_t chain, uint32_t nfproto,
    struct pol_stmt lookup)
{
	*out = (struct pol_rule){ .chain = chain, .stmts = {
		pol_st_num(POL_M_NFPROTO, nfproto),
		pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
		lookup,
		pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS),
	}, .n = 4 };
}

void
pol_relays_rules(struct pol_rule out[POL_NRELAYS_RULES], size_t chain,
    bool second)
{
	relays_rule(&out[0], chain, AF_INET, pol_st_lookup(
	    second ? POL_S_RELAYS4_B : POL_S_RELAYS4_A, POL_K_RELAY4));
	relays_rule(&out[1], chain, AF_INET6, pol_st_lookup(
	    second ? POL_S_RELAYS6_B : POL_S_RELAYS6_A, POL_K_RELAY6));
}

bool
pol_listener_elem(struct pol_elem *out, const struct pol_listener *l,
    const struct pol_addr *ifaddrs)
{
	memset(out, 0, sizeof *out);
	out->l4proto = pol_kind_l4proto(l->kind);
	out->port = l->port;
	return pol_listener_addr(&out->addr, l, ifaddrs);
}

const struct pol_listener *
pol_redirect_target(const struct pol_policy *p, enum pol_kind kind,
    int family, bool loopback)
{
	for (size_t i = 0; i < p->nlisteners; i++) {
		const struct pol_listener *l = &p->listeners[i];

		if (l->kind == kind && l->addr.family == family &&
		    l->loopback == loopback)
			return l;
	}
	return NULL;
}

void
pol_ruleset_clear(struct pol_ruleset *rs)
{
	for (size_t i = 0; i < POL_NTABLE; i++) {
		struct pol_table *t = &rs->tables[i];

		for (size_t j = 0; j < t->nsets; j++)
			free(t->sets[j].elems);
		free(t->sets);
		free(t->chains);
		free(t->rules);
	}
	memset(rs, 0, sizeof *rs);
}

int
pol_ruleset_make(struct pol_ruleset *out, const struct pol_policy *p)
{
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < POL_NTABLE; i++) {
		struct pol_build b = { .t = &out->tables[i] };

		b.t->id = (enum pol_table_id)i;
		b.t->family = i == POL_T_NETDEV ? POL_F_NETDEV : POL_F_INET;
		fill[i](&b, p);
		if (b.nomem) {
			pol_ruleset_clear(out);
			return -1;
		}
	}
	return 0;
}
