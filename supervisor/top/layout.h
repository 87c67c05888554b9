/*
 * The screen of "portcullis top": a view and what is done with it, as
 * characters in a grid.  Pure.
 */
#ifndef TOP_LAYOUT_H
#define TOP_LAYOUT_H

#include <stdint.h>

#include "supervisor/top/grid.h"
#include "supervisor/top/ui.h"
#include "supervisor/top/view.h"

/* On anything smaller there is one line that says so. */
#define TOP_MIN_ROWS 10
#define TOP_MIN_COLS 40

/*
 * Fill G, which is blank.  UI learns how many lines a page has, and is bound
 * to what there is to be seen.
 */
void top_layout(struct top_grid *g, const struct top_view *v,
    struct top_ui *ui, uint64_t now_ms);

#endif
