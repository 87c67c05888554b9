#include "supervisor/engine/sm.h"

#include <stdbool.h>

struct edge {
	bool listed;
	enum sm_state to;
	enum sm_action act;
};

/* clang-format off */
#define GO(state, action) { .listed = true, .to = (state), .act = (action) }

static const struct edge edges[SM_NSTATES][EV_NEVENTS] = {
	[SM_DOWN] = {
		[EV_START]	= GO(SM_CONNECT, ACT_CONNECT),
	},
	[SM_CONNECT] = {
		[EV_LINK_UP]	= GO(SM_AUTH, ACT_HELLO),
		[EV_LINK_LOST]	= GO(SM_BACKOFF, ACT_WAIT),
	},
	[SM_AUTH] = {
		[EV_AUTH_OK]	= GO(SM_SETUP, ACT_ASK),
		[EV_LINK_LOST]	= GO(SM_BACKOFF, ACT_WAIT),
	},
	[SM_SETUP] = {
		[EV_SETUP_OK]	= GO(SM_CONFIGURE, ACT_READ),
		[EV_LINK_LOST]	= GO(SM_BACKOFF, ACT_WAIT),
	},
	[SM_CONFIGURE] = {
		[EV_CONF_OK]	= GO(SM_WATCH, ACT_NONE),
		[EV_CONF_BAD]	= GO(SM_CONFIGURE, ACT_READ),
		[EV_LINK_LOST]	= GO(SM_BACKOFF, ACT_WAIT),
	},
	[SM_WATCH] = {
		[EV_CONF_OK]	= GO(SM_WATCH, ACT_NONE),
		[EV_CONF_BAD]	= GO(SM_CONFIGURE, ACT_READ),
		[EV_LINK_LOST]	= GO(SM_BACKOFF, ACT_WAIT),
	},
	[SM_BACKOFF] = {
		[EV_START]	= GO(SM_CONNECT, ACT_CONNECT),
	},
};
/* clang-format on */

static const char *const state_names[SM_NSTATES] = {
	[SM_DOWN] = "DOWN",
	[SM_CONNECT] = "CONNECT",
	[SM_AUTH] = "AUTH",
	[SM_SETUP] = "SETUP",
	[SM_CONFIGURE] = "CONFIGURE",
	[SM_WATCH] = "WATCH",
	[SM_BACKOFF] = "BACKOFF",
	[SM_HALT] = "HALT",
};

static const char *const event_names[EV_NEVENTS] = {
	[EV_START] = "START",
	[EV_LINK_UP] = "LINK_UP",
	[EV_LINK_LOST] = "LINK_LOST",
	[EV_AUTH_OK] = "AUTH_OK",
	[EV_SETUP_OK] = "SETUP_OK",
	[EV_CONF_OK] = "CONF_OK",
	[EV_CONF_BAD] = "CONF_BAD",
};

enum sm_action
sm_step(enum sm_state *st, enum sm_event ev)
{
	const struct edge *e;

	if ((unsigned)*st >= SM_NSTATES || (unsigned)ev >= EV_NEVENTS ||
	    !edges[*st][ev].listed) {
		*st = SM_HALT;
		return ACT_HALT;
	}
	e = &edges[*st][ev];
	*st = e->to;
	return e->act;
}

const char *
sm_name(enum sm_state st)
{
	return (unsigned)st < SM_NSTATES ? state_names[st] : "?";
}

const char *
sm_event_name(enum sm_event ev)
{
	return (unsigned)ev < EV_NEVENTS ? event_names[ev] : "?";
}
