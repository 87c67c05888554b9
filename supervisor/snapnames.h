/*
 * How Tor gets out, as struct snapshot tells it: names, transports, proxy and
 * the change of them that is under way.  No address, bridge or password.
 */
#ifndef SNAPNAMES_H
#define SNAPNAMES_H

#include <stdint.h>

#include "policy/policy.h"

/* A host that the live configuration names and that has to be looked up. */
#define SNAP_MAX_NAMES 16
struct snap_name {
	char host[POL_HOST_LEN];
	char needed_by[50]; /* "Bridge line 2, front (meek_lite)" */
	char since[32];	    /* UTC, RFC 3339: when STATE began */
	uint32_t state;	    /* enum name_state */
	uint32_t naddrs;    /* the addresses: by verb "names" only */
	uint32_t by_transport; /* 1: the transport asks, by the stub */
};

/* What is known of a transport that the configuration in force uses. */
enum snap_transport_state {
	SNAP_T_UNKNOWN = 0,
	SNAP_T_LAUNCHED,
	SNAP_T_STARTING,    /* wanted; Tor has not said that it runs */
	SNAP_T_NO_PROGRAM,  /* the file is not there */
	SNAP_T_NOT_EXECUTABLE,
	SNAP_T_DIED,	    /* and is started again and again */
	SNAP_T_NO_PROXY,    /* it cannot work behind Tor's proxy */
	SNAP_T_NO_PLUGIN,   /* bridges need it, and no ClientTransportPlugin */
	SNAP_T_FOREIGN,	    /* Tor runs a program that the policy lacks */
	SNAP_NTSTATE
};

#define SNAP_MAX_TRANSPORTS 8
struct snap_transport {
	char method[POL_NAME_LEN];
	uint32_t state;	 /* enum snap_transport_state */
	uint32_t deaths; /* since it was launched last, or wanted */
	char said[96];	 /* its last word by way of Tor's log; escaped */
};

/* Tor's upstream proxy. */
struct snap_proxy {
	uint32_t kind;	  /* enum pol_proxy */
	uint32_t port;
	uint32_t by_name; /* 1: it was given by name; see the names */
	uint32_t verdict; /* enum name_verdict of the last try */
	uint32_t code;	  /* the proxy's own number of a refusal */
};

/* A change of bridges or proxy, under way or the last one. */
enum snap_apply_step { SNAP_A_NONE = 0, SNAP_A_PREFLIGHT, SNAP_A_SETTING,
	SNAP_A_WATCHING, SNAP_A_KEEPING, SNAP_A_ROLLING_BACK, SNAP_A_KEPT,
	SNAP_A_CHECKED, /* a dry run that found nothing wrong */
	SNAP_A_ROLLED_BACK, SNAP_A_REFUSED, SNAP_NASTEP };

/* "no-program"; "unknown" beyond SNAP_NTSTATE. */
const char *snap_transport_state_name(enum snap_transport_state state);
/* "rolled-back"; "unknown" beyond SNAP_NASTEP. */
const char *snap_apply_step_name(enum snap_apply_step step);

#endif
