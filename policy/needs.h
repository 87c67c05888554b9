/*
 * Which hosts the live configuration names: who needs them, for what, and
 * who would resolve them.  From Tor's option values as GETCONF has them.
 * Pure; nothing is looked up.
 */
#ifndef POL_NEEDS_H
#define POL_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/*
 * More are counted and not taken: a configuration with so many is odd.  Names
 * are taken in place of bridges' addresses.
 */
#define POL_MAX_NEEDS 64

enum pol_need_role {
	POL_NEED_PROXY = 0, /* Tor's own upstream proxy */
	POL_NEED_BRIDGE,    /* where a bridge line says; always an address */
	POL_NEED_URL,	    /* a transport's url=, or what stands for it */
	POL_NEED_FRONT,	    /* asked for instead of url='s host */
	POL_NEED_STUN,	    /* ice=stun:HOST:PORT; UDP */
	POL_NROLE
};

/* Who turns the name into an address. */
enum pol_need_by { POL_BY_NOBODY = 0, /* it is an address */
	POL_BY_TOR, POL_BY_TRANSPORT };

struct pol_need {
	enum pol_need_role role;
	enum pol_need_by by;
	char option[32];  /* Tor's: "Bridge", "HTTPSProxy" */
	unsigned line;	  /* the how manyeth value of that option, from 1 */
	char transport[POL_NAME_LEN]; /* the method; empty for the proxy */
	char host[POL_HOST_LEN]; /* lower case, no final dot */
	struct pol_addr addr;	 /* family 0: HOST is a name */
	uint16_t port;
	uint8_t l4proto; /* IPPROTO_TCP or _UDP */
};

/* A ClientTransportPlugin line that runs a program; for needs.c only. */
#define POL_MAX_PLUGINS 16
struct pol_plugin_line {
	unsigned line;
	char methods[POL_ARGS_LEN]; /* with commas between */
	char args[POL_ARGS_LEN];
};

struct pol_needs {
	struct pol_need need[POL_MAX_NEEDS]; /* in the order of the lines */
	size_t n;
	size_t more;	/* left out: no room */
	size_t unread;	/* lines that are none of their option's */
	bool bridges;	/* UseBridges 1 */
	/* snowflake's fronts=, which 2.5.1 ignores: it asks the url instead */
	bool fronts;
	/* For needs.c only. */
	unsigned nbridge_lines, nplugin_lines;
	struct pol_plugin_line plugins[POL_MAX_PLUGINS];
	size_t nplugins;
};

void pol_needs_init(struct pol_needs *n);
/*
 * One "OPTION=VALUE" of GETCONF; options that name nobody are ignored.  The
 * plugins before the bridges: a bridge line's arguments override theirs.
 */
void pol_needs_add(struct pol_needs *n, const char *option,
    const char *value);
/*
 * After the last: drops what is not in use (bridges without UseBridges 1,
 * plugins of no bridge in use) and every pair named before.
 */
void pol_needs_finish(struct pol_needs *n);

/* The methods that the bridges in use need, each once; returns how many. */
size_t pol_needs_methods(char out[POL_MAX_METHODS][POL_NAME_LEN],
    const struct pol_needs *n);

/* A host name that DNS can have: letters, digits, '-', '_', at most 253. */
bool pol_host_ok(const char *host);

const char *pol_need_role_name(enum pol_need_role role); /* "front" */

#endif
