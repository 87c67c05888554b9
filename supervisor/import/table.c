#include "supervisor/import/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/options.h"
#include "policy/portline.h"
#include "supervisor/import/quote.h"

/* These are open to workstations whatever INTERNAL_OPEN_PORTS says. */
#define CUSTOM_FIRST 9152
#define CUSTOM_LAST 9229
/* The addresses of one section; Whonix has four. */
#define MAX_ADDRS 8

/* Ports in a row that have everything else in common. */
struct entry {
	enum pol_kind kind;
	uint16_t first, last; /* 0: Unix sockets, whose addresses are paths */
	size_t naddrs;
	char addr[MAX_ADDRS][POL_LISTENER_TEXT];
	bool loopback; /* all of them are this machine's own */
	char flags[POL_FLAGS_LEN]; /* in order, one blank between two */
};

struct table {
	struct entry *list; /* owned */
	size_t n;
	struct import_notes *notes;
	const struct import_knobs *knobs;
};

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Those flags of TEXT, which is cut up, that Tor knows, in order. */
static void
sort_flags(char *dst, char *text, bool is_unix, const struct import_port *p,
    struct import_notes *notes)
{
	char *flag[POL_FLAGS_LEN / 2], near[POL_NAME_LEN], *rest = NULL;
	const size_t cap = POL_FLAGS_LEN;
	size_t n = 0, have = 0;

	/* There cannot be more words than that in so short a text. */
	for (char *w = strtok_r(text, " \t", &rest); w != NULL;
	    w = strtok_r(NULL, " \t", &rest)) {
		if (pol_flag_check(p->kind, w, near, sizeof near) ||
		    (is_unix && pol_flag_unix(w, near, sizeof near)))
			flag[n++] = w;
		else
			import_note(notes, "%s:%zu: Tor does not know the "
			    "flag %s, so the listener never had it; if %s is "
			    "meant, add it.", p->file, p->line, w, near);
	}
	qsort(flag, n, sizeof flag[0], by_text);
	dst[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(flag[i], flag[i - 1]) != 0)
			have += (size_t)snprintf(dst + have, cap - have,
			    "%s%s", have > 0 ? " " : "", flag[i]);
}

/* Does a word of INTERNAL_OPEN_PORTS, "9050" or "9050-9059", open PORT? */
static bool
is_open_inside(const struct table *t, unsigned long port)
{
	unsigned long first, last;
	char word[IMPORT_NAME_LEN], *end;
	size_t at = 0;

	while (import_knob_word(t->knobs, KNOB_OPEN_INSIDE, &at, word)) {
		first = last = strtoul(word, &end, 10);
		if (end != word && (*end == '-' || *end == ':'))
			last = strtoul(end + 1, &end, 10);
		if (end != word && *end == '\0' && port >= first &&
		    port <= last)
			return true;
	}
	return port >= CUSTOM_FIRST && port <= CUSTOM_LAST;
}

/* Does the firewall let workstations reach PORT of a listener of KIND? */
static bool
is_let_in(const struct table *t, enum pol_kind kind, unsigned long port)
{
	if (kind == POL_TRANS)
		return import_knob_on(t->knobs, KNOB_WS_TCP) && port ==
		    strtoul(import_knob(t->knobs, KNOB_WS_TCP_PORT), NULL, 10);
	if (kind == POL_DNS)
		return import_knob_on(t->knobs, KNOB_WS_DNS) && port ==
		    strtoul(import_knob(t->knobs, KNOB_WS_DNS_PORT), NULL, 10);
	return import_knob_on(t->knobs, KNOB_WS_SOCKS) &&
	    is_open_inside(t, port);
}

/* Do the settings of the firewall keep clients from it? */
static bool
is_shut(const struct table *t, const struct import_port *p,
    const struct pol_line *line)
{
	if (line->addr.family == AF_UNIX || pol_addr_loopback(&line->addr) ||
	    is_let_in(t, p->kind, line->port))
		return false;
	import_note(t->notes, "%s:%zu: left out: the firewall lets no "
	    "workstation reach this %s listener.", p->file, p->line,
	    pol_kind_name(p->kind));
	return true;
}

/* False: there is no listener section for such a line; it is noted. */
static bool
understand(struct table *t, const struct import_port *p,
    struct pol_line *line)
{
	const char *why = NULL;

	if (!pol_line_parse(line, p->value))
		why = "it cannot be understood";
	else if (line->off)
		return false;
	else if (line->addr.family == 0)
		why = "it names a host, and a policy takes addresses only";
	else if (line->addr.family != AF_UNIX && line->port == 0)
		why = "its port is for Tor to choose";
	else if (line->addr.family == AF_UNIX &&
	    strpbrk(line->path, " \"'\\") != NULL)
		why = "a policy takes no such path";
	else if (strlen(line->flags) >= POL_FLAGS_LEN)
		why = "it has too many flags";
	if (why == NULL)
		return !is_shut(t, p, line);
	import_note(t->notes, "%s:%zu: %s \"%s\" has no equivalent: %s.",
	    p->file, p->line, pol_kind_option(p->kind), p->value, why);
	return false;
}

static struct entry *
find(struct table *t, const struct entry *like)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].kind == like->kind &&
		    t->list[i].first == like->first &&
		    strcmp(t->list[i].flags, like->flags) == 0)
			return &t->list[i];
	return NULL;
}

static void
add_address(struct entry *e, const char *text, const struct import_port *p,
    struct import_notes *notes)
{
	for (size_t i = 0; i < e->naddrs; i++)
		if (strcmp(e->addr[i], text) == 0)
			return;
	if (e->naddrs == MAX_ADDRS) {
		import_note(notes, "%s:%zu: left out: one port at more than "
		    "%d addresses.", p->file, p->line, MAX_ADDRS);
		return;
	}
	(void)snprintf(e->addr[e->naddrs++], sizeof e->addr[0], "%s", text);
}

