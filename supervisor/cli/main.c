/* portcullis(1): asks the supervisor, and tells it an operator's wishes. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/commands.h"
#include "supervisor/cli/help.h"
#include "supervisor/cli/out.h"

#define DEFAULT_DIR "/run/portcullis"
#define DIR_ENV "PORTCULLIS_RUN_DIR"
#define MAX_SECONDS 31536000.0 /* a year; keeps milliseconds in range */

/* What getopt_long() returns for row 0 of the options; more than any char. */
#define OPT_BASE 256

static int
usage(const struct cli_command *cmd, const char *what)
{
	if (what != NULL)
		fprintf(stderr, "portcullis: %s\n", what);
	if (cmd != NULL)
		cli_help_usage(stderr, cmd);
	else
		cli_help_print(stderr, NULL);
	return CLI_USAGE;
}

static bool
parse_seconds(uint64_t *ms, const char *text)
{
	char *end;
	double s;

	errno = 0;
	s = strtod(text, &end);
	/* Written so that not-a-number fails as well. */
	if (end == text || *end != '\0' || errno != 0 ||
	    !(s >= 0 && s <= MAX_SECONDS))
		return false;
	*ms = (uint64_t)(s * 1000);
	return true;
}

/* One option; what is wrong with it, or NULL. */
static const char *
take_option(struct cli_options *o, enum cli_opt opt)
{
	switch (opt) {
	case CLI_O_DIR:
		o->dir = optarg;
		return NULL;
	case CLI_O_JSON:
		o->json = true;
		return NULL;
	case CLI_O_SHELL:
		o->shell = true;
		return NULL;
	case CLI_O_FIELD:
		o->field = optarg;
		return NULL;
	case CLI_O_MAX_AGE:
		o->has_max_age = parse_seconds(&o->max_age_ms, optarg);
		return o->has_max_age ? NULL :
		    "--max-age takes a number of seconds";
	case CLI_O_FOR:
		o->goal = cli_goal_of(optarg);
		return o->goal != CLI_GOAL_NONE ? NULL :
		    "--for takes open, closed, time-sync, bootstrapped or "
		    "usable";
	case CLI_O_TIMEOUT:
		o->has_timeout = parse_seconds(&o->timeout_ms, optarg);
		return o->has_timeout ? NULL :
		    "--timeout takes a number of seconds";
	case CLI_O_DRY_RUN:
		o->dry_run = true;
		return NULL;
	case CLI_O_HELP:
	case CLI_O_VERSION:
	case CLI_NOPT:
		break;
	}
	return NULL;
}

/*
 * All options into O, which of them into *GIVEN; what is wrong with the first
 * bad one, "" if it is unknown.  The rest is read all the same: optind is to
 * be at the command.
 */
static const char *
take_options(struct cli_options *o, unsigned *given, int argc, char **argv)
{
	struct option options[CLI_NOPT + 1] = { { NULL, 0, NULL, 0 } };
	const char *error = NULL, *wrong;
	int opt;

	for (int i = 0; i < CLI_NOPT; i++)
		options[i] = (struct option){ cli_opt_rows[i].name,
			cli_opt_rows[i].arg != NULL ? required_argument :
			no_argument, NULL, OPT_BASE + i };
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		wrong = "";
		if (opt >= OPT_BASE) {
			*given |= CLI_TAKES(opt - OPT_BASE);
			wrong = take_option(o, (enum cli_opt)(opt - OPT_BASE));
		}
		if (error == NULL)
			error = wrong;
	}
	return error;
}

/* Is WORD an operand that CMD knows? */
static bool
is_word(const struct cli_command *cmd, const char *word)
{
	const char *known;

	if (cmd->word == NULL || word == NULL)
		return true;
	for (unsigned i = 0; (known = cmd->word(i)) != NULL; i++)
		if (strcmp(word, known) == 0)
			return true;
	return false;
}

/* What is wrong with a command line of WORDS that begin with CMD, or NULL. */
static const char *
misused(const struct cli_command *cmd, unsigned given, int words)
{
	const unsigned one_of = given & (CLI_TAKES(CLI_O_JSON) |
	    CLI_TAKES(CLI_O_SHELL) | CLI_TAKES(CLI_O_FIELD));

	if (words == 0)
		return "give exactly one command";
	if (cmd == NULL)
		return "no such command";
	if (words > (cmd->operand != NULL ? 2 : 1))
		return "give exactly one command, and no more than it takes";
	if (cmd->operand != NULL && !cmd->optional && words < 2)
		return "this command needs an operand";
	if ((given & ~(cmd->takes | CLI_TAKES(CLI_O_DIR))) != 0)
		return "this command does not take that option";
	if ((cmd->needs & ~given) != 0)
		return "this command needs an option";
	if ((one_of & (one_of - 1)) != 0)
		return "--json, --shell and --field exclude each other";
	return NULL;
}

int
main(int argc, char **argv)
{
	struct cli_options o = { .dir = getenv(DIR_ENV) };
	const struct cli_command *cmd;
	const char *error;
	unsigned given = 0;

	/* A reader that left shows in fflush(), as an error with a code. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (o.dir == NULL || o.dir[0] == '\0')
		o.dir = DEFAULT_DIR;
	error = take_options(&o, &given, argc, argv);
	cmd = argc > optind ? cli_command_find(argv[optind]) : NULL;
	if (error != NULL)
		return usage(cmd, error[0] != '\0' ? error : NULL);
	if ((given & CLI_TAKES(CLI_O_VERSION)) != 0) {
		puts("portcullis " PACKAGE_VERSION);
		return (int)cli_printed(CLI_OK);
	}
	if ((given & CLI_TAKES(CLI_O_HELP)) != 0) {
		cli_help_print(stdout, cmd);
		return (int)cli_printed(CLI_OK);
	}
	error = misused(cmd, given, argc - optind);
	if (error == NULL && !is_word(cmd, argv[optind + 1]))
		error = cmd->word == cli_help_word ? "no such command" :
		    "no check has that name; see: portcullis help check";
	if (error != NULL)
		return usage(cmd, error);
	o.command = cmd->name;
	o.operand = argv[optind + 1]; /* NULL if there is none */
	return (int)cmd->run(&o);
}
