#include "controlproto/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "controlproto/ns.h"

#define UNIX_SCHEME "unix:"
#define READ_LEN 4096
#define FAULT_LEN (CP_PATH_MAX + 256) /* a path, and a reason behind it */
#define WHERE_LEN 128 /* shown; longer than any that means something */

struct cp_link {
	enum cp_err err;
	int fd;
	uint32_t limit_ms;
	bool opens;  /* the file that the peer names */
	bool waited; /* the caller was told to */
	struct cp_session *session;
	struct cp_str unsent; /* of a command; borrowed from SESSION */
	uint64_t unsent_until;
	char where[WHERE_LEN];
	char fault[FAULT_LEN];
};

/* Any form of a socket's address. */
union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static uint64_t
clock_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The first error stays. */
static void
fail_why(struct cp_link *l, enum cp_err err, const char *what, const char *why)
{
	char shown[CP_PATH_MAX];

	if (l->err != CP_OK)
		return;
	l->err = err;
	cp_str_show(shown, sizeof shown, cp_str_of(what));
	(void)snprintf(l->fault, sizeof l->fault, "%s: %s", shown, why);
}

/* The reason for CP_ERR_SYSTEM is errno's; glibc has its text for a thread. */
static void
fail(struct cp_link *l, enum cp_err err, const char *what)
{
	fail_why(l, err, what,
	    err == CP_ERR_SYSTEM ? strerror(errno) : cp_strerror(err));
}

/* The length that connect(2) wants, or 0. */
static socklen_t
unix_address(struct sockaddr_un *un, const char *path)
{
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof un->sun_path)
		return 0;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n + 1);
	return sizeof *un;
}

static socklen_t
address_of(union address *a, const char *where)
{
	struct cp_endpoint at;

	memset(a, 0, sizeof *a);
	if (strncmp(where, UNIX_SCHEME, sizeof UNIX_SCHEME - 1) == 0)
		return unix_address(&a->un, where + sizeof UNIX_SCHEME - 1);
	if (cp_endpoint_parse(&at, cp_str_of(where), 0) != CP_OK)
		return 0;
	if (at.v6) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(at.port);
		memcpy(&a->in6.sin6_addr, at.addr, sizeof a->in6.sin6_addr);
		return sizeof a->in6;
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons(at.port);
	memcpy(&a->in.sin_addr, at.addr, sizeof a->in.sin_addr);
	return sizeof a->in;
}

