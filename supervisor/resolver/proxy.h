/*
 * What is said to a proxy, and what its answers mean.  Pure.  One exchange at
 * a time: the caller sends proxy_out(), and hands on everything that came
 * since, until there is a verdict.
 */
#ifndef RESOLVER_PROXY_H
#define RESOLVER_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/namemsg.h"

/* A request with the longest user and password, as Base64. */
#define PROXY_OUT_MAX 1024
/* No proxy says more than this before it says yes or no. */
#define PROXY_IN_MAX 1024

enum proxy_step { PROXY_HTTP = 0, PROXY_SOCKS4, PROXY_METHOD, PROXY_LOGIN,
	PROXY_CONNECT };

struct proxy {
	struct name_tryout ask;
	enum proxy_step step;
	unsigned char out[PROXY_OUT_MAX];
	size_t len; /* of what is to be sent now */
};

/*
 * Begin.  NAME_V_NONE: send P->out; else nothing has to be said for the
 * verdict.  ASK is valid, and copied.
 */
enum name_verdict proxy_start(struct proxy *p, const struct name_tryout *ask);

/*
 * It has answered, since the last sending, with the N octets at IN, of which
 * *USED belong to what is now judged.  NAME_V_NONE with P->len 0: there has
 * to come more; with P->len: send that.  *CODE: the proxy's own number.
 */
enum name_verdict proxy_in(struct proxy *p, const unsigned char *in, size_t n,
    size_t *used, uint32_t *code);

/* It has hung up in the middle of it: that is what it has to say. */
enum name_verdict proxy_eof(const struct proxy *p);

/* Wipes passwords. */
void proxy_clear(struct proxy *p);

#endif
