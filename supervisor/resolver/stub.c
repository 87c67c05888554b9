#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/stub.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/resolver/front.h"
#include "supervisor/resolver/net.h"

/* Everybody whom front.c lets through. */
#define MAX_WAITING FRONT_MAX_QUESTIONS
/* Longer than a lookup with all permissions may take by default. */
#define WAIT_MS 12000
/* Somebody else has the port: it may be the one that we replace. */
#define REOPEN_MS 1000
/* RFC 1035: more does not fit for one who said nothing of EDNS. */
#define UDP_SIZE 512
#define FIXED_SIZE (12 + 4) /* the header, and a question without its name */
#define RR_SIZE 12 /* with a pointer in the name's place */
#define FLAG_RA 0x80 /* libevent has no name for it */

enum { RCODE_OK = 0, RCODE_FORMAT = 1, RCODE_FAIL = 2, RCODE_NXDOMAIN = 3,
	RCODE_REFUSED = 5 };

struct waiting {
	struct evdns_server_request *req; /* NULL: free */
	int type;
	uint64_t since_ms;
	char host[POL_HOST_LEN];
};

struct stub {
	struct event_base *base;
	struct names *names;
	struct front *front;
	uint16_t port;
	bool on, serving, said;
	uint64_t reopen_ms;
	struct waiting waiting[MAX_WAITING];
	uint64_t answered, refused;
};

/* --- answers -------------------------------------------------------------- */

/*
 * Whoever asked may be gone; then nothing is lost.  The authoritative bit:
 * without it an empty answer is a referral, to Go, and it asks again.
 */
static void
respond(struct stub *s, struct evdns_server_request *req, int rcode)
{
	evdns_server_request_set_flags(req, EVDNS_FLAGS_AA |
	    EVDNS_FLAGS_RD | FLAG_RA);
	if (evdns_server_request_respond(req, rcode) == -1)
		log_debug("an answer of the stub was lost");
	front_drain(s->front);
}

static void
refuse(struct stub *s, struct evdns_server_request *req)
{
	s->refused++;
	respond(s, req, RCODE_REFUSED);
}

/* As many as fit, so that nobody has to come again by TCP. */
static void
add_addrs(struct evdns_server_request *req, const struct names_entry *e,
    int type, uint32_t ttl)
{
	const char *name = req->questions[0]->name;
	const int family = type == EVDNS_TYPE_A ? AF_INET : AF_INET6;
	const size_t len = family == AF_INET ? sizeof e->addr[0].v4 :
	    sizeof e->addr[0].v6;
	size_t room = UDP_SIZE - FIXED_SIZE - (strlen(name) + 2);

	for (uint32_t i = 0; i < e->n; i++) {
		if (e->addr[i].family != family || room < RR_SIZE + len)
			continue;
		if (evdns_server_request_add_reply(req,
		    EVDNS_ANSWER_SECTION, name, type, EVDNS_CLASS_INET,
		    (int)ttl, (int)len, 0,
		    (const char *)&e->addr[i].v6) == -1)
			fatal("out of memory");
		room -= RR_SIZE + len;
	}
}

static int
rcode_of(enum names_reply reply)
{
	switch (reply) {
	case NAMES_R_ADDRS:
	case NAMES_R_EMPTY:
		return RCODE_OK;
	case NAMES_R_NXDOMAIN:
		return RCODE_NXDOMAIN;
	case NAMES_R_REFUSE:
	case NAMES_R_WAIT:
	case NAMES_R_LOOKUP:
	case NAMES_R_GRANT:
	case NAMES_R_FAIL:
		break;
	}
	return RCODE_FAIL;
}

static void
finish(struct stub *s, struct waiting *w, enum names_reply reply,
    uint64_t now)
{
	struct evdns_server_request *req = w->req;
	size_t i = names_find(s->names, w->host);

	w->req = NULL;
	if (reply == NAMES_R_REFUSE) {
		refuse(s, req);
		return;
	}
	if (reply == NAMES_R_ADDRS && i != NAMES_NONE)
		add_addrs(req, &s->names->entry[i], w->type,
		    names_ttl(&s->names->entry[i], now));
	if (rcode_of(reply) != RCODE_FAIL)
		s->answered++;
	respond(s, req, rcode_of(reply));
}

/* --- questions ------------------------------------------------------------ */

static struct waiting *
free_place(struct stub *s)
{
	for (size_t i = 0; i < MAX_WAITING; i++)
		if (s->waiting[i].req == NULL)
			return &s->waiting[i];
	return NULL;
}

static void
wait_for(struct stub *s, struct evdns_server_request *req, uint64_t now)
{
	struct waiting *w = free_place(s);

	if (w == NULL) {
		respond(s, req, RCODE_FAIL);
		return;
	}
	memset(w, 0, sizeof *w);
	w->req = req;
	w->type = req->questions[0]->type;
	w->since_ms = now;
	memcpy(w->host, req->questions[0]->name,
	    strnlen(req->questions[0]->name, sizeof w->host - 1));
}

