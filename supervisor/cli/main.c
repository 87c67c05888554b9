/* portcullis(1): asks the supervisor, and tells it an operator's wishes. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/command.h"

#define DEFAULT_DIR "/run/portcullis"
#define DIR_ENV "PORTCULLIS_RUN_DIR"
#define MAX_TIMEOUT_S 31536000.0 /* a year; keeps milliseconds in range */

/* Options that only some commands take. */
#define TAKES_JSON (1u << 0)
#define TAKES_FOR (1u << 1)
#define TAKES_TIMEOUT (1u << 2)
#define TAKES_OPERAND (1u << 3) /* exactly one */
#define TAKES_DRY_RUN (1u << 4)

static const struct command {
	const char *name;
	enum cli_exit (*run)(const struct cli_options *o);
	unsigned takes;
	const char *help;
	const char *operand; /* what to say when it is missing */
} commands[] = {
	{ "status", cli_status, TAKES_JSON,
	    "say whether the gate is open, why, and what to do", NULL },
	{ "listeners", cli_listeners, TAKES_JSON,
	    "print the table of listeners", NULL },
	{ "watch", cli_watch, TAKES_JSON,
	    "print a line at every change", NULL },
	{ "wait", cli_wait, TAKES_FOR | TAKES_TIMEOUT,
	    "wait until open, closed, time-sync or bootstrapped", NULL },
	{ "hold", cli_ask, 0, "close the gate and keep it closed", NULL },
	{ "release", cli_ask, 0, "end a hold", NULL },
	{ "newnym", cli_ask, 0, "let Tor use new circuits from now on", NULL },
	{ "reprove", cli_ask, 0, "close, and prove everything anew", NULL },
	{ "check", cli_check, TAKES_OPERAND,
	    "isolation: show that no two listeners share a circuit",
	    "say what to check: there is \"isolation\"" },
	{ "names", cli_ask, 0,
	    "the names that proxy and transports need, with addresses", NULL },
	{ "apply", cli_apply, TAKES_OPERAND | TAKES_DRY_RUN,
	    "other bridges or another proxy, kept only if they work",
	    "name the file with the bridges and the proxy, or \"-\"" },
};

enum opt { OPT_DIR = 256, OPT_JSON, OPT_FOR, OPT_TIMEOUT, OPT_DRY_RUN,
	OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{ "socket-dir", required_argument, NULL, OPT_DIR },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void
print_help(FILE *out)
{
	size_t i;

	fputs("usage: portcullis [--socket-dir DIR] "
	    "status|listeners|watch [--json]\n"
	    "       portcullis [--socket-dir DIR] wait --for "
	    "open|closed|time-sync|bootstrapped\n"
	    "                  [--timeout SECONDS]\n"
	    "       portcullis [--socket-dir DIR] "
	    "hold|release|newnym|reprove|names\n"
	    "       portcullis [--socket-dir DIR] check isolation\n"
	    "       portcullis [--socket-dir DIR] apply [--dry-run] FILE|-\n"
	    "       portcullis --help | --version\n\n", out);
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name,
		    commands[i].help);
}

static int
usage(const char *what)
{
	if (what != NULL)
		fprintf(stderr, "portcullis: %s\n", what);
	print_help(stderr);
	return CLI_USAGE;
}

/* For what ends the program by itself. */
static int
flushed(void)
{
	return fflush(stdout) == EOF ? CLI_UNKNOWN : CLI_OK;
}

static bool
parse_timeout(struct cli_options *o, const char *text)
{
	char *end;
	double s;

	errno = 0;
	s = strtod(text, &end);
	/* Written so that not-a-number fails as well. */
	if (end == text || *end != '\0' || errno != 0 ||
	    !(s >= 0 && s <= MAX_TIMEOUT_S))
		return false;
	o->has_timeout = true;
	o->timeout_ms = (uint64_t)(s * 1000);
	return true;
}

/* One option; what is wrong with it, or NULL. */
static const char *
take_option(struct cli_options *o, unsigned *given, int opt)
{
	switch (opt) {
	case OPT_DIR:
		o->dir = optarg;
		return NULL;
	case OPT_JSON:
		*given |= TAKES_JSON;
		o->json = true;
		return NULL;
	case OPT_FOR:
		*given |= TAKES_FOR;
		o->goal = cli_goal_of(optarg);
		return o->goal != CLI_GOAL_NONE ? NULL :
		    "--for takes open, closed, time-sync or bootstrapped";
	case OPT_TIMEOUT:
		*given |= TAKES_TIMEOUT;
		return parse_timeout(o, optarg) ? NULL :
		    "--timeout takes a number of seconds";
	case OPT_DRY_RUN:
		*given |= TAKES_DRY_RUN;
		o->dry_run = true;
		return NULL;
	}
	return "unknown option";
}

static const struct command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

/* What is wrong with a command line of WORDS that begin with CMD, or NULL. */
static const char *
misused(const struct command *cmd, const struct cli_options *o,
    unsigned given, int words)
{
	if (words == 0)
		return "give exactly one command";
	if (cmd == NULL)
		return "no such command";
	if ((cmd->takes & TAKES_OPERAND) != 0 && words != 2)
		return cmd->operand;
	if ((cmd->takes & TAKES_OPERAND) == 0 && words != 1)
		return "give exactly one command";
	if ((given & ~cmd->takes) != 0)
		return "this command does not take that option";
	if ((cmd->takes & TAKES_FOR) != 0 && o->goal == CLI_GOAL_NONE)
		return "wait needs --for";
	return NULL;
}

int
main(int argc, char **argv)
{
	struct cli_options o = { .dir = getenv(DIR_ENV) };
	const struct command *cmd;
	const char *error;
	unsigned given = 0;
	int opt;

	/* A reader that left shows in fflush(), as an error with a code. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (o.dir == NULL || o.dir[0] == '\0')
		o.dir = DEFAULT_DIR;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_HELP) {
			print_help(stdout);
			return flushed();
		}
		if (opt == OPT_VERSION) {
			puts("portcullis " PACKAGE_VERSION);
			return flushed();
		}
		error = opt == '?' ? NULL : take_option(&o, &given, opt);
		if (opt == '?' || error != NULL)
			return usage(error);
	}
	cmd = argc > optind ? find_command(argv[optind]) : NULL;
	error = misused(cmd, &o, given, argc - optind);
	if (error != NULL)
		return usage(error);
	o.command = cmd->name;
	o.operand = argv[optind + 1]; /* NULL if there is none */
	return (int)cmd->run(&o);
}
