#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/tls.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/resolver/net.h"

/* More than the longest message at once; c-ares takes it in pieces. */
#define BUFFER_SIZE 4096
/* A peer that never stops sending must not keep the loop to itself. */
#define PUMPS_PER_TURN 32
/* c-ares has one, and another while it gives up the first. */
#define MAX_LINES 4

enum phase { LINE_NEW = 0, LINE_CONNECT, LINE_HANDSHAKE, LINE_OPEN };

struct buffer {
	unsigned char octet[BUFFER_SIZE];
	size_t from, to; /* what is in it */
};

struct line {
	struct line *next;
	struct tls *t;
	enum phase phase;
	int far;     /* the TCP connection; -1: not yet */
	int near;    /* our end of the pair */
	int ares_fd; /* c-ares' end: its number only */
	struct event *on_far, *on_near;
	SSL *ssl;
	bool write_wanted; /* OpenSSL waits until FAR can be written to */
	struct buffer out, in;
};

struct tls {
	struct event_base *base;
	const struct pol_resolver *resolver;
	const struct tls_ops *ops;
	void *arg;
	SSL_CTX *ctx;
	struct line *lines;
	size_t nlines;
};

static void
line_free(struct line *ln)
{
	struct line **at = &ln->t->lines;

	while (*at != ln)
		at = &(*at)->next;
	*at = ln->next;
	ln->t->nlines--;
	if (ln->ssl != NULL && ln->phase == LINE_OPEN)
		(void)SSL_shutdown(ln->ssl); /* a farewell; no more */
	SSL_free(ln->ssl);
	ERR_clear_error();
	if (ln->on_far != NULL)
		event_free(ln->on_far);
	if (ln->on_near != NULL)
		event_free(ln->on_near);
	if (ln->far != -1)
		close(ln->far);
	close(ln->near);
	OPENSSL_cleanse(ln, sizeof *ln);
	free(ln);
}

/* c-ares sees the end of its stream. */
static void
give_up(struct line *ln, enum name_state why)
{
	struct tls *t = ln->t;

	line_free(ln);
	t->ops->trouble(t->arg, why);
}

