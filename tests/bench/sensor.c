#include "config.h" /* _GNU_SOURCE */

#include "tests/bench/sensor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TOKEN "portcullis-bench"
#define TOKEN_LEN 16
#define LATE_NS 1000000 /* a pause in which a close could hide */
#define COPY_LEN 128 /* IPv4 header, UDP header, payload */

struct payload {
	char token[TOKEN_LEN];
	uint64_t sent_ns;
};

struct sensor {
	struct mnl_socket *nl;
	pthread_t thread;
	atomic_bool stop;
	bool joined;
	int fd; /* the sender's, made in the workstation's namespace */
	struct sockaddr_in to;
	uint64_t interval_ns;
	uint64_t last_ns;
	uint64_t count, overruns;
	/* The sender's own; read by others only after it has ended. */
	uint64_t sent, late, longest_ns;
};

uint64_t
sensor_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail here */
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void *
sender(void *arg)
{
	struct sensor *s = arg;
	struct payload p = { .token = TOKEN };
	uint64_t next = sensor_now(), gap;
	struct timespec ts;

	(void)prctl(PR_SET_TIMERSLACK, 1UL); /* only coarser when refused */
	while (!atomic_load(&s->stop)) {
		gap = p.sent_ns;
		p.sent_ns = sensor_now();
		gap = gap == 0 ? 0 : p.sent_ns - gap;
		s->sent++;
		s->late += gap > LATE_NS;
		if (gap > s->longest_ns)
			s->longest_ns = gap;
		/* A closed gate is what we measure: losses are no error. */
		(void)sendto(s->fd, &p, sizeof p, MSG_DONTWAIT,
		    (const struct sockaddr *)&s->to, sizeof s->to);
		next += s->interval_ns;
		if (next < p.sent_ns)
			next = p.sent_ns;
		ts.tv_sec = (time_t)(next / 1000000000u);
		ts.tv_nsec = (long)(next % 1000000000u);
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts,
		    NULL);
	}
	return NULL;
}

/* A UDP socket that lives in the namespace NETNS. */
static int
socket_in(const char *netns)
{
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(netns, O_RDONLY | O_CLOEXEC);
	int fd = -1;

	if (here == -1 || there == -1 || setns(there, CLONE_NEWNET) == -1) {
		fprintf(stderr, "cannot enter %s: %s\n", netns,
		    strerror(errno));
	} else {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (setns(here, CLONE_NEWNET) == -1) {
			perror("cannot come back from the namespace");
			exit(1);
		}
	}
	close(here);
	close(there);
	return fd;
}

static int
config(struct sensor *s, uint16_t type, const void *data, size_t len)
{
	char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;
	ssize_t n;

	h->nlmsg_type = (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = 1;
	g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	g->res_id = htons(SENSOR_GROUP);
	mnl_attr_put(h, type, len, data);
	if (mnl_socket_sendto(s->nl, h, h->nlmsg_len) == -1)
		return -1;
	n = mnl_socket_recvfrom(s->nl, buf, sizeof buf);
	return n > 0 ? mnl_cb_run(buf, (size_t)n, 1,
	    mnl_socket_get_portid(s->nl), NULL, NULL) : -1;
}

static int
bind_group(struct sensor *s)
{
	struct nfulnl_msg_config_cmd cmd = { .command =
	    NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = { .copy_mode =
	    NFULNL_COPY_PACKET, .copy_range = htonl(COPY_LEN) };
	uint32_t each = htonl(1);
	int size = 8 << 20, fd;

	s->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (s->nl == NULL || mnl_socket_bind(s->nl, 0, MNL_SOCKET_AUTOPID) ==
	    -1)
		return -1;
	fd = mnl_socket_get_fd(s->nl);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) ==
	    -1)
		return -1;
	if (config(s, NFULA_CFG_CMD, &cmd, sizeof cmd) == -1 ||
	    config(s, NFULA_CFG_MODE, &mode, sizeof mode) == -1 ||
	    config(s, NFULA_CFG_QTHRESH, &each, sizeof each) == -1)
		return -1;
	return 0;
}

