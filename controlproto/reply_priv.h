/*
 * What a message is made of; for the reader that builds it and the
 * connection that matches it.  Not installed.
 */
#ifndef CP_REPLY_PRIV_H
#define CP_REPLY_PRIV_H

#include <stdint.h>

#include "reply.h"

struct cp_reply_line {
	struct cp_str text; /* after code and separator */
	struct cp_str data; /* data.p is NULL: no data block */
};

/* One allocation: this, the lines, then the octets the lines point to. */
struct cp_reply {
	uint64_t start; /* where in the stream its first octet stood */
	size_t size;	/* of all of it */
	unsigned code;
	size_t nlines;
	struct cp_reply_line lines[];
};

#endif
