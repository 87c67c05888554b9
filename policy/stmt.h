/*
 * What rules are made of: sets, their keys, and statements.  See rules.h.
 */
#ifndef POL_STMT_H
#define POL_STMT_H

#include <stddef.h>
#include <stdint.h>

#include "policy.h"

/*
 * Sets live in one table each, except LISTEN and PORTS, which boot and guard
 * both have.
 *
 * A listener on the address of an interface has no address that could stand
 * in a constant set.  Its port stands in PORTS and DIRECT_PORTS, which are
 * there only if such a listener is; where it is reached, PROVEN says, as of
 * every listener.  TARGET says where a redirect to one goes: without an
 * element it goes nowhere.
 */
enum pol_set_id {
	POL_S_GATE = 0, /* nf_proto, dynamic,timeout: the workstation lease */
	POL_S_EGRESS,	/* nf_proto, dynamic,timeout: Tor's lease */
	POL_S_PROVEN4,	/* daddr . l4proto . dport, filled by proofs */
	POL_S_PROVEN6,
	POL_S_LISTEN4, /* constant: every listener of the policy */
	POL_S_LISTEN6,
	POL_S_DIRECT4, /* constant: SOCKS and HTTPTunnel, not redirected */
	POL_S_DIRECT6,
	POL_S_PORTS4, /* constant: ports of listeners on interfaces */
	POL_S_PORTS6,
	POL_S_DIRECT_PORTS4, /* constant: of those, the direct ones */
	POL_S_DIRECT_PORTS6,
	POL_S_TARGET4, /* map, l4proto : address, filled by proofs */
	POL_S_TARGET6,
	/*
	 * nf_proto, dynamic,timeout: the time synchronisers' lease, held
	 * instead of GATE in position "time-sync".  There only if the policy
	 * requires time synchronisation.
	 */
	POL_S_SYNC,
	/*
	 * daddr . dport, where Tor's TCP may go, if strict egress is on.  Two
	 * of each family: chain "relays" looks into one while the other is
	 * filled; see pol_relays_rules().
	 */
	POL_S_RELAYS4_A,
	POL_S_RELAYS6_A,
	POL_S_RELAYS4_B,
	POL_S_RELAYS6_B,
	/*
	 * nf_proto, dynamic,timeout: the permits' leases, each there only if
	 * the policy gives a reason for it; see pol_has_lookup() and others.
	 */
	POL_S_LOOKUP,
	POL_S_STUB,
	POL_S_UDP,
	/* constant: the stub's two addresses, UDP and TCP */
	POL_S_STUB_PORT4,
	POL_S_STUB_PORT6,
	/*
	 * daddr . dport, each with a timeout of its own: what Tor's TCP may
	 * reach besides the relays, and where the resolver may try whether
	 * anything answers.
	 */
	POL_S_REACH_TOR4,
	POL_S_REACH_TOR6,
	POL_S_REACH_RESOLVER4,
	POL_S_REACH_RESOLVER6,
	POL_NSET
};

/* How a set's key is put together; the lookup's left-hand side. */
enum pol_key {
	POL_K_NFPROTO = 0, /* meta nfproto */
	POL_K_DST4,	   /* ip daddr . meta l4proto . th dport */
	POL_K_DST6,	   /* ip6 daddr . meta l4proto . th dport */
	POL_K_SRC4,	   /* ip saddr . meta l4proto . th sport */
	POL_K_SRC6,
	POL_K_DPORT,  /* meta l4proto . th dport */
	POL_K_SPORT,  /* meta l4proto . th sport */
	POL_K_L4PROTO, /* meta l4proto */
	POL_K_RELAY4,  /* ip daddr . th dport */
	POL_K_RELAY6   /* ip6 daddr . th dport */
};

/* What a map's elements lead to. */
enum pol_data { POL_D_NONE = 0, POL_D_ADDR4, POL_D_ADDR6 };

