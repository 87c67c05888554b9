#include "supervisor/top/screen.h"

#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#include "supervisor/top/ui.h"

static SCREEN *screen;
static volatile sig_atomic_t resized;
static chtype looks[TOP_NLOOK];

static bool
is_colour_wanted(void)
{
	const char *no = getenv("NO_COLOR");

	return has_colors() && (no == NULL || no[0] == '\0');
}

static void
choose_looks(void)
{
	looks[TOP_PLAIN] = A_NORMAL;
	looks[TOP_STRONG] = A_BOLD;
	looks[TOP_BAR] = A_REVERSE;
	looks[TOP_GOOD] = looks[TOP_BAD] = looks[TOP_DOUBT] = A_BOLD;
	if (!is_colour_wanted() || start_color() == ERR)
		return;
	/* Without it the background is black, which will do. */
	(void)use_default_colors();
	(void)init_pair(TOP_GOOD, COLOR_GREEN, -1);
	(void)init_pair(TOP_BAD, COLOR_RED, -1);
	(void)init_pair(TOP_DOUBT, COLOR_YELLOW, -1);
	looks[TOP_GOOD] |= (chtype)COLOR_PAIR(TOP_GOOD);
	looks[TOP_BAD] |= (chtype)COLOR_PAIR(TOP_BAD);
	looks[TOP_DOUBT] |= (chtype)COLOR_PAIR(TOP_DOUBT);
}

/* newterm() itself ends the program for some terminals that it cannot use. */
static bool
can_place_cursor(void)
{
	int found = 0;
	bool can;

	if (setupterm(NULL, STDOUT_FILENO, &found) != OK)
		return false;
	can = cursor_address != NULL;
	/* Looked at only: newterm() makes its own. */
	(void)del_curterm(cur_term);
	return can;
}

static void
on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

/* Curses of its own accord takes any size, and dies of some: 40000 rows. */
static void
take_size(void)
{
	struct winsize w;

	resized = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == -1 || w.ws_row == 0 ||
	    w.ws_col == 0)
		return;
	/* Without memory the old size stays. */
	(void)resizeterm(w.ws_row < TOP_GRID_MAX ? w.ws_row : TOP_GRID_MAX,
	    w.ws_col < TOP_GRID_MAX ? w.ws_col : TOP_GRID_MAX);
}

const char *
top_screen_open(void)
{
	const struct sigaction sa = { .sa_handler = on_resize };

	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		return "This needs a terminal; without one, use watch.";
	if (!can_place_cursor())
		return "This terminal (TERM) cannot place its cursor; use "
		    "watch.";
	/* Curses leaves a handler alone that is there before it. */
	if (sigaction(SIGWINCH, &sa, NULL) == -1)
		return "Signals cannot be caught.";
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL)
		return "This terminal cannot be used; use watch.";
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)curs_set(0);
	set_escdelay(50);
	choose_looks();
	return NULL;
}

void
top_screen_close(void)
{
	if (screen == NULL)
		return;
	(void)endwin();
	delscreen(screen);
	screen = NULL;
}

void
top_screen_size(int *rows, int *cols)
{
	getmaxyx(stdscr, *rows, *cols);
}

void
top_screen_draw(const struct top_grid *g)
{
	const struct top_cell *c;
	int row, col;

	for (row = 0; row < g->rows; row++)
		for (col = 0; (c = top_grid_at(g, row, col)) != NULL; col++)
			/* The last cell is written; ERR is of the cursor. */
			(void)mvaddch(row, col, (chtype)(unsigned char)c->ch |
			    looks[c->look]);
	(void)refresh();
}

void
top_screen_redraw(void)
{
	(void)clearok(stdscr, TRUE);
}

int
top_screen_key(void)
{
	static const struct {
		int code, key;
	} keys[] = {
		{ KEY_UP, TOP_K_UP }, { KEY_DOWN, TOP_K_DOWN },
		{ KEY_LEFT, TOP_K_LEFT }, { KEY_RIGHT, TOP_K_RIGHT },
		{ KEY_PPAGE, TOP_K_PGUP }, { KEY_NPAGE, TOP_K_PGDN },
		{ KEY_HOME, TOP_K_HOME }, { KEY_END, TOP_K_END },
		{ KEY_BTAB, TOP_K_BACKTAB }, { '\f', TOP_K_REDRAW },
		{ KEY_RESIZE, TOP_K_REDRAW },
	};
	size_t i;
	int code;

	if (resized != 0)
		take_size();
	code = getch();

	if (code == ERR)
		return -1;
	for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (code == keys[i].code)
			return keys[i].key;
	return code < TOP_K_NONE ? code : TOP_K_NONE;
}
