#include "supervisor/engine/diagnosis.h"

#include <string.h>

#include "supervisor/engine/sentence.h"

/* Of a host name, of foreign words: so much fits into a sentence. */
#define HOST_SHOWN 80
#define WORD_SHOWN 100

/* Once can happen; a program that dies again and again will go on so. */
#define DEATHS_MIN 2
/* Tor tolerates a clock that is wrong by less; by more it never gets far. */
#define SKEW_MAX_S 3600
/* With a day Tor was seen to bootstrap, with three it never was. */
#define SKEW_SURE_S (2 * 86400)
/* "handshake": with a clock that is days ahead each is broken off here. */
#define HANDSHAKE 14

#define TEXT(d, ...) sentence((d)->text, sizeof(d)->text, __VA_ARGS__)

static bool
say(struct diagnosis *d, const char *code, const char *advice)
{
	sentence(d->code, sizeof d->code, "%s", code);
	sentence(d->advice, sizeof d->advice, "%s", advice);
	return true;
}

/* --- names --------------------------------------------------------------- */

static const struct {
	const char *text, *advice;
} names[NAME_NSTATE] = {
	[NAME_UNKNOWN] = { "is not looked up yet",
	    "If it stays so, look at the log." },
	[NAME_OK] = { "is resolved", "" },
	[NAME_NXDOMAIN] = { "does not exist (NXDOMAIN)",
	    "Correct the name, or ask for another bridge or proxy." },
	[NAME_EMPTY] = { "has no address",
	    "Correct the name, or ask for another bridge or proxy." },
	[NAME_TIMEOUT] = { "cannot be looked up: the resolver does not answer",
	    "Check that the policy's resolver can be reached, or name another "
	    "one there." },
	[NAME_REFUSED] = { "cannot be looked up: the resolver refuses",
	    "Let the policy name a resolver that answers this machine." },
	[NAME_UNREACHABLE] = {
	    "cannot be looked up: the resolver cannot be reached",
	    "Check the uplink, and the resolver's address in the policy." },
	[NAME_TLS] = { "is not looked up: the resolver's certificate or key "
	    "is not the policy's",
	    "Correct the resolver's name or pin in the policy; if they are "
	    "right, somebody else answers in its place." },
	[NAME_BAD] = { "cannot be looked up: what comes is no answer",
	    "Let the policy name another resolver." },
	[NAME_PRIVATE] = { "has private addresses only, which the policy does "
	    "not allow",
	    "If that is meant so, set private = true in section resolver." },
	[NAME_BLOCKED] = { "is not looked up: our own firewall blocks it",
	    "Look at the log of the gate; it is tried again." },
};

const char *
diagnosis_name(enum name_state state)
{
	return (unsigned)state < NAME_NSTATE ? names[state].text : "unknown";
}

const char *
diagnosis_name_advice(enum name_state state, bool resolver)
{
	if (!resolver)
		return "Add a section resolver to the policy, or use an "
		    "address.";
	return (unsigned)state < NAME_NSTATE ? names[state].advice : "";
}

static bool
own_dns(struct diagnosis *d)
{
	TEXT(d, "The policy's resolver is one of Tor's own DNSPorts, which "
	    "answers only when Tor works already.");
	return say(d, "resolver-is-tor", "Let the policy name a resolver "
	    "outside.");
}

static bool
name_fault(struct diagnosis *d, const struct symptoms *s, const char *who,
    const char *host, enum name_state state)
{
	if (s->resolver && s->own_dns)
		return own_dns(d);
	if (s->resolver)
		TEXT(d, "%s needs the name %.*s, which %s.", who, HOST_SHOWN,
		    host, diagnosis_name(state));
	else
		TEXT(d, "%s needs the name %.*s, and the policy has no "
		    "resolver to look it up.", who, HOST_SHOWN, host);
	sentence(d->advice, sizeof d->advice, "%s",
	    diagnosis_name_advice(state, s->resolver));
	return true;
}

static bool
is_proxy_name(struct diagnosis *d, const struct symptoms *s)
{
	if (s->proxy_host == NULL || (!s->resolver && !s->stalled))
		return false;
	sentence(d->code, sizeof d->code, "proxy-name");
	if (s->off) {
		TEXT(d, "Tor's proxy needs the name %.*s, and no name is "
		    "looked up while DisableNetwork is 1.", HOST_SHOWN,
		    s->proxy_host);
		return say(d, "proxy-name", "Set the proxy by its address "
		    "(portcullis apply), or DisableNetwork 0 in torrc.");
	}
	return name_fault(d, s, "Tor's proxy", s->proxy_host, s->proxy_name);
}