/* What can be said at once, is. */
static void
on_question_cb(struct evdns_server_request *req, void *arg)
{
	struct stub *s = arg;
	const uint64_t now = net_now_ms();
	const struct evdns_server_question *q;

	if (req->nquestions != 1) {
		respond(s, req, RCODE_FORMAT);
		return;
	}
	q = req->questions[0];
	if (!s->on || q->dns_question_class != EVDNS_CLASS_INET ||
	    names_reply(s->names, q->name, now, now) == NAMES_R_REFUSE) {
		refuse(s, req);
	} else if (q->type != EVDNS_TYPE_A && q->type != EVDNS_TYPE_AAAA) {
		s->answered++;
		respond(s, req, RCODE_OK); /* it has only addresses, here */
	} else {
		wait_for(s, req, now);
	}
}

size_t
stub_settle(struct stub *s, uint64_t now)
{
	size_t grant = NAMES_NONE;

	if (s->on && !s->serving && s->reopen_ms <= now)
		stub_serve(s, true);
	for (size_t i = 0; i < MAX_WAITING; i++) {
		struct waiting *w = &s->waiting[i];
		enum names_reply r;

		if (w->req == NULL)
			continue;
		r = names_reply(s->names, w->host, w->since_ms, now);
		if (r == NAMES_R_LOOKUP)
			s->names->entry[names_find(s->names,
			    w->host)].asked = true;
		else if (r == NAMES_R_GRANT && grant == NAMES_NONE)
			grant = names_find(s->names, w->host);
		if (r != NAMES_R_LOOKUP && r != NAMES_R_GRANT &&
		    r != NAMES_R_WAIT)
			finish(s, w, r, now);
		else if (now - w->since_ms >= WAIT_MS)
			finish(s, w, NAMES_R_FAIL, now);
	}
	front_tick(s->front, now);
	return grant;
}

uint64_t
stub_next(const struct stub *s)
{
	uint64_t next = front_next(s->front);

	if (s->on && !s->serving && s->reopen_ms < next)
		next = s->reopen_ms;
	for (size_t i = 0; i < MAX_WAITING; i++)
		if (s->waiting[i].req != NULL &&
		    s->waiting[i].since_ms + WAIT_MS < next)
			next = s->waiting[i].since_ms + WAIT_MS;
	return next;
}

void
stub_deny(struct stub *s, const char *host)
{
	const uint64_t now = net_now_ms();

	for (size_t i = 0; i < MAX_WAITING; i++)
		if (s->waiting[i].req != NULL &&
		    strcasecmp(s->waiting[i].host, host) == 0)
			finish(s, &s->waiting[i], NAMES_R_FAIL, now);
}

/* --- being there ---------------------------------------------------------- */

static void
close_all(struct stub *s)
{
	for (size_t i = 0; i < MAX_WAITING; i++)
		if (s->waiting[i].req != NULL)
			finish(s, &s->waiting[i], NAMES_R_REFUSE, 0);
	front_close(s->front);
	s->serving = false;
}

/* The machine may have no IPv6; then that is all there is. */
static bool
is_absent(const struct pol_addr *addr, int err)
{
	return addr->family == AF_INET6 &&
	    (err == EAFNOSUPPORT || err == EADDRNOTAVAIL);
}

static int
open_all(struct stub *s)
{
	const struct pol_addr addr[] = {
		{ .family = AF_INET,
		    .v4 = { .s_addr = htonl(INADDR_LOOPBACK) } },
		{ .family = AF_INET6, .v6 = IN6ADDR_LOOPBACK_INIT },
	};

	for (size_t i = 0; i < sizeof addr / sizeof addr[0]; i++)
		if (front_open(s->front, &addr[i], s->port) == -1 &&
		    !is_absent(&addr[i], errno))
			return -1;
	return 0;
}

void
stub_serve(struct stub *s, bool on)
{
	s->on = on;
	if (!on) {
		close_all(s);
		s->said = false;
		return;
	}
	if (s->serving)
		return;
	if (open_all(s) == 0) {
		s->serving = true;
		return;
	}
	if (!s->said)
		log_warn("the transports have no DNS: port %u on the "
		    "loopback: %s", (unsigned)s->port, strerror(errno));
	s->said = true;
	close_all(s);
	s->reopen_ms = net_now_ms() + REOPEN_MS;
}

bool
stub_serving(const struct stub *s)
{
	return s->serving;
}

uint64_t
stub_answered(const struct stub *s)
{
	return s->answered;
}

uint64_t
stub_refused(const struct stub *s)
{
	return s->refused + front_dropped(s->front);
}

struct stub *
stub_new(struct event_base *base, struct names *names, uint16_t port)
{
	struct stub *s = xcalloc(1, sizeof *s);

	s->base = base;
	s->names = names;
	s->port = port;
	s->front = front_new(base, on_question_cb, s);
	return s;
}

void
stub_free(struct stub *s)
{
	if (s == NULL)
		return;
	stub_serve(s, false);
	front_free(s->front);
	free(s);
}
