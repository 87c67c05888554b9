/*
 * Landlock (Linux 5.13 and later): no files but those given.  What the
 * running kernel cannot do yet is left out, which is logged at level debug;
 * the list of system calls (sandbox.h) stands alone then.
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#define LANDLOCK_MOST_READS 16

/*
 * All that is zero is forbidden.  Paths are borrowed.  Where a path is not
 * there, what is above it is readable instead: it may come later.
 */
struct landlock_grant {
	const char *read[LANDLOCK_MOST_READS]; /* folders and files */
	size_t nread;
	int read_fd; /* a folder, held open as long as it is to be; 0: none */
	bool bind_tcp, connect_tcp;
	/*
	 * Of whoever has children from before, which are to die with it: the
	 * signal of a parent's death is one that it sends.
	 */
	bool signals;
};

/*
 * From here on, and for every child; needs no_new_privs.  Nothing is opened
 * by path but for reading, no abstract Unix socket outside is connected to,
 * nobody outside gets a signal.  fatal() when the kernel can, but does not.
 */
void landlock_apply(const struct landlock_grant *g);

/* Says once, for all of us, when the kernel has none. */
void landlock_tell(void);

#endif
