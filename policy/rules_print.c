/*
 * A table as nft text.  Nobody loads this while the gate runs: it is for
 * portcullis_boot, which is loaded before any of our programs, for people,
 * and for tests, which compare it with what the kernel was given.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "policy/rules.h"

static const char *const family_names[] = {
	[POL_F_INET] = "inet",
	[POL_F_NETDEV] = "netdev",
};

static const char *const hook_names[] = {
	[POL_H_NONE] = "",
	[POL_H_PREROUTING] = "prerouting",
	[POL_H_INPUT] = "input",
	[POL_H_FORWARD] = "forward",
	[POL_H_OUTPUT] = "output",
	[POL_H_NETDEV_EGRESS] = "egress",
};

static const char *const key_types[] = {
	[POL_K_NFPROTO] = "nf_proto",
	[POL_K_DST4] = "ipv4_addr . inet_proto . inet_service",
	[POL_K_DST6] = "ipv6_addr . inet_proto . inet_service",
	[POL_K_SRC4] = "ipv4_addr . inet_proto . inet_service",
	[POL_K_SRC6] = "ipv6_addr . inet_proto . inet_service",
	[POL_K_DPORT] = "inet_proto . inet_service",
	[POL_K_SPORT] = "inet_proto . inet_service",
	[POL_K_L4PROTO] = "inet_proto",
	[POL_K_RELAY4] = "ipv4_addr . inet_service",
	[POL_K_RELAY6] = "ipv6_addr . inet_service",
};

static const char *const data_types[] = {
	[POL_D_NONE] = "",
	[POL_D_ADDR4] = " : ipv4_addr",
	[POL_D_ADDR6] = " : ipv6_addr",
};

static const char *const key_exprs[] = {
	[POL_K_NFPROTO] = "meta nfproto",
	[POL_K_DST4] = "ip daddr . meta l4proto . th dport",
	[POL_K_DST6] = "ip6 daddr . meta l4proto . th dport",
	[POL_K_SRC4] = "ip saddr . meta l4proto . th sport",
	[POL_K_SRC6] = "ip6 saddr . meta l4proto . th sport",
	[POL_K_DPORT] = "meta l4proto . th dport",
	[POL_K_SPORT] = "meta l4proto . th sport",
	[POL_K_L4PROTO] = "meta l4proto",
	[POL_K_RELAY4] = "ip daddr . th dport",
	[POL_K_RELAY6] = "ip6 daddr . th dport",
};

/* What is being printed. */
struct out {
	FILE *f;
	const struct pol_table *t;
	const struct pol_policy *p;
	enum pol_position pos;
	uint32_t l4proto; /* what the rule has said of it so far; 0: nothing */
};

static const char *
exthdr_name(uint32_t header)
{
	switch (header) {
	case IPPROTO_HOPOPTS:
		return "hbh";
	case IPPROTO_ROUTING:
		return "rt";
	case IPPROTO_FRAGMENT:
		return "frag";
	case IPPROTO_DSTOPTS:
		return "dst";
	default: /* a number, not an enum: the fifth of rules_guard.c */
		return "mh";
	}
}

static void
print_dnat(const struct out *o, const struct pol_stmt *s)
{
	char text[64];

	(void)fprintf(o->f, "dnat %s to ",
	    s->addr.family == AF_INET6 ? "ip6" : "ip");
	if (s->kind == POL_A_DNAT_MAP) {
		(void)fprintf(o->f, "%s map @%s:%u", key_exprs[s->key],
		    pol_set_name(s->set), s->num);
		return;
	}
	pol_addrport_format(text, sizeof text, &s->addr, (uint16_t)s->num);
	(void)fputs(text, o->f);
}

