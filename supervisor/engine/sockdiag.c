/*
 * A listener is proven by the kernel when a socket with exactly its address
 * and port is there, it is Tor's, and no other socket could take its place:
 * wildcard sockets of the same port, dual-stack :: included, and for UDP
 * connected ones too, count as overlapping.
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* A dump that was changed while it ran is asked for again, so often. */
#define DUMP_TRIES 4
/* The kernel answers a dump at once; a second is for a stopped machine. */
#define RECV_TIMEOUT_S 1
/* The kernel fills at most this much per message of a dump. */
#define DUMP_CAP 32768
/* Policies name few addresses, each for many ports. */
#define ADDR_CACHE 8

struct local_addr {
	struct pol_addr addr;
	bool here;
};

/* What one pass has seen of one listener. */
struct seen {
	bool tor;	 /* Tor's socket, exactly there */
	unsigned root;	 /* root's, exactly there */
	bool foreign;	 /* anything else that overlaps */
	uint32_t uid;	 /* its owner */
};

struct sockdiag {
	const struct pol_policy *policy;
	struct mnl_socket *nl; /* NULL after a failure: opened again */
	uint32_t seq;
	size_t *by_port; /* listener numbers by protocol and port */
	struct seen *seen;
	uint8_t l4proto; /* of the dump that is running */
	struct local_addr cache[ADDR_CACHE];
	size_t ncache;
};

/* One socket as the kernel describes it. */
struct sock {
	int family;
	struct pol_addr addr;
	uint16_t port;
	uint32_t uid;
	bool wildcard, v6only;
};

static uint32_t
port_key(const struct pol_policy *policy, size_t i)
{
	const struct pol_listener *l = &policy->listeners[i];

	return ((uint32_t)pol_kind_l4proto(l->kind) << 16) | l->port;
}

static int
compare_port(const void *a, const void *b, void *arg)
{
	uint32_t ka = port_key(arg, *(const size_t *)a);
	uint32_t kb = port_key(arg, *(const size_t *)b);

	return (ka > kb) - (ka < kb);
}

static int
nl_open(struct sockdiag *d)
{
	struct timeval tv = { .tv_sec = RECV_TIMEOUT_S };

	if (d->nl != NULL)
		return 0;
	d->nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (d->nl == NULL)
		return -1;
	if (mnl_socket_bind(d->nl, 0, MNL_SOCKET_AUTOPID) == -1 ||
	    setsockopt(mnl_socket_get_fd(d->nl), SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof tv) == -1) {
		mnl_socket_close(d->nl);
		d->nl = NULL;
		return -1;
	}
	return 0;
}

/* What is still queued belongs to a question that failed. */
static void
nl_drop(struct sockdiag *d)
{
	if (d->nl != NULL)
		mnl_socket_close(d->nl);
	d->nl = NULL;
}

struct sockdiag *
sockdiag_new(const struct pol_policy *policy)
{
	struct sockdiag *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->policy = policy;
	d->by_port = calloc(policy->nlisteners + 1, sizeof *d->by_port);
	d->seen = calloc(policy->nlisteners + 1, sizeof *d->seen);
	if (d->by_port == NULL || d->seen == NULL || nl_open(d) == -1) {
		sockdiag_free(d);
		return NULL;
	}
	for (size_t i = 0; i < policy->nlisteners; i++)
		d->by_port[i] = i;
	qsort_r(d->by_port, policy->nlisteners, sizeof *d->by_port,
	    compare_port, (void *)(uintptr_t)policy);
	return d;
}

void
sockdiag_free(struct sockdiag *d)
{
	if (d == NULL)
		return;
	nl_drop(d);
	free(d->by_port);
	free(d->seen);
	free(d);
}

static bool
is_zero(const void *p, size_t n)
{
	const unsigned char *b = p;

	while (n > 0)
		if (b[--n] != 0)
			return false;
	return true;
}

static void
read_addr(struct sock *s, const struct inet_diag_msg *m)
{
	s->family = s->addr.family = m->idiag_family;
	if (m->idiag_family == AF_INET) {
		memcpy(&s->addr.v4, m->id.idiag_src, sizeof s->addr.v4);
		s->wildcard = is_zero(&s->addr.v4, sizeof s->addr.v4);
		return;
	}
	memcpy(&s->addr.v6, m->id.idiag_src, sizeof s->addr.v6);
	s->wildcard = is_zero(&s->addr.v6, sizeof s->addr.v6);
}

static int
on_attr(const struct nlattr *attr, void *data)
{
	struct sock *s = data;

	if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY &&
	    mnl_attr_validate(attr, MNL_TYPE_U8) == 0)
		s->v6only = mnl_attr_get_u8(attr) != 0;
	return MNL_CB_OK;
}

