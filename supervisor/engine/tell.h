/*
 * What people are told: part of the engine's core.
 */
#ifndef TELL_H
#define TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/engine.h"
#include "supervisor/snapshot.h"

struct snapshot;

void tell_reason(struct engine *e, uint64_t now);
void tell_snapshot(struct engine *e, uint64_t now);
/* R without its magic and text; the same for verbs with one sentence. */
void tell_answer(struct engine *e, struct snap_result r, const char *text);
void tell_result(struct engine *e, uint64_t id, bool ok, const char *text);
/* One of several sentences; tell_result() is the last. */
void tell_sentence(struct engine *e, uint64_t id, bool ok, const char *text);

/* tell_uplink.c: why Tor does not get out; false: nothing is known of it. */
bool tell_uplink_reason(struct engine *e, uint64_t now);
void tell_uplink_fill(const struct engine *e, struct snapshot *s,
    uint64_t now);
bool tell_uplink_same(const struct snapshot *a, const struct snapshot *b);
/* The verb "names": with addresses, for those who may ask. */
void tell_names(struct engine *e, uint64_t id);

/* tell_absent.c: Tor has no external interface; false: it has one. */
bool tell_no_way_out(struct engine *e);
/* One is not there: advice, where there is none yet. */
void tell_absent(struct engine *e);

/* tell_tor.c: what is told of Tor beyond the facts. */
void tell_tor_fill(const struct engine *e, struct snap_tor *t, uint64_t now);
/* Besides what moves all the time. */
bool tell_tor_same(const struct snap_tor *a, const struct snap_tor *b);

/* tell_words.c: reasons that are no fact's. */
enum say { SAY_GATE = 0, SAY_FIGHT, SAY_REFUSED, SAY_CHANGE, SAY_PROVING,
	SAY_OFF, SAY_DISABLED, SAY_DRIFT, SAY_LISTENERS, SAY_SQUATTED,
	SAY_FILES, SAY_RELAYS, SAY_INTERFACE, SAY_NO_TIME_LISTENER, SAY_STORM,
	NSAY };

const struct facts_reason *tell_say(enum say say);
const struct facts_reason *tell_lost(enum engine_loss why);
/* Loss codes as words, for the log. */
const char *tell_loss(enum engine_loss why);
/*
 * What is so of the policy's directory, whose name goes before the text: of
 * no use without it.  The code is for the log: "right", "no-file".
 */
const struct facts_reason *tell_clock(enum engine_clock clock);
/*
 * Reason I of all that the engine can tell, from 0 on, each code once: what
 * it means, and what to do, as far as that is always the same.  NULL beyond
 * the last.
 */
const struct facts_reason *tell_code(unsigned i);

#endif
