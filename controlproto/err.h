/*
 * Errors of the control-protocol library.
 *
 * For all its headers: a struct whose members are shown is the caller's to
 * make, and keeps its layout for as long as the soname is the same; the
 * others are opaque.  An enum may grow at its end, and CP_N... with it.
 */
#ifndef CP_ERR_H
#define CP_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Every function that can fail returns one of these; CP_OK is 0.  An error
 * from a reader or a connection is sticky: the object stays poisoned and the
 * link has to be dropped.
 */
enum cp_err {
	CP_OK = 0,
	CP_ERR_NOMEM,	    /* out of memory */
	CP_ERR_LIMIT,	    /* a line, reply or event is larger than allowed */
	CP_ERR_SYNTAX,	    /* bytes that control-spec 2.3 does not allow */
	CP_ERR_NOT_TOR,	    /* the first bytes are not a Tor control port's */
	CP_ERR_UNSOLICITED, /* a reply although no command was sent */
	CP_ERR_MIXED,	    /* status code changed inside one reply */
	CP_ERR_ARG,	    /* the caller asked for something unsendable */
	CP_ERR_BUSY,	    /* a command is already in flight */
	CP_ERR_TIMEOUT,	    /* no complete reply before the deadline */
	CP_ERR_REFUSED,	    /* Tor answered with a 4yz or 5yz code */
	CP_ERR_KEY,	    /* the reply's keys are not those asked for */
	CP_ERR_AUTH,	    /* wrong server hash, or no permitted method */
	CP_ERR_COOKIE,	    /* not the octets of a cookie */
	CP_ERR_CLOSED,	    /* the peer has closed the link */
	CP_ERR_SYSTEM,	    /* a system call failed: cp_link_strerror() */
	CP_NERR
};

/* One short lower-case phrase, never NULL, no full stop. */
const char *cp_strerror(enum cp_err err);

#ifdef __cplusplus
}
#endif

#endif
