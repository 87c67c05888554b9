#include "config.h" /* _GNU_SOURCE */

#include "tests/it/status_rig.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/links.h"
#include "tests/unit/status_sample.h"

#define LINE_CAP (8 * 1024 * 1024)
#define PIECE 65536
#define REST_MS 5000
#define MOST_KEPT (64 * 1024)
#define STATUS_BEGIN "{\"v\":"
#define KEEP_US 200000 /* well below STATUS_SNAP_MAX_NS */

static uint64_t
now_ms(clockid_t clock)
{
	struct timespec ts;

	ck_assert_int_eq(clock_gettime(clock, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
address(struct sockaddr_un *sun, const struct rig *r, const char *name)
{
	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	(void)snprintf(sun->sun_path, sizeof sun->sun_path, "%s/%s", r->dir,
	    name);
}

static int
listen_at(const struct rig *r, const char *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun;

	address(&sun, r, name);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	ck_assert_int_eq(listen(fd, 256), 0);
	return fd;
}

/* The descriptors go high first, so that none is overwritten on its way. */
static void
child(const struct rig *r, int channel, unsigned files)
{
	struct rlimit rl = { files, files };
	char path[1024];
	int from[3] = { channel, r->status_fd, r->control_fd };
	const int to[3] = { LINK_KEEPER_FD, LINK_STATUS_FD, LINK_CONTROL_FD };
	int i;

	(void)snprintf(path, sizeof path, "%s/portcullis-status",
	    getenv("top_builddir") != NULL ? getenv("top_builddir") : ".");
	for (i = 0; i < 3; i++)
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 100);
	for (i = 0; i < 3; i++)
		if (dup2(from[i], to[i]) == -1)
			_exit(99);
	if (files != 0 && setrlimit(RLIMIT_NOFILE, &rl) == -1)
		_exit(98);
	/* Its leak checker cannot trace a process that is not dumpable. */
	if (geteuid() != 0)
		(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
	execl(path, "portcullis-status", (char *)NULL);
	_exit(97);
}

void
rig_spawn(struct rig *r, unsigned files)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair), 0);
	r->pid = fork();
	ck_assert_int_ne(r->pid, -1);
	if (r->pid == 0)
		child(r, pair[1], files);
	close(pair[1]);
	r->keeper = pair[0];
}

/* Under the lock. */
static ssize_t
say_snapshot(struct rig *r, int flags)
{
	r->last.gate.at_ns = now_ms(CLOCK_BOOTTIME) * 1000000;
	return send(r->engine, &r->last, sizeof r->last, flags | MSG_NOSIGNAL);
}

/* What is kept up holds for as long as the test takes. */
static void *
keep_saying(void *arg)
{
	struct rig *r = arg;

	while (!r->ending) {
		(void)usleep(KEEP_US);
		(void)pthread_mutex_lock(&r->lock);
		if (r->keeps)
			(void)say_snapshot(r, MSG_DONTWAIT);
		(void)pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

void
rig_start(struct rig *r, unsigned files)
{
	(void)signal(SIGPIPE, SIG_IGN);
	r->engine = -1;
	r->generation = 1;
	r->keeps = false;
	r->ending = false;
	ck_assert_int_eq(pthread_mutex_init(&r->lock, NULL), 0);
	ck_assert_int_eq(pthread_create(&r->voice, NULL, keep_saying, r), 0);
	(void)strcpy(r->dir, "/tmp/portcullis-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(r->dir));
	r->status_fd = listen_at(r, "status.sock");
	r->control_fd = listen_at(r, "control.sock");
	rig_spawn(r, files);
}

int
rig_wait(struct rig *r, unsigned seconds)
{
	uint64_t end = now_ms(CLOCK_MONOTONIC) + seconds * 1000;
	int status = -1;

	while (waitpid(r->pid, &status, WNOHANG) != r->pid) {
		ck_assert_msg(now_ms(CLOCK_MONOTONIC) < end, "still there");
		(void)usleep(5000);
	}
	r->pid = -1;
	return status;
}

void
rig_kill(struct rig *r, int sig)
{
	ck_assert_int_eq(kill(r->pid, sig), 0);
	(void)rig_wait(r, SOON / 1000);
	close(r->keeper);
	r->keeper = -1;
}

void
rig_stop(struct rig *r)
{
	struct sockaddr_un sun;
	int fd, status = 0;

	r->ending = true;
	ck_assert_int_eq(pthread_join(r->voice, NULL), 0);
	if (r->pid > 0) {
		/* A line shows that it has come as far as its signals. */
		fd = rig_connect(r, "status.sock");
		json_decref(rig_line(fd, SOON));
		close(fd);
		ck_assert_int_eq(kill(r->pid, SIGTERM), 0);
		status = rig_wait(r, SOON / 1000);
		close(r->keeper);
	}
	rig_hang_up(r);
	close(r->status_fd);
	close(r->control_fd);
	address(&sun, r, "status.sock");
	(void)unlink(sun.sun_path);
	address(&sun, r, "control.sock");
	(void)unlink(sun.sun_path);
	(void)rmdir(r->dir);
	ck_assert_int_eq(status, 0);
}

void
rig_link(struct rig *r)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair), 0);
	ck_assert_int_eq(link_send(r->keeper, LINK_ENGINE, pair[1]), 0);
	close(pair[1]);
	rig_hang_up(r);
	r->engine = pair[0];
}

