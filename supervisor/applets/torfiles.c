#include "config.h" /* _GNU_SOURCE */

#include "supervisor/applets/torfiles.h"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* A consensus says its times at its beginning; no torrc is so long. */
#define HEAD_CAP (128 * 1024)
#define MOST_FILES 64

static const char *const torrc_files[] = {
	"/usr/share/tor/tor-service-defaults-torrc",
	"/etc/tor/torrc",
	"/etc/torrc.d/*.conf",
	"/usr/local/etc/torrc.d/*.conf",
};

static const char *const consensus_files[NCF] = {
	[CF_VERIFIED] = "/var/lib/tor/cached-microdesc-consensus",
	[CF_UNVERIFIED] = "/var/lib/tor/unverified-microdesc-consensus",
};

/* The caller frees; NULL when PATH is no regular file that we may read. */
static char *
read_head(const char *path)
{
	char *text = NULL;
	size_t used = 0;
	ssize_t n = 1;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		text = malloc(HEAD_CAP);
	while (text != NULL && n > 0 && used < HEAD_CAP - 1) {
		n = read(fd, text + used, HEAD_CAP - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
	if (text != NULL)
		text[used] = '\0';
	return text;
}

/* Changes *ENABLED if LINE sets the option; Tor knows no letter case. */
static void
read_option(bool *enabled, const char *line)
{
	static const char name[] = "DisableNetwork";
	char *end;
	long value;

	line += strspn(line, " \t");
	if (strncasecmp(line, name, sizeof name - 1) != 0)
		return;
	line += sizeof name - 1;
	if (*line != ' ' && *line != '\t')
		return;
	value = strtol(line, &end, 10);
	if (end != line && strchr(" \t\r#", *end) != NULL)
		*enabled = value == 0;
}

static void
read_torrc(bool *enabled, const char *path)
{
	char *text = read_head(path), *line, *rest = text;

	while (text != NULL && (line = strsep(&rest, "\n")) != NULL)
		read_option(enabled, line);
	free(text);
}

bool
torfiles_enabled(const char *root)
{
	char path[PATH_MAX];
	bool enabled = true;
	glob_t found;

	/* A template has no network, and its Tor is not asked for. */
	(void)snprintf(path, sizeof path, "%s/run/qubes/this-is-templatevm",
	    root);
	if (access(path, F_OK) == 0)
		return true;
	for (size_t i = 0; i < sizeof torrc_files / sizeof torrc_files[0];
	     i++) {
		(void)snprintf(path, sizeof path, "%s%s", root,
		    torrc_files[i]);
		if (glob(path, 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc && j < MOST_FILES; j++)
			read_torrc(&enabled, found.gl_pathv[j]);
		globfree(&found);
	}
	return enabled;
}

/* Which of the two files is meant. */
static void
consensus_path(char path[PATH_MAX], const char *root,
    enum consensus_file which)
{
	(void)snprintf(path, PATH_MAX, "%s%s", root, consensus_files[
	    which == CF_UNVERIFIED ? CF_UNVERIFIED : CF_VERIFIED]);
	if (which == CF_PREFER_VERIFIED && access(path, F_OK) == -1)
		(void)snprintf(path, PATH_MAX, "%s%s", root,
		    consensus_files[CF_UNVERIFIED]);
}

int
torfiles_consensus(const char *root, enum consensus_file which)
{
	char path[PATH_MAX], *text;
	int has;

	consensus_path(path, root, which);
	text = read_head(path);
	if (text == NULL)
		return -1;
	has = strstr(text, "\nvalid-until 2") != NULL;
	free(text);
	return has;
}

int
torfiles_owner(char *dst, size_t cap, const char *root,
    const struct question *q)
{
	const struct passwd *pw;
	const struct group *gr;
	char path[PATH_MAX];
	const char *name;
	struct stat st;

	consensus_path(path, root, q->file);
	if (lstat(path, &st) == -1)
		return -1;
	if (q->date == AD_USER) {
		pw = getpwuid(st.st_uid);
		name = pw != NULL ? pw->pw_name : NULL;
	} else {
		gr = getgrgid(st.st_gid);
		name = gr != NULL ? gr->gr_name : NULL;
	}
	(void)snprintf(dst, cap, "%s", name != NULL ? name : "UNKNOWN");
	return 0;
}
