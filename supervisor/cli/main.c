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

static const struct command {
	const char *name;
	enum cli_exit (*run)(const struct cli_options *o);
	unsigned takes;
	const char *help;
} commands[] = {
	{ "status", cli_status, TAKES_JSON,
	    "say whether the gate is open, why, and what to do" },
	{ "watch", cli_watch, TAKES_JSON, "print a line at every change" },
	{ "wait", cli_wait, TAKES_FOR | TAKES_TIMEOUT,
	    "wait until open, closed or bootstrapped" },
	{ "hold", cli_ask, 0, "close the gate and keep it closed" },
	{ "release", cli_ask, 0, "end a hold" },
	{ "newnym", cli_ask, 0, "let Tor use new circuits from now on" },
	{ "reprove", cli_ask, 0, "close, and prove everything anew" },
};

enum opt { OPT_DIR = 256, OPT_JSON, OPT_FOR, OPT_TIMEOUT, OPT_HELP,
	OPT_VERSION };

static const struct option options[] = {
	{ "socket-dir", required_argument, NULL, OPT_DIR },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void
print_help(FILE *out)
{
	size_t i;

	fputs("usage: portcullis [--socket-dir DIR] status|watch [--json]\n"
	    "       portcullis [--socket-dir DIR] wait --for "
	    "open|closed|bootstrapped\n"
	    "                  [--timeout SECONDS]\n"
	    "       portcullis [--socket-dir DIR] "
	    "hold|release|newnym|reprove\n"
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
		    "--for takes open, closed or bootstrapped";
	case OPT_TIMEOUT:
		*given |= TAKES_TIMEOUT;
		return parse_timeout(o, optarg) ? NULL :
		    "--timeout takes a number of seconds";
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
	if (argc - optind != 1)
		return usage("give exactly one command");
	cmd = find_command(argv[optind]);
	if (cmd == NULL)
		return usage("no such command");
	if ((given & ~cmd->takes) != 0)
		return usage("this command does not take that option");
	if ((cmd->takes & TAKES_FOR) != 0 && o.goal == CLI_GOAL_NONE)
		return usage("wait needs --for");
	o.command = cmd->name;
	return (int)cmd->run(&o);
}
