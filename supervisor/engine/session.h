/*
 * One command at a time, on one control connection.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlproto/cmd.h"

struct engine;

/* What the command in flight was; the tag that comes back with its reply. */
enum cmd {
	CMD_PROTOCOLINFO = 0,
	CMD_CHALLENGE,
	CMD_AUTHENTICATE,
	CMD_INFO,
	CMD_EVENTS,
	CMD_CONF,
	CMD_PROBE,
	CMD_SETCONF,
	CMD_CIRCUITS,
	CMD_EXTEND,
	CMD_NEWNYM,
	CMD_ACTIVE,
	CMD_CHECK_CONF,
	CMD_STREAMS_ON,
	CMD_STREAMS_OFF,
	CMD_RELAYS_CONF,
	CMD_RELAYS_DEFAULTS,
	CMD_RELAYS_NS,
	CMD_UPLINK_SET,
	CMD_ABOUT,
	CMD_FILES,
	CMD_QUESTIONS,
	CMD_CLOSE,
	NCMD
};

/* Is there a Tor that takes commands? */
bool session_up(const struct engine *e);

void session_reset(struct engine *e);
/* Send CMD and clear it; ERR is the builder's verdict on it. */
void session_send(struct engine *e, enum cmd tag, struct cp_cmd *cmd,
    enum cp_err err, uint64_t now);
/*
 * REPLY is not what every Tor answers, as ERR says: the session is lost, by
 * the reason that its code tells.
 */
void session_refused(struct engine *e, const struct cp_reply *reply,
    enum cp_err err, uint64_t now);
void session_input(struct engine *e, const void *p, size_t n, uint64_t now);
/* Send the next command that is due, if none is in flight. */
void session_next(struct engine *e, uint64_t now);
uint64_t session_wake(const struct engine *e);

#endif
