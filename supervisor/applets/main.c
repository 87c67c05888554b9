/*
 * portcullis-applets(8): what systemcheck, sdwdate and others ask of Tor,
 * answered from the supervisor's status line.
 *
 * Asking Tor itself needs OpenSSL, whose start alone costs more than all of
 * this: portcullis-applets-tor, beside us, is executed when the supervisor
 * has no answer.  A status line comes from a socket in a folder of root's.
 */
#include "config.h" /* _GNU_SOURCE */

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/applets/answer.h"
#include "supervisor/applets/run.h"
#include "supervisor/applets/torsay.h"
#include "supervisor/cli/conn.h"

#define HELPER "portcullis-applets-tor"
#define STATUS_SOCK "status.sock"
/* Our options and their values, and the applet's name. */
#define OWN_ARGS 10
#define MOST_ARGS 64

static void
ask_supervisor(struct torsay *say, const struct applet_run *r)
{
	uint64_t deadline = r->begin_ms + RUN_DAEMON_MS;
	struct cli_conn c;
	char dir[PATH_MAX], *text;
	json_t *line = NULL;
	enum cli_io rc;

	memset(say, 0, sizeof *say);
	(void)snprintf(dir, sizeof dir, "%s%s", r->root, r->dir);
	rc = cli_conn_open(&c, dir, STATUS_SOCK, deadline);
	if (rc == CLI_IO_OK)
		rc = cli_conn_read(&c, &text, deadline);
	if (rc == CLI_IO_OK)
		line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (line != NULL)
		torsay_from_line(say, line);
	json_decref(line);
	cli_conn_close(&c);
}

/* Beside the file that we are, wherever a link to it lies. */
static int
helper_path(char *dst, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", dst, cap - 1);
	char *slash;

	if (n <= 0)
		return -1;
	dst[n] = '\0';
	slash = strrchr(dst, '/');
	if (slash == NULL || (size_t)(slash + 1 - dst) + sizeof HELPER > cap)
		return -1;
	(void)strcpy(slash + 1, HELPER);
	return 0;
}

/* Returns only when there is none. */
static void
run_helper(const struct applet_run *r)
{
	char path[PATH_MAX], root[PATH_MAX + 8], dir[PATH_MAX + 16];
	char port[32], begin[40];
	char *args[OWN_ARGS + MOST_ARGS];
	size_t n = 0;

	if (helper_path(path, sizeof path) == -1)
		return;
	(void)snprintf(root, sizeof root, "--root=%s", r->root);
	(void)snprintf(dir, sizeof dir, "--socket-dir=%s", r->dir);
	(void)snprintf(port, sizeof port, "--control-port=%u", r->port);
	(void)snprintf(begin, sizeof begin, "--begin-ms=%" PRIu64,
	    r->begin_ms);
	args[n++] = (char[]) { HELPER };
	args[n++] = root;
	args[n++] = dir;
	args[n++] = port;
	args[n++] = begin;
	args[n++] = (char *)applet_name(r->applet); /* execv() writes not */
	for (size_t i = 0; i < MOST_ARGS && r->args[i] != NULL; i++)
		args[n++] = r->args[i];
	args[n] = NULL;
	(void)execv(path, args);
}

int
main(int argc, char **argv)
{
	struct applet_run r;
	struct answer a;
	struct torsay say;
	int rc = run_begin(&r, argc, argv);

	if (rc != -1)
		return rc;
	if (answer_from_files(&a, &r.q, r.root))
		return answer_give(&a);
	/* A new identity is asked of Tor; all else may be known. */
	if (r.applet != APPLET_NEWNYM) {
		ask_supervisor(&say, &r);
		if (answer_make(&a, &r.q, &say, (int64_t)time(NULL)))
			return answer_give(&a);
	}
	run_helper(&r);
	answer_without_tor(&a, &r.q, r.root);
	return answer_give(&a);
}
