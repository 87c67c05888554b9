/*
 * The netdev table where interfaces come and go, on this kernel and as on one
 * before Linux 6.16, which hangs chains on what is there only.  In a network
 * namespace of the test's own; skipped where none can be made.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/gate/install.h"
#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/gate/rtnl.h"
#include "supervisor/log.h"

#define SKIPPED 77
#define MSG_BYTES 512

static struct pol_policy policy;
static struct kern kern;

static bool old;	  /* the kernel is */
static const char *goes;  /* an interface that goes before the next commit */
static bool refuses;	  /* whatever is to be committed */
static unsigned commits;  /* of the netdev table */

int __real_nft_commit(struct nft_sock *s, struct nft_batch *b);
int __wrap_nft_commit(struct nft_sock *s, struct nft_batch *b);

static int
link_change(struct nlmsghdr *h)
{
	struct nft_sock s;
	int rc;

	ck_assert_int_eq(rtnl_open(&s, 0), 0);
	rc = rtnl_change(&s, h);
	nft_sock_close(&s);
	return rc;
}

/* A pair of NAME and another one, which is nobody's. */
static void
appear(const char *name)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[MSG_BYTES];
	} m;
	struct nlmsghdr *h = mnl_nlmsg_put_header(&m);
	struct nlattr *info;

	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	mnl_attr_nest_end(h, info);
	ck_assert_int_eq(link_change(h), 0);
}

static void
vanish(const char *name)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[MSG_BYTES];
	} m;
	struct nlmsghdr *h = mnl_nlmsg_put_header(&m);

	h->nlmsg_type = RTM_DELLINK;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	ck_assert_int_eq(link_change(h), 0);
}

static bool
names(const struct nft_batch *b, const char *what)
{
	return memmem(b->buf, b->len, what, strlen(what) + 1) != NULL;
}

int
__wrap_nft_commit(struct nft_sock *s, struct nft_batch *b)
{
	if (!names(b, "portcullis_egress"))
		return __real_nft_commit(s, b);
	commits++;
	if (refuses)
		return -EOPNOTSUPP;
	if (goes != NULL) {
		vanish(goes);
		goes = NULL;
	}
	for (size_t i = 0; old && i < policy.nexternal; i++)
		if (if_nametoindex(policy.external[i]) == 0 &&
		    names(b, policy.external[i]))
			return -ENOENT;
	return __real_nft_commit(s, b);
}

static uint32_t
chains(void)
{
	struct nft_print print;

	ck_assert_int_eq(nft_read_print(&kern.reader, &print, POL_T_NETDEV),
	    0);
	return print.chains;
}

/* As before Linux 6.16: with an interface goes its chain. */
static void
chain_goes(const char *name)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[4 * NFT_MSG_ROOM];
	struct nft_batch b;
	struct nlmsghdr *h;

	if (chains() != 2)
		return;
	nft_batch_begin(&b, buf, sizeof buf);
	for (unsigned type = NFT_MSG_DELRULE; ; type = NFT_MSG_DELCHAIN) {
		h = nft_batch_msg(&b, (uint16_t)type,
		    nft_table_family(POL_T_NETDEV), 0);
		/* NFTA_RULE_TABLE and _CHAIN have the same numbers. */
		mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, "portcullis_egress");
		mnl_attr_put_strz(h, type == NFT_MSG_DELCHAIN ?
		    NFTA_CHAIN_NAME : NFTA_RULE_CHAIN,
		    strcmp(name, policy.external[0]) == 0 ? "egress0" :
		    "egress1");
		nft_batch_push(&b, h);
		if (type == NFT_MSG_DELCHAIN)
			break;
	}
	nft_batch_end(&b);
	ck_assert_int_eq(__real_nft_commit(&kern.owner, &b), 0);
}

static void
setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	pol_policy_init(&policy);
	policy.lease_ms = 1000;
	policy.ninternal = 1;
	policy.nexternal = 2;
	strcpy(policy.internal[0], "int0");
	strcpy(policy.external[0], "ext0");
	strcpy(policy.external[1], "tun0");
	old = refuses = false;
	goes = NULL;
	ck_assert_int_eq(install_look(&kern, &policy), 0);
}

static void
teardown(void)
{
	install_clear(&kern);
}

/* In all tests: [0] the kernel as it is, [1] an old one. */
static void
start(int i)
{
	old = i == 1;
	ck_assert_int_eq(install_tables(&kern, true), 0);
	/* Whatever it took: a second look finds nothing to do. */
	commits = 0;
	(void)netdev_check(&kern);
	ck_assert_uint_eq(commits, 0);
}

