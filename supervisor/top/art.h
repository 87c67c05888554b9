/* The gate as a picture.  Pure. */
#ifndef TOP_ART_H
#define TOP_ART_H

#include "supervisor/top/grid.h"
#include "supervisor/top/view.h"

#define TOP_ART_ROWS 9
#define TOP_ART_COLS 23

/* Bars down unless it is open; half way for time-sync. */
void top_art_draw(struct top_grid *g, int row, int col, enum top_pos pos);

enum top_look top_pos_look(enum top_pos pos);

#endif
