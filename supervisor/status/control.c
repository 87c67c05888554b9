#include "config.h" /* _GNU_SOURCE */

#include "supervisor/status/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/status/change.h"
#include "supervisor/status/peer.h"
#include "supervisor/status/request.h"
#include "supervisor/status/source.h"
#include "supervisor/wipe.h"

#define SECOND_NS UINT64_C(1000000000)
#define REQUESTS_PER_SECOND 10 /* a person needs one; stops a loop */
/* Requests of one client under way. */
#define MAX_WAITING 4
#define IN_FIRST 4096 /* holds every request but a change */
/* Holds MAX_WAITING of the longest answers, ids included. */
#define OUT_CAP 8192

/* As the sentences below say. */
const struct status_deadlines status_deadlines = {
	.half_line_ns = 10 * SECOND_NS,
	.idle_ns = 60 * SECOND_NS,
	.answer_ns = 5 * SECOND_NS,
	.check_answer_ns = 30 * SECOND_NS,
	.check_ns = 150 * SECOND_NS,
	.apply_answer_ns = 60 * SECOND_NS,
	.apply_ns = 600 * SECOND_NS,
};

/* A request that went up. */
struct waiting {
	uint64_t id; /* ours; 0: the place is free */
	enum snap_verb_code code;
	uint64_t since_ns;
	uint64_t heard_ns; /* the last sentence, if more are to come */
	json_t *client_id; /* owned; may be NULL */
};

struct asker {
	TAILQ_ENTRY(asker) link;
	struct status_control *ctl;
	int fd;
	struct event *readable, *writable;
	struct status_peer peer;
	char *in; /* owned; grows to STATUS_REQ_LINE and the newline */
	size_t in_len, in_cap;
	char out[OUT_CAP];
	size_t out_len;
	uint64_t line_ns; /* when the half line in IN began */
	uint64_t last_ns; /* last request or answer */
	uint64_t second_ns;
	unsigned in_second; /* requests since second_ns */
	bool closing; /* nothing more is read; ends when all is sent */
	struct waiting waiting[MAX_WAITING];
};

TAILQ_HEAD(asker_list, asker);

struct status_control {
	struct event_base *base;
	int fd;
	const struct status_deadlines *deadlines;
	struct event *acceptable;
	bool have_group;
	gid_t group;
	struct asker_list askers;
	unsigned count;
	uint64_t next_id;
	const struct status_control_ops *ops;
	void *arg;
};

static void
asker_drop(struct asker *a)
{
	size_t i;

	TAILQ_REMOVE(&a->ctl->askers, a, link);
	a->ctl->count--;
	event_free(a->readable);
	event_free(a->writable);
	close(a->fd);
	for (i = 0; i < MAX_WAITING; i++)
		json_decref(a->waiting[i].client_id);
	wipe_free(a->in);
	free(a);
}

static bool
is_waiting(const struct asker *a)
{
	size_t i;

	for (i = 0; i < MAX_WAITING; i++)
		if (a->waiting[i].id != 0)
			return true;
	return false;
}

/*
 * Send what there is.  This is the one place where an asker ends in the
 * course of things: false, and A is gone.
 */
static bool
asker_flush(struct asker *a)
{
	ssize_t n = 0;

	if (a->out_len > 0)
		n = send(a->fd, a->out, a->out_len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		asker_drop(a);
		return false;
	}
	if (n > 0) {
		a->out_len -= (size_t)n;
		memmove(a->out, a->out + n, a->out_len);
	}
	if (a->closing && a->out_len == 0 && !is_waiting(a)) {
		asker_drop(a);
		return false;
	}
	if (a->out_len > 0 && event_add(a->writable, NULL) == -1) {
		asker_drop(a);
		return false;
	}
	return true;
}

/* Read nothing more; what is owed is still sent. */
static void
asker_close(struct asker *a)
{
	a->closing = true;
	a->in_len = 0;
	if (event_del(a->readable) == -1)
		fatal("cannot stop reading");
}

/* Queue one answer.  No room: it does not read, and it ends. */
static void
asker_answer(struct asker *a, const struct status_answer *answer)
{
	size_t len;
	char *line = status_answer_line(answer, &len);

	if (line == NULL)
		fatal("out of memory");
	if (len <= sizeof a->out - a->out_len) {
		memcpy(a->out + a->out_len, line, len);
		a->out_len += len;
	} else {
		asker_close(a);
	}
	free(line);
	a->last_ns = status_now_ns();
}

