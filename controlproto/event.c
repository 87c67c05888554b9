#include "controlproto/event.h"

#include <stdio.h>
#include <string.h>

#include "controlproto/lex.h"
#include "controlproto/reply.h"

#define ASYNC_CODE 650
#define STATUS_MAX 32 /* the longest of today, CONTROLLER_WAIT, has 15 */

static enum cp_severity
severity_of(struct cp_str word)
{
	static const char *const names[] = {
		[CP_SEV_DEBUG] = "DEBUG",
		[CP_SEV_INFO] = "INFO",
		[CP_SEV_NOTICE] = "NOTICE",
		[CP_SEV_WARN] = "WARN",
		[CP_SEV_ERR] = "ERR",
	};
	size_t i;

	for (i = CP_SEV_DEBUG; i < sizeof names / sizeof *names; i++) {
		if (cp_str_is(word, names[i]))
			return (enum cp_severity)i;
	}
	return CP_SEV_UNKNOWN;
}

/* "KEY=value" with this KEY: *OUT is the value. */
static bool
field_is(struct cp_str *out, struct cp_str field, const char *key)
{
	*out = field;
	return cp_lex_prefix(out, key) && cp_lex_prefix(out, "=");
}

bool
cp_kv_find(struct cp_str *out, struct cp_str line, const char *key, bool *cut)
{
	struct cp_str value;
	bool in_quotes = false, found = false;

	out->p = line.p;
	out->n = 0;
	while (line.n > 0) {
		struct cp_str field = cp_lex_field(&line, &in_quotes);

		/* The first counts: what users' programs send is last. */
		if (!found && field_is(&value, field, key)) {
			*out = value;
			found = true;
		}
	}
	if (cut != NULL)
		*cut = in_quotes;
	return found;
}

/* The value without its outer quotes; what is inside stays as it is. */
static struct cp_str
kv_bare(struct cp_str line, const char *key)
{
	struct cp_str value;
	bool cut, is_last;

	if (!cp_kv_find(&value, line, key, &cut) ||
	    !cp_lex_prefix(&value, "\""))
		return value;
	is_last = value.p + value.n == line.p + line.n;
	if (value.n > 0 && !(cut && is_last))
		value.n--;
	return value;
}

/* A decimal number up to MAX; false when it is anything else. */
static bool
read_number(uint64_t *out, struct cp_str s, uint64_t max)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

		if (digit > 9 || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return s.n > 0;
}

/* LINE: the keywords behind "BOOTSTRAP". */
static void
read_bootstrap(struct cp_bootstrap *out, struct cp_str line)
{
	struct cp_str value;
	uint64_t progress;

	if (read_number(&progress, kv_bare(line, "PROGRESS"), 100))
		out->progress = (int)progress;
	if (!read_number(&out->count, kv_bare(line, "COUNT"), UINT64_MAX))
		out->count = 0;
	out->tag = kv_bare(line, "TAG");
	out->summary = kv_bare(line, "SUMMARY");
	out->warning = kv_bare(line, "WARNING");
	out->reason = kv_bare(line, "REASON");
	out->warn = cp_kv_find(&value, line, "RECOMMENDATION", &out->cut) &&
	    cp_str_is(value, "warn");
}

bool
cp_bootstrap_parse(struct cp_bootstrap *out, struct cp_str line)
{
	memset(out, 0, sizeof *out);
	out->progress = -1;
	out->severity = severity_of(cp_lex_word(&line));
	if (!cp_str_is(cp_lex_word(&line), "BOOTSTRAP"))
		return false;
	read_bootstrap(out, line);
	return true;
}

/* Appends; DST is full of LEN octets already. */
static size_t
show_more(char *dst, size_t cap, size_t len, struct cp_str more)
{
	cp_str_show(dst + len, cap - len, more);
	return len + strlen(dst + len);
}

