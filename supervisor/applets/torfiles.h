/*
 * What Tor's files tell when nobody can be asked.  ROOT goes before each
 * path; "" for the real ones.  Reads are bounded, and wait for nothing.
 */
#ifndef APPLETS_TORFILES_H
#define APPLETS_TORFILES_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/applets/question.h"

/*
 * The last DisableNetwork in torrc's usual files, in the order in which Tor
 * reads them; true when there is none: that is Tor's default.
 */
bool torfiles_enabled(const char *root);

/* 1: it has an end of validity; 0: it has none; -1: it cannot be read. */
int torfiles_consensus(const char *root, enum consensus_file which);

/* The user or group whose q->file is; -1: there is none. */
int torfiles_owner(char *dst, size_t cap, const char *root,
    const struct question *q) __attribute__((warn_unused_result));

#endif
