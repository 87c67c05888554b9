/*
 * What the status process knows, and whether it may be believed.  Pure: time
 * is a parameter (CLOCK_BOOTTIME in ns, as in struct gate_report).
 *
 * The one rule: a position is told only as long as it is known.  In doubt it
 * is "unknown", never "closed" by guess.
 */
#ifndef STATUS_VIEW_H
#define STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/snapshot.h"
#include "supervisor/status/table.h"

/* The engine speaks at least once a second; two are lost, three is doubt. */
#define STATUS_SNAP_MAX_NS 2000000000u
/*
 * The gate reads back at least once a second and the engine passes it on
 * within another: older than this, one of them is not doing so.
 */
#define STATUS_GATE_MAX_NS 3000000000u

/* Why the position cannot be told.  Ordered: the first that applies. */
enum status_doubt {
	STATUS_SURE = 0,
	STATUS_NO_ENGINE,     /* no link to an engine yet, or it is closed */
	STATUS_ENGINE_BAD,    /* its bytes were not a snapshot: link dropped */
	STATUS_ENGINE_SILENT, /* linked, but no snapshot for too long */
	STATUS_GATE_SILENT,   /* no fresh report from the gate */
	STATUS_READ_BACK,     /* the gate could not read the kernel back */
	STATUS_NDOUBT
};

struct status_view {
	struct snapshot snap; /* cleaned; all zero until the first one */
	bool have;	      /* a snapshot came over the present link */
	bool linked;
	bool bad;	      /* the last link ended by invalid bytes */
	uint64_t taken_ns;    /* when the snapshot came */
	struct status_table table; /* that came over the present link */
};

void status_view_init(struct status_view *v);
void status_view_clear(struct status_view *v); /* frees what V owns */

/* The link to the engine begins or ends; what the old one said is void. */
void status_view_link(struct status_view *v, bool linked);

/*
 * Take the N octets of one datagram as the newest snapshot.  False if they
 * are not one: V is then unchanged, and the caller drops the link.  Text is
 * cut at its array's end and every octet beyond printable ASCII replaced.
 */
bool status_view_take(struct status_view *v, const void *bytes, size_t n,
    uint64_t now_ns) __attribute__((warn_unused_result));

/* The same of a page of the table of listeners; see status_table_take(). */
bool status_view_page(struct status_view *v, const void *bytes, size_t n)
    __attribute__((warn_unused_result));

/* Is the table whole, and the one that the snapshot counts? */
bool status_view_in_step(const struct status_view *v);

/* The engine was dropped for what it sent. */
void status_view_bad(struct status_view *v);

enum status_doubt status_view_doubt(const struct status_view *v,
    uint64_t now_ns);

/* Whether the engine's part may be believed: no doubt about its link. */
bool status_view_engine_ok(const struct status_view *v, uint64_t now_ns);

/* What a client would call a change; compare with status_key_same(). */
struct status_key {
	struct snapshot snap;
	enum status_doubt doubt;
	uint64_t table; /* the caller's: which table is told; see source.h */
};

void status_key_of(struct status_key *key, const struct status_view *v,
    uint64_t now_ns);
bool status_key_same(const struct status_key *a, const struct status_key *b);

#endif
