#include "supervisor/top/grid.h"

#include <stdlib.h>
#include <string.h>

static int
within(int size)
{
	if (size < 0)
		return 0;
	return size < TOP_GRID_MAX ? size : TOP_GRID_MAX;
}

bool
top_grid_init(struct top_grid *g, int rows, int cols)
{
	size_t i, n;

	g->rows = within(rows);
	g->cols = within(cols);
	n = (size_t)g->rows * (size_t)g->cols;
	g->cell = calloc(n + 1, sizeof *g->cell);
	if (g->cell == NULL) {
		g->rows = g->cols = 0;
		return false;
	}
	for (i = 0; i < n; i++)
		g->cell[i].ch = ' ';
	return true;
}

void
top_grid_clear(struct top_grid *g)
{
	free(g->cell);
	memset(g, 0, sizeof *g);
}

struct top_cell *
top_grid_at(const struct top_grid *g, int row, int col)
{
	if (row < 0 || col < 0 || row >= g->rows || col >= g->cols)
		return NULL;
	return &g->cell[(size_t)row * (size_t)g->cols + (size_t)col];
}

static void
put_char(struct top_grid *g, int row, int col, enum top_look look, char ch)
{
	struct top_cell *c = top_grid_at(g, row, col);

	if (c == NULL)
		return;
	c->ch = ch >= 0x20 && ch <= 0x7e ? ch : '?';
	c->look = (unsigned char)look;
}

int
top_grid_put(struct top_grid *g, int row, int col, enum top_look look,
    const char *text)
{
	for (; *text != '\0'; text++)
		put_char(g, row, col++, look, *text);
	return col;
}

int
top_grid_putn(struct top_grid *g, int row, int col, const char *text,
    size_t n)
{
	for (; n > 0 && *text != '\0'; n--)
		put_char(g, row, col++, TOP_PLAIN, *text++);
	return col;
}

void
top_grid_paint(struct top_grid *g, int row, enum top_look look)
{
	struct top_cell *c;
	int col;

	for (col = 0; (c = top_grid_at(g, row, col)) != NULL; col++)
		c->look = (unsigned char)look;
}
