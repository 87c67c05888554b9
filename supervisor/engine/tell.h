/*
 * What people are told: part of the engine's core.
 */
#ifndef TELL_H
#define TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/engine.h"
#include "supervisor/snapshot.h"

void tell_reason(struct engine *e, uint64_t now);
void tell_snapshot(struct engine *e, uint64_t now);
/* R without its magic and text; the same for verbs with one sentence. */
void tell_answer(struct engine *e, struct snap_result r, const char *text);
void tell_result(struct engine *e, uint64_t id, bool ok, const char *text);
/* Loss codes as words, for the log. */
const char *tell_loss(enum engine_loss why);
/* The same of the clock: "right", "no-file". */
const char *tell_clock(enum engine_clock clock);

#endif
