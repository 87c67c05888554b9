/*
 * Tor's rules for %include: an asterisk and a question mark are the only
 * wildcards, what they match is sorted; of a folder all files are read, in
 * order, but those whose names begin with a dot, and no folder in it.  A path
 * without wildcards has to be there.  Relative ones begin where Tor runs.
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/keeper/look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "policy/torrc.h"
#include "supervisor/keeper/change.h"
#include "supervisor/log.h"
#include "supervisor/wipe.h"

/* A Whonix gateway has ten files of 40 KiB together, two deep. */
#define MAX_DEPTH 8
#define MAX_FILES 128
#define MAX_BYTES (1u << 20)
#define MAX_FILE_BYTES (256u << 10)
/* Parts of a path that have a wildcard: each multiplies what is looked at. */
#define MAX_WILD 2
/* Lines that include, and entries of folders that are read for them all. */
#define MAX_INCLUDES 128
#define MAX_ENTRIES 4096

struct walk {
	const struct pol_policy *p;
	const struct link_look *q;
	struct link_seen *out;
	bool reached;
	unsigned depth, files, includes;
	size_t bytes;
	struct stat folder; /* of tor.torrc */
	const char *name;   /* of it in there */
};

/* A file that is being read, and the include that is looked at in it. */
struct place {
	const char *file;
	size_t line;
};

/* False, always: what is found first is what is told. */
static bool
found(struct walk *w, enum link_finding finding, const char *file,
    size_t line)
{
	struct link_seen *out = w->out;
	size_t n = strlen(file);

	out->finding = finding;
	out->line = line > UINT32_MAX ? 0 : (uint32_t)line;
	/* The end of a long one says more than its beginning. */
	if (n >= sizeof out->file)
		file += n - (sizeof out->file - 1);
	(void)snprintf(out->file, sizeof out->file, "%s", file);
	for (char *c = out->file; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return false;
}

static bool
is_own_file(const struct walk *w, const struct stat *st)
{
	struct stat own;

	return lstat(w->p->tor.torrc, &own) == 0 &&
	    own.st_dev == st->st_dev && own.st_ino == st->st_ino;
}

/* Would a file of our name in the folder PATH be tor.torrc? */
static bool
is_own_folder(const struct walk *w, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == w->folder.st_dev &&
	    st.st_ino == w->folder.st_ino;
}

/* --- one file ------------------------------------------------------------ */

/* What the file FD, which is only a path, holds; NULL and errno. */
static char *
read_path(struct walk *w, int fd, const struct stat *st, size_t *len)
{
	char via[64], *text;
	size_t size = (size_t)st->st_size;
	ssize_t n = 0;
	int in;

	if (size > MAX_FILE_BYTES || size > MAX_BYTES - w->bytes) {
		errno = EFBIG;
		return NULL;
	}
	(void)snprintf(via, sizeof via, "/proc/self/fd/%d", fd);
	in = open(via, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (in == -1)
		return NULL;
	text = malloc(size + 1);
	for (*len = 0; text != NULL && *len < size; *len += (size_t)n) {
		n = read(in, text + *len, size - *len);
		if (n <= 0)
			break;
	}
	close(in);
	if (text != NULL && n >= 0) {
		w->bytes += *len;
		text[*len] = '\0';
		return text;
	}
	wipe_free(text);
	errno = EIO;
	return NULL;
}

/* May the torrc at FILE be read, and believed to be what Tor reads? */
static bool
may_read(struct walk *w, const char *file, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return found(w, LINK_F_SPECIAL, file, 0);
	if ((st->st_uid != 0 && st->st_uid != w->p->tor.user.uid) ||
	    (st->st_mode & S_IWOTH) != 0)
		return found(w, LINK_F_UNSAFE, file, 0);
	if (++w->files > MAX_FILES)
		return found(w, LINK_F_TOO_MUCH, file, 0);
	return true;
}

static bool walk_include(struct walk *w, const char *pattern,
    const struct place *from);

static bool
walk_text(struct walk *w, const char *file, const char *text, size_t len)
{
	struct pol_torrc_line line;
	struct pol_torrc t;
	struct place here = { .file = file };
	int rc;

	pol_torrc_init(&t, text, len);
	while ((rc = pol_torrc_next(&t, &line)) == 1) {
		here.line = line.line;
		if (line.option == POL_TORRC_INCLUDE &&
		    !walk_include(w, line.path, &here))
			return false;
		if (line.option < POL_TORRC_NUPLINK) {
			w->out->option = line.option;
			return found(w, LINK_F_OPTION, file, line.line);
		}
	}
	return rc == 0 || found(w, LINK_F_SYNTAX, file, line.line);
}

/* LEN octets of a FD that is only a path; closes it. */
static bool
walk_fd(struct walk *w, const char *file, int fd, const struct stat *st)
{
	size_t len = 0;
	bool ok = may_read(w, file, st);
	char *text = ok ? read_path(w, fd, st, &len) : NULL;

	if (ok && text == NULL)
		ok = found(w, errno == EFBIG ? LINK_F_TOO_MUCH :
		    LINK_F_UNREADABLE, file, 0);
	close(fd);
	ok = ok && walk_text(w, file, text, len);
	wipe_free(text);
	return ok;
}

static bool
walk_file(struct walk *w, const char *file)
{
	struct stat st;
	int fd = open(file, O_PATH | O_CLOEXEC);
	bool ok;

	if (fd == -1 || fstat(fd, &st) == -1) {
		if (fd != -1)
			close(fd);
		return found(w, LINK_F_UNREADABLE, file, 0);
	}
	if (is_own_file(w, &st)) {
		w->reached = true;
		close(fd);
		return true;
	}
	if (w->depth == MAX_DEPTH) {
		close(fd);
		return found(w, LINK_F_TOO_MUCH, file, 0);
	}
	w->depth++;
	ok = walk_fd(w, file, fd, &st);
	w->depth--;
	return ok;
}

/* --- includes ------------------------------------------------------------ */

/* What Tor reads of a folder: no hidden files, and no folders. */
static bool
walk_entry(struct walk *w, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof path, "%s/%s", folder, name);

	if (n < 0 || (size_t)n >= sizeof path)
		return found(w, LINK_F_TOO_MUCH, folder, 0);
	if (stat(path, &st) == -1 ||
	    (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)))
		return true;
	return walk_file(w, path);
}

