/*
 * A control port in this process, for the tests of what connects to one: a
 * listener, and the end of the one connection that it accepted.
 */
#ifndef PEERUTIL_H
#define PEERUTIL_H

#include "controlproto/auth.h"

extern char peer_dir[];	    /* of its socket and files; peer_teardown()'s */
extern char peer_where[64]; /* for cp_link_new() */
extern unsigned char peer_cookie[CP_COOKIE_LEN];
extern int peer; /* non-blocking; -1 if there is none */

void peer_setup(void);
void peer_teardown(void);

/* A path in peer_dir; borrowed until the next. */
const char *peer_path(const char *name);
void peer_file(const char *name, const void *p, size_t n);

/*
 * Listens at FAMILY's loopback address instead; the port, or 0: there is no
 * such address.
 */
unsigned peer_listen(int family);
void peer_unlisten(void);
void peer_accept(void);
void peer_close(void);

void peer_say(const char *text);

/* What came: one line that begins with WANT; borrowed until the next. */
const char *peer_hears(const char *want);
void peer_hears_nothing(void);

/* AUTHCHALLENGE, which is LINE, answered by who knows peer_cookie. */
void peer_prove(const char *line);

#endif
