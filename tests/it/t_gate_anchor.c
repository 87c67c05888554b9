/*
 * Who holds the boot table, against a real nf_tables in a network namespace
 * of the test's own: kernels that know no PERSIST, others who load and flush
 * at the wrong moment, answers that are torn.  Skipped where no namespace can
 * be made.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/gate/anchor.h"
#include "supervisor/gate/install.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/log.h"

#define SKIPPED 77
#define RATHER_SMALL (4 * NFT_MSG_ROOM)

/* What is done before a commit, or instead of one. */
static enum { AS_IT_IS, OLD_KERNEL, FLUSHED, LOADED } mischief;
static unsigned mischiefs; /* so many times */
static bool nameless;	   /* chains for what is there only: before 6.16 */
static bool torn;	   /* what is held cannot be read back */

static struct pol_policy policy;
static struct kern kern;

int __real_nft_commit(struct nft_sock *s, struct nft_batch *b);
int __wrap_nft_commit(struct nft_sock *s, struct nft_batch *b);
int __real_nft_read_print(struct nft_sock *s, struct nft_print *out,
    enum pol_table_id id);
int __wrap_nft_read_print(struct nft_sock *s, struct nft_print *out,
    enum pol_table_id id);

/* Somebody without a hold: an empty boot table, or none. */
static void
foreign(bool there)
{
	struct nft_sock s;
	struct nft_batch b;
	struct pol_table none = { .id = POL_T_BOOT };
	void *buf = malloc(RATHER_SMALL);

	ck_assert_ptr_nonnull(buf);
	ck_assert_int_eq(nft_sock_open(&s, 0), 0);
	nft_batch_begin(&b, buf, RATHER_SMALL);
	if (there)
		ck_assert_int_eq(nft_compile_create(&b, &none, 0), 0);
	else
		nft_compile_delete(&b, POL_T_BOOT);
	nft_batch_end(&b);
	ck_assert_int_eq(__real_nft_commit(&s, &b), 0);
	nft_sock_close(&s);
	free(buf);
}

/* Before Linux 6.9 each batch with the flag is refused as a whole. */
static bool
has_persist(const struct nft_batch *b)
{
	const uint8_t want[] = { 8, 0, NFTA_TABLE_FLAGS, 0, 0, 0, 0,
		NFT_TABLE_F_OWNER | NFT_TABLE_PERSIST };
	const struct nlmsghdr *h;

	for (size_t at = 0; at < b->len; at += NLMSG_ALIGN(h->nlmsg_len)) {
		h = (const void *)(b->buf + at);
		if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 |
		    NFT_MSG_NEWTABLE) && memmem(h, h->nlmsg_len, want,
		    sizeof want) != NULL)
			return true;
	}
	return false;
}

int
__wrap_nft_commit(struct nft_sock *s, struct nft_batch *b)
{
	if (mischief == OLD_KERNEL && has_persist(b))
		return -EOPNOTSUPP;
	if (nameless && memmem(b->buf, b->len, "no/interface", 12) != NULL)
		return -ENOENT;
	if (mischiefs > 0 && mischief != AS_IT_IS) {
		mischiefs--;
		foreign(mischief == LOADED);
		mischief = mischief == LOADED ? FLUSHED : LOADED;
	}
	return __real_nft_commit(s, b);
}

int
__wrap_nft_read_print(struct nft_sock *s, struct nft_print *out,
    enum pol_table_id id)
{
	return torn && (id == POL_T_BOOT || id == POL_T_NETDEV) ? -EINTR :
	    __real_nft_read_print(s, out, id);
}

static struct nft_table_info
table(enum pol_table_id id)
{
	struct nft_table_info info;
	struct nft_sock s;

	ck_assert_int_eq(nft_sock_open(&s, 0), 0);
	ck_assert_int_eq(nft_read_table(&s, &info, id), 0);
	nft_sock_close(&s);
	return info;
}

static struct nft_table_info
boot(void)
{
	return table(POL_T_BOOT);
}

static void
install(void)
{
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	ck_assert_int_eq(install_tables(&kern, true), 0);
	ck_assert(kern.boot_up);
}

static void
make_policy(void)
{
	pol_policy_init(&policy);
	policy.lease_ms = 1000;
	policy.ninternal = policy.nexternal = 1;
	strcpy(policy.internal[0], "int0");
	strcpy(policy.external[0], "ext0");
}

static void
setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
}

