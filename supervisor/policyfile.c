#include "config.h" /* scandirat() is GNU's */

#include "supervisor/policyfile.h"

#include <sys/stat.h>
#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/origins.h"

/* The parser takes no more. */
#define MAX_FILE (4u << 20)
#define MAX_FILES 64
#define CONF_D "conf.d"
#define SUFFIX ".conf"

/* A folder's name, conf.d in it, and a file's in that; each with its /. */
#define FOLDER_LEN PATH_MAX
#define CONF_D_LEN (FOLDER_LEN + sizeof CONF_D + 1)
#define FILE_LEN (CONF_D_LEN + NAME_MAX + 1)

/* What has been read so far. */
struct files {
	struct pol_diags *diags;
	struct pol_origins *from;
	bool for_real;
	bool failed; /* something could not be read at all */
	struct pol_source src[MAX_FILES + 1];
	char *name[MAX_FILES + 1]; /* owned, as are the texts */
	size_t n;
};

static void
fail(struct files *f, const char *name, const char *what)
{
	pol_diags_add(f->diags, name, 0, "%s: %s", what, strerror(errno));
	f->failed = true;
}

static void
check_owner(struct files *f, const char *name, const struct stat *st)
{
	if (!f->for_real)
		return;
	if (st->st_uid != 0)
		pol_diags_add(f->diags, name, 0, "this belongs to user %u: "
		    "give it to root (chown root)", (unsigned)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		pol_diags_add(f->diags, name, 0, "others than its owner can "
		    "write this: forbid it (chmod go-w)");
}

/* All of FD; NULL and errno.  EFBIG when it grows beyond the most. */
static char *
read_all(int fd, size_t *len)
{
	char *text = malloc(MAX_FILE + 1);
	size_t n = 0;
	ssize_t got;

	if (text == NULL)
		return NULL;
	do {
		got = read(fd, text + n, MAX_FILE + 1 - n);
		if (got > 0)
			n += (size_t)got;
	} while ((got > 0 && n <= MAX_FILE) || (got == -1 && errno == EINTR));
	if (got != -1 && n <= MAX_FILE) {
		*len = n;
		return text;
	}
	if (got != -1)
		errno = EFBIG;
	free(text);
	return NULL;
}

static void
add_text(struct files *f, int fd, const char *name)
{
	struct pol_source *src = &f->src[f->n];
	struct stat st;
	char *text;

	if (fstat(fd, &st) == -1) {
		fail(f, name, "cannot examine this file");
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		pol_diags_add(f->diags, name, 0, "this is not a regular "
		    "file: name one, and have no other in conf.d");
		f->failed = true;
		return;
	}
	check_owner(f, name, &st);
	text = read_all(fd, &src->len);
	f->name[f->n] = strdup(name);
	if (text == NULL || f->name[f->n] == NULL) {
		fail(f, name, "cannot read this file (4 MiB at most)");
		free(text);
		free(f->name[f->n]);
		return;
	}
	src->text = text;
	src->name = f->name[f->n];
	f->n++;
}

/* ENTRY of folder DIR; NAME is the same for people. */
static void
add_file(struct files *f, int dir, const char *entry, const char *name)
{
	/* NONBLOCK: a fifo must not keep us waiting for its writer. */
	int fd = openat(dir, entry,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1 && errno == ELOOP) {
		pol_diags_add(f->diags, name, 0, "this is a symbolic link: "
		    "put the file itself here");
		f->failed = true;
	} else if (fd == -1) {
		fail(f, name, "cannot open this file");
	} else {
		add_text(f, fd, name);
		(void)close(fd); /* only read: nothing can be lost */
	}
}

static int
wanted(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n >= sizeof SUFFIX - 1 &&
	    strcmp(e->d_name + n - (sizeof SUFFIX - 1), SUFFIX) == 0;
}

/* By octets: alphasort() would ask the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
add_entries(struct files *f, int dir, const char *folder)
{
	struct dirent **list = NULL;
	int n = scandirat(dir, ".", &list, wanted, by_name);

	if (n == -1) {
		fail(f, folder, "cannot read this folder");
		return;
	}
	if (n > MAX_FILES) {
		pol_diags_add(f->diags, folder, 0, "there are %d files here: "
		    "%d at most", n, MAX_FILES);
		f->failed = true;
	}
	for (int i = 0; i < n; i++) {
		char name[FILE_LEN];

		(void)snprintf(name, sizeof name, "%s/%s", folder,
		    list[i]->d_name);
		if (n <= MAX_FILES)
			add_file(f, dir, list[i]->d_name, name);
		free(list[i]);
	}
	free(list);
}

static void
add_folder(struct files *f, int dir, const char *folder)
{
	char name[CONF_D_LEN];
	struct stat st;
	int fd;

	(void)snprintf(name, sizeof name, "%s/" CONF_D, folder);
	fd = openat(dir, CONF_D,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		if (errno != ENOENT)
			fail(f, name, "cannot open this folder");
		return;
	}
	if (fstat(fd, &st) == -1)
		fail(f, name, "cannot examine this folder");
	else
		check_owner(f, name, &st);
	add_entries(f, fd, name);
	(void)close(fd); /* only read */
}

