#include "config.h" /* _GNU_SOURCE */

#include "tests/bench/feed.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/sensor.h"

#define LINE_CAP 65536

struct feed {
	int fd;
	size_t len;
	char buf[LINE_CAP];
};

static int
connect_to(const char *dir, const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (snprintf(sun.sun_path, sizeof sun.sun_path, "%s/%s", dir, name) >=
	    (int)sizeof sun.sun_path)
		errno = ENAMETOOLONG;
	else if (fd != -1 &&
	    connect(fd, (const struct sockaddr *)&sun, sizeof sun) == 0)
		return fd;
	fprintf(stderr, "cannot connect to %s/%s: %s\n", dir, name,
	    strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

struct feed *
feed_open(const char *dir)
{
	struct feed *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->fd = connect_to(dir, "status.sock");
	if (f->fd == -1) {
		free(f);
		return NULL;
	}
	return f;
}

void
feed_close(struct feed *f)
{
	if (f == NULL)
		return;
	close(f->fd);
	free(f);
}

static int
member_int(const json_t *line, const char *object, const char *key)
{
	return (int)json_integer_value(json_object_get(
	    json_object_get(line, object), key));
}

static int
parse_line(struct feed_state *out, const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, 0, NULL);
	const json_t *fw = json_object_get(line, "firewall");
	const char *position = json_string_value(
	    json_object_get(line, "position"));

	if (line == NULL)
		return -1;
	out->open = position != NULL && strcmp(position, "open") == 0;
	out->tor_pid = member_int(line, "tor", "pid");
	out->gate_pid = member_int(line, "gate", "pid");
	out->engine_pid = member_int(line, "engine", "pid");
	out->status_pid = member_int(line, "status", "pid");
	out->closes = (uint64_t)json_integer_value(
	    json_object_get(fw, "closes"));
	out->close_us = json_number_value(
	    json_object_get(fw, "close_last_us"));
	json_decref(line);
	return 0;
}

/* 1: a line was taken; 0: none yet; -1: not a status line. */
static int
take_line(struct feed *f, struct feed_state *out)
{
	char *nl = memchr(f->buf, '\n', f->len);
	size_t n;
	int rc;

	if (nl == NULL)
		return f->len == sizeof f->buf ? -1 : 0;
	n = (size_t)(nl - f->buf) + 1;
	rc = parse_line(out, f->buf, n);
	memmove(f->buf, f->buf + n, f->len - n);
	f->len -= n;
	return rc == 0 ? 1 : -1;
}

int
feed_next(struct feed *f, struct feed_state *out, unsigned limit_ms)
{
	uint64_t end = sensor_now() + limit_ms * UINT64_C(1000000), now;
	struct pollfd pfd = { .fd = f->fd, .events = POLLIN };
	ssize_t n;
	int rc;

	while ((rc = take_line(f, out)) == 0) {
		now = sensor_now();
		if (now >= end)
			return -1;
		if (poll(&pfd, 1, (int)((end - now) / 1000000) + 1) <= 0)
			continue;
		n = read(f->fd, f->buf + f->len, sizeof f->buf - f->len);
		if (n <= 0)
			return -1;
		f->len += (size_t)n;
	}
	return rc == 1 ? 0 : -1;
}

int
feed_until(struct feed *f, struct feed_state *out, bool want,
    uint64_t closes, unsigned limit_ms)
{
	uint64_t end = sensor_now() + limit_ms * UINT64_C(1000000), now;

	while ((now = sensor_now()) < end) {
		if (feed_next(f, out, (unsigned)((end - now) / 1000000) + 1) ==
		    -1)
			return -1;
		if (out->open == want && out->closes >= closes)
			return 0;
	}
	return -1;
}

int
feed_verb(const char *dir, const char *verb)
{
	char buf[1024];
	int fd = connect_to(dir, "control.sock");
	int n = snprintf(buf, sizeof buf, "{\"cmd\":\"%s\"}\n", verb);
	ssize_t got = -1;

	if (fd == -1)
		return -1;
	if (write(fd, buf, (size_t)n) == n)
		got = read(fd, buf, sizeof buf - 1);
	close(fd);
	if (got <= 0)
		return -1;
	buf[got] = '\0';
	return strstr(buf, "true") != NULL ? 0 : -1;
}
