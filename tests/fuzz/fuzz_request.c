/*
 * Any octets as a line from control.sock.  Oracle: either a verb that goes
 * up as a valid message, with an id within bounds that survives the way back,
 * or a sentence and nothing else.  The same of a change: what goes up is what
 * the engine would take, and what does not leaves nothing behind.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "supervisor/status/change.h"
#include "supervisor/status/request.h"

/* obfs4 has a program; nobody has bridges of his own. */
static const struct pol_policy *
policy(void)
{
	static struct pol_policy p;

	if (p.ntransports > 0)
		return &p;
	pol_policy_init(&p);
	p.ntransports = 1;
	p.transports[0] = (struct pol_transport){ .name = "obfs4",
		.methods = { "obfs4" }, .nmethods = 1,
		.program = "/usr/bin/obfs4proxy" };
	return &p;
}

static void
check_change(const struct status_request *req)
{
	static const struct snap_change none;
	static struct snap_change c;
	char why[POL_UPLINK_WHY] = "";

	FUZZ_ASSERT(json_is_object(req->change));
	if (status_change_read(&c, why, policy(), req->change)) {
		c.magic = SNAP_CHANGE_MAGIC;
		c.id = 1;
		FUZZ_ASSERT(snap_change_ok(&c));
		FUZZ_ASSERT(pol_uplink_ok(&c.uplink, why, policy()));
		return;
	}
	FUZZ_ASSERT(why[0] != '\0' && strlen(why) < sizeof why);
	FUZZ_ASSERT(memcmp(&c, &none, sizeof c) == 0);
}

static void
check_verb(const struct status_request *req)
{
	struct snap_verb v = { .magic = SNAP_VERB_MAGIC, .code = req->code };

	if (req->code == SNAP_V_APPLY) {
		check_change(req);
		return;
	}
	FUZZ_ASSERT(req->change == NULL);
	FUZZ_ASSERT(snap_verb_ok(&v));
}

static void
check_answer(const struct status_request *req)
{
	struct status_answer last = { .kind = STATUS_ANSWER_LAST, .ok = true,
		.id = req->id, .sentence = "Done." };
	json_t *answer, *id;
	char *line;
	size_t len;

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
		check_answer(&req);
	} else {
		FUZZ_ASSERT(error[strlen(error) - 1] == '.');
		FUZZ_ASSERT(req.code == SNAP_V_NONE && req.id == NULL &&
		    req.change == NULL);
	}
	status_request_clear(&req);
	return 0;
}
