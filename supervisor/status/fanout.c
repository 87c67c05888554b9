#include "config.h" /* _GNU_SOURCE */

#include "supervisor/status/fanout.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/status/peer.h"
#include "supervisor/status/places.h"

/* A crowd at the door must not keep the loop from everybody else. */
#define ACCEPTS_PER_TURN 32
/* After a search for somebody to drop that found none. */
#define SEARCH_NS UINT64_C(250000000)
/* No descriptors and nobody to drop: let the crowd wait at the door. */
#define PAUSE_USEC 250000
/*
 * What the kernel may hold for one client; it takes twice this.  The default
 * of 208 KiB would be 2 GiB of kernel memory for 10,000 who do not read.
 */
#define SEND_BUFFER 4096

struct client {
	TAILQ_ENTRY(client) link;
	struct status_fanout *fanout;
	struct status_user *user;
	int fd;
	struct event *hangup;
	struct event *writable; /* added only while the kernel takes no more */
	bool blocked;
	struct status_queue queue;
	struct status_reader reader;
};

TAILQ_HEAD(client_list, client);

struct status_fanout {
	struct event_base *base;
	struct status_source *src;
	int fd;
	struct status_places places;
	gid_t group; /* its members are staff, if HAVE_GROUP */
	bool have_group;
	uint64_t searched_ns;
	struct event *acceptable;
	struct event *resume;
	struct client_list clients; /* the oldest first */
};

static void
client_drop(struct client *c, const char *why)
{
	struct status_fanout *f = c->fanout;

	log_debug("client fd=%d dropped: %s", c->fd, why);
	TAILQ_REMOVE(&f->clients, c, link);
	status_places_leave(&f->places, c->user);
	event_free(c->hangup);
	event_free(c->writable);
	close(c->fd);
	status_queue_clear(&c->queue);
	free(c);
}

/* Send what is owed as far as the kernel takes it.  May drop C. */
static void
client_send(struct client *c)
{
	const char *p;
	ssize_t n;
	size_t left;

	while ((left = status_queue_peek(&c->queue, &p)) > 0) {
		n = send(c->fd, p, left, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			c->blocked = true;
			if (event_add(c->writable, NULL) == -1)
				client_drop(c, "no event");
			return;
		}
		if (n == -1) {
			client_drop(c, "gone");
			return;
		}
		status_queue_sent(&c->queue, (size_t)n);
	}
}

static void
client_writable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	c->blocked = false;
	status_reader_moved(&c->reader, status_now_ns());
	client_send(c);
}

/*
 * The peer closed, shut down its side of writing, or wrote something.  The
 * last two are its good right (it has nothing to say to us anyway), and the
 * condition stays.
 */
static void
client_hangup_cb(evutil_socket_t fd, short what, void *arg)
{
	struct pollfd pfd = { .fd = fd };
	struct client *c = arg;

	(void)what;
	if (poll(&pfd, 1, 0) != 0)
		client_drop(c, "hung up");
}

/*
 * Nothing is read: what a client writes stays in its own send buffer until
 * that is full.  Told of once each (EV_ET), it costs us little.  EV_READ all
 * the same: a peer that leaves with lines unread is an error to the socket,
 * and libevent tells those as readable and writable, never as EV_CLOSED.  All
 * events of a descriptor have to agree on EV_ET.
 */
