#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/lookup.h"

/* c-ares 1.34 calls what 1.18 has deprecated. */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <ares_nameser.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/resolver/net.h"
#include "supervisor/resolver/tls.h"

/*
 * A name's questions are sent twice: the second wait is twice the first, and
 * the two together are the policy's timeout, after which nobody waits.  A
 * c-ares that waits less, because the server has been quick (1.32 and later,
 * 250 ms at least), sends more in that time rather than give up before it.
 */
#define TRIES 5
#define FIRST_PART 3
/* A TLS connection is worth keeping until a transport has asked for all. */
#define LINGER_MS 1000

struct slot {
	bool used, ended;
	unsigned open; /* questions that are not answered */
	uint32_t serial; /* tells its questions from an earlier lookup's */
	uint64_t deadline_ms;
	char host[POL_HOST_LEN];
	struct answer v4, v6;
};

/* A question on its way; c-ares has it. */
struct question {
	struct lookup *l;
	size_t slot;
	uint32_t serial;
	int family;
};

/* A socket of c-ares'. */
struct watch {
	struct watch *next;
	struct lookup *l;
	int fd;
	struct event *ev;
};

struct lookup {
	struct event_base *base;
	const struct pol_resolver *resolver;
	struct tls *tls; /* NULL: plain DNS */
	ares_channel channel; /* NULL: nothing is under way */
	struct watch *watches;
	struct event *timer;
	struct slot slots[NAME_MAX_HOSTS];
	uint32_t serial;
	/* What the sockets said since something came in last. */
	enum name_state trouble;
	uint64_t idle_ms; /* since when nothing is under way */
	uint64_t queries;
};

/* --- what c-ares calls for its sockets ------------------------------------ */

/* With TLS the socket is a pair's end, and tls.c says what went wrong. */
static void
note_trouble(struct lookup *l)
{
	if (l->tls == NULL && errno != EAGAIN && errno != EINTR)
		l->trouble = net_state(errno);
}

static ares_socket_t
new_socket(int family, int type, int protocol, void *arg)
{
	struct lookup *l = arg;

	(void)protocol;
	/* The key was wrong a moment ago: it is not tried time and again. */
	if (l->tls != NULL && l->trouble == NAME_TLS) {
		errno = ECONNREFUSED;
		return -1;
	}
	return l->tls != NULL ? tls_socket(l->tls) :
	    net_socket(family, type);
}

static int
close_socket(ares_socket_t fd, void *arg)
{
	(void)arg;
	return close(fd);
}

/* Whatever c-ares has in mind: it gets to the policy's resolver only. */
static int
connect_socket(ares_socket_t fd, const struct sockaddr *sa,
    ares_socklen_t len, void *arg)
{
	struct lookup *l = arg;
	struct sockaddr_storage ss;
	socklen_t want = net_sockaddr(&ss, &l->resolver->addr,
	    l->resolver->port);
	int rc = -1;

	(void)len;
	errno = EPERM;
	if (sa->sa_family == ss.ss_family)
		rc = l->tls != NULL ?
		    tls_connect(l->tls, fd, (struct sockaddr *)&ss, want) :
		    connect(fd, (struct sockaddr *)&ss, want);
	if (rc == -1 && errno != EINPROGRESS)
		l->trouble = net_state(errno);
	return rc;
}

#if ARES_VERSION >= 0x011c00
static void
note_bad(struct slot *s, const struct answer_bytes *bytes)
{
	if (s->v4.state == NAME_UNKNOWN &&
	    answer_is_to(s->host, AF_INET, bytes))
		s->v4.state = NAME_BAD;
	if (s->v6.state == NAME_UNKNOWN &&
	    answer_is_to(s->host, AF_INET6, bytes))
		s->v6.state = NAME_BAD;
}

/*
 * A datagram that cannot be read has this c-ares ask all questions that wait
 * at the socket again, and give up too early.  It is not shown them, as older
 * ones do not look at them; who it was an answer to shall know why he has none.
 */
