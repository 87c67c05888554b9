/*
 * portcullisd --remove-rules.  Not part of the gate process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules.h"
#include "supervisor/gate/gate.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/gate/nft_read.h"
#include "supervisor/gate/routes.h"
#include "supervisor/log.h"

#define BATCH_BYTES (3 * NFT_MSG_ROOM)

/* What there is, as a batch that deletes it; -1: not ours to delete. */
static int
collect(struct nft_sock *s, struct nft_batch *b,
    struct nft_table_info info[POL_NTABLE])
{
	int rc;

	for (unsigned i = 0; i < POL_NTABLE; i++) {
		rc = nft_read_table(s, &info[i], (enum pol_table_id)i);
		if (rc != 0) {
			log_err("cannot ask the kernel for its nf_tables: %s",
			    log_errno(-rc));
			return -1;
		}
		if (info[i].owner != 0) {
			log_err("portcullisd is running and holds the gate "
			    "(netlink port %u); stop it first",
			    (unsigned)info[i].owner);
			return -1;
		}
		if (info[i].present)
			nft_compile_delete(b, (enum pol_table_id)i);
	}
	nft_batch_end(b);
	return 0;
}

/* The rules may stand without the tables, and the tables without them. */
static int
remove_routes(void)
{
	int n = routes_remove();

	if (n < 0) {
		log_err("cannot remove our routing rules: %s", log_errno(-n));
		return 1;
	}
	if (n > 0)
		printf("removed %d routing rules\n", n);
	return 0;
}

static int
remove_tables(struct nft_sock *s, struct nft_batch *b,
    const struct nft_table_info info[POL_NTABLE])
{
	int rc;

	if (!b->ended) {
		printf("no table of ours is there\n");
		return 0;
	}
	rc = nft_commit(s, b);
	if (rc != 0) {
		log_err("cannot remove our tables: %s", log_errno(-rc));
		return 1;
	}
	for (unsigned i = 0; i < POL_NTABLE; i++)
		if (info[i].present)
			printf("removed table %s %s\n",
			    i == POL_T_NETDEV ? "netdev" : "inet",
			    pol_table_name((enum pol_table_id)i));
	return 0;
}

static int
remove_all(struct nft_sock *s, struct nft_batch *b)
{
	struct nft_table_info info[POL_NTABLE];
	int rc;

	if (collect(s, b, info) == -1)
		return 1;
	rc = remove_tables(s, b, info);
	return rc == 0 ? remove_routes() : rc;
}

int
gate_remove_rules(void)
{
	struct nft_sock s;
	struct nft_batch b;
	void *buf;
	int rc = 1;

	if (nft_sock_open(&s, 0) == -1) {
		log_err("cannot open a netlink socket: %s", log_errno(errno));
		return 1;
	}
	buf = malloc(BATCH_BYTES);
	if (buf == NULL) {
		log_err("out of memory");
	} else {
		nft_batch_begin(&b, buf, BATCH_BYTES);
		rc = remove_all(&s, &b);
	}
	free(buf);
	nft_sock_close(&s);
	return rc;
}
