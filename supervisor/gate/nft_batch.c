#include "supervisor/gate/nft_batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Answers to a commit are short (NETLINK_CAP_ACK): many fit. */
#define ACK_BUF 16384
/* Datagrams: far more than there are messages in a batch to answer. */
#define ANSWERS_MOST 65536
/* A batch's two ends, 20 octets each, and nothing between them. */
#define FENCE_BYTES 64

int
nft_sock_open(struct nft_sock *s, unsigned group)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof sa;
	const int one = 1;

	*s = (struct nft_sock){ .fd = -1 };
	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_NETFILTER);
	if (s->fd == -1)
		return -1;
	if (bind(s->fd, (struct sockaddr *)&sa, sizeof sa) == -1 ||
	    getsockname(s->fd, (struct sockaddr *)&sa, &len) == -1)
		goto fail;
	s->portid = sa.nl_pid;
	if (setsockopt(s->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one,
	    sizeof one) == -1)
		goto fail;
	if (group != 0 && nft_sock_join(s, group) == -1)
		goto fail;
	return 0;
fail:
	nft_sock_close(s);
	return -1;
}

int
nft_sock_join(const struct nft_sock *s, unsigned group)
{
	return setsockopt(s->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
	    sizeof group);
}

int
nft_sock_leave(const struct nft_sock *s, unsigned group)
{
	return setsockopt(s->fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group,
	    sizeof group);
}

void
nft_sock_close(struct nft_sock *s)
{
	if (s->fd != -1)
		(void)close(s->fd); /* Linux closes it whatever it says */
	s->fd = -1;
}

int
nft_sock_buffers(const struct nft_sock *s, size_t send, size_t recv)
{
	const int tx = (int)send, rx = (int)recv;

	if (setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &tx,
	    sizeof tx) == -1)
		return -1;
	return setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &rx, sizeof rx);
}

/* With its padding; libmnl's macro is not for unsigned lengths. */
static size_t
aligned(const struct nlmsghdr *h)
{
	return (h->nlmsg_len + (MNL_ALIGNTO - 1u)) & ~(size_t)(MNL_ALIGNTO - 1);
}

static struct nlmsghdr *
put_header(void *at, uint16_t type, uint8_t family, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return h;
}

/* BATCH_BEGIN and BATCH_END: never with NLM_F_ACK, kernels differ. */
static void
put_bracket(struct nft_batch *b, uint16_t type)
{
	struct nlmsghdr *h = put_header(b->buf + b->len, type, AF_UNSPEC, 0);
	struct nfgenmsg *g = mnl_nlmsg_get_payload(h);

	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	b->len += aligned(h);
}

void
nft_batch_begin(struct nft_batch *b, void *buf, size_t cap)
{
	*b = (struct nft_batch){ .buf = buf, .cap = cap };
	put_bracket(b, NFNL_MSG_BATCH_BEGIN);
}

struct nlmsghdr *
nft_batch_msg(struct nft_batch *b, uint16_t type, uint8_t family,
    uint16_t flags)
{
	uint16_t full_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);

	if (b->cap - b->len < NFT_MSG_ROOM) {
		/* Poisoned: what follows may overwrite what is there. */
		b->full = true;
		b->len = 0;
	}
	return put_header(b->buf + b->len, full_type, family, flags);
}

void
nft_batch_push(struct nft_batch *b, const struct nlmsghdr *h)
{
	b->last = b->len;
	b->len += aligned(h);
	if (b->len > b->cap) { /* cannot be: the room would be wrong */
		b->full = true;
		b->len = 0;
	}
}

void
nft_batch_append(struct nft_batch *b, const struct nft_batch *part)
{
	const struct nlmsghdr *begin = (const struct nlmsghdr *)part->buf;
	const size_t head = aligned(begin), n = part->len - head;

	if (part->full || part->last == 0 || b->full || n > b->cap - b->len) {
		b->full = true;
		return;
	}
	memcpy(b->buf + b->len, part->buf + head, n);
	b->last = b->len + (part->last - head);
	b->len += n;
}