static bool
is_name(struct diagnosis *d, const struct symptoms *s)
{
	char who[POL_NAME_LEN + sizeof "The transport "];

	if (s->host == NULL || s->name == NAME_OK ||
	    (s->name == NAME_UNKNOWN && !s->stalled))
		return false;
	sentence(d->code, sizeof d->code, "transport-name");
	sentence(who, sizeof who, "The transport %s", s->method != NULL ?
	    s->method : "in use");
	return name_fault(d, s, who, s->host, s->name);
}

/* --- transports ---------------------------------------------------------- */

static bool
is_transport(struct diagnosis *d, const struct symptoms *s)
{
	if (s->method == NULL)
		return false;
	switch (s->transport) {
	case SNAP_T_NO_PLUGIN:
		TEXT(d, "Bridges need the transport %s, and Tor has no "
		    "program for it.", s->method);
		return say(d, "transport-no-plugin", "Set them by: portcullis "
		    "apply, which sets the program too; or add "
		    "ClientTransportPlugin to torrc.");
	case SNAP_T_NO_PROGRAM:
		TEXT(d, "The program of the transport %s is not there.",
		    s->method);
		return say(d, "transport-missing", "Install it, or correct "
		    "its path in the policy and torrc.");
	case SNAP_T_NOT_EXECUTABLE:
		TEXT(d, "The program of the transport %s may not be run.",
		    s->method);
		return say(d, "transport-not-executable", "Make it executable "
		    "for Tor's user (chmod +x), and check AppArmor.");
	case SNAP_T_NO_PROXY:
		TEXT(d, "The transport %s cannot work behind a proxy.",
		    s->method);
		return say(d, "transport-no-proxy", "Use the bridges without "
		    "the proxy, or a transport that supports one, such as "
		    "obfs4.");
	case SNAP_T_DIED:
		if (s->deaths < DEATHS_MIN)
			return false;
		TEXT(d, "The program of the transport %s ends as soon as it "
		    "is started (%u times)%s%.*s", s->method, s->deaths,
		    s->word[0] != '\0' ? ": " : ".", WORD_SHOWN, s->word);
		return say(d, "transport-dies", "Run it by hand to see why, "
		    "and check its arguments; Tor starts it again by "
		    "itself.");
	case SNAP_T_UNKNOWN:
	case SNAP_T_LAUNCHED:
	case SNAP_T_STARTING:
	case SNAP_T_FOREIGN:
	case SNAP_NTSTATE:
		break;
	}
	return false;
}

/* Nothing wrong with its file, and yet Tor has not heard of it. */
static bool
is_hung(struct diagnosis *d, const struct symptoms *s)
{
	if (s->method == NULL || s->transport != SNAP_T_STARTING ||
	    s->progress > 0)
		return false;
	TEXT(d, "The program of the transport %s was started and does not "
	    "say that it is ready.", s->method);
	return say(d, "transport-hangs", "Check that it is a pluggable "
	    "transport of that name; restart Tor to have it started again.");
}

/* --- the proxy ----------------------------------------------------------- */

static const struct {
	const char *text, *advice;
} verdicts[NAME_NVERDICT] = {
	[NAME_V_REFUSED] = { "refuses the connection",
	    "Check its address and port, and that it runs." },
	[NAME_V_TIMEOUT] = { "does not answer",
	    "Check its address and port, and that nothing blocks the way." },
	[NAME_V_UNREACHABLE] = { "cannot be reached",
	    "Check the uplink, and the proxy's address." },
	[NAME_V_PROTOCOL] = { "is not one of that kind",
	    "Check its kind (https, socks4, socks5) and its port." },
	[NAME_V_AUTH] = { "wants another user and password",
	    "Correct them by: portcullis apply" },
	[NAME_V_DENIED] = { "does not let us through to the Tor network",
	    "Ask who runs it to permit the port, or use another." },
	[NAME_V_BLOCKED] = { "could not be tried: our own firewall is in the "
	    "way", "Look at the log of the gate." },
};

static bool
is_proxy(struct diagnosis *d, const struct symptoms *s)
{
	char code[24] = "";

	if (s->proxy == POL_PROXY_NONE || s->verdict == NAME_V_NONE ||
	    s->verdict == NAME_V_OK || (unsigned)s->verdict >= NAME_NVERDICT ||
	    (s->verdict == NAME_V_BLOCKED && !s->stalled))
		return false;
	if (s->code != 0)
		sentence(code, sizeof code, " (%u)", s->code);
	TEXT(d, "Tor's %s proxy %s%s.", pol_proxy_name(s->proxy),
	    verdicts[s->verdict].text, code);
	sentence(d->code, sizeof d->code, "proxy-%s",
	    name_verdict_name(s->verdict));
	sentence(d->advice, sizeof d->advice, "%s",
	    verdicts[s->verdict].advice);
	return true;
}

