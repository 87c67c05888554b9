#include "config.h" /* _GNU_SOURCE */

#include "tests/unit/top_sample.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

json_t *
top_sample_line(const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[1024];
	json_t *line;

	(void)snprintf(path, sizeof path, "%s/tests/golden/top/%s.json",
	    top != NULL ? top : ".", name);
	line = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(line != NULL, "cannot read %s", path);
	return line;
}

char *
top_sample_text(const struct top_grid *g)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int row, col, last;

	ck_assert_ptr_nonnull(out);
	for (row = 0; row < g->rows; row++) {
		last = g->cols;
		while (last > 0 && top_grid_at(g, row, last - 1)->ch == ' ')
			last--;
		for (col = 0; col < last; col++)
			fputc(top_grid_at(g, row, col)->ch, out);
		fputc('\n', out);
	}
	ck_assert_int_eq(fclose(out), 0);
	return text;
}
