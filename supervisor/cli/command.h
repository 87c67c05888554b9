/* The commands of portcullis(1), each with what it was asked on the line. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/cli/exit.h"
#include "supervisor/cli/format.h"

struct cli_options {
	const char *dir;     /* where the sockets are */
	const char *command; /* its name, as typed */
	const char *operand; /* what follows it, if the command takes that */
	enum cli_goal goal;
	const char *field;   /* --field; NULL: not given */
	bool json;
	bool shell;
	bool dry_run;
	bool has_timeout;
	uint64_t timeout_ms;
	bool has_max_age;
	uint64_t max_age_ms;
};

/* All print to stdout; why they failed, to stderr. */
enum cli_exit cli_status(const struct cli_options *o);
enum cli_exit cli_listeners(const struct cli_options *o);
enum cli_exit cli_watch(const struct cli_options *o);
enum cli_exit cli_wait(const struct cli_options *o);
/* hold, release, newnym, reprove, names: o->command is the verb. */
enum cli_exit cli_ask(const struct cli_options *o);
/* o->operand is what to check, one of the words. */
enum cli_exit cli_check(const struct cli_options *o);
const char *cli_check_word(unsigned i); /* NULL beyond the last */
enum cli_exit cli_check_isolation(const struct cli_options *o);
enum cli_exit cli_explain(const struct cli_options *o);
enum cli_exit cli_log(const struct cli_options *o);
enum cli_exit cli_metrics(const struct cli_options *o);
/* o->operand is the file with what is to be applied. */
enum cli_exit cli_apply(const struct cli_options *o);

#endif
