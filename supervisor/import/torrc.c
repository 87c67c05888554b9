#include "supervisor/import/torrc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/torrc.h"

#define DEFAULTS "/usr/share/tor/tor-service-defaults-torrc"
#define TORRC "/etc/tor/torrc"
/* As deep as Tor goes. */
#define MAX_DEPTH 31
#define MAX_FILES 512

struct walk {
	struct import_torrc *t;
	struct import_notes *notes;
	int root;
	const char *open[MAX_DEPTH]; /* the files that we are in */
	unsigned depth, files;
	bool defaults; /* what is read is the defaults' */
	bool nomem;
};

/* One file, and where we are in it. */
struct place {
	const char *file;
	size_t line;
};

/* How far the value of L goes: the octets between its quotes, if it is in. */
static bool
value_bounds(const struct pol_torrc_line *l, size_t *from, size_t *to)
{
	const char *const p = l->rest;
	size_t n = 0;

	*from = l->nrest > 0 && *p == '"';
	if (*from == 1) {
		for (n = 1; n < l->nrest && p[n] != '"';)
			if (p[n++] == '\\')
				return false; /* an octet by its number */
		*to = n;
		return n < l->nrest;
	}
	while (n < l->nrest && p[n] != '#' && p[n] != '\n')
		n++;
	*to = n;
	/* A backslash at its end: it goes on in the next line. */
	return n == 0 || p[n - 1] != '\\';
}

/* The line's value without comment and blanks; false: it does not fit. */
static bool
take_value(char *dst, size_t cap, const struct pol_torrc_line *l)
{
	size_t from, to;

	if (!value_bounds(l, &from, &to))
		return false;
	while (to > from && (l->rest[to - 1] == ' ' || l->rest[to - 1] ==
	    '\t' || l->rest[to - 1] == '\r'))
		to--;
	if (to - from >= cap)
		return false;
	memcpy(dst, l->rest + from, to - from);
	dst[to - from] = '\0';
	return true;
}

static void
add_port(struct walk *w, enum pol_kind kind, const struct pol_torrc_line *l,
    const struct place *at)
{
	struct import_torrc *t = w->t;
	struct import_port *p;
	bool plus = l->nword > 0 && *l->word == '+';

	/* The torrc's own lines replace the defaults', but for those with +. */
	if (!w->defaults && !plus && !t->replaced[kind]) {
		t->replaced[kind] = true;
		for (size_t i = 0; i < t->nports;)
			if (t->port[i].kind == kind)
				t->port[i] = t->port[--t->nports];
			else
				i++;
	}
	if (t->nports == IMPORT_PORTS_MAX) {
		import_note(w->notes, "%s:%zu: more than %d listeners; this "
		    "one is left out.", at->file, at->line, IMPORT_PORTS_MAX);
		return;
	}
	p = &t->port[t->nports];
	memset(p, 0, sizeof *p);
	p->kind = kind;
	p->line = at->line;
	(void)snprintf(p->file, sizeof p->file, "%s", at->file);
	if (take_value(p->value, sizeof p->value, l))
		t->nports++;
	else
		import_note(w->notes, "%s:%zu: this %s line is too long, or "
		    "goes on in the next; it is left out.", at->file,
		    at->line, pol_kind_option(kind));
}

static bool
is_option(const struct pol_torrc_line *l, const char *name)
{
	const char *word = l->word;
	size_t n = l->nword;

	if (n > 0 && *word == '+') {
		word++;
		n--;
	}
	return strlen(name) == n && strncasecmp(word, name, n) == 0;
}

static bool
take_port(struct walk *w, const struct pol_torrc_line *l,
    const struct place *at)
{
	for (unsigned k = 0; k < POL_NKIND; k++)
		if (is_option(l, pol_kind_option((enum pol_kind)k))) {
			add_port(w, (enum pol_kind)k, l, at);
			return true;
		}
	return false;
}

/* A path as Tor has it: perhaps in quotes, with flags behind it. */
static void
take_path(char dst[POL_PATH_LEN], const char *value)
{
	size_t n;

	if (strncasecmp(value, "unix:", 5) == 0)
		value += 5;
	if (*value == '"')
		n = strcspn(++value, "\"");
	else
		n = strcspn(value, " \t");
	if (*value != '/' || n >= POL_PATH_LEN)
		return;
	memcpy(dst, value, n);
	dst[n] = '\0';
}

static void
take_control(struct import_torrc *t, const struct pol_torrc_line *l,
    const char *value)
{
	if (is_option(l, "ControlSocket"))
		take_path(t->control, value);
	else if (is_option(l, "CookieAuthFile"))
		take_path(t->cookie, value);
	else if (is_option(l, "User"))
		(void)snprintf(t->user, sizeof t->user, "%.*s",
		    POL_NAME_LEN - 1, value);
	else if (is_option(l, "ControlPort")) {
		char *end;
		unsigned long port = strtoul(value, &end, 10);

		if (end != value && port < 65536 &&
		    (*end == '\0' || *end == ' '))
			t->control_port = (unsigned)port;
		else
			take_path(t->control, value);
	}
}

