#include "supervisor/snaptor.h"

#include <stddef.h>

static const char *const known_names[SNAP_NKNOWN] = {
	[SNAP_UNKNOWN] = "unknown",
	[SNAP_NO] = "no",
	[SNAP_YES] = "yes",
};

static const char *const auth_names[SNAP_NAUTH] = {
	[SNAP_AUTH_NONE] = NULL,
	[SNAP_AUTH_NULL] = "null",
	[SNAP_AUTH_COOKIE] = "cookie",
	[SNAP_AUTH_SAFECOOKIE] = "safecookie",
	[SNAP_AUTH_PASSWORD] = "password",
};

static const char *const clock_names[SNAP_NCLOCK] = {
	[SNAP_CLOCK_UNKNOWN] = "unknown",
	[SNAP_CLOCK_NONE_YET] = "noneyet",
	[SNAP_CLOCK_OK] = "ok",
	[SNAP_CLOCK_SLOW] = "slow",
	[SNAP_CLOCK_FAST] = "fast",
};

static const char *const timesync_names[SNAP_NTS] = {
	[SNAP_TS_NONE] = NULL,
	[SNAP_TS_PENDING] = "pending",
	[SNAP_TS_FIRST_SUCCESS] = "first_success",
	[SNAP_TS_SUCCESS] = "success",
	[SNAP_TS_FAIL] = "fail",
};

/* Snapshots are compared as octets: nothing may lie between the members. */
_Static_assert(offsetof(struct snap_tor, built_id) ==
    offsetof(struct snap_tor, reserved) + sizeof(uint32_t) &&
    sizeof(struct snap_tor) == offsetof(struct snap_tor, skew_s) +
    sizeof(int64_t), "padding in struct snap_tor");

const char *
snap_known_name(enum snap_known k)
{
	return k < SNAP_NKNOWN ? known_names[k] : known_names[SNAP_UNKNOWN];
}

const char *
snap_auth_name(enum snap_auth a)
{
	return a < SNAP_NAUTH ? auth_names[a] : NULL;
}

const char *
snap_clock_name(enum snap_clock c)
{
	return c < SNAP_NCLOCK ? clock_names[c] :
	    clock_names[SNAP_CLOCK_UNKNOWN];
}

const char *
snap_timesync_name(enum snap_timesync t)
{
	return t < SNAP_NTS ? timesync_names[t] : NULL;
}
