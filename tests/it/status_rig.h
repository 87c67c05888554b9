/*
 * A portcullis-status under test: we are its keeper and its engine, with
 * both sockets in a directory of our own.  Everything fails the running
 * Check test when it does not work.
 */
#ifndef STATUS_RIG_H
#define STATUS_RIG_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "supervisor/snapshot.h"

/* Milliseconds, far more than anything takes on a busy machine. */
#define SOON 20000

struct rig {
	char dir[64];
	int status_fd, control_fd; /* listening, as the keeper holds them */
	int keeper;		   /* our end of the keeper's channel */
	int engine;		   /* our end of the engine's link; -1 */
	pid_t pid;
	uint64_t generation; /* of the table, in snapshots; 1 */

	pthread_t voice;      /* says LAST again and again while KEEPS */
	pthread_mutex_t lock; /* for LAST and KEEPS, and what ENGINE is then */
	struct snapshot last;
	bool keeps;
	atomic_bool ending;
};

/* FILES: the child's RLIMIT_NOFILE; 0: ours. */
void rig_start(struct rig *r, unsigned files);
void rig_spawn(struct rig *r, unsigned files); /* again, after rig_kill() */
void rig_kill(struct rig *r, int sig);
void rig_stop(struct rig *r); /* SIGTERM, expects exit code 0 */
/* The exit status as waitpid() has it; waits SECONDS at most. */
int rig_wait(struct rig *r, unsigned seconds);

/* A new engine's end; the old one is closed. */
void rig_link(struct rig *r);
void rig_hang_up(struct rig *r);
/*
 * Send a sample snapshot that is fresh now, in POSITION, with SEQ in a text:
 * once, so that the engine is silent after it.
 */
void rig_snapshot(struct rig *r, enum gate_position position, unsigned seq);
/* The same again and again, until something else is said or it is gone. */
void rig_keep(struct rig *r, enum gate_position position, unsigned seq);
/* With a link if there is none; until it is told, and kept. */
void rig_settle(struct rig *r, enum gate_position position);
/* The next verb; false: none within MS. */
bool rig_verb(struct rig *r, struct snap_verb *v, int ms);
void rig_result(struct rig *r, uint64_t id, bool ok, const char *text);
/* The same, with more to follow. */
void rig_more(struct rig *r, uint64_t id, bool ok, const char *text);

void rig_page(struct rig *r, const struct snap_page *p);
/* The whole sample table; and one line of it in STATE. */
void rig_table(struct rig *r, unsigned total);
void rig_change(struct rig *r, unsigned total, unsigned number,
    enum snap_listener_state state);

/* A blocking client of NAME. */
int rig_connect(const struct rig *r, const char *name);
/* The next line, parsed; NULL: end, or nothing within MS. */
json_t *rig_line(int fd, int ms);
/* Read lines until "position" is POSITION; false: not within MS. */
bool rig_until(int fd, const char *position, int ms);
/* Read lines until reason.text is TEXT. */
bool rig_until_text(int fd, const char *text, int ms);
/* LINE, which is taken, has WANT under KEY. */
void rig_expect(json_t *line, const char *key, const char *want);
void rig_say(int fd, const char *text);
/* Discards what is there; true once the other side has closed. */
bool rig_closed(int fd, int ms);

#endif
