#include "config.h" /* _GNU_SOURCE */

#include "supervisor/status/peer.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Linux allows 65536, people have some ten; beyond this nobody is asked. */
#define MAX_GROUPS 1024
/* Who left before being let in; some 5 us each. */
#define GONE_MOST 256

bool
status_peer_get(struct status_peer *peer, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1 ||
	    len != sizeof cred || cred.uid == (uid_t)-1)
		return false;
	peer->pid = cred.pid;
	peer->uid = cred.uid;
	peer->gid = cred.gid;
	return true;
}

bool
status_peer_group(gid_t *gid, int listen_fd)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof sun;
	char path[sizeof sun.sun_path + 1] = "";
	struct stat st;

	if (getsockname(listen_fd, (struct sockaddr *)&sun, &len) == -1 ||
	    len <= offsetof(struct sockaddr_un, sun_path) ||
	    len > sizeof sun || sun.sun_path[0] != '/')
		return false;
	memcpy(path, sun.sun_path, len - offsetof(struct sockaddr_un,
	    sun_path));
	if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return false;
	*gid = st.st_gid;
	return true;
}

bool
status_peer_in_group(const struct status_peer *peer, gid_t gid,
    const gid_t *others, size_t n)
{
	size_t i;

	if (peer->gid == gid)
		return true;
	for (i = 0; i < n; i++)
		if (others[i] == gid)
			return true;
	return false;
}

bool
status_peer_ok(const struct status_peer *peer, int fd, const gid_t *gid)
{
	gid_t others[MAX_GROUPS];
	socklen_t len = sizeof others;

	if (peer->uid == 0 || peer->uid == geteuid())
		return true;
	if (gid == NULL)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, others, &len) == -1)
		len = 0;
	return status_peer_in_group(peer, *gid, others, len / sizeof *others);
}

int
status_peer_accept(int listen_fd)
{
	char octet;
	int fd;

	for (unsigned i = 0; i < GONE_MOST; i++) {
		fd = accept4(listen_fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1 ||
		    recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
			return fd;
		close(fd);
	}
	errno = EAGAIN;
	return -1;
}