/* "/etc/portcullis" of "/etc/portcullis/portcullis.conf"; "." of a name. */
static void
folder_of(char *dst, size_t cap, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		(void)snprintf(dst, cap, ".");
	else
		(void)snprintf(dst, cap, "%.*s",
		    slash == path ? 1 : (int)(slash - path), path);
}

static void
add_all(struct files *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[FOLDER_LEN];
	struct stat st;
	int dir;

	folder_of(folder, sizeof folder, path);
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1) {
		fail(f, folder, "cannot open this folder");
		return;
	}
	if (fstat(dir, &st) == -1)
		fail(f, folder, "cannot examine this folder");
	else
		check_owner(f, folder, &st);
	add_file(f, dir, slash == NULL ? path : slash + 1, path);
	add_folder(f, dir, folder);
	(void)close(dir); /* only read */
}

/* Parsing starts a list of its own: put ours behind it. */
static int
parse(struct pol_policy *out, struct files *f)
{
	struct pol_diags own = *f->diags;
	int rc = pol_parse_from(out, f->diags, f->from, f->src, f->n);

	/* "More" and nothing else: there was no memory to say what. */
	if ((own.n != 0 || own.more) && rc == 0) {
		pol_policy_clear(out);
		rc = -1;
	}
	for (size_t i = 0; i < own.n; i++)
		pol_diags_add(f->diags, own.list[i].file, own.list[i].line,
		    "%s", own.list[i].text);
	f->diags->more |= own.more;
	pol_diags_clear(&own);
	return rc;
}

int
policyfile_load(struct pol_policy *out, struct pol_diags *diags,
    const char *path, bool for_real)
{
	return policyfile_load_from(out, diags, NULL, path, for_real);
}

int
policyfile_load_from(struct pol_policy *out, struct pol_diags *diags,
    struct pol_origins *from, const char *path, bool for_real)
{
	struct files *f = calloc(1, sizeof *f);
	int rc = -1;

	memset(diags, 0, sizeof *diags);
	pol_policy_init(out);
	if (f == NULL || strlen(path) >= FOLDER_LEN) {
		pol_diags_add(diags, path, 0, "cannot read this policy: %s",
		    f == NULL ? "out of memory" : "the path is too long");
		free(f);
		return -1;
	}
	f->diags = diags;
	f->for_real = for_real;
	f->from = from;
	add_all(f, path);
	/* With a file missing, half of what the parser said would be wrong. */
	if (!f->failed)
		rc = parse(out, f);
	for (size_t i = 0; i < f->n; i++) {
		free((void *)(uintptr_t)f->src[i].text);
		free(f->name[i]);
	}
	free(f);
	return rc;
}

/* One of the two look-ups, with as much room as it asks for. */
static int
lookup(const struct pol_user *user, struct passwd *pw, char **buf,
    struct passwd **found)
{
	size_t size = 1024; /* enough mostly; doubled up to MAX_FILE */
	int rc;

	do {
		char *more = realloc(*buf, size);

		if (more == NULL)
			return ENOMEM;
		*buf = more;
		if (user->name[0] != '\0')
			rc = getpwnam_r(user->name, pw, *buf, size, found);
		else
			rc = getpwuid_r((uid_t)user->uid, pw, *buf, size,
			    found);
		size *= 2;
	} while (rc == ERANGE && size <= MAX_FILE);
	return rc;
}

