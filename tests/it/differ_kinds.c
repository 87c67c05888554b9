/* Tables that mean nothing, but have everything that tables can have. */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <check.h>

#include "policy/build.h"
#include "tests/it/differ.h"

#define LEASE_MS 1000u
#define DEVICE "ext0"

struct chains {
	size_t pre, in, out, nat, relays;
};

static struct pol_addr
address(const char *text)
{
	struct pol_addr a;

	ck_assert(pol_addr_parse(&a, text));
	return a;
}

static struct pol_net
network(const char *text)
{
	struct pol_net n;

	ck_assert(pol_net_parse(&n, text));
	return n;
}

static struct pol_stmt
net_is(enum pol_stmt_kind kind, const char *text)
{
	const struct pol_net n = network(text);

	return pol_st_net(kind, &n);
}

static struct pol_stmt
ports(enum pol_stmt_kind kind, uint16_t first, uint16_t last)
{
	return pol_st_ports(kind, &(struct pol_ports){ first, last });
}

/* Element lists are the table's own. */
static void
constant_set(struct pol_build *b, enum pol_set_id id, enum pol_key key,
    const char *addr)
{
	struct pol_set s = { .id = id, .key = key, .constant = true,
		.size = 2, .nelems = 2 };

	s.elems = calloc(2, sizeof *s.elems);
	ck_assert_ptr_nonnull(s.elems);
	for (size_t i = 0; i < 2; i++) {
		if (addr != NULL)
			s.elems[i].addr = address(addr);
		s.elems[i].l4proto = i == 0 ? IPPROTO_TCP : IPPROTO_UDP;
		s.elems[i].port = (uint16_t)(9050 + i);
	}
	pol_build_set(b, &s);
}

static void
make_sets(struct pol_build *b)
{
	static const struct pol_set sets[] = {
		{ .id = POL_S_GATE, .key = POL_K_NFPROTO,
		    .timeout_ms = LEASE_MS, .size = 1024 },
		{ .id = POL_S_EGRESS, .key = POL_K_NFPROTO,
		    .timeout_ms = LEASE_MS, .size = 1024 },
		{ .id = POL_S_SYNC, .key = POL_K_NFPROTO,
		    .timeout_ms = LEASE_MS, .size = 1024 },
		{ .id = POL_S_LOOKUP, .key = POL_K_NFPROTO,
		    .timeout_ms = LEASE_MS, .size = 1024 },
		{ .id = POL_S_STUB, .key = POL_K_NFPROTO,
		    .timeout_ms = LEASE_MS, .size = 1024 },
		{ .id = POL_S_UDP, .key = POL_K_NFPROTO,
		    .timeout_ms = LEASE_MS, .size = 1024 },
		{ .id = POL_S_REACH_TOR4, .key = POL_K_RELAY4,
		    .expires = true, .size = 512 },
		{ .id = POL_S_REACH_TOR6, .key = POL_K_RELAY6,
		    .expires = true, .size = 512 },
		{ .id = POL_S_REACH_RESOLVER4, .key = POL_K_RELAY4,
		    .expires = true, .size = 512 },
		{ .id = POL_S_REACH_RESOLVER6, .key = POL_K_RELAY6,
		    .expires = true, .size = 512 },
		{ .id = POL_S_PROVEN4, .key = POL_K_DST4, .size = 8192 },
		{ .id = POL_S_PROVEN6, .key = POL_K_DST6, .size = 8192 },
		{ .id = POL_S_TARGET4, .key = POL_K_L4PROTO,
		    .data = POL_D_ADDR4, .size = 4 },
		{ .id = POL_S_TARGET6, .key = POL_K_L4PROTO,
		    .data = POL_D_ADDR6, .size = 4 },
		{ .id = POL_S_RELAYS4_A, .key = POL_K_RELAY4,
		    .size = POL_MAX_RELAYS },
		{ .id = POL_S_RELAYS6_A, .key = POL_K_RELAY6,
		    .size = POL_MAX_RELAYS },
		{ .id = POL_S_RELAYS4_B, .key = POL_K_RELAY4,
		    .size = POL_MAX_RELAYS },
		{ .id = POL_S_RELAYS6_B, .key = POL_K_RELAY6,
		    .size = POL_MAX_RELAYS },
	};

	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
		pol_build_set(b, &sets[i]);
	constant_set(b, POL_S_LISTEN4, POL_K_DST4, "10.1.2.3");
	constant_set(b, POL_S_LISTEN6, POL_K_DST6, "fd00::1");
	constant_set(b, POL_S_STUB_PORT4, POL_K_DST4, "127.0.0.1");
	constant_set(b, POL_S_STUB_PORT6, POL_K_DST6, "::1");
	constant_set(b, POL_S_DIRECT4, POL_K_DST4, "10.1.2.4");
	constant_set(b, POL_S_DIRECT6, POL_K_DST6, "fd00::2");
	constant_set(b, POL_S_PORTS4, POL_K_DPORT, NULL);
	constant_set(b, POL_S_PORTS6, POL_K_DPORT, NULL);
	constant_set(b, POL_S_DIRECT_PORTS4, POL_K_DPORT, NULL);
	constant_set(b, POL_S_DIRECT_PORTS6, POL_K_DPORT, NULL);
}