/* Would packets for L also match S, or bind collide with it? */
static bool
overlaps(const struct sock *s, const struct pol_listener *l)
{
	struct in_addr mapped;

	if (s->family == l->addr.family)
		return s->wildcard || pol_addr_equal(&s->addr, &l->addr);
	if (s->family != AF_INET6)
		return false;
	if (s->wildcard)
		return !s->v6only;
	if (!IN6_IS_ADDR_V4MAPPED(&s->addr.v6))
		return false;
	memcpy(&mapped, &s->addr.v6.s6_addr[12], sizeof mapped);
	return mapped.s_addr == l->addr.v4.s_addr;
}

static void
note(struct sockdiag *d, size_t i, const struct sock *s)
{
	const struct pol_listener *l = &d->policy->listeners[i];
	struct seen *seen = &d->seen[i];
	bool exact = s->family == l->addr.family && !s->wildcard;

	if (!overlaps(s, l))
		return;
	if (s->uid == d->policy->tor.user.uid) {
		seen->tor = seen->tor || exact;
		return;
	}
	if (s->uid == 0 && exact) {
		seen->root++;
		return;
	}
	seen->foreign = true;
	seen->uid = s->uid;
}

/* The first place in by_port whose key is not below KEY. */
static size_t
lower_bound(const struct sockdiag *d, uint32_t key)
{
	size_t lo = 0, hi = d->policy->nlisteners, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (port_key(d->policy, d->by_port[mid]) < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int
on_socket(const struct nlmsghdr *nlh, void *data)
{
	struct sockdiag *d = data;
	const struct inet_diag_msg *m;
	struct sock s = { 0 };
	uint32_t key;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *m)
		return MNL_CB_ERROR;
	m = mnl_nlmsg_get_payload(nlh);
	if (m->idiag_family != AF_INET && m->idiag_family != AF_INET6)
		return MNL_CB_OK;
	read_addr(&s, m);
	s.port = ntohs(m->id.idiag_sport);
	s.uid = m->idiag_uid;
	if (mnl_attr_parse(nlh, sizeof *m, on_attr, &s) < 0)
		return MNL_CB_ERROR;
	key = ((uint32_t)d->l4proto << 16) | s.port;
	for (size_t k = lower_bound(d, key); k < d->policy->nlisteners &&
	    port_key(d->policy, d->by_port[k]) == key; k++)
		note(d, d->by_port[k], &s);
	return MNL_CB_OK;
}

static struct inet_diag_req_v2 *
make_request(struct nlmsghdr **nlh, char *buf, uint16_t flags, uint32_t seq)
{
	*nlh = mnl_nlmsg_put_header(buf);
	(*nlh)->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	(*nlh)->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	(*nlh)->nlmsg_seq = seq;
	return mnl_nlmsg_put_extra_header(*nlh,
	    sizeof(struct inet_diag_req_v2));
}

/* Send NLH and hand every answer to CB; -1 and errno. */
static int
talk(struct sockdiag *d, const struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	char buf[DUMP_CAP];
	unsigned portid = mnl_socket_get_portid(d->nl);
	ssize_t n;
	int rc = MNL_CB_OK;

	if (mnl_socket_sendto(d->nl, nlh, nlh->nlmsg_len) == -1)
		return -1;
	while (rc > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(d->nl, buf, sizeof buf);
		if (n <= 0)
			return -1;
		rc = mnl_cb_run(buf, (size_t)n, d->seq, portid, cb, data);
		/* A single answer is not followed by NLMSG_DONE. */
		if (rc >= 0 && (nlh->nlmsg_flags & NLM_F_DUMP) == 0)
			return 0;
	}
	return rc;
}

static int
dump(struct sockdiag *d, uint8_t family, uint8_t l4proto, uint32_t states)
{
	char buf[MNL_NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2) + 64];
	struct inet_diag_req_v2 *r;
	struct nlmsghdr *nlh;
	int saved;

	if (nl_open(d) == -1)
		return -1;
	d->l4proto = l4proto;
	r = make_request(&nlh, buf, NLM_F_DUMP, ++d->seq);
	r->sdiag_family = family;
	r->sdiag_protocol = l4proto;
	r->idiag_states = states;
	if (talk(d, nlh, on_socket, d) == 0)
		return 0;
	saved = errno;
	nl_drop(d);
	/* A kernel without IPv6 has no IPv6 sockets to fear. */
	return family == AF_INET6 && saved == ENOENT ? 0 : -1;
}

