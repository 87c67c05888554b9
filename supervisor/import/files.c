#include "config.h" /* _GNU_SOURCE */

#include "supervisor/import/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int
import_root(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* A FIFO or a device must not hold us up: hence O_NONBLOCK. */
static int
open_inside(int root, const char *path, uint64_t flags)
{
	const struct open_how how = {
		.flags = flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* All of FD into TEXT, which has room for CAP; -1: errno. */
static ssize_t
read_all(int fd, char *text, size_t cap)
{
	size_t have = 0;
	ssize_t n;

	while (have < cap) {
		n = read(fd, text + have, cap - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			return (ssize_t)have;
		have += (size_t)n;
	}
	errno = EFBIG; /* it has grown since we asked */
	return -1;
}

static char *
read_fd(int fd, size_t *len)
{
	struct stat st;
	ssize_t n;
	char *text;

	if (fstat(fd, &st) == -1)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > IMPORT_FILE_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	text = malloc((size_t)st.st_size + 2);
	if (text == NULL)
		return NULL;
	n = read_all(fd, text, (size_t)st.st_size + 1);
	if (n == -1) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	*len = (size_t)n;
	return text;
}

char *
import_read(int root, const char *path, size_t *len)
{
	int fd = open_inside(root, path, 0), error;
	char *text;

	if (fd == -1)
		return NULL;
	text = read_fd(fd, len);
	error = errno;
	(void)close(fd);
	errno = error;
	return text;
}

static int
by_octets(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* 0, or -1 and errno. */
static int
take_names(DIR *dir, const char *pattern, struct import_names *out)
{
	const struct dirent *d;

	while (errno = 0, d = readdir(dir), d != NULL) {
		if (fnmatch(pattern, d->d_name, FNM_PERIOD) != 0 ||
		    d->d_name[0] == '.')
			continue;
		if (out->n == IMPORT_NAMES_MAX) {
			errno = EFBIG;
			return -1;
		}
		out->name[out->n] = strdup(d->d_name);
		if (out->name[out->n] == NULL)
			return -1;
		out->n++;
	}
	return errno == 0 ? 0 : -1;
}

int
import_list(int root, const char *path, const char *pattern,
    struct import_names *out)
{
	int fd, rc, error;
	DIR *dir;

	memset(out, 0, sizeof *out);
	fd = open_inside(root, path, O_DIRECTORY);
	if (fd == -1)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return -1;
	}
	rc = take_names(dir, pattern, out);
	error = errno;
	(void)closedir(dir);
	if (rc == -1) {
		import_names_clear(out);
		errno = error;
		return -1;
	}
	qsort(out->name, out->n, sizeof out->name[0], by_octets);
	return 0;
}

void
import_names_clear(struct import_names *names)
{
	while (names->n > 0)
		free(names->name[--names->n]);
}