static void
make_chains(struct pol_build *b, struct chains *c)
{
	c->pre = pol_build_chain(b, &(struct pol_chain){ .name = "pre",
	    .hook = POL_H_PREROUTING, .priority = -340 });
	c->in = pol_build_chain(b, &(struct pol_chain){ .name = "input",
	    .hook = POL_H_INPUT, .policy_drop = true });
	c->out = pol_build_chain(b, &(struct pol_chain){ .name = "output",
	    .hook = POL_H_OUTPUT, .priority = -150 });
	c->nat = pol_build_chain(b, &(struct pol_chain){ .name = "nat_pre",
	    .nat = true, .hook = POL_H_PREROUTING, .priority = -100 });
	c->relays = pol_build_chain(b, &(struct pol_chain){
	    .name = POL_RELAYS_CHAIN });
	(void)pol_build_chain(b, &(struct pol_chain){ .name = "forward",
	    .hook = POL_H_FORWARD, .policy_drop = true });
}

/* Where packets come in. */
static void
pre_rules(struct pol_build *b, size_t c)
{
	static const uint32_t exthdrs[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING,
		IPPROTO_FRAGMENT, IPPROTO_DSTOPTS, IPPROTO_MH };

	POL_RULE(b, c, pol_st_if(POL_M_IIFNAME, "eth1"),
	    pol_st_lookup(POL_S_GATE, POL_K_NFPROTO),
	    pol_st_num(POL_A_MARK_OR, POL_MARK_GATE));
	POL_RULE(b, c, pol_st_if(POL_M_IIFNAME, "v*"),
	    pol_st_lookup(POL_S_SYNC, POL_K_NFPROTO),
	    pol_st_num(POL_A_MARK_AND, ~POL_MARK_GATE));
	POL_RULE(b, c, pol_st_if(POL_M_IIFNAME, "abcdefghijklmn*"),
	    pol_st(POL_M_NO_ROUTE_BACK), pol_st(POL_A_COUNTER),
	    pol_st(POL_A_DROP));
	POL_RULE(b, c, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st(POL_M_IP4_PLAIN), pol_st(POL_A_DROP));
	POL_RULE(b, c, pol_st_num(POL_M_IP4_NET, IN_LOOPBACKNET),
	    pol_st(POL_A_DROP));
	for (size_t i = 0; i < sizeof exthdrs / sizeof exthdrs[0]; i++)
		POL_RULE(b, c, pol_st_num(POL_M_NFPROTO, AF_INET6),
		    pol_st_num(POL_M_IP6_EXTHDR, exthdrs[i]),
		    pol_st(POL_A_DROP));
}