void
nft_batch_end(struct nft_batch *b)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(b->buf + b->last);

	if (b->full || b->last == 0 || b->cap - b->len < NFT_MSG_ROOM)
		return; /* not ended: nft_commit() refuses it */
	h->nlmsg_flags |= NLM_F_ACK;
	put_bracket(b, NFNL_MSG_BATCH_END);
	b->ended = true;
}

/* Fresh numbers on every message.  Returns that of the one to be acked. */
static uint32_t
stamp(struct nft_sock *s, struct nft_batch *b)
{
	struct nlmsghdr *h;
	uint32_t ack = 0;

	for (size_t at = 0; at < b->len; at += aligned(h)) {
		h = (struct nlmsghdr *)(b->buf + at);
		h->nlmsg_seq = ++s->seq;
		if (at == b->last)
			ack = s->seq;
	}
	return ack;
}

ssize_t
nft_recv(const struct nft_sock *s, void *buf, size_t cap)
{
	struct sockaddr_nl from;
	struct iovec iov = { .iov_base = buf, .iov_len = cap };
	struct msghdr mh = { .msg_name = &from, .msg_namelen = sizeof from,
		.msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	for (;;) {
		n = recvmsg(s->fd, &mh, MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		if (mh.msg_namelen != sizeof from || from.nl_pid != 0)
			continue; /* another process: not an answer */
		return (mh.msg_flags & MSG_TRUNC) != 0 ? -EPROTO : n;
	}
}

struct answers {
	uint32_t first, ack; /* our first number, the one to be acked */
	bool acked;
	int error;	/* first error, negative */
	uint32_t error_msg;
};

static void
take_answer(struct answers *a, const struct nft_sock *s,
    const struct nlmsghdr *h)
{
	const struct nlmsgerr *e;

	/* What an earlier, given-up commit left behind is not ours. */
	if (!mnl_nlmsg_portid_ok(h, s->portid) || h->nlmsg_seq - a->first >
	    s->seq - a->first)
		return;
	if (h->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(h) < sizeof *e)
		return;
	e = mnl_nlmsg_get_payload(h);
	if (e->error == 0) {
		a->acked = a->acked || h->nlmsg_seq == a->ack;
	} else if (a->error == 0) {
		a->error = e->error;
		a->error_msg = h->nlmsg_seq - a->first;
	}
}

/* The kernel answers before sendmsg() returns: whatever is there is all. */
static int
drain(const struct nft_sock *s, struct answers *a)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ACK_BUF];
	const struct nlmsghdr *h;
	int left, rc = 0;
	ssize_t n;

	for (int i = 0; i < ANSWERS_MOST; i++) {
		n = nft_recv(s, buf, sizeof buf);
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			rc = rc != 0 ? rc : (int)n;
			/* ENOBUFS: some were lost, the others are there. */
			if (n == -ENOBUFS || n == -EPROTO)
				continue;
			return rc;
		}
		left = (int)n;
		for (h = (void *)buf; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left))
			take_answer(a, s, h);
	}
	return rc;
}

/* All of B, and what the kernel has to say to it. */
static int
carry_out(struct nft_sock *s, struct nft_batch *b, struct answers *a)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;
	int rc;

	a->first = s->seq + 1;
	a->ack = stamp(s, b);
	do
		n = sendto(s->fd, b->buf, b->len, MSG_DONTWAIT,
		    (struct sockaddr *)&kernel, sizeof kernel);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	rc = drain(s, a);
	return a->error != 0 ? a->error : rc;
}

int
nft_commit(struct nft_sock *s, struct nft_batch *b)
{
	struct answers a = { 0 };
	int rc;

	s->fail_msg = 0;
	if (!b->ended)
		return -E2BIG;
	rc = carry_out(s, b, &a);
	s->fail_msg = a.error_msg;
	if (rc != 0)
		return rc;
	return a.acked ? 0 : -EPROTO;
}

/* The kernel takes its lock before it finds that there is nothing to do. */
int
nft_fence(struct nft_sock *s)
{
	_Alignas(struct nlmsghdr) uint8_t buf[FENCE_BYTES];
	struct nft_batch b;
	struct answers a = { 0 };

	nft_batch_begin(&b, buf, sizeof buf);
	put_bracket(&b, NFNL_MSG_BATCH_END);
	return carry_out(s, &b, &a);
}
