#include "supervisor/engine/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/log.h"

static bool
file_ok(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		log_warn("password: not a regular file");
		return false;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		log_warn("password: belongs to uid %u", (unsigned)st.st_uid);
		return false;
	}
	if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
		log_warn("password: others may read or change the file");
		return false;
	}
	return true;
}

int
password_read(unsigned char *out, size_t cap, const char *path)
{
	int fd, rc = -1;
	ssize_t n;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		log_warn("password: %s", strerror(errno));
		goto out;
	}
	if (!file_ok(fd))
		goto close;
	n = read(fd, out, cap);
	/* A full buffer means that there may be more. */
	if (n <= 0 || (size_t)n == cap) {
		log_warn("password: the file is empty or too long");
		goto close;
	}
	if (out[n - 1] == '\n')
		n--;
	rc = (int)n;
close:
	close(fd);
out:
	if (rc == -1)
		explicit_bzero(out, cap);
	return rc;
}