static void
in_rules(struct pol_build *b, size_t c)
{
	const struct pol_stmt eth1 = pol_st_if(POL_M_IIFNAME, "eth1");

	pol_build_nd(b, c, &eth1, POL_ND_NS);
	POL_RULE(b, c, pol_st(POL_M_CT_INVALID), pol_st(POL_A_DROP));
	POL_RULE(b, c, pol_st(POL_M_CT_ESTABLISHED), pol_st(POL_M_CT_REPLY),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st(POL_M_CT_NEW),
	    pol_st_num(POL_A_CT_MARK_OR, POL_MARK_GATE));
	POL_RULE(b, c, pol_st_num(POL_M_CT_MARK_SET, POL_MARK_GATE),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st(POL_M_CT_DNAT), pol_st_lookup(POL_S_PROVEN4, POL_K_DST4),
	    pol_st_lookup(POL_S_LISTEN4, POL_K_DST4), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_NFPROTO, AF_INET6),
	    pol_st_lookup(POL_S_PROVEN6, POL_K_DST6),
	    pol_st_lookup(POL_S_PORTS6, POL_K_DPORT), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_L4PROTO, IPPROTO_ICMP),
	    pol_st_num(POL_M_ICMP_TYPE, 3), pol_st_num(POL_M_ICMP_CODE, 4),
	    pol_st(POL_M_CT_RELATED), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMP),
	    pol_st_num(POL_M_ICMP_TYPE, 8), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_NFPROTO, AF_INET6),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6),
	    pol_st_num(POL_M_ICMPV6_TYPE, 1), pol_st_num(POL_M_ICMP_CODE, 4),
	    pol_st(POL_M_CT_RELATED), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, net_is(POL_M_SADDR_NET, "fe80::/10"),
	    net_is(POL_M_DADDR_NET, "ff00::/8"), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
	    net_is(POL_M_SADDR_NET, "192.168.1.0/24"),
	    ports(POL_M_DPORTS, 22, 22), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_A_LIMIT, 10), pol_st_log("portcullis"));
	POL_RULE(b, c, eth1, pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_REJECT_RST));
	POL_RULE(b, c, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st(POL_A_REJECT));
	POL_RULE(b, c, pol_st(POL_A_COUNTER), pol_st(POL_A_REJECT));
}

static void
out_rules(struct pol_build *b, const struct chains *c)
{
	const struct pol_stmt update = { .kind = POL_A_UPDATE,
		.set = POL_S_EGRESS, .key = POL_K_NFPROTO, .num = LEASE_MS };
	const struct pol_stmt ext = pol_st_if(POL_M_OIFNAME, "eth0");
	struct pol_rule relays[POL_NRELAYS_RULES];

	POL_RULE(b, c->out, pol_st_num(POL_M_SKUID, 4242),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
	    pol_st_num(POL_M_SPORT, POL_HB_SPORT),
	    pol_st_num(POL_M_DPORT, POL_HB_SYNC),
	    pol_st_lookup(POL_S_EGRESS, POL_K_NFPROTO), update,
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->out, pol_st_if(POL_M_OIFNAME, "vif*"),
	    pol_st_num(POL_M_MARK_CLEAR, POL_MARK_GATE), pol_st(POL_A_DROP));
	POL_RULE(b, c->out, ext, pol_st_num(POL_M_SKUID_NOT, 4300),
	    pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->out, ext, pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
	    pol_st(POL_M_CT_ORIGINAL), pol_st_jump(c->relays));
	POL_RULE(b, c->out, ext, pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
	    pol_st(POL_M_TCP_RST), pol_st(POL_A_DROP));
	POL_RULE(b, c->out, ext, pol_st_num(POL_M_SKUID, 1000),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
	    ports(POL_M_DPORTS, 8000, 8010), ports(POL_M_SPORTS, 1024, 65535),
	    net_is(POL_M_DADDR_NET, "172.16.0.0/12"), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->out, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_lookup(POL_S_LISTEN4, POL_K_SRC4), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->out, pol_st_num(POL_M_NFPROTO, AF_INET6),
	    pol_st_lookup(POL_S_LISTEN6, POL_K_SRC6), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->out, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_lookup(POL_S_PORTS4, POL_K_SPORT), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->out, pol_st_lookup(POL_S_STUB, POL_K_NFPROTO),
	    pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_lookup(POL_S_STUB_PORT4, POL_K_SRC4),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->out, pol_st_num(POL_M_NFPROTO, AF_INET6),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
	    pol_st_lookup(POL_S_REACH_TOR6, POL_K_RELAY6),
	    pol_st(POL_A_ACCEPT));
	for (int second = 0; second < 2; second++) {
		pol_relays_rules(relays, c->relays, second == 1);
		for (size_t i = 0; i < POL_NRELAYS_RULES; i++)
			pol_build_rule(b, relays[i].chain, relays[i].stmts,
			    relays[i].n);
	}
}

