#include "supervisor/gate/anchor.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/rules.h"
#include "supervisor/gate/install.h"
#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/log.h"

#define FLAGS (NFT_TABLE_F_OWNER | NFT_TABLE_PERSIST)
/* A table, and a chain that comes and goes. */
#define ADOPT_BYTES (6 * NFT_MSG_ROOM)
/*
 * Half a second for one who has claimed what was left and then finds that the
 * run_dir is ours: else both would give way to each other.
 */
#define TRIES 50
#define TRY_NS 10000000L

/* What holds from anchor_claim() to anchor_drop(). */
static struct nft_sock claimed = { .fd = -1 };

static bool
is_orphan(struct nft_sock *s, enum pol_table_id id)
{
	struct nft_table_info was;

	return nft_read_table(s, &was, id) == 0 && was.present &&
	    was.owner == 0 && (was.flags & NFT_TABLE_PERSIST) != 0;
}

/*
 * Where the netdev table's chains do not follow their interfaces it is the
 * gate's.  Asked in a transaction of its own, as a table that changes hands
 * takes no chain meanwhile.
 */
static bool
follows_names(struct nft_sock *s, uint8_t *buf)
{
	struct nft_batch b;

	nft_batch_begin(&b, buf, ADOPT_BYTES);
	nft_compile_by_name(&b, POL_T_NETDEV);
	nft_batch_end(&b);
	return nft_commit(s, &b) == 0;
}

/*
 * Should it be flushed between our look and our commit we own an empty one:
 * no rules is what there is then, and what anchor_drop() finds and ends.
 */
static void
adopt(struct nft_sock *s, enum pol_table_id id, uint8_t *buf)
{
	struct nft_batch b;
	int rc;

	if (!is_orphan(s, id) || (id == POL_T_NETDEV &&
	    !follows_names(s, buf)))
		return;
	nft_batch_begin(&b, buf, ADOPT_BYTES);
	nft_compile_adopt(&b, id, FLAGS);
	nft_batch_end(&b);
	rc = nft_commit(s, &b);
	if (rc != 0)
		log_debug("%s is not ours yet: %s", pol_table_name(id),
		    log_errno(-rc));
}

void
anchor_claim(void)
{
	uint8_t *buf = malloc(ADOPT_BYTES);

	if (buf != NULL && nft_sock_open(&claimed, 0) == 0) {
		adopt(&claimed, POL_T_BOOT, buf);
		adopt(&claimed, POL_T_NETDEV, buf);
	}
	free(buf);
}

/* If it cannot be had it is the gate's, which says what is the matter. */
static void
hold_netdev(struct nft_sock *s, const struct pol_table *t)
{
	int rc = install_one(s, t, FLAGS);

	if (rc != 0 && rc != -ENOENT && rc != -EOPNOTSUPP)
		log_warn("cannot hold %s: %s", pol_table_name(t->id),
		    log_errno(-rc));
}

static int
hold(struct nft_sock *s, const struct pol_policy *p)
{
	struct pol_ruleset rs;
	int rc;

	if (pol_ruleset_make(&rs, p) == -1)
		return -ENOMEM;
	rc = install_one(s, &rs.tables[POL_T_BOOT], FLAGS);
	if (rc == 0)
		hold_netdev(s, &rs.tables[POL_T_NETDEV]);
	pol_ruleset_clear(&rs);
	return rc;
}

static int
hold_patiently(struct nft_sock *s, const struct pol_policy *p)
{
	const struct timespec pause = { .tv_nsec = TRY_NS };
	int rc = hold(s, p);

	for (int i = 0; i < TRIES && rc == -EPERM; i++) {
		(void)nanosleep(&pause, NULL); /* cut short: asked earlier */
		rc = hold(s, p);
	}
	return rc;
}

/* The socket of the claim, or one of its own. */
static int
take_sock(struct nft_sock *s)
{
	if (claimed.fd == -1)
		return nft_sock_open(s, 0) == -1 ? -errno : 0;
	*s = claimed;
	claimed.fd = -1;
	return 0;
}

int
anchor_drop(const struct pol_policy *p)
{
	struct nft_sock s;
	int rc = take_sock(&s);

	if (rc == 0)
		rc = hold_patiently(&s, p);
	if (rc == 0)
		return 0; /* the socket is the hold */
	nft_sock_close(&s);
	if (rc == -EOPNOTSUPP)
		return 0;
	if (rc == -EPERM)
		log_err("another portcullisd holds %s in this network "
		    "namespace, or CAP_NET_ADMIN is missing; stop it first",
		    pol_table_name(POL_T_BOOT));
	else
		log_err("cannot load %s: %s", pol_table_name(POL_T_BOOT),
		    log_errno(-rc));
	return -1;
}