/* Statements that are the same words always; NULL for the others. */
static const char *const fixed[POL_NSTMT] = {
	[POL_M_CT_ESTABLISHED] = "ct state established",
	[POL_M_CT_INVALID] = "ct state invalid",
	[POL_M_CT_REPLY] = "ct direction reply",
	[POL_M_CT_ORIGINAL] = "ct direction original",
	[POL_M_CT_DNAT] = "ct status dnat",
	[POL_M_TCP_SYN] = "tcp flags & (fin | syn | rst | ack) == syn",
	/* Version, length of header; more fragments, offset. */
	[POL_M_IP4_PLAIN] =
	    "@nh,0,64 & 0xff00000000003fff == 0x4500000000000000",
	[POL_M_CT_NEW] = "ct state new",
	[POL_M_CT_RELATED] = "ct state related",
	[POL_M_TCP_RST] = "tcp flags & rst != 0",
	[POL_M_NO_ROUTE_BACK] = "fib saddr . iif oif missing",
	[POL_M_DADDR_LOCAL] = "fib daddr type local",
	[POL_M_DADDR_UNICAST] = "fib daddr type unicast",
	[POL_M_ROUTED] = "meta rtclassid != 4294967295",
	[POL_A_COUNTER] = "counter",
	[POL_A_REJECT_RST] = "reject with tcp reset",
	[POL_A_REJECT] = "reject with icmpx admin-prohibited",
	[POL_A_ACCEPT] = "accept",
	[POL_A_DROP] = "drop",
};

/* Statements with one number; HEX digits of it, 0: decimal. */
static const struct {
	const char *before, *after;
	int hex;
} numbered[POL_NSTMT] = {
	[POL_M_L4PROTO] = { "meta l4proto ", "", 0 },
	[POL_M_SPORT] = { "th sport ", "", 0 },
	[POL_M_DPORT] = { "th dport ", "", 0 },
	[POL_M_SKUID] = { "meta skuid ", "", 0 },
	[POL_M_SKUID_NOT] = { "meta skuid != ", "", 0 },
	[POL_M_MARK_CLEAR] = { "meta mark & ", " == 0", 8 },
	[POL_M_MARK_SET] = { "meta mark & ", " != 0", 8 },
	[POL_M_CT_MARK_SET] = { "ct mark & ", " != 0", 8 },
	[POL_M_ICMPV6_TYPE] = { "icmpv6 type ", "", 0 },
	[POL_M_ICMP_TYPE] = { "icmp type ", "", 0 },
	[POL_M_HOPLIMIT] = { "ip6 hoplimit ", "", 0 },
	[POL_M_IP4_NET] = { "ip daddr ", ".0.0.0/8", 0 },
	[POL_M_ETHERTYPE] = { "meta protocol ", "", 4 },
	[POL_M_FRAMETYPE] = { "@ll,96,16 ", "", 4 },
	[POL_A_MARK_OR] = { "meta mark set meta mark | ", "", 8 },
	[POL_A_MARK_AND] = { "meta mark set meta mark & ", "", 8 },
	[POL_A_CT_MARK_OR] = { "ct mark set ct mark | ", "", 8 },
	[POL_A_LIMIT] = { "limit rate ", "/minute", 0 },
};

static void
print_numbered(const struct out *o, const struct pol_stmt *s)
{
	int hex = numbered[s->kind].hex;

	(void)fputs(numbered[s->kind].before, o->f);
	if (hex != 0)
		(void)fprintf(o->f, "0x%0*x", hex, s->num);
	else
		(void)fprintf(o->f, "%u", s->num);
	(void)fputs(numbered[s->kind].after, o->f);
}

static void
print_net(const struct out *o, const struct pol_stmt *s)
{
	const struct pol_net net = { .addr = s->addr, .prefix = s->prefix };
	char text[INET6_ADDRSTRLEN + 4];

	pol_net_format(text, sizeof text, &net);
	(void)fprintf(o->f, "%s %s %s",
	    s->addr.family == AF_INET6 ? "ip6" : "ip",
	    s->kind == POL_M_DADDR_NET ? "daddr" : "saddr", text);
}

/* nft takes no range of one. */
static void
print_ports(const struct out *o, const struct pol_stmt *s)
{
	(void)fprintf(o->f, "th %s %u",
	    s->kind == POL_M_DPORTS ? "dport" : "sport", s->num);
	if (s->num2 != s->num)
		(void)fprintf(o->f, "-%u", s->num2);
}

