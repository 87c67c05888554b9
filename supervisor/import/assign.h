/*
 * The simple assignments of a shell fragment, read and never run:
 *
 *	NAME=word  NAME="text"  NAME='text'  NAME+=" text"  NAME="$NAME text"
 *
 * with "export" before it, a semicolon or a comment behind it.  Whatever else
 * stands there, and an assignment that depends on a condition, is told as what
 * it is: something that only a shell can tell.  Pure.
 */
#ifndef IMPORT_ASSIGN_H
#define IMPORT_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_NAME_LEN 64
#define IMPORT_VALUE_LEN 1024

enum import_found {
	IMPORT_END = 0,
	IMPORT_ASSIGNMENT,
	IMPORT_SHELL, /* a line that is no simple assignment; see NAME */
};

struct import_text {
	const char *p, *end;
	size_t line; /* number of the line at P, from 1 */
	unsigned depth; /* of if, for, while, case, { that are still open */
};

struct import_assign {
	size_t line;
	bool inner;  /* something round it is still open */
	bool append; /* += or a value that begins with the variable itself */
	char name[IMPORT_NAME_LEN]; /* IMPORT_SHELL: empty if none is set */
	char value[IMPORT_VALUE_LEN];
};

/* TEXT is borrowed. */
void import_text_init(struct import_text *t, const char *text, size_t len);

/* The next of both kinds. */
enum import_found import_assign_next(struct import_text *t,
    struct import_assign *out);

#endif