/* --- what Tor says ------------------------------------------------------- */

static bool
is_clock(struct diagnosis *d, const struct symptoms *s)
{
	int64_t off = s->skew_s < 0 ? -s->skew_s : s->skew_s;

	if (s->skewed && off > (s->stalled ? SKEW_MAX_S : SKEW_SURE_S))
		TEXT(d, "The clock is wrong: it is %lld hours %s what the Tor "
		    "network says.", (long long)(off / 3600),
		    s->skew_s < 0 ? "behind" : "ahead of");
	else if (s->stalled && (s->log & SAID_CERTIFICATE) != 0)
		TEXT(d, "The clock is probably wrong: certificates are "
		    "expired or not yet valid by it.");
	else if (s->stalled && s->progress == HANDSHAKE &&
	    strcmp(s->reason, "DONE") == 0)
		TEXT(d, "The clock is probably wrong, or something "
		    "interferes: each handshake is broken off.");
	else
		return false;
	return say(d, "clock", "Set the clock right (date -u shows it); Tor "
	    "goes on by itself, or restart it.");
}

static bool
is_identity(struct diagnosis *d, const struct symptoms *s)
{
	if (strcmp(s->reason, "IDENTITY") != 0 &&
	    (s->log & SAID_IDENTITY) == 0)
		return false;
	TEXT(d, "%s another key than expected: the fingerprint is wrong, or "
	    "somebody is in between.", s->bridges ? "A bridge shows" :
	    "The relay shows");
	return say(d, "wrong-fingerprint", s->bridges ?
	    "Compare the bridge line with what you were given; if it is "
	    "right, use another bridge." :
	    "Use another network or bridges: this one intercepts Tor.");
}

static bool
is_socks(struct diagnosis *d, const struct symptoms *s)
{
	if ((s->log & SAID_SOCKS) == 0 || !s->bridges)
		return false;
	TEXT(d, "No bridge can be reached by the transport %s, or it is not "
	    "one of that kind.", s->method != NULL ? s->method : "in use");
	return say(d, "bridge-unreachable", "Check the bridge line (address, "
	    "port, cert=), or use another bridge.");
}

static bool
is_no_route(struct diagnosis *d, const struct symptoms *s)
{
	if (strcmp(s->reason, "NOROUTE") != 0 &&
	    (s->log & SAID_NO_ROUTE) == 0)
		return false;
	TEXT(d, "There is no route to the Tor network: the uplink is down.");
	return say(d, "no-route", "Check the external interface, its address "
	    "and its default route.");
}

static bool
is_fronts(struct diagnosis *d, const struct symptoms *s)
{
	if (!s->fronts || s->progress > 14)
		return false;
	TEXT(d, "A snowflake bridge uses fronts=, which old programs ignore: "
	    "they ask for the broker's own name instead.");
	return say(d, "snowflake-fronts", "Update snowflake-client, or write "
	    "front= with one name.");
}

/* --- the phase ----------------------------------------------------------- */

/* Up to which percentage, with bridges or without. */
static const struct {
	int upto;
	const char *code, *text, *advice;
	const char *bridge_text, *bridge_advice;
} phases[] = {
	{ 0, "stalled", "Tor has not begun to connect",
	    "Check Tor's log, and DisableNetwork.",
	    "no transport runs, so Tor has not begun to connect",
	    "Check the transport's program and ClientTransportPlugin." },
	{ 1, "stalled", "Tor waits for its transport",
	    "Check the transport's program.",
	    "the transport's program does not take connections",
	    "Restart Tor; if it stays so, use another transport." },
	/* It took the connection, and has not come through to the bridge. */
	{ 2, "stalled", "Tor waits for its transport",
	    "Check the transport's program.",
	    "no bridge can be reached",
	    "Check the uplink, or use other bridges." },
	{ 4, "stalled", "Tor waits for its proxy",
	    "Check the proxy, or go without it.",
	    "Tor waits for its proxy",
	    "Check the proxy, or go without it." },
	{ 9, "stalled", "no relay can be reached",
	    "Check the uplink; if it blocks Tor, use bridges.",
	    "no bridge can be reached",
	    "Check the uplink, or use other bridges." },
	{ 13, "stalled", "relays can be reached, but do not answer as such",
	    "Something blocks Tor: use bridges.",
	    "the transport cannot reach its bridge, or a name of it",
	    "Use another bridge or transport; see: portcullis names" },
	{ 24, "stalled", "no relay completes the handshake",
	    "Check the clock; if it is right, use bridges.",
	    "no bridge completes the handshake",
	    "Check the clock and the bridge's fingerprint." },
	{ 49, "stalled", "Tor does not get the list of relays",
	    "Check the clock; the connection may be very slow.",
	    "the bridge does not give Tor the list of relays",
	    "Check the clock, or use another bridge." },
	{ 74, "stalled", "Tor loads the relays' descriptions very slowly",
	    "Wait, or use a faster uplink.",
	    "Tor loads the relays' descriptions very slowly",
	    "Wait, or use a faster bridge." },
	{ 99, "stalled", "Tor cannot build circuits",
	    "Check the clock and the uplink.",
	    "Tor cannot build circuits",
	    "Check the clock, or use another bridge." },
	{ 100, "no-way", "Tor reaches nobody of those whom it used any more",
	    "Check the uplink.",
	    "Tor reaches none of its bridges any more",
	    "Check the uplink, or use other bridges." },
};
#define NPHASES (sizeof phases / sizeof phases[0])

