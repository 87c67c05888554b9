/*
 * What is known of the gateway, as "portcullis top" shows it.  Pure: time is
 * a parameter.  A line that is missing, late or from a connection that ended
 * makes the position unknown; an old one is never shown as true.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/cli/field.h"
#include "supervisor/snapshot.h"
#include "supervisor/top/text.h"

/* Two heartbeats and a half, as for portcullis watch. */
#define TOP_SILENCE_MS 12500
/* As many transitions as a status line tells; see portcullis(1). */
#define TOP_HISTORY 32

enum top_pos { TOP_UNKNOWN = 0, TOP_CLOSED, TOP_TOR_ONLY, TOP_SYNC, TOP_OPEN,
	TOP_NPOS };

enum top_pane { TOP_LISTENERS = 0, TOP_WAYS, TOP_PAST, TOP_DETAILS,
	TOP_NPANE };

/* The head of the screen; all zero: nothing is known. */
struct top_head {
	enum top_pos pos;
	bool hold;
	char reason[CLI_TEXT_CAP], advice[CLI_TEXT_CAP];
	char since[CLI_TEXT_CAP];
	bool has_progress;
	int progress; /* 0 to 100 */
	bool stalled;
	char tag[CLI_TEXT_CAP], summary[CLI_TEXT_CAP];
	char warning[CLI_TEXT_CAP];
	char lease[CLI_TEXT_CAP], closes[CLI_TEXT_CAP];
	char listeners[CLI_TEXT_CAP];
	uint32_t facts; /* bits of enum snap_fact */
	char tor[CLI_TEXT_CAP];
};

struct top_view {
	struct top_head head;
	struct top_text pane[TOP_NPANE];
	bool known;	   /* a line came, lately, on this connection */
	uint64_t at_ms;	   /* when the newest line came */
	json_t *table;	   /* owned: the listeners as last told, or NULL */
	json_t *history;   /* owned: an array of transitions, oldest first */
	char code[CLI_TEXT_CAP]; /* the reason of the newest transition */
	enum top_pos last; /* ... and its position */
};

/* Unknown, with TEXT as the reason. */
void top_view_init(struct top_view *v, const char *text);
void top_view_clear(struct top_view *v); /* frees what V owns */

/*
 * Take LINE, which is borrowed and changed.  False, and V is unchanged: it is
 * no line of a schema that we understand.
 */
bool top_view_take(struct top_view *v, json_t *line, uint64_t now_ms)
    __attribute__((warn_unused_result));

/*
 * Nothing is known any more, because of TEXT, a sentence; STAMP is the time of
 * day as in a status line.  Saying the same again changes nothing.
 */
void top_view_lose(struct top_view *v, const char *text, const char *stamp);

/* "open"; "unknown" for TOP_UNKNOWN and beyond TOP_NPOS. */
const char *top_pos_name(enum top_pos pos);
/* "The gate is open: traffic goes through Tor." */
const char *top_pos_sentence(enum top_pos pos);

#endif
