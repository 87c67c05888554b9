/*
 * Files below a folder that is taken for the root of a system: no symbolic
 * link leads out of it.  Nothing is ever written or run.
 */
#ifndef IMPORT_FILES_H
#define IMPORT_FILES_H

#include <stddef.h>

/* More is nobody's configuration. */
#define IMPORT_FILE_MAX (1024 * 1024)
#define IMPORT_NAMES_MAX 256
#define IMPORT_PATH_LEN 512

/* Names of files, in the order of their octets. */
struct import_names {
	size_t n;
	char *name[IMPORT_NAMES_MAX]; /* owned */
};

/* A descriptor to be closed; -1: errno. */
int import_root(const char *path);

/*
 * The text of the regular file PATH, for free(), with a NUL behind its LEN
 * octets.  NULL: errno; EFBIG for one that is too long, EINVAL for what is no
 * regular file.
 */
char *import_read(int root, const char *path, size_t *len);

/*
 * The names in the folder PATH that match PATTERN (fnmatch(3)), without those
 * that begin with a dot.  -1: errno, ENOTDIR for what is none; OUT is empty.
 */
int import_list(int root, const char *path, const char *pattern,
    struct import_names *out) __attribute__((warn_unused_result));
void import_names_clear(struct import_names *names);

#endif