void
cp_bootstrap_show(char *dst, size_t cap, const struct cp_bootstrap *boot)
{
	char progress[8] = "?";
	size_t len;

	if (boot->progress >= 0)
		(void)snprintf(progress, sizeof progress, "%d",
		    boot->progress % 1000);
	len = show_more(dst, cap, 0, cp_str_of(progress));
	len = show_more(dst, cap, len, cp_str_of("% "));
	len = show_more(dst, cap, len, boot->summary);
	if (!boot->warn || boot->warning.n == 0)
		return;
	len = show_more(dst, cap, len, cp_str_of(": "));
	(void)show_more(dst, cap, len, boot->warning);
}

struct status_name {
	const char *action;
	enum cp_event_kind kind;
};

static const struct status_name client_actions[] = {
	{ "BOOTSTRAP", CP_EV_BOOTSTRAP },
	{ "CIRCUIT_ESTABLISHED", CP_EV_CIRCUIT_ESTABLISHED },
	{ "CIRCUIT_NOT_ESTABLISHED", CP_EV_CIRCUIT_NOT_ESTABLISHED },
	{ "ENOUGH_DIR_INFO", CP_EV_ENOUGH_DIR_INFO },
	{ "NOT_ENOUGH_DIR_INFO", CP_EV_NOT_ENOUGH_DIR_INFO },
	{ NULL, CP_EV_STATUS },
};

static const struct status_name general_actions[] = {
	{ "CLOCK_JUMPED", CP_EV_CLOCK_JUMPED },
	{ "CLOCK_SKEW", CP_EV_CLOCK_SKEW },
	{ NULL, CP_EV_STATUS },
};

static const struct status_name server_actions[] = {
	{ NULL, CP_EV_STATUS },
};

/* KNOWN ends with the kind of all others. */
static enum cp_event_kind
status_kind(const struct status_name *known, struct cp_str action)
{
	while (known->action != NULL && !cp_str_is(action, known->action))
		known++;
	return known->kind;
}

/* "SEVERITY ACTION keywords" */
static void
read_status(
    struct cp_event *out, const struct status_name *known, struct cp_str rest)
{
	out->severity = severity_of(cp_lex_word(&rest));
	out->action = cp_lex_word(&rest);
	out->text = rest;
	if (out->action.n == 0)
		return;
	out->kind = status_kind(known, out->action);
	if (out->kind == CP_EV_BOOTSTRAP) {
		out->boot.severity = out->severity;
		read_bootstrap(&out->boot, rest);
	}
}

static void
read_client(struct cp_event *out, struct cp_str rest)
{
	read_status(out, client_actions, rest);
}

static void
read_general(struct cp_event *out, struct cp_str rest)
{
	read_status(out, general_actions, rest);
}

static void
read_server(struct cp_event *out, struct cp_str rest)
{
	read_status(out, server_actions, rest);
}

static void
read_conf_changed(struct cp_event *out, struct cp_str rest)
{
	out->kind = CP_EV_CONF_CHANGED;
	out->text = rest;
}

static void
read_signal(struct cp_event *out, struct cp_str rest)
{
	out->action = cp_lex_word(&rest);
	out->text = rest;
	if (out->action.n > 0)
		out->kind = CP_EV_SIGNAL;
}

static void
read_liveness(struct cp_event *out, struct cp_str rest)
{
	out->action = cp_lex_word(&rest);
	out->text = rest;
	if (cp_str_is(out->action, "UP") || cp_str_is(out->action, "DOWN"))
		out->kind = CP_EV_LIVENESS;
}

/* "client NAME ADDRESS PORT": ACTION is the side, TEXT all of it. */
static void
read_transport(struct cp_event *out, struct cp_str rest)
{
	out->text = rest;
	out->action = cp_lex_word(&rest);
	if (out->action.n > 0)
		out->kind = CP_EV_TRANSPORT_LAUNCHED;
}

static void
read_log(struct cp_event *out, struct cp_str rest)
{
	out->kind = CP_EV_LOG;
	out->text = rest;
}

static bool
is_number(struct cp_str s)
{
	uint64_t value;

	return read_number(&value, s, UINT64_MAX);
}

