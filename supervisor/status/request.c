#include "supervisor/status/request.h"

#include <stdlib.h>
#include <string.h>

/*
 * The parser recurses: bound the depth before it sees the line.  Quotes and
 * escapes are followed only to skip strings; what is malformed is found by
 * the parser.
 */
static bool
is_shallow(const char *line, size_t n)
{
	bool quoted = false;
	size_t i, depth = 0;

	for (i = 0; i < n; i++) {
		if (quoted && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			quoted = !quoted;
		else if (!quoted && (line[i] == '{' || line[i] == '['))
			depth++;
		else if (!quoted && (line[i] == '}' || line[i] == ']'))
			depth -= depth > 0;
		if (depth > STATUS_REQ_DEPTH)
			return false;
	}
	return true;
}

static enum snap_verb_code
verb_of(const json_t *cmd)
{
	const char *name = json_string_value(cmd);
	unsigned code;

	if (name == NULL)
		return SNAP_V_NONE;
	for (code = SNAP_V_NONE + 1; code < SNAP_NVERB; code++)
		if (strcmp(name, snap_verb_name((enum snap_verb_code)code)) ==
		    0)
			return (enum snap_verb_code)code;
	return SNAP_V_NONE;
}

/* Everything about the object, so that a misspelt key is not ignored. */
static const char *
read_object(struct status_request *req, json_t *obj)
{
	json_t *id = json_object_get(obj, "id");
	size_t known = 1;

	if (json_object_get(obj, "cmd") == NULL)
		return "The request has no \"cmd\".";
	req->code = verb_of(json_object_get(obj, "cmd"));
	if (req->code == SNAP_V_NONE)
		return "\"cmd\" is not one of hold, release, newnym, reprove, "
		    "check-isolation, names, apply.";
	if (id != NULL) {
		known++;
		if (json_dumpb(id, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT) >
		    STATUS_REQ_ID)
			return "\"id\" is longer than 256 octets.";
	}
	/* What else "apply" may have, status_change_read() knows. */
	if (req->code == SNAP_V_APPLY)
		req->change = json_incref(obj);
	else if (json_object_size(obj) != known)
		return "The request has a key other than \"cmd\" and \"id\".";
	req->id = json_incref(id);
	return NULL;
}

const char *
status_request_parse(struct status_request *req, const char *line, size_t n)
{
	const char *error;
	json_t *obj;

	req->code = SNAP_V_NONE;
	req->id = req->change = NULL;
	if (n > STATUS_REQ_LINE)
		return STATUS_REQ_TOO_LONG;
	if (!is_shallow(line, n))
		return "The request is nested too deeply.";
	obj = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	if (obj == NULL)
		return "The request is not valid JSON.";
	error = json_is_object(obj) ? read_object(req, obj) :
	    "The request is not a JSON object.";
	json_decref(obj);
	if (error != NULL)
		req->code = SNAP_V_NONE;
	return error;
}

void
status_request_clear(struct status_request *req)
{
	json_decref(req->id);
	json_decref(req->change);
	req->id = req->change = NULL;
	req->code = SNAP_V_NONE;
}

static json_t *
answer_object(const struct status_answer *a)
{
	bool ok = a->ok && a->kind != STATUS_ANSWER_REFUSED;
	bool good = ok || a->kind == STATUS_ANSWER_MORE;
	json_t *obj = json_pack("{s:b,s:s}", "ok", (int)ok,
	    good ? "text" : "error", a->sentence);
	int rc = 0;

	if (a->id != NULL)
		rc |= json_object_set(obj, "id", a->id);
	if (a->kind == STATUS_ANSWER_MORE)
		rc |= json_object_set_new(obj, "more", json_true());
	if (a->kind == STATUS_ANSWER_REFUSED)
		rc |= json_object_set_new(obj, "refused", json_true());
	if (rc == 0)
		return obj;
	json_decref(obj);
	return NULL;
}

char *
status_answer_line(const struct status_answer *a, size_t *len)
{
	json_t *obj = answer_object(a);
	char *text = json_dumps(obj, JSON_COMPACT | JSON_ENSURE_ASCII);
	char *line;
	size_t n;

	json_decref(obj);
	if (text == NULL)
		return NULL;
	n = strlen(text);
	line = realloc(text, n + 2);
	if (line == NULL) {
		free(text);
		return NULL;
	}
	line[n] = '\n';
	line[n + 1] = '\0';
	*len = n + 1;
	return line;
}
