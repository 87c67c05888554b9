/*
 * Exit codes; portcullis(1) documents them.  Where a Tor check on Whonix
 * already has a code for it, it is the same one.
 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

enum cli_exit {
	CLI_OK = 0,	       /* done; for status: the gate is open */
	CLI_NOT_OPEN = 1,      /* closed, or Tor's own traffic only */
	CLI_FAILED = 1,	       /* check: what was to be shown is not so */
	CLI_USAGE = 2,	       /* the command line is wrong */
	CLI_REFUSED = 5,       /* not permitted, or the request was refused */
	CLI_TIMEOUT = 124,     /* wait: the time is up; as timeout(1) */
	CLI_UNKNOWN = 254,     /* the position is not known; internal failure */
	CLI_UNREACHABLE = 255, /* no supervisor answers */
};

#endif
