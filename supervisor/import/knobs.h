/*
 * The settings of whonix_firewall: their names, what holds without a drop-in,
 * and the values that drop-ins give them.
 */
#ifndef IMPORT_KNOBS_H
#define IMPORT_KNOBS_H

#include <stdbool.h>

#include "supervisor/import/assign.h"
#include "supervisor/import/notes.h"

enum import_knob {
	KNOB_EXT_IF = 0,
	KNOB_INT_IF,
	KNOB_VPN_FIREWALL,
	KNOB_VPN_INTERFACE,
	KNOB_TUNNEL_FIREWALL,
	KNOB_FILTER,	  /* onion-grater's port is open */
	KNOB_FILTER_PORT,
	KNOB_IN_SSH,
	KNOB_IN_FLASHPROXY,
	KNOB_FLASHPROXY_PORT,
	KNOB_IN_DIR,
	KNOB_DIR_PORT,
	KNOB_IN_OR,
	KNOB_OR_PORT,
	KNOB_IN_ICMP,
	KNOB_IN_FRAG_NEEDED,
	KNOB_OPEN_TCP,
	KNOB_OPEN_UDP,
	KNOB_OPEN_ALL,
	KNOB_OPEN_INSIDE,
	KNOB_WS_SOCKS,
	KNOB_WS_TCP,
	KNOB_WS_DNS,
	KNOB_WS_TCP_PORT,
	KNOB_WS_DNS_PORT,
	KNOB_GW_TCP,
	KNOB_GW_DNS,
	KNOB_USER_USER,
	KNOB_MODE,
	KNOB_NHANDLED, /* those below have no equivalent */
	KNOB_INT_TIF = KNOB_NHANDLED,
	KNOB_RELATED,
	KNOB_GW_UDP,
	KNOB_WS_UDP,
	KNOB_GW_TCP_PORT,
	KNOB_GW_DNS_PORT,
	KNOB_NO_NAT_USERS,
	KNOB_NO_REJECT,
	KNOB_NON_TOR,
	KNOB_NON_TOR6,
	KNOB_LOCAL_NET,
	KNOB_SOCKS_DEST,
	KNOB_SOCKS_DEST6,
	KNOB_ROOT_USER,
	KNOB_N
};

struct import_knobs {
	struct {
		bool set; /* by a drop-in */
		char value[IMPORT_VALUE_LEN];
		char file[256];
		size_t line;
	} knob[KNOB_N];
};

void import_knobs_init(struct import_knobs *k);

/* Take the assignments of TEXT, which is FILE's; the last one counts. */
void import_knobs_read(struct import_knobs *k, const char *text, size_t len,
    const char *file, struct import_notes *notes);

/* Say what is set and has no equivalent. */
void import_knobs_note(const struct import_knobs *k,
    struct import_notes *notes);

/* "EXT_IF" */
const char *import_knob_name(enum import_knob knob);
const char *import_knob(const struct import_knobs *k, enum import_knob knob);
/* Has a drop-in set it? */
bool import_knob_set(const struct import_knobs *k, enum import_knob knob);
/* 1 or true */
bool import_knob_on(const struct import_knobs *k, enum import_knob knob);

/*
 * The words of the value, one after the other: START is 0 at first.  False:
 * no more.
 */
bool import_knob_word(const struct import_knobs *k, enum import_knob knob,
    size_t *start, char word[IMPORT_NAME_LEN]);

#endif