static bool
is_readable(struct lookup *l, const struct answer_bytes *bytes)
{
	ares_dns_record_t *record = NULL;
	ares_status_t status = ares_dns_parse(bytes->p, bytes->n, 0, &record);

	ares_dns_record_destroy(record);
	if (status == ARES_SUCCESS)
		return true;
	for (size_t i = 0; i < NAME_MAX_HOSTS; i++)
		if (l->slots[i].used && !l->slots[i].ended)
			note_bad(&l->slots[i], bytes);
	return false;
}
#else
static bool
is_readable(struct lookup *l, const struct answer_bytes *bytes)
{
	(void)l;
	(void)bytes;
	return true;
}
#endif

/* FROM: of datagrams only.  As c-ares calls it (foreign signature) */
static ares_ssize_t
receive(ares_socket_t fd, void *buf, size_t cap, int flags,
    struct sockaddr *from, ares_socklen_t *len, void *arg)
{
	ares_ssize_t n = recvfrom(fd, buf, cap, flags, from, len);

	if (n == -1) {
		note_trouble(arg);
	} else if (n > 0 && from != NULL && !is_readable(arg,
	    &(struct answer_bytes){ buf, (size_t)n })) {
		errno = EAGAIN;
		return -1;
	}
	return n;
}

static ares_ssize_t
transmit(ares_socket_t fd, const struct iovec *iov, int n, void *arg)
{
	struct lookup *l = arg;
	struct msghdr mh = { .msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = (size_t)n };
	ares_ssize_t sent = sendmsg(fd, &mh, MSG_NOSIGNAL);

	if (sent == -1)
		note_trouble(l);
	return sent;
}

static const struct ares_socket_functions socket_functions = {
	.asocket = new_socket,
	.aclose = close_socket,
	.aconnect = connect_socket,
	.arecvfrom = receive,
	.asendv = transmit,
};

static void
on_tls_trouble(void *arg, enum name_state why)
{
	struct lookup *l = arg;

	l->trouble = why;
}

static const struct tls_ops tls_ops = { .trouble = on_tls_trouble };

/* --- events --------------------------------------------------------------- */

static void
rearm(struct lookup *l)
{
	struct timeval tv, most = { .tv_sec = 1 }, *left;

	if (l->channel == NULL) {
		(void)event_del(l->timer);
		return;
	}
	left = ares_timeout(l->channel, &most, &tv);
	if (event_add(l->timer, left) == -1)
		fatal("cannot set a timer");
}

static void
on_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *l = arg;

	(void)fd;
	(void)what;
	if (l->channel != NULL)
		ares_process_fd(l->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	rearm(l);
}

