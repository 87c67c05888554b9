/*
 * What thousands of readers of status.sock cost, and whether slow and stuck
 * ones are felt by the others or by the engine; beside a peer that does the
 * same: fanout [READERS [ROUNDS [PEER COMMAND...]]]
 *
 * The peer is given a path to listen at, and lines on its standard input.
 * One reader in ten never reads, one in ten reads a little each second.
 * Prints one JSON object: times in microseconds, memory in octets.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/it/status_rig.h"

#define READERS 10000
#define ROUNDS 100
#define GAP_MS 120 /* with ROUNDS: longer than until the stuck are dropped */
#define LATE_MS 60000 /* a round that takes this long has failed */
#define SLOW_MS 1000
#define SLOW_OCTETS 1024
#define CHUNK 65536
#define EVENTS 512
/* Of the thread that stands for the gate: a tenth of its heartbeat's time. */
#define BEAT_MS 25
#define MAX_BEATS 8192

enum kind { FAST = 0, SLOW, STUCK };

struct reader {
	int fd;
	enum kind kind;
	bool seen, served; /* in this round: the word, all of its line */
};

/* What is measured, and how to make it speak. */
struct subject {
	const char *path;
	pid_t pid;
	void (*speak)(struct subject *s, unsigned number);
	struct rig *rig;
	int pipe;	/* of the peer */
	size_t length; /* of a line: that of ours, for the peer */
};

struct bench {
	struct reader *readers;
	size_t n, nfast, served;
	int epoll;
	double took_us[ROUNDS * 10], send_us[ROUNDS * 10];
	size_t rounds;
	uint64_t slow_ms;
};

static atomic_bool beating;
static double beats_us[MAX_BEATS];
static size_t nbeats;

static void
die(const char *what)
{
	fprintf(stderr, "fanout: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die("clock");
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Sleeps as the gate does between its heartbeats, and notes how late it is. */
static void *
beat(void *arg)
{
	uint64_t due = now_ns();
	struct timespec ts;

	(void)arg;
	while (atomic_load(&beating) && nbeats < MAX_BEATS) {
		due += BEAT_MS * UINT64_C(1000000);
		ts.tv_sec = (time_t)(due / 1000000000u);
		ts.tv_nsec = (long)(due % 1000000000u);
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts,
		    NULL);
		beats_us[nbeats++] = (double)(now_ns() - due) / 1000;
	}
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static json_t *
summary(double *v, size_t n)
{
	qsort(v, n, sizeof *v, compare);
	return json_pack("{s:f,s:f,s:f}", "median", v[n / 2], "p99",
	    v[n * 99 / 100], "max", v[n - 1]);
}

/* Resident memory of PID in octets. */
static long long
memory(pid_t pid)
{
	char path[64], line[256];
	long long kb = -1;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		die(path);
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "VmRSS: %lld kB", &kb) == 1)
			break;
	fclose(f);
	return kb * 1024;
}

/* Processor time of PID so far, in microseconds. */
static double
cpu_us(pid_t pid)
{
	unsigned long user, system;
	char path[64];
	FILE *f;
	int n;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		die(path);
	n = fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%lu %lu", &user, &system);
	fclose(f);
	if (n != 2)
		die(path);
	return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static int
connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun, sizeof sun) ==
	    -1)
		die(path);
	return fd;
}

/* What has come for R; does WORD stand in it, and does a line end? */
static void
take(struct bench *b, struct reader *r, const char *word)
{
	static char chunk[CHUNK];
	ssize_t n = recv(r->fd, chunk, sizeof chunk, MSG_DONTWAIT);

	if (n == 0 || (n == -1 && errno != EAGAIN))
		die("a fast reader was dropped");
	if (n <= 0)
		return;
	if (memmem(chunk, (size_t)n, word, strlen(word)) != NULL)
		r->seen = true;
	if (r->seen && !r->served && chunk[n - 1] == '\n') {
		r->served = true;
		b->served++;
	}
}

/* The slow ones' turn. */
static void
dawdle(struct bench *b)
{
	uint64_t now = now_ns() / 1000000;
	char some[SLOW_OCTETS];

	if (now - b->slow_ms < SLOW_MS)
		return;
	b->slow_ms = now;
	for (size_t i = 0; i < b->n; i++)
		if (b->readers[i].kind == SLOW)
			(void)recv(b->readers[i].fd, some, sizeof some,
			    MSG_DONTWAIT);
}

