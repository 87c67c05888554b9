/*
 * From an existing Whonix-Gateway to a policy: its torrc chain and the simple
 * assignments of its firewall's drop-ins, read and never run.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <stdio.h>

enum import_result {
	IMPORT_DONE = 0,
	IMPORT_NOTHING, /* ROOT has neither torrc nor drop-ins */
	IMPORT_FAILED,	/* errno: ROOT cannot be opened, or out of memory */
};

/*
 * Print the policy of the gateway whose root folder is ROOT, with comments
 * that say what has no equivalent.  Nothing is printed but when IMPORT_DONE;
 * the caller looks at ferror(OUT).
 */
enum import_result import_whonix(FILE *out, const char *root);

#endif