START_TEST(what_is_held_nobody_else_deletes)
{
	struct nft_table_info info;

	ck_assert_int_eq(anchor_drop(&policy), 0);
	info = boot();
	ck_assert(info.present && info.owner != 0);
	ck_assert_uint_eq(info.flags & NFT_TABLE_PERSIST, NFT_TABLE_PERSIST);
	install();
	ck_assert(kern.boot_held && kern.persist);
	ck_assert(!table(POL_T_GUARD).present);
	ck_assert_uint_eq(boot().handle, info.handle);
	ck_assert_int_eq(kern_boot_reload(&kern), -EPERM);
	ck_assert_uint_eq(boot().handle, info.handle);
	install_clear(&kern);
}
END_TEST

START_TEST(a_second_holder_is_turned_away)
{
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert_int_eq(anchor_drop(&policy), -1);
}
END_TEST

/* Its chains follow their interfaces, there is nothing for the gate to do. */
START_TEST(the_netdev_table_is_held_with_it)
{
	struct nft_table_info info;

	if (nameless)
		return;
	ck_assert_int_eq(anchor_drop(&policy), 0);
	info = table(POL_T_NETDEV);
	ck_assert(info.present && info.owner == boot().owner);
	install();
	ck_assert(kern.netdev.held && kern.netdev.up);
	ck_assert_uint_eq(table(POL_T_NETDEV).handle, info.handle);
	ck_assert(netdev_check(&kern));
	torn = true;
	ck_assert(netdev_check(&kern));
	kern.netdev.up = false; /* had it not been */
	ck_assert(!netdev_check(&kern));
	torn = false;
	ck_assert(netdev_check(&kern));
	install_clear(&kern);
	ck_assert_uint_eq(table(POL_T_NETDEV).owner, info.owner);
}
END_TEST

START_TEST(nor_is_one_without_chains_that_follow)
{
	nameless = true;
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert(!table(POL_T_NETDEV).present);
	install();
	ck_assert(kern.boot_held && !kern.netdev.held && kern.netdev.up);
	ck_assert_uint_eq(table(POL_T_NETDEV).owner, kern.owner.portid);
	install_clear(&kern);
}
END_TEST

/* Of another policy, or another's that has the keeper's boot table too. */
START_TEST(a_held_netdev_table_that_is_not_ours_is_no_barrier)
{
	struct pol_policy other = policy;

	if (nameless)
		return;
	other.nexternal = 2;
	strcpy(other.external[1], "tun0");
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert_int_eq(install_look(&kern, &other), 0);
	/* The boot table differs as well, and is vital. */
	ck_assert_int_eq(install_tables(&kern, true), -1);
	ck_assert(kern.netdev.held && !kern.netdev.up);
	install_clear(&kern);
}
END_TEST

/* The gate loads it then, and puts it back. */
START_TEST(an_old_kernel_is_no_fault)
{
	if (_i == 1)
		foreign(true);
	mischief = OLD_KERNEL;
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert(boot().present == (_i == 1));
	install();
	ck_assert(!kern.boot_held && !kern.persist);
	ck_assert(table(POL_T_GUARD).present);
	ck_assert_uint_eq(boot().owner, 0);
	ck_assert_uint_eq(boot().flags, 0);
	foreign(false);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
	ck_assert(boot().present && kern.boot_up);
	install_clear(&kern);
}
END_TEST

/* Between the look and the commit, once, or as often as one gives way to. */
START_TEST(flushed_and_loaded_at_the_wrong_moment)
{
	if (_i % 2 == 1)
		foreign(true);
	mischief = _i % 2 == 1 ? FLUSHED : LOADED;
	mischiefs = _i < 2 ? 1 : 5;
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert_uint_eq(mischiefs, 0);
	ck_assert_uint_ne(boot().owner, 0);
	install();
	install_clear(&kern);
}
END_TEST

START_TEST(nor_does_that_keep_a_gate_from_standing)
{
	mischief = OLD_KERNEL;
	ck_assert_int_eq(anchor_drop(&policy), 0);
	foreign(true);
	mischief = FLUSHED;
	mischiefs = 1;
	install();
	ck_assert_uint_eq(boot().owner, 0);
	install_clear(&kern);
}
END_TEST

