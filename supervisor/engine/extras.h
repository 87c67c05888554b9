/*
 * Listeners that Tor has and the policy does not name: the user's own lines,
 * which are sent along with ours, and strangers that no line explains.
 */
#ifndef EXTRAS_H
#define EXTRAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/options.h"
#include "policy/policy.h"
#include "supervisor/snapshot.h"

struct privacy;
struct prov;

/*
 * A user has a handful of lines.  What goes beyond is not carried along: the
 * answers of a peer must not make us hold, and send, whatever it likes.
 */
#define EXTRAS_MAX 64
#define EXTRAS_VALUE 512
/* Entries of net/listeners that are none of the policy's. */
#define EXTRAS_STRANGERS 128

struct extra {
	enum pol_kind kind;
	bool in_conf;  /* GETCONF has it */
	bool dropped;  /* not sent along: WHY says why */
	bool wide;     /* reachable from beyond this machine */
	bool hinted;   /* Tor has just said that it could not bind it */
	bool paused;   /* was left out of a SETCONF, and is to come back */
	bool known_text; /* TEXT is how net/listeners writes it */
	bool refused; /* dropped because Tor could not bind it */
	uint32_t delay_ms; /* after it was refused last; 0: was not */
	uint64_t retry_at; /* not to be tried before */
	char value[EXTRAS_VALUE];     /* the line, as Tor has it */
	char text[POL_LISTENER_TEXT]; /* where, for people */
};

struct stranger {
	enum pol_kind kind;
	char text[POL_LISTENER_TEXT];
};

struct extras {
	struct extra *list, *old; /* owned, EXTRAS_MAX each */
	size_t n, nold;
	size_t nover; /* lines that are too many or too long */
	struct stranger *strangers; /* owned, EXTRAS_STRANGERS */
	size_t nstrangers;
	bool too_many;
	bool dns_ghost;	      /* a DNSPort is one of these: */
	uint64_t ghosts;      /* strangers without a line: 0 none, else who */
	uint64_t ghosts_sent; /* ... at the last SETCONF */
	uint64_t ghosts_left; /* ... and still there after an accepted one */
};

/*
 * Is a line that P's policy does not name of an earlier one's?  It is not
 * sent along, so that Tor closes it, and from now on P sets its kind.
 */
bool extras_leftover(struct prov *p, enum pol_kind kind, const char *value);

/* Dies when out of memory. */
void extras_init(struct extras *x);
void extras_clear(struct extras *x);
void extras_forget(struct extras *x);

/* A GETCONF answer is read: begin, one call for each line, end. */
void extras_begin(struct extras *x);
void extras_add(struct prov *p, enum pol_kind kind, const char *value);
void extras_end(struct extras *x);

/* net/listeners is read: begin, one call for each entry of nobody's. */
void extras_strangers_begin(struct extras *x);
void extras_stranger(struct extras *x, enum pol_kind kind, const char *text);

/* Both have been read: tell strangers that a line explains from ghosts. */
void extras_match(struct prov *p);
/* Does Tor have what a SETCONF of the list would take away? */
bool extras_differ(const struct prov *p);

/* Tor could not bind TEXT, which may be one of these. */
void extras_hint(struct extras *x, const char *text);
/* A SETCONF failed: drop those that Tor could not bind; true if any. */
bool extras_refuse_hinted(struct extras *x, uint64_t now);
/* ... nobody knows which: drop those that are not open. */
bool extras_refuse_unopened(struct prov *p, uint64_t now);
/* Take back what was refused long enough ago; true if there was any. */
bool extras_join(struct extras *x, uint64_t now);
uint64_t extras_next_retry(const struct extras *x);

/*
 * Fill LIST (EXTRAS_MAX) with what is to be sent, borrowed from P, whose
 * LEFT_OUT says which listeners are not.
 */
size_t extras_take(struct prov *p, struct pol_extra *list);
void extras_accepted(struct extras *x);

/* The status's part: alarms first, and no secret address. */
void extras_tell(const struct extras *x, struct snapshot *s,
    const struct privacy *privacy);

#endif
