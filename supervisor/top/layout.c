#include "supervisor/top/layout.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/top/art.h"

/* From these on the gate is drawn, with the sentences beside it. */
#define ART_ROWS 20
#define ART_COLS 72
#define ART_LEFT 1
#define BESIDE_ART (ART_LEFT + TOP_ART_COLS + 2)
/* A sentence and advice have two rows each beside it; then come labels. */
#define LABELS_ROW 6
#define LABEL 11
/* Without it: advice and the listeners are left out of what is smaller. */
#define ADVICE_ROWS 14
#define LISTENERS_ROWS 12
/* The progress bar, and what is beside it. */
#define BAR_MAX 30
#define BAR_MIN 5
#define BESIDE_BAR 31 /* brackets, "100 % ", "requesting_descriptors" */
#define SAY_ROWS 3

static const char *const pane_names[TOP_NPANE] = {
	[TOP_LISTENERS] = "Listeners",
	[TOP_WAYS] = "Ways out",
	[TOP_PAST] = "History",
	[TOP_DETAILS] = "Details",
};

static const char *const help_lines[] = {
	"h  hold: close, and keep it closed",
	"r  release: end a hold",
	"n  newnym: Tor uses new circuits",
	"Tab, Shift-Tab: another pane",
	"arrows, PgUp, PgDn, Home, End: scroll",
	"+ before a fact: it is proven",
	"^L draw anew   any key: back   q quit",
};

static const char keys_line[] =
    "q quit  ? help  Tab pane  h hold  r release  n newnym  arrows scroll";

/* Where sentences go: from ROW down, from LEFT on. */
struct column {
	struct top_grid *g;
	int row, left;
};

static void
put_label(struct column *c, const char *label, const char *text)
{
	top_grid_put(c->g, c->row, c->left, TOP_PLAIN, label);
	top_grid_put(c->g, c->row++, c->left + LABEL, TOP_PLAIN, text);
}

/* In at most MOST rows; dots stand for what does not go in. */
static void
put_wrapped(struct column *c, const char *text, int most)
{
	size_t n, width = (size_t)(c->g->cols - c->left - 1);
	const char *next;

	for (; most > 0 && *text != '\0'; most--, text = next) {
		n = top_text_wrap(text, width, &next);
		top_grid_putn(c->g, c->row, c->left, text, n);
		if (most == 1 && *next != '\0')
			top_grid_put(c->g, c->row, c->g->cols - 4, TOP_PLAIN,
			    "...");
		c->row++;
	}
}

static int
wrapped_rows(const char *text, size_t width, int most)
{
	int n;

	for (n = 0; n < most && *text != '\0'; n++)
		(void)top_text_wrap(text, width, &text);
	return n;
}

static void
put_title(struct top_grid *g, const struct top_view *v, uint64_t now_ms)
{
	uint64_t age = now_ms > v->at_ms ? (now_ms - v->at_ms) / 1000 : 0;
	const struct top_head *h = &v->head;
	char left[CLI_TEXT_CAP + 32], right[48];
	int col;

	(void)snprintf(left, sizeof left, "%s%s%s%s%s",
	    g->cols >= ART_COLS ? "portcullis  " : "",
	    top_pos_name(h->pos), h->hold ? ", held" : "",
	    h->since[0] != '\0' ? " since " : "", h->since);
	if (v->known)
		(void)snprintf(right, sizeof right, "told %llu s ago",
		    (unsigned long long)age);
	else
		(void)snprintf(right, sizeof right, "no answer");
	top_grid_put(g, 0, 1, TOP_PLAIN, left);
	col = g->cols - 1 - (int)strlen(right);
	if (col > (int)strlen(left) + 2)
		top_grid_put(g, 0, col, TOP_PLAIN, right);
	top_grid_paint(g, 0, TOP_BAR);
}

