/*
 * Section firewall, as values.
 */
#ifndef POL_WALL_H
#define POL_WALL_H

#include <stdbool.h>
#include <stdint.h>

/* What stands beside our tables; see portcullis.conf(5). */
enum pol_mode { POL_MODE_STANDALONE = 0, POL_MODE_VETO };
/* How what clients send is turned away. */
enum pol_refuse { POL_REFUSE_REJECT = 0, POL_REFUSE_DROP };
/* Routing rules as a barrier of their own. */
enum pol_routes { POL_ROUTES_INTERNAL = 0, POL_ROUTES_FULL, POL_ROUTES_OFF };

/* Bits of pol_firewall.icmp: let in from the external side. */
enum {
	POL_ICMP_FRAG_NEEDED = 1 << 0, /* and IPv6's packet too big */
	POL_ICMP_UNREACHABLE = 1 << 1, /* that answer something of ours */
	POL_ICMP_ECHO = 1 << 2	       /* be pinged */
};

/* Bits of pol_firewall.transparent: the gateway's own programs' traffic. */
enum { POL_TRANSPARENT_TCP = 1 << 0, POL_TRANSPARENT_DNS = 1 << 1 };

struct pol_firewall {
	enum pol_mode mode;
	enum pol_refuse refuse;
	enum pol_routes routes;
	unsigned icmp;	      /* POL_ICMP_* */
	unsigned transparent; /* POL_TRANSPARENT_* */
	bool ra;	      /* router advertisements on the external side */
	uint32_t log_per_minute; /* dropped packets in the log; 0: none */
};

#endif