static int
dump_all(struct sockdiag *d)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	memset(d->seen, 0, d->policy->nlisteners * sizeof *d->seen);
	for (size_t i = 0; i < 2; i++)
		if (dump(d, families[i], IPPROTO_TCP, 1u << TCP_LISTEN) ==
		    -1 ||
		    dump(d, families[i], IPPROTO_UDP, UINT32_MAX) == -1)
			return -1;
	return 0;
}

/* Can a socket be bound to ADDR?  Port 0: no port is taken away. */
static bool
bind_test(const struct pol_addr *addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	int fd = socket(addr->family, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd == -1)
		return errno != EAFNOSUPPORT;
	if (addr->family == AF_INET) {
		sin.sin_addr = addr->v4;
		rc = bind(fd, (struct sockaddr *)&sin, sizeof sin);
	} else {
		sin6.sin6_addr = addr->v6;
		rc = bind(fd, (struct sockaddr *)&sin6, sizeof sin6);
	}
	/* Only this one error means that the address is not there. */
	rc = rc == -1 && errno == EADDRNOTAVAIL ? -1 : 0;
	close(fd);
	return rc == 0;
}

static bool
addr_is_here(struct sockdiag *d, const struct pol_addr *addr)
{
	struct local_addr *la;

	for (size_t i = 0; i < d->ncache; i++)
		if (pol_addr_equal(&d->cache[i].addr, addr))
			return d->cache[i].here;
	if (d->ncache == ADDR_CACHE)
		return bind_test(addr);
	la = &d->cache[d->ncache++];
	la->addr = *addr;
	la->here = bind_test(addr);
	return la->here;
}

static struct proof
judge(struct sockdiag *d, size_t i)
{
	const struct seen *seen = &d->seen[i];

	if (seen->foreign)
		return (struct proof){ .kind = PROOF_FOREIGN,
			.uid = seen->uid };
	if (seen->root > 1 || (seen->root == 1 && seen->tor))
		return (struct proof){ .kind = PROOF_FOREIGN };
	if (seen->root == 1)
		return (struct proof){ .kind = PROOF_ROOT };
	if (seen->tor)
		return (struct proof){ .kind = PROOF_OK };
	if (!addr_is_here(d, &d->policy->listeners[i].addr))
		return (struct proof){ .kind = PROOF_NO_ADDR };
	return (struct proof){ .kind = PROOF_NO_SOCKET };
}

int
sockdiag_prove(struct sockdiag *d, struct proof *out)
{
	int rc = -1;

	for (int i = 0; i < DUMP_TRIES && rc == -1; i++)
		rc = dump_all(d);
	if (rc == -1)
		return -1;
	d->ncache = 0; /* addresses come and go */
	for (size_t i = 0; i < d->policy->nlisteners; i++)
		out[i] = judge(d, i);
	return 0;
}

static int
on_owner(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	int64_t *uid = data;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *m)
		return MNL_CB_ERROR;
	/* Where there is no such connection the kernel shows the listener. */
	if (m->idiag_state != TCP_ESTABLISHED)
		return MNL_CB_ERROR;
	*uid = m->idiag_uid;
	return MNL_CB_OK;
}

static int
put_addr(uint32_t addr[4], uint16_t *port, const struct sockaddr *sa)
{
	const struct sockaddr_in *sin = (const void *)sa;
	const struct sockaddr_in6 *sin6 = (const void *)sa;

	if (sa->sa_family == AF_INET) {
		memcpy(addr, &sin->sin_addr, sizeof sin->sin_addr);
		*port = sin->sin_port;
		return 0;
	}
	if (sa->sa_family != AF_INET6)
		return -1;
	memcpy(addr, &sin6->sin6_addr, sizeof sin6->sin6_addr);
	*port = sin6->sin6_port;
	return 0;
}

int
sockdiag_owner(struct sockdiag *d, uint32_t *uid,
    const struct sockaddr *local, const struct sockaddr *remote)
{
	char buf[MNL_NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2) + 64];
	struct inet_diag_req_v2 *r;
	struct nlmsghdr *nlh;
	int64_t owner = -1;

	if (nl_open(d) == -1)
		return -1;
	r = make_request(&nlh, buf, 0, ++d->seq);
	r->sdiag_family = (uint8_t)local->sa_family;
	r->sdiag_protocol = IPPROTO_TCP;
	r->idiag_states = UINT32_MAX;
	r->id.idiag_cookie[0] = r->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (put_addr(r->id.idiag_src, &r->id.idiag_sport, local) == -1 ||
	    put_addr(r->id.idiag_dst, &r->id.idiag_dport, remote) == -1)
		return -1;
	if (talk(d, nlh, on_owner, &owner) == -1 || owner == -1) {
		nl_drop(d);
		return -1;
	}
	*uid = (uint32_t)owner;
	return 0;
}