static void
on_socket_cb(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	struct lookup *l = w->l; /* W may be gone afterwards */

	if (l->channel != NULL)
		ares_process_fd(l->channel,
		    (what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
		    (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
	rearm(l);
}

static void
watch_drop(struct lookup *l, int fd)
{
	struct watch **at = &l->watches, *w;

	while (*at != NULL && (*at)->fd != fd)
		at = &(*at)->next;
	w = *at;
	if (w == NULL)
		return;
	*at = w->next;
	event_free(w->ev);
	free(w);
}

/* c-ares says what it waits for on FD: a new event for the old one. */
static void
on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct lookup *l = arg;
	short what = (short)((readable != 0 ? EV_READ : 0) |
	    (writable != 0 ? EV_WRITE : 0));
	struct watch *w;

	watch_drop(l, fd);
	if (what == 0)
		return;
	w = xcalloc(1, sizeof *w);
	w->l = l;
	w->fd = fd;
	w->ev = event_new(l->base, fd, (short)(what | EV_PERSIST),
	    on_socket_cb, w);
	if (w->ev == NULL || event_add(w->ev, NULL) == -1)
		fatal("cannot wait for an answer");
	w->next = l->watches;
	l->watches = w;
}

/* --- the channel ---------------------------------------------------------- */

static void
set_server(struct lookup *l)
{
	struct ares_addr_port_node node = {
		.family = l->resolver->addr.family,
		.udp_port = l->resolver->port,
		.tcp_port = l->resolver->port,
	};

	if (node.family == AF_INET)
		node.addr.addr4 = l->resolver->addr.v4;
	else
		memcpy(&node.addr.addr6, &l->resolver->addr.v6,
		    sizeof node.addr.addr6);
	if (ares_set_servers_ports(l->channel, &node) != ARES_SUCCESS)
		fatal("c-ares does not take the resolver");
}

/*
 * Everything that c-ares would otherwise take from a file or the environment
 * is given here.
 */
static void
open_channel(struct lookup *l)
{
	static char files[] = "/dev/null", lookups[] = "b";
	struct ares_options o = {
		/* NOCHECKRESP: we want to know of a SERVFAIL. */
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
		    ARES_FLAG_NOCHECKRESP | ARES_FLAG_STAYOPEN |
		    (l->tls != NULL ? ARES_FLAG_USEVC : 0),
		.timeout = (int)(l->resolver->timeout_ms / FIRST_PART),
		.tries = TRIES,
		.ndots = 1,
		.lookups = lookups,
		.sock_state_cb = on_state,
		.sock_state_cb_data = l,
		.resolvconf_path = files,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
	    ARES_OPT_NDOTS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
	    ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF | ARES_OPT_NOROTATE;

#ifdef ARES_OPT_HOSTS_FILE
	o.hosts_path = files;
	mask |= ARES_OPT_HOSTS_FILE;
#endif
#ifdef ARES_OPT_QUERY_CACHE
	mask |= ARES_OPT_QUERY_CACHE; /* for 0 s: names.c remembers */
#endif
	if (ares_init_options(&l->channel, &o, mask) != ARES_SUCCESS)
		fatal("c-ares cannot begin");
	ares_set_socket_functions(l->channel, &socket_functions, l);
	set_server(l);
	l->trouble = NAME_UNKNOWN;
}

static void
close_channel(struct lookup *l)
{
	if (l->channel == NULL)
		return;
	ares_destroy(l->channel);
	l->channel = NULL;
	while (l->watches != NULL)
		watch_drop(l, l->watches->fd);
	if (l->tls != NULL)
		tls_stop(l->tls);
	rearm(l);
}

/* --- lookups -------------------------------------------------------------- */

/* What a failure of c-ares' says; the sockets may know better. */
static enum name_state
failure(const struct lookup *l, int status)
{
	switch (status) {
	case ARES_ENODATA:
		return NAME_EMPTY;
	case ARES_ENOTFOUND:
		return NAME_NXDOMAIN;
	case ARES_EFORMERR: /* these four are codes of the answer */
	case ARES_ESERVFAIL:
	case ARES_ENOTIMP:
	case ARES_EREFUSED:
		return NAME_REFUSED;
	case ARES_ETIMEOUT:
		return l->trouble != NAME_UNKNOWN ? l->trouble :
		    NAME_TIMEOUT;
	case ARES_ECONNREFUSED:
		return l->trouble != NAME_UNKNOWN ? l->trouble :
		    NAME_UNREACHABLE;
	case ARES_ENOMEM:
		fatal("out of memory");
	default:
		return NAME_BAD;
	}
}

static void
end_slot(struct slot *s, enum name_state state)
{
	const struct answer late = { .state = state };

	if (s->v4.state == NAME_UNKNOWN)
		s->v4 = late;
	if (s->v6.state == NAME_UNKNOWN)
		s->v6 = late;
	s->serial = 0; /* its questions are nobody's now */
	s->open = 0;
	s->ended = true;
}

static void
on_answer(void *arg, int status, int timeouts, unsigned char *msg, int len)
{
	struct question *q = arg;
	struct lookup *l = q->l;
	struct slot *s = &l->slots[q->slot];
	struct answer *a = q->family == AF_INET ? &s->v4 : &s->v6;
	struct answer_bytes bytes = { msg, len > 0 ? (size_t)len : 0 };

	(void)timeouts;
	if (status != ARES_EDESTRUCTION && status != ARES_ECANCELLED &&
	    s->used && s->serial == q->serial) {
		if (msg != NULL)
			l->trouble = NAME_UNKNOWN; /* it gets through */
		if (status == ARES_SUCCESS)
			answer_read(a, s->host, q->family,
			    l->resolver->allow_private, &bytes);
		else if (a->state == NAME_UNKNOWN || msg != NULL)
			a->state = failure(l, status);
		if (--s->open == 0)
			s->ended = true;
	}
	free(q);
}

static void
ask(struct lookup *l, size_t slot, int family)
{
	struct question *q = xcalloc(1, sizeof *q);

	q->l = l;
	q->slot = slot;
	q->serial = l->slots[slot].serial;
	q->family = family;
	l->queries++;
	ares_query(l->channel, l->slots[slot].host, ns_c_in,
	    family == AF_INET ? ns_t_a : ns_t_aaaa, on_answer, q);
}

bool
lookup_start(struct lookup *l, const char *host)
{
	struct slot *s;
	size_t i = 0;

	while (i < NAME_MAX_HOSTS && l->slots[i].used)
		i++;
	if (i == NAME_MAX_HOSTS)
		return false;
	if (l->channel == NULL)
		open_channel(l);
	s = &l->slots[i];
	memset(s, 0, sizeof *s);
	s->used = true;
	s->open = 2;
	if (++l->serial == 0)
		l->serial = 1;
	s->serial = l->serial;
	s->deadline_ms = net_now_ms() + l->resolver->timeout_ms;
	memcpy(s->host, host, strnlen(host, sizeof s->host - 1));
	/* Either may end before it returns. */
	ask(l, i, AF_INET);
	ask(l, i, AF_INET6);
	rearm(l);
	return true;
}

void
lookup_cancel(struct lookup *l, const char *host)
{
	for (size_t i = 0; i < NAME_MAX_HOSTS; i++)
		if (l->slots[i].used &&
		    strcasecmp(l->slots[i].host, host) == 0)
			l->slots[i].used = false;
}

void
lookup_stop(struct lookup *l)
{
	memset(l->slots, 0, sizeof l->slots);
	close_channel(l);
}

bool
lookup_take(struct lookup *l, char host[POL_HOST_LEN], struct answer *out)
{
	for (size_t i = 0; i < NAME_MAX_HOSTS; i++) {
		struct slot *s = &l->slots[i];

		if (!s->used || !s->ended)
			continue;
		memcpy(host, s->host, sizeof s->host);
		*out = s->v4;
		answer_join(out, &s->v6);
		s->used = false;
		return true;
	}
	return false;
}

static bool
is_busy(const struct lookup *l)
{
	for (size_t i = 0; i < NAME_MAX_HOSTS; i++)
		if (l->slots[i].used && !l->slots[i].ended)
			return true;
	return false;
}

bool
lookup_active(const struct lookup *l)
{
	return l->channel != NULL;
}

void
lookup_tick(struct lookup *l, uint64_t now)
{
	for (size_t i = 0; i < NAME_MAX_HOSTS; i++) {
		struct slot *s = &l->slots[i];

		if (s->used && !s->ended && s->deadline_ms <= now)
			end_slot(s, failure(l, ARES_ETIMEOUT));
	}
	if (l->channel == NULL || is_busy(l)) {
		l->idle_ms = now;
		return;
	}
	if (l->tls == NULL || l->trouble != NAME_UNKNOWN ||
	    now - l->idle_ms >= LINGER_MS)
		close_channel(l);
}

uint64_t
lookup_next(const struct lookup *l)
{
	uint64_t next = UINT64_MAX;

	if (l->channel == NULL)
		return next;
	for (size_t i = 0; i < NAME_MAX_HOSTS; i++) {
		if (!l->slots[i].used)
			continue;
		if (l->slots[i].ended)
			return 0;
		if (l->slots[i].deadline_ms < next)
			next = l->slots[i].deadline_ms;
	}
	return next != UINT64_MAX ? next : l->idle_ms + LINGER_MS;
}

uint64_t
lookup_queries(const struct lookup *l)
{
	return l->queries;
}

struct lookup *
lookup_new(struct event_base *base, const struct pol_resolver *resolver)
{
	struct lookup *l = xcalloc(1, sizeof *l);

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		fatal("c-ares cannot begin");
	l->base = base;
	l->resolver = resolver;
	if (resolver->protocol == POL_DNS_TLS)
		l->tls = tls_new(base, resolver, &tls_ops, l);
	l->timer = evtimer_new(base, on_timer_cb, l);
	if (l->timer == NULL)
		fatal("out of memory");
	return l;
}

void
lookup_free(struct lookup *l)
{
	if (l == NULL)
		return;
	lookup_stop(l);
	tls_free(l->tls);
	event_free(l->timer);
	ares_library_cleanup();
	free(l);
}
