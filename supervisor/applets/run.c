#include "config.h" /* _GNU_SOURCE */

#include "supervisor/applets/run.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "supervisor/applets/answer.h"
#include "supervisor/cli/conn.h"

#define DEFAULT_DIR "/run/portcullis"
#define DEFAULT_PORT 9051
#define EXIT_USAGE 2

enum { OPT_ROOT = 256, OPT_DIR, OPT_PORT, OPT_BEGIN, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "socket-dir", required_argument, NULL, OPT_DIR },
	{ "control-port", required_argument, NULL, OPT_PORT },
	/* From the one program to the other. */
	{ "begin-ms", required_argument, NULL, OPT_BEGIN },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int
usage(FILE *out)
{
	const char *name;

	(void)fputs("usage: portcullis-applets [--root DIR] "
	    "[--socket-dir DIR]\n"
	    "                          [--control-port N] APPLET "
	    "[ARGUMENT...]\n\nor by the name of an applet:\n", out);
	for (int a = APPLET_NONE + 1; a < NAPPLET; a++) {
		name = applet_name((enum applet)a);
		(void)fprintf(out, "  %s\n", name);
	}
	return out == stdout ? 0 : EXIT_USAGE;
}

/* -1: it is no such number. */
static int
number_of(uint64_t *out, const char *text, uint64_t max)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || n > max)
		return -1;
	*out = n;
	return 0;
}

/* -1: go on; else the exit code. */
static int
take_option(struct applet_run *r, int c)
{
	uint64_t n;

	switch (c) {
	case OPT_ROOT:
		r->root = optarg;
		return -1;
	case OPT_DIR:
		r->dir = optarg;
		return -1;
	case OPT_PORT:
		if (number_of(&n, optarg, UINT16_MAX) == -1)
			return usage(stderr);
		r->port = (unsigned)n;
		return -1;
	case OPT_BEGIN:
		/* Whoever says more than now would have us wait longer. */
		if (number_of(&n, optarg, r->begin_ms) == -1)
			return usage(stderr);
		r->begin_ms = n;
		return -1;
	case OPT_HELP:
		return usage(stdout);
	case OPT_VERSION:
		return puts("portcullis-applets " PACKAGE_VERSION) == EOF ?
		    1 : 0;
	default:
		return usage(stderr);
	}
}

static void
on_alarm(int sig)
{
	(void)sig;
	_exit(ANSWER_UNREACHABLE);
}

static void
set_alarm(uint64_t begin_ms)
{
	uint64_t used = cli_now_ms() - begin_ms;
	uint64_t left = used < RUN_ALARM_MS ? RUN_ALARM_MS - used : 1;
	struct itimerval it = { .it_value = {
	    .tv_usec = (suseconds_t)left * 1000 } };
	struct sigaction sa = { .sa_handler = on_alarm };

	/* Neither fails with these arguments; poll(2) has its own deadline. */
	(void)sigaction(SIGALRM, &sa, NULL);
	(void)setitimer(ITIMER_REAL, &it, NULL);
}

int
run_begin(struct applet_run *r, int argc, char **argv)
{
	int c, rc;

	memset(r, 0, sizeof *r);
	r->root = "";
	r->dir = DEFAULT_DIR;
	r->port = DEFAULT_PORT;
	r->begin_ms = cli_now_ms();
	r->args = argv + argc;
	r->applet = argc > 0 ? applet_of(argv[0]) : APPLET_NONE;
	if (r->applet != APPLET_NONE) {
		r->args = argv + 1;
	} else {
		/* "+": what follows the applet's name is the applet's. */
		while ((c = getopt_long(argc, argv, "+", long_options,
		    NULL)) != -1) {
			rc = take_option(r, c);
			if (rc != -1)
				return rc;
		}
		if (optind < argc) {
			r->applet = applet_of(argv[optind]);
			r->args = argv + optind + 1;
		}
		if (r->applet == APPLET_NONE)
			return usage(stderr);
	}
	question_parse(&r->q, r->applet, r->args);
	set_alarm(r->begin_ms);
	return -1;
}
