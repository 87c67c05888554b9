#include "supervisor/cli/table.h"

#include <string.h>

#include "supervisor/cli/field.h"
#include "supervisor/cli/format.h"

/* A name is told with the application if both are no wider than this. */
#define NAME_WIDTH 32
#define GAP "  "

enum column { COL_NAME = 0, COL_KIND, COL_ADDRESS, COL_STATE, COL_OWNER,
	COL_FLAGS, NCOL };

static const char *const titles[NCOL] = {
	[COL_NAME] = "NAME",
	[COL_KIND] = "KIND",
	[COL_ADDRESS] = "ADDRESS",
	[COL_STATE] = "STATE",
	[COL_OWNER] = "OWNER",
	[COL_FLAGS] = "FLAGS", /* the longest, and last: nothing is behind */
};

struct row {
	char cell[NCOL][CLI_TEXT_CAP];
};

json_t *
cli_table_new(const json_t *line)
{
	const json_t *told = cli_field(line, "listeners", "table");
	bool is_open = cli_verdict(line) == CLI_OK;
	json_t *all, *l;
	size_t i;

	if (!json_is_array(told))
		return NULL;
	all = json_deep_copy(told);
	for (i = 0; i < json_array_size(all); i++) {
		l = json_array_get(all, i);
		if (!is_open || !json_is_true(json_object_get(l, "gated")) ||
		    !cli_field_is(json_object_get(l, "state"), "proven"))
			continue;
		if (json_object_set_new(l, "state", json_string("open")) ==
		    -1) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

/* "by process 1234 of user 1000", with what is known of it. */
static void
foreign_text(char *dst, size_t cap, const json_t *l)
{
	json_int_t uid, pid;
	bool has_uid = cli_field_number(&uid, json_object_get(l, "uid"));

	if (!has_uid)
		(void)snprintf(dst, cap, "port taken by another program");
	else if (cli_field_number(&pid, json_object_get(l, "pid")))
		(void)snprintf(dst, cap,
		    "port taken by process %lld of user %lld", (long long)pid,
		    (long long)uid);
	else
		(void)snprintf(dst, cap,
		    "port taken by a program of user %lld", (long long)uid);
}

void
cli_table_why(char *dst, size_t cap, const json_t *l)
{
	static const struct {
		const char *code, *text;
	} whys[] = {
		{ "not-checked", "not checked yet" },
		{ "not-reported", "Tor does not report it" },
		{ "no-socket", "nothing listens there" },
		{ "flags", "Tor has it with other flags" },
		{ "no-address", "address not on this machine" },
		{ "stale-flags", "its flags may not be in force yet" },
		{ "refused", "Tor could not open it" },
		{ "socket-file", "its path is not the socket that listens" },
	};
	const json_t *why = json_object_get(l, "why");
	char code[CLI_TEXT_CAP];
	size_t i;

	if (cli_field_is(why, "foreign")) {
		foreign_text(dst, cap, l);
		return;
	}
	for (i = 0; i < sizeof whys / sizeof whys[0]; i++)
		if (cli_field_is(why, whys[i].code)) {
			cli_plain(dst, cap, whys[i].text);
			return;
		}
	cli_plain(dst, cap, cli_field_text(code, why));
}

static void
name_cell(char dst[CLI_TEXT_CAP], const json_t *l)
{
	char name[CLI_TEXT_CAP], app[CLI_TEXT_CAP];

	cli_field_text(name, json_object_get(l, "name"));
	cli_field_text(app, json_object_get(l, "app"));
	cli_plain(dst, CLI_TEXT_CAP, name);
	if (app[0] == '\0' || strcmp(name, app) == 0 ||
	    strlen(name) + strlen(app) + sizeof " ()" - 1 > NAME_WIDTH)
		return;
	(void)snprintf(dst, CLI_TEXT_CAP, "%.*s (%.*s)", NAME_WIDTH, name,
	    NAME_WIDTH, app);
}

static void
owner_cell(char dst[CLI_TEXT_CAP], const json_t *l)
{
	json_int_t uid, pid;

	cli_plain(dst, CLI_TEXT_CAP, "-");
	if (!cli_field_number(&uid, json_object_get(l, "uid")))
		return;
	if (cli_field_number(&pid, json_object_get(l, "pid")))
		(void)snprintf(dst, CLI_TEXT_CAP, "uid %lld pid %lld",
		    (long long)uid, (long long)pid);
	else
		(void)snprintf(dst, CLI_TEXT_CAP, "uid %lld",
		    (long long)uid);
}

static void
flags_cell(char dst[CLI_TEXT_CAP], const json_t *l)
{
	static const char doubt[] = " (in doubt)";
	size_t n;

	cli_field_text(dst, json_object_get(l, "flags"));
	if (dst[0] == '\0')
		cli_plain(dst, CLI_TEXT_CAP, "-");
	n = strlen(dst);
	if (json_is_true(json_object_get(l, "flags_sure")))
		return;
	/* The doubt is told, whatever else is cut for it. */
	if (n > CLI_TEXT_CAP - sizeof doubt)
		n = CLI_TEXT_CAP - sizeof doubt;
	memcpy(dst + n, doubt, sizeof doubt);
}

static void
make_row(struct row *r, const json_t *l)
{
	name_cell(r->cell[COL_NAME], l);
	cli_field_text(r->cell[COL_KIND], json_object_get(l, "kind"));
	cli_field_text(r->cell[COL_ADDRESS], json_object_get(l, "address"));
	cli_field_text(r->cell[COL_STATE], json_object_get(l, "state"));
	owner_cell(r->cell[COL_OWNER], l);
	flags_cell(r->cell[COL_FLAGS], l);
}

static void
print_row(FILE *out, const struct row *r, const int width[NCOL])
{
	unsigned col;

	for (col = 0; col < COL_FLAGS; col++)
		fprintf(out, "%-*s" GAP, width[col], r->cell[col]);
	fprintf(out, "%s\n", r->cell[COL_FLAGS]);
}

static void
print_why(FILE *out, const json_t *l)
{
	char why[CLI_TEXT_CAP];

	cli_table_why(why, sizeof why, l);
	if (why[0] != '\0')
		fprintf(out, "    %s\n", why);
}

void
cli_table_print(FILE *out, const json_t *table)
{
	int width[NCOL] = { 0 }, n;
	struct row head, r;
	unsigned col;
	size_t i;

	for (col = 0; col < NCOL; col++) {
		cli_plain(head.cell[col], CLI_TEXT_CAP, titles[col]);
		width[col] = (int)strlen(titles[col]);
	}
	for (i = 0; i < json_array_size(table); i++) {
		make_row(&r, json_array_get(table, i));
		for (col = 0; col < NCOL; col++) {
			n = (int)strlen(r.cell[col]);
			width[col] = n > width[col] ? n : width[col];
		}
	}
	print_row(out, &head, width);
	for (i = 0; i < json_array_size(table); i++) {
		make_row(&r, json_array_get(table, i));
		print_row(out, &r, width);
		print_why(out, json_array_get(table, i));
	}
}
