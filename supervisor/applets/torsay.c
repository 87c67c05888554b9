#include "config.h" /* _GNU_SOURCE: timegm() */

#include "supervisor/applets/torsay.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "supervisor/cli/field.h"
#include "supervisor/cli/format.h"
#include "supervisor/cli/shellvars.h"


/* A digit where SHAPE has a 0, itself where it has anything else; no more. */
static bool
has_shape(const char *s, const char *shape)
{
	for (; *shape != '\0'; s++, shape++)
		if (*shape == '0' ? *s < '0' || *s > '9' : *s != *shape)
			return false;
	return *s == '\0';
}

int64_t
torsay_time_of(const char *text)
{
	struct tm tm = { 0 };
	int64_t t;

	if (!has_shape(text, "0000-00-00 00:00:00") ||
	    strptime(text, "%Y-%m-%d %H:%M:%S", &tm) == NULL)
		return 0;
	t = (int64_t)timegm(&tm);
	return t > 0 ? t : 0;
}

void
torsay_time(char dst[TORSAY_TIME_LEN], int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;

	dst[0] = '\0';
	if (t > 0 && gmtime_r(&when, &tm) != NULL &&
	    strftime(dst, TORSAY_TIME_LEN, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		dst[0] = '\0';
}

static void
know(struct torsay *say, unsigned bit, bool *value, const json_t *from)
{
	if (!json_is_boolean(from))
		return;
	*value = json_is_true(from);
	say->known |= bit;
}

/* A supervisor that tells no line tells at least what makes one. */
static void
take_boot(struct torsay *say, const json_t *line)
{
	char tag[CLI_TEXT_CAP], summary[CLI_TEXT_CAP];
	json_int_t n;

	if (!cli_field_number(&n, cli_field(line, "bootstrap", "progress")) ||
	    n < 0 || n > 100)
		return;
	say->progress = (int)n;
	say->known |= SAY_BOOT;
	cli_field_text(say->line, cli_field(line, "bootstrap", "line"));
	if (say->line[0] != '\0')
		return;
	cli_field_text(tag, cli_field(line, "bootstrap", "tag"));
	cli_field_text(summary, cli_field(line, "bootstrap", "summary"));
	(void)snprintf(say->line, sizeof say->line,
	    "NOTICE BOOTSTRAP PROGRESS=%d TAG=%.32s SUMMARY=\"%.128s\"",
	    say->progress, tag, summary);
}

static void
take_circuits(struct torsay *say, const json_t *line)
{
	const json_t *usable = cli_field(line, "circuits", "usable");
	json_int_t id;

	know(say, SAY_ESTABLISHED, &say->established,
	    cli_field(line, "circuits", "established"));
	if (!json_is_string(usable))
		return;
	say->known |= SAY_USABLE;
	say->usable = cli_field_is(usable, "yes");
	if (cli_field_number(&id, cli_field(line, "circuits", "built_id")) &&
	    id > 0)
		say->circuit = (uint64_t)id;
}

static void
take_consensus(struct torsay *say, const json_t *line)
{
	char text[CLI_TEXT_CAP];

	if ((cli_shell_time(text, &say->valid_after, cli_field(line,
	    "consensus", "valid_after")) &&
	    cli_shell_time(text, &say->valid_until, cli_field(line,
	    "consensus", "valid_until"))) ||
	    cli_field_is(cli_field(line, "consensus", "clock"), "noneyet"))
		say->known |= SAY_CONSENSUS;
}

void
torsay_from_line(struct torsay *say, const json_t *line)
{
	const json_t *said = cli_field(line, "bootstrap", "tor_said");

	memset(say, 0, sizeof *say);
	if (!cli_line_ok(line))
		return;
	/* What was Tor's last word is told even when it is gone. */
	if (said != NULL) {
		cli_field_text(say->warned, said);
		say->known |= SAY_WARNED;
	}
	if (cli_shell_reach(line) != 0)
		return;
	know(say, SAY_ENABLED, &say->enabled,
	    cli_field(line, "tor", "enabled"));
	know(say, SAY_DORMANT, &say->dormant,
	    cli_field(line, "tor", "dormant"));
	take_boot(say, line);
	take_circuits(say, line);
	take_consensus(say, line);
}
