/*
 * The last answer, octet for octet: the same again says nothing new.
 */
#ifndef MEMO_H
#define MEMO_H

#include <stdbool.h>
#include <stddef.h>

#include "controlproto/str.h"

/* All zero is one that remembers nothing. */
struct memo {
	char *p; /* owned: free(3) it */
	size_t n, cap;
	bool valid; /* clear it, and the next answer is new */
};

/*
 * Is S, the next part of an answer, as it was?  Notes it either way.  *AT is
 * 0 for the first part.
 */
bool memo_next(struct memo *m, size_t *at, struct cp_str s);
/* All was noted, up to AT: was it the same as the last answer? */
bool memo_end(struct memo *m, size_t at);

#endif
