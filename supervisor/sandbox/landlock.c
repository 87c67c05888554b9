#include "config.h" /* _GNU_SOURCE */

#include "supervisor/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/log.h"

/*
 * The kernel's numbers; the headers of Debian 12 end at version 2.  The calls
 * have one number on every architecture.
 */
#define CALL_CREATE 444
#define CALL_ADD_RULE 445
#define CALL_RESTRICT 446
#define CREATE_VERSION 1u
#define RULE_PATH_BENEATH 1
#define FS_EXECUTE 0x1u
#define FS_READ_FILE 0x4u
#define FS_READ_DIR 0x8u
#define FS_FIRST 0x1fffu    /* what version 1 knows */
#define FS_REFER 0x2000u    /* 2 */
#define FS_TRUNCATE 0x4000u /* 3 */
#define FS_IOCTL_DEV 0x8000u /* 5 */
#define NET_BIND_TCP 0x1u   /* 4 */
#define NET_CONNECT_TCP 0x2u
#define SCOPE_ABSTRACT 0x1u /* 6 */
#define SCOPE_SIGNAL 0x2u

/* struct landlock_ruleset_attr, as of version 6. */
struct attr {
	uint64_t fs, net, scoped;
};

struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static struct attr
forbidden(const struct landlock_grant *g, long abi)
{
	struct attr a = { .fs = FS_FIRST };

	if (abi >= 2)
		a.fs |= FS_REFER;
	if (abi >= 3)
		a.fs |= FS_TRUNCATE;
	if (abi >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= 4)
		a.net = (g->bind_tcp ? 0 : NET_BIND_TCP) |
		    (g->connect_tcp ? 0 : NET_CONNECT_TCP);
	if (abi >= 6)
		a.scoped = SCOPE_ABSTRACT | (g->signals ? 0 : SCOPE_SIGNAL);
	return a;
}

/* A path, or what is above it and is there. */
static int
open_nearest(const char *path)
{
	char at[PATH_MAX], *slash;
	int fd, n = snprintf(at, sizeof at, "%s", path);

	if (n <= 0 || (size_t)n >= sizeof at || at[0] != '/') {
		errno = EINVAL;
		return -1;
	}
	while ((fd = open(at, O_PATH | O_CLOEXEC)) == -1) {
		slash = strrchr(at, '/');
		/* Never all there is for what is not there. */
		if (slash == at || (errno != ENOENT && errno != EACCES))
			return -1;
		*slash = '\0';
	}
	return fd;
}

static int
may_read(int rules, int fd)
{
	struct beneath b = { .allowed = FS_READ_FILE, .fd = fd };
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		b.allowed |= FS_READ_DIR;
	return (int)syscall(CALL_ADD_RULE, rules, RULE_PATH_BENEATH, &b, 0);
}

/* One that cannot be granted stays forbidden. */
static void
grant_paths(int rules, const struct landlock_grant *g)
{
	for (size_t i = 0; i < g->nread; i++) {
		int fd = open_nearest(g->read[i]);

		if (fd == -1 || may_read(rules, fd) == -1)
			log_debug("landlock: %s will not be readable: %s",
			    g->read[i], strerror(errno));
		if (fd != -1)
			(void)close(fd);
	}
	if (g->read_fd != 0 && may_read(rules, g->read_fd) == -1)
		log_debug("landlock: descriptor %d will not be readable: %s",
		    g->read_fd, strerror(errno));
}

void
landlock_tell(void)
{
	if (syscall(CALL_CREATE, NULL, 0, CREATE_VERSION) <= 0)
		log_info("no Landlock here (%s): what our processes may read "
		    "is what their users may", strerror(errno));
}

void
landlock_apply(const struct landlock_grant *g)
{
	long abi = syscall(CALL_CREATE, NULL, 0, CREATE_VERSION);
	struct attr a;
	int rules;

#ifdef INSTRUMENTED
	abi = 0; /* what looks for leaks reads /proc; see sandbox_prepare() */
#endif
	if (abi <= 0) {
		log_debug("landlock: none here: %s", strerror(errno));
		return;
	}
	a = forbidden(g, abi);
	rules = (int)syscall(CALL_CREATE, &a, sizeof a, 0);
	if (rules == -1)
		fatal("landlock: no rules: %s", strerror(errno));
	(void)fcntl(rules, F_SETFD, FD_CLOEXEC); /* closed in a moment */
	grant_paths(rules, g);
	if (syscall(CALL_RESTRICT, rules, 0) == -1)
		fatal("landlock: cannot restrict ourselves: %s",
		    strerror(errno));
	(void)close(rules);
	log_debug("landlock: version %ld is in force", abi);
}