void
rig_hang_up(struct rig *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->keeps = false;
	(void)pthread_mutex_unlock(&r->lock);
	if (r->engine != -1)
		close(r->engine);
	r->engine = -1;
}

static void
snapshot(struct rig *r, enum gate_position position, unsigned seq, bool keeps)
{
	(void)pthread_mutex_lock(&r->lock);
	sample_snapshot(&r->last);
	r->last.gate.position = position;
	r->last.table_generation = r->generation;
	(void)snprintf(r->last.reason, sizeof r->last.reason, "number %u", seq);
	r->keeps = keeps;
	ck_assert_int_eq(say_snapshot(r, 0), sizeof r->last);
	(void)pthread_mutex_unlock(&r->lock);
}

void
rig_snapshot(struct rig *r, enum gate_position position, unsigned seq)
{
	snapshot(r, position, seq, false);
}

void
rig_keep(struct rig *r, enum gate_position position, unsigned seq)
{
	snapshot(r, position, seq, true);
}

static bool
is_ready(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return ms > 0 && poll(&pfd, 1, ms) == 1;
}

bool
rig_verb(struct rig *r, struct snap_verb *v, int ms)
{
	return is_ready(r->engine, ms) &&
	    recv(r->engine, v, sizeof *v, 0) == sizeof *v && snap_verb_ok(v);
}

void
rig_page(struct rig *r, const struct snap_page *p)
{
	ck_assert_int_eq(send(r->engine, p, sizeof *p, MSG_NOSIGNAL),
	    sizeof *p);
}

void
rig_table(struct rig *r, unsigned total)
{
	struct snap_page p;
	unsigned at;

	for (at = 0; at < total; at += SNAP_PAGE_LINES) {
		sample_page(&p, total, at, total - at < SNAP_PAGE_LINES ?
		    total - at : SNAP_PAGE_LINES);
		rig_page(r, &p);
	}
}

void
rig_change(struct rig *r, unsigned total, unsigned number,
    enum snap_listener_state state)
{
	struct snap_page p;

	sample_page(&p, total, number, 1);
	p.line[0].state = state;
	p.line[0].why = state == SNAP_LS_PROVEN ? SNAP_L_OK : SNAP_L_FOREIGN;
	rig_page(r, &p);
}

static void
send_result(struct rig *r, struct snap_result *res, const char *text)
{
	res->magic = SNAP_RESULT_MAGIC;
	(void)snprintf(res->text, sizeof res->text, "%s", text);
	ck_assert_int_eq(send(r->engine, res, sizeof *res, MSG_NOSIGNAL),
	    sizeof *res);
}

void
rig_result(struct rig *r, uint64_t id, bool ok, const char *text)
{
	struct snap_result res = { .ok = ok, .id = id };

	send_result(r, &res, text);
}

void
rig_more(struct rig *r, uint64_t id, bool ok, const char *text)
{
	struct snap_result res = { .ok = ok, .more = 1, .id = id };

	send_result(r, &res, text);
}