static void
add(struct table *t, const struct import_port *p)
{
	struct pol_line line;
	struct entry like = { .kind = p->kind }, *e;
	char text[POL_LISTENER_TEXT], flags[POL_FLAGS_LEN];

	if (!understand(t, p, &line))
		return;
	like.first = like.last = line.port;
	like.loopback = line.addr.family == AF_UNIX ||
	    pol_addr_loopback(&line.addr);
	(void)snprintf(flags, sizeof flags, "%s", line.flags);
	sort_flags(like.flags, flags, line.addr.family == AF_UNIX, p,
	    t->notes);
	if (line.addr.family == AF_UNIX)
		(void)snprintf(text, sizeof text, "unix:%s", line.path);
	else
		pol_addr_format(text, sizeof text, &line.addr);
	e = find(t, &like);
	if (e == NULL) {
		e = &t->list[t->n++];
		*e = like;
	}
	e->loopback &= like.loopback;
	add_address(e, text, p, t->notes);
}

static int
by_address(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
by_port(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return strcmp(a->flags, b->flags);
}

static bool
has_same_addresses(const struct entry *a, const struct entry *b)
{
	if (a->naddrs != b->naddrs)
		return false;
	for (size_t i = 0; i < a->naddrs; i++)
		if (strcmp(a->addr[i], b->addr[i]) != 0)
			return false;
	return true;
}

/* May E be the end of the range that TO is? */
static bool
is_next(const struct entry *to, const struct entry *e)
{
	return to->first != 0 && to->kind == e->kind &&
	    to->last + 1 == e->first && e->first != IMPORT_SDWDATE_PORT &&
	    to->last != IMPORT_SDWDATE_PORT &&
	    strcmp(to->flags, e->flags) == 0 && has_same_addresses(to, e);
}

/* Ports in a row become one range. */
static void
join(struct table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++)
		qsort(t->list[i].addr, t->list[i].naddrs,
		    sizeof t->list[i].addr[0], by_address);
	qsort(t->list, t->n, sizeof *t->list, by_port);
	for (size_t i = 0; i < t->n; i++)
		if (kept > 0 && is_next(&t->list[kept - 1], &t->list[i]))
			t->list[kept - 1].last = t->list[i].last;
		else
			t->list[kept++] = t->list[i];
	t->n = kept;
}

/* The first entry with E's addresses, which gives the group its number. */
static size_t
group_of(const struct table *t, const struct entry *e)
{
	size_t i = 0;

	while (!has_same_addresses(&t->list[i], e))
		i++;
	return i;
}

static size_t
count_users(const struct table *t, const struct entry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += has_same_addresses(&t->list[i], e);
	return n;
}

static void
print_addresses(FILE *out, const struct entry *e)
{
	fputs("address = {", out);
	for (size_t i = 0; i < e->naddrs; i++) {
		fputs(i > 0 ? ", " : " ", out);
		import_quote(out, e->addr[i]);
	}
	fputs(" }", out);
}

static void
print_groups(FILE *out, const struct table *t)
{
	const struct entry *e;

	for (size_t i = 0; i < t->n; i++) {
		e = &t->list[i];
		if (group_of(t, e) != i || count_users(t, e) < 2)
			continue;
		fprintf(out, "group \"%s-%zu\" { ",
		    e->loopback ? "local" : "at", i + 1);
		print_addresses(out, e);
		fputs(" }\n", out);
	}
}

static void
print_flags(FILE *out, const char *flags)
{
	size_t n;

	if (flags[0] == '\0')
		return;
	fputs("\n\tflags = {", out);
	for (const char *p = flags; *p != '\0'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		fprintf(out, "%s \"%.*s\"", p != flags ? "," : "", (int)n, p);
	}
	fputs(" }", out);
}

/* Two with one port differ in their flags: the second gets a letter. */
static void
print_entry(FILE *out, const struct table *t, size_t i)
{
	const struct entry *e = &t->list[i];
	size_t twins = 0, group = group_of(t, e);

	while (i > twins && t->list[i - twins - 1].kind == e->kind &&
	    t->list[i - twins - 1].first == e->first)
		twins++;
	fprintf(out, "listener \"%s-", pol_kind_name(e->kind));
	if (e->first != 0)
		fprintf(out, "%u", e->first);
	else
		fputs("unix", out);
	if (e->last != e->first)
		fprintf(out, "-%u", e->last);
	if (twins > 0)
		fprintf(out, "-%zu", twins + 1);
	fputs("\" { ", out);
	if (count_users(t, e) > 1)
		fprintf(out, "group = \"%s-%zu\"",
		    t->list[group].loopback ? "local" : "at", group + 1);
	else
		print_addresses(out, e);
	fprintf(out, "\n\tkind = \"%s\"", pol_kind_name(e->kind));
	if (e->first != e->last)
		fprintf(out, " port = \"%u-%u\"", e->first, e->last);
	else if (e->first != 0)
		fprintf(out, " port = %u", e->first);
	print_flags(out, e->flags);
	fputs(" }\n", out);
}

int
import_table_print(FILE *out, const struct import_torrc *t,
    const struct import_knobs *knobs, struct import_notes *notes)
{
	struct table table = { .notes = notes, .knobs = knobs };

	table.list = calloc(t->nports + 1, sizeof *table.list);
	if (table.list == NULL)
		return -1;
	for (size_t i = 0; i < t->nports; i++)
		add(&table, &t->port[i]);
	join(&table);
	print_groups(out, &table);
	for (size_t i = 0; i < table.n; i++)
		print_entry(out, &table, i);
	free(table.list);
	return 0;
}
