/*
 * What a child takes from the keeper.  Descriptor 3 is the keeper's channel
 * here as it is there.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/links.h"

static int keeper; /* the other end */
static enum link_peer peer;
static int fd;
static struct link_said said;
static const struct link_owner answer = { LINK_OWNER_MAGIC, 64099, 4711, 17,
	0 };

/* Check opens files of its own, which must not get our number. */
static void
hold_place(void)
{
	int null = open("/dev/null", O_RDONLY);

	if (null == -1 || dup2(null, LINK_KEEPER_FD) == -1)
		abort(); /* also before there is a test that could fail */
	if (null != LINK_KEEPER_FD)
		close(null);
}

static void
setup(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	keeper = fcntl(ends[0], F_DUPFD, 10);
	ck_assert_int_ne(keeper, -1);
	ck_assert_int_eq(dup2(ends[1], LINK_KEEPER_FD), LINK_KEEPER_FD);
	for (int i = 0; i < 2; i++)
		if (ends[i] != LINK_KEEPER_FD)
			close(ends[i]);
	peer = LINK_NONE;
	fd = -1;
	memset(&said, 0, sizeof said);
}

static void
teardown(void)
{
	close(keeper);
	hold_place();
}

static void
say(const void *p, size_t n)
{
	ck_assert_int_eq(send(keeper, p, n, 0), (ssize_t)n);
}

static enum link_got
engine(void)
{
	return link_recv_engine(&peer, &fd, &said);
}

START_TEST(nothing_there_is_nothing)
{
	ck_assert_int_eq(link_recv(&peer, &fd), 0);
	ck_assert_int_eq(engine(), LINK_NOTHING);
}
END_TEST

START_TEST(an_end_is_handed_over)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(link_send(keeper, LINK_GATE, 0), 0);
		if (i == 0)
			ck_assert_int_eq(link_recv(&peer, &fd), 1);
		else
			ck_assert_int_eq(engine(), LINK_HANDED);
		ck_assert_int_eq(peer, LINK_GATE);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
		close(fd);
	}
}
END_TEST

START_TEST(an_answer_is_the_engines_alone)
{
	say(&answer, sizeof answer);
	ck_assert_int_eq(engine(), LINK_OWNER);
	ck_assert_uint_eq(said.owner.inode, 4711);
	ck_assert_int_eq(said.owner.pid, 17);
	ck_assert_int_eq(peer, LINK_NONE);
	say(&answer, sizeof answer);
	ck_assert_int_eq(link_recv(&peer, &fd), -1);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(a_wrong_answer_is_nonsense)
{
	struct link_owner bad[4] = { answer, answer, answer, answer };

	bad[0].magic++;
	bad[1].reserved = 1;
	bad[2].pid = -1;
	say(&bad[0], sizeof bad[0]);
	say(&bad[1], sizeof bad[1]);
	say(&bad[2], sizeof bad[2]);
	say(&bad[3], sizeof bad[3] - 1);
	say(bad, sizeof bad); /* too long: not its first part */
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(engine(), LINK_LOST);
	ck_assert_uint_eq(said.owner.magic, 0);
}
END_TEST

START_TEST(what_was_kept_is_the_engines_too)
{
	const struct link_kept kept = { LINK_KEPT_MAGIC, 9, 28, 0 };
	struct link_kept bad[3] = { kept, kept, kept };

	say(&kept, sizeof kept);
	ck_assert_int_eq(engine(), LINK_KEPT);
	ck_assert_uint_eq(said.kept.id, 9);
	ck_assert_int_eq(said.kept.error, 28);
	bad[0].magic++;
	bad[1].reserved = 1;
	bad[2].error = -1;
	for (int i = 0; i < 3; i++) {
		say(&bad[i], sizeof bad[i]);
		ck_assert_int_eq(engine(), LINK_LOST);
	}
	ck_assert_uint_eq(said.owner.magic, 0);
}
END_TEST

START_TEST(a_hand_over_without_an_end_is_nonsense)
{
	struct link_msg msg = { LINK_MAGIC, LINK_GATE };

	say(&msg, sizeof msg);
	ck_assert_int_eq(engine(), LINK_LOST);
	say(&msg, sizeof msg);
	ck_assert_int_eq(link_recv(&peer, &fd), -1);
}
END_TEST

static int
nfds(void)
{
	int n = 0;

	for (int i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) != -1;
	return n;
}

START_TEST(a_wrong_hand_over_leaves_no_descriptor)
{
	int before = nfds();

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(link_send(keeper, LINK_NPEER, 0), 0);
		ck_assert_int_eq(i == 0 ? link_recv(&peer, &fd) :
		    (int)engine(), -1);
	}
	ck_assert_int_eq(nfds(), before);
}
END_TEST

START_TEST(a_keeper_that_is_gone_is_lost)
{
	close(keeper);
	ck_assert_int_eq(engine(), LINK_LOST);
	ck_assert_int_eq(link_recv(&peer, &fd), -1);
}
END_TEST

START_TEST(a_question_goes_out_as_one_that_is_taken)
{
	struct link_owner q;

	ck_assert_int_eq(link_ask_owner(64099, 4711), 0);
	ck_assert_int_eq(recv(keeper, &q, sizeof q, 0), sizeof q);
	ck_assert(link_owner_question_ok(&q));
	q.uid = UINT32_MAX; /* setuid(-1) would leave root root */
	ck_assert(!link_owner_question_ok(&q));
	ck_assert(!link_owner_question_ok(&answer));
	ck_assert(link_owner_answer_ok(&answer));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("links");
	TCase *tc = tcase_create("links");
	SRunner *sr;
	int failed;

	hold_place();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_there_is_nothing);
	tcase_add_test(tc, an_end_is_handed_over);
	tcase_add_test(tc, an_answer_is_the_engines_alone);
	tcase_add_test(tc, a_wrong_answer_is_nonsense);
	tcase_add_test(tc, what_was_kept_is_the_engines_too);
	tcase_add_test(tc, a_hand_over_without_an_end_is_nonsense);
	tcase_add_test(tc, a_wrong_hand_over_leaves_no_descriptor);
	tcase_add_test(tc, a_keeper_that_is_gone_is_lost);
	tcase_add_test(tc, a_question_goes_out_as_one_that_is_taken);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
