/*
 * While its own relays go in the gate does not listen; but nobody else's
 * change goes unnoticed.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/it/relays_rig.h"

#define MEDDLED 300u

/* Nothing of what has happened is told twice. */
static void
forget_events(void)
{
	bool check = false;

	(void)kern_events(&kern, &check);
}

static unsigned
heard(void)
{
	bool check = false;
	const unsigned n = kern_events(&kern, &check);

	ck_assert(check || n == 0);
	return n;
}

/* Somebody's, in a table of ours that has no owner. */
static void
meddle(struct nft_sock *s, unsigned nth)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[4 * NFT_MSG_ROOM];
	struct nft_batch b;
	struct nlmsghdr *h;
	char name[16];

	(void)snprintf(name, sizeof name, "x%u", nth);
	nft_batch_begin(&b, buf, sizeof buf);
	h = nft_batch_msg(&b, NFT_MSG_NEWCHAIN, NFPROTO_INET, NLM_F_CREATE);
	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, pol_table_name(POL_T_BOOT));
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, name);
	nft_batch_push(&b, h);
	nft_batch_end(&b);
	ck_assert_int_eq(nft_commit(s, &b), 0);
}

START_TEST(nothing_is_told_of_a_page)
{
	struct nft_sock s;

	ck_assert_int_eq(nft_sock_open(&s, 0), 0);
	forget_events();
	make_page(1, 0, GATE_RELAYS_PAGE, 0);
	put_page();
	ck_assert(!nft_skip(&kern.events));
	ck_assert(!kern.missed);
	meddle(&s, 0);
	ck_assert_uint_eq(heard(), 1);
	nft_sock_close(&s);
}
END_TEST

/* Of rtnetlink's news an interface that goes is one; without, not. */
START_TEST(who_cannot_ask_elsewhere_listens_on)
{
	forget_events();
	nft_sock_close(&kern.netdev.events);
	make_page(1, 0, GATE_RELAYS_PAGE, 0);
	put_page();
	ck_assert(nft_skip(&kern.events));
}
END_TEST

START_TEST(who_could_not_be_told_again_looks)
{
	struct nft_sock s;

	ck_assert_int_eq(nft_sock_open(&s, 0), 0);
	forget_events();
	ck_assert_int_eq(nft_sock_leave(&kern.events, NFNLGRP_NFTABLES), 0);
	kern.deaf = true;
	make_page(1, 0, 10, 0);
	put_page();
	meddle(&s, 0);
	ck_assert_uint_eq(heard(), 0);
	ck_assert_int_eq(kern_verify(&kern, false), KERN_AS_MADE);
	ck_assert(!kern.deaf && !kern.quiet);
	meddle(&s, 1);
	ck_assert_uint_eq(heard(), 1);
	nft_sock_close(&s);
}
END_TEST

/* A byte to begin with, and one that it is done. */
static void
meddler(int fd)
{
	const struct timespec step = { 0, 20000 };
	struct nft_sock s;
	char c;

	ck_assert_int_eq(nft_sock_open(&s, 0), 0);
	for (unsigned i = 0; read(fd, &c, 1) == 1; i++) {
		for (unsigned wait = i % 50; wait > 0; wait--)
			(void)nanosleep(&step, NULL);
		meddle(&s, i);
		ck_assert_int_eq(write(fd, &c, 1), 1);
	}
	_exit(0);
}

/* At whatever moment it comes, it is heard or it may have been missed. */
START_TEST(no_change_amid_a_page_goes_unnoticed)
{
	unsigned missed = 0;
	int pair[2], status;
	pid_t pid;
	char c = 0;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		(void)close(pair[0]);
		meddler(pair[1]);
	}
	(void)close(pair[1]);
	forget_events();
	for (unsigned i = 1; i <= MEDDLED; i++) {
		ck_assert_int_eq(write(pair[0], &c, 1), 1);
		make_page(i, 0, GATE_RELAYS_PAGE + 1, 0);
		put_page();
		missed += kern.missed;
		ck_assert_int_eq(read(pair[0], &c, 1), 1);
		if (!kern.missed)
			ck_assert_uint_eq(heard(), 1);
		forget_events();
	}
	printf("%u of %u changes may have been missed\n", missed, MEDDLED);
	(void)close(pair[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("gate_unheard");
	TCase *tc = tcase_create("unheard");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_told_of_a_page);
	tcase_add_test(tc, who_cannot_ask_elsewhere_listens_on);
	tcase_add_test(tc, who_could_not_be_told_again_looks);
	tcase_add_test(tc, no_change_amid_a_page_goes_unnoticed);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run(make_suite());
}
