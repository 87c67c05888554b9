#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/nlask.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The kernel answers a dump at once; a second is for a stopped machine. */
#define RECV_TIMEOUT_S 1
/* The kernel fills at most this much per message of a dump. */
#define DUMP_CAP 32768

void
nlask_init(struct nlask *q, int bus)
{
	*q = (struct nlask){ .bus = bus };
}

/* What is still queued belongs to a question that failed. */
void
nlask_clear(struct nlask *q)
{
	if (q->nl != NULL)
		mnl_socket_close(q->nl);
	q->nl = NULL;
}

static int
nl_open(struct nlask *q)
{
	struct timeval tv = { .tv_sec = RECV_TIMEOUT_S };

	if (q->nl != NULL)
		return 0;
	q->nl = mnl_socket_open2(q->bus, SOCK_CLOEXEC);
	if (q->nl == NULL)
		return -1;
	if (mnl_socket_bind(q->nl, 0, MNL_SOCKET_AUTOPID) == -1 ||
	    setsockopt(mnl_socket_get_fd(q->nl), SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof tv) == -1) {
		nlask_clear(q);
		return -1;
	}
	return 0;
}

static int
on_error(const struct nlmsghdr *nlh, void *data)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	(void)data;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *e)
		return MNL_CB_ERROR;
	errno = -e->error;
	return e->error == 0 ? MNL_CB_STOP : MNL_CB_ERROR;
}

/* A dump that the kernel had to break off is told so in its last message. */
static int
on_done(const struct nlmsghdr *nlh, void *data)
{
	const int *error = mnl_nlmsg_get_payload(nlh);

	(void)data;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *error || *error >= 0)
		return MNL_CB_STOP;
	errno = -*error;
	return MNL_CB_ERROR;
}

/* Whoever finds nonsense says no more than that: errno would be old. */
static int
take(struct nlask *q, const char *buf, size_t n, mnl_cb_t cb,
    void *data)
{
	/* libmnl's own would take every NLMSG_DONE for a good one. */
	mnl_cb_t control[] = {
		[NLMSG_ERROR] = on_error,
		[NLMSG_DONE] = on_done,
	};

	q->parts++;
	errno = EBADMSG;
	return mnl_cb_run2(buf, n, q->seq, mnl_socket_get_portid(q->nl), cb,
	    data, control, MNL_ARRAY_SIZE(control));
}

static int
talk(struct nlask *q, const struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	char buf[DUMP_CAP];
	ssize_t n;
	int rc = MNL_CB_OK;

	if (mnl_socket_sendto(q->nl, nlh, nlh->nlmsg_len) == -1)
		return -1;
	while (rc > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(q->nl, buf, sizeof buf);
		if (n == 0)
			errno = EBADMSG;
		if (n <= 0)
			return -1;
		rc = take(q, buf, (size_t)n, cb, data);
		/* A single answer is not followed by NLMSG_DONE. */
		if (rc >= 0 && (nlh->nlmsg_flags & NLM_F_DUMP) == 0)
			return 0;
	}
	return rc;
}

int
nlask_run(struct nlask *q, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	int saved;

	if (nl_open(q) == -1)
		return -1;
	nlh->nlmsg_seq = ++q->seq;
	q->parts = 0;
	if (talk(q, nlh, cb, data) == 0)
		return 0;
	saved = errno;
	nlask_clear(q);
	errno = saved;
	return -1;
}
