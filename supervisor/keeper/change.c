#include "config.h" /* _GNU_SOURCE */

#include "supervisor/keeper/change.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/keeper/look.h"
#include "supervisor/keeper/rundir.h"
#include "supervisor/log.h"
#include "supervisor/wipe.h"

/* Tor, which is started as root, reads it; so does nobody else. */
#define FILE_MODE 0640
#define TEMPORARY ".portcullis.new"

void
change_init(struct change *c)
{
	c->fd = -1;
}

static void
forget(struct change *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

/* 0 or an errno. */
static int
seal(struct change *c, const struct link_pending *was)
{
	int saved, fd = memfd_create("portcullis-pending",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd != -1 && write(fd, was, sizeof *was) == (ssize_t)sizeof *was &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_SEAL) == 0) {
		forget(c);
		c->fd = fd;
		return 0;
	}
	saved = errno;
	if (fd != -1)
		close(fd);
	return saved;
}

static int
remember(struct change *c, const struct link_change *m)
{
	struct link_pending *was = calloc(1, sizeof *was);
	int rc;

	if (was == NULL)
		return ENOMEM;
	was->uplink = m->uplink;
	was->addr = m->addr;
	rc = seal(c, was);
	wipe_free(was);
	return rc;
}

static int
write_all(int fd, const char *text, size_t n)
{
	ssize_t done;

	while (n > 0) {
		done = write(fd, text, n);
		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1)
			return -1;
		text += done;
		n -= (size_t)done;
	}
	return 0;
}

/* TEXT as a new file TEMPORARY in DIR, on the disk.  0 or an errno. */
static int
write_new(int dir, const char *text, gid_t gid)
{
	int rc = 0, fd;

	if (unlinkat(dir, TEMPORARY, 0) == -1 && errno != ENOENT)
		return errno;
	fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return errno;
	if (write_all(fd, text, strlen(text)) == -1 ||
	    fchown(fd, 0, gid) == -1 || fchmod(fd, FILE_MODE) == -1 ||
	    fsync(fd) == -1)
		rc = errno;
	if (close(fd) == -1 && rc == 0)
		rc = errno;
	return rc;
}

/* In DIR the file NAME becomes TEXT, whole or not at all. */
static int
replace(int dir, const char *name, const char *text, gid_t gid)
{
	int rc = write_new(dir, text, gid);

	if (rc == 0 && renameat(dir, TEMPORARY, dir, name) == -1)
		rc = errno;
	if (rc != 0)
		(void)unlinkat(dir, TEMPORARY, 0); /* it may not be there */
	/* It is there by now; after a power cut it may be the old one. */
	else if (fsync(dir) == -1)
		log_warn("the folder of %s is perhaps not on the disk: %s",
		    name, strerror(errno));
	return rc;
}

int
change_folder(const char *path)
{
	char folder[POL_PATH_LEN], real[PATH_MAX];
	struct stat st;
	int dir;

	(void)snprintf(folder, sizeof folder, "%.*s",
	    (int)(strrchr(path, '/') - path), path);
	if (realpath(folder[0] != '\0' ? folder : "/", real) == NULL)
		return -1;
	dir = open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir == -1)
		return -1;
	if (rundir_is_safe_above(path) && rundir_is_safe_above(real) &&
	    fstat(dir, &st) == 0 && st.st_uid == 0 &&
	    (st.st_mode & 022) == 0)
		return dir;
	close(dir);
	errno = EPERM;
	return -1;
}

static int
keep_text(const char *path, const char *text, gid_t gid)
{
	int dir = change_folder(path), rc;

	if (dir == -1)
		return errno;
	if (!look_is_ours(path)) {
		close(dir);
		return EEXIST;
	}
	rc = replace(dir, strrchr(path, '/') + 1, text, gid);
	close(dir);
	return rc;
}

static int
keep(struct change *c, const struct link_change *m,
    const struct pol_policy *p)
{
	char *text;
	int rc;

	if (p->tor.torrc[0] == '\0')
		return EINVAL;
	text = pol_uplink_print(&m->uplink, p, &m->addr);
	if (text == NULL)
		return ENOMEM;
	rc = keep_text(p->tor.torrc, text, p->tor.user.gid);
	wipe_free(text);
	if (rc == EPERM)
		log_err("%s was not written: others than root may write to a "
		    "folder above it", p->tor.torrc);
	else if (rc == EEXIST)
		log_err("%s was not written: what is there is not ours",
		    p->tor.torrc);
	else if (rc != 0)
		log_err("%s was not written: %s", p->tor.torrc, strerror(rc));
	if (rc == 0)
		forget(c);
	return rc;
}

static int
judge(const struct pol_uplink *u, const struct pol_policy *p)
{
	char why[POL_UPLINK_WHY];

	if (pol_uplink_ok(u, why, p))
		return 0;
	log_err("the engine wanted bridges or a proxy against the policy: "
	    "refused");
	return EPERM;
}

void
change_take(struct change *c, struct link_kept *answer,
    const struct link_change *m, const struct pol_policy *p)
{
	int rc = 0;

	if (m->step != LINK_CHANGE_FORGET)
		rc = judge(&m->uplink, p);
	if (rc == 0)
		switch ((enum link_change_step)m->step) {
		case LINK_CHANGE_REMEMBER:
			rc = remember(c, m);
			break;
		case LINK_CHANGE_KEEP:
			rc = keep(c, m, p);
			break;
		case LINK_CHANGE_FORGET:
			forget(c);
			break;
		case LINK_CHANGE_NONE:
		case LINK_NCHANGE:
			rc = EINVAL;
			break;
		}
	*answer = (struct link_kept){ .magic = LINK_KEPT_MAGIC,
		.id = m->id, .error = rc };
}
