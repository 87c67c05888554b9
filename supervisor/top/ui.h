/* What a person does at "portcullis top".  Pure. */
#ifndef TOP_UI_H
#define TOP_UI_H

#include <stdbool.h>

#include "supervisor/top/view.h"

#define TOP_SAY_CAP 512

/* Beside characters, which are themselves. */
enum top_key { TOP_K_NONE = 256, TOP_K_UP, TOP_K_DOWN, TOP_K_LEFT,
	TOP_K_RIGHT, TOP_K_PGUP, TOP_K_PGDN, TOP_K_HOME, TOP_K_END,
	TOP_K_BACKTAB, TOP_K_REDRAW };

enum top_do { TOP_DO_NOTHING = 0, TOP_DO_QUIT, TOP_DO_ASK, TOP_DO_REDRAW };

/* What may be asked of the supervisor; all zero: nothing. */
enum top_ask { TOP_ASK_NONE = 0, TOP_ASK_HOLD, TOP_ASK_RELEASE,
	TOP_ASK_NEWNYM, TOP_NASK };

struct top_ui {
	enum top_pane pane;
	int line[TOP_NPANE]; /* the first that is seen; layout bounds it */
	int column;	     /* the same to the side, of every pane */
	int page;	     /* lines that are seen at a time; layout's */
	bool help;
	enum top_ask asking; /* "y" has it asked */
	enum top_ask asked;  /* no answer has come to it */
	char say[TOP_SAY_CAP]; /* the last answer, or "" */
};

void top_ui_init(struct top_ui *ui);

/* KEY is pressed.  TOP_DO_ASK: send what ui->asked has. */
enum top_do top_ui_key(struct top_ui *ui, int key);

/* The answer to what was asked, or why there is none. */
void top_ui_answer(struct top_ui *ui, const char *text);

/* "hold"; "" for TOP_ASK_NONE and beyond TOP_NASK. */
const char *top_ask_verb(enum top_ask ask);
/* "Close the gate and keep it closed?" */
const char *top_ask_question(enum top_ask ask);

#endif
