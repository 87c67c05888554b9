/*
 * A screen as an array of characters.  Pure.  Writing beyond an edge is cut:
 * no text, size or place can make these fail.
 */
#ifndef TOP_GRID_H
#define TOP_GRID_H

#include <stdbool.h>
#include <stddef.h>

/* No terminal is larger; a size that is comes from a defect. */
#define TOP_GRID_MAX 512

/* What a cell looks like; what stands in it says as much without. */
enum top_look { TOP_PLAIN = 0, TOP_STRONG, TOP_BAR, TOP_GOOD, TOP_BAD,
	TOP_DOUBT, TOP_NLOOK };

struct top_cell {
	char ch; /* printable ASCII */
	unsigned char look;
};

struct top_grid {
	int rows, cols;
	struct top_cell *cell; /* owned; row by row */
};

/*
 * Blank; the sizes are cut to 0 and TOP_GRID_MAX.  False: no memory, and G
 * has no rows.
 */
bool top_grid_init(struct top_grid *g, int rows, int cols)
    __attribute__((warn_unused_result));
void top_grid_clear(struct top_grid *g);

/* NULL beyond an edge. */
struct top_cell *top_grid_at(const struct top_grid *g, int row, int col);

/* TEXT from ROW, COL on; returns the column behind it, as if none was cut. */
int top_grid_put(struct top_grid *g, int row, int col, enum top_look look,
    const char *text);
/* Its first N octets. */
int top_grid_putn(struct top_grid *g, int row, int col, const char *text,
    size_t n);

/* The whole row looks like LOOK; what stands in it stays. */
void top_grid_paint(struct top_grid *g, int row, enum top_look look);

#endif
