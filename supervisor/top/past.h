/* The transitions that "portcullis top" shows.  Pure. */
#ifndef TOP_PAST_H
#define TOP_PAST_H

#include <jansson.h>
#include <stdio.h>

/* The reason of a transition that only we saw: nobody told us anything. */
#define TOP_NO_ANSWER "no-answer"

/*
 * TOLD, a line's history, in place of OURS from its first time on; what of
 * OURS is older or TOP_NO_ANSWER stays.  OURS is changed; TOLD is borrowed.
 */
void top_past_merge(json_t *ours, const json_t *told);

/* One more; the oldest goes when there is no room. */
void top_past_add(json_t *ours, const char *stamp, const char *position,
    const char *code, const char *text);

/* The newest first. */
void top_past_print(FILE *out, const json_t *ours);

#endif
