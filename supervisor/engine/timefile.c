#include "config.h" /* _GNU_SOURCE: O_PATH */

#include "supervisor/engine/timefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/log.h"

#define EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
    IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)

/* Whoever floods the directory has our ear again in the loop's next turn. */
#define READS_PER_LOOK 16

/* The one that says most first. */
static const struct {
	const char *name;
	enum snap_timesync word;
	bool right; /* the clock is */
} files[] = {
	{ "success", SNAP_TS_SUCCESS, true },
	{ "first_success", SNAP_TS_FIRST_SUCCESS, true },
	{ "fail", SNAP_TS_FAIL, false },
};
#define NFILES (sizeof files / sizeof files[0])

struct timefile {
	const struct pol_timesync *ts;
	int fd;	   /* inotify; -1: there is none */
	int watch; /* of the directory that was there last; -1: none */
	enum snap_timesync word;
};

struct timefile *
timefile_new(const struct pol_timesync *ts)
{
	struct timefile *tf = xcalloc(1, sizeof *tf);

	tf->ts = ts;
	tf->watch = -1;
	tf->word = SNAP_TS_PENDING;
	tf->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (tf->fd == -1)
		log_warn("no inotify (%s): the clock is looked at twice a "
		    "second only", strerror(errno));
	return tf;
}

void
timefile_free(struct timefile *tf)
{
	if (tf == NULL)
		return;
	if (tf->fd != -1)
		close(tf->fd);
	free(tf);
}

int
timefile_fd(const struct timefile *tf)
{
	return tf->fd;
}

/* What it says does not matter: each event, or none, means one look. */
static void
drain(const struct timefile *tf)
{
	char buf[4096];

	for (int i = 0; i < READS_PER_LOOK; i++)
		if (read(tf->fd, buf, sizeof buf) <= 0)
			return;
}

/*
 * Watch what has the directory's name now: a watch that is there already is
 * left as it is, and one of a directory that went away goes.  Without one (no
 * directory, or not for us to read) the clock brings us here again.
 */
static void
watch_directory(struct timefile *tf)
{
	int wd = inotify_add_watch(tf->fd, tf->ts->directory, EVENTS);

	if (tf->watch != -1 && tf->watch != wd)
		/* Fails if it went with its directory. */
		(void)inotify_rm_watch(tf->fd, tf->watch);
	tf->watch = wd;
}

/* May UID say what the time is? */
static bool
is_trusted(const struct pol_timesync *ts, uid_t uid)
{
	if (uid == 0)
		return true;
	for (size_t i = 0; i < ts->nusers; i++)
		if (ts->users[i].resolved && ts->users[i].uid == uid)
			return true;
	return false;
}

static enum engine_clock
look_at_file(const struct pol_timesync *ts, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? CLOCK_NO_FILE : CLOCK_DENIED;
	if (!S_ISREG(st.st_mode) || !is_trusted(ts, st.st_uid))
		return CLOCK_BAD_FILE;
	return CLOCK_RIGHT;
}

static enum engine_clock
look_at_directory(const struct pol_timesync *ts, int dir)
{
	struct stat st;

	if (fstat(dir, &st) == -1)
		return CLOCK_DENIED;
	if (!S_ISDIR(st.st_mode) || !is_trusted(ts, st.st_uid) ||
	    (st.st_mode & S_IWOTH) != 0)
		return CLOCK_BAD_DIRECTORY;
	return CLOCK_RIGHT;
}

/*
 * One that is right is enough; else the one that says least of those that are
 * there says why not.
 */
static enum engine_clock
look_into(struct timefile *tf, int dir)
{
	enum engine_clock found = look_at_directory(tf->ts, dir), clock;

	if (found != CLOCK_RIGHT)
		return found;
	found = CLOCK_NO_FILE;
	for (size_t i = 0; i < NFILES; i++) {
		clock = look_at_file(tf->ts, dir, files[i].name);
		if (clock == CLOCK_RIGHT && tf->word == SNAP_TS_PENDING)
			tf->word = files[i].word;
		if (files[i].right && found != CLOCK_RIGHT &&
		    clock != CLOCK_NO_FILE)
			found = clock;
	}
	return found;
}

enum engine_clock
timefile_look(struct timefile *tf)
{
	enum engine_clock clock;
	int dir;

	/* In this order: what happens after the look is a new event. */
	if (tf->fd != -1) {
		drain(tf);
		watch_directory(tf);
	}
	tf->word = SNAP_TS_PENDING;
	dir = open(tf->ts->directory, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (dir == -1)
		return errno == ENOENT || errno == ENOTDIR ?
		    CLOCK_NO_DIRECTORY : CLOCK_DENIED;
	clock = look_into(tf, dir);
	close(dir);
	return clock;
}

enum snap_timesync
timefile_word(const struct timefile *tf)
{
	return tf->word;
}
