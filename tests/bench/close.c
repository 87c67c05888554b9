/*
 * How fast the gate falls.  Runs in the gateway's namespace, beside a
 * portcullisd that holds the gate open on a real Tor, with 20,000 stamped
 * datagrams per second from the workstation; tests/bench/close.sh sets that
 * up.  Each round injects one fault and takes the send time of the last
 * datagram that got in; see sensor.h.
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/feed.h"
#include "tests/bench/sensor.h"

#define RATE 20000
#define QUIET_MS 60	/* no datagram of the last 60 ms: the gate is shut */
#define CLOSE_LIMIT_MS 8000
#define OPEN_LIMIT_MS 90000
#define STEADY_MS 1000 /* the keeper's: who lived so long is not delayed */

struct bench {
	const char *run_dir, *sender_ns, *dst, *control, *tor_restart;
	unsigned rounds;
	struct sensor *sensor;
	double *us; /* one result per round */
	double *eof_us; /* Tor's end as a bystander sees it, per round */
	unsigned round;
};

/*
 * Holds a connection to Tor's control socket and waits for its end: before
 * that the kernel is still taking Tor apart and nobody can know.
 */
struct bystander {
	int fd;
	pthread_t thread;
	uint64_t eof_ns;
};

struct fault {
	const char *name;
	const char *label;
	int sig; /* 0: not a signal */
	bool tor; /* needs tor_restart */
	unsigned part; /* one round of so many: it takes seconds */
	int (*round)(struct bench *b, const struct fault *f, double *us);
};

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
report(const char *label, double *us, unsigned n)
{
	qsort(us, n, sizeof *us, compare);
	printf("| %s | %u | %.0f | %.0f | %.0f | %.0f |\n", label, n, us[0],
	    us[n / 2], us[(n * 99 - 1) / 100], us[n - 1]);
	(void)fflush(stdout);
}

/* The sensor is read all the while: what it has no room for is lost. */
static void
pass_time(struct bench *b, unsigned ms)
{
	uint64_t end = sensor_now() + ms * UINT64_C(1000000);

	while (sensor_now() < end)
		(void)sensor_flowing(b->sensor, end, 1);
}

/*
 * Open, flowing, and at a random point of the renewal's rhythm; at least
 * LIVED_MS later, for the keeper makes those wait who die young.
 */
static struct feed *
ready(struct bench *b, struct feed_state *st, unsigned lived_ms)
{
	struct feed *f = NULL;
	uint64_t end = sensor_now() + OPEN_LIMIT_MS * UINT64_C(1000000);

	while (sensor_now() < end) {
		f = feed_open(b->run_dir);
		if (f != NULL && feed_until(f, st, true, 0, OPEN_LIMIT_MS) ==
		    0)
			break;
		feed_close(f);
		f = NULL;
	}
	if (f == NULL || sensor_flowing(b->sensor, sensor_now(), 5000) == -1) {
		fputs("the gate did not open\n", stderr);
		feed_close(f);
		return NULL;
	}
	pass_time(b, lived_ms + (unsigned)(random() % 300));
	return f;
}

static void *
wait_for_eof(void *arg)
{
	struct bystander *y = arg;
	char c;

	while (read(y->fd, &c, 1) > 0)
		;
	y->eof_ns = sensor_now();
	return NULL;
}

static int
bystander_start(struct bystander *y, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	y->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	if (y->fd != -1 &&
	    connect(y->fd, (const struct sockaddr *)&sun, sizeof sun) == 0 &&
	    pthread_create(&y->thread, NULL, wait_for_eof, y) == 0)
		return 0;
	fprintf(stderr, "cannot connect to %s\n", path);
	return -1;
}

static void
bystander_end(struct bystander *y)
{
	(void)pthread_join(y->thread, NULL);
	close(y->fd);
}

static pid_t
victim(const struct fault *f, const struct feed_state *st)
{
	if (f->tor)
		return st->tor_pid;
	return strncmp(f->name, "gate", 4) == 0 ? st->gate_pid :
	    st->engine_pid;
}

static double
since_us(uint64_t at, uint64_t then)
{
	return then > at ? (double)(then - at) / 1000.0 : 0.0;
}

/* A signal to a process, and the last datagram accepted after it. */
static int
round_signal(struct bench *b, const struct fault *f, double *us)
{
	struct feed_state st;
	struct feed *feed = ready(b, &st, f->tor ? 0 : STEADY_MS);
	struct bystander y;
	uint64_t at;
	pid_t pid;

	if (feed == NULL)
		return -1;
	feed_close(feed);
	pid = victim(f, &st);
	if (f->tor && bystander_start(&y, b->control) == -1)
		return -1;
	at = sensor_now();
	if (pid <= 1 || kill(pid, f->sig) == -1) {
		fprintf(stderr, "%s: cannot signal pid %d\n", f->name, pid);
		return -1;
	}
	if (sensor_quiet(b->sensor, QUIET_MS, CLOSE_LIMIT_MS) == -1) {
		fprintf(stderr, "%s: the gate did not close\n", f->name);
		return -1;
	}
	*us = since_us(at, sensor_last(b->sensor));
	if (f->sig == SIGSTOP)
		(void)kill(pid, SIGCONT);
	if (!f->tor)
		return 0;
	bystander_end(&y);
	b->eof_us[b->round] = since_us(at, y.eof_ns);
	if (system(b->tor_restart) != 0) {
		fputs("cannot restart Tor\n", stderr);
		return -1;
	}
	return 0;
}

