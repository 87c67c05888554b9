/*
 * The isolation check, while one runs: part of the engine's core.
 */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct cp_event;
struct cp_reply;
struct engine;
struct iso;
struct snap_verb;

/* How far the isolation check is. */
enum check_step { CHECK_NONE = 0, CHECK_ASK_CONF, CHECK_CONF_SENT,
	CHECK_ASK_STREAMS, CHECK_STREAMS_SENT, CHECK_RUNNING };

struct check {
	enum check_step step;
	bool streams;	 /* Tor sends STREAM events, or may */
	struct iso *iso; /* owned; NULL before ASK_STREAMS */
	uint64_t id;	 /* of the verb */
	uint64_t epoch;	 /* of the gate when it began */
	uint64_t ends, say_at;
	uint64_t version; /* of engine.prov, when it was looked at */
};

void check_begin(struct engine *e, const struct snap_verb *v, uint64_t now);
/* Go on with it; ends it when the gate has closed or the time is over. */
void check_tick(struct engine *e, uint64_t now);
uint64_t check_wake(const struct engine *e);
/* The session is over: so are the check and the subscription. */
void check_lost(struct engine *e);
/* Who asked is gone: stop without a word. */
void check_abandon(struct engine *e);
/* Is there a command to be sent for it? */
bool check_due(const struct engine *e);
void check_ask(struct engine *e, uint64_t now);
void check_on_conf(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void check_on_streams(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void check_on_quiet(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void check_on_stream(struct engine *e, const struct cp_event *ev);

#endif
