#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/cli/command.h"
#include "supervisor/cli/out.h"
#include "supervisor/import/import.h"

enum cli_exit
cli_import(const struct cli_options *o)
{
	const char *root = o->operand != NULL ? o->operand : "/";

	switch (import_whonix(stdout, root)) {
	case IMPORT_DONE:
		return cli_printed(CLI_OK);
	case IMPORT_NOTHING:
		fprintf(stderr, "portcullis: %s has neither a torrc nor "
		    "settings of whonix_firewall; give the root folder of a "
		    "Whonix-Gateway.\n", root);
		return CLI_FAILED;
	case IMPORT_FAILED:
		break;
	}
	fprintf(stderr, "portcullis: %s cannot be imported: %s.\n", root,
	    strerror(errno));
	return CLI_UNKNOWN;
}
