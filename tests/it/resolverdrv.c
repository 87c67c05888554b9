/*
 * Keeper and engine to a real portcullis-resolver, for resolver.sh: what is
 * said on standard input is told to it, and what it says is printed.
 *
 *   resolverdrv POLICY [UID]
 *
 * Lines: "list 0|1 HOST:FLAGS..." with flags of l (lookup) and s (stub),
 * "auto yes|no|deny" (how wants are answered), "try KIND ADDRESS PORT TARGET
 * PORT [USER PASSWORD]", "raw N" (a message of N octets), "relink", "quit".
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/links.h"
#include "supervisor/namemsg.h"

#define PARKING 100

enum autos { AUTO_YES = 0, AUTO_NO, AUTO_DENY };

static int keeper = -1, engine = -1;
static enum autos answer = AUTO_YES;
static struct name_list list;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int
policy_memfd(const char *path)
{
	int in = open(path, O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char buf[65536];
	ssize_t n = in == -1 ? -1 : read(in, buf, sizeof buf);

	if (n <= 0 || fd == -1 || write(fd, buf, (size_t)n) != n ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_SEAL) == -1)
		die(path);
	close(in);
	return fd;
}

static pid_t
spawn(const char *policy, uid_t uid)
{
	int ends[2], fd = policy_memfd(policy);
	char path[1024];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		die("socketpair");
	keeper = ends[0];
	pid = fork();
	if (pid != 0)
		return pid;
	(void)snprintf(path, sizeof path, "%s/portcullis-resolver",
	    getenv("top_builddir") != NULL ? getenv("top_builddir") : ".");
	if (dup2(ends[1], PARKING) == -1 || dup2(fd, PARKING + 1) == -1 ||
	    dup2(PARKING, LINK_KEEPER_FD) == -1 ||
	    dup2(PARKING + 1, LINK_POLICY_FD) == -1 ||
	    close_range(LINK_POLICY_FD + 1, ~0U, 0) == -1)
		die("descriptors");
	if (uid != 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(uid, uid, uid) == -1 || setresuid(uid, uid, uid) == -1))
		die("setresuid");
	execl(path, "portcullis-resolver", (char *)NULL);
	die(path);
	return -1;
}

static void
relink(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1
	    || link_send(keeper, LINK_ENGINE, ends[1]) == -1)
		die("link");
	close(ends[1]);
	if (engine != -1)
		close(engine);
	engine = ends[0];
}

static void
tell(const void *p, size_t n)
{
	if (send(engine, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		perror("send");
}

static void
send_list(char *words)
{
	static uint32_t generation;
	char *save = NULL, *word = strtok_r(words, " ", &save), *flags;

	memset(&list, 0, sizeof list);
	list.magic = NAME_LIST_MAGIC;
	list.generation = ++generation;
	list.enabled = word != NULL && word[0] == '1';
	while ((word = strtok_r(NULL, " ", &save)) != NULL &&
	    list.n < NAME_MAX_HOSTS) {
		struct name_host *h = &list.host[list.n++];

		flags = strchr(word, ':');
		if (flags != NULL)
			*flags++ = '\0';
		(void)snprintf(h->host, sizeof h->host, "%s", word);
		if (flags != NULL && strchr(flags, 'l') != NULL)
			h->flags |= NAME_F_LOOKUP;
		if (flags != NULL && strchr(flags, 's') != NULL)
			h->flags |= NAME_F_STUB;
	}
	tell(&list, sizeof list);
}

static void
send_try(const char *words)
{
	static const char *const kinds[NAME_NTRY] = { "tcp", "https",
		"socks4", "socks5" };
	struct name_tryout t = { .magic = NAME_TRY_MAGIC };
	char kind[16], addr[64], target[64], user[256] = "", pass[256] = "";
	static uint32_t id;
	int n = sscanf(words, "%15s %63s %u %63s %u %255s %255s", kind, addr,
	    &t.port, target, &t.target_port, user, pass);

	if (n < 5 || !pol_addr_parse(&t.addr, addr) ||
	    !pol_addr_parse(&t.target, target)) {
		printf("bad try\n");
		return;
	}
	while (t.kind < NAME_NTRY && strcmp(kinds[t.kind], kind) != 0)
		t.kind++;
	t.id = ++id;
	t.has_auth = n > 5;
	memcpy(t.user, user, strlen(user));
	memcpy(t.password, pass, strlen(pass));
	tell(&t, sizeof t);
}

/* False: the end. */
static bool
command(char *line)
{
	char junk[8192];
	size_t n;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "list ", 5) == 0) {
		send_list(line + 5);
	} else if (strncmp(line, "auto ", 5) == 0) {
		answer = line[5] == 'y' ? AUTO_YES : line[5] == 'n' ?
		    AUTO_NO : AUTO_DENY;
	} else if (strncmp(line, "try ", 4) == 0) {
		send_try(line + 4);
	} else if (strncmp(line, "raw ", 4) == 0) {
		n = strtoul(line + 4, NULL, 10);
		memset(junk, 'x', sizeof junk);
		tell(junk, n < sizeof junk ? n : sizeof junk);
	} else if (strcmp(line, "relink") == 0) {
		relink();
	} else {
		return false;
	}
	return true;
}