/* It was not done; the client stays. */
static void
asker_decline(struct asker *a, json_t *id, const char *sentence)
{
	struct status_answer answer = { .kind = STATUS_ANSWER_REFUSED,
		.id = id, .sentence = sentence };

	asker_answer(a, &answer);
}

/* It was nothing that may be asked: the client goes. */
static void
asker_refuse(struct asker *a, const char *sentence)
{
	log_debug("request of uid=%u refused: %s", (unsigned)a->peer.uid,
	    sentence);
	asker_decline(a, NULL, sentence);
	asker_close(a);
}

static bool
is_too_fast(struct asker *a, uint64_t now)
{
	if (now - a->second_ns >= SECOND_NS) {
		a->second_ns = now;
		a->in_second = 0;
	}
	return ++a->in_second > REQUESTS_PER_SECOND;
}

static struct waiting *
free_place(struct asker *a)
{
	size_t i;

	for (i = 0; i < MAX_WAITING; i++)
		if (a->waiting[i].id == 0)
			return &a->waiting[i];
	return NULL;
}

static const char gone[] = "The engine is not there to do it.";

/* NULL: it went up.  WHY is room for a sentence that is not static. */
static const char *
send_change(const struct asker *a, const struct status_request *req,
    uint64_t id, char why[POL_UPLINK_WHY])
{
	const struct status_control *ctl = a->ctl;
	struct snap_change c;
	const char *error = NULL;

	if (!status_change_read(&c, why, ctl->ops->policy(ctl->arg),
	    req->change))
		return why;
	c.magic = SNAP_CHANGE_MAGIC;
	c.uid = a->peer.uid;
	c.id = id;
	if (!ctl->ops->change(ctl->arg, &c))
		error = gone;
	explicit_bzero(&c, sizeof c);
	return error;
}

static const char *
send_verb(const struct asker *a, const struct status_request *req,
    uint64_t id)
{
	const struct snap_verb v = { .magic = SNAP_VERB_MAGIC,
		.code = req->code, .id = id, .uid = a->peer.uid };

	return a->ctl->ops->verb(a->ctl->arg, &v) ? NULL : gone;
}

/* Send a good request up, or say why not; the client stays either way. */
static void
forward(struct asker *a, struct status_request *req)
{
	struct status_control *ctl = a->ctl;
	struct waiting *w = free_place(a);
	const uint64_t id = ctl->next_id + 1;
	char why[POL_UPLINK_WHY];
	const char *error;

	if (w == NULL) {
		asker_decline(a, req->id,
		    "Four requests are already waiting for an answer.");
		return;
	}
	/* An operator's verb changes the state: who did it is on record. */
	log_info("request %s by uid=%u pid=%d", snap_verb_name(req->code),
	    (unsigned)a->peer.uid, (int)a->peer.pid);
	error = req->change != NULL ? send_change(a, req, id, why) :
	    send_verb(a, req, id);
	if (error != NULL) {
		asker_decline(a, req->id, error);
		return;
	}
	ctl->next_id = id;
	w->id = id;
	w->code = req->code;
	w->since_ns = w->heard_ns = status_now_ns();
	w->client_id = json_incref(req->id);
}

static void
take_line(struct asker *a, const char *line, size_t n)
{
	struct status_request req;
	const char *error;

	a->last_ns = status_now_ns();
	if (is_too_fast(a, a->last_ns)) {
		asker_refuse(a, "More than ten requests in a second.");
		return;
	}
	error = status_request_parse(&req, line, n);
	if (error != NULL) {
		asker_refuse(a, error);
		return;
	}
	forward(a, &req);
	status_request_clear(&req);
}

/* Every whole line in the buffer; the half line behind stays in it. */
static void
take_lines(struct asker *a)
{
	char *at = a->in, *nl;
	size_t left = a->in_len;

	while (!a->closing && (nl = memchr(at, '\n', left)) != NULL) {
		take_line(a, at, (size_t)(nl - at));
		left -= (size_t)(nl + 1 - at);
		at = nl + 1;
		a->line_ns = status_now_ns();
	}
	if (a->closing)
		return;
	memmove(a->in, at, left);
	explicit_bzero(a->in + left, a->in_len - left);
	a->in_len = left;
	if (left > STATUS_REQ_LINE)
		asker_refuse(a, STATUS_REQ_TOO_LONG);
}

