/*
 * In the place of portcullis-engine: asks the keeper for owners and logs what
 * comes back.  What to do stands in the file "question" beside the program:
 *
 *	ask UID INODE COUNT	that many questions, 10 ms apart
 *	forge WHICH		a message that the keeper must not take
 *	last COUNT		that many questions, a hold, and it ends
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/links.h"

#define PAUSE_MS 10
#define MOMENT_MS 1500

static FILE *
open_question(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
	char *slash;

	if (n == -1)
		return NULL;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return NULL;
	strcpy(slash, "/question");
	return fopen(path, "re");
}

/* False when the keeper is gone. */
static int
listen_for(int ms)
{
	struct pollfd pfd = { LINK_KEEPER_FD, POLLIN, 0 };
	enum link_peer peer;
	struct link_said said;
	const struct link_owner *o = &said.owner;
	int fd;

	if (poll(&pfd, 1, ms) <= 0)
		return 1;
	switch (link_recv_engine(&peer, &fd, &said)) {
	case LINK_LOST:
		return 0;
	case LINK_NOTHING:
		break;
	case LINK_HANDED: /* stays open: the gate waits for us in vain */
		break;
	case LINK_OWNER:
		fprintf(stderr, "answer uid=%u inode=%llu pid=%d\n", o->uid,
		    (unsigned long long)o->inode, o->pid);
		break;
	case LINK_KEPT: /* it was never asked for */
	case LINK_SEEN:
		return 0;
	}
	return 1;
}

static int
forge(int which)
{
	struct link_owner q[2] = { { LINK_OWNER_MAGIC, 1, 1, 0, 0 },
		{ LINK_OWNER_MAGIC, 1, 1, 0, 0 } };
	size_t n = sizeof q[0];

	switch (which) {
	case 0:
		q[0].magic++;
		break;
	case 1:
		q[0].reserved = 1;
		break;
	case 2:
		q[0].pid = 1;
		break;
	case 3:
		q[0].uid = UINT32_MAX;
		break;
	case 4:
		n--;
		break;
	case 5:
		n = sizeof q;
		break;
	}
	return send(LINK_KEEPER_FD, q, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

/* After a moment, in which somebody may stop the keeper. */
static int
last_words(unsigned count)
{
	const struct link_owner q = { LINK_OWNER_MAGIC, 1, 1, 0, 0 };
	const struct link_ask hold = { LINK_ASK_MAGIC, LINK_NONE,
		LINK_HOLD_SET };

	(void)poll(NULL, 0, MOMENT_MS);
	for (; count > 0; count--)
		if (send(LINK_KEEPER_FD, &q, sizeof q, MSG_NOSIGNAL) == -1)
			return 1;
	return send(LINK_KEEPER_FD, &hold, sizeof hold, MSG_NOSIGNAL) ==
	    sizeof hold ? 0 : 1;
}

int
main(int argc, char **argv)
{
	unsigned uid = 0, count = 0, which = 0, last = 0;
	unsigned long long inode = 0;
	FILE *f = open_question();

	/* Run by descriptor, it has no name of its own. */
	if (f == NULL || prctl(PR_SET_NAME, "portcullis-engi") == -1) {
		fprintf(stderr, "keeperdrv: no question\n");
		return 1;
	}
	fprintf(stderr, "started %s\n", argc > 1 ? argv[1] : "free");
	if (fscanf(f, "ask %u %llu %u", &uid, &inode, &count) != 3 &&
	    fscanf(f, "forge %u", &which) == 1 && forge((int)which) == -1)
		return 1;
	if (fscanf(f, "last %u", &last) == 1)
		return last_words(last);
	(void)fclose(f);
	for (; count > 0; count--)
		if (link_ask_owner(uid, inode) == -1 || !listen_for(PAUSE_MS))
			return 1;
	while (listen_for(-1))
		continue;
	return 0;
}
