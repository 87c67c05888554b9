#include "config.h" /* _GNU_SOURCE */

#include "supervisor/sandbox/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/sandbox/table.h"

static int
add_row(scmp_filter_ctx ctx, const struct sandbox_row *r)
{
	const uint32_t act = r->error == 0 ? SCMP_ACT_ALLOW :
	    SCMP_ACT_ERRNO((uint32_t)r->error);
	int rc = seccomp_rule_add_array(ctx, act, r->call, r->n, r->cmp);

	/* Not on this architecture; or a wider row is there already. */
	return rc == -EDOM || rc == -EEXIST ? 0 : rc;
}

static int
add_program(scmp_filter_ctx ctx, enum sandbox_program who, bool refusals)
{
	const struct sandbox_group *g;
	int rc;

	for (g = sandbox_groups(who); g->row != NULL; g++)
		for (size_t i = 0; i < g->n; i++) {
			if (g->row[i].error != 0 && !refusals)
				continue;
			rc = add_row(ctx, &g->row[i]);
			if (rc != 0)
				return rc;
		}
	return 0;
}

/* What a child refuses itself is for it to refuse. */
static int
add_all(scmp_filter_ctx ctx, enum sandbox_program who)
{
	int rc = add_program(ctx, who, true);

	if (who != SANDBOX_KEEPER)
		return rc;
	for (int i = SANDBOX_KEEPER + 1; rc == 0 && i < SANDBOX_NPROGRAMS; i++)
		rc = add_program(ctx, (enum sandbox_program)i, false);
	return rc;
}

static int
configure(scmp_filter_ctx ctx)
{
	/* x32 and i386 calls have other numbers: none of them is ours. */
	int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);

	/* A tree: the list is gone through in ten steps. */
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return rc;
}

/* libseccomp gives its code to a descriptor only. */
static int
export_code(struct sandbox_code *out, scmp_filter_ctx ctx)
{
	int fd = memfd_create("portcullis-sandbox", MFD_CLOEXEC), rc;
	ssize_t n;

	if (fd == -1)
		return -errno;
	rc = seccomp_export_bpf(ctx, fd);
	if (rc == 0) {
		n = pread(fd, out->op, sizeof out->op, 0);
		if (n <= 0 || (size_t)n == sizeof out->op)
			rc = n == -1 ? -errno : -E2BIG;
		else
			out->n = (unsigned)((size_t)n / sizeof out->op[0]);
	}
	(void)close(fd);
	return rc;
}

static int
prepare(struct sandbox_code *out, enum sandbox_program who)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	/* Which is how libseccomp says that the kernel cannot kill. */
	if (ctx == NULL)
		return -ENOSYS;
	rc = configure(ctx);
	if (rc == 0)
		rc = add_all(ctx, who);
	if (rc == 0)
		rc = export_code(out, ctx);
	seccomp_release(ctx);
	return rc;
}

int
sandbox_prepare(struct sandbox_code *out, enum sandbox_program who)
{
	int rc = 0;

	out->n = 0;
#ifdef INSTRUMENTED
	(void)who;
	(void)prepare;
	log_warn("no list of system calls: this build has code in it that "
	    "looks for errors, and needs more of them");
#else
	rc = prepare(out, who);
#endif
	if (rc == 0)
		return 0;
	errno = -rc;
	return -1;
}

int
sandbox_enter(const struct sandbox_code *c)
{
	const struct sock_fprog prog = { .len = (unsigned short)c->n,
		.filter = (struct sock_filter *)(uintptr_t)c->op };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if (c->n == 0)
		return 0;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

void
sandbox_apply(enum sandbox_program who)
{
	struct sandbox_code code;

	if (sandbox_prepare(&code, who) == 0 && sandbox_enter(&code) == 0)
		return;
	fatal("cannot limit ourselves to our system calls: %s%s",
	    strerror(errno), errno != ENOSYS ? "" : "; what is needed is "
	    "seccomp(2) of Linux 4.14 or later, which a container has to "
	    "let through");
}