enum pol_stmt_kind {
	/* matches */
	POL_M_IIFNAME = 0, /* name; one that ends in '*' is a prefix */
	POL_M_OIFNAME,	   /* the same */
	POL_M_NFPROTO,	   /* num: AF_INET or AF_INET6 (NFPROTO_*) */
	POL_M_L4PROTO,	   /* num: IPPROTO_* */
	POL_M_SPORT,	   /* num: host order; th sport */
	POL_M_DPORT,	   /* num */
	POL_M_SKUID,	   /* num */
	POL_M_SKUID_NOT,   /* num: a socket's packet, and another user's */
	POL_M_MARK_CLEAR,  /* num: meta mark & num == 0 */
	POL_M_MARK_SET,	   /* num: meta mark & num != 0 */
	POL_M_CT_ESTABLISHED, /* ct state established */
	POL_M_CT_INVALID,     /* ct state invalid */
	POL_M_CT_REPLY,	      /* ct direction reply */
	POL_M_CT_ORIGINAL,    /* ct direction original */
	POL_M_CT_DNAT,	      /* ct status dnat */
	POL_M_LOOKUP,	      /* set, key: key @set */
	POL_M_ICMPV6_TYPE,    /* num; implies l4proto icmpv6 given before */
	POL_M_HOPLIMIT,	      /* num: ip6 hoplimit */
	POL_M_TCP_SYN,	      /* tcp flags & (fin|syn|rst|ack) == syn */
	POL_M_IP4_PLAIN,      /* IPv4, no options, no fragment */
	POL_M_IP4_NET,	      /* num: ip daddr num.0.0.0/8 */
	POL_M_DADDR_NET,      /* net: ip daddr or ip6 daddr */
	POL_M_SADDR_NET,      /* net */
	POL_M_DPORTS,	      /* num to num2, th dport */
	POL_M_SPORTS,	      /* num to num2 */
	POL_M_CT_NEW,	      /* ct state new */
	POL_M_CT_RELATED,     /* ct state related */
	POL_M_CT_MARK_SET,    /* num: ct mark & num != 0 */
	POL_M_ICMP_TYPE,      /* num; implies l4proto icmp given before */
	POL_M_ICMP_CODE,      /* num; for either ICMP: the same octet */
	POL_M_TCP_RST,	      /* tcp flags & rst != 0 */
	POL_M_NO_ROUTE_BACK,  /* fib saddr . iif oif missing */
	POL_M_IP6_EXTHDR,     /* num: exthdr hbh/rt/frag/dst/mh exists */
	POL_M_DADDR_LOCAL,    /* fib daddr type local */
	POL_M_DADDR_UNICAST,  /* fib daddr type unicast; IPv4: of no group */
	POL_M_ETHERTYPE,      /* num: netdev family, meta protocol */
	POL_M_FRAMETYPE,      /* num: the type in the Ethernet header */
	POL_M_ROUTED,	      /* netdev family: no packet socket's */
	/* actions */
	POL_A_COUNTER,
	POL_A_MARK_OR,	/* num: meta mark set meta mark | num */
	POL_A_MARK_AND, /* num: meta mark set meta mark & num */
	POL_A_UPDATE,	/* set, key, num: update @set { key timeout num ms } */
	POL_A_JUMP,	/* chain: index in the same table */
	POL_A_DNAT,	/* addr, num: dnat to addr:num */
	POL_A_DNAT_MAP, /* addr.family, set, key, num: dnat to map:num */
	POL_A_CT_MARK_OR,   /* num: ct mark set ct mark | num */
	POL_A_LIMIT,	    /* num: limit rate num/minute: beyond, no match */
	POL_A_LOG,	    /* name: log prefix "name: " */
	POL_A_REJECT_RST,   /* reject with tcp reset; TCP only */
	POL_A_REJECT,	    /* reject with icmpx admin-prohibited */
	POL_A_ACCEPT,
	POL_A_DROP,
	POL_NSTMT
};

struct pol_stmt {
	enum pol_stmt_kind kind;
	uint32_t num, num2;
	enum pol_set_id set;
	enum pol_key key;
	size_t chain;
	uint8_t prefix; /* of addr, for the nets */
	char name[POL_IFNAME_LEN];
	struct pol_addr addr;
};

#endif
