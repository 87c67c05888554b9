#include "policy/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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