static void
nat_rules(struct pol_build *b, size_t c)
{
	static const char *const targets[] = { "10.152.152.10", "fd19::10" };

	POL_RULE(b, c, pol_st(POL_M_DADDR_LOCAL), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st(POL_M_DADDR_UNICAST), pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < 2; i++) {
		const struct pol_addr a = address(targets[i]);
		const struct pol_stmt dnat = { .kind = POL_A_DNAT, .addr = a,
			.num = 9040 };
		const struct pol_stmt map = { .kind = POL_A_DNAT_MAP,
			.addr = { .family = a.family }, .num = 5300,
			.set = i == 0 ? POL_S_TARGET4 : POL_S_TARGET6,
			.key = POL_K_L4PROTO };
		const struct pol_stmt family = pol_st_num(POL_M_NFPROTO,
		    (uint32_t)a.family);

		POL_RULE(b, c, family, pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
		    pol_st(POL_M_TCP_SYN), dnat);
		POL_RULE(b, c, family, pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
		    pol_st_num(POL_M_DPORT, 53), map);
	}
}

static void
netdev_rules(struct pol_build *b, size_t c)
{
	POL_RULE(b, c, pol_st_num(POL_M_FRAMETYPE, ETHERTYPE_ARP),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_ETHERTYPE, ETHERTYPE_IPV6),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6),
	    pol_st_num(POL_M_ICMPV6_TYPE, POL_ND_RS),
	    pol_st_num(POL_M_ICMP_CODE, 0),
	    pol_st_num(POL_M_HOPLIMIT, POL_ND_HOPLIMIT),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_SKUID_NOT, 4300),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	POL_RULE(b, c, pol_st(POL_M_ROUTED),
	    pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, pol_st_num(POL_M_ETHERTYPE, ETHERTYPE_IP),
	    pol_st_num(POL_M_SKUID, 1000),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
	    net_is(POL_M_DADDR_NET, "10.0.0.0/9"),
	    ports(POL_M_DPORTS, 123, 124), pol_st(POL_A_ACCEPT));
	POL_RULE(b, c, net_is(POL_M_SADDR_NET, "fd00::/64"),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
	    ports(POL_M_SPORTS, 22, 23), pol_st_num(POL_A_LIMIT, 60),
	    pol_st_log("egress"), pol_st(POL_A_DROP));
}

static void
make_netdev(struct pol_build *b)
{
	struct pol_chain c = { .name = "egress0",
		.hook = POL_H_NETDEV_EGRESS, .policy_drop = true };

	strcpy(c.device, DEVICE);
	netdev_rules(b, pol_build_chain(b, &c));
}

static void
start(struct pol_ruleset *out, struct pol_build *b, enum pol_table_id id)
{
	b->t = &out->tables[id];
	b->nomem = false;
	b->t->id = id;
	b->t->family = id == POL_T_NETDEV ? POL_F_NETDEV : POL_F_INET;
}

void
differ_all_kinds(struct pol_ruleset *out)
{
	struct pol_build b;
	struct chains c;

	memset(out, 0, sizeof *out);
	start(out, &b, POL_T_GATE);
	make_sets(&b);
	make_chains(&b, &c);
	pre_rules(&b, c.pre);
	in_rules(&b, c.in);
	out_rules(&b, &c);
	nat_rules(&b, c.nat);
	ck_assert(!b.nomem);
	start(out, &b, POL_T_NETDEV);
	make_netdev(&b);
	ck_assert(!b.nomem);
}

/* Every bit of an address that PREFIX leaves. */
static struct pol_net
ones(int family, uint8_t prefix)
{
	struct pol_net n = { .addr = { .family = family }, .prefix = prefix };
	uint8_t *octets = family == AF_INET6 ? n.addr.v6.s6_addr :
	    (uint8_t *)&n.addr.v4;

	for (unsigned i = 0; i < prefix; i++)
		octets[i / 8] |= (uint8_t)(0x80u >> i % 8);
	return n;
}

void
differ_all_prefixes(struct pol_ruleset *out)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct pol_build b;
	struct chains c;

	memset(out, 0, sizeof *out);
	start(out, &b, POL_T_GATE);
	make_chains(&b, &c);
	for (size_t i = 0; i < 2; i++)
		for (unsigned n = 0; n <= (i == 0 ? 32u : 128u); n++) {
			const struct pol_net net = ones(families[i],
			    (uint8_t)n);

			POL_RULE(&b, c.in, pol_st_net(POL_M_SADDR_NET, &net),
			    pol_st_net(POL_M_DADDR_NET, &net),
			    pol_st(POL_A_ACCEPT));
		}
	ck_assert(!b.nomem);
}
