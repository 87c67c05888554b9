#include "config.h" /* _GNU_SOURCE */

#include "supervisor/links.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "supervisor/log.h"

union fd_control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static int
fd_of(const struct msghdr *mh)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(mh);
	int fd;

	if (cm == NULL || cm->cmsg_level != SOL_SOCKET ||
	    cm->cmsg_type != SCM_RIGHTS ||
	    cm->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(cm), sizeof fd);
	return fd;
}

/*
 * One datagram of at most CAP octets and its descriptor, *FD: -1 for none.
 * Its length, 0 for nothing there, or -1.
 */
static ssize_t
receive(void *buf, size_t cap, int *fd)
{
	union fd_control control;
	struct iovec iov = { .iov_base = buf, .iov_len = cap };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof control.buf };
	ssize_t n;

	*fd = -1;
	n = recvmsg(LINK_KEEPER_FD, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	*fd = fd_of(&mh);
	if (n > 0 && (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return n;
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	return -1;
}

static bool
handed_ok(const void *buf, size_t n, int fd)
{
	struct link_msg msg;

	if (fd == -1 || n != sizeof msg)
		return false;
	memcpy(&msg, buf, sizeof msg);
	return msg.magic == LINK_MAGIC && msg.peer > LINK_NONE &&
	    msg.peer < LINK_NPEER && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

bool
link_owner_question_ok(const struct link_owner *q)
{
	return q->magic == LINK_OWNER_MAGIC && q->reserved == 0 &&
	    q->pid == 0 && q->uid != UINT32_MAX; /* "leave it" to setuid(2) */
}

bool
link_owner_answer_ok(const struct link_owner *a)
{
	return a->magic == LINK_OWNER_MAGIC && a->reserved == 0 &&
	    a->pid >= 0;
}

bool
link_change_ok(const struct link_change *c)
{
	return c->magic == LINK_CHANGE_MAGIC && c->step > LINK_CHANGE_NONE &&
	    c->step < LINK_NCHANGE && c->reserved == 0;
}

bool
link_kept_ok(const struct link_kept *k)
{
	return k->magic == LINK_KEPT_MAGIC && k->reserved == 0 &&
	    k->error >= 0;
}

/* Printable, ended, and nothing behind the end. */
static bool
text_ok(const char text[LINK_PATH])
{
	size_t n = 0;

	while (n < LINK_PATH && text[n] >= ' ' && text[n] <= '~')
		n++;
	if (n == LINK_PATH)
		return false;
	while (n < LINK_PATH && text[n] == '\0')
		n++;
	return n == LINK_PATH;
}

bool
link_look_ok(const struct link_look *q)
{
	return q->magic == LINK_LOOK_MAGIC && q->reserved == 0 &&
	    q->pid >= 0 && text_ok(q->torrc) && text_ok(q->defaults);
}

bool
link_seen_ok(const struct link_seen *s)
{
	return s->magic == LINK_SEEN_MAGIC && s->finding < LINK_NFINDING &&
	    s->option < POL_NTORRC && s->kept <= 1 && text_ok(s->file);
}

bool
link_failed_here(ssize_t n)
{
	/* An end that was closed with something unread in it says so. */
	return n == -1 && errno != ECONNRESET;
}

int
link_recv(enum link_peer *peer, int *fd)
{
	struct link_msg msg;
	int got;
	ssize_t n = receive(&msg, sizeof msg, &got);

	if (n <= 0)
		return (int)n;
	if (!handed_ok(&msg, (size_t)n, got)) {
		if (got != -1)
			close(got);
		return -1;
	}
	*peer = (enum link_peer)msg.peer;
	*fd = got;
	return 1;
}

int
link_recv_only(enum link_peer peer)
{
	enum link_peer is;
	int fd, rc;

	while ((rc = link_recv(&is, &fd)) == 1) {
		if (is == peer)
			return fd;
		log_warn("the keeper handed over an end that is not ours");
		close(fd);
	}
	if (rc == -1)
		fatal("the keeper is gone");
	return -1;
}

/* A message of SIZE octets without a descriptor. */
static bool
answer_is(ssize_t n, size_t size, int fd)
{
	return fd == -1 && n == (ssize_t)size;
}

enum link_got
link_recv_engine(enum link_peer *peer, int *fd, struct link_said *said)
{
	union {
		struct link_msg msg;
		struct link_owner owner;
		struct link_kept kept;
		struct link_seen seen;
	} u;
	int got;
	ssize_t n = receive(&u, sizeof u, &got);

	if (n <= 0)
		return n == 0 ? LINK_NOTHING : LINK_LOST;
	if (handed_ok(&u, (size_t)n, got)) {
		*peer = (enum link_peer)u.msg.peer;
		*fd = got;
		return LINK_HANDED;
	}
	if (answer_is(n, sizeof u.owner, got) &&
	    link_owner_answer_ok(&u.owner)) {
		said->owner = u.owner;
		return LINK_OWNER;
	}
	if (answer_is(n, sizeof u.kept, got) && link_kept_ok(&u.kept)) {
		said->kept = u.kept;
		return LINK_KEPT;
	}
	if (answer_is(n, sizeof u.seen, got) && link_seen_ok(&u.seen)) {
		said->seen = u.seen;
		explicit_bzero(&u, sizeof u);
		return LINK_SEEN;
	}
	if (got != -1)
		close(got);
	return LINK_LOST;
}

int
link_ask(enum link_peer restart, enum link_hold hold)
{
	struct link_ask ask = { .magic = LINK_ASK_MAGIC, .restart = restart,
		.hold = hold };

	return send(LINK_KEEPER_FD, &ask, sizeof ask,
	    MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof ask ? 0 : -1;
}

int
link_ask_owner(uint32_t uid, uint64_t inode)
{
	struct link_owner ask = { .magic = LINK_OWNER_MAGIC, .uid = uid,
		.inode = inode };

	return send(LINK_KEEPER_FD, &ask, sizeof ask,
	    MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof ask ? 0 : -1;
}

int
link_ask_change(const struct link_change *c)
{
	return send(LINK_KEEPER_FD, c, sizeof *c,
	    MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof *c ? 0 : -1;
}

int
link_ask_look(const struct link_look *q)
{
	return send(LINK_KEEPER_FD, q, sizeof *q,
	    MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof *q ? 0 : -1;
}

int
link_take_pending(struct link_pending *out)
{
	const int want = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(LINK_PENDING_FD, F_GET_SEALS);
	struct stat st;
	bool ok;

	ok = seals != -1 && (seals & want) == want &&
	    fstat(LINK_PENDING_FD, &st) == 0 && st.st_size == sizeof *out &&
	    pread(LINK_PENDING_FD, out, sizeof *out, 0) ==
	    (ssize_t)sizeof *out;
	if (!ok)
		explicit_bzero(out, sizeof *out);
	close(LINK_PENDING_FD);
	return ok ? 0 : -1;
}

int
link_send(int channel, enum link_peer peer, int fd)
{
	struct link_msg msg = { .magic = LINK_MAGIC, .peer = peer };
	union fd_control control;
	struct iovec iov = { .iov_base = &msg, .iov_len = sizeof msg };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof control.buf };
	struct cmsghdr *cm;

	memset(&control, 0, sizeof control);
	cm = CMSG_FIRSTHDR(&mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(cm), &fd, sizeof fd);
	return sendmsg(channel, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)sizeof msg ? 0 : -1;
}
