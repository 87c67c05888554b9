/*
 * The states of the session with Tor.  A table of edges, one function that
 * assigns the state; no clock, no I/O.
 */
#ifndef SM_H
#define SM_H

enum sm_state {
	SM_DOWN = 0,  /* nothing tried yet */
	SM_CONNECT,   /* connect(2) is under way */
	SM_AUTH,      /* PROTOCOLINFO, AUTHCHALLENGE, AUTHENTICATE */
	SM_SETUP,     /* who is it, which events */
	SM_CONFIGURE, /* read back, repair, read back */
	SM_WATCH,     /* as desired: poll */
	SM_BACKOFF,   /* waiting for the next try */
	SM_HALT,      /* an impossible event: closed until restarted */
	SM_NSTATES
};

enum sm_event {
	EV_START = 0, /* begin, or the back-off is over */
	EV_LINK_UP,   /* connected */
	EV_LINK_LOST, /* end of file, deadline, bad bytes, refused */
	EV_AUTH_OK,
	EV_SETUP_OK,
	EV_CONF_OK,  /* read back as desired */
	EV_CONF_BAD, /* differs, or in doubt */
	EV_NEVENTS
};

enum sm_action {
	ACT_NONE = 0,
	ACT_CONNECT,
	ACT_HELLO,  /* send PROTOCOLINFO */
	ACT_ASK,    /* send the GETINFO about Tor itself */
	ACT_READ,   /* read everything back */
	ACT_WAIT,   /* close the link, start the back-off */
	ACT_HALT,
	SM_NACTIONS
};

/*
 * Move *ST by EV and say what has to be done.  A pair that is not in the
 * table moves to SM_HALT, from which nothing leads away.
 */
enum sm_action sm_step(enum sm_state *st, enum sm_event ev);

const char *sm_name(enum sm_state st); /* "CONFIGURE" */
const char *sm_event_name(enum sm_event ev);

#endif