/* Of packets: what they have, or where they are. */
static void
print_match(const struct out *o, const struct pol_stmt *s)
{
	if (s->kind == POL_M_IIFNAME)
		(void)fprintf(o->f, "iifname \"%s\"", s->name);
	else if (s->kind == POL_M_OIFNAME)
		(void)fprintf(o->f, "oifname \"%s\"", s->name);
	else if (s->kind == POL_M_NFPROTO)
		(void)fprintf(o->f, "meta nfproto %s",
		    s->num == AF_INET6 ? "ipv6" : "ipv4");
	else if (s->kind == POL_M_LOOKUP)
		(void)fprintf(o->f, "%s @%s", key_exprs[s->key],
		    pol_set_name(s->set));
	else if (s->kind == POL_M_IP6_EXTHDR)
		(void)fprintf(o->f, "exthdr %s exists", exthdr_name(s->num));
	else if (s->kind == POL_M_DADDR_NET || s->kind == POL_M_SADDR_NET)
		print_net(o, s);
	else if (s->kind == POL_M_DPORTS || s->kind == POL_M_SPORTS)
		print_ports(o, s);
	else if (s->kind == POL_M_ICMP_CODE)
		(void)fprintf(o->f, "%s code %u",
		    o->l4proto == IPPROTO_ICMPV6 ? "icmpv6" : "icmp", s->num);
}

static void
print_action(const struct out *o, const struct pol_stmt *s)
{
	if (s->kind == POL_A_UPDATE)
		(void)fprintf(o->f, "update @%s { %s timeout %ums }",
		    pol_set_name(s->set), key_exprs[s->key], s->num);
	else if (s->kind == POL_A_JUMP)
		(void)fprintf(o->f, "jump %s", o->t->chains[s->chain].name);
	else if (s->kind == POL_A_DNAT || s->kind == POL_A_DNAT_MAP)
		print_dnat(o, s);
	else if (s->kind == POL_A_LOG)
		(void)fprintf(o->f, "log prefix \"%s: \"", s->name);
}

static void
print_stmt(const struct out *o, const struct pol_stmt *s)
{
	if (fixed[s->kind] != NULL)
		(void)fputs(fixed[s->kind], o->f);
	else if (numbered[s->kind].before != NULL)
		print_numbered(o, s);
	else if (s->kind < POL_A_COUNTER)
		print_match(o, s);
	else
		print_action(o, s);
}

static void
print_rule(struct out *o, const struct pol_rule *r)
{
	o->l4proto = 0;
	for (size_t i = 0; i < r->n; i++) {
		(void)fputs(i == 0 ? "\t\t" : " ", o->f);
		print_stmt(o, &r->stmts[i]);
		if (r->stmts[i].kind == POL_M_L4PROTO)
			o->l4proto = r->stmts[i].num;
	}
	(void)fputs("\n", o->f);
}

static void
print_chain(struct out *o, size_t chain)
{
	const struct pol_chain *c = &o->t->chains[chain];

	(void)fprintf(o->f, "\n\tchain %s {\n", c->name);
	if (c->hook != POL_H_NONE) {
		(void)fprintf(o->f, "\t\ttype %s hook %s",
		    c->nat ? "nat" : "filter", hook_names[c->hook]);
		if (c->hook == POL_H_NETDEV_EGRESS)
			(void)fprintf(o->f, " device \"%s\"", c->device);
		(void)fprintf(o->f, " priority %d; policy %s;\n",
		    c->priority, c->policy_drop ? "drop" : "accept");
	}
	for (size_t i = 0; i < o->t->nrules; i++)
		if (o->t->rules[i].chain == chain)
			print_rule(o, &o->t->rules[i]);
	(void)fputs("\t}\n", o->f);
}

/* One listener's element; COMMA is what stands before it. */
static void
print_elem(const struct out *o, const char *comma, const struct pol_elem *e)
{
	char addr[INET6_ADDRSTRLEN] = "";
	bool bare = e->addr.family == 0;

	if (!bare)
		pol_addr_format(addr, sizeof addr, &e->addr);
	(void)fprintf(o->f, "%s\n\t\t\t%s%s%s . %u", comma, addr,
	    bare ? "" : " . ", e->l4proto == IPPROTO_TCP ? "tcp" : "udp",
	    (unsigned)e->port);
}

/*
 * Every listener of FAMILY proven, or in position "time-sync" those that may
 * be: what the position is at its widest, but for listeners on interfaces,
 * whose addresses nobody knows here.
 */
static void
print_proven(const struct out *o, int family)
{
	size_t n = 0;

	for (size_t i = 0; i < o->p->nlisteners; i++) {
		const struct pol_listener *l = &o->p->listeners[i];
		struct pol_elem e;

		if (l->addr.family != family ||
		    (o->pos == POL_POS_SYNC && !l->timesync) ||
		    !pol_listener_elem(&e, l, NULL))
			continue;
		if (n == 0)
			(void)fputs("\t\telements = {", o->f);
		print_elem(o, n++ == 0 ? "" : ",", &e);
	}
	if (n != 0)
		(void)fputs("\n\t\t}\n", o->f);
}

