/*
 * A snapshot and a page of the table, both good at first and then altered
 * octet by octet, as an engine could send them.  Oracle: whatever comes, the
 * line is printable JSON; nothing in it or in what portcullis(1) makes of it
 * is open unless the gate's position is known to be; and no more of it than
 * the engine and the gate both say.
 */
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "supervisor/cli/format.h"
#include "supervisor/cli/table.h"
#include "supervisor/status/encode.h"
#include "supervisor/status/listeners.h"
#include "tests/unit/status_sample.h"

#define TOTAL 12 /* one page, so that it may become complete */
#define TICK_NS 50000000u
#define MAX_STEPS 64 /* each may cost a line */

enum step { ALTER_SNAPSHOT = 0, ALTER_PAGE, TAKE_SNAPSHOT, TAKE_PAGE, RELINK,
	WAIT, NSTEP };

struct input {
	const uint8_t *at;
	size_t left;
};

struct rig {
	struct status_view view;
	struct snapshot snap;
	struct snap_page page;
	uint64_t now_ns;
};

static unsigned
octet(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static void
alter(struct input *in, void *object, size_t size)
{
	size_t at = octet(in);

	at = (at << 8 | octet(in)) % size;
	((unsigned char *)object)[at] = (unsigned char)octet(in);
}

static void
check_text(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		FUZZ_ASSERT(text[i] == '\n' ||
		    (text[i] >= 0x20 && text[i] <= 0x7e));
}

/* As for status.sock, with the table if there is one. */
static json_t *
make_line(const struct rig *r, bool sure)
{
	struct status_stamp st = { .now_ns = r->now_ns, .table = true };
	char *text, *table;
	json_t *line, *all;
	size_t len;

	text = status_encode(&r->view, &st, &len);
	FUZZ_ASSERT(text != NULL && len == strlen(text));
	FUZZ_ASSERT(strncmp(text + status_encode_slot(text, STATUS_P_TABLE),
	    "null", STATUS_NULL_LEN) == 0);
	check_text(text, len);
	line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	FUZZ_ASSERT(line != NULL);
	if (!status_table_complete(&r->view.table))
		return line;
	table = status_listeners_table(&r->view.table, sure, &len);
	FUZZ_ASSERT(table != NULL && len == strlen(table));
	check_text(table, len);
	all = json_loads(table, JSON_REJECT_DUPLICATES, NULL);
	free(table);
	FUZZ_ASSERT(json_is_array(all) &&
	    json_array_size(all) == r->view.table.total);
	FUZZ_ASSERT(json_object_set_new(json_object_get(line, "listeners"),
	    "table", all) == 0);
	return line;
}

static void
check_printing(const json_t *line)
{
	char *text = NULL;
	FILE *out;
	size_t len;

	out = open_memstream(&text, &len);
	FUZZ_ASSERT(out != NULL);
	cli_format_status(out, line, false);
	(void)cli_format_listeners(out, line); /* false: it has no table */
	FUZZ_ASSERT(fclose(out) == 0);
	check_text(text, len);
	free(text);
}

/* What is known has come lately, from the engine and before it the gate. */
static void
check_fresh(const struct rig *r)
{
	const struct gate_report *gate = &r->view.snap.gate;

	FUZZ_ASSERT(r->view.linked && r->view.have && !r->view.bad);
	FUZZ_ASSERT(r->view.taken_ns <= r->now_ns &&
	    r->now_ns - r->view.taken_ns <= STATUS_SNAP_MAX_NS);
	FUZZ_ASSERT(gate->known == 1 && gate->at_ns <= r->now_ns &&
	    r->now_ns - gate->at_ns <= STATUS_GATE_MAX_NS);
}

/* How many are open, as portcullis(1) tells it. */
static json_int_t
count_open(const json_t *line)
{
	json_t *table = cli_table_new(line);
	const char *state;
	json_int_t n = 0;
	size_t i;

	for (i = 0; i < json_array_size(table); i++) {
		state = json_string_value(json_object_get(
		    json_array_get(table, i), "state"));
		FUZZ_ASSERT(state != NULL);
		n += strcmp(state, "open") == 0;
	}
	json_decref(table);
	return n;
}

static void
check(const struct rig *r)
{
	const struct gate_report *gate = &r->view.snap.gate;
	bool known = status_view_doubt(&r->view, r->now_ns) == STATUS_SURE;
	bool sure = status_view_engine_ok(&r->view, r->now_ns);
	json_t *line = make_line(r, sure), *open;
	json_int_t n = count_open(line);

	if (known)
		check_fresh(r);
	open = json_object_get(json_object_get(line, "listeners"), "open");
	if (!known) {
		FUZZ_ASSERT(json_is_null(open) && n == 0);
		FUZZ_ASSERT(cli_verdict(line) == CLI_UNKNOWN);
	} else if (gate->position != GATE_OPEN) {
		FUZZ_ASSERT(json_is_integer(open) && n == 0);
		FUZZ_ASSERT(json_integer_value(open) == 0);
		FUZZ_ASSERT(cli_verdict(line) == CLI_FAILED);
	} else {
		FUZZ_ASSERT(cli_verdict(line) == CLI_OK);
		FUZZ_ASSERT(n == r->view.table.gated ||
		    !status_table_complete(&r->view.table));
		FUZZ_ASSERT(json_integer_value(open) <= n);
		FUZZ_ASSERT(json_integer_value(open) <= gate->nproven);
	}
	check_printing(line);
	json_decref(line);
}

static void
step(struct rig *r, struct input *in, enum step what)
{
	switch (what) {
	case ALTER_SNAPSHOT:
		alter(in, &r->snap, sizeof r->snap);
		return;
	case ALTER_PAGE:
		alter(in, &r->page, sizeof r->page);
		return;
	case TAKE_SNAPSHOT:
		if (!status_view_take(&r->view, &r->snap, sizeof r->snap,
			r->now_ns))
			status_view_bad(&r->view);
		break;
	case TAKE_PAGE:
		if (!status_view_page(&r->view, &r->page, sizeof r->page))
			status_view_bad(&r->view);
		break;
	case RELINK:
		status_view_link(&r->view, true);
		break;
	case WAIT:
		r->now_ns += (uint64_t)octet(in) * TICK_NS;
		break;
	case NSTEP:
		break;
	}
	check(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	static struct rig r;
	unsigned n;

	sample_view(&r.view);
	sample_snapshot(&r.snap);
	sample_page(&r.page, TOTAL, 0, TOTAL);
	r.now_ns = SAMPLE_NOW;
	for (n = 0; n < MAX_STEPS && in.left > 0; n++)
		step(&r, &in, (enum step)(octet(&in) % NSTEP));
	status_view_clear(&r.view);
	return 0;
}
