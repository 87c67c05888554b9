#include "supervisor/gate/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un peer;
static socklen_t peer_len;
static int notify_fd = -1;

void
notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n;

	if (path == NULL || (path[0] != '/' && path[0] != '@'))
		return;
	n = strlen(path);
	if (n >= sizeof peer.sun_path)
		return;
	peer.sun_family = AF_UNIX;
	memcpy(peer.sun_path, path, n);
	peer_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (path[0] == '@')
		peer.sun_path[0] = '\0'; /* abstract: no NUL at the end */
	else
		peer_len++;
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/*
	 * Landlock would keep us from an abstract one later, unless we are
	 * connected.  Where there is a path it is looked up each time: there
	 * may be another one by then.
	 */
	if (path[0] == '@' && notify_fd != -1 &&
	    connect(notify_fd, (struct sockaddr *)&peer, peer_len) == 0)
		peer_len = 0;
}

void
notify_send(const char *text)
{
	if (notify_fd == -1)
		return;
	/* systemd may be gone or busy: the gate stands without it. */
	(void)sendto(notify_fd, text, strlen(text),
	    MSG_DONTWAIT | MSG_NOSIGNAL,
	    peer_len == 0 ? NULL : (struct sockaddr *)&peer, peer_len);
}