static void
print_elems(const struct out *o, const struct pol_elem *e, size_t n)
{
	if (n == 0)
		return;
	(void)fputs("\t\telements = {", o->f);
	for (size_t i = 0; i < n; i++)
		print_elem(o, i == 0 ? "" : ",", &e[i]);
	(void)fputs("\n\t\t}\n", o->f);
}

/* Is the lease there in this position? */
static bool
held(const struct out *o, enum pol_set_id set)
{
	if (set == POL_S_GATE)
		return o->pos == POL_POS_OPEN;
	if (set == POL_S_SYNC)
		return o->pos == POL_POS_SYNC;
	if (set != POL_S_EGRESS)
		return false; /* a permit: no position has it by itself */
	return o->pos != POL_POS_CLOSED ||
	    o->p->closed == POL_CLOSED_TOR_ALLOWED;
}

static void
print_set(const struct out *o, const struct pol_set *s)
{
	(void)fprintf(o->f, "\n\t%s %s {\n\t\ttype %s%s\n",
	    s->data != POL_D_NONE ? "map" : "set", pol_set_name(s->id),
	    key_types[s->key], data_types[s->data]);
	if (s->constant)
		(void)fputs("\t\tflags constant\n", o->f);
	else
		(void)fprintf(o->f, "\t\tsize %u\n", s->size);
	if (s->timeout_ms != 0)
		(void)fprintf(o->f, "\t\tflags dynamic,timeout\n"
		    "\t\ttimeout %ums\n", s->timeout_ms);
	if (s->expires)
		(void)fputs("\t\tflags timeout\n", o->f);
	if (s->constant)
		print_elems(o, s->elems, s->nelems);
	else if (s->timeout_ms != 0 && held(o, s->id))
		(void)fputs("\t\telements = { ipv4, ipv6 }\n", o->f);
	else if ((s->id == POL_S_PROVEN4 || s->id == POL_S_PROVEN6) &&
	    (o->pos == POL_POS_OPEN || o->pos == POL_POS_SYNC))
		print_proven(o, s->id == POL_S_PROVEN6 ? AF_INET6 : AF_INET);
	(void)fputs("\t}\n", o->f);
}

/* What nft 1.0.6 has no words for. */
static const char *
owner_note(enum pol_table_id id)
{
	static const char *const notes[POL_NTABLE] = {
		[POL_T_BOOT] = "flags: none",
		[POL_T_GUARD] = "flags when the gate loads it: owner,persist; "
		    "not loaded where\n\t# portcullisd holds portcullis_boot "
		    "(since Linux 6.9)",
		[POL_T_GATE] = "flags when the gate loads it: owner",
		[POL_T_NETDEV] = "flags when the gate loads it: owner,persist; "
		    "before Linux 6.16 it\n\t# loads, at each time, the "
		    "chains whose device is there",
	};

	return notes[id];
}

/* Declared, deleted and defined in one go: loading it again is atomic. */
static void
print_table(struct out *o)
{
	const char *family = family_names[o->t->family];
	const char *name = pol_table_name(o->t->id);

	(void)fprintf(o->f, "table %s %s\ndelete table %s %s\n"
	    "table %s %s {\n\t# %s\n", family, name, family, name, family,
	    name, owner_note(o->t->id));
	for (size_t i = 0; i < o->t->nsets; i++)
		print_set(o, &o->t->sets[i]);
	for (size_t i = 0; i < o->t->nchains; i++)
		print_chain(o, i);
	(void)fputs("}\n", o->f);
}

char *
pol_table_print(const struct pol_table *t, const struct pol_policy *p,
    enum pol_position pos)
{
	char *text = NULL;
	size_t len = 0;
	struct out o = { .f = open_memstream(&text, &len), .t = t, .p = p,
		.pos = pos };
	bool failed;

	if (o.f == NULL)
		return NULL;
	print_table(&o);
	failed = ferror(o.f) != 0;
	if (fclose(o.f) == EOF || failed) {
		free(text);
		return NULL;
	}
	return text;
}
