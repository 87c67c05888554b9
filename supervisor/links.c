#include "config.h" /* _GNU_SOURCE */

#include "supervisor/links.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

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

int
link_recv(enum link_peer *peer, int *fd)
{
	struct link_msg msg;
	union fd_control control;
	struct iovec iov = { .iov_base = &msg, .iov_len = sizeof msg };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof control.buf };
	ssize_t n;

	n = recvmsg(LINK_KEEPER_FD, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	*fd = fd_of(&mh);
	if (*fd == -1)
		return -1;
	if (n != sizeof msg || msg.magic != LINK_MAGIC ||
	    msg.peer == LINK_NONE || msg.peer >= LINK_NPEER ||
	    fcntl(*fd, F_SETFL, O_NONBLOCK) == -1) {
		close(*fd);
		return -1;
	}
	*peer = (enum link_peer)msg.peer;
	return 1;
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
