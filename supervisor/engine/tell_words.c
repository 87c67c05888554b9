/*
 * The words for what is so, why, and what to do, but for those that facts.c
 * and diagnosis.c have; and the list of all.
 */
#include "supervisor/engine/core.h"
#include "supervisor/engine/diagnosis.h"

static const struct facts_reason losses[ENGINE_NLOSS] = {
	[LOSS_NONE] = { "tor-connecting",
	    "The connection to Tor's control port is being made.", "" },
	[LOSS_NO_TOR] = { "tor-down",
	    "Nobody listens on Tor's control port.",
	    "Start Tor, or correct the control address in the policy. A Tor "
	    "that starts dormant or with DisableNetwork 1 has no control "
	    "socket: use TCP." },
	[LOSS_ACCESS] = { "tor-denied",
	    "The engine's user may not connect to Tor's control socket.",
	    "Put it into Tor's group, and let that group use the socket." },
	[LOSS_EOF] = { "tor-gone",
	    "Tor closed the control connection; it has stopped or restarted.",
	    "Check that Tor is running." },
	[LOSS_TIMEOUT] = { "tor-hung",
	    "Tor's control port does not answer.",
	    "If it stays so, restart Tor." },
	[LOSS_BYTES] = { "protocol-error",
	    "The control port sent what is not Tor's control protocol.",
	    "Check what listens there; a filter in between may be at fault." },
	[LOSS_NOT_TOR] = { "not-a-control-port",
	    "What listens at the control address is not a Tor control port.",
	    "Correct the control address in the policy." },
	[LOSS_PEER] = { "wrong-peer",
	    "The program at the control address does not run as Tor's user.",
	    "Find out what it is, and whose." },
	[LOSS_METHOD] = { "auth-method",
	    "Tor offers no way to authenticate that the policy permits.",
	    "Set CookieAuthentication 1 in torrc, or permit in the policy what "
	    "Tor offers." },
	[LOSS_COOKIE] = { "cookie-unusable",
	    "Tor's cookie file cannot be used.",
	    "Check its path, owner and size; the engine must read it." },
	[LOSS_PASSWORD] = { "password-unusable",
	    "The file with Tor's control password cannot be used.",
	    "Check its path and permissions." },
	[LOSS_HASH] = { "wrong-server-hash",
	    "What listens at the control address does not know Tor's cookie: "
	    "it may be an impostor.",
	    "Find out what it is before anything else." },
	[LOSS_AUTH] = { "auth-refused",
	    "Tor refused to authenticate us.",
	    "Check that the cookie or password belongs to this Tor." },
	[LOSS_FILTERED] = { "filtered",
	    "A filter before Tor's control port refuses our commands.",
	    "Let the policy name Tor's own control port." },
	[LOSS_OLD] = { "tor-too-old",
	    "This Tor lacks an option or event that is needed.",
	    "Update Tor." },
	[LOSS_MEMORY] = { "no-resources",
	    "The engine lacks memory or randomness.",
	    "Check the machine." },
};

/*
 * What is so of the policy's directory, whose name goes before it, and what to
 * do about it.  The reason's code is FACT_TIME's for all of them.
 */
static const struct facts_reason clocks[ENGINE_NCLOCK] = {
	[CLOCK_UNKNOWN] = { "unknown", "has not been looked at", "" },
	[CLOCK_RIGHT] = { "right", "says so", "" },
	[CLOCK_NO_FILE] = { "no-file",
	    "has neither first_success nor success",
	    "Wait for time synchronisation; if it does not come, look at the "
	    "log of what does it." },
	[CLOCK_NO_DIRECTORY] = { "no-directory", "is not there",
	    "Start the program that sets the clock, or correct the directory "
	    "in the policy." },
	[CLOCK_DENIED] = { "denied", "cannot be looked into",
	    "Let the engine's user pass through it (chmod o+x)." },
	[CLOCK_BAD_DIRECTORY] = { "bad-directory",
	    "could be written to by others",
	    "Let it be a directory of root's or of a timesync user's, no "
	    "link, and not writable for all." },
	[CLOCK_BAD_FILE] = { "bad-file",
	    "has what nobody trusted put there",
	    "Find out who made it: it has to be a file of root's or of a "
	    "timesync user's." },
};