/* For what glob(3) calls, without an argument: so many may still be read. */
static unsigned entries_left;

static struct dirent *
read_entry(void *dir)
{
	if (entries_left == 0)
		return NULL;
	entries_left--;
	return readdir(dir);
}

/* An empty folder costs something, too. */
static void *
open_folder(const char *path)
{
	if (entries_left == 0)
		return NULL;
	entries_left--;
	return opendir(path);
}

static void
close_folder(void *dir)
{
	(void)closedir(dir);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in DIR that are not hidden, to be freed; how many. */
static size_t
read_names(DIR *dir, char *names[MAX_FILES])
{
	struct dirent *d;
	size_t n = 0;

	while ((d = read_entry(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		if (n == MAX_FILES) {
			entries_left = 0;
			break;
		}
		names[n++] = xstrdup(d->d_name);
	}
	qsort(names, n, sizeof names[0], by_name);
	return n;
}

static bool
walk_folder(struct walk *w, const char *folder)
{
	char *names[MAX_FILES];
	DIR *dir = open_folder(folder);
	bool ok = true;
	size_t n;

	if (dir == NULL)
		return found(w, entries_left == 0 ? LINK_F_TOO_MUCH :
		    LINK_F_UNREADABLE, folder, 0);
	n = read_names(dir, names);
	close_folder(dir);
	if (is_own_folder(w, folder) && w->name[0] != '.')
		w->reached = true;
	if (entries_left == 0)
		ok = found(w, LINK_F_TOO_MUCH, folder, 0);
	for (size_t i = 0; i < n; i++) {
		ok = ok && walk_entry(w, folder, names[i]);
		free(names[i]);
	}
	return ok;
}

static bool
walk_match(struct walk *w, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return walk_folder(w, path);
	return walk_file(w, path);
}

/* PATTERN as glob(3) and fnmatch(3) have to get it: no brackets in Tor's. */
static bool
escape(char dst[PATH_MAX], const char *pattern)
{
	size_t n = 0;

	for (; *pattern != '\0'; pattern++) {
		if (n >= PATH_MAX - 3)
			return false;
		if (*pattern == '[' || *pattern == ']')
			dst[n++] = '\\';
		dst[n++] = *pattern;
	}
	dst[n] = '\0';
	return true;
}

/* In how many of its parts PATTERN has wildcards. */
static unsigned
count_wild(const char *pattern)
{
	unsigned n = 0;

	while (*pattern != '\0') {
		size_t part = strcspn(pattern, "/");

		n += strcspn(pattern, "*?") < part;
		pattern += part + (pattern[part] == '/');
	}
	return n;
}

/*
 * Would PATTERN find tor.torrc if it were there?  It is made when a change is
 * kept for the first time.
 */
static bool
would_reach(const struct walk *w, const char *pattern)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(pattern, '/');

	if (fnmatch(pattern, w->p->tor.torrc, FNM_PATHNAME | FNM_PERIOD) == 0)
		return true;
	(void)snprintf(folder, sizeof folder, "%.*s",
	    slash == pattern ? 1 : (int)(slash - pattern), pattern);
	return is_own_folder(w, folder) &&
	    fnmatch(slash + 1, w->name, FNM_PERIOD) == 0;
}

/* PATTERN as an absolute path; Tor's own folder is not everybody's to see. */
static bool
absolute(char dst[PATH_MAX], struct walk *w, const char *pattern)
{
	char proc[40], cwd[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (pattern[0] == '/')
		return escape(dst, pattern);
	(void)snprintf(proc, sizeof proc, "/proc/%d/cwd", (int)w->q->pid);
	if (w->q->pid == 0 || lstat(proc, &st) == -1 ||
	    st.st_uid != w->p->tor.user.uid)
		return false;
	n = readlink(proc, cwd, sizeof cwd - POL_TORRC_PATH - 2);
	if (n <= 0)
		return false;
	(void)snprintf(cwd + n, sizeof cwd - (size_t)n, "/%s", pattern);
	return cwd[0] == '/' && escape(dst, cwd);
}

static bool
walk_glob(struct walk *w, const char *pattern, const struct place *from)
{
	glob_t g = { .gl_opendir = open_folder, .gl_readdir = read_entry,
		.gl_closedir = close_folder, .gl_stat = stat,
		.gl_lstat = lstat };
	bool ok = true, wild = count_wild(pattern) > 0;
	int rc = glob(pattern, GLOB_ALTDIRFUNC, NULL, &g);

	if (rc == GLOB_NOMATCH && entries_left > 0 &&
	    (wild || would_reach(w, pattern)))
		return true;
	if (rc != 0 && entries_left > 0)
		return found(w, LINK_F_UNREADABLE, pattern, 0);
	if (g.gl_pathc > MAX_FILES || entries_left == 0)
		ok = found(w, LINK_F_TOO_MUCH, from->file, from->line);
	for (size_t i = 0; ok && i < g.gl_pathc; i++)
		ok = walk_match(w, g.gl_pathv[i]);
	globfree(&g);
	return ok;
}

static bool
walk_include(struct walk *w, const char *path, const struct place *from)
{
	char pattern[PATH_MAX];

	if (!absolute(pattern, w, path))
		return found(w, LINK_F_RELATIVE, from->file, from->line);
	if (count_wild(pattern) > MAX_WILD || ++w->includes > MAX_INCLUDES)
		return found(w, LINK_F_TOO_MUCH, from->file, from->line);
	w->reached |= would_reach(w, pattern);
	return walk_glob(w, pattern, from);
}

/* --- tor.torrc itself ---------------------------------------------------- */

/* What is at PATH, if it is a file of ours; *LEN is 0 if nothing is there. */
static char *
read_own(struct walk *w, const char *path, size_t *len)
{
	struct stat st;
	char *text;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	*len = 0;
	if (fd == -1)
		return errno == ENOENT ? calloc(1, 1) : NULL;
	text = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ?
	    read_path(w, fd, &st, len) : NULL;
	close(fd);
	if (text != NULL && pol_uplink_is_ours(text, *len))
		return text;
	wipe_free(text);
	return NULL;
}

bool
look_is_ours(const char *path)
{
	struct walk w = { 0 };
	size_t len;
	char *text = read_own(&w, path, &len);
	bool ours = text != NULL;

	wipe_free(text);
	return ours;
}

static bool
look_at_own(struct walk *w)
{
	const struct pol_policy *p = w->p;
	struct link_seen *out = w->out;
	char folder[PATH_MAX], *text;
	size_t len;
	int dir = change_folder(p->tor.torrc);

	w->name = strrchr(p->tor.torrc, '/') + 1;
	(void)snprintf(folder, sizeof folder, "%.*s",
	    (int)(w->name - p->tor.torrc - 1), p->tor.torrc);
	if (dir == -1)
		return found(w, errno == EPERM ? LINK_F_FOLDER :
		    LINK_F_NO_FOLDER, folder, 0);
	if (fstat(dir, &w->folder) == -1)
		memset(&w->folder, 0, sizeof w->folder);
	close(dir);
	text = read_own(w, p->tor.torrc, &len);
	if (text == NULL)
		return found(w, LINK_F_NOT_OURS, p->tor.torrc, 1);
	out->kept = len > 0 &&
	    pol_uplink_read(&out->uplink, &out->addr, p, text, len);
	wipe_free(text);
	return true;
}

/* --- all of it ----------------------------------------------------------- */

static bool
look_at_torrcs(struct walk *w)
{
	const struct link_look *q = w->q;

	if (q->torrc[0] != '/' || access(q->torrc, F_OK) == -1)
		return found(w, LINK_F_NO_TORRC, q->torrc, 0);
	if (!walk_file(w, q->torrc))
		return false;
	/* Tor does without this one. */
	if (q->defaults[0] == '/' && access(q->defaults, F_OK) == 0 &&
	    !walk_file(w, q->defaults))
		return false;
	return w->reached || found(w, LINK_F_UNREACHED, q->torrc, 0);
}

void
look_take(struct link_seen *out, const struct link_look *q,
    const struct pol_policy *p)
{
	struct walk w = { .p = p, .q = q, .out = out };

	memset(out, 0, sizeof *out);
	out->magic = LINK_SEEN_MAGIC;
	out->id = q->id;
	out->option = POL_TORRC_OTHER;
	entries_left = MAX_ENTRIES;
	if (p->tor.torrc[0] == '\0')
		(void)found(&w, LINK_F_NO_TORRC, "", 0);
	else if (look_at_own(&w))
		(void)look_at_torrcs(&w);
}
