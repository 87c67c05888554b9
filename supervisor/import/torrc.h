/*
 * What a gateway's torrc says that a policy says, too: read as Tor reads it,
 * the defaults first, with all that they include.
 */
#ifndef IMPORT_TORRC_H
#define IMPORT_TORRC_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"
#include "supervisor/import/files.h"
#include "supervisor/import/notes.h"

#define IMPORT_PORTS_MAX 4096
#define IMPORT_PLUGINS_MAX POL_MAX_TRANSPORTS
#define IMPORT_LINE_LEN 1024

/* A line that opens a listener. */
struct import_port {
	enum pol_kind kind;
	size_t line;
	char file[IMPORT_PATH_LEN];
	char value[POL_LISTENER_TEXT + POL_FLAGS_LEN];
};

struct import_torrc {
	struct import_port *port; /* owned */
	size_t nports;
	bool replaced[POL_NKIND]; /* the torrc has lines of its own */
	bool any; /* a torrc was found */
	char user[POL_NAME_LEN];       /* empty: not said */
	char control[POL_PATH_LEN];    /* ControlSocket; empty: none */
	char cookie[POL_PATH_LEN];     /* CookieAuthFile; empty: none */
	unsigned control_port;	       /* on loopback; 0: none */
	size_t nplugins, nbridges, nproxies;
	char plugin[IMPORT_PLUGINS_MAX][IMPORT_LINE_LEN];
};

/* -1: out of memory.  What cannot be read or is of no use here is noted. */
int import_torrc_read(struct import_torrc *t, int root,
    struct import_notes *notes) __attribute__((warn_unused_result));
void import_torrc_clear(struct import_torrc *t);

#endif