/* Read until all of the fast have a line with WORD, and for GAP at least. */
static double
listen_for(struct bench *b, const char *word, uint64_t begin, unsigned gap)
{
	struct epoll_event ev[EVENTS];
	uint64_t last = 0;
	int i, n;

	b->served = 0;
	for (size_t k = 0; k < b->n; k++)
		b->readers[k].seen = b->readers[k].served = false;
	while (last == 0 || now_ns() - begin < gap * UINT64_C(1000000)) {
		n = epoll_wait(b->epoll, ev, EVENTS, 10);
		for (i = 0; i < n; i++)
			take(b, ev[i].data.ptr, word);
		if (last == 0 && b->served == b->nfast)
			last = now_ns();
		dawdle(b);
		if (now_ns() - begin > LATE_MS * UINT64_C(1000000)) {
			errno = ETIMEDOUT;
			die("not all fast readers are served");
		}
	}
	return (double)(last - begin) / 1000;
}

static void
connect_all(struct bench *b, const struct subject *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct reader *r;

	for (size_t i = 0; i < b->n; i++) {
		r = &b->readers[i];
		r->kind = i % 10 == 3 ? STUCK : i % 10 == 7 ? SLOW : FAST;
		r->fd = connect_to(s->path);
		if (r->kind != FAST)
			continue;
		b->nfast++;
		ev.data.ptr = r;
		if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, r->fd, &ev) == -1)
			die("epoll");
	}
}

static void
one_round(struct bench *b, struct subject *s, unsigned number)
{
	char word[32];
	uint64_t begin = now_ns();

	(void)snprintf(word, sizeof word, "number %u\"", number);
	s->speak(s, number);
	b->send_us[b->rounds] = (double)(now_ns() - begin) / 1000;
	b->took_us[b->rounds++] = listen_for(b, word, begin, GAP_MS);
}

/* How late the gate's stand-in is while FN runs. */
static json_t *
with_beats(struct bench *b, struct subject *s, unsigned rounds)
{
	pthread_t thread;

	nbeats = 0;
	atomic_store(&beating, true);
	if (pthread_create(&thread, NULL, beat, NULL) != 0)
		die("thread");
	for (unsigned i = 0; i < rounds; i++)
		one_round(b, s, 1000 + i);
	atomic_store(&beating, false);
	(void)pthread_join(thread, NULL);
	return summary(beats_us, nbeats);
}

static json_t *
measure(struct subject *s, size_t readers, unsigned rounds)
{
	static struct bench b;
	long long empty, full, after;
	json_t *late;
	double cpu;

	memset(&b, 0, sizeof b);
	b.n = readers;
	b.readers = calloc(readers, sizeof *b.readers);
	b.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (b.readers == NULL || b.epoll == -1)
		die("readers");
	empty = memory(s->pid);
	connect_all(&b, s);
	one_round(&b, s, 999); /* all are in */
	full = memory(s->pid);
	b.rounds = 0;
	cpu = cpu_us(s->pid);
	late = with_beats(&b, s, rounds);
	after = memory(s->pid);
	cpu = (cpu_us(s->pid) - cpu) / rounds;
	for (size_t i = 0; i < b.n; i++)
		close(b.readers[i].fd);
	close(b.epoll);
	free(b.readers);
	return json_pack("{s:o,s:o,s:o,s:I,s:I,s:I,s:f,s:f}", "last_us",
	    summary(b.took_us, b.rounds), "send_us",
	    summary(b.send_us, b.rounds), "late_us", late, "memory_empty",
	    (json_int_t)empty, "memory_full", (json_int_t)full,
	    "memory_after", (json_int_t)after, "octets_each",
	    (double)(full - empty) / (double)readers, "cpu_us", cpu);
}

static void
speak_rig(struct subject *s, unsigned number)
{
	rig_snapshot(s->rig, GATE_OPEN, number);
}

/* A line as long as ours, with the same word in it. */
static void
speak_pipe(struct subject *s, unsigned number)
{
	char *line = malloc(s->length + 1);
	size_t at = 0;
	ssize_t n;

	if (line == NULL)
		die("line");
	memset(line, 'x', s->length);
	(void)snprintf(line, s->length, "{\"text\":\"number %u\"", number);
	line[strlen(line)] = ',';
	line[s->length - 1] = '\n';
	for (; at < s->length; at += (size_t)n) {
		n = write(s->pipe, line + at, s->length - at);
		if (n <= 0)
			die("peer");
	}
	free(line);
}

