#include "supervisor/cli/help.h"

#include "supervisor/cli/commands.h"
#include "supervisor/cli/out.h"

/* Where the second column begins: the longest option with its argument. */
#define COLUMN 20
/* The same for the list of commands. */
#define NAMES 13

static void
print_opt(FILE *out, enum cli_opt opt, const char *before, const char *after)
{
	const struct cli_opt_row *r = &cli_opt_rows[opt];

	fprintf(out, "%s--%s%s%s%s", before, r->name,
	    r->arg != NULL ? " " : "", r->arg != NULL ? r->arg : "", after);
}

void
cli_help_usage(FILE *out, const struct cli_command *cmd)
{
	fputs("usage: portcullis", out);
	print_opt(out, CLI_O_DIR, " [", "]");
	if (cmd == NULL) {
		fputs(" COMMAND [OPTIONS] [OPERAND]\n"
		    "       portcullis help [COMMAND]\n"
		    "       portcullis --help | --version\n", out);
		return;
	}
	fprintf(out, " %s", cmd->name);
	for (unsigned opt = 0; opt < CLI_NOPT; opt++)
		if ((cmd->needs & CLI_TAKES(opt)) != 0)
			print_opt(out, (enum cli_opt)opt, " ", "");
		else if ((cmd->takes & CLI_TAKES(opt)) != 0)
			print_opt(out, (enum cli_opt)opt, " [", "]");
	if (cmd->operand != NULL)
		fprintf(out, cmd->optional ? " [%s]" : " %s", cmd->operand);
	fputc('\n', out);
}

static void
print_list(FILE *out)
{
	const struct cli_command *cmd;

	fputs("\nCommands:\n", out);
	for (unsigned i = 0; (cmd = cli_command_at(i)) != NULL; i++)
		fprintf(out, "  %-*s %s\n", NAMES, cmd->name, cmd->summary);
}

static void
print_options(FILE *out, unsigned takes)
{
	const struct cli_opt_row *r;
	int n;

	fputs("\nOptions:\n", out);
	for (unsigned opt = 0; opt < CLI_NOPT; opt++) {
		if ((takes & CLI_TAKES(opt)) == 0)
			continue;
		r = &cli_opt_rows[opt];
		n = fprintf(out, "  --%s%s%s", r->name,
		    r->arg != NULL ? " " : "", r->arg != NULL ? r->arg : "");
		fprintf(out, "%*s %s\n", n < COLUMN + 2 ? COLUMN + 2 - n : 0,
		    "", r->help);
	}
}

static void
print_words(FILE *out, const struct cli_command *cmd)
{
	const char *word;

	fprintf(out, "\n%s is one of:\n", cmd->operand);
	for (unsigned i = 0; (word = cmd->word(i)) != NULL; i++)
		fprintf(out, "  %s\n", word);
}

void
cli_help_print(FILE *out, const struct cli_command *cmd)
{
	const unsigned all = CLI_TAKES(CLI_O_DIR) | CLI_TAKES(CLI_O_HELP);

	cli_help_usage(out, cmd);
	if (cmd == NULL) {
		print_list(out);
		print_options(out, all | CLI_TAKES(CLI_O_VERSION));
		return;
	}
	fprintf(out, "\n%s: %s.\n%s", cmd->name, cmd->summary, cmd->more);
	if (cmd->word != NULL)
		print_words(out, cmd);
	print_options(out, all | cmd->takes);
}

enum cli_exit
cli_help(const struct cli_options *o)
{
	/* NULL if none was given; that it is one was seen to. */
	const struct cli_command *cmd = o->operand != NULL ?
	    cli_command_find(o->operand) : NULL;

	cli_help_print(stdout, cmd);
	return cli_printed(CLI_OK);
}

const char *
cli_help_word(unsigned i)
{
	const struct cli_command *cmd = cli_command_at(i);

	return cmd != NULL ? cmd->name : NULL;
}
