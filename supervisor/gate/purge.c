#include "config.h" /* _GNU_SOURCE */

#include "supervisor/gate/purge.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/rules.h"
#include "supervisor/gate/lockdown.h"
#include "supervisor/log.h"
#include "supervisor/sandbox/landlock.h"
#include "supervisor/sandbox/sandbox.h"

/* One message and its answer. */
#define MSG_BYTES 256
/* The process's descriptors: woken by, done, ctnetlink. */
#define NFDS 3

struct purge_page {
	_Atomic uint64_t asked; /* ours to count */
	_Atomic uint64_t done;	/* the process's: what of ASKED it has done */
	_Atomic uint64_t runs;
	_Atomic int error; /* errno of the last run, 0: none */
};

union msg {
	struct nlmsghdr h;
	uint8_t bytes[MSG_BYTES];
};

static int
answer_of(int fd)
{
	union msg m;
	ssize_t n = recv(fd, &m, sizeof m, 0);
	int error;

	if (n == -1)
		return -errno;
	if (!mnl_nlmsg_ok(&m.h, (int)n) || m.h.nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(&m.h) < sizeof error)
		return -EPROTO;
	memcpy(&error, mnl_nlmsg_get_payload(&m.h), sizeof error);
	return error;
}

/*
 * Delete, without a tuple: all that the filter lets through.  Never without
 * one; that would be everybody's.
 */
static int
forget(int fd)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nfgenmsg *nfg;
	struct nlmsghdr *h;
	union msg m;

	h = mnl_nlmsg_put_header(&m);
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nfg = mnl_nlmsg_put_extra_header(h, sizeof *nfg);
	nfg->nfgen_family = AF_UNSPEC;
	mnl_attr_put_u32(h, CTA_MARK, htonl(POL_MARK_GATE));
	mnl_attr_put_u32(h, CTA_MARK_MASK, htonl(POL_MARK_GATE));
	if (sendto(fd, h, h->nlmsg_len, 0, (struct sockaddr *)&kernel,
	    sizeof kernel) == -1)
		return -errno;
	return answer_of(fd);
}

/* All descriptors but the three, which were opened in order. */
static int
keep_only(const int fds[NFDS])
{
	int from = 0;

	for (size_t i = 0; i < NFDS; i++) {
		if (fds[i] < from) {
			errno = EBADF;
			return -1;
		}
		if (fds[i] > from && syscall(SYS_close_range, from,
		    fds[i] - 1, 0) == -1)
			return -1;
		from = fds[i] + 1;
	}
	return (int)syscall(SYS_close_range, from, ~0u, 0);
}

static void
serve(const struct purge *p, int fd)
{
	struct purge_page *page = p->page;
	uint64_t asked, count;
	ssize_t n;

	/* Requests that came meanwhile are one: the counter is reset. */
	for (;;) {
		n = read(p->wake_fd, &count, sizeof count);
		if (n == -1 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof count)
			return;
		asked = atomic_load(&page->asked);
		atomic_store(&page->error, -forget(fd));
		atomic_fetch_add(&page->runs, 1);
		atomic_store(&page->done, asked);
		count = 1;
		if (write(p->done_fd, &count, sizeof count) !=
		    (ssize_t)sizeof count)
			return;
	}
}

static void
child(const struct purge *p, uint32_t uid, uint32_t gid)
{
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
	    NETLINK_NETFILTER);
	const int fds[NFDS] = { p->wake_fd, p->done_fd, fd };
	const struct landlock_grant nothing = { .nread = 0 };

	if (fd == -1 || keep_only(fds) == -1 ||
	    prctl(PR_SET_NAME, "portcullis-purge", 0, 0, 0) == -1 ||
	    lockdown_finish(uid, gid) == -1)
		_exit(1);
	landlock_apply(&nothing);
	sandbox_apply(SANDBOX_PURGE);
	serve(p, fd);
	_exit(1);
}

static void
forgo(struct purge *p, const char *what)
{
	log_warn("clients' flows will not be forgotten at a close, which "
	    "closes all the same: %s: %s", what, log_errno(errno));
	purge_clear(p);
}

void
purge_start(struct purge *p, uint32_t uid, uint32_t gid)
{
	const pid_t self = getpid();

	*p = (struct purge){ .wake_fd = -1, .done_fd = -1 };
	p->page = mmap(NULL, sizeof *p->page, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->page == MAP_FAILED) {
		p->page = NULL;
		forgo(p, "no memory to share");
		return;
	}
	p->wake_fd = eventfd(0, EFD_CLOEXEC);
	p->done_fd = eventfd(0, EFD_CLOEXEC);
	if (p->wake_fd == -1 || p->done_fd == -1) {
		forgo(p, "no event counters");
		return;
	}
	p->pid = fork();
	if (p->pid == -1) {
		p->pid = 0;
		forgo(p, "no process");
		return;
	}
	if (p->pid == 0) {
		/* The parent may be gone already: then nothing will say so. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
		    getppid() != self)
			_exit(1);
		child(p, uid, gid);
	}
}

void
purge_request(struct purge *p)
{
	const uint64_t one = 1;

	if (p->pid == 0)
		return;
	atomic_fetch_add(&p->page->asked, 1);
	/* It blocks only at 2^64 unread requests. */
	(void)!write(p->wake_fd, &one, sizeof one);
}

uint64_t
purge_count(const struct purge *p)
{
	return p->page == NULL ? 0 : atomic_load(&p->page->runs);
}

void
purge_check(struct purge *p)
{
	int error;

	if (p->pid == 0)
		return;
	error = atomic_load(&p->page->error);
	if (error != 0 && error != p->said_error)
		log_warn("the kernel does not forget clients' flows, which "
		    "are closed all the same: %s", log_errno(error));
	p->said_error = error;
	if (waitpid(p->pid, NULL, WNOHANG) == 0)
		return;
	p->pid = 0;
	log_warn("the process that has clients' flows forgotten has ended: "
	    "until a restart they only stay closed");
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool
purge_wait(struct purge *p, int ms)
{
	const int64_t end = now_ms() + ms;
	struct pollfd pfd = { .fd = p->done_fd, .events = POLLIN };
	uint64_t count;
	int64_t left;

	while (p->pid != 0 && atomic_load(&p->page->done) !=
	    atomic_load(&p->page->asked)) {
		left = end - now_ms();
		if (left <= 0 || (poll(&pfd, 1, (int)left) == -1 &&
		    errno != EINTR))
			return false;
		if ((pfd.revents & POLLIN) != 0)
			(void)!read(p->done_fd, &count, sizeof count);
	}
	return p->pid != 0;
}

void
purge_clear(struct purge *p)
{
	if (p->pid != 0) {
		(void)kill(p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, 0);
	}
	if (p->wake_fd != -1)
		(void)close(p->wake_fd);
	if (p->done_fd != -1)
		(void)close(p->done_fd);
	if (p->page != NULL)
		(void)munmap(p->page, sizeof *p->page);
	*p = (struct purge){ .wake_fd = -1, .done_fd = -1 };
}