static void
print_addrs(const struct pol_addr *a, uint32_t n)
{
	char text[INET6_ADDRSTRLEN];

	for (uint32_t i = 0; i < n; i++) {
		pol_addr_format(text, sizeof text, &a[i]);
		printf(" %s", text);
	}
	printf("\n");
}

static const char *
host_name(uint32_t host, uint32_t generation)
{
	return generation == list.generation && host < list.n ?
	    list.host[host].host : "-";
}

static void
on_want(const struct name_want *w)
{
	struct name_go go = { .magic = NAME_GO_MAGIC, .id = w->id,
		.ok = answer == AUTO_YES };

	printf("%s id=%u lookup=%u host=%s ttl=%u addrs:",
	    name_want_ok(w) ? "want" : "BAD want", w->id, w->lookup,
	    host_name(w->host, w->generation), w->ttl_s);
	print_addrs(w->addr, w->n);
	if (answer != AUTO_NO)
		tell(&go, sizeof go);
}

static void
on_result(const struct name_result *r)
{
	printf("%s %s %s ttl=%u addrs:",
	    name_result_ok(r) ? "result" : "BAD result",
	    host_name(r->host, r->generation),
	    name_state_name((enum name_state)r->state), r->ttl_s);
	print_addrs(r->addr, r->n);
}

static void
on_count(const struct name_count *c)
{
	printf("%s serving=%u queries=%llu answered=%llu refused=%llu\n",
	    name_count_ok(c) ? "count" : "BAD count", c->serving,
	    (unsigned long long)c->queries, (unsigned long long)c->answered,
	    (unsigned long long)c->refused);
}

static void
on_engine(void)
{
	union {
		struct name_result result;
		struct name_want want;
		struct name_verdict_msg verdict;
		struct name_count count;
	} m;
	ssize_t n = recv(engine, &m, sizeof m, MSG_DONTWAIT | MSG_TRUNC);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n == sizeof m.result)
		on_result(&m.result);
	else if (n == sizeof m.want)
		on_want(&m.want);
	else if (n == sizeof m.verdict)
		printf("verdict %s code=%u%s\n", name_verdict_name(
		    (enum name_verdict)m.verdict.verdict), m.verdict.code,
		    name_verdict_ok(&m.verdict) ? "" : " BAD");
	else if (n == sizeof m.count)
		on_count(&m.count);
	else if (n > 0)
		printf("BAD message of %zd octets\n", n);
	if (n > 0)
		return;
	printf("link gone\n");
	close(engine);
	engine = -1;
}

int
main(int argc, char **argv)
{
	struct pollfd pfd[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .events = POLLIN } };
	char line[4096];
	int status = -1;
	pid_t pid;

	if (argc < 2)
		return 2;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	pid = spawn(argv[1], argc > 2 ? (uid_t)atoi(argv[2]) : 0);
	if (pid == -1)
		die("fork");
	printf("pid %d\n", (int)pid);
	relink();
	for (;;) {
		pfd[1].fd = engine;
		if (poll(pfd, 2, 200) == -1)
			die("poll");
		if (engine != -1 && pfd[1].revents != 0)
			on_engine();
		if (pfd[0].revents != 0 && (fgets(line, sizeof line, stdin) ==
		    NULL || !command(line)))
			break;
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
	}
	close(keeper); /* it ends with us */
	if (status == -1 && waitpid(pid, &status, 0) != pid)
		die("waitpid");
	printf("ended %s %d\n", WIFSIGNALED(status) ? "signal" : "code",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return 0;
}
