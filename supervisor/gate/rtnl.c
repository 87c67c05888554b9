#include "supervisor/gate/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/gate/nft_batch.h"

/* The kernel never dumps more than 32 KiB in one datagram. */
#define BUF_BYTES 65536
/* Datagrams of a dump, and of a burst of changes: the rest waits. */
#define DUMP_MOST 256
#define EVENT_MOST 64

static _Alignas(struct nlmsghdr) uint8_t buf[BUF_BYTES];

int
rtnl_open(struct nft_sock *s, uint32_t groups)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
		.nl_groups = groups };
	socklen_t len = sizeof sa;
	int saved;

	*s = (struct nft_sock){ .fd = -1 };
	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_ROUTE);
	if (s->fd == -1)
		return -1;
	if (bind(s->fd, (struct sockaddr *)&sa, sizeof sa) == 0 &&
	    getsockname(s->fd, (struct sockaddr *)&sa, &len) == 0) {
		s->portid = sa.nl_pid;
		return 0;
	}
	saved = errno;
	(void)close(s->fd);
	s->fd = -1;
	errno = saved;
	return -1;
}

static int
send_msg(struct nft_sock *s, struct nlmsghdr *h)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	/* What is left of an answer that was given up. */
	for (int i = 0; i < DUMP_MOST; i++)
		if (nft_recv(s, buf, sizeof buf) == -EAGAIN)
			break;
	h->nlmsg_seq = ++s->seq;
	return sendto(s->fd, h, h->nlmsg_len, MSG_DONTWAIT,
	    (struct sockaddr *)&kernel, sizeof kernel) == -1 ? -errno : 0;
}

static bool
is_answer(const struct nft_sock *s, const struct nlmsghdr *h)
{
	return h->nlmsg_pid == s->portid && h->nlmsg_seq == s->seq;
}

/* What an NLMSG_ERROR, or the number behind an NLMSG_DONE, says. */
static int
error_of(const struct nlmsghdr *h)
{
	int error;

	if (mnl_nlmsg_get_payload_len(h) < sizeof error)
		return h->nlmsg_type == NLMSG_DONE ? 0 : -EPROTO;
	memcpy(&error, mnl_nlmsg_get_payload(h), sizeof error);
	return error <= 0 ? error : -EPROTO;
}

int
rtnl_change(struct nft_sock *s, struct nlmsghdr *h)
{
	const struct nlmsghdr *in;
	ssize_t n;
	int left, rc;

	h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	rc = send_msg(s, h);
	if (rc != 0)
		return rc;
	/* The answer is there when send returns. */
	n = nft_recv(s, buf, sizeof buf);
	if (n < 0)
		return n == -EAGAIN ? -EPROTO : (int)n;
	left = (int)n;
	for (in = (void *)buf; mnl_nlmsg_ok(in, left);
	    in = mnl_nlmsg_next(in, &left))
		if (is_answer(s, in) && in->nlmsg_type == NLMSG_ERROR)
			return error_of(in);
	return -EPROTO;
}

struct dump {
	struct nft_sock *s;
	rtnl_each_fn *each;
	void *arg;
	bool torn;
};

/* 1: go on, 0: that was all, else an error. */
static int
take_msg(struct dump *d, const struct nlmsghdr *h)
{
	int rc;

	if (!is_answer(d->s, h))
		return 1;
	if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		d->torn = true;
	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
		rc = error_of(h);
		return rc == 0 && d->torn ? -EINTR : rc;
	}
	return d->each(d->arg, h) ? 1 : -EPROTO;
}

static int
take_all(struct dump *d)
{
	const struct nlmsghdr *h;
	ssize_t n;
	int left, rc;

	for (int i = 0; i < DUMP_MOST; i++) {
		n = nft_recv(d->s, buf, sizeof buf);
		if (n < 0)
			return n == -EAGAIN ? -EPROTO : (int)n;
		left = (int)n;
		for (h = (void *)buf; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left)) {
			rc = take_msg(d, h);
			if (rc <= 0)
				return rc;
		}
	}
	return -EMSGSIZE;
}

int
rtnl_dump(struct nft_sock *s, uint16_t type, uint8_t family,
    rtnl_each_fn *each, void *arg)
{
	/* Each request's header begins with the family; the rest is 0. */
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
	} q = { .h = { .nlmsg_len = sizeof q, .nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.m = { .rtm_family = family } };
	struct dump d = { .s = s, .each = each, .arg = arg };
	int rc = send_msg(s, &q.h);

	return rc == 0 ? take_all(&d) : rc;
}

bool
rtnl_told(const struct nft_sock *s, uint32_t not_by)
{
	const struct nlmsghdr *h;
	bool told = false;
	ssize_t n;
	int left;

	for (int i = 0; i < EVENT_MOST; i++) {
		n = nft_recv(s, buf, sizeof buf);
		if (n == -EAGAIN)
			break;
		if (n < 0) { /* some were lost */
			told = true;
			continue;
		}
		left = (int)n;
		for (h = (void *)buf; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left))
			told = told || h->nlmsg_pid != not_by;
	}
	return told;
}
