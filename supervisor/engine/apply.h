/*
 * Changes of bridges and proxy, as transactions: part of the engine's core.
 * Its inputs are engine.h's engine_pending(), engine_kept(), engine_change().
 */
#ifndef APPLY_H
#define APPLY_H

#endif
