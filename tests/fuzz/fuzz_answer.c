/*
 * Octets from the network, where the resolver reads them: a DNS server's
 * answer, a transport's question, a proxy's reply.
 *
 * Oracle: an answer is an address of the policy's kind or a failure, within
 * the limits; a question that is let through is whole; a proxy's reply gets
 * the same verdict in one piece and octet by octet.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>

#include "supervisor/resolver/answer.h"
#include "supervisor/resolver/proxy.h"
#include "supervisor/resolver/question.h"

static void
read_answer(const uint8_t *data, size_t size, uint8_t how)
{
	const struct answer_bytes bytes = { data, size };
	const int family = (how & 1) != 0 ? AF_INET : AF_INET6;
	struct answer a, twice;

	answer_read(&a, "a.b", family, (how & 2) != 0, &bytes);
	FUZZ_ASSERT((a.state == NAME_OK) == (a.n != 0));
	FUZZ_ASSERT(a.n <= NAME_MAX_ADDRS);
	if (a.state != NAME_OK) {
		FUZZ_ASSERT(a.ttl_s == 0 && (a.state == NAME_EMPTY ||
		    a.state == NAME_BAD || a.state == NAME_PRIVATE));
		return;
	}
	FUZZ_ASSERT(a.ttl_s >= NAME_TTL_MIN_S && a.ttl_s <= NAME_TTL_MAX_S);
	for (uint32_t i = 0; i < a.n; i++)
		FUZZ_ASSERT(a.addr[i].family == family &&
		    answer_addr_ok(&a.addr[i], (how & 2) != 0));
	twice = a;
	answer_join(&twice, &a);
	FUZZ_ASSERT(memcmp(&twice, &a, sizeof a) == 0);
}

/* What judges a question has to agree with what c-ares can unpack. */
static void
read_question(const uint8_t *data, size_t size)
{
	if (!question_ok(data, size))
		return;
	FUZZ_ASSERT(size > QUESTION_HEADER + 4 && size <= QUESTION_MAX);
	for (size_t n = 0; n < QUESTION_HEADER + 5; n++)
		FUZZ_ASSERT(!question_ok(data, n));
}

/* Send what is to be sent, hear AT MOST octets at a time. */
static enum name_verdict
converse(const struct name_tryout *ask, const uint8_t *data, size_t size,
    size_t most)
{
	unsigned char in[PROXY_IN_MAX];
	enum name_verdict v;
	size_t have = 0, used, n;
	struct proxy p;
	uint32_t code;

	v = proxy_start(&p, ask);
	while (v == NAME_V_NONE && (size > 0 || have > 0)) {
		FUZZ_ASSERT(p.len <= PROXY_OUT_MAX);
		n = size < most ? size : most;
		if (n > sizeof in - have)
			n = sizeof in - have;
		memcpy(in + have, data, n);
		have += n;
		data += n;
		size -= n;
		v = proxy_in(&p, in, have, &used, &code);
		FUZZ_ASSERT(used <= have);
		memmove(in, in + used, have - used);
		have -= used;
		if (n == 0 && used == 0)
			break;
	}
	if (v == NAME_V_OK && ask->kind != NAME_TRY_TCP)
		FUZZ_ASSERT(code == 0 || code == 90 ||
		    (code >= 200 && code < 300));
	proxy_clear(&p);
	return v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name_tryout ask = { .id = 1, .target_port = 443 };

	if (size < 1)
		return 0;
	read_answer(data + 1, size - 1, data[0]);
	read_question(data + 1, size - 1);
	ask.kind = data[0] / 4 % NAME_NTRY;
	ask.target.family = (data[0] & 1) != 0 ? AF_INET : AF_INET6;
	ask.has_auth = data[0] / 16 % 2;
	FUZZ_ASSERT(converse(&ask, data + 1, size - 1, PROXY_IN_MAX) ==
	    converse(&ask, data + 1, size - 1, 1));
	return 0;
}
