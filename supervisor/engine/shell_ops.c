/*
 * What the core asks of the world, with our sockets and files.  None of it
 * calls the engine.
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <event2/event.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/engine/addrs.h"
#include "supervisor/engine/clients.h"
#include "supervisor/engine/cookie.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/pairlink.h"
#include "supervisor/engine/password.h"
#include "supervisor/engine/shell.h"
#include "supervisor/engine/sockdiag.h"
#include "supervisor/engine/torlink.h"
#include "supervisor/links.h"

static void
op_tor_connect(void *arg)
{
	torlink_start(((struct shell *)arg)->tor);
}

static void
op_tor_close(void *arg)
{
	torlink_cancel(((struct shell *)arg)->tor);
}

static int
op_tor_write(void *arg, const void *p, size_t n)
{
	return torlink_write(((struct shell *)arg)->tor, p, n);
}

static int
op_tor_peer(void *arg, uint32_t *uid)
{
	return torlink_peer(((struct shell *)arg)->tor, uid);
}

static int
op_cookie(void *arg, unsigned char out[CP_COOKIE_LEN], const char *path)
{
	struct shell *sh = arg;

	return cookie_read(out, &sh->policy->tor, path);
}

static int
op_password(void *arg, unsigned char *out, size_t cap)
{
	struct shell *sh = arg;

	return password_read(out, cap, sh->policy->tor.password_file);
}

static int
op_random(void *arg, unsigned char *out, size_t n)
{
	(void)arg;
	return RAND_bytes(out, (int)n) == 1 ? 0 : -1;
}

static int
op_prove(void *arg, struct proof *out)
{
	struct shell *sh = arg;
	int rc;

	/*
	 * No proof rests on an address that is gone already.  The engine is
	 * told of a change in the loop's next turn, since nothing may call it
	 * from within itself; until then it reckons with sh->ifaddrs.
	 */
	rc = addrs_read(sh->addrs);
	if (addrs_generation(sh->addrs) != sh->addrs_told)
		event_active(sh->ev_addrs, EV_READ, 0);
	if (rc == -1)
		return -1;
	return sockdiag_prove(sh->diag, out, sh->ifaddrs);
}

/* The keeper may look as any user; we may not. */
static int
op_ask_owner(void *arg, uint32_t uid, uint64_t inode)
{
	(void)arg;
	return link_ask_owner(uid, inode);
}

static int
op_holder(void *arg, struct proof *out, size_t i)
{
	return sockdiag_holder(((struct shell *)arg)->diag, out, i);
}

static int
op_client_open(void *arg, char *source, int slot, const struct iso_probe *p)
{
	return clients_open(((struct shell *)arg)->clients, source, slot, p);
}

static void
op_client_close(void *arg, int slot)
{
	clients_close(((struct shell *)arg)->clients, slot);
}

static int
op_gate_send(void *arg, const struct gate_req *q)
{
	return pairlink_send(((struct shell *)arg)->gate, q, sizeof *q);
}

/* Never so many that the next request would find no room. */
static int
op_gate_relays(void *arg, const struct gate_relays *r)
{
	return pairlink_send_idle(((struct shell *)arg)->gate, r, sizeof *r);
}

/* The same: what it lets through can wait a turn. */
static int
op_gate_reach(void *arg, const struct gate_reach *r)
{
	return pairlink_send_idle(((struct shell *)arg)->gate, r, sizeof *r);
}

static int
op_resolver_send(void *arg, const void *p, size_t n)
{
	return pairlink_send(((struct shell *)arg)->resolver, p, n);
}

/*
 * Tor runs it as its own user, we look as ours: what neither the owner, the
 * group nor all others may execute nobody can run.
 */
static int
op_program(void *arg, const char *path)
{
	struct stat st;

	(void)arg;
	if (stat(path, &st) == -1)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0 ? 0 : EACCES;
}

static int
op_change(void *arg, const struct link_change *c)
{
	(void)arg;
	return link_ask_change(c);
}

static int
op_look(void *arg, const struct link_look *q)
{
	(void)arg;
	return link_ask_look(q);
}

static int
op_status_send(void *arg, const void *p, size_t n)
{
	return pairlink_send(((struct shell *)arg)->status, p, n);
}

static int
op_keep_hold(void *arg, bool hold)
{
	(void)arg;
	return link_ask(LINK_NONE, hold ? LINK_HOLD_SET : LINK_HOLD_CLEAR);
}

static void
op_utc(void *arg, char *dst, size_t cap)
{
	time_t now = time(NULL);
	struct tm tm;

	(void)arg;
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(dst, cap, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		dst[0] = '\0';
}

static int64_t
op_wall(void *arg)
{
	const time_t now = time(NULL);

	(void)arg;
	return now > 0 ? (int64_t)now : 0;
}

const struct engine_ops shell_ops = {
	.tor_connect = op_tor_connect,
	.tor_close = op_tor_close,
	.tor_write = op_tor_write,
	.tor_peer = op_tor_peer,
	.cookie = op_cookie,
	.password = op_password,
	.random = op_random,
	.prove = op_prove,
	.ask_owner = op_ask_owner,
	.holder = op_holder,
	.client_open = op_client_open,
	.client_close = op_client_close,
	.gate_send = op_gate_send,
	.gate_relays = op_gate_relays,
	.gate_reach = op_gate_reach,
	.resolver_send = op_resolver_send,
	.program = op_program,
	.change = op_change,
	.look = op_look,
	.status_send = op_status_send,
	.keep_hold = op_keep_hold,
	.utc = op_utc,
	.wall = op_wall,
};
