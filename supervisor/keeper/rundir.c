#include "config.h" /* _GNU_SOURCE */

#include "supervisor/keeper/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/log.h"

/*
 * Connections the kernel holds while the status process is restarted: there
 * may be thousands who come back at once.  The kernel may allow fewer.
 */
#define BACKLOG 4096

static int
path_join(char *dst, size_t cap, const char *dir, const char *name)
{
	int n = snprintf(dst, cap, "%s/%s", dir, name);

	if (n > 0 && (size_t)n < cap)
		return 0;
	log_err("run_dir %s is too long for a socket path: choose a shorter "
		"one", dir);
	return -1;
}

static int
take_lock(const char *dir)
{
	char path[POL_PATH_LEN];
	int fd;

	if (path_join(path, sizeof path, dir, "lock") == -1)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1) {
		log_err("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		log_err("another portcullisd uses %s: stop it first", dir);
		close(fd);
		return -1;
	}
	return fd;
}

static int
listen_at(const char *dir, const char *name, mode_t mode, gid_t gid)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (path_join(sun.sun_path, sizeof sun.sun_path, dir, name) == -1)
		return -1;
	if (unlink(sun.sun_path) == -1 && errno != ENOENT) {
		log_err("cannot replace %s: %s", sun.sun_path,
		    strerror(errno));
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&sun, sizeof sun) == -1 ||
	    chown(sun.sun_path, 0, gid) == -1 ||
	    chmod(sun.sun_path, mode) == -1 || listen(fd, BACKLOG) == -1) {
		log_err("cannot listen at %s: %s", sun.sun_path,
		    strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

bool
rundir_is_safe_above(const char *dir)
{
	char path[PATH_MAX], *slash;
	struct stat st;

	(void)snprintf(path, sizeof path, "%s", dir);
	while ((slash = strrchr(path, '/')) != NULL) {
		/* The root folder is the last that is looked at. */
		slash[slash == path ? 1 : 0] = '\0';
		if (stat(path, &st) == -1 || st.st_uid != 0 ||
		    ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0))
			return false;
		if (slash == path)
			return true;
	}
	return false; /* not absolute: who knows where we are */
}

/* Ours alone to write: else somebody could swap the sockets. */
static int
make_dir(const char *dir)
{
	char real[PATH_MAX];
	struct stat st;

	if (mkdir(dir, 0755) == -1 && errno != EEXIST) {
		log_err("cannot make run_dir %s: %s", dir, strerror(errno));
		return -1;
	}
	if (lstat(dir, &st) == -1 || !S_ISDIR(st.st_mode) ||
	    st.st_uid != 0 || (st.st_mode & 022) != 0) {
		log_err("run_dir %s must be a directory of root's that "
			"nobody else may write to", dir);
		return -1;
	}
	/* As it is written, and where symbolic links in it lead. */
	if (!rundir_is_safe_above(dir) || realpath(dir, real) == NULL ||
	    !rundir_is_safe_above(real)) {
		log_err("run_dir %s lies in a folder that is not root's or "
			"that others may write to: choose another one", dir);
		return -1;
	}
	return 0;
}

int
rundir_open(struct rundir *out, const struct pol_policy *policy)
{
	const char *dir = policy->run_dir;
	mode_t saved;

	out->lock_fd = out->status_fd = out->control_fd = -1;
	if (make_dir(dir) == -1)
		return -1;
	out->lock_fd = take_lock(dir);
	if (out->lock_fd == -1)
		return -1;
	saved = umask(077); /* no moment in which a socket is too open */
	out->status_fd = listen_at(dir, "status.sock", 0666, 0);
	out->control_fd = listen_at(dir, "control.sock", 0660,
	    policy->status_user.gid);
	umask(saved);
	if (out->status_fd != -1 && out->control_fd != -1)
		return 0;
	if (out->status_fd != -1)
		close(out->status_fd);
	if (out->control_fd != -1)
		close(out->control_fd);
	close(out->lock_fd);
	return -1;
}

bool
rundir_held(const struct pol_policy *policy)
{
	char path[POL_PATH_LEN];
	struct stat st;

	if (path_join(path, sizeof path, policy->run_dir, "hold") == -1)
		return true;
	return lstat(path, &st) == 0 || errno != ENOENT;
}

int
rundir_hold(const struct pol_policy *policy, bool hold)
{
	char path[POL_PATH_LEN];
	int fd;

	if (path_join(path, sizeof path, policy->run_dir, "hold") == -1)
		return -1;
	if (!hold && (unlink(path) == 0 || errno == ENOENT))
		return 0;
	if (hold) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (fd != -1) {
			close(fd);
			return 0;
		}
	}
	log_err("cannot write to %s: %s; %s", path, strerror(errno), hold ?
	    "the hold is in force while this portcullisd runs, the next one "
	    "will not know of it: make room, and hold again" :
	    "the next engine holds again: make it writable, and release "
	    "again");
	return -1;
}
