#include "supervisor/snapshot.h"

#include <stddef.h>

static const char *const fact_names[SNAP_NFACT] = {
	[SNAP_F_LINK] = "link",
	[SNAP_F_CONF] = "configuration",
	[SNAP_F_LISTEN] = "listeners",
	[SNAP_F_BOOT] = "bootstrap",
	[SNAP_F_CIRCUIT] = "circuit",
	[SNAP_F_USABLE] = "usable",
	[SNAP_F_ALIVE] = "alive",
	[SNAP_F_TIME] = "time",
	[SNAP_F_FREE] = "free",
};

static const char *const why_names[SNAP_NLWHY] = {
	[SNAP_L_OK] = "ok",
	[SNAP_L_NOT_CHECKED] = "not-checked",
	[SNAP_L_NOT_REPORTED] = "not-reported",
	[SNAP_L_NO_SOCKET] = "no-socket",
	[SNAP_L_FOREIGN] = "foreign",
	[SNAP_L_FLAGS] = "flags",
	[SNAP_L_NO_ADDRESS] = "no-address",
	[SNAP_L_STALE] = "stale-flags",
	[SNAP_L_REFUSED] = "refused",
	[SNAP_L_FILE] = "socket-file",
};

static const char *const state_names[SNAP_NLSTATE] = {
	[SNAP_LS_WANTED] = "wanted",
	[SNAP_LS_LISTENING] = "listening",
	[SNAP_LS_PROVEN] = "proven",
	[SNAP_LS_WITHHELD] = "withheld",
};

static const char *const transport_names[SNAP_NTSTATE] = {
	[SNAP_T_UNKNOWN] = "unknown",
	[SNAP_T_LAUNCHED] = "launched",
	[SNAP_T_STARTING] = "starting",
	[SNAP_T_NO_PROGRAM] = "no-program",
	[SNAP_T_NOT_EXECUTABLE] = "not-executable",
	[SNAP_T_DIED] = "died",
	[SNAP_T_NO_PROXY] = "no-proxy",
	[SNAP_T_NO_PLUGIN] = "no-plugin",
	[SNAP_T_FOREIGN] = "foreign",
};

static const char *const step_names[SNAP_NASTEP] = {
	[SNAP_A_NONE] = "none",
	[SNAP_A_PREFLIGHT] = "preflight",
	[SNAP_A_SETTING] = "setting",
	[SNAP_A_WATCHING] = "watching",
	[SNAP_A_KEEPING] = "keeping",
	[SNAP_A_ROLLING_BACK] = "rolling-back",
	[SNAP_A_KEPT] = "kept",
	[SNAP_A_CHECKED] = "checked",
	[SNAP_A_ROLLED_BACK] = "rolled-back",
	[SNAP_A_REFUSED] = "refused",
};

static const char *const verb_names[SNAP_NVERB] = {
	[SNAP_V_HOLD] = "hold",
	[SNAP_V_RELEASE] = "release",
	[SNAP_V_NEWNYM] = "newnym",
	[SNAP_V_REPROVE] = "reprove",
	[SNAP_V_CHECK_ISOLATION] = "check-isolation",
	[SNAP_V_NAMES] = "names",
	[SNAP_V_APPLY] = "apply",
};

bool
snap_verb_ok(const struct snap_verb *v)
{
	return v->magic == SNAP_VERB_MAGIC && v->code > SNAP_V_NONE &&
	    v->code < SNAP_NVERB && v->code != SNAP_V_APPLY &&
	    v->reserved == 0;
}

bool
snap_change_ok(const struct snap_change *c)
{
	return c->magic == SNAP_CHANGE_MAGIC && c->dry_run <= 1 &&
	    c->reserved == 0;
}

const char *
snap_fact_name(enum snap_fact fact)
{
	return (unsigned)fact < SNAP_NFACT ? fact_names[fact] : NULL;
}

const char *
snap_listener_why_name(enum snap_listener_why why)
{
	return (unsigned)why < SNAP_NLWHY ? why_names[why] : "unknown";
}

const char *
snap_listener_state_name(enum snap_listener_state state)
{
	return (unsigned)state < SNAP_NLSTATE ? state_names[state] : "unknown";
}

const char *
snap_transport_state_name(enum snap_transport_state state)
{
	return (unsigned)state < SNAP_NTSTATE ? transport_names[state] :
	    "unknown";
}

const char *
snap_apply_step_name(enum snap_apply_step step)
{
	return (unsigned)step < SNAP_NASTEP ? step_names[step] : "unknown";
}

const char *
snap_verb_name(enum snap_verb_code code)
{
	return (unsigned)code < SNAP_NVERB ? verb_names[code] : NULL;
}