static void
put_bootstrap(struct column *c, const struct top_head *h)
{
	int col = c->left + LABEL, width = c->g->cols - col - BESIDE_BAR, i;
	enum top_look look = h->stalled ? TOP_DOUBT : TOP_PLAIN;
	char text[CLI_TEXT_CAP];

	if (!h->has_progress) {
		put_label(c, "Bootstrap", "not known");
		return;
	}
	top_grid_put(c->g, c->row, c->left, TOP_PLAIN, "Bootstrap");
	width = width < BAR_MAX ? width : BAR_MAX;
	if (width >= BAR_MIN) {
		col = top_grid_put(c->g, c->row, col, look, "[");
		for (i = 0; i < width; i++)
			col = top_grid_put(c->g, c->row, col, look,
			    i < width * h->progress / 100 ? "#" : ".");
		col = top_grid_put(c->g, c->row, col, look, "] ");
	}
	(void)snprintf(text, sizeof text, "%d %% %.200s", h->progress,
	    h->tag);
	top_grid_put(c->g, c->row++, col, look, text);
}

/* Below the bar: the worse news. */
static void
put_boot_text(struct column *c, const struct top_head *h)
{
	char text[2 * CLI_TEXT_CAP];

	(void)snprintf(text, sizeof text, "%s%s", h->stalled ? "stalled: " :
	    "", h->warning[0] != '\0' ? h->warning : h->summary);
	put_label(c, "", text);
}

static void
put_facts(struct column *c, const struct top_view *v)
{
	char text[CLI_TEXT_CAP];
	int col = c->left;
	unsigned f;

	for (f = 0; f < SNAP_NFACT; f++) {
		bool is = (v->head.facts & (1u << f)) != 0;

		(void)snprintf(text, sizeof text, "%c%s", is ? '+' :
		    v->known ? '-' : '?', snap_fact_name((enum snap_fact)f));
		col = top_grid_put(c->g, c->row, col, is ? TOP_GOOD :
		    TOP_DOUBT, text) + 1;
	}
	c->row++;
}

/* With the gate beside it; the first row that is free. */
static int
put_roomy_head(struct top_grid *g, const struct top_view *v)
{
	struct column c = { .g = g, .row = 1, .left = BESIDE_ART };
	const struct top_head *h = &v->head;
	char text[3 * CLI_TEXT_CAP];

	top_art_draw(g, 1, ART_LEFT, h->pos);
	top_grid_put(g, c.row++, c.left, top_pos_look(h->pos),
	    top_pos_sentence(h->pos));
	put_wrapped(&c, h->reason, 2);
	put_wrapped(&c, h->advice, LABELS_ROW - c.row);
	c.row = LABELS_ROW;
	put_bootstrap(&c, h);
	put_boot_text(&c, h);
	put_label(&c, "Lease", h->lease);
	put_label(&c, "Listeners", h->listeners);
	c.left = ART_LEFT;
	(void)snprintf(text, sizeof text, "Tor %s   Closes %s", h->tor,
	    h->closes);
	top_grid_put(g, c.row++, c.left, TOP_PLAIN, text);
	put_facts(&c, v);
	return c.row;
}

static int
put_tight_head(struct top_grid *g, const struct top_view *v)
{
	struct column c = { .g = g, .row = 1, .left = 1 };
	const struct top_head *h = &v->head;

	top_grid_put(g, c.row++, c.left, top_pos_look(h->pos),
	    top_pos_sentence(h->pos));
	put_wrapped(&c, h->reason, 1);
	if (g->rows >= ADVICE_ROWS)
		put_wrapped(&c, h->advice, 1);
	put_bootstrap(&c, h);
	if (g->rows >= LISTENERS_ROWS) {
		put_label(&c, "Listeners", h->listeners);
		put_label(&c, "Lease", h->lease);
	}
	return c.row;
}

/* Not beyond the end, and to where the last page is full. */
static void
bound_scroll(struct top_ui *ui, const struct top_text *t)
{
	int *at = &ui->line[ui->pane], most = (int)t->n - ui->page;
	size_t i, width = 0;

	most = most > 0 ? most : 0;
	*at = *at < most ? *at : most;
	for (i = 0; i < t->n; i++)
		width = strlen(t->line[i]) > width ? strlen(t->line[i]) :
		    width;
	if (ui->column > 0 && (size_t)ui->column >= width)
		ui->column = width > 0 ? (int)width - 1 : 0;
}

