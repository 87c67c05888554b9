#include "config.h" /* _GNU_SOURCE */

#include "supervisor/applets/torctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "controlproto/conn.h"
#include "controlproto/login.h"
#include "controlproto/reply.h"
#include "supervisor/cli/conn.h"
#include "supervisor/torauth/cookiefile.h"

#define COMMAND_TAG 1
#define READ_CAP 4096
/* All that we ask has short answers; and a second has few events. */
#define MOST_OCTETS (1024 * 1024)

static uint32_t
left_ms(const struct torctl *t)
{
	uint64_t now = cli_now_ms();

	return now < t->deadline_ms ? (uint32_t)(t->deadline_ms - now) : 0;
}

static enum cp_err
wait_for(const struct torctl *t, short events)
{
	struct pollfd pfd = { .fd = t->fd, .events = events };
	uint32_t left;
	int n;

	do {
		left = left_ms(t);
		if (left == 0)
			return CP_ERR_TIMEOUT;
		n = poll(&pfd, 1, (int)left);
	} while (n == -1 && errno == EINTR);
	return n == 1 ? CP_OK : CP_ERR_TIMEOUT;
}

static enum cp_err
write_all(const struct torctl *t, const struct cp_cmd *cmd)
{
	size_t off = 0;
	enum cp_err err;
	ssize_t n;

	while (off < cmd->len) {
		err = wait_for(t, POLLOUT);
		if (err != CP_OK)
			return err;
		n = send(t->fd, cmd->line + off, cmd->len - off,
		    MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n == -1)
			return CP_ERR_TIMEOUT; /* it is gone: no answer */
		off += (size_t)n;
	}
	return CP_OK;
}

static enum cp_err
read_some(struct torctl *t)
{
	char buf[READ_CAP];
	enum cp_err err = wait_for(t, POLLIN);
	ssize_t n;

	if (err != CP_OK)
		return err;
	n = recv(t->fd, buf, sizeof buf, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return CP_OK;
	if (n <= 0)
		return CP_ERR_TIMEOUT;
	t->octets += (size_t)n;
	if (t->octets > MOST_OCTETS)
		return CP_ERR_LIMIT;
	return cp_conn_feed(t->conn, buf, (size_t)n);
}

/* The next message of either kind. */
static enum cp_err
next_message(struct torctl *t, struct cp_reply **out, int *tag)
{
	enum cp_err err;

	for (;;) {
		err = cp_conn_next(t->conn, out, tag);
		if (err != CP_OK || *out != NULL)
			return err;
		err = read_some(t);
		if (err != CP_OK)
			return err;
	}
}

enum cp_err
torctl_event(struct torctl *t, struct cp_reply **event)
{
	int tag;

	return next_message(t, event, &tag);
}

enum cp_err
torctl_ask(struct torctl *t, struct cp_cmd *cmd, enum cp_err built,
    struct cp_reply **reply)
{
	enum cp_err err = built;
	int tag = -1;

	*reply = NULL;
	if (err == CP_OK)
		err = cp_conn_sent(t->conn, cmd, COMMAND_TAG, cli_now_ms(),
		    left_ms(t));
	if (err == CP_OK)
		err = write_all(t, cmd);
	cp_cmd_clear(cmd);
	while (err == CP_OK && tag != COMMAND_TAG) {
		cp_reply_free(*reply);
		err = next_message(t, reply, &tag);
	}
	return err;
}

/*
 * Nobody vouches for who sits at a port: he may name the cookie where Tor
 * keeps it, and have no other file of ours hashed for him.
 */
static bool
is_usual_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && (strcmp(slash, "/control.authcookie") == 0 ||
	    strcmp(slash, "/control_auth_cookie") == 0);
}

