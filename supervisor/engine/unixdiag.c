#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/unixdiag.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "supervisor/engine/nlask.h"

/* The kernel's own numbering of devices is not that of stat(2). */
#define KERNEL_MINOR_BITS 20

/* What is at a listener's path, and what one pass has seen of it. */
struct place {
	size_t listener;
	const char *path; /* of the policy */
	bool there, denied;
	uint32_t ino, dev; /* as unix_diag writes them */
	bool bound;	   /* Tor or root listens under this name */
	bool at_file;	   /* and OWNER's socket is the file */
	uint32_t owner, inode;
};

struct unixdiag {
	uint32_t tor_uid;
	struct nlask ask;
	size_t n;
	struct place *place; /* by path */
};

/* One socket as the kernel describes it. */
struct sock {
	char path[POL_PATH_LEN + 1];
	bool has_path, has_file, has_uid;
	uint32_t ino, dev, uid, inode;
};

static int
compare_path(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->path,
	    ((const struct place *)b)->path);
}

struct unixdiag *
unixdiag_new(const struct pol_policy *policy)
{
	struct unixdiag *u = calloc(1, sizeof *u);

	if (u == NULL)
		return NULL;
	u->tor_uid = policy->tor.user.uid;
	nlask_init(&u->ask, NETLINK_SOCK_DIAG);
	u->place = calloc(policy->nlisteners + 1, sizeof *u->place);
	if (u->place == NULL) {
		unixdiag_free(u);
		return NULL;
	}
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].addr.family == AF_UNIX)
			u->place[u->n++] = (struct place){ .listener = i,
				.path = policy->listeners[i].path };
	qsort(u->place, u->n, sizeof *u->place, compare_path);
	return u;
}

void
unixdiag_free(struct unixdiag *u)
{
	if (u == NULL)
		return;
	nlask_clear(&u->ask);
	free(u->place);
	free(u);
}

static void
look_at_path(struct place *p)
{
	struct stat st;

	p->bound = p->at_file = false;
	p->there = stat(p->path, &st) == 0;
	p->denied = !p->there && errno != ENOENT && errno != ENOTDIR;
	if (!p->there)
		return;
	p->ino = (uint32_t)st.st_ino; /* the kernel reports 32 bits too */
	p->dev = (uint32_t)major(st.st_dev) << KERNEL_MINOR_BITS |
	    (uint32_t)minor(st.st_dev);
}

static void
read_name(struct sock *s, const struct nlattr *attr)
{
	size_t n = mnl_attr_get_payload_len(attr);

	/* An abstract name begins with NUL and has no file. */
	if (n >= sizeof s->path)
		return;
	memcpy(s->path, mnl_attr_get_payload(attr), n);
	s->path[n] = '\0';
	s->has_path = s->path[0] != '\0';
}

static int
on_attr(const struct nlattr *attr, void *data)
{
	const struct unix_diag_vfs *vfs = mnl_attr_get_payload(attr);
	struct sock *s = data;

	switch (mnl_attr_get_type(attr)) {
	case UNIX_DIAG_NAME:
		read_name(s, attr);
		break;
	case UNIX_DIAG_VFS:
		s->has_file = mnl_attr_get_payload_len(attr) >= sizeof *vfs;
		if (s->has_file) {
			s->ino = vfs->udiag_vfs_ino;
			s->dev = vfs->udiag_vfs_dev;
		}
		break;
	case UNIX_DIAG_UID: /* since Linux 5.3 */
		s->has_uid = mnl_attr_validate(attr, MNL_TYPE_U32) == 0;
		if (s->has_uid)
			s->uid = mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static int
on_socket(const struct nlmsghdr *nlh, void *data)
{
	struct unixdiag *u = data;
	const struct unix_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct sock s = { 0 };
	struct place *p, key = { .path = s.path };

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *m ||
	    mnl_attr_parse(nlh, sizeof *m, on_attr, &s) < 0)
		return MNL_CB_ERROR;
	if (!s.has_path || !s.has_uid || m->udiag_type != SOCK_STREAM)
		return MNL_CB_OK;
	p = bsearch(&key, u->place, u->n, sizeof *p, compare_path);
	if (p == NULL)
		return MNL_CB_OK;
	if (s.uid == u->tor_uid || s.uid == 0)
		p->bound = true;
	if (p->there && s.has_file && s.ino == p->ino && s.dev == p->dev) {
		p->at_file = true;
		p->owner = s.uid;
		p->inode = m->udiag_ino;
	}
	return MNL_CB_OK;
}

static int
dump(struct unixdiag *u)
{
	char buf[MNL_NLMSG_HDRLEN +
	    MNL_ALIGN(sizeof(struct unix_diag_req))];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct unix_diag_req *r;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	r = mnl_nlmsg_put_extra_header(nlh, sizeof *r);
	r->sdiag_family = AF_UNIX;
	r->udiag_states = 1u << TCP_LISTEN; /* the kernel uses TCP's names */
	r->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_UID;
	return nlask_run(&u->ask, nlh, on_socket, u);
}

static struct proof
judge(const struct unixdiag *u, const struct place *p)
{
	if (p->at_file && p->owner == u->tor_uid)
		return (struct proof){ PROOF_OK, p->owner, p->inode };
	if (p->at_file && p->owner == 0)
		return (struct proof){ PROOF_ROOT, 0, 0 };
	if (p->at_file)
		return (struct proof){ PROOF_FOREIGN, p->owner, p->inode };
	return (struct proof){
		p->bound || p->denied ? PROOF_FILE : PROOF_NO_SOCKET,
		UINT32_MAX, 0 };
}

void
unixdiag_prove(struct unixdiag *u, struct proof *out)
{
	int rc;

	if (u->n == 0)
		return;
	/* The paths first: a socket that replaces one later does not match. */
	for (size_t i = 0; i < u->n; i++)
		look_at_path(&u->place[i]);
	rc = dump(u);
	for (size_t i = 0; i < u->n; i++)
		out[u->place[i].listener] = rc == 0 ?
		    judge(u, &u->place[i]) :
		    (struct proof){ PROOF_NONE, UINT32_MAX, 0 };
}