int
rig_connect(const struct rig *r, const char *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun;

	address(&sun, r, name);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	return fd;
}

/* What belongs to the line that is being read, and no octet more. */
static size_t
take_some(int fd, char *dst, size_t cap)
{
	ssize_t n = recv(fd, dst, cap < PIECE ? cap : PIECE, MSG_PEEK);
	char *nl = n > 0 ? memchr(dst, '\n', (size_t)n) : NULL;

	if (n <= 0)
		return 0;
	n = recv(fd, dst, nl != NULL ? (size_t)(nl + 1 - dst) : (size_t)n, 0);
	return n > 0 ? (size_t)n : 0;
}

/* A line of status.sock, for tests/style/schema.sh; not the longest tables. */
static void
keep_line(const char *line, size_t n)
{
	const char *build = getenv("top_builddir");
	char path[1024];
	int fd;

	if (build == NULL || n > MOST_KEPT ||
	    strncmp(line, STATUS_BEGIN, sizeof STATUS_BEGIN - 1) != 0)
		return;
	(void)snprintf(path, sizeof path, "%s/tests/lines", build);
	(void)mkdir(path, 0777); /* it may be there */
	(void)snprintf(path, sizeof path, "%s/tests/lines/%s", build,
	    program_invocation_short_name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, line, n), n);
	close(fd);
}

/*
 * Nothing is read ahead.  MS is for the line to begin: one that has begun is
 * not given up on a busy machine, or the next would begin in its middle.
 */
json_t *
rig_line(int fd, int ms)
{
	uint64_t end = now_ms(CLOCK_MONOTONIC) + (uint64_t)ms, now;
	static char line[LINE_CAP];
	size_t n = 0, more;

	while (n < sizeof line && (n == 0 || line[n - 1] != '\n')) {
		now = now_ms(CLOCK_MONOTONIC);
		if (now >= end || !is_ready(fd, (int)(end - now)))
			return NULL;
		more = take_some(fd, line + n, sizeof line - n);
		if (more == 0)
			return NULL;
		end += n == 0 ? REST_MS : 0;
		n += more;
	}
	keep_line(line, n);
	return json_loadb(line, n, 0, NULL);
}

static bool
until(int fd, const char *part, const char *key, const char *want, int ms)
{
	uint64_t end = now_ms(CLOCK_MONOTONIC) + (uint64_t)ms, now;
	const char *got;
	json_t *line;
	bool found = false;

	while (!found && (now = now_ms(CLOCK_MONOTONIC)) < end) {
		line = rig_line(fd, (int)(end - now));
		if (line == NULL)
			return false;
		got = json_string_value(json_object_get(part == NULL ? line :
		    json_object_get(line, part), key));
		found = got != NULL && strcmp(got, want) == 0;
		json_decref(line);
	}
	return found;
}

bool
rig_until(int fd, const char *position, int ms)
{
	return until(fd, NULL, "position", position, ms);
}

bool
rig_until_text(int fd, const char *text, int ms)
{
	return until(fd, "reason", "text", text, ms);
}

void
rig_settle(struct rig *r, enum gate_position position)
{
	int fd = rig_connect(r, "status.sock");

	if (r->engine == -1)
		rig_link(r);
	rig_keep(r, position, 1);
	ck_assert(rig_until(fd, gate_position_name(position), SOON));
	close(fd);
}

void
rig_say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    strlen(text));
}

bool
rig_closed(int fd, int ms)
{
	uint64_t end = now_ms(CLOCK_MONOTONIC) + (uint64_t)ms, now;
	char buf[4096];

	while ((now = now_ms(CLOCK_MONOTONIC)) < end) {
		if (!is_ready(fd, (int)(end - now)))
			return false;
		if (recv(fd, buf, sizeof buf, 0) <= 0)
			return true;
	}
	return false;
}

void
rig_expect(json_t *line, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(line, key));

	ck_assert_msg(line != NULL, "no line");
	ck_assert_msg(got != NULL && strcmp(got, want) == 0, "%s is %s", key,
	    got);
	json_decref(line);
}
