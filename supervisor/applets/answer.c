#include "supervisor/applets/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/applets/torfiles.h"
#include "supervisor/applets/torsay.h"

/* A consensus is made every hour and valid for three. */
#define CONSENSUS_VALID_S (3 * 3600)
#define MIDDLE_S (90 * 60)
/* Clients have the next one at the latest half an hour before the end. */
#define IN_RANGE_S (150 * 60)

static void say_it(struct answer *a, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
say_it(struct answer *a, int code, const char *fmt, ...)
{
	va_list ap;

	a->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(a->text, sizeof a->text, fmt, ap);
	va_end(ap);
}

/* Seconds as Python prints a float: "8.0", "0.25". */
static const char *
seconds_text(char dst[32], double s)
{
	(void)snprintf(dst, 32, "%.12g", s);
	if (strpbrk(dst, ".e") == NULL)
		(void)strcat(dst, ".0");
	return dst;
}

static void
answer_built(struct answer *a, const struct question *q,
    const struct torsay *say)
{
	char s[32];

	if (say->usable)
		say_it(a, 0, "Circuit %llu built\n",
		    (unsigned long long)say->circuit);
	else if (say->trouble[0] != '\0')
		say_it(a, 1, "circuit build failed: %s\n", say->trouble);
	else
		say_it(a, 1, "no new circuit built within %ss\n",
		    seconds_text(s, q->seconds));
}

static void
answer_stream(struct answer *a, const struct question *q,
    const struct torsay *say)
{
	char s[32];

	if (say->usable)
		say_it(a, 0, "STREAM SUCCEEDED target=not-told\n");
	else
		say_it(a, 1, "no STREAM reached SUCCEEDED within %ss\n",
		    seconds_text(s, q->seconds));
}

static void
answer_time(struct answer *a, int64_t t, int code_if_none)
{
	char when[TORSAY_TIME_LEN];

	torsay_time(when, t);
	say_it(a, when[0] != '\0' ? 0 : code_if_none, "%s%s", when,
	    when[0] != '\0' || code_if_none == 0 ? "\n" : "");
}

static void
answer_range(struct answer *a, const struct torsay *say, int64_t now)
{
	char after[TORSAY_TIME_LEN], until[TORSAY_TIME_LEN];

	if (say->valid_after == 0) {
		a->code = 1;
		return;
	}
	if (say->valid_until - say->valid_after != CONSENSUS_VALID_S) {
		torsay_time(until, say->valid_until);
		torsay_time(after, say->valid_after);
		say_it(a, 1, "ERROR: Unexpected valid-until: [%s] is not "
		    "[%s + 3h]\n", until, after);
		return;
	}
	a->code = now >= say->valid_after &&
	    now <= say->valid_after + IN_RANGE_S ? 0 : 1;
}

static bool
answer_consensus_date(struct answer *a, const struct question *q,
    const struct torsay *say, int64_t now)
{
	if ((say->known & SAY_CONSENSUS) == 0)
		return false;
	if (q->date == AD_HAS_CONSENSUS)
		a->code = say->valid_until != 0 ? 0 : 1;
	else if (q->date == AD_IN_RANGE)
		answer_range(a, say, now);
	else if (q->date == AD_VALID_AFTER)
		answer_time(a, say->valid_after, 1);
	else if (q->date == AD_VALID_UNTIL)
		answer_time(a, say->valid_until, 1);
	else
		answer_time(a, say->valid_after == 0 ? 0 :
		    say->valid_after + MIDDLE_S, 1);
	return true;
}

/* "(certificate lifetime runs from DATE through DATE. Your time is ...)" */
static void
answer_cert_after(struct answer *a, const char *warned)
{
	static const char from[] = "certificate lifetime runs from ";
	const char *p = strstr(warned, from), *end;

	a->code = 0;
	if (p == NULL)
		return;
	p += sizeof from - 1;
	end = strstr(p, " through");
	if (end != NULL)
		say_it(a, 0, "%.*s\n", (int)(end - p), p);
}

static bool
answer_anondate(struct answer *a, const struct question *q,
    const struct torsay *say, int64_t now)
{
	switch (q->date) {
	case AD_HAS_CONSENSUS:
		/* A file that only Tor reads is not in what it tells. */
		if (q->file == CF_UNVERIFIED || (say->valid_until == 0 &&
		    q->file == CF_PREFER_VERIFIED))
			return false;
		return answer_consensus_date(a, q, say, now);
	case AD_IN_RANGE:
	case AD_VALID_AFTER:
	case AD_VALID_UNTIL:
	case AD_MIDDLE:
		return answer_consensus_date(a, q, say, now);
	case AD_CERT_VALID:
		a->code = strstr(say->warned, "Certificate not yet valid") ||
		    strstr(say->warned, "Certificate already expired") ||
		    strstr(say->warned, "certificate lifetime runs from") ?
		    1 : 0;
		return (say->known & SAY_WARNED) != 0;
	case AD_CERT_AFTER:
		answer_cert_after(a, say->warned);
		return (say->known & SAY_WARNED) != 0;
	case AD_NONE:
	case AD_USER:
	case AD_GROUP:
	case NANONDATE:
		break;
	}
	return false;
}

/* The bit without which there is no answer. */
static const unsigned needs[NAPPLET] = {
	[APPLET_BOOTSTRAP] = SAY_BOOT,
	[APPLET_ESTABLISHED] = SAY_ESTABLISHED,
	[APPLET_BUILT] = SAY_USABLE,
	[APPLET_STREAM] = SAY_USABLE,
	[APPLET_DORMANT] = SAY_DORMANT,
	[APPLET_NEWNYM] = SAY_SIGNALLED,
	[APPLET_VALID_AFTER] = SAY_CONSENSUS,
	[APPLET_VALID_UNTIL] = SAY_CONSENSUS,
	[APPLET_ENABLED] = SAY_ENABLED,
};

bool
answer_make(struct answer *a, const struct question *q,
    const struct torsay *say, int64_t now)
{
	memset(a, 0, sizeof *a);
	if ((say->known & needs[q->applet]) != needs[q->applet])
		return false;
	switch (q->applet) {
	case APPLET_BOOTSTRAP:
		say_it(a, say->progress, "%s\n", say->line);
		return true;
	case APPLET_ESTABLISHED:
		say_it(a, say->established ? 0 : 1, "%d\n", say->established);
		return true;
	case APPLET_BUILT:
		answer_built(a, q, say);
		return true;
	case APPLET_STREAM:
		answer_stream(a, q, say);
		return true;
	case APPLET_DORMANT:
		say_it(a, 0, "%d\n", say->dormant);
		return true;
	case APPLET_VALID_AFTER:
		answer_time(a, say->valid_after, 0);
		return true;
	case APPLET_VALID_UNTIL:
		answer_time(a, say->valid_until, 0);
		return true;
	case APPLET_ENABLED:
		say_it(a, 0, "%s", say->enabled ? "true" : "false");
		return true;
	case APPLET_ANONDATE:
		return answer_anondate(a, q, say, now);
	case APPLET_NEWNYM:
		return true;
	case APPLET_NONE:
	case NAPPLET:
		break;
	}
	return false;
}

static void
complain(struct answer *a, int code, const char *sentence)
{
	a->code = code;
	(void)snprintf(a->complaint, sizeof a->complaint, "%s", sentence);
}

static void
has_consensus(struct answer *a, const struct question *q, const char *root)
{
	int rc = torfiles_consensus(root, q->file);

	a->code = rc == 1 ? 0 : 1;
	if (rc == -1)
		complain(a, ANSWER_NO_FILE, "cannot read Tor's consensus");
}

static void
anondate_without_tor(struct answer *a, const struct question *q,
    const char *root)
{
	if (q->date == AD_HAS_CONSENSUS)
		has_consensus(a, q, root);
	else if (q->date == AD_CERT_VALID || q->date == AD_CERT_AFTER)
		a->code = 0; /* no such warning is known of */
	else
		complain(a, 1, "neither the supervisor nor Tor can be asked");
}

void
answer_without_tor(struct answer *a, const struct question *q,
    const char *root)
{
	memset(a, 0, sizeof *a);
	if (q->applet == APPLET_ENABLED)
		say_it(a, 0, "%s", torfiles_enabled(root) ? "true" : "false");
	else if (q->applet == APPLET_ANONDATE)
		anondate_without_tor(a, q, root);
	else
		complain(a, ANSWER_UNREACHABLE,
		    "neither the supervisor nor Tor's control port answers");
}

bool
answer_from_files(struct answer *a, const struct question *q,
    const char *root)
{
	char name[64];

	memset(a, 0, sizeof *a);
	if (q->applet != APPLET_ANONDATE)
		return false;
	if (q->odd != NULL)
		complain(a, ANSWER_ODD_OPTION, "anondate: unknown option");
	else if (q->date == AD_NONE)
		complain(a, 1, "anondate: No option chosen.");
	else if (q->date == AD_HAS_CONSENSUS && q->file == CF_UNVERIFIED)
		has_consensus(a, q, root);
	else if (q->date != AD_USER && q->date != AD_GROUP)
		return false;
	else if (torfiles_owner(name, sizeof name, root, q) == -1)
		complain(a, 1, "cannot stat Tor's consensus");
	else
		say_it(a, 0, "%s\n", name);
	return true;
}

int
answer_give(const struct answer *a)
{
	/* Callers take both streams for the answer, which has to be none. */
	if (a->complaint[0] != '\0' && (a->code != ANSWER_UNREACHABLE ||
	    isatty(STDERR_FILENO) == 1))
		(void)fprintf(stderr, "portcullis-applets: %s\n",
		    a->complaint);
	if (fputs(a->text, stdout) == EOF || fflush(stdout) == EOF)
		return ANSWER_INTERNAL;
	return a->code;
}
