/*
 * What the policy says about names and pluggable transports, as values.
 */
#ifndef POL_TRANSPORT_H
#define POL_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/addr.h"

#define POL_NAME_LEN 64	  /* names of listeners and users, with the NUL */
#define POL_PATH_LEN 108  /* sun_path */
#define POL_MAX_TRANSPORTS 8 /* transport sections */
#define POL_MAX_METHODS 8    /* transport names that one program serves */
#define POL_MAX_BRIDGES 64   /* bridge lines of all transport sections */
#define POL_BRIDGE_LEN 1024  /* a bridge line without "Bridge", with the NUL */
#define POL_ARGS_LEN 1024    /* a transport program's arguments */
#define POL_HOST_LEN 254     /* a host name: 253 octets and the NUL */
#define POL_PIN_LEN 32	     /* SHA-256 */

enum pol_dns { POL_DNS_PLAIN = 0, POL_DNS_TLS };

/*
 * The one resolver that names of proxies and transports are asked of.
 * Without the section (addr.family is 0) no name is ever looked up.
 */
struct pol_resolver {
	struct pol_addr addr; /* never one of this machine's own listeners */
	uint16_t port;	      /* default 53; with TLS 853 */
	enum pol_dns protocol;
	char host[POL_HOST_LEN];    /* TLS: what the certificate is for */
	bool pinned;
	uint8_t pin[POL_PIN_LEN];   /* of its SubjectPublicKeyInfo */
	bool allow_private; /* take private and loopback addresses as answers */
	uint32_t timeout_ms; /* of one lookup, all attempts together */
	uint16_t stub_port;  /* on 127.0.0.1 and ::1, for the transports */
};

/*
 * A pluggable transport that may be used: the only programs that Tor is ever
 * told to run.
 */
struct pol_transport {
	char name[POL_NAME_LEN];	/* the section's */
	char methods[POL_MAX_METHODS][POL_NAME_LEN]; /* "obfs4", "meek_lite" */
	size_t nmethods; /* at least 1: the section's own name by default */
	char program[POL_PATH_LEN]; /* absolute; no space in it */
	char arguments[POL_ARGS_LEN]; /* as Tor gets them; may be empty */
	bool dns; /* it resolves names itself: by the stub */
	bool udp; /* it needs UDP to anywhere, as snowflake does */
};

/* Lines that "apply" may choose by the transport's name. */
struct pol_bridge_line {
	uint8_t transport; /* index in pol_policy.transports */
	char text[POL_BRIDGE_LEN];
};

#endif