static void
connect_to(struct cp_link *l, const char *where)
{
	union address to;
	socklen_t len = address_of(&to, where);

	if (len == 0) {
		fail_why(l, CP_ERR_ARG, l->where,
		    "neither ADDRESS:PORT nor unix:PATH");
		return;
	}
	l->fd = socket(to.sa.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* What is under way ends when the first octet goes, or cannot. */
	if (l->fd == -1 ||
	    (connect(l->fd, &to.sa, len) == -1 && errno != EINPROGRESS))
		fail(l, CP_ERR_SYSTEM, l->where);
}

struct cp_link *
cp_link_new(const char *where, unsigned permitted, uint32_t limit_ms)
{
	unsigned char nonce[CP_NONCE_LEN] = { 0 };
	struct cp_link *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->fd = -1;
	l->limit_ms = limit_ms;
	l->opens = (permitted & CP_AUTH_COOKIE) == 0;
	cp_str_show(l->where, sizeof l->where, cp_str_of(where));
	if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
		fail(l, CP_ERR_SYSTEM, "getrandom");
	l->session = cp_session_new(permitted, nonce, limit_ms);
	if (l->session == NULL) {
		free(l);
		return NULL;
	}
	if (l->err == CP_OK)
		connect_to(l, where);
	return l;
}

void
cp_link_free(struct cp_link *l)
{
	if (l == NULL)
		return;
	if (l->fd != -1)
		(void)close(l->fd); /* nothing is lost that could be told */
	cp_session_free(l->session);
	free(l);
}

struct cp_session *
cp_link_session(struct cp_link *l)
{
	return l->session;
}

/*
 * Up to N octets of PATH, none if it is no regular file; -1 is errno's.  It
 * may be the peer's word: a FIFO must not stop us, and there are devices that
 * do something when they are opened.
 */
static ssize_t
read_file(unsigned char *dst, size_t n, const char *path)
{
	struct stat st;
	ssize_t got = 0;
	int fd, saved;

	if (stat(path, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1) /* it may be another one by now */
		got = -1;
	else if (S_ISREG(st.st_mode))
		got = read(fd, dst, n);
	saved = errno;
	(void)close(fd); /* nothing was written */
	errno = saved;
	return got;
}

void
cp_link_cookie(struct cp_link *l, const char *path)
{
	unsigned char cookie[CP_COOKIE_LEN + 1]; /* a longer file shows */
	ssize_t n = read_file(cookie, sizeof cookie, path);

	if (n == -1)
		fail(l, CP_ERR_SYSTEM,
		    *path != '\0' ? path : "a cookie that Tor does not name");
	else if (n != CP_COOKIE_LEN)
		fail(l, CP_ERR_COOKIE, path);
	else
		cp_session_cookie(l->session, cookie, (size_t)n);
	explicit_bzero(cookie, sizeof cookie);
}

/* True if there is nothing to be had now, but perhaps later. */
static bool
is_later(struct cp_link *l)
{
	if (errno == EAGAIN || errno == EINTR)
		return true;
	fail(l, errno == EPIPE || errno == ECONNRESET ? CP_ERR_CLOSED :
	    CP_ERR_SYSTEM, l->where);
	return false;
}

/* The kernel's part of what is unsent. */
static void
put(struct cp_link *l)
{
	ssize_t n = send(l->fd, l->unsent.p, l->unsent.n, MSG_NOSIGNAL);

	if (n == -1) {
		(void)is_later(l); /* if it is not, L has the error */
		return;
	}
	l->unsent.p += n;
	l->unsent.n -= (size_t)n;
}

static void
get(struct cp_link *l)
{
	char buf[READ_LEN];
	ssize_t n = recv(l->fd, buf, sizeof buf, 0);

	if (n > 0)
		cp_session_feed(l->session, buf, (size_t)n);
	else if (n == 0)
		fail(l, CP_ERR_CLOSED, l->where);
	else
		(void)is_later(l); /* if it is not, L has the error */
	if (n > 0)
		explicit_bzero(buf, (size_t)n); /* options' values */
}

static void
clear(struct cp_step *out)
{
	memset(out, 0, sizeof *out);
	out->tag = out->wait_ms = -1;
}

/*
 * A command that does not fit waits in the session, which is not asked until
 * it is out: nothing is copied, and a peer that takes nothing is given nothing.
 */
static void
to_write(struct cp_link *l, struct cp_step *out)
{
	uint64_t now = clock_ms();

	clear(out);
	if (now >= l->unsent_until)
		fail(l, CP_ERR_TIMEOUT, l->where);
	else
		out->wait_ms = l->unsent_until - now < INT_MAX ?
		    (int)(l->unsent_until - now) : INT_MAX;
}

/* Returns whether *OUT was for us. */
static bool
was_own(struct cp_link *l, const struct cp_step *out)
{
	if (out->kind == CP_STEP_WRITE) {
		l->unsent = out->bytes;
		l->unsent_until = clock_ms() + l->limit_ms;
		put(l);
		return true;
	}
	if (out->kind != CP_STEP_COOKIE || !l->opens)
		return false;
	cp_link_cookie(l, out->path);
	return true;
}

enum cp_err
cp_link_next(struct cp_link *l, struct cp_step *out)
{
	bool more = true;
	enum cp_err err;

	if (l->err == CP_OK && l->unsent.n > 0)
		put(l);
	else if (l->err == CP_OK && l->waited)
		get(l);
	while (l->err == CP_OK && more) {
		if (l->unsent.n > 0) {
			to_write(l, out);
			break;
		}
		err = cp_session_next(l->session, out, clock_ms());
		if (err != CP_OK)
			fail(l, err, l->where);
		else
			more = was_own(l, out);
	}
	if (l->err != CP_OK)
		clear(out);
	l->waited = out->kind == CP_STEP_WAIT;
	return l->err;
}

int
cp_link_fd(const struct cp_link *l)
{
	return l->fd;
}

bool
cp_link_writes(const struct cp_link *l)
{
	return l->unsent.n > 0;
}

const char *
cp_link_strerror(const struct cp_link *l)
{
	return l->fault;
}
