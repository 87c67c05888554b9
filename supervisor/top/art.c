#include "supervisor/top/art.h"

#include <string.h>

/* What is between the walls, from the lintel to the ground. */
#define INNER_ROWS 6
#define INNER_COL 3

/* clang-format off */
static const char *const walls[TOP_ART_ROWS] = {
	"|^|_|^|_|^|_|^|_|^|_|^|",
	"|  .---------------.  |",
	"|  |               |  |",
	"|  |               |  |",
	"|  |               |  |",
	"|  |               |  |",
	"|  |               |  |",
	"|  |               |  |",
	"|__|_______________|__|",
};

static const char *const bars[TOP_NPOS][INNER_ROWS] = {
	[TOP_UNKNOWN] = {
		"|?  ?  ?  ?  ?  |",
		"|  ?  ?  ?  ?  ?|",
		"|?  ?  ?  ?  ?  |",
		"|  ?  ?  ?  ?  ?|",
		"|?  ?  ?  ?  ?  |",
		"|  ?  ?  ?  ?  ?|",
	},
	[TOP_CLOSED] = {
		"|-+--+--+--+--+-|",
		"| |  |  |  |  | |",
		"|-+--+--+--+--+-|",
		"| |  |  |  |  | |",
		"|-+--+--+--+--+-|",
		"| V  V  V  V  V |",
	},
	[TOP_TOR_ONLY] = {
		"|-+--+--+--+--+-|",
		"| |  |  |  |  | |",
		"|-+--+--+--+--+-|",
		"| |  |  |  |  | |",
		"|-+--+--+--+--+-|",
		"| V  V  V  V  V |",
	},
	[TOP_SYNC] = {
		"|-+--+--+--+--+-|",
		"| |  |  |  |  | |",
		"|-+--+--+--+--+-|",
		"| V  V  V  V  V |",
		"|               |",
		"|               |",
	},
	[TOP_OPEN] = {
		"| V  V  V  V  V |",
		"|               |",
		"|               |",
		"|               |",
		"|               |",
		"|               |",
	},
};
/* clang-format on */

enum top_look
top_pos_look(enum top_pos pos)
{
	switch (pos) {
	case TOP_OPEN:
		return TOP_GOOD;
	case TOP_CLOSED:
		return TOP_BAD;
	case TOP_TOR_ONLY:
	case TOP_SYNC:
	case TOP_UNKNOWN:
	case TOP_NPOS:
		break;
	}
	return TOP_DOUBT;
}

void
top_art_draw(struct top_grid *g, int row, int col, enum top_pos pos)
{
	const char *name = top_pos_name(pos);
	int i, mid;

	for (i = 0; i < TOP_ART_ROWS; i++)
		top_grid_put(g, row + i, col, TOP_PLAIN, walls[i]);
	for (i = 0; i < INNER_ROWS; i++)
		top_grid_put(g, row + 2 + i, col + INNER_COL,
		    top_pos_look(pos), bars[pos][i]);
	mid = (TOP_ART_COLS - (int)strlen(name)) / 2;
	top_grid_put(g, row + TOP_ART_ROWS - 1, col + mid, top_pos_look(pos),
	    name);
}
