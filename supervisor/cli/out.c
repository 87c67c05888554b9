#include "supervisor/cli/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *text;
	enum cli_exit code;
} io_errors[] = {
	[CLI_IO_OK] = { "", CLI_OK },
	[CLI_IO_GONE] = { "The supervisor is not running or went away; "
	    "see: systemctl status portcullis", CLI_UNREACHABLE },
	[CLI_IO_DENIED] = { "You are not permitted to use its socket; root "
	    "is, and whoever is in its group.", CLI_REFUSED },
	[CLI_IO_LATE] = { "The supervisor does not answer.",
	    CLI_UNREACHABLE },
	[CLI_IO_BAD] = { "The supervisor sent something that is not a line.",
	    CLI_UNKNOWN },
	[CLI_IO_MEMORY] = { "There is not enough memory.", CLI_UNKNOWN },
};

enum cli_exit
cli_io_failed(const struct cli_options *o, enum cli_io rc)
{
	fprintf(stderr, "portcullis: %s (%s)\n", io_errors[rc].text, o->dir);
	return io_errors[rc].code;
}

enum cli_exit
cli_printed(enum cli_exit code)
{
	if (fflush(stdout) == EOF || ferror(stdout) != 0) {
		fprintf(stderr, "portcullis: cannot write the output\n");
		return CLI_UNKNOWN;
	}
	return code;
}

bool
cli_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == '\0') &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

void
cli_print_raw(char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			text[i] = '?';
	puts(text);
}

enum cli_exit
cli_print_json(json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII |
	    JSON_ENCODE_ANY);

	json_decref(value);
	if (text == NULL)
		return CLI_UNKNOWN;
	cli_print_raw(text); /* DEL passes for ASCII */
	free(text);
	return CLI_OK;
}