/* Take FIELD if it has one of our keywords; false: for the second time. */
static bool
take_stream_field(struct cp_stream *st, struct cp_str field)
{
	const struct {
		const char *key;
		struct cp_str *value;
	} known[] = {
		{ "SOURCE_ADDR", &st->source },
		{ "CLIENT_PROTOCOL", &st->protocol },
		{ "SESSION_GROUP", &st->group },
		{ "ISO_FIELDS", &st->fields },
	};
	struct cp_str value;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!field_is(&value, field, known[i].key))
			continue;
		if (known[i].value->p != NULL)
			return false;
		*known[i].value = value;
		return true;
	}
	return true;
}

/* "ID STATUS CIRCUIT TARGET keywords" */
static void
read_stream(struct cp_event *out, struct cp_str rest)
{
	struct cp_stream st = { 0 };
	struct cp_str status;
	bool cut = false;

	st.id = cp_lex_word(&rest);
	status = cp_lex_word(&rest);
	st.circuit = cp_lex_word(&rest);
	st.target = cp_lex_word(&rest);
	if (!is_number(st.id) || status.n == 0 || !is_number(st.circuit) ||
	    st.target.n == 0)
		return;
	out->text = rest;
	while (rest.n > 0) {
		if (!take_stream_field(&st, cp_lex_field(&rest, &cut)))
			return;
	}
	if (cut)
		return;
	out->kind = CP_EV_STREAM;
	out->action = status;
	out->stream = st;
}

/* A word of capitals, not longer than any that Tor may ever have. */
static bool
is_status(struct cp_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] < 'A' || s.p[i] > 'Z') && s.p[i] != '_')
			return false;
	}
	return s.n > 0 && s.n <= STATUS_MAX;
}

int
cp_streams_next(uint64_t *id, struct cp_str *status, struct cp_str *rest)
{
	struct cp_str after = *rest, line = cp_lex_until(&after, '\n');

	if (rest->n == 0)
		return 0;
	if (!read_number(id, cp_lex_word(&line), UINT64_MAX))
		return -1;
	*status = cp_lex_word(&line);
	/* The target, which is last, may be anything but nothing. */
	if (!is_status(*status) || !is_number(cp_lex_word(&line)) ||
	    line.n == 0)
		return -1;
	*rest = after;
	return 1;
}

/* One reader for each family of events; REST is what follows the name. */
static const struct {
	const char *name;
	void (*read)(struct cp_event *out, struct cp_str rest);
} readers[] = {
	{ "STATUS_CLIENT", read_client },
	{ "STATUS_GENERAL", read_general },
	{ "STATUS_SERVER", read_server },
	{ "STATUS_SEVER", read_server }, /* the spec's old spelling */
	{ "CONF_CHANGED", read_conf_changed },
	{ "SIGNAL", read_signal },
	{ "NETWORK_LIVENESS", read_liveness },
	{ "TRANSPORT_LAUNCHED", read_transport },
	{ "STREAM", read_stream },
	{ "DEBUG", read_log },
	{ "INFO", read_log },
	{ "NOTICE", read_log },
	{ "WARN", read_log },
	{ "ERR", read_log },
};

void
cp_event_parse(struct cp_event *out, const struct cp_reply *event)
{
	struct cp_str rest = cp_reply_text(event, 0), name, data;
	size_t i;

	memset(out, 0, sizeof *out);
	out->boot.progress = -1;
	if (cp_reply_code(event) != ASYNC_CODE)
		return;
	name = cp_lex_word(&rest);
	out->severity = severity_of(name); /* log events are named by it */
	/* "650+WARN": the text may come as data, says the spec. */
	if (rest.n == 0 && cp_reply_data(event, 0, &data))
		rest = data;
	for (i = 0; i < sizeof readers / sizeof *readers; i++) {
		if (cp_str_is(name, readers[i].name)) {
			readers[i].read(out, rest);
			return;
		}
	}
}