/* Those who must be different ones; the first is Tor's. */
enum { MAX_TOR_AND_OURS = 5 };

/* Somebody whom the policy names. */
struct person {
	struct pol_user *user;
	char key[POL_ORIGIN_KEY];
	const char *file; /* where it does so; borrowed */
	unsigned line;
	bool by_default;
};

static bool
resolve(const struct person *one, struct pol_diags *diags)
{
	struct pol_user *user = one->user;
	struct passwd pw, *found = NULL;
	char *buf = NULL;
	int rc = lookup(user, &pw, &buf, &found);

	if (found != NULL) {
		user->uid = found->pw_uid;
		user->gid = found->pw_gid;
		user->resolved = true;
	} else if (user->name[0] != '\0') {
		pol_diags_add(diags, one->file, one->line, "user \"%s\" (%s%s) "
		    "%s: create it or name another", user->name, one->key,
		    one->by_default ? ", by default" : "",
		    rc == 0 ? "does not exist" : "cannot be looked up");
	}
	free(buf);
	if (user->resolved && user->uid == 0) {
		pol_diags_add(diags, one->file, one->line, "user \"%s\" (%s) "
		    "is root: name an unprivileged one", user->name, one->key);
		user->resolved = false;
	}
	/* 0 would be root's, in rules that are only printed, too. */
	if (!user->resolved)
		user->uid = user->gid = UINT32_MAX;
	return user->resolved;
}

struct people {
	const struct pol_origins *from; /* borrowed; or NULL */
	struct person list[MAX_TOR_AND_OURS + POL_MAX_EGRESS +
	    POL_MAX_TIME_USERS];
	size_t n, ours;
};

static void add_person(struct people *all, struct pol_user *user,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
add_person(struct people *all, struct pol_user *user, const char *fmt, ...)
{
	struct person *one = &all->list[all->n++];
	const struct pol_origin *at;
	va_list ap;

	one->user = user;
	va_start(ap, fmt);
	(void)vsnprintf(one->key, sizeof one->key, fmt, ap);
	va_end(ap);
	at = pol_origins_find(all->from, one->key);
	one->file = at != NULL ? at->file : "policy";
	one->line = at != NULL ? at->line : 0;
	one->by_default = at == NULL && all->from != NULL;
}

static void
find_people(struct people *all, struct pol_policy *p)
{
	all->n = 0;
	add_person(all, &p->tor.user, "tor user");
	add_person(all, &p->gate_user, "users gate");
	add_person(all, &p->engine_user, "users engine");
	add_person(all, &p->status_user, "users status");
	/* Without it nothing is looked up, and nobody is needed for that. */
	if (p->resolver.addr.family != 0)
		add_person(all, &p->resolver_user, "users resolver");
	all->ours = all->n;
	for (size_t i = 0; i < p->negress; i++)
		add_person(all, &p->egress[i].user, "egress %s",
		    p->egress[i].name);
	for (size_t i = 0; i < p->timesync.nusers; i++)
		add_person(all, &p->timesync.users[i], "timesync users");
}

/*
 * Is number I the user of Tor's or ours before it?  Two names can mean one
 * number, so this is asked again here.
 */
static bool
is_taken(const struct people *all, size_t i, struct pol_diags *diags)
{
	const struct person *one = &all->list[i];
	bool taken = false;

	for (size_t j = 0; j < i && j < all->ours; j++) {
		const struct person *other = &all->list[j];

		if (!other->user->resolved ||
		    other->user->uid != one->user->uid)
			continue;
		pol_diags_add(diags, one->file, one->line, "\"%s\" and \"%s\" "
		    "are both user %u: they must be different", other->key,
		    one->key, one->user->uid);
		taken = true;
	}
	return taken;
}

int
policyfile_resolve(struct pol_policy *p, struct pol_diags *diags)
{
	return policyfile_resolve_from(p, diags, NULL);
}

int
policyfile_resolve_from(struct pol_policy *p, struct pol_diags *diags,
    const struct pol_origins *from)
{
	struct people all = { .from = from };
	int rc = 0;

	find_people(&all, p);
	for (size_t i = 0; i < all.n; i++)
		if (!resolve(&all.list[i], diags) ||
		    is_taken(&all, i, diags))
			rc = -1;
	return rc;
}
