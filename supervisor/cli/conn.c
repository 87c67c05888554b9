#include "config.h" /* _GNU_SOURCE */

#include "supervisor/cli/conn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A full backlog of a Unix socket cannot be polled for: look again. */
#define RETRY_NS 20000000
/* For the first lines; most are much shorter. */
#define FIRST_CAP 65536

uint64_t
cli_now_ms(void)
{
	struct timespec ts;

	/* Cannot fail with this clock and pointer. */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static enum cli_io
wait_for(int fd, short events, uint64_t deadline_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	uint64_t now, left;
	int n;

	do {
		now = cli_now_ms();
		if (now >= deadline_ms)
			return CLI_IO_LATE;
		left = deadline_ms - now;
		n = poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return CLI_IO_GONE;
	return n == 0 ? CLI_IO_LATE : CLI_IO_OK;
}

static enum cli_io
try_connect(int fd, const struct sockaddr_un *sun, uint64_t deadline_ms)
{
	struct timespec nap = { .tv_nsec = RETRY_NS };

	while (connect(fd, (const struct sockaddr *)sun, sizeof *sun) == -1) {
		if (errno == EACCES || errno == EPERM)
			return CLI_IO_DENIED;
		if (errno != EAGAIN && errno != EINTR)
			return CLI_IO_GONE;
		if (cli_now_ms() >= deadline_ms)
			return CLI_IO_LATE;
		(void)nanosleep(&nap, NULL); /* shorter does no harm */
	}
	return CLI_IO_OK;
}

enum cli_io
cli_conn_open(struct cli_conn *c, const char *dir, const char *name,
    uint64_t deadline_ms)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	enum cli_io rc;
	int n;

	c->fd = -1;
	c->len = c->used = c->cap = 0;
	c->buf = NULL;
	n = snprintf(sun.sun_path, sizeof sun.sun_path, "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof sun.sun_path)
		return CLI_IO_GONE;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (c->fd == -1)
		return CLI_IO_GONE;
	rc = try_connect(c->fd, &sun, deadline_ms);
	if (rc != CLI_IO_OK)
		cli_conn_close(c);
	return rc;
}

void
cli_conn_close(struct cli_conn *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	free(c->buf);
	c->buf = NULL;
	c->len = c->used = c->cap = 0;
}

static enum cli_io
grow(struct cli_conn *c)
{
	size_t cap = c->cap == 0 ? FIRST_CAP : 2 * c->cap;
	char *buf;

	if (c->cap >= CLI_LINE_MAX)
		return CLI_IO_BAD;
	buf = realloc(c->buf, cap);
	if (buf == NULL)
		return CLI_IO_MEMORY;
	c->buf = buf;
	c->cap = cap;
	return CLI_IO_OK;
}

static enum cli_io
fill(struct cli_conn *c, uint64_t deadline_ms)
{
	enum cli_io rc;
	ssize_t n;

	rc = c->len == c->cap ? grow(c) : CLI_IO_OK;
	if (rc == CLI_IO_OK)
		rc = wait_for(c->fd, POLLIN, deadline_ms);
	if (rc != CLI_IO_OK)
		return rc;
	n = recv(c->fd, c->buf + c->len, c->cap - c->len, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return CLI_IO_OK;
	if (n <= 0)
		return CLI_IO_GONE;
	c->len += (size_t)n;
	return CLI_IO_OK;
}

enum cli_io
cli_conn_read(struct cli_conn *c, char **line, uint64_t deadline_ms)
{
	size_t seen = 0; /* octets that are known to hold no newline */
	char *nl = NULL;
	enum cli_io rc;

	c->len -= c->used;
	if (c->used > 0)
		memmove(c->buf, c->buf + c->used, c->len);
	c->used = 0;
	for (;;) {
		if (c->len > seen)
			nl = memchr(c->buf + seen, '\n', c->len - seen);
		if (nl != NULL)
			break;
		seen = c->len;
		rc = fill(c, deadline_ms);
		if (rc != CLI_IO_OK)
			return rc;
	}
	*nl = '\0';
	c->used = (size_t)(nl + 1 - c->buf);
	*line = c->buf;
	return strlen(c->buf) + 1 == c->used ? CLI_IO_OK : CLI_IO_BAD;
}

enum cli_io
cli_conn_write(struct cli_conn *c, const char *text, uint64_t deadline_ms)
{
	size_t off = 0, len = strlen(text);
	enum cli_io rc;
	ssize_t n;

	while (off < len) {
		rc = wait_for(c->fd, POLLOUT, deadline_ms);
		if (rc != CLI_IO_OK)
			return rc;
		n = send(c->fd, text + off, len - off, MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		/* EPIPE: it has refused us; its reason can still be read. */
		if (n == -1)
			return errno == EPIPE ? CLI_IO_OK : CLI_IO_GONE;
		off += (size_t)n;
	}
	return CLI_IO_OK;
}
