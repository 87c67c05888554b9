/*
 * Exit codes; portcullis(1) documents them.  Where a Tor check on Whonix
 * already has a code for it, it is the same one.
 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

enum cli_exit {
	CLI_OK = 0,	       /* true, or done; status: it was answered */
	CLI_FAILED = 1,	       /* false, or not yet */
	CLI_USAGE = 2,	       /* the command line is wrong */
	CLI_DISABLED = 3,      /* Tor's networking is off: DisableNetwork 1 */
	CLI_NOT_RUNNING = 4,   /* there is no Tor */
	CLI_REFUSED = 5,       /* not permitted, by us or by Tor's control */
	CLI_POLICY = 6,	       /* closed by an operator or for the time */
	CLI_BAD_CONFIG = 7,    /* Tor refuses its configuration */
	CLI_NO_NAME = 8,       /* a name that is needed does not resolve */
	CLI_LISTENERS = 9,     /* they differ from what the policy wants */
	CLI_FIREWALL = 10,     /* so does the firewall */
	CLI_CLOCK = 11,	       /* the clock is outside the consensus' range */
	CLI_TIMEOUT = 124,     /* wait: the time is up; as timeout(1) */
	CLI_UNKNOWN = 254,     /* it is not known; internal failure */
	CLI_UNREACHABLE = 255, /* no supervisor answers */
};

#endif
