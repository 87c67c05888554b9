#include "config.h" /* _GNU_SOURCE */

#include "supervisor/top/text.h"

#include <stdlib.h>
#include <string.h>

void
top_text_init(struct top_text *t)
{
	memset(t, 0, sizeof *t);
}

void
top_text_clear(struct top_text *t)
{
	free(t->line);
	free(t->buf);
	top_text_init(t);
}

FILE *
top_text_begin(struct top_text *t)
{
	top_text_clear(t);
	t->out = open_memstream(&t->buf, &t->len);
	return t->out;
}

static size_t
count_lines(const char *s)
{
	size_t n = 0;

	for (; (s = strchr(s, '\n')) != NULL; s++)
		n++;
	return n;
}

void
top_text_end(struct top_text *t)
{
	char *s, *nl;

	if (fclose(t->out) == EOF || t->buf == NULL) {
		top_text_clear(t);
		return;
	}
	t->out = NULL;
	t->line = calloc(count_lines(t->buf) + 1, sizeof *t->line);
	if (t->line == NULL) {
		top_text_clear(t);
		return;
	}
	for (s = t->buf; (nl = strchr(s, '\n')) != NULL; s = nl + 1) {
		*nl = '\0';
		t->line[t->n++] = s;
	}
}

size_t
top_text_wrap(const char *src, size_t width, const char **next)
{
	size_t n = strlen(src), i;

	if (n > width) {
		n = width;
		for (i = width; i > 0; i--)
			if (src[i] == ' ') {
				n = i;
				break;
			}
	}
	*next = src + n;
	while (**next == ' ')
		(*next)++;
	while (n > 0 && src[n - 1] == ' ')
		n--;
	return n;
}