/* The length of a line with WORD in it. */
static size_t
line_length(const char *path, const char *word)
{
	static char chunk[CHUNK];
	int fd = connect_to(path);
	size_t len = 0;
	bool found = false;
	ssize_t n;

	for (;;) {
		n = recv(fd, chunk, sizeof chunk, 0);
		if (n <= 0)
			die("no line");
		len += (size_t)n;
		found = found || memmem(chunk, (size_t)n, word,
		    strlen(word)) != NULL;
		if (chunk[n - 1] != '\n')
			continue;
		if (found)
			break;
		len = 0;
	}
	close(fd);
	return len;
}

static void
start_peer(struct subject *s, char **command)
{
	char *argv[8] = { NULL };
	int in[2], i;

	if (pipe2(in, O_CLOEXEC) == -1)
		die("pipe");
	s->pid = fork();
	if (s->pid == 0) {
		for (i = 0; i < 6 && command[i] != NULL; i++)
			argv[i] = command[i];
		argv[i] = (char *)(uintptr_t)s->path;
		(void)dup2(in[0], STDIN_FILENO);
		execvp(argv[0], argv);
		_exit(97);
	}
	close(in[0]);
	s->pipe = in[1];
	for (i = 0; access(s->path, W_OK) == -1 && i < 500; i++)
		(void)usleep(10000);
	(void)usleep(200000); /* it has bound; it listens at once */
}

static void
stop_peer(struct subject *s)
{
	close(s->pipe);
	if (kill(s->pid, SIGTERM) == -1 || waitpid(s->pid, NULL, 0) == -1)
		die("peer");
	(void)unlink(s->path);
}

static json_t *
measure_ours(struct subject *s, size_t readers, unsigned rounds)
{
	static struct rig rig;
	static char path[128];
	json_t *result;

	rig_start(&rig, 0);
	rig_link(&rig);
	rig_snapshot(&rig, GATE_OPEN, 0);
	(void)snprintf(path, sizeof path, "%s/status.sock", rig.dir);
	*s = (struct subject){ .path = path, .pid = rig.pid,
		.speak = speak_rig, .rig = &rig };
	s->length = line_length(path, "number 0\"");
	result = measure(s, readers, rounds);
	rig_stop(&rig);
	return result;
}

static int args;
static char **arg;

static void
run(void)
{
	size_t readers = args > 1 ? strtoul(arg[1], NULL, 10) : READERS;
	unsigned rounds = args > 2 ? (unsigned)atoi(arg[2]) : ROUNDS;
	json_t *ours, *peer = json_null();
	struct rlimit rl;
	struct subject s;
	size_t length;
	char path[64];

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		die("files");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_cur <
	    readers + 512 || rounds == 0 || rounds > ROUNDS * 10)
		die("too few open files are allowed, or a bad argument");
	ours = measure_ours(&s, readers, rounds);
	length = s.length;
	if (args > 3) {
		(void)snprintf(path, sizeof path, "/tmp/fanout-peer-%d",
		    (int)getpid());
		s = (struct subject){ .path = path, .speak = speak_pipe,
			.length = length };
		start_peer(&s, arg + 3);
		peer = measure(&s, readers, rounds);
		stop_peer(&s);
	}
	ours = json_pack("{s:I,s:I,s:I,s:o,s:o}", "readers",
	    (json_int_t)readers, "rounds", (json_int_t)rounds, "line",
	    (json_int_t)length, "ours", ours, "peer", peer);
	ck_assert_int_eq(json_dumpf(ours, stdout, JSON_INDENT(1) |
	    JSON_REAL_PRECISION(6)), 0);
	ck_assert_int_eq(putchar('\n'), '\n');
	json_decref(ours);
}

START_TEST(bench)
{
	run();
}
END_TEST

/* The rig is for a test of Check's, so this is one. */
int
main(int argc, char **argv)
{
	Suite *s = suite_create("fanout");
	TCase *tc = tcase_create("fanout");
	SRunner *sr;
	int failed;

	args = argc;
	arg = argv;
	tcase_add_test(tc, bench);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
