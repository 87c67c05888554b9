#include "config.h" /* _GNU_SOURCE */

#include "supervisor/torauth/cookiefile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *
file_fault(int fd, uid_t owner)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode) || st.st_size != CP_COOKIE_LEN)
		return "not a regular file of 32 octets";
	if (owner != COOKIEFILE_ANYONE && st.st_uid != owner &&
	    st.st_uid != 0)
		return "it belongs neither to Tor nor to root";
	return NULL;
}

const char *
cookiefile_read(unsigned char out[CP_COOKIE_LEN], const char *path,
    uid_t owner)
{
	const char *fault;
	unsigned char extra;
	int fd;

	/* Non-blocking: a FIFO in its place must not stop us. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		fault = strerror(errno);
		goto out;
	}
	fault = file_fault(fd, owner);
	/* It may be replaced meanwhile by a restart: all, and no more. */
	if (fault == NULL && (read(fd, out, CP_COOKIE_LEN) != CP_COOKIE_LEN ||
	    read(fd, &extra, 1) != 0))
		fault = "it changed while it was read";
	close(fd);
out:
	if (fault != NULL)
		explicit_bzero(out, CP_COOKIE_LEN);
	return fault;
}
