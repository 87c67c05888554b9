/*
 * In gatedrv-memory, in malloc's place: once the gate has locked itself down
 * it takes no memory and gives none back.  Its list of system calls keeps it
 * from getting more of the kernel; this is about what it has already.
 *
 * Whatever does, anywhere in the process, is told, and ends it.  With
 * GATE_MEMORY in the environment it does so itself, to show that it is seen.
 */
#include "config.h" /* _GNU_SOURCE */

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/sandbox/sandbox.h"

/* glibc's own, whatever malloc is. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

int __real_sandbox_enter(const struct sandbox_code *c);
int __wrap_sandbox_enter(const struct sandbox_code *c);

/* What gate_memory.sh looks for. */
static const char told[] = "gate_memory: memory after lock-down\n";
static bool locked;

static void
check(void)
{
	if (!locked)
		return;
	(void)!write(STDERR_FILENO, told, sizeof told - 1);
	_exit(99);
}

void *
malloc(size_t n)
{
	check();
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	check();
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	check();
	return __libc_realloc(p, n);
}

void
free(void *p)
{
	check();
	__libc_free(p);
}

int
__wrap_sandbox_enter(const struct sandbox_code *c)
{
	int rc = __real_sandbox_enter(c);
	void *volatile p;

	locked = true;
	if (getenv("GATE_MEMORY") != NULL) {
		p = malloc(1);
		free(p);
	}
	return rc;
}
