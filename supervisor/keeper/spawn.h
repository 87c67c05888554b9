/*
 * Starting one child: its user, its descriptors, its program; and its end.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <stddef.h>
#include <sys/types.h>

struct pol_policy;

/* Descriptors above the keeper channel, in LINK_POLICY_FD's order. */
#define SPAWN_MAX_FDS 3
#define SPAWN_MAX_ARGS 2

struct spawn {
	const char *program; /* path; NULL: run gate_main() without exec */
	const char *arguments[SPAWN_MAX_ARGS]; /* NULL: no more */
	const struct pol_policy *policy;
	uid_t uid;
	gid_t gid;
	gid_t group; /* one supplementary group; equal to gid for none */
	int channel; /* the child's end; becomes LINK_KEEPER_FD */
	int fds[SPAWN_MAX_FDS]; /* become LINK_POLICY_FD and up */
	size_t nfds;
};

/*
 * The policy as the children get it: canonical text with users as numbers, in
 * memory that nobody can change any more.  Ends the process on failure.
 */
int spawn_policy_fd(const struct pol_policy *policy);

/* The child's pid, or -1 and errno. */
pid_t spawn_child(const struct spawn *s);

/* What became of the child NAME, by its status of wait(2), to the log. */
void spawn_log_end(const char *name, pid_t pid, int status);

/* Those that the keeper reads, from a signalfd that it returns; SIGPIPE off. */
int spawn_take_signals(void);

#endif