/* [0]: held by another process; [1]: by nobody, and the gate's to put back. */
START_TEST(an_unread_boot_table_is_neither_lost_nor_replaced)
{
	uint64_t handle;

	if (_i == 0)
		ck_assert_int_eq(anchor_drop(&policy), 0);
	install();
	handle = boot().handle;
	torn = true;
	ck_assert_int_eq(kern_verify(&kern, true), _i == 0 ? KERN_UNKNOWN :
	    KERN_AS_MADE);
	ck_assert(kern.boot_up);
	ck_assert_uint_eq(boot().handle, handle);
	torn = false;
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
	ck_assert(kern.boot_up);
	ck_assert_uint_eq(boot().handle, handle);
	install_clear(&kern);
}
END_TEST

/* What was once lost is told as there when it is. */
START_TEST(a_boot_table_that_is_there_again_is_told)
{
	install();
	kern.boot_up = false;
	ck_assert_int_eq(kern_verify(&kern, false), KERN_AS_MADE);
	ck_assert(kern.boot_up);
	install_clear(&kern);
}
END_TEST

/* Its holder has gone, and so may its policy. */
START_TEST(an_orphan_of_another_policy_is_adopted)
{
	const pid_t pid = fork();
	struct nft_table_info was;
	int status;

	if (pid == 0) {
		policy.firewall.refuse = POL_REFUSE_DROP;
		_exit(anchor_drop(&policy) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	was = boot();
	ck_assert(was.present && was.owner == 0);
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert_uint_ne(boot().owner, 0);
	install(); /* which compares what is there with what is wanted */
	install_clear(&kern);
}
END_TEST

/* A holder has been here, and is gone. */
static void
leave_orphans(void)
{
	const pid_t pid = fork();
	int status;

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(anchor_drop(&policy) == 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(boot().present && boot().owner == 0);
}

/* With all its rules, before any policy is known; then it is replaced. */
START_TEST(what_is_left_is_claimed_as_it_is)
{
	struct nft_table_info was[2], info;
	struct nft_print before, after;
	struct nft_sock s;

	leave_orphans();
	was[0] = boot();
	was[1] = table(POL_T_NETDEV);
	ck_assert_int_eq(nft_sock_open(&s, 0), 0);
	ck_assert_int_eq(nft_read_print(&s, &before, POL_T_BOOT), 0);
	anchor_claim();
	info = boot();
	ck_assert(info.owner != 0 && info.handle == was[0].handle);
	ck_assert_uint_eq(info.flags & NFT_TABLE_PERSIST, NFT_TABLE_PERSIST);
	ck_assert_int_eq(nft_read_print(&s, &after, POL_T_BOOT), 0);
	ck_assert_uint_eq(after.hash, before.hash);
	ck_assert_uint_gt(after.rules, 0);
	nft_sock_close(&s);
	ck_assert_uint_eq(table(POL_T_NETDEV).handle, was[1].handle);
	ck_assert_uint_eq(table(POL_T_NETDEV).owner, nameless ? 0 :
	    info.owner);
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert_uint_eq(boot().owner, info.owner);
	install();
	install_clear(&kern);
}
END_TEST

/* It is the gate's to hang anew, which needs it to be nobody's. */
START_TEST(a_netdev_table_of_an_old_kernel_is_not_claimed)
{
	leave_orphans();
	nameless = true;
	anchor_claim();
	ck_assert_uint_ne(boot().owner, 0);
	ck_assert_uint_eq(table(POL_T_NETDEV).owner, 0);
	ck_assert_int_eq(anchor_drop(&policy), 0);
}
END_TEST

/* [0]: nothing is there; [1]: one that was loaded from a file. */
START_TEST(nothing_else_is_claimed)
{
	uint64_t handle;

	if (_i == 1)
		foreign(true);
	handle = boot().handle;
	anchor_claim();
	ck_assert(boot().present == (_i == 1));
	ck_assert(boot().owner == 0 && boot().handle == handle);
	ck_assert(!table(POL_T_NETDEV).present);
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert_uint_ne(boot().owner, 0);
}
END_TEST

/* Whose policy was wrong, or who found the run_dir taken. */
START_TEST(one_who_claims_and_goes_is_waited_for)
{
	int ready[2];
	char c;
	pid_t pid;

	leave_orphans();
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		anchor_claim();
		(void)!write(ready[1], "", 1);
		(void)usleep(100000);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_uint_ne(boot().owner, 0);
	anchor_claim();
	ck_assert_int_eq(anchor_drop(&policy), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_uint_ne(boot().owner, 0);
}
END_TEST

/* Another process holds the boot table, until it is told to end. */
static pid_t
hold(int *end)
{
	int ready[2], over[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(over), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		(void)close(over[1]);
		if (anchor_drop(&policy) == 0 && write(ready[1], "", 1) == 1)
			(void)!read(over[0], &c, 1);
		_exit(0);
	}
	(void)close(ready[1]);
	(void)close(over[0]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	*end = over[1];
	return pid;
}

/*
 * There is no guard beside it: when the boot table is not its holder's any
 * more, the gate has to know.  [1]: and somebody flushes it.
 */
START_TEST(a_hold_that_ends_is_noticed)
{
	int end;
	const pid_t pid = hold(&end);

	install();
	ck_assert(kern.boot_held);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
	(void)close(end);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(boot().present && boot().owner == 0);
	/* Nor has that its holder, if it had one. */
	ck_assert(netdev_check(&kern) == nameless);
	if (_i == 1)
		foreign(false);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_DRIFT);
	install_clear(&kern);
}
END_TEST

/* Of a gate that had no keeper, or of an earlier version's. */
START_TEST(a_guard_that_is_left_over_goes)
{
	install();
	install_clear(&kern);
	ck_assert(table(POL_T_GUARD).present);
	ck_assert_int_eq(anchor_drop(&policy), 0);
	install();
	ck_assert(kern.boot_held && !table(POL_T_GUARD).present);
	install_clear(&kern);
}
END_TEST

/* Held, but it would go with its holder: not what a keeper does. */
START_TEST(a_hold_that_does_not_outlive_its_holder_is_none)
{
	struct nft_sock s;
	struct pol_ruleset rs;

	ck_assert_int_eq(nft_sock_open(&s, 0), 0);
	ck_assert_int_eq(pol_ruleset_make(&rs, &policy), 0);
	ck_assert_int_eq(install_one(&s, &rs.tables[POL_T_BOOT],
	    NFT_TABLE_F_OWNER), 0);
	pol_ruleset_clear(&rs);
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	ck_assert_int_eq(install_tables(&kern, true), -1);
	install_clear(&kern);
	nft_sock_close(&s);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("gate_anchor");
	TCase *tc = tcase_create("anchor");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, what_is_held_nobody_else_deletes);
	tcase_add_test(tc, a_second_holder_is_turned_away);
	tcase_add_loop_test(tc, an_old_kernel_is_no_fault, 0, 2);
	tcase_add_test(tc, the_netdev_table_is_held_with_it);
	tcase_add_test(tc, nor_is_one_without_chains_that_follow);
	tcase_add_test(tc,
	    a_held_netdev_table_that_is_not_ours_is_no_barrier);
	tcase_add_loop_test(tc, flushed_and_loaded_at_the_wrong_moment, 0, 4);
	tcase_add_test(tc, nor_does_that_keep_a_gate_from_standing);
	tcase_add_loop_test(tc,
	    an_unread_boot_table_is_neither_lost_nor_replaced, 0, 2);
	tcase_add_test(tc, a_boot_table_that_is_there_again_is_told);
	tcase_add_test(tc, an_orphan_of_another_policy_is_adopted);
	tcase_add_test(tc, what_is_left_is_claimed_as_it_is);
	tcase_add_test(tc, a_netdev_table_of_an_old_kernel_is_not_claimed);
	tcase_add_loop_test(tc, nothing_else_is_claimed, 0, 2);
	tcase_add_test(tc, one_who_claims_and_goes_is_waited_for);
	tcase_add_loop_test(tc, a_hold_that_ends_is_noticed, 0, 2);
	tcase_add_test(tc, a_guard_that_is_left_over_goes);
	tcase_add_test(tc,
	    a_hold_that_does_not_outlive_its_holder_is_none);
	suite_add_tcase(s, tc);
	return s;
}

/* Before Linux 6.16: the netdev table is the gate's, whatever is held. */
static bool
is_nameless(void)
{
	struct nft_table_info info;
	struct nft_sock s;
	bool held;

	if (anchor_drop(&policy) == -1 || nft_sock_open(&s, 0) == -1)
		return false;
	held = nft_read_table(&s, &info, POL_T_NETDEV) == 0 &&
	    info.owner != 0;
	nft_sock_close(&s);
	return !held;
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
	make_policy();
	nameless = is_nameless();
	sr = srunner_create(make_suite());
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
