#include "supervisor/applets/question.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CAP 64
#define MOST_SECONDS 86400.0

static const char *const names[NAPPLET] = {
	[APPLET_BOOTSTRAP] = "tor-bootstrap-check",
	[APPLET_ESTABLISHED] = "tor-circuit-established-check",
	[APPLET_BUILT] = "tor-circuit-built-check",
	[APPLET_STREAM] = "tor-stream-success-check",
	[APPLET_DORMANT] = "tor-dormant-check",
	[APPLET_NEWNYM] = "tor-signal-newnym",
	[APPLET_VALID_AFTER] = "tor-consensus-valid-after",
	[APPLET_VALID_UNTIL] = "tor-consensus-valid-until",
	[APPLET_ENABLED] = "tor-enabled-check",
	[APPLET_ANONDATE] = "anondate",
};

static const char *const date_options[NANONDATE] = {
	[AD_HAS_CONSENSUS] = "--has-consensus",
	[AD_IN_RANGE] = "--current-time-in-valid-range",
	[AD_VALID_AFTER] = "--show-valid-after",
	[AD_VALID_UNTIL] = "--show-valid-until",
	[AD_MIDDLE] = "--show-middle-range",
	[AD_CERT_VALID] = "--tor-cert-lifetime-valid",
	[AD_CERT_AFTER] = "--tor-cert-valid-after",
	[AD_USER] = "--user-permission",
	[AD_GROUP] = "--group-permission",
};

const char *
applet_name(enum applet a)
{
	return a < NAPPLET ? names[a] : NULL;
}

enum applet
applet_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	char plain[NAME_CAP];
	size_t n;

	if (slash != NULL)
		name = slash + 1;
	n = strlen(name);
	if (n > 3 && strcmp(name + n - 3, ".py") == 0)
		n -= 3;
	if (n >= sizeof plain)
		return APPLET_NONE;
	for (size_t i = 0; i < n; i++)
		plain[i] = name[i] == '_' ? '-' : name[i];
	plain[n] = '\0';
	for (int a = APPLET_NONE + 1; a < NAPPLET; a++)
		if (strcmp(plain, names[a]) == 0)
			return (enum applet)a;
	return APPLET_NONE;
}

static double
seconds_of(const char *arg, double otherwise)
{
	char *end;
	double s;

	if (arg == NULL)
		return otherwise;
	s = strtod(arg, &end);
	if (end == arg || *end != '\0' || !isfinite(s) || s < 0 ||
	    s > MOST_SECONDS)
		return otherwise;
	return s;
}

static enum anondate
date_of(const char *option)
{
	for (int d = AD_NONE + 1; d < NANONDATE; d++)
		if (strcmp(option, date_options[d]) == 0)
			return (enum anondate)d;
	return AD_NONE;
}

/* Options up to the first that is none; of several questions the first. */
static void
parse_anondate(struct question *q, char *const *argv)
{
	bool verified = false, prefer = false, unverified = false;
	enum anondate d;

	for (; *argv != NULL && (*argv)[0] == '-'; argv++) {
		d = date_of(*argv);
		if (d != AD_NONE) {
			if (q->date == AD_NONE || d < q->date)
				q->date = d;
		} else if (strcmp(*argv, "--verified-only") == 0) {
			verified = true;
		} else if (strcmp(*argv, "--prefer-verified") == 0) {
			prefer = true;
		} else if (strcmp(*argv, "--unverified-only") == 0) {
			unverified = true;
		} else if (strcmp(*argv, "--") == 0) {
			break;
		} else if (strcmp(*argv, "--verbose") != 0) {
			q->odd = *argv;
			return;
		}
	}
	if (!verified && prefer)
		q->file = CF_PREFER_VERIFIED;
	else if (!verified && unverified)
		q->file = CF_UNVERIFIED;
}

void
question_parse(struct question *q, enum applet a, char *const *argv)
{
	memset(q, 0, sizeof *q);
	q->applet = a;
	if (a == APPLET_BUILT)
		q->seconds = seconds_of(*argv, 30);
	else if (a == APPLET_STREAM)
		q->seconds = seconds_of(*argv, 10);
	else if (a == APPLET_ANONDATE)
		parse_anondate(q, argv);
}
