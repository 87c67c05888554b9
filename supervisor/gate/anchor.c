#include "supervisor/gate/anchor.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules.h"
#include "supervisor/gate/install.h"
#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/gate/nft_read.h"
#include "supervisor/log.h"

/* Acknowledgements of a few messages. */
#define RECV_BYTES (1u << 16)

static int
commit_boot(struct nft_sock *s, const struct pol_table *t,
    const struct nft_table_info *was)
{
	struct nft_batch b = { 0 };
	int rc;

	if (install_build(&b, t, NFT_TABLE_F_OWNER | NFT_TABLE_PERSIST,
	    was) == -1)
		rc = -ENOMEM;
	else if (nft_sock_buffers(s, b.len + RECV_BYTES, RECV_BYTES) == -1)
		rc = -errno;
	else
		rc = nft_commit(s, &b);
	free(b.buf);
	return rc;
}

static int
hold_boot(struct nft_sock *s, const struct pol_policy *p)
{
	struct nft_table_info was;
	struct pol_ruleset rs;
	int rc = nft_read_table(s, &was, POL_T_BOOT);

	if (rc != 0)
		return rc;
	if (was.owner != 0)
		return -EPERM;
	if (pol_ruleset_make(&rs, p) == -1)
		return -ENOMEM;
	rc = commit_boot(s, &rs.tables[POL_T_BOOT], &was);
	pol_ruleset_clear(&rs);
	return rc;
}

int
anchor_drop(const struct pol_policy *p)
{
	struct nft_sock s;
	int rc = nft_sock_open(&s, 0) == -1 ? -errno : hold_boot(&s, p);

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
