#include "supervisor/cli/shelllook.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/cli/conn.h"

#define PATH_CAP 512

static bool
is_there(const char *root, const char *path)
{
	char full[PATH_CAP];
	int n = snprintf(full, sizeof full, "%s%s", root, path);

	return n > 0 && (size_t)n < sizeof full && access(full, F_OK) == 0;
}

/* Connecting shows as much as systemcheck's request, and Tor logs nothing. */
static int
try_socks(const char *root, uint64_t deadline_ms)
{
	struct cli_conn c;
	char dir[PATH_CAP];
	enum cli_io rc;

	(void)snprintf(dir, sizeof dir, "%s/run/tor", root);
	rc = cli_conn_open(&c, dir, "socks", deadline_ms);
	cli_conn_close(&c);
	if (rc == CLI_IO_OK)
		return CLI_SOCKS_THERE;
	return rc == CLI_IO_LATE ? CLI_SOCKS_SILENT : CLI_SOCKS_REFUSED;
}

/* The files that sdwdate leaves; the first one there is the word. */
static const char *
timesync_word(const char *root)
{
	static const struct {
		const char *path, *word;
	} files[] = {
		{ "/run/sdwdate/success", "success" },
		{ "/run/sdwdate/first_success", "first_success" },
		{ "/run/sdwdate/fail", "fail" },
	};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (is_there(root, files[i].path))
			return files[i].word;
	return NULL;
}

void
cli_shell_look(struct cli_shellenv *env, const char *root,
    uint64_t deadline_ms)
{
	env->socks = try_socks(root, deadline_ms);
	env->first_run = is_there(root,
	    "/run/whonix_firewall/first_run_current_boot.status");
	env->consecutive_run = is_there(root,
	    "/run/whonix_firewall/consecutive_run.status");
	env->timesync = timesync_word(root);
}