static uint32_t
expected(uint32_t there)
{
	return old ? there : policy.nexternal;
}

START_TEST(what_is_there_has_a_chain_what_is_not_has_none)
{
	appear("ext0");
	start(_i);
	ck_assert(kern.netdev.up);
	ck_assert_uint_eq(kern.netdev.absent, 2);
	ck_assert_uint_eq(chains(), expected(1));
}
END_TEST

START_TEST(none_at_all_is_no_fault)
{
	start(_i);
	ck_assert(kern.netdev.up);
	ck_assert_uint_eq(kern.netdev.absent, 3);
	ck_assert_uint_eq(chains(), expected(0));
}
END_TEST

START_TEST(one_that_comes_gets_its_chain)
{
	appear("ext0");
	start(_i);
	ck_assert(!netdev_told(&kern));
	appear("tun0");
	ck_assert(netdev_told(&kern));
	ck_assert(netdev_check(&kern));
	ck_assert_uint_gt(commits, 0); /* acknowledged, not believed */
	ck_assert_uint_eq(chains(), 2);
	ck_assert_uint_eq(kern.netdev.absent, 0);
	ck_assert(!netdev_told(&kern));
}
END_TEST

START_TEST(one_that_goes_leaves_the_other_its_chain)
{
	const char *name = policy.external[_i / 2];

	appear("ext0");
	appear("tun0");
	start(_i % 2);
	vanish(name);
	if (old)
		chain_goes(name);
	ck_assert(netdev_told(&kern));
	ck_assert(netdev_check(&kern));
	ck_assert_uint_eq(chains(), expected(1));
	ck_assert_uint_eq(kern.netdev.absent, 1u << _i / 2);
	appear(name);
	ck_assert(netdev_check(&kern));
	ck_assert_uint_eq(chains(), 2);
}
END_TEST

START_TEST(another_of_the_same_name_is_another)
{
	appear("ext0");
	appear("tun0");
	start(_i);
	vanish("tun0");
	if (old)
		chain_goes("tun0");
	appear("tun0");
	commits = 0;
	ck_assert(netdev_check(&kern));
	ck_assert_uint_gt(commits, 0);
	ck_assert_uint_eq(chains(), 2);
}
END_TEST

/* Between our look and the commit. */
START_TEST(one_that_goes_meanwhile_does_not_keep_the_others_from_theirs)
{
	appear("ext0");
	appear("tun0");
	goes = "tun0";
	old = true;
	ck_assert_int_eq(install_tables(&kern, true), 0);
	ck_assert(kern.netdev.up);
	ck_assert_uint_eq(chains(), 1);
	ck_assert_uint_eq(kern.netdev.absent, 2);
}
END_TEST

START_TEST(what_cannot_be_had_is_no_barrier)
{
	appear("ext0");
	appear("tun0");
	refuses = true;
	ck_assert_int_eq(install_tables(&kern, true), 0);
	ck_assert(!kern.netdev.up);
	ck_assert(!netdev_check(&kern));
	refuses = false;
	ck_assert(netdev_check(&kern));
	/* What stands goes on standing while a new one is refused. */
	vanish("tun0");
	refuses = true;
	ck_assert(!netdev_check(&kern));
	ck_assert_uint_eq(chains(), 2);
}
END_TEST

START_TEST(a_table_that_was_changed_is_put_back)
{
	appear("ext0");
	appear("tun0");
	start(_i);
	chain_goes("ext0");
	ck_assert_uint_eq(chains(), 1);
	ck_assert(netdev_check(&kern));
	ck_assert_uint_eq(chains(), 2);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("gate_netdev");
	TCase *tc = tcase_create("netdev");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc,
	    what_is_there_has_a_chain_what_is_not_has_none, 0, 2);
	tcase_add_loop_test(tc, none_at_all_is_no_fault, 0, 2);
	tcase_add_loop_test(tc, one_that_comes_gets_its_chain, 0, 2);
	tcase_add_loop_test(tc, one_that_goes_leaves_the_other_its_chain, 0,
	    4);
	tcase_add_loop_test(tc, another_of_the_same_name_is_another, 0, 2);
	tcase_add_test(tc,
	    one_that_goes_meanwhile_does_not_keep_the_others_from_theirs);
	tcase_add_test(tc, what_cannot_be_had_is_no_barrier);
	tcase_add_loop_test(tc, a_table_that_was_changed_is_put_back, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr;
	int failed;

	log_init("test", LOG_LV_ERR);
	if (geteuid() != 0 || unshare(CLONE_NEWNET) == -1) {
		printf("needs root, for network namespaces\n");
		return SKIPPED;
	}
	sr = srunner_create(make_suite());
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