static void
say_why(const struct line *ln)
{
	long verified = SSL_get_verify_result(ln->ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if (!ln->t->resolver->pinned && verified != X509_V_OK)
		log_warn("the resolver's certificate is not to be trusted: "
		    "%s", X509_verify_cert_error_string(verified));
	else
		log_warn("no TLS with the resolver: %s",
		    reason != NULL ? reason : "it closed the connection");
}

/* SHA-256 of the key, as it stands in the certificate. */
static bool
pin_matches(const X509 *cert, const uint8_t pin[POL_PIN_LEN])
{
	unsigned char hash[SHA256_DIGEST_LENGTH], *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool ok = len > 0 && SHA256(der, (size_t)len, hash) != NULL &&
	    CRYPTO_memcmp(hash, pin, POL_PIN_LEN) == 0;

	OPENSSL_free(der);
	return ok;
}

/*
 * Asked again here, whatever OpenSSL has checked: this is where a connection
 * becomes one that is spoken on.  NULL: all is well.
 */
static const char *
certificate_fault(const struct line *ln)
{
	const struct pol_resolver *r = ln->t->resolver;
	X509 *cert = SSL_get1_peer_certificate(ln->ssl);
	const char *fault = NULL;

	if (cert == NULL)
		fault = "there is none";
	else if (X509_check_host(cert, r->host, 0,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) != 1)
		fault = "it is for another name than the policy's";
	else if (r->pinned && !pin_matches(cert, r->pin))
		fault = "its key is not the one that the policy pins";
	else if (!r->pinned && SSL_get_verify_result(ln->ssl) != X509_V_OK)
		fault = "it is not to be trusted";
	X509_free(cert);
	return fault;
}

/* The pin decides after the handshake: signer and dates do not matter. */
static int
any_chain_cb(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

/* 1: it got on; 0: it waits; -1: it is over. */
static int
ssl_result(struct line *ln, int rc)
{
	if (rc > 0)
		return 1;
	switch (SSL_get_error(ln->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		ln->write_wanted = true;
		return 0;
	default:
		return -1;
	}
}

static int
handshake(struct line *ln)
{
	const char *fault;
	int rc;

	ERR_clear_error();
	rc = ssl_result(ln, SSL_connect(ln->ssl));
	if (rc == -1)
		say_why(ln);
	if (rc != 1)
		return rc;
	fault = certificate_fault(ln);
	if (fault != NULL) {
		log_warn("the resolver's certificate: %s", fault);
		return -1;
	}
	ln->phase = LINE_OPEN;
	return 1;
}

/* The next four: 1 some progress, 0 none, -1 the end. */
static int
from_near(struct line *ln)
{
	struct buffer *b = &ln->out;
	ssize_t n;

	if (b->from != b->to)
		return 0;
	n = recv(ln->near, b->octet, sizeof b->octet, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	b->from = 0;
	b->to = (size_t)n;
	return 1;
}

static int
to_far(struct line *ln)
{
	struct buffer *b = &ln->out;
	int n, rc;

	if (b->from == b->to)
		return 0;
	ERR_clear_error();
	n = SSL_write(ln->ssl, b->octet + b->from, (int)(b->to - b->from));
	rc = ssl_result(ln, n);
	if (rc == 1)
		b->from += (size_t)n;
	return rc;
}

static int
from_far(struct line *ln)
{
	struct buffer *b = &ln->in;
	int n, rc;

	if (b->from != b->to)
		return 0;
	ERR_clear_error();
	n = SSL_read(ln->ssl, b->octet, sizeof b->octet);
	rc = ssl_result(ln, n);
	b->from = 0;
	b->to = rc == 1 ? (size_t)n : 0;
	return rc;
}

static int
to_near(struct line *ln)
{
	struct buffer *b = &ln->in;
	ssize_t n;

	if (b->from == b->to)
		return 0;
	n = send(ln->near, b->octet + b->from, b->to - b->from,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	b->from += (size_t)n;
	return 1;
}

static int
pump(struct line *ln)
{
	int (*const step[])(struct line *) = { from_near, to_far, from_far,
		to_near };
	bool progress = true;

	for (int turn = 0; turn < PUMPS_PER_TURN && progress; turn++) {
		progress = false;
		for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
			int rc = step[i](ln);

			if (rc == -1)
				return -1;
			progress = progress || rc == 1;
		}
	}
	return 0;
}

static void on_line_cb(evutil_socket_t fd, short what, void *arg);

static void
watch(struct line *ln, struct event *ev, int fd, short what)
{
	(void)event_del(ev);
	if (what != 0 && (event_assign(ev, ln->t->base, fd, what, on_line_cb,
	    ln) == -1 || event_add(ev, NULL) == -1))
		fatal("cannot wait for the resolver");
}

/* Wait for what can go on, and for nothing else: no turn is for nothing. */
static void
rest(struct line *ln)
{
	const bool open = ln->phase == LINE_OPEN;
	short far = 0, near = 0;

	if (ln->in.from == ln->in.to && ln->phase != LINE_CONNECT)
		far = EV_READ;
	if (ln->write_wanted || ln->phase == LINE_CONNECT)
		far |= EV_WRITE;
	if (open && ln->out.from == ln->out.to)
		near = EV_READ;
	if (open && ln->in.from != ln->in.to)
		near |= EV_WRITE;
	watch(ln, ln->on_far, ln->far, far);
	watch(ln, ln->on_near, ln->near, near);
}

static int
connected(struct line *ln)
{
	int err = 0;
	socklen_t len = sizeof err;

	if (getsockopt(ln->far, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		err = errno;
	if (err != 0) {
		errno = err;
		return -1;
	}
	ln->phase = LINE_HANDSHAKE;
	return 0;
}

static void
on_line_cb(evutil_socket_t fd, short what, void *arg)
{
	struct line *ln = arg;

	(void)fd;
	(void)what;
	ln->write_wanted = false;
	if (ln->phase == LINE_CONNECT && connected(ln) == -1) {
		give_up(ln, net_state(errno));
		return;
	}
	if (ln->phase == LINE_HANDSHAKE && handshake(ln) == -1) {
		give_up(ln, NAME_TLS);
		return;
	}
	if (ln->phase == LINE_OPEN && pump(ln) == -1) {
		line_free(ln); /* either side has hung up */
		return;
	}
	rest(ln);
}

int
tls_socket(struct tls *t)
{
	struct line *ln;
	int ends[2];

	if (t->nlines >= MAX_LINES) {
		errno = EMFILE;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, ends) == -1)
		return -1;
	ln = xcalloc(1, sizeof *ln);
	ln->t = t;
	ln->far = -1;
	ln->near = ends[0];
	ln->ares_fd = ends[1];
	ln->next = t->lines;
	t->lines = ln;
	t->nlines++;
	return ends[1];
}

/* The newest one: a number is used again when c-ares has closed it. */
static struct line *
line_of(const struct tls *t, int fd)
{
	struct line *ln = t->lines;

	while (ln != NULL && ln->ares_fd != fd)
		ln = ln->next;
	return ln;
}

static SSL *
new_ssl(const struct tls *t, int fd)
{
	SSL *ssl = SSL_new(t->ctx);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 ||
	    SSL_set_tlsext_host_name(ssl, t->resolver->host) != 1 ||
	    SSL_set1_host(ssl, t->resolver->host) != 1)
		fatal("out of memory for TLS");
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return ssl;
}

int
tls_connect(struct tls *t, int fd, const struct sockaddr *sa, socklen_t len)
{
	struct line *ln = line_of(t, fd);

	if (ln == NULL || ln->phase != LINE_NEW) {
		errno = ENOTCONN;
		return -1;
	}
	ln->far = net_socket(sa->sa_family, SOCK_STREAM);
	if (ln->far == -1 || (connect(ln->far, sa, len) == -1 &&
	    errno != EINPROGRESS))
		return -1;
	ln->phase = LINE_CONNECT;
	ln->ssl = new_ssl(t, ln->far);
	ln->on_far = event_new(t->base, -1, 0, on_line_cb, ln);
	ln->on_near = event_new(t->base, -1, 0, on_line_cb, ln);
	if (ln->on_far == NULL || ln->on_near == NULL)
		fatal("out of memory");
	rest(ln);
	return 0;
}

void
tls_stop(struct tls *t)
{
	while (t->lines != NULL)
		line_free(t->lines);
}

struct tls *
tls_new(struct event_base *base, const struct pol_resolver *resolver,
    const struct tls_ops *ops, void *arg)
{
	struct tls *t = xcalloc(1, sizeof *t);

	t->base = base;
	t->resolver = resolver;
	t->ops = ops;
	t->arg = arg;
	/* What the policy says is all; no file says anything else. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		fatal("OpenSSL cannot begin");
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL ||
	    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_default_verify_paths(t->ctx) != 1)
		fatal("OpenSSL cannot begin");
	SSL_CTX_set_security_level(t->ctx, 2); /* as Debian has it: 112 bit */
	(void)SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION);
	(void)SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER,
	    resolver->pinned ? any_chain_cb : NULL);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	tls_stop(t);
	SSL_CTX_free(t->ctx);
	free(t);
}