static void
put_tabs(struct top_grid *g, int row, const struct top_ui *ui, int total)
{
	char text[64];
	int col = 1, first = ui->line[ui->pane], last = first + ui->page;
	unsigned p;

	for (p = 0; p < TOP_NPANE; p++) {
		bool here = p == (unsigned)ui->pane;

		(void)snprintf(text, sizeof text, here ? "[%s]" : " %s ",
		    pane_names[p]);
		col = top_grid_put(g, row, col, TOP_PLAIN, text);
	}
	last = last < total ? last : total;
	(void)snprintf(text, sizeof text, "%d-%d of %d", first + 1, last,
	    total);
	if (total > ui->page && g->cols - 1 - (int)strlen(text) > col)
		top_grid_put(g, row, g->cols - 1 - (int)strlen(text),
		    TOP_PLAIN, text);
	top_grid_paint(g, row, TOP_BAR);
}

static void
put_pane(struct top_grid *g, int row, const struct top_view *v,
    struct top_ui *ui)
{
	const struct top_text *t = &v->pane[ui->pane];
	size_t at, column;
	int i;

	bound_scroll(ui, t);
	put_tabs(g, row++, ui, (int)t->n);
	column = (size_t)ui->column;
	for (i = 0; i < ui->page; i++) {
		at = (size_t)ui->line[ui->pane] + (size_t)i;
		if (at < t->n && strlen(t->line[at]) > column)
			top_grid_put(g, row + i, 1, TOP_PLAIN,
			    t->line[at] + column);
	}
}

static void
put_help(struct top_grid *g)
{
	int i, n = sizeof help_lines / sizeof help_lines[0];

	for (i = 0; i < n; i++)
		top_grid_put(g, 1 + i, 1, TOP_PLAIN, help_lines[i]);
}

/* A question, what is waited for, or the last answer. */
static void
say_text(char dst[TOP_SAY_CAP], const struct top_ui *ui)
{
	if (ui->asking != TOP_ASK_NONE)
		(void)snprintf(dst, TOP_SAY_CAP, "%s  y/n",
		    top_ask_question(ui->asking));
	else if (ui->asked != TOP_ASK_NONE)
		(void)snprintf(dst, TOP_SAY_CAP, "Asked for %s ...",
		    top_ask_verb(ui->asked));
	else
		cli_plain(dst, TOP_SAY_CAP, ui->say);
}

static void
put_too_small(struct top_grid *g)
{
	/* The numbers first: more of it may not go in. */
	top_grid_put(g, 0, 0, TOP_PLAIN, "40x10 needed: too small a screen");
}

void
top_layout(struct top_grid *g, const struct top_view *v, struct top_ui *ui,
    uint64_t now_ms)
{
	struct column c = { .g = g, .left = 1 };
	char say[TOP_SAY_CAP];
	int row, rows;

	if (g->rows < TOP_MIN_ROWS || g->cols < TOP_MIN_COLS) {
		put_too_small(g);
		return;
	}
	say_text(say, ui);
	rows = wrapped_rows(say, (size_t)(g->cols - 2), SAY_ROWS);
	c.row = g->rows - 1 - (rows > 0 ? rows : 1);
	put_title(g, v, now_ms);
	if (ui->help) {
		put_help(g);
	} else {
		row = g->rows >= ART_ROWS && g->cols >= ART_COLS ?
		    put_roomy_head(g, v) : put_tight_head(g, v);
		ui->page = c.row - row - 1 > 0 ? c.row - row - 1 : 0;
		put_pane(g, row, v, ui);
	}
	row = c.row;
	put_wrapped(&c, say, SAY_ROWS);
	for (; row < c.row && ui->asking != TOP_ASK_NONE; row++)
		top_grid_paint(g, row, TOP_STRONG);
	top_grid_put(g, g->rows - 1, 1, TOP_PLAIN, keys_line);
}