/* Where the sentence depends on more, this one is its kind. */
static const struct facts_reason says[NSAY] = {
	[SAY_GATE] = { "gate-unreachable",
	    "The process that drives the firewall does not answer.",
	    "It is restarted by itself; if it stays so, look at the log." },
	[SAY_FIGHT] = { "fight",
	    "Another controller keeps changing Tor's configuration.",
	    "Stop the other controller, then: portcullis reprove" },
	[SAY_REFUSED] = { "refused", "Tor refuses the policy's listeners.",
	    "Correct the policy and restart portcullisd, or correct torrc and "
	    "restart Tor." },
	[SAY_CHANGE] = { "change",
	    "Bridges or proxy are being changed; nothing opens until that is "
	    "over.",
	    "Wait: it is kept if it works, and rolled back if not." },
	[SAY_PROVING] = { "proving", "The proofs are being made.", "" },
	[SAY_DISABLED] = { "tor-disabled",
	    "Tor's networking is switched off in its torrc (DisableNetwork "
	    "1), and stays so.",
	    "When it is to be on: DisableNetwork 0 in torrc, and reload Tor; "
	    "or enable = true in section tor of the policy." },
	[SAY_OFF] = { "network-disabled",
	    "Tor's networking was switched off (DisableNetwork 1); it is "
	    "being switched on.", "" },
	[SAY_DRIFT] = { "drift",
	    "Tor's listeners differ from the policy; they are being "
	    "repaired.", "" },
	[SAY_LISTENERS] = { "listeners-refused",
	    "Tor could not open a listener.",
	    "Check addresses and ports; it is tried again by itself." },
	[SAY_SQUATTED] = { "squatted",
	    "Another program holds an address where Tor should listen.",
	    "Stop that program; Tor takes the port by itself then." },
	[SAY_FILES] = { "too-many-files",
	    "Tor may open too few files for its listeners and connections.",
	    "Raise the limit of open files for Tor (LimitNOFILE= of its "
	    "service, or ulimit -n) and restart it." },
	[SAY_RELAYS] = { "no-relays",
	    "Tor may not connect to anything yet: the list of relays is not "
	    "in force.",
	    "It is made from what Tor says; if it does not come, look at the "
	    "log." },
	[SAY_INTERFACE] = { "no-interface",
	    "Tor has no way out: its external interface is not there.",
	    "Bring it up, or correct the policy's interfaces and restart "
	    "portcullisd." },
	[SAY_NO_TIME_LISTENER] = { "no-time-listener",
	    "The clock is not known to be right, and no listener to set it "
	    "by is proven to be Tor's.", "Look at the listed listeners." },
	[SAY_STORM] = { "unsettled",
	    "Tor keeps taking back what it says of itself.",
	    "Wait; if it stays so, look at its log, and restart it." },
};

const struct facts_reason *
tell_say(enum say say)
{
	return &says[say];
}

const struct facts_reason *
tell_lost(enum engine_loss why)
{
	return &losses[(unsigned)why < ENGINE_NLOSS ? why : LOSS_NONE];
}

const char *
tell_loss(enum engine_loss why)
{
	return tell_lost(why)->code;
}

const struct facts_reason *
tell_clock(enum engine_clock clock)
{
	return &clocks[(unsigned)clock < ENGINE_NCLOCK ? clock :
	    CLOCK_UNKNOWN];
}

/* LINK's reasons are the losses, and ALIVE's is the one of a timeout. */
static const enum fact own[] = { FACT_CONF, FACT_LISTEN, FACT_BOOT,
	FACT_CIRCUIT, FACT_USABLE, FACT_TIME, FACT_FREE, NFACT };
#define NOWN (sizeof own / sizeof own[0])

const struct facts_reason *
tell_code(unsigned i)
{
	if (i < NOWN)
		return facts_reason(own[i]);
	i -= NOWN;
	if (i < ENGINE_NLOSS)
		return &losses[i];
	i -= ENGINE_NLOSS;
	return i < NSAY ? &says[i] : diagnosis_code(i - NSAY);
}