static enum cp_err
give_cookie(const struct torctl *t, struct cp_login *login)
{
	const struct cp_protocolinfo *pi = cp_login_peek_info(login);
	unsigned char cookie[CP_COOKIE_LEN];
	/* By a port he shows by SERVERHASH that he can read it too. */
	uid_t owner = t->local ? t->peer : COOKIEFILE_ANYONE;
	enum cp_err err;

	if (!pi->has_cookiefile || pi->cookiefile[0] != '/' ||
	    (!t->local && !is_usual_name(pi->cookiefile)))
		return CP_ERR_AUTH;
	if (cookiefile_read(cookie, pi->cookiefile, owner) != NULL)
		return CP_ERR_AUTH;
	err = cp_login_secret(login, cookie, sizeof cookie);
	explicit_bzero(cookie, sizeof cookie);
	return err;
}

static enum cp_err
login_step(struct torctl *t, struct cp_login *login)
{
	struct cp_cmd cmd = { 0 };
	struct cp_reply *reply;
	enum cp_err err;

	if (cp_login_wants(login) == CP_LOGIN_COOKIE)
		return give_cookie(t, login);
	err = torctl_ask(t, &cmd, cp_login_command(login, &cmd), &reply);
	if (err == CP_OK)
		err = cp_login_reply(login, reply);
	cp_reply_free(reply);
	return err;
}

static enum cp_err
authenticate(struct torctl *t)
{
	unsigned char nonce[CP_NONCE_LEN];
	unsigned may = CP_AUTH_SAFECOOKIE | CP_AUTH_NULL;
	enum cp_err err = CP_OK;
	struct cp_login *login;

	if (t->local)
		may |= CP_AUTH_COOKIE; /* it is told to its owner alone */
	if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
		return CP_ERR_AUTH;
	login = cp_login_new(may, nonce);
	if (login == NULL)
		return CP_ERR_NOMEM;
	while (err == CP_OK && cp_login_wants(login) != CP_LOGIN_DONE)
		err = login_step(t, login);
	cp_login_free(login);
	if (err == CP_OK)
		cp_conn_authenticated(t->conn);
	return err;
}

static enum cp_err
connect_to(struct torctl *t, const struct sockaddr *sa, socklen_t len)
{
	int fault = 0;
	socklen_t n = sizeof fault;

	if (connect(t->fd, sa, len) == 0)
		return CP_OK;
	if (errno != EINPROGRESS)
		return CP_ERR_TIMEOUT;
	if (wait_for(t, POLLOUT) != CP_OK ||
	    getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &fault, &n) == -1 ||
	    fault != 0)
		return CP_ERR_TIMEOUT;
	return CP_OK;
}

static enum cp_err
start(struct torctl *t, const struct sockaddr *sa, socklen_t len,
    uint64_t deadline_ms)
{
	enum cp_err err = CP_ERR_NOMEM;
	struct ucred peer;
	socklen_t n = sizeof peer;

	memset(t, 0, sizeof *t);
	t->deadline_ms = deadline_ms;
	t->fd = socket(sa->sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	t->conn = cp_conn_new();
	if (t->fd != -1 && t->conn != NULL)
		err = connect_to(t, sa, len);
	if (err == CP_OK && sa->sa_family == AF_UNIX &&
	    getsockopt(t->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0) {
		t->local = true;
		t->peer = peer.uid;
	}
	if (err == CP_OK)
		err = authenticate(t);
	if (err != CP_OK)
		torctl_close(t);
	return err;
}

enum cp_err
torctl_open_unix(struct torctl *t, const char *path, uint64_t deadline_ms)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int n = snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);

	if (n < 0 || (size_t)n >= sizeof sun.sun_path)
		return CP_ERR_ARG;
	return start(t, (const struct sockaddr *)&sun, sizeof sun,
	    deadline_ms);
}

enum cp_err
torctl_open_port(struct torctl *t, unsigned port, uint64_t deadline_ms)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return start(t, (const struct sockaddr *)&sin, sizeof sin,
	    deadline_ms);
}

void
torctl_close(struct torctl *t)
{
	if (t->fd != -1)
		(void)close(t->fd);
	t->fd = -1;
	cp_conn_free(t->conn);
	t->conn = NULL;
}