static int
on_packet(const struct nlmsghdr *h, void *arg)
{
	struct sensor *s = arg;
	struct nlattr *attr;
	struct payload p;

	mnl_attr_for_each(attr, h, sizeof(struct nfgenmsg)) {
		const unsigned char *ip = mnl_attr_get_payload(attr);
		size_t n = mnl_attr_get_payload_len(attr), at;

		if (mnl_attr_get_type(attr) != NFULA_PAYLOAD || n < 20)
			continue;
		at = (size_t)(ip[0] & 15) * 4 + 8;
		if (n < at + sizeof p)
			continue;
		memcpy(&p, ip + at, sizeof p);
		if (memcmp(p.token, TOKEN, TOKEN_LEN) != 0)
			continue;
		s->count++;
		if (p.sent_ns > s->last_ns)
			s->last_ns = p.sent_ns;
	}
	return MNL_CB_OK;
}

uint64_t
sensor_last(struct sensor *s)
{
	static char buf[1 << 16];
	int fd = mnl_socket_get_fd(s->nl);
	ssize_t n;

	while ((n = recv(fd, buf, sizeof buf, MSG_DONTWAIT)) != -1 ||
	    errno == ENOBUFS)
		if (n == -1)
			s->overruns++;
		else if (n > 0)
			(void)mnl_cb_run(buf, (size_t)n, 0, 0, on_packet, s);
	return s->last_ns;
}

void
sensor_print(struct sensor *s)
{
	atomic_store(&s->stop, true);
	(void)pthread_join(s->thread, NULL);
	s->joined = true;
	printf("\n* sender: %llu datagrams, %llu accepted, "
	       "%llu pauses over 1 ms, the longest %.1f ms; "
	       "sensor overruns: %llu\n",
	    (unsigned long long)s->sent, (unsigned long long)s->count,
	    (unsigned long long)s->late, (double)s->longest_ns / 1e6,
	    (unsigned long long)s->overruns);
}

static void
nap(void)
{
	struct timespec ts = { .tv_nsec = 1000000 };

	(void)nanosleep(&ts, NULL);
}

int
sensor_quiet(struct sensor *s, unsigned quiet_ms, unsigned limit_ms)
{
	uint64_t end = sensor_now() + limit_ms * UINT64_C(1000000);
	uint64_t quiet = quiet_ms * UINT64_C(1000000), now;

	while ((now = sensor_now()) < end) {
		if (sensor_last(s) + quiet < now)
			return 0;
		nap();
	}
	return -1;
}

int
sensor_flowing(struct sensor *s, uint64_t since, unsigned limit_ms)
{
	uint64_t end = sensor_now() + limit_ms * UINT64_C(1000000);

	while (sensor_now() < end) {
		if (sensor_last(s) > since)
			return 0;
		nap();
	}
	return -1;
}

struct sensor *
sensor_start(const char *netns, const char *dst, uint16_t port,
    unsigned rate)
{
	struct sensor *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->to.sin_family = AF_INET;
	s->to.sin_port = htons(port);
	s->interval_ns = 1000000000u / rate;
	if (inet_pton(AF_INET, dst, &s->to.sin_addr) != 1 ||
	    (s->fd = socket_in(netns)) == -1 || bind_group(s) == -1) {
		perror("cannot start the sensor");
		free(s);
		return NULL;
	}
	if (pthread_create(&s->thread, NULL, sender, s) != 0) {
		fputs("cannot start the sender\n", stderr);
		free(s);
		return NULL;
	}
	return s;
}

void
sensor_stop(struct sensor *s)
{
	if (s == NULL)
		return;
	if (!s->joined) {
		atomic_store(&s->stop, true);
		(void)pthread_join(s->thread, NULL);
	}
	close(s->fd);
	(void)mnl_socket_close(s->nl);
	free(s);
}
