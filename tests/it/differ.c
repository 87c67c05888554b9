#include "config.h"

#include "tests/it/differ.h"

#include <check.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/gate/nft_compile.h"

#define COMMAND_LEN 256

static FILE *
run(const char *command, const char *mode)
{
	FILE *f = popen(command, mode);

	ck_assert_msg(f != NULL, "cannot run %s", command);
	return f;
}

bool
differ_enter(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNET) == 0 &&
	    system("nft list ruleset >/dev/null 2>&1") == 0;
}

void
differ_interface(const char *name)
{
	char command[COMMAND_LEN];

	(void)snprintf(command, sizeof command,
	    "ip link show %s >/dev/null 2>&1 || "
	    "ip link add %s type veth peer name p%.13s", name, name, name);
	ck_assert_int_eq(system(command), 0);
}

static bool
send_table(const struct pol_table *t)
{
	const size_t cap = nft_compile_bound(t) + 2 * NFT_MSG_ROOM;
	struct nft_sock s;
	struct nft_batch b;
	uint8_t *buf = malloc(cap);
	bool ok;

	ck_assert_ptr_nonnull(buf);
	ck_assert_int_eq(nft_sock_open(&s, 0), 0);
	ck_assert_int_eq(nft_sock_buffers(&s, cap, cap), 0);
	nft_batch_begin(&b, buf, cap);
	ok = nft_compile_replace(&b, t, 0) == 0;
	ck_assert_msg(!b.full, "nft_compile_bound() is too small");
	nft_batch_end(&b);
	ok = ok && nft_commit(&s, &b) == 0;
	nft_sock_close(&s);
	free(buf);
	return ok;
}

static void
load_text(const char *text)
{
	FILE *f = run("nft -f -", "w");

	ck_assert(fputs(text, f) != EOF);
	if (pclose(f) == 0)
		return;
	(void)fputs(text, stderr); /* too long for Check */
	ck_abort_msg("nft does not take it");
}

/* Elements that are not the table's own: leases, proofs, relays. */
static bool
has_passing_elements(const char *set)
{
	static const enum pol_set_id passing[] = { POL_S_GATE, POL_S_EGRESS,
		POL_S_SYNC, POL_S_PROVEN4, POL_S_PROVEN6, POL_S_TARGET4,
		POL_S_TARGET6, POL_S_RELAYS4_A, POL_S_RELAYS6_A,
		POL_S_RELAYS4_B, POL_S_RELAYS6_B };

	for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
		if (strcmp(set, pol_set_name(passing[i])) == 0)
			return true;
	return false;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The elements as text, sorted. */
static json_t *
sorted(const json_t *elems)
{
	const size_t n = json_array_size(elems);
	char **texts = calloc(n + 1, sizeof *texts);
	json_t *out = json_array();

	ck_assert(texts != NULL && out != NULL);
	for (size_t i = 0; i < n; i++) {
		texts[i] = json_dumps(json_array_get(elems, i),
		    JSON_SORT_KEYS | JSON_ENCODE_ANY);
		ck_assert_ptr_nonnull(texts[i]);
	}
	qsort(texts, n, sizeof *texts, by_text);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(json_array_append_new(out,
		    json_string(texts[i])), 0);
		free(texts[i]);
	}
	free(texts);
	return out;
}

static void
normalise_set(json_t *set)
{
	const json_t *elems = json_object_get(set, "elem");
	const char *name = json_string_value(json_object_get(set, "name"));

	ck_assert_ptr_nonnull(name);
	if (has_passing_elements(name))
		(void)json_object_del(set, "elem");
	else if (elems != NULL)
		ck_assert_int_eq(json_object_set_new(set, "elem",
		    sorted(elems)), 0);
}

static void
normalise_rule(json_t *rule)
{
	json_t *stmt;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, stmt)
		if (json_object_get(stmt, "counter") != NULL)
			ck_assert_int_eq(json_object_set_new(stmt, "counter",
			    json_true()), 0);
}

static json_t *
normalise(json_t *listing)
{
	json_t *all = json_object_get(listing, "nftables"), *item, *value;
	const char *kind;
	size_t i;

	ck_assert_uint_gt(json_array_size(all), 1);
	json_array_foreach(all, i, item)
		json_object_foreach(item, kind, value) {
			(void)json_object_del(value, "handle");
			if (strcmp(kind, "set") == 0 ||
			    strcmp(kind, "map") == 0)
				normalise_set(value);
			else if (strcmp(kind, "rule") == 0)
				normalise_rule(value);
		}
	return listing;
}

