/*
 * Policy -> the ordered Tor options that provision its listeners.
 */
#ifndef POL_OPTIONS_H
#define POL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy.h"

struct pol_option {
	const char *name;  /* static: "SocksPort" */
	const char *value; /* "10.152.152.10:9050 IPv6Traffic" */
	size_t listener;   /* number of its listener, SIZE_MAX for none */
	char text[POL_LISTENER_TEXT + POL_FLAGS_LEN + 1]; /* what VALUE is in */
};

struct pol_options {
	struct pol_option *list; /* owned */
	size_t n;
};

/* A port line of somebody else's, sent along as it is. */
struct pol_extra {
	enum pol_kind kind;
	const char *value; /* borrowed, of any length: "0.0.0.0:9060 Flag" */
};

/* What is known at run time; all zero is what a NULL pointer means. */
struct pol_view {
	const bool *withheld; /* by listener number; NULL: none is */
	const struct pol_addr *ifaddrs; /* see policy.h; NULL: none yet */
	const struct pol_extra *extra;
	size_t nextra;
	bool marked; /* the listeners' lines end with POL_OPTION_MARK */
	const bool *uses; /* kinds to set in any case; NULL: none */
};

/*
 * By this a line of ours is known once the policy does not name it any more:
 * Tor keeps a space at the end of a line that SETCONF has set, and takes it
 * from those of a torrc, which no user of ours wants to lose.
 */
#define POL_OPTION_MARK ' '
bool pol_option_marked(const char *value);

void pol_options_clear(struct pol_options *o);

/*
 * All listeners that V (NULL: all zero) does not withhold and that have an
 * address now, grouped by kind in enum order, in policy order within a kind,
 * V's extra lines of that kind last.  A kind that the policy uses and that
 * has no line left becomes "0": without a value Tor would open its default
 * port.  A kind that neither the policy names nor V is left alone, extra lines
 * and all.
 * Last comes "DisableNetwork 0", so that one SETCONF opens them.  OUT borrows
 * V's extra lines.  -1 when out of memory.
 */
int pol_options_make(struct pol_options *out, const struct pol_policy *p,
    const struct pol_view *v) __attribute__((warn_unused_result));

/*
 * True if FLAG is one of Tor's flags for KIND (case folded, "No" prefix where
 * Tor has it, trailing s where Tor takes it); then OUT, if not NULL, is
 * Tor's spelling.  Tor answers 250 to a misspelt flag and drops it, so
 * nothing unchecked may be sent.  False: OUT is the nearest right spelling.
 */
bool pol_flag_check(enum pol_kind kind, const char *flag, char *out,
    size_t cap);

/*
 * The same for GroupWritable, WorldWritable and RelaxDirModeCheck, which are
 * for Unix sockets only; when false, OUT is left alone.
 */
bool pol_flag_unix(const char *flag, char *out, size_t cap);

/*
 * Does a line that Tor reports (GETCONF value, "10.0.0.1:9050 IPv6Traffic
 * IsolateDestAddr") mean the same listener with the same flags as L?  Order
 * and case of flags do not matter, nor do quotes round a path.  A listener
 * without an address is never the same.
 */
bool pol_option_same(const struct pol_listener *l, const char *value,
    const struct pol_addr *ifaddrs);

#endif
