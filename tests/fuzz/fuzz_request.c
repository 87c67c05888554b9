/*
 * Any octets as a line from control.sock.  Oracle: either a verb that goes
 * up as a valid message, with an id within bounds that survives the way back,
 * or a sentence and nothing else.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "supervisor/status/request.h"

static void
check_verb(const struct status_request *req)
{
	struct snap_verb v = { .magic = SNAP_VERB_MAGIC, .code = req->code };
	struct status_answer last = { .kind = STATUS_ANSWER_LAST, .ok = true,
		.id = req->id, .sentence = "Done." };
	json_t *answer, *id;
	char *line;
	size_t len;

	FUZZ_ASSERT(snap_verb_ok(&v));
	line = status_answer_line(&last, &len);
	FUZZ_ASSERT(line != NULL && len == strlen(line));
	FUZZ_ASSERT(memchr(line, '\n', len) == line + len - 1);
	answer = json_loadb(line, len, 0, NULL);
	id = json_object_get(answer, "id");
	FUZZ_ASSERT(answer != NULL && (req->id == NULL) == (id == NULL));
	FUZZ_ASSERT(req->id == NULL || json_is_real(req->id) ||
	    json_is_array(req->id) || json_is_object(req->id) ||
	    json_equal(req->id, id));
	json_decref(answer);
	free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status_request req;
	const char *error;

	error = status_request_parse(&req, (const char *)data, size);
	if (error == NULL) {
		FUZZ_ASSERT(size <= STATUS_REQ_LINE);
		check_verb(&req);
	} else {
		FUZZ_ASSERT(error[strlen(error) - 1] == '.');
		FUZZ_ASSERT(req.code == SNAP_V_NONE && req.id == NULL);
	}
	status_request_clear(&req);
	return 0;
}
