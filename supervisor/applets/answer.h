/*
 * From what is known to standard output and exit code, both as the programs
 * that we stand in for have them.
 *
 * tor-circuit-built-check and tor-stream-success-check wait, with those, for
 * a circuit that is built or a stream that succeeds: up to so many seconds.
 * Ours answer at once.  "Circuit N built" then means: the supervisor has
 * evidence, in the bound of its policy, that circuits work now; N is the one
 * that Tor built last, 0 if the evidence is traffic.  "STREAM SUCCEEDED"
 * means the same; its target is never told.  A no means that there is no such
 * evidence, and names the seconds that were asked for.
 */
#ifndef APPLETS_ANSWER_H
#define APPLETS_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/applets/question.h"

struct torsay;

#define ANSWER_INTERNAL 254
#define ANSWER_UNREACHABLE 255
/* anondate's own. */
#define ANSWER_NO_FILE 4
#define ANSWER_ODD_OPTION 111

struct answer {
	int code;
	char text[512]; /* for standard output, its newline included */
	char complaint[256]; /* for standard error; empty: none */
};

/* False: what is known does not answer Q.  NOW: UTC, in seconds. */
bool answer_make(struct answer *a, const struct question *q,
    const struct torsay *say, int64_t now) __attribute__((warn_unused_result));

/*
 * When neither the supervisor nor Tor answers: from the files under ROOT, ""
 * for the real ones, where an applet has them; ANSWER_UNREACHABLE for the
 * others.
 */
void answer_without_tor(struct answer *a, const struct question *q,
    const char *root);

/* Does Q need neither?  Then A is the answer. */
bool answer_from_files(struct answer *a, const struct question *q,
    const char *root) __attribute__((warn_unused_result));

/* To both streams, and returns the exit code. */
int answer_give(const struct answer *a);

#endif
