/* A text as an array of lines, written through a stream. */
#ifndef TOP_TEXT_H
#define TOP_TEXT_H

#include <stddef.h>
#include <stdio.h>

struct top_text {
	FILE *out;   /* between top_text_begin() and top_text_end() only */
	char *buf;   /* owned */
	size_t len;
	char **line; /* owned; each NUL-terminated, within BUF */
	size_t n;
};

void top_text_init(struct top_text *t);
void top_text_clear(struct top_text *t); /* frees what T owns */

/* What was in T goes; write to the result.  NULL when memory is out. */
FILE *top_text_begin(struct top_text *t) __attribute__((warn_unused_result));

/* T's lines are there.  When memory ran out, T is empty. */
void top_text_end(struct top_text *t);

/*
 * How many octets of SRC, blanks behind them not counted, go into a line of
 * WIDTH: whole words, unless there is none so short.  *NEXT is what follows.
 */
size_t top_text_wrap(const char *src, size_t width, const char **next);

#endif