/* An operator's hold: the gate's own figure, request read to ack. */
static int
round_hold(struct bench *b, const struct fault *f, double *us)
{
	struct feed_state st;
	struct feed *feed = ready(b, &st, 0);
	int rc = -1;

	(void)f;
	if (feed == NULL)
		return -1;
	if (feed_verb(b->run_dir, "hold") == 0 &&
	    feed_until(feed, &st, false, st.closes + 1, CLOSE_LIMIT_MS) == 0) {
		*us = st.close_us;
		rc = feed_verb(b->run_dir, "release");
	}
	feed_close(feed);
	return rc;
}

/* The peer: the same flush of one element by nft -f, start to end. */
static int
round_nft(struct bench *b, const struct fault *f, double *us)
{
	uint64_t at;

	(void)b;
	(void)f;
	if (system("nft add element inet peer gate '{ ipv4 timeout 9s }'") !=
	    0)
		return -1;
	at = sensor_now();
	if (system("exec nft -f peer-close.nft") != 0)
		return -1;
	*us = (double)(sensor_now() - at) / 1000.0;
	return 0;
}

static const struct fault faults[] = {
	{ "hold", "close request to the kernel's acknowledgement", 0, false,
	    1, round_hold },
	{ "nft", "the same close by `nft -f`", 0, false, 1, round_nft },
	{ "gate-kill", "gate SIGKILL to the last packet", SIGKILL, false,
	    2, round_signal },
	{ "engine-kill", "engine SIGKILL to the last packet", SIGKILL, false,
	    2, round_signal },
	{ "engine-stop", "engine SIGSTOP to the last packet", SIGSTOP, false,
	    6, round_signal },
	{ "gate-stop", "gate SIGSTOP to the last packet", SIGSTOP, false,
	    6, round_signal },
	{ "tor-kill", "Tor SIGKILL to the last packet", SIGKILL, true,
	    3, round_signal },
};

static int
run_fault(struct bench *b, const struct fault *f)
{
	const unsigned rounds = (b->rounds + f->part - 1) / f->part;

	for (b->round = 0; b->round < rounds; b->round++)
		if (f->round(b, f, &b->us[b->round]) == -1) {
			fprintf(stderr, "%s: round %u failed\n", f->name,
			    b->round);
			return -1;
		}
	report(f->label, b->us, rounds);
	if (f->tor)
		report("of which until Tor's sockets close, which a "
		    "bystander sees", b->eof_us, rounds);
	return 0;
}

static bool
chosen(const struct fault *f, char **names)
{
	if (*names == NULL)
		return true;
	for (; *names != NULL; names++)
		if (strcmp(*names, f->name) == 0)
			return true;
	return false;
}

static int
usage(void)
{
	fputs("usage: close -d RUN_DIR -s SENDER_NETNS_FILE -a ADDRESS "
	      "-c CONTROL_SOCKET -t TOR_RESTART_COMMAND [-r ROUNDS] "
	      "[FAULT...]\n", stderr);
	return 2;
}

static int
run_all(struct bench *b, char **names)
{
	int rc = 0;

	b->us = calloc(b->rounds, sizeof *b->us);
	b->eof_us = calloc(b->rounds, sizeof *b->eof_us);
	b->sensor = sensor_start(b->sender_ns, b->dst, 53, RATE);
	if (b->us == NULL || b->eof_us == NULL || b->sensor == NULL)
		return 1;
	puts("| | rounds | min | median | p99 | max |\n"
	    "|---|---|---|---|---|---|");
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		if (chosen(&faults[i], names) && run_fault(b, &faults[i]) ==
		    -1)
			rc = 1;
	sensor_print(b->sensor);
	sensor_stop(b->sensor);
	free(b->us);
	free(b->eof_us);
	return rc;
}

int
main(int argc, char **argv)
{
	struct bench b = { .rounds = 200 };
	const char *seed = getenv("PORTCULLIS_SEED");
	unsigned s = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) :
	    (unsigned)time(NULL);
	int c;

	while ((c = getopt(argc, argv, "a:c:d:r:s:t:")) != -1) {
		if (c == 'd')
			b.run_dir = optarg;
		else if (c == 's')
			b.sender_ns = optarg;
		else if (c == 'a')
			b.dst = optarg;
		else if (c == 'c')
			b.control = optarg;
		else if (c == 't')
			b.tor_restart = optarg;
		else if (c == 'r')
			b.rounds = (unsigned)strtoul(optarg, NULL, 10);
		else
			return usage();
	}
	if (b.run_dir == NULL || b.sender_ns == NULL || b.dst == NULL ||
	    b.control == NULL || b.tor_restart == NULL || b.rounds == 0)
		return usage();
	(void)fprintf(stderr, "seed %u\n", s);
	srandom(s);
	return run_all(&b, argv + optind);
}
