/*
 * The other half of portcullis-applets(8), executed by it when the supervisor
 * is not there or has no link to Tor: asks Tor itself.
 */
#include "config.h" /* _GNU_SOURCE */

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "supervisor/applets/answer.h"
#include "supervisor/applets/asktor.h"
#include "supervisor/applets/run.h"
#include "supervisor/applets/torctl.h"
#include "supervisor/applets/torsay.h"
#include "supervisor/cli/conn.h"

#define TOR_SOCKET "/run/tor/control"
#define CONTROL_SOCK "control.sock"

/* True if Tor was there: then nobody else is asked. */
static bool
ask_tor(struct torsay *say, const struct applet_run *r)
{
	char path[PATH_MAX];
	struct torctl t;
	enum cp_err err;

	memset(say, 0, sizeof *say);
	(void)snprintf(path, sizeof path, "%s" TOR_SOCKET, r->root);
	err = torctl_open_unix(&t, path, r->begin_ms + RUN_SOCKET_MS);
	if (err != CP_OK && r->port != 0)
		err = torctl_open_port(&t, r->port, r->begin_ms + RUN_ALL_MS);
	if (err != CP_OK)
		return false;
	t.deadline_ms = r->begin_ms + RUN_ALL_MS;
	asktor(say, &t, &r->q);
	torctl_close(&t);
	return true;
}

/* Who may not speak with Tor may still be allowed to ask the supervisor. */
static void
ask_supervisor_newnym(struct torsay *say, const struct applet_run *r)
{
	uint64_t deadline = r->begin_ms + RUN_ALL_MS;
	char dir[PATH_MAX], *text;
	struct cli_conn c;
	json_t *line = NULL;
	enum cli_io rc;

	(void)snprintf(dir, sizeof dir, "%s%s", r->root, r->dir);
	rc = cli_conn_open(&c, dir, CONTROL_SOCK, deadline);
	if (rc == CLI_IO_OK)
		rc = cli_conn_write(&c, "{\"cmd\":\"newnym\"}\n", deadline);
	if (rc == CLI_IO_OK)
		rc = cli_conn_read(&c, &text, deadline);
	if (rc == CLI_IO_OK)
		line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_true(json_object_get(line, "ok")))
		say->known |= SAY_SIGNALLED;
	json_decref(line);
	cli_conn_close(&c);
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
	if (!ask_tor(&say, &r) && r.applet == APPLET_NEWNYM)
		ask_supervisor_newnym(&say, &r);
	if (!answer_make(&a, &r.q, &say, (int64_t)time(NULL)))
		answer_without_tor(&a, &r.q, r.root);
	return answer_give(&a);
}