static bool
is_phase(struct diagnosis *d, const struct symptoms *s)
{
	size_t i = 0;

	while (i < NPHASES - 1 && s->progress > phases[i].upto)
		i++;
	TEXT(d, "Tor makes no progress at %d %% (%.31s): %s%s%.*s",
	    s->progress, s->tag, s->bridges ? phases[i].bridge_text :
	    phases[i].text, s->said[0] != '\0' ? "; it says: " : ".",
	    WORD_SHOWN, s->said);
	return say(d, phases[i].code, s->bridges ? phases[i].bridge_advice :
	    phases[i].advice);
}

/* --- all of them --------------------------------------------------------- */

/* What to do depends on more than the code. */
static const struct facts_reason codes[] = {
	{ "resolver-is-tor",
	    "The policy's resolver is one of Tor's own DNSPorts, which "
	    "answers only when Tor works already.", "" },
	{ "proxy-name", "Tor's proxy is given by a name that has no address.",
	    "" },
	{ "proxy-refused", "Tor's proxy refuses the connection.", "" },
	{ "proxy-timeout", "Tor's proxy does not answer.", "" },
	{ "proxy-unreachable", "Tor's proxy cannot be reached.", "" },
	{ "proxy-wrong-protocol", "Tor's proxy is not one of its kind.", "" },
	{ "proxy-password", "Tor's proxy wants another user and password.",
	    "" },
	{ "proxy-denied", "Tor's proxy does not let us through to the Tor "
	    "network.", "" },
	{ "proxy-blocked", "Tor's proxy could not be tried: our own firewall "
	    "is in the way.", "" },
	{ "transport-name", "A pluggable transport needs a name that has no "
	    "address.", "" },
	{ "transport-no-plugin", "Bridges need a transport that Tor has no "
	    "program for.", "" },
	{ "transport-missing", "The program of a transport is not there.",
	    "" },
	{ "transport-not-executable", "The program of a transport may not be "
	    "run.", "" },
	{ "transport-no-proxy", "A transport cannot work behind Tor's proxy.",
	    "" },
	{ "transport-dies", "The program of a transport ends as soon as it is "
	    "started.", "" },
	{ "transport-hangs", "The program of a transport does not say that it "
	    "is ready.", "" },
	{ "clock", "The clock is wrong.", "" },
	{ "wrong-fingerprint", "A bridge or relay shows another key than "
	    "expected.", "" },
	{ "bridge-unreachable", "No bridge can be reached by its transport.",
	    "" },
	{ "no-route", "There is no route to the Tor network.", "" },
	{ "snowflake-fronts", "A snowflake bridge uses fronts=, which old "
	    "programs ignore.", "" },
	{ "stalled", "Bootstrap makes no progress.", "" },
	{ "no-way", "Tor reaches nobody of those whom it used any more.",
	    "" },
};

const struct facts_reason *
diagnosis_code(unsigned i)
{
	return i < sizeof codes / sizeof codes[0] ? &codes[i] : NULL;
}

/* In this order: a cause before its effects, what we saw before hearsay. */
static const struct {
	bool (*is)(struct diagnosis *d, const struct symptoms *s);
	bool stalled; /* says something only when Tor has come to a halt */
} causes[] = {
	{ is_proxy_name, false },
	{ is_transport, false },
	{ is_proxy, false },
	{ is_name, false },
	{ is_clock, false },
	{ is_identity, true },
	{ is_hung, true },
	{ is_fronts, true },
	{ is_socks, true },
	{ is_no_route, true },
	{ is_phase, true },
};

bool
diagnosis_make(struct diagnosis *d, const struct symptoms *s)
{
	memset(d, 0, sizeof *d);
	for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
		if ((s->stalled || !causes[i].stalled) && causes[i].is(d, s))
			return true;
	memset(d, 0, sizeof *d);
	return false;
}