static struct client *
client_new(struct status_fanout *f, int fd, struct status_user *user)
{
	struct client *c = xcalloc(1, sizeof *c);
	int size = SEND_BUFFER;

	/* Failure leaves the default size, which is bounded as well. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	c->fanout = f;
	c->fd = fd;
	c->user = user;
	status_queue_init(&c->queue);
	status_reader_init(&c->reader, status_now_ns());
	c->hangup = event_new(f->base, fd,
	    EV_READ | EV_CLOSED | EV_PERSIST | EV_ET, client_hangup_cb, c);
	c->writable = event_new(f->base, fd, EV_WRITE | EV_ET,
	    client_writable_cb, c);
	if (c->hangup == NULL || c->writable == NULL)
		fatal("out of memory");
	TAILQ_INSERT_TAIL(&f->clients, c, link);
	return c;
}

/* With the table, unless a line that has begun brings it the newest one. */
static void
client_owe(struct client *c, enum status_type type)
{
	status_queue_put(&c->queue,
	    status_source_line(c->fanout->src, type, c->queue.version));
}

/* It holds a text that nearly everybody else is done with. */
static bool
is_far_behind(const struct client *c)
{
	const struct status_source *src = c->fanout->src;
	uint64_t oldest = status_queue_oldest(&c->queue, STATUS_P_TABLE);
	uint64_t lines = src->view.table.total;

	/* Without an engine there is no table, and no end of old ones. */
	if (lines == 0)
		lines = POL_MAX_LISTENERS;
	if (oldest != 0 && (src->version - oldest) * lines >=
	    STATUS_TABLES_MAX * POL_MAX_LISTENERS)
		return true;
	oldest = status_queue_oldest(&c->queue, STATUS_P_HISTORY);
	return oldest != 0 &&
	    src->history.count + 1 - oldest >= STATUS_HISTORIES_MAX;
}

static void
client_welcome(struct status_fanout *f, int fd, struct status_user *user)
{
	struct client *c = client_new(f, fd, user);

	if (event_add(c->hangup, NULL) == -1) {
		client_drop(c, "no event");
		return;
	}
	client_owe(c, STATUS_T_SNAPSHOT);
	client_send(c);
}

/* All that it wants to know, as far as the kernel takes it at once. */
static void
refuse(struct status_fanout *f, int fd)
{
	const struct status_line *line = status_source_bare(f->src,
	    STATUS_T_REFUSED);

	/* The kernel keeps it for the reader; worst: it is told nothing. */
	(void)send(fd, line->text, line->own, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

/* Make room: the oldest client that does not read goes. */
static bool
evict(struct status_fanout *f)
{
	uint64_t now = status_now_ns();
	struct client *c;

	if (now - f->searched_ns < SEARCH_NS)
		return false;
	TAILQ_FOREACH(c, &f->clients, link)
		if (status_reader_stuck(&c->reader, now,
			STATUS_READ_SPARE_NS)) {
			client_drop(c, "does not read, and room is needed");
			return true;
		}
	f->searched_ns = now;
	return false;
}

/* Make room for UID: the newest client of one who has too many goes. */
static bool
give_way(struct status_fanout *f, uid_t uid, bool staff)
{
	const struct status_user *u = status_places_yield(&f->places, uid,
	    staff);
	struct client *c;

	if (u == NULL)
		return false;
	TAILQ_FOREACH_REVERSE(c, &f->clients, client_list, link)
		if (c->user == u) {
			client_drop(c, "gives way to another user");
			return true;
		}
	return false;
}

static void
pause_accepting(struct status_fanout *f)
{
	struct timeval tv = { .tv_usec = PAUSE_USEC };

	if (event_del(f->acceptable) == -1 || event_add(f->resume, &tv) == -1)
		fatal("cannot pause accepting");
}

static void
resume_cb(evutil_socket_t fd, short what, void *arg)
{
	struct status_fanout *f = arg;

	(void)fd;
	(void)what;
	if (event_add(f->acceptable, NULL) == -1)
		fatal("cannot accept again");
}

/* One who has come, with a place or without. */
static void
admit(struct status_fanout *f, int fd)
{
	struct status_peer peer;
	bool staff;

	if (!status_peer_get(&peer, fd)) {
		close(fd);
		return;
	}
	staff = status_peer_ok(&peer, fd, f->have_group ? &f->group : NULL);
	if (status_places_full(&f->places) && !evict(f) &&
	    !give_way(f, peer.uid, staff)) {
		log_debug("no place for uid=%u", (unsigned)peer.uid);
		refuse(f, fd);
		return;
	}
	client_welcome(f, fd, status_places_take(&f->places, peer.uid,
	    staff));
}

/* One more client.  False: no more this turn. */
static bool
accept_one(struct status_fanout *f)
{
	int fd = accept4(f->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd != -1) {
		admit(f, fd);
		return true;
	}
	if (errno == EAGAIN)
		return false;
	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	/* EMFILE and its like; the unforeseen too, so as not to spin. */
	if (evict(f))
		return true;
	log_debug("no descriptor for another client");
	pause_accepting(f);
	return false;
}

static void
accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct status_fanout *f = arg;
	unsigned n;

	(void)fd;
	(void)what;
	for (n = 0; n < ACCEPTS_PER_TURN; n++)
		if (!accept_one(f))
			return;
}

struct status_fanout *
status_fanout_new(struct event_base *base, const struct status_doors *doors,
    size_t most, struct status_source *src)
{
	struct status_fanout *f = xcalloc(1, sizeof *f);

	f->base = base;
	f->src = src;
	f->fd = doors->status_fd;
	f->have_group = status_peer_group(&f->group, doors->control_fd);
	status_places_init(&f->places, most);
	TAILQ_INIT(&f->clients);
	f->acceptable = event_new(base, f->fd, EV_READ | EV_PERSIST,
	    accept_cb, f);
	f->resume = event_new(base, -1, 0, resume_cb, f);
	if (f->acceptable == NULL || f->resume == NULL ||
	    event_add(f->acceptable, NULL) == -1)
		fatal("cannot serve status.sock");
	return f;
}

void
status_fanout_free(struct status_fanout *f)
{
	struct client *c;

	if (f == NULL)
		return;
	while ((c = TAILQ_FIRST(&f->clients)) != NULL)
		client_drop(c, "stopping");
	event_free(f->acceptable);
	event_free(f->resume);
	free(f);
}

void
status_fanout_publish(struct status_fanout *f, enum status_type type)
{
	struct client *c, *after;

	for (c = TAILQ_FIRST(&f->clients); c != NULL; c = after) {
		after = TAILQ_NEXT(c, link);
		client_owe(c, c->queue.begun ? type : STATUS_T_SNAPSHOT);
		if (is_far_behind(c))
			client_drop(c, "reads too slowly");
		else if (!c->blocked)
			client_send(c);
	}
}

void
status_fanout_sweep(struct status_fanout *f)
{
	uint64_t now = status_now_ns();
	struct client *c, *after;
	int unread;

	for (c = TAILQ_FIRST(&f->clients); c != NULL; c = after) {
		after = TAILQ_NEXT(c, link);
		if (ioctl(c->fd, SIOCOUTQ, &unread) == -1 || unread < 0)
			unread = 0;
		status_reader_sample(&c->reader, (size_t)unread, c->blocked,
		    now);
		if (status_reader_stuck(&c->reader, now, STATUS_READ_MAX_NS))
			client_drop(c, "does not read");
	}
}

size_t
status_fanout_count(const struct status_fanout *f)
{
	return f->places.held;
}