/* Room for at least one octet more, of a line that is not too long yet. */
static void
make_room(struct asker *a)
{
	size_t cap = a->in_cap == 0 ? IN_FIRST : 2 * a->in_cap;
	char *in;

	if (a->in_len < a->in_cap)
		return;
	if (cap > STATUS_REQ_LINE)
		cap = STATUS_REQ_LINE + 1;
	in = xcalloc(1, cap);
	if (a->in_len > 0)
		memcpy(in, a->in, a->in_len);
	wipe_free(a->in);
	a->in = in;
	a->in_cap = cap;
}

static void
readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct asker *a = arg;
	ssize_t n;

	(void)what;
	make_room(a);
	n = recv(fd, a->in + a->in_len, a->in_cap - a->in_len, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* It may have said all and wait for the answers. */
		asker_close(a);
	} else {
		if (a->in_len == 0)
			a->line_ns = status_now_ns();
		a->in_len += (size_t)n;
		take_lines(a);
	}
	(void)asker_flush(a); /* A may be gone, and is not used any more */
}

static void
writable_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)asker_flush(arg); /* as above */
}

static void
asker_new(struct status_control *ctl, int fd)
{
	struct asker *a = xcalloc(1, sizeof *a);
	const gid_t *group = ctl->have_group ? &ctl->group : NULL;

	a->ctl = ctl;
	a->fd = fd;
	a->last_ns = a->second_ns = status_now_ns();
	a->readable = event_new(ctl->base, fd, EV_READ | EV_PERSIST,
	    readable_cb, a);
	a->writable = event_new(ctl->base, fd, EV_WRITE, writable_cb, a);
	if (a->readable == NULL || a->writable == NULL)
		fatal("out of memory");
	TAILQ_INSERT_TAIL(&ctl->askers, a, link);
	ctl->count++;
	if (ctl->count > STATUS_CONTROL_CLIENTS)
		asker_refuse(a, "Too many clients are connected.");
	else if (!status_peer_get(&a->peer, fd) ||
	    !status_peer_ok(&a->peer, fd, group))
		asker_refuse(a, "You may not ask for this.");
	else if (event_add(a->readable, NULL) == -1)
		asker_close(a);
	(void)asker_flush(a); /* as above */
}

/*
 * One a turn is plenty here, and lets a refused crowd cost little; but nobody
 * stands behind thousands who have left.
 */
static void
accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct status_control *ctl = arg;
	int client;

	(void)what;
	client = status_peer_accept(fd);
	if (client == -1) {
		/* The system may be out of descriptors: do not spin. */
		if (errno != EAGAIN && errno != EINTR &&
		    errno != ECONNABORTED)
			(void)event_del(ctl->acceptable); /* worst: spins */
		return;
	}
	/* Those who were refused and do not read get no further place. */
	if (ctl->count >= 2 * STATUS_CONTROL_CLIENTS)
		close(client);
	else
		asker_new(ctl, client);
}

struct status_control *
status_control_new(struct event_base *base, int listen_fd,
    const struct status_deadlines *deadlines,
    const struct status_control_ops *ops, void *arg)
{
	struct status_control *ctl = xcalloc(1, sizeof *ctl);

	ctl->base = base;
	ctl->fd = listen_fd;
	ctl->deadlines = deadlines;
	ctl->ops = ops;
	ctl->arg = arg;
	TAILQ_INIT(&ctl->askers);
	ctl->have_group = status_peer_group(&ctl->group, listen_fd);
	if (!ctl->have_group)
		log_warn("control.sock has no group: root only");
	ctl->acceptable = event_new(base, listen_fd, EV_READ | EV_PERSIST,
	    accept_cb, ctl);
	if (ctl->acceptable == NULL || event_add(ctl->acceptable, NULL) == -1)
		fatal("cannot serve control.sock");
	return ctl;
}

void
status_control_free(struct status_control *ctl)
{
	struct asker *a;

	if (ctl == NULL)
		return;
	while ((a = TAILQ_FIRST(&ctl->askers)) != NULL)
		asker_drop(a);
	event_free(ctl->acceptable);
	free(ctl);
}

/* W's end: it was answered, and the place is free again. */
static void
waiting_clear(struct waiting *w)
{
	json_decref(w->client_id);
	memset(w, 0, sizeof *w);
}

