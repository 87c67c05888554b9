/* What both programs are started with, and their deadline. */
#ifndef APPLETS_RUN_H
#define APPLETS_RUN_H

#include <stdint.h>

#include "supervisor/applets/question.h"

struct applet_run {
	const char *root;      /* before every path; "" for the real ones */
	const char *dir;       /* of the supervisor's sockets; below ROOT */
	unsigned port;	       /* of Tor's control port; 0: none */
	uint64_t begin_ms;     /* cli_now_ms() when the first of us began */
	enum applet applet;
	char *const *args;     /* behind the applet's name */
	struct question q;
};

/* From BEGIN on: for the supervisor, for Tor's socket, and in all. */
#define RUN_DAEMON_MS 200
#define RUN_SOCKET_MS 450
#define RUN_ALL_MS 700
/* Nothing of ours is to take so long: the process ends as unreachable. */
#define RUN_ALARM_MS 800

/*
 * Takes the command line and sets the alarm.  -1: go on; else the exit code,
 * what there is to say being said.
 */
int run_begin(struct applet_run *r, int argc, char **argv);

#endif
