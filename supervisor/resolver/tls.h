/*
 * DNS over TLS.  c-ares speaks plain DNS over a local stream; what it says
 * goes on, through OpenSSL, to the policy's resolver, and no octet of it
 * before certificate and key have proven to be the policy's.  Between the two
 * is a pair of sockets, so c-ares waits for its own end only, however many
 * turns a handshake takes.
 *
 * With a pin the key alone has to be right, and the certificate has to be for
 * the name; who signed it and until when does not matter.  Without one the
 * system's certificate authorities vouch for it.
 */
#ifndef RESOLVER_TLS_H
#define RESOLVER_TLS_H

#include <event2/event.h>
#include <sys/socket.h>

#include "supervisor/namemsg.h"

struct tls;

struct tls_ops {
	/* A connection has failed, and why; said on the log if NAME_TLS. */
	void (*trouble)(void *arg, enum name_state why);
};

/* BASE, RESOLVER, OPS and ARG are borrowed.  Ends the process on failure. */
struct tls *tls_new(struct event_base *base,
    const struct pol_resolver *resolver, const struct tls_ops *ops,
    void *arg);
void tls_free(struct tls *t);

/* A stream for c-ares, whose descriptor it is to close; -1 and errno. */
int tls_socket(struct tls *t);
/* Connect what is behind FD, from tls_socket(): 0, or -1 and errno. */
int tls_connect(struct tls *t, int fd, const struct sockaddr *sa,
    socklen_t len);
/* Close all connections; c-ares has closed its ends. */
void tls_stop(struct tls *t);

#endif