/* One sentence of the engine's for W.  May drop A. */
static void
settle(struct asker *a, struct waiting *w, const struct snap_result *r)
{
	struct status_answer answer = {
		.kind = r->refused == 1 ? STATUS_ANSWER_REFUSED :
		    r->more == 1 ? STATUS_ANSWER_MORE : STATUS_ANSWER_LAST,
		.ok = r->ok == 1, .id = w->client_id, .sentence = r->text };

	asker_answer(a, &answer);
	w->heard_ns = status_now_ns();
	if (r->more == 0)
		waiting_clear(w);
	(void)asker_flush(a); /* A may be gone */
}

/* Verbs with more than one sentence for an answer. */
static bool
tells_more(enum snap_verb_code code)
{
	return code == SNAP_V_CHECK_ISOLATION || code == SNAP_V_NAMES ||
	    code == SNAP_V_APPLY;
}

bool
status_control_result(struct status_control *ctl, const struct snap_result *r)
{
	struct asker *a;
	size_t i;

	if (r->id == 0)
		return true;
	TAILQ_FOREACH(a, &ctl->askers, link)
		for (i = 0; i < MAX_WAITING; i++) {
			if (a->waiting[i].id != r->id)
				continue;
			if (r->more == 1 && !tells_more(a->waiting[i].code))
				return false;
			settle(a, &a->waiting[i], r);
			return true;
		}
	return true;
}

/* What is to be said to W when the engine has taken too long; or NULL. */
static const char *
overdue(const struct waiting *w, const struct status_deadlines *d,
    uint64_t now)
{
	if (w->code == SNAP_V_APPLY) {
		if (now - w->since_ns >= d->apply_ns)
			return "The change was not finished within ten "
			    "minutes; it goes on.";
		return now - w->heard_ns < d->apply_answer_ns ? NULL :
		    "The change has told nothing new for a minute; see "
		    "\"portcullis status\".";
	}
	if (w->code != SNAP_V_CHECK_ISOLATION)
		return now - w->since_ns < d->answer_ns ? NULL :
		    "The engine has not answered within five seconds.";
	if (now - w->since_ns >= d->check_ns)
		return "The check was not finished within 150 seconds.";
	return now - w->heard_ns < d->check_answer_ns ? NULL :
	    "The check has told nothing new for 30 seconds.";
}

/* All that wait are told SENTENCE; NULL: those that have waited too long. */
static void
settle_all(struct asker *a, const char *sentence)
{
	uint64_t now = status_now_ns();
	struct waiting *w;
	const char *why;

	for (w = a->waiting; w < a->waiting + MAX_WAITING; w++) {
		if (w->id == 0)
			continue;
		why = sentence != NULL ? sentence :
		    overdue(w, a->ctl->deadlines, now);
		if (why == NULL)
			continue;
		asker_decline(a, w->client_id, why);
		waiting_clear(w);
	}
}

void
status_control_gone(struct status_control *ctl)
{
	struct asker *a, *after;

	for (a = TAILQ_FIRST(&ctl->askers); a != NULL; a = after) {
		after = TAILQ_NEXT(a, link);
		settle_all(a, "The engine went away before it answered.");
		(void)asker_flush(a); /* A may be gone */
	}
}

bool
status_control_busy(const struct status_control *ctl)
{
	return ctl->count != 0 ||
	    !event_pending(ctl->acceptable, EV_READ, NULL);
}

void
status_control_tick(struct status_control *ctl)
{
	const struct status_deadlines *d = ctl->deadlines;
	struct asker *a, *after;
	uint64_t now;

	if (event_add(ctl->acceptable, NULL) == -1)
		log_warn("cannot accept on control.sock");
	for (a = TAILQ_FIRST(&ctl->askers); a != NULL; a = after) {
		after = TAILQ_NEXT(a, link);
		settle_all(a, NULL);
		now = status_now_ns(); /* not before what that noted down */
		if (a->closing && !is_waiting(a) &&
		    now - a->last_ns > d->half_line_ns) {
			asker_drop(a); /* nor does it read */
			continue;
		}
		if (!a->closing && a->in_len > 0 &&
		    now - a->line_ns > d->half_line_ns)
			asker_refuse(a, "The request was not finished within "
			    "ten seconds.");
		else if (!a->closing && !is_waiting(a) &&
		    now - a->last_ns > d->idle_ns)
			asker_refuse(a, "No request for a minute.");
		(void)asker_flush(a); /* A may be gone */
	}
}