static const char *
family_name(const struct pol_table *t)
{
	return t->family == POL_F_NETDEV ? "netdev" : "inet";
}

static FILE *
run_list(const struct pol_table *t, const char *options)
{
	char command[COMMAND_LEN];

	(void)snprintf(command, sizeof command, "nft %s list table %s %s",
	    options, family_name(t), pol_table_name(t->id));
	return run(command, "r");
}

static json_t *
list_json(const struct pol_table *t)
{
	FILE *f = run_list(t, "-j");
	json_t *listing = json_loadf(f, 0, NULL);
	const bool ok = pclose(f) == 0 && listing != NULL;

	if (ok)
		return normalise(listing);
	json_decref(listing);
	return NULL;
}

/*
 * For people, and with times that JSON rounds to seconds; the elements are
 * compared as JSON.
 */
static char *
list_text(const struct pol_table *t)
{
	char *text = NULL, *line = NULL;
	size_t len = 0, room = 0;
	FILE *f = run_list(t, "-s"), *out = open_memstream(&text, &len);
	bool elements = false;

	ck_assert_ptr_nonnull(out);
	while (getline(&line, &room, f) != -1) {
		if (strstr(line, "elements = {") != NULL)
			elements = true;
		if (!elements)
			ck_assert(fputs(line, out) != EOF);
		else if (strchr(line, '}') != NULL)
			elements = false;
	}
	free(line);
	ck_assert_int_eq(fclose(out), 0);
	if (pclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* Either is NULL if nft cannot list it. */
struct differ_listing {
	json_t *json;
	char *text;
};

static void
list_table(struct differ_listing *l, const struct pol_table *t)
{
	l->json = list_json(t);
	l->text = list_text(t);
}

static void
clear(struct differ_listing *l)
{
	json_decref(l->json);
	free(l->text);
}

/* Objects of both listings that have no like at their place in the other. */
static void
tell_difference(const json_t *a, const json_t *b)
{
	const json_t *x = json_object_get(a, "nftables");
	const json_t *y = json_object_get(b, "nftables");
	const size_t nx = json_array_size(x), ny = json_array_size(y);

	for (size_t i = 0; i < nx || i < ny; i++) {
		json_t *one = json_array_get(x, i);
		json_t *two = json_array_get(y, i);

		if (one != NULL && two != NULL && json_equal(one, two))
			continue;
		(void)fputs("\nsent: ", stderr);
		if (one != NULL)
			(void)json_dumpf(one, stderr, JSON_SORT_KEYS);
		(void)fputs("\ntext: ", stderr);
		if (two != NULL)
			(void)json_dumpf(two, stderr, JSON_SORT_KEYS);
	}
	(void)fputs("\n", stderr);
}

struct differ_listing *
differ_load(const struct pol_table *t, const struct pol_policy *p,
    enum pol_position pos)
{
	struct differ_listing *l = calloc(1, sizeof *l);
	char *text = pol_table_print(t, p, pos);

	ck_assert(l != NULL && text != NULL);
	load_text(text);
	free(text);
	list_table(l, t);
	ck_assert(l->json != NULL && l->text != NULL);
	return l;
}

void
differ_free(struct differ_listing *l)
{
	clear(l);
	free(l);
}

bool
differ_same(const struct pol_table *t, const struct differ_listing *of_text,
    bool tell)
{
	struct differ_listing sent = { 0 };
	bool same;

	if (send_table(t))
		list_table(&sent, t);
	same = sent.json != NULL && sent.text != NULL &&
	    json_equal(sent.json, of_text->json) == 1 &&
	    strcmp(sent.text, of_text->text) == 0;
	if (!same && tell) {
		tell_difference(sent.json, of_text->json);
		(void)fprintf(stderr, "sent:\n%s\ntext:\n%s\n",
		    sent.text != NULL ? sent.text : "", of_text->text);
	}
	clear(&sent);
	return same;
}

bool
differ_reloads(const struct pol_table *t, const struct differ_listing *l)
{
	struct differ_listing again = { 0 };
	char *text = NULL;
	bool same;

	ck_assert_int_ne(asprintf(&text, "delete table %s %s\n%s",
	    family_name(t), pol_table_name(t->id), l->text), -1);
	load_text(text);
	free(text);
	list_table(&again, t);
	same = again.text != NULL && strcmp(again.text, l->text) == 0;
	clear(&again);
	return same;
}
