#include "supervisor/engine/memo.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/log.h"

/* Room for a short answer to begin with. */
#define MEMO_MIN 256

bool
memo_next(struct memo *m, size_t *at, struct cp_str s)
{
	size_t cap = m->cap != 0 ? m->cap : MEMO_MIN, end = *at + s.n + 1;
	bool same = m->valid && end <= m->n &&
	    (s.n == 0 || memcmp(m->p + *at, s.p, s.n) == 0) &&
	    m->p[end - 1] == '\n';
	char *p;

	if (!same) {
		while (cap < end)
			cap *= 2;
		if (cap != m->cap) {
			p = xmalloc(cap);
			if (*at != 0)
				memcpy(p, m->p, *at);
			free(m->p);
			m->p = p;
			m->cap = cap;
		}
		if (s.n != 0)
			memcpy(m->p + *at, s.p, s.n);
		m->p[end - 1] = '\n';
		m->n = end;
		m->valid = false;
	}
	*at = end;
	return same;
}

bool
memo_end(struct memo *m, size_t at)
{
	bool same = m->valid && at == m->n;

	m->n = at;
	m->valid = true;
	return same;
}
