/* What an import says besides the policy: one comment line for each. */
#ifndef IMPORT_NOTES_H
#define IMPORT_NOTES_H

#include <stddef.h>
#include <stdio.h>

struct import_notes {
	FILE *f; /* collects them */
	char *text; /* owned */
	size_t len, n;
};

/* -1: out of memory. */
int import_notes_init(struct import_notes *notes)
    __attribute__((warn_unused_result));
void import_notes_clear(struct import_notes *notes);

/* A sentence without its line's end; printable ASCII is all that gets out. */
void import_note(struct import_notes *notes, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* All of them as comments; -1: some could not be kept, or OUT failed. */
int import_notes_print(struct import_notes *notes, FILE *out)
    __attribute__((warn_unused_result));

#endif
