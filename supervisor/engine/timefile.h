/*
 * The files by which whoever sets the clock says that it is right, or that it
 * could not be set.
 *
 * The directory need not exist; it may go and come again.  It must be one of
 * root's or of a timesync user's that is not writable for all: what others
 * could have put there proves nothing.  It is no symbolic link, though one may
 * lead to it from further up; nor are the files, which are one of those
 * users', too.  Nothing is opened for reading: only their being there counts.
 */
#ifndef TIMEFILE_H
#define TIMEFILE_H

#include "supervisor/engine/engine.h"

struct pol_timesync;
struct timefile;

/* TS is borrowed.  Dies when out of memory. */
struct timefile *timefile_new(const struct pol_timesync *ts);
void timefile_free(struct timefile *tf);

/*
 * Readable when it is time to look again; -1: there is no such thing here.
 * Besides, look by the clock: the kernel does not tell of everything (another
 * mount over the directory, a directory that came to be).
 */
int timefile_fd(const struct timefile *tf);

/* What is so now; the descriptor is not readable then. */
enum engine_clock timefile_look(struct timefile *tf);

/*
 * What the files said at the last look, for people: "success" before
 * "first_success" before "fail", of those that count.
 */
enum snap_timesync timefile_word(const struct timefile *tf);

#endif
