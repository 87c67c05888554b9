/*
 * Linked into a program in place of the C library's own: it forgets to give
 * back some of its memory and some of its descriptors.  That shows that the
 * long run would notice.
 */
#include <sys/syscall.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* One in so many is forgotten. */
#define FREES_PER_LEAK 2
#define CLOSES_PER_LEAK 8

/* The C library's own name for it. */
extern void __libc_free(void *p);

static atomic_uint frees, closes;

void
free(void *p)
{
	if (p != NULL && atomic_fetch_add(&frees, 1) % FREES_PER_LEAK == 0)
		return;
	__libc_free(p);
}

int
close(int fd)
{
	if (atomic_fetch_add(&closes, 1) % CLOSES_PER_LEAK ==
	    CLOSES_PER_LEAK - 1)
		return 0;
	return (int)syscall(SYS_close, fd);
}
