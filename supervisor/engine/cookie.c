#include "supervisor/engine/cookie.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/log.h"

/* Which file; NULL, logged, when there is none to trust. */
static const char *
choose_path(const struct pol_tor *tor, const char *said)
{
	const char *path = tor->cookie_file;
	char esc[128];

	if (path[0] == '\0')
		path = said;
	if (path == NULL || path[0] != '/') {
		log_warn("cookie: Tor names no absolute path, nor does the "
		    "policy");
		return NULL;
	}
	if (said == NULL || strcmp(path, said) == 0)
		return path;
	log_warn("cookie: Tor names %s, the policy %s",
	    log_esc(esc, sizeof esc, said, strlen(said)), path);
	return NULL;
}

static bool
file_ok(int fd, uint32_t tor_uid)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		log_warn("cookie: fstat: %s", strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) || st.st_size != CP_COOKIE_LEN) {
		log_warn("cookie: not a regular file of %d octets",
		    CP_COOKIE_LEN);
		return false;
	}
	if (st.st_uid != tor_uid && st.st_uid != 0) {
		log_warn("cookie: belongs to uid %u, not to Tor",
		    (unsigned)st.st_uid);
		return false;
	}
	return true;
}

int
cookie_read(unsigned char out[CP_COOKIE_LEN], const struct pol_tor *tor,
    const char *said)
{
	const char *path = choose_path(tor, said);
	unsigned char extra;
	int fd, rc = -1;

	if (path == NULL)
		goto out;
	/* Non-blocking: a FIFO in its place must not stop us. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		log_warn("cookie: %s", strerror(errno));
		goto out;
	}
	/* It may be replaced meanwhile by a restart: all, and no more. */
	if (file_ok(fd, tor->user.uid) &&
	    read(fd, out, CP_COOKIE_LEN) == CP_COOKIE_LEN &&
	    read(fd, &extra, 1) == 0)
		rc = 0;
	close(fd);
out:
	if (rc == -1)
		explicit_bzero(out, CP_COOKIE_LEN);
	return rc;
}
