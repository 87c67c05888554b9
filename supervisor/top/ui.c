#include "supervisor/top/ui.h"

#include <limits.h>
#include <string.h>

/* A step to the side shows half a word more. */
#define SIDE 8

static const struct {
	const char *verb, *question;
	int key;
} asks[TOP_NASK] = {
	[TOP_ASK_NONE] = { "", "", TOP_K_NONE },
	[TOP_ASK_HOLD] = { "hold", "Close the gate and keep it closed?",
	    'h' },
	[TOP_ASK_RELEASE] = { "release", "End the hold?", 'r' },
	[TOP_ASK_NEWNYM] = { "newnym",
	    "Have Tor use new circuits from now on?", 'n' },
};

void
top_ui_init(struct top_ui *ui)
{
	memset(ui, 0, sizeof *ui);
	ui->page = 1;
}

const char *
top_ask_verb(enum top_ask ask)
{
	return asks[(unsigned)ask < TOP_NASK ? ask : TOP_ASK_NONE].verb;
}

const char *
top_ask_question(enum top_ask ask)
{
	return asks[(unsigned)ask < TOP_NASK ? ask : TOP_ASK_NONE].question;
}

/* Layout bounds it from above, by what there is to be seen. */
static void
scroll(int *at, int by)
{
	if (by > 0 && *at > INT_MAX - by)
		*at = INT_MAX;
	else
		*at = *at + by > 0 ? *at + by : 0;
}

static void
turn(struct top_ui *ui, unsigned by)
{
	ui->pane = (enum top_pane)(((unsigned)ui->pane + by) % TOP_NPANE);
	ui->column = 0;
}

/* Keys that only change what is seen. */
static bool
look_around(struct top_ui *ui, int key)
{
	int *at = &ui->line[ui->pane];

	switch (key) {
	case TOP_K_UP:
	case 'k':
		scroll(at, -1);
		return true;
	case TOP_K_DOWN:
	case 'j':
		scroll(at, 1);
		return true;
	case TOP_K_PGUP:
		scroll(at, -ui->page);
		return true;
	case TOP_K_PGDN:
	case ' ':
		scroll(at, ui->page);
		return true;
	case TOP_K_HOME:
		*at = 0;
		return true;
	case TOP_K_END:
		*at = INT_MAX;
		return true;
	case TOP_K_LEFT:
		scroll(&ui->column, -SIDE);
		return true;
	case TOP_K_RIGHT:
		scroll(&ui->column, SIDE);
		return true;
	case '\t':
		turn(ui, 1);
		return true;
	case TOP_K_BACKTAB:
		turn(ui, TOP_NPANE - 1);
		return true;
	}
	return false;
}

/* Only "y" is a yes. */
static enum top_do
decide(struct top_ui *ui, int key)
{
	enum top_ask ask = ui->asking;

	ui->asking = TOP_ASK_NONE;
	if (key != 'y' && key != 'Y') {
		top_ui_answer(ui, "Nothing was done.");
		return TOP_DO_NOTHING;
	}
	ui->say[0] = '\0';
	ui->asked = ask;
	return TOP_DO_ASK;
}

static void
ask_for(struct top_ui *ui, int key)
{
	unsigned a;

	for (a = TOP_ASK_NONE + 1; a < TOP_NASK; a++) {
		if (key != asks[a].key)
			continue;
		if (ui->asked == TOP_ASK_NONE)
			ui->asking = (enum top_ask)a;
		return;
	}
}

enum top_do
top_ui_key(struct top_ui *ui, int key)
{
	if (key == TOP_K_NONE)
		return TOP_DO_NOTHING;
	if (key == TOP_K_REDRAW)
		return TOP_DO_REDRAW;
	if (ui->asking != TOP_ASK_NONE)
		return decide(ui, key);
	if (key == 'q' || key == 'Q')
		return TOP_DO_QUIT;
	if (key == '?' || ui->help) {
		ui->help = !ui->help;
		return TOP_DO_NOTHING;
	}
	if (!look_around(ui, key))
		ask_for(ui, key);
	return TOP_DO_NOTHING;
}

void
top_ui_answer(struct top_ui *ui, const char *text)
{
	ui->asked = TOP_ASK_NONE;
	cli_plain(ui->say, sizeof ui->say, text);
}
