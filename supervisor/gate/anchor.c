#include "supervisor/gate/anchor.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "policy/rules.h"
#include "supervisor/gate/install.h"
#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/log.h"

#define FLAGS (NFT_TABLE_F_OWNER | NFT_TABLE_PERSIST)

/* If it cannot be had it is the gate's, which says what is the matter. */
static void
hold_netdev(struct nft_sock *s, const struct pol_table *t)
{
	int rc = install_one(s, t, FLAGS);

	if (rc != 0 && rc != -ENOENT && rc != -EOPNOTSUPP)
		log_warn("cannot hold %s: %s", pol_table_name(t->id),
		    strerror(-rc));
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

int
anchor_drop(const struct pol_policy *p)
{
	struct nft_sock s;
	int rc = nft_sock_open(&s, 0) == -1 ? -errno : hold(&s, p);

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
		    strerror(-rc));
	return -1;
}
