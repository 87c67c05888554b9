/*
 * Real questions to the kernel; as any user.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/engine/nlask.h"

/* No protocol has this number. */
#define NO_PROTOCOL 200

static struct nlask ask;
static int server;

/* There is at least one socket to be told about. */
static void
setup(void)
{
	server = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_ne(server, -1);
	ck_assert_int_eq(listen(server, 1), 0);
	nlask_init(&ask, NETLINK_SOCK_DIAG);
}

static void
teardown(void)
{
	nlask_clear(&ask);
	close(server);
}

static int
dump(uint8_t protocol, mnl_cb_t cb, void *data)
{
	char buf[MNL_NLMSG_HDRLEN +
	    MNL_ALIGN(sizeof(struct inet_diag_req_v2))];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *r;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	r = mnl_nlmsg_put_extra_header(nlh, sizeof *r);
	r->sdiag_family = AF_INET;
	r->sdiag_protocol = protocol;
	r->idiag_states = UINT32_MAX;
	return nlask_run(&ask, nlh, cb, data);
}

static int
on_count(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	++*(unsigned *)data;
	return MNL_CB_OK;
}

static int
on_nonsense(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	return MNL_CB_ERROR;
}

START_TEST(an_answer_is_taken_to_its_end)
{
	unsigned n = 0;

	for (int again = 0; again < 3; again++) {
		n = 0;
		ck_assert_int_eq(dump(IPPROTO_TCP, on_count, &n), 0);
		ck_assert_uint_ge(n, 1);
	}
}
END_TEST

/* The kernel says so in the very message that ends the dump. */
START_TEST(a_dump_that_ends_with_an_error_is_none)
{
	unsigned n = 0;

	errno = 0;
	ck_assert_int_eq(dump(NO_PROTOCOL, on_count, &n), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(n, 0);
	/* The next question gets its own answer. */
	ck_assert_int_eq(dump(IPPROTO_TCP, on_count, &n), 0);
	ck_assert_uint_ge(n, 1);
}
END_TEST

START_TEST(a_refusal_is_an_error)
{
	char buf[MNL_NLMSG_HDRLEN];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY; /* and no family */
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	ck_assert_int_eq(nlask_run(&ask, nlh, on_nonsense, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

/* Who asks why must not be told what went wrong before. */
START_TEST(nonsense_has_its_own_errno)
{
	unsigned n = 0;

	errno = ENOENT;
	ck_assert_int_eq(dump(IPPROTO_TCP, on_nonsense, NULL), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(dump(IPPROTO_TCP, on_count, &n), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nlask");
	TCase *tc = tcase_create("nlask");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_answer_is_taken_to_its_end);
	tcase_add_test(tc, a_dump_that_ends_with_an_error_is_none);
	tcase_add_test(tc, a_refusal_is_an_error);
	tcase_add_test(tc, nonsense_has_its_own_errno);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
