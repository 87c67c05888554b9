#include "config.h" /* _GNU_SOURCE */

#include "supervisor/keeper/whonix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/log.h"

#define RUNS "whonix_firewall"
#define FAULTS "anon-firewall"
#define FIRST "first_run_current_boot.status"
#define AGAIN "consecutive_run.status"
#define FAILED "failed.status"

/* Below the folder of the policy, made if need be; -1, logged. */
static int
open_folder(const struct pol_policy *policy, const char *name)
{
	char path[POL_PATH_LEN];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof path, "%.*s/%s", POL_STATUS_FILES_MAX,
	    policy->status_files, name);
	if (mkdir(path, 0755) == -1 && errno != EEXIST) {
		log_warn("cannot make %s: %s", path, strerror(errno));
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		log_warn("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	/* In another's folder our files would be what he makes of them. */
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 022) == 0)
		return fd;
	log_warn("%s is not root's alone: no status files there", path);
	(void)close(fd);
	return -1;
}

/* An empty file is there at once or not at all.  True if it was before. */
static bool
mark(int folder, const char *name)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0644);

	if (fd != -1)
		(void)close(fd);
	else if (errno != EEXIST)
		log_warn("cannot make %s: %s", name, strerror(errno));
	return fd == -1 && errno == EEXIST;
}

void
whonix_stands(const struct pol_policy *policy)
{
	int folder;

	if (policy->status_files[0] == '\0')
		return;
	folder = open_folder(policy, RUNS);
	if (folder != -1) {
		if (mark(folder, FIRST))
			(void)mark(folder, AGAIN);
		(void)close(folder);
	}
	folder = open_folder(policy, FAULTS);
	if (folder == -1)
		return;
	if (unlinkat(folder, FAILED, 0) == -1 && errno != ENOENT)
		log_warn("cannot remove %s: %s", FAILED, strerror(errno));
	(void)close(folder);
}

void
whonix_failed(const struct pol_policy *policy)
{
	int folder;

	if (policy->status_files[0] == '\0')
		return;
	folder = open_folder(policy, FAULTS);
	if (folder == -1)
		return;
	(void)mark(folder, FAILED);
	(void)close(folder);
}
