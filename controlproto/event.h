/*
 * Typed events (control-spec 4.1).  Unknown events, actions, keywords and
 * extra arguments are tolerated; nothing becomes a known event by accident.
 */
#ifndef CP_EVENT_H
#define CP_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_reply;

enum cp_event_kind {
	CP_EV_OTHER = 0, /* any other, as CIRC: cp_reply_text() has it */
	CP_EV_BOOTSTRAP,
	CP_EV_CIRCUIT_ESTABLISHED,
	CP_EV_CIRCUIT_NOT_ESTABLISHED,
	CP_EV_ENOUGH_DIR_INFO,
	CP_EV_NOT_ENOUGH_DIR_INFO,
	CP_EV_CLOCK_JUMPED,
	CP_EV_CLOCK_SKEW,
	CP_EV_STATUS,	    /* any other STATUS_* event; ACTION says which */
	CP_EV_CONF_CHANGED, /* keys by cp_reply_nconf()/cp_reply_conf() */
	CP_EV_SIGNAL,	    /* ACTION is the signal's name */
	CP_EV_LIVENESS,	    /* ACTION is UP or DOWN */
	CP_EV_TRANSPORT_LAUNCHED,
	CP_EV_LOG, /* SEVERITY and TEXT */
	CP_EV_STREAM, /* ACTION is the stream's new status */
	CP_NEVENT
};

enum cp_severity {
	CP_SEV_UNKNOWN = 0,
	CP_SEV_DEBUG,
	CP_SEV_INFO,
	CP_SEV_NOTICE,
	CP_SEV_WARN,
	CP_SEV_ERR
};

/* BOOTSTRAP, from the event or from GETINFO status/bootstrap-phase. */
struct cp_bootstrap {
	int progress; /* 0..100, or -1 when absent or unreadable */
	uint64_t count;
	enum cp_severity severity;
	bool warn; /* RECOMMENDATION=warn */
	bool cut;  /* the line ended inside quotes (Tor's 1024-octet buffer) */
	/* Borrowed.  Outer quotes removed, escapes kept: Tor escapes some. */
	struct cp_str tag, summary, warning, reason;
};

/*
 * STREAM (control-spec 4.1.2).  What is absent is empty.  A client may choose
 * TARGET freely, spaces and all (by DNS): a line that names a keyword twice,
 * or ends inside quotes, is CP_EV_OTHER.
 */
struct cp_stream {
	struct cp_str id, circuit; /* decimal digits; circuit "0": none */
	struct cp_str target;	   /* "192.0.2.1:443", up to the first SP */
	struct cp_str source;	   /* SOURCE_ADDR */
	struct cp_str protocol;	   /* CLIENT_PROTOCOL */
	struct cp_str group;	   /* SESSION_GROUP */
	struct cp_str fields;	   /* ISO_FIELDS: names with commas between */
};

/*
 * Walk the lines of GETINFO stream-status.  *REST starts as the whole value
 * and advances.  Returns 1 and a stream's number and status ("SENTRESOLVE",
 * borrowed), 0 at the end, -1 on anything else, and stays there.  Where the
 * stream goes to is a user's affair and not told.
 */
int cp_streams_next(uint64_t *id, struct cp_str *status, struct cp_str *rest);

struct cp_event {
	enum cp_event_kind kind;
	enum cp_severity severity;
	struct cp_str action; /* borrowed from the reply, like all spans here */
	struct cp_str text;   /* the log text, or the rest of the line */
	struct cp_bootstrap boot; /* CP_EV_BOOTSTRAP only */
	struct cp_stream stream;  /* CP_EV_STREAM only */
};

/*
 * Never fails on the peer's bytes: what it cannot read, or knows nothing of,
 * is CP_EV_OTHER, and then nothing else in OUT means anything.
 */
void cp_event_parse(struct cp_event *out, const struct cp_reply *event);

/* "NOTICE BOOTSTRAP PROGRESS=..."; false when it is not a bootstrap line. */
bool cp_bootstrap_parse(struct cp_bootstrap *out, struct cp_str line);

/*
 * BOOT for people, as cp_str_show() does: "14% Handshaking with a relay", and
 * ": " and Tor's warning, if it recommends one.
 */
void cp_bootstrap_show(
    char *dst, size_t cap, const struct cp_bootstrap *boot);

/*
 * The value of the first KEY= in LINE, quotes and escapes kept; false when
 * absent.  Quoted values may hold spaces and "KEY=" without being taken for
 * one.  *CUT, unless CUT is NULL: LINE ends inside quotes.
 */
bool cp_kv_find(
    struct cp_str *out, struct cp_str line, const char *key, bool *cut);

#ifdef __cplusplus
}
#endif

#endif
