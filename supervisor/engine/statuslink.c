#include "supervisor/engine/statuslink.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/engine/engine.h"
#include "supervisor/engine/shell.h"
#include "supervisor/log.h"
#include "supervisor/snapshot.h"

/* People ask for things; nobody asks for more of them at once. */
#define READS_PER_TURN 8

struct statuslink {
	struct shell *sh;
	int fd;
	struct event *ev;
};

static void
end(struct statuslink *s)
{
	if (s->ev != NULL)
		event_free(s->ev);
	s->ev = NULL;
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

static void
on_verb_cb(evutil_socket_t fd, short what, void *arg)
{
	struct statuslink *s = arg;
	unsigned char buf[sizeof(struct snap_verb) + 1];
	struct snap_verb v;
	ssize_t n;

	(void)what;
	for (int i = 0; i < READS_PER_TURN; i++) {
		n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		memset(&v, 0, sizeof v);
		if (n == sizeof v)
			memcpy(&v, buf, sizeof v);
		/* End of file, or bytes that are no verb: the pair is done. */
		if (n != sizeof v || !snap_verb_ok(&v)) {
			if (n > 0)
				log_warn("the status process sent nonsense");
			end(s);
			engine_status_down(s->sh->engine);
			return;
		}
		engine_verb(s->sh->engine, &v, shell_now());
	}
}

struct statuslink *
statuslink_new(struct shell *sh)
{
	struct statuslink *s = xcalloc(1, sizeof *s);

	s->sh = sh;
	s->fd = -1;
	return s;
}

void
statuslink_free(struct statuslink *s)
{
	if (s == NULL)
		return;
	end(s);
	free(s);
}

void
statuslink_take(struct statuslink *s, int fd)
{
	end(s);
	s->fd = fd;
	s->ev = event_new(s->sh->base, fd, EV_READ | EV_PERSIST, on_verb_cb,
	    s);
	if (s->ev == NULL || event_add(s->ev, NULL) == -1)
		fatal("cannot watch the status process's end");
	engine_status_up(s->sh->engine);
}

int
statuslink_send(struct statuslink *s, const void *p, size_t n)
{
	if (s->fd == -1)
		return -1;
	return send(s->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n ?
	    0 : -1;
}
