#include "supervisor/cli/commands.h"

#include <string.h>

#include "supervisor/cli/help.h"
#include "supervisor/top/run.h"

const struct cli_opt_row cli_opt_rows[CLI_NOPT] = {
	[CLI_O_DIR] = { "socket-dir", "DIR",
	    "where the sockets are, instead of /run/portcullis" },
	[CLI_O_JSON] = { "json", NULL, "JSON for programs" },
	[CLI_O_SHELL] = { "shell", NULL,
	    "variables for a shell's eval, as systemcheck names them" },
	[CLI_O_FIELD] = { "field", "PATH",
	    "one field of the status line: tor.pid, listeners.trouble.0.name" },
	[CLI_O_MAX_AGE] = { "max-age", "SECONDS",
	    "what shows that Tor is usable may be no older" },
	[CLI_O_FOR] = { "for", "GOAL",
	    "open, closed, time-sync, bootstrapped or usable" },
	[CLI_O_TIMEOUT] = { "timeout", "SECONDS", "wait no longer" },
	[CLI_O_DRY_RUN] = { "dry-run", NULL, "look at it, and change nothing" },
	[CLI_O_HELP] = { "help", NULL, "print this" },
	[CLI_O_VERSION] = { "version", NULL, "print the version" },
};

#define JSON CLI_TAKES(CLI_O_JSON)

/* Every command is one row here; in the order of the list in the help. */
static const struct cli_command commands[] = {
	{ .name = "status", .run = cli_status,
	    .takes = JSON | CLI_TAKES(CLI_O_SHELL) | CLI_TAKES(CLI_O_FIELD),
	    .summary = "say whether the gate is open, why, and what to do",
	    .more = "" },
	{ .name = "listeners", .run = cli_listeners, .takes = JSON,
	    .summary = "print the table of listeners", .more = "" },
	{ .name = "watch", .run = cli_watch, .takes = JSON,
	    .summary = "print a line at every change", .more = "" },
	{ .name = "top", .run = cli_top,
	    .summary = "show all of it on the whole screen, live",
	    .more = "Press ? in it for its keys.\n" },
	{ .name = "wait", .run = cli_wait,
	    .takes = CLI_TAKES(CLI_O_FOR) | CLI_TAKES(CLI_O_TIMEOUT),
	    .needs = CLI_TAKES(CLI_O_FOR),
	    .summary = "wait until Tor or the gate has come so far",
	    .more = "" },
	{ .name = "hold", .run = cli_ask,
	    .summary = "close the gate and keep it closed", .more = "" },
	{ .name = "release", .run = cli_ask, .summary = "end a hold",
	    .more = "" },
	{ .name = "newnym", .run = cli_ask,
	    .summary = "let Tor use new circuits from now on", .more = "" },
	{ .name = "reprove", .run = cli_ask,
	    .summary = "close, and prove everything anew", .more = "" },
	{ .name = "check", .run = cli_check, .operand = "NAME",
	    .takes = JSON | CLI_TAKES(CLI_O_MAX_AGE), .word = cli_check_word,
	    .summary = "say whether one thing, or all, is as it should be",
	    .more = "The first line is one sentence.  \"all\" is all but "
	    "isolation, which takes\nits time and has Tor build circuits.\n" },
	{ .name = "explain", .run = cli_explain, .takes = JSON,
	    .summary = "say why the gate is closed, and what would open it",
	    .more = "" },
	{ .name = "log", .run = cli_log, .takes = JSON,
	    .summary = "print the last changes of the gate's position",
	    .more = "" },
	{ .name = "metrics", .run = cli_metrics,
	    .summary = "print the numbers as OpenMetrics text", .more = "" },
	{ .name = "names", .run = cli_ask,
	    .summary = "the names that proxy and transports need, with "
	    "addresses", .more = "" },
	{ .name = "apply", .run = cli_apply,
	    .takes = CLI_TAKES(CLI_O_DRY_RUN), .operand = "FILE|-",
	    .summary = "set other bridges or another proxy, kept only if "
	    "they work", .more = "" },
	{ .name = "import-whonix", .run = cli_import, .operand = "ROOT",
	    .optional = true,
	    .summary = "print an existing Whonix-Gateway's settings as policy",
	    .more = "Reads the torrc chain and the firewall's drop-ins below "
	    "ROOT, by default /,\nand runs none of them.\n" },
	{ .name = "help", .run = cli_help, .operand = "COMMAND",
	    .optional = true, .word = cli_help_word,
	    .summary = "say more of a command", .more = "" },
};
#define NCOMMANDS (sizeof commands / sizeof commands[0])

const struct cli_command *
cli_command_at(unsigned i)
{
	return i < NCOMMANDS ? &commands[i] : NULL;
}

const struct cli_command *
cli_command_find(const char *name)
{
	for (unsigned i = 0; i < NCOMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}
