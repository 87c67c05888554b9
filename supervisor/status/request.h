/*
 * A line from control.sock as a verb, and the answer as a line.  Pure.
 */
#ifndef STATUS_REQUEST_H
#define STATUS_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "supervisor/snapshot.h"

/*
 * The longest request changes the bridges: POL_UPLINK_BRIDGES lines of
 * POL_BRIDGE_LEN, and room for "id", the proxy and JSON's escapes.
 */
#define STATUS_REQ_LINE 49152
#define STATUS_REQ_TOO_LONG "The request is longer than 49152 octets."
#define STATUS_REQ_DEPTH 4 /* the object itself, and an id of some structure */
#define STATUS_REQ_ID 256  /* octets of "id" as JSON */

struct status_request {
	enum snap_verb_code code;
	json_t *id; /* owned; NULL when the request had none */
	json_t *change; /* owned; SNAP_V_APPLY only: the whole request */
};

/*
 * Parse the N octets of LINE, without its newline.  NULL: *REQ is set and is
 * released with status_request_clear().  Otherwise a sentence for the client
 * (static) that says what is wrong, and *REQ is empty.
 */
const char *status_request_parse(struct status_request *req,
    const char *line, size_t n) __attribute__((warn_unused_result));

void status_request_clear(struct status_request *req);

enum status_answer_kind {
	STATUS_ANSWER_REFUSED = 0, /* not done, or not to the end */
	STATUS_ANSWER_LAST,	   /* the engine's answer */
	STATUS_ANSWER_MORE	   /* the engine's, and another follows */
};

struct status_answer {
	enum status_answer_kind kind;
	bool ok;	      /* of REFUSED: not looked at */
	json_t *id;	      /* borrowed; may be NULL */
	const char *sentence; /* borrowed */
};

/*
 * {"ok":true,"text":...}, {"ok":false,"error":...}, with "refused":true if it
 * is, or {"ok":...,"more":true,"text":...}; each with "id" if there is one,
 * and its newline.  free() it.  NULL: out of memory.
 */
char *status_answer_line(const struct status_answer *a, size_t *len)
    __attribute__((warn_unused_result));

#endif
