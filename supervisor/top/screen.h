/* The terminal, by way of curses; nothing else here knows of curses. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>

#include "supervisor/top/grid.h"

/* NULL, or a sentence why this terminal cannot be used. */
const char *top_screen_open(void) __attribute__((warn_unused_result));
/* The terminal is as it was before; does no harm twice. */
void top_screen_close(void);

/* As the terminal is now. */
void top_screen_size(int *rows, int *cols);

/* Show G; only what differs from before goes out. */
void top_screen_draw(const struct top_grid *g);
/* The next drawing sends all of it. */
void top_screen_redraw(void);

/* A character or an enum top_key; -1: no key is pressed. */
int top_screen_key(void);

#endif
