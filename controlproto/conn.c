#include "controlproto/conn.h"

#include <stdlib.h>

#include "controlproto/reader.h"
#include "controlproto/reply_priv.h"

#define NO_TAG (-1)

struct cp_conn {
	struct cp_reader *reader;
	enum cp_err err;
	bool busy;
	bool raised; /* the reader's limits are the answer's */
	const struct cp_limits *usual;
	int tag; /* these three while busy only */
	uint64_t deadline;
	uint64_t sent_at; /* octets that Tor had sent when the command went */
};

struct cp_conn *
cp_conn_new(void)
{
	struct cp_conn *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->usual = &cp_limits_unauth;
	c->reader = cp_reader_new();
	if (c->reader == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
cp_conn_free(struct cp_conn *c)
{
	if (c == NULL)
		return;
	cp_reader_free(c->reader);
	free(c);
}

void
cp_conn_authenticated(struct cp_conn *c)
{
	c->usual = &cp_limits_auth;
	if (!c->raised)
		cp_reader_limits(c->reader, c->usual);
}

void
cp_conn_expect(struct cp_conn *c, const struct cp_limits *limits)
{
	if (!c->busy)
		return;
	cp_reader_limits(c->reader, limits);
	c->raised = true;
}

enum cp_err
cp_conn_sent(struct cp_conn *c, const struct cp_cmd *cmd, int tag,
    uint64_t now_ms, uint32_t limit_ms)
{
	if (c->err != CP_OK)
		return c->err;
	if (c->busy)
		return CP_ERR_BUSY;
	if (cmd->line == NULL || cmd->len == 0 || tag < 0)
		return CP_ERR_ARG;
	c->busy = true;
	c->tag = tag;
	c->deadline = UINT64_MAX;
	if (limit_ms < UINT64_MAX - now_ms)
		c->deadline = now_ms + limit_ms;
	if (c->deadline == 0)
		c->deadline = 1; /* 0 says that there is none */
	c->sent_at = cp_reader_fed(c->reader);
	return CP_OK;
}

bool
cp_conn_busy(const struct cp_conn *c)
{
	return c->busy;
}

uint64_t
cp_conn_deadline(const struct cp_conn *c)
{
	return c->busy ? c->deadline : 0;
}

enum cp_err
cp_conn_tick(struct cp_conn *c, uint64_t now_ms)
{
	if (c->err == CP_OK && c->busy && now_ms >= c->deadline)
		c->err = CP_ERR_TIMEOUT;
	return c->err;
}

enum cp_err
cp_conn_feed(struct cp_conn *c, const void *p, size_t n)
{
	if (c->err == CP_OK)
		c->err = cp_reader_feed(c->reader, p, n);
	return c->err;
}

/*
 * An answer cannot begin before its question was asked.  One that does is a
 * second answer to the last question; taken for this one's it would shift
 * every later reply by one.
 */
static bool
answers(const struct cp_conn *c, const struct cp_reply *reply)
{
	return c->busy && reply->start >= c->sent_at;
}

enum cp_err
cp_conn_next(struct cp_conn *c, struct cp_reply **out, int *tag)
{
	*out = NULL;
	*tag = NO_TAG;
	if (c->err != CP_OK)
		return c->err;
	c->err = cp_reader_next(c->reader, out);
	if (c->err != CP_OK || *out == NULL || cp_reply_is_async(*out))
		return c->err;
	if (!answers(c, *out)) {
		cp_reply_free(*out);
		*out = NULL;
		c->err = CP_ERR_UNSOLICITED;
		return c->err;
	}
	*tag = c->tag;
	c->busy = false;
	if (c->raised)
		cp_reader_limits(c->reader, c->usual);
	c->raised = false;
	return CP_OK;
}
