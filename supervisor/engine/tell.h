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

/* Loss codes as words, for the log. */
const char *tell_loss(enum engine_loss why);
/* The same of the clock: "right", "no-file". */
const char *tell_clock(enum engine_clock clock);

#endif
