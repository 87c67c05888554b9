/*
 * The lists: rows of calls, in groups that programs share.
 */
#ifndef SANDBOX_TABLE_H
#define SANDBOX_TABLE_H

#include <seccomp.h>
#include <stddef.h>

#include "supervisor/sandbox/sandbox.h"

#define SANDBOX_MOST_CMP 3

struct sandbox_row {
	const char *why;
	int call;  /* libseccomp's number: negative where there is none */
	int error; /* 0: allowed; else what it answers instead */
	unsigned n;
	struct scmp_arg_cmp cmp[SANDBOX_MOST_CMP]; /* all of them hold */
};

struct sandbox_group {
	const struct sandbox_row *row;
	size_t n;
};

/* The groups of WHO, up to one whose rows are NULL. */
const struct sandbox_group *sandbox_groups(enum sandbox_program who);

#endif