static void
take_uplink(struct walk *w, const struct pol_torrc_line *l,
    const char *value, const struct place *at)
{
	struct import_torrc *t = w->t;

	if (l->option == POL_TORRC_BRIDGE)
		t->nbridges++;
	else if (l->option == POL_TORRC_HTTPS ||
	    l->option == POL_TORRC_SOCKS4 || l->option == POL_TORRC_SOCKS5)
		t->nproxies++;
	else if (l->option != POL_TORRC_PLUGIN)
		return;
	else if (t->nplugins == IMPORT_PLUGINS_MAX)
		import_note(w->notes, "%s:%zu: more than %d transport "
		    "programs; this one is left out.", at->file, at->line,
		    IMPORT_PLUGINS_MAX);
	else
		memcpy(t->plugin[t->nplugins++], value, IMPORT_LINE_LEN);
}

static void read_file(struct walk *w, const char *path);

static void
read_folder(struct walk *w, const char *folder, const char *pattern)
{
	struct import_names names;
	char path[IMPORT_PATH_LEN];
	int n;

	if (import_list(w->root, folder, pattern, &names) == -1) {
		if (errno != ENOENT)
			import_note(w->notes, "%s: %s; nothing of it is "
			    "here.", folder, strerror(errno));
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		n = snprintf(path, sizeof path, "%s/%s", folder,
		    names.name[i]);
		if (n > 0 && (size_t)n < sizeof path)
			read_file(w, path);
		else
			import_note(w->notes, "%s/%s is not read: its path "
			    "is too long.", folder, names.name[i]);
	}
	import_names_clear(&names);
}

/* A file, a folder, or a pattern for the names in one. */
static void
include(struct walk *w, const char *path, const struct place *at)
{
	char folder[IMPORT_PATH_LEN];
	const char *slash = strrchr(path, '/');
	struct import_names names;

	if (*path != '/' || slash == NULL || strlen(path) >= sizeof folder) {
		import_note(w->notes, "%s:%zu: include \"%s\" is not read: "
		    "only whole paths are.", at->file, at->line, path);
		return;
	}
	(void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path),
	    path);
	if (strpbrk(folder, "*?[") != NULL) {
		import_note(w->notes, "%s:%zu: include \"%s\" is not read: a "
		    "pattern can only stand in its last part.", at->file,
		    at->line, path);
	} else if (strpbrk(slash, "*?[") != NULL) {
		read_folder(w, folder, slash + 1);
	} else if (import_list(w->root, path, "*", &names) == 0) {
		import_names_clear(&names);
		read_folder(w, path, "*");
	} else {
		read_file(w, path);
	}
}

/* Of the options that are looked at, a value that cannot be told. */
static void
note_unread(struct walk *w, const struct pol_torrc_line *l,
    const struct place *at)
{
	static const char *const ours[] = { "ControlSocket", "ControlPort",
		"CookieAuthFile", "User" };
	bool looked_at = l->option != POL_TORRC_OTHER;

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		looked_at |= is_option(l, ours[i]);
	if (looked_at)
		import_note(w->notes, "%s:%zu: this line is too long, or goes "
		    "on in the next; it is left out.", at->file, at->line);
}

static void
take_line(struct walk *w, const struct pol_torrc_line *l,
    const struct place *at)
{
	char value[IMPORT_LINE_LEN];

	if (l->option == POL_TORRC_INCLUDE) {
		include(w, l->path, at);
		return;
	}
	if (take_port(w, l, at))
		return;
	if (!take_value(value, sizeof value, l)) {
		note_unread(w, l, at);
		return;
	}
	take_control(w->t, l, value);
	take_uplink(w, l, value, at);
}

static void
read_text(struct walk *w, const char *text, size_t len, const char *path)
{
	struct pol_torrc scan;
	struct pol_torrc_line l;
	struct place at = { .file = path };
	int rc;

	pol_torrc_init(&scan, text, len);
	while ((rc = pol_torrc_next(&scan, &l)) == 1) {
		at.line = l.line;
		take_line(w, &l, &at);
	}
	if (rc == -1)
		import_note(w->notes, "%s:%zu: Tor would not take this line; "
		    "the rest of the file is left out.", path, l.line);
}

static bool
is_open(const struct walk *w, const char *path)
{
	for (unsigned i = 0; i < w->depth; i++)
		if (strcmp(w->open[i], path) == 0)
			return true;
	return false;
}

static void
read_file(struct walk *w, const char *path)
{
	char *text;
	size_t len;

	if (is_open(w, path)) {
		import_note(w->notes, "%s includes itself: Tor would not "
		    "start.", path);
		return;
	}
	if (w->depth == MAX_DEPTH || ++w->files > MAX_FILES) {
		import_note(w->notes, "%s is not read: too many files, or "
		    "too deep an include.", path);
		return;
	}
	text = import_read(w->root, path, &len);
	if (text == NULL) {
		w->nomem |= errno == ENOMEM;
		if (errno != ENOENT)
			import_note(w->notes, "%s is not read: %s.", path,
			    errno == EINVAL ? "no regular file" :
			    strerror(errno));
		return;
	}
	w->t->any = true;
	w->open[w->depth++] = path;
	read_text(w, text, len, path);
	w->depth--;
	free(text);
}

int
import_torrc_read(struct import_torrc *t, int root,
    struct import_notes *notes)
{
	struct walk w = { .t = t, .notes = notes, .root = root };

	memset(t, 0, sizeof *t);
	t->port = calloc(IMPORT_PORTS_MAX, sizeof *t->port);
	if (t->port == NULL)
		return -1;
	w.defaults = true;
	read_file(&w, DEFAULTS);
	w.defaults = false;
	read_file(&w, TORRC);
	return w.nomem ? -1 : 0;
}

void
import_torrc_clear(struct import_torrc *t)
{
	free(t->port);
	t->port = NULL;
	t->nports = 0;
}
