/*
 * UDP's ports can be shared with another user.  Needs root (or user
 * namespaces with several users); skipped otherwise.
 */
#include "config.h" /* _GNU_SOURCE */

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/sockdiag_rig.h"

#define SKIPPED 77
/* More sockets than the kernel describes in one message of 32 KiB. */
#define CROWD 350

START_TEST(a_foreign_udp_wildcard_beside_tor_overlaps)
{
	rig_open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_OK);
	/* SO_REUSEPORT asks for one uid, SO_REUSEADDR does not. */
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(5300) };

	ck_assert_int_eq(setsockopt(rig_fds[0], SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof one), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof one), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_FOREIGN);
	ck_assert_uint_eq(rig_prove(1).uid, 0);
	close(fd);
}
END_TEST

/* Another user's, where Tor has 127.0.0.1:5300 already. */
static int
squat_beside(const char *device)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(5300),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int tor = rig_open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	int fd, one = 1;

	ck_assert_int_eq(rig_prove(1).kind, PROOF_OK);
	ck_assert_int_eq(setresuid(OTHER_UID, OTHER_UID, 0), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(setsockopt(tor, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof one), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof one), 0);
	if (device != NULL)
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
		    device, (socklen_t)strlen(device)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	rig_fds[rig_nfds++] = fd;
	return fd;
}

/* It gets what comes from there. */
START_TEST(a_connected_udp_socket_overlaps)
{
	struct sockaddr_in far = { .sin_family = AF_INET,
		.sin_port = htons(4711),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = squat_beside(NULL);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&far, sizeof far), 0);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_FOREIGN);
	ck_assert_uint_eq(rig_prove(1).uid, OTHER_UID);
	rig_close_last();
	ck_assert_int_eq(rig_prove(1).kind, PROOF_OK);
}
END_TEST

/* And it what comes through that interface. */
START_TEST(a_socket_bound_to_an_interface_overlaps)
{
	squat_beside("lo");
	ck_assert_int_eq(rig_prove(1).kind, PROOF_FOREIGN);
	ck_assert_uint_eq(rig_prove(1).uid, OTHER_UID);
	rig_close_last();
	ck_assert_int_eq(rig_prove(1).kind, PROOF_OK);
}
END_TEST

static void
crowd(uid_t uid, int n)
{
	while (n-- > 0)
		ck_assert_int_ne(rig_open_as(uid, SOCK_DGRAM, "127.0.0.2", 5300,
		    false), -1);
}

/*
 * A socket that is described in the second of two messages could be passed
 * over: then nobody can say that Tor's is alone.
 */
START_TEST(a_crowd_on_a_udp_port_can_hide_one)
{
	rig_open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	crowd(OTHER_UID, 3);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_OK);
	crowd(OTHER_UID, CROWD);
	for (int again = 0; again < 3; again++) {
		ck_assert_int_eq(rig_prove(1).kind, PROOF_FOREIGN);
		ck_assert_uint_eq(rig_prove(1).uid, OTHER_UID);
		ck_assert_uint_ne(rig_prove(1).inode, 0);
	}
	for (int i = 0; i < CROWD; i++)
		rig_close_last();
	ck_assert_int_eq(rig_prove(1).kind, PROOF_OK);
}
END_TEST

START_TEST(tors_own_crowd_hides_nobody)
{
	rig_open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	crowd(TOR_UID, CROWD);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_OK);
}
END_TEST

/* One dump for each UDP port, and one for all where there are many. */
START_TEST(every_udp_port_is_looked_at)
{
	size_t n = 4;

	sockdiag_free(rig_diag);
	for (; n < NLISTENERS; n++) {
		rig_add_listener(POL_DNS, "127.0.0.1", (uint16_t)(5301 + n));
		rig_diag = sockdiag_new(&rig_policy, rig_addrs);
		ck_assert_ptr_nonnull(rig_diag);
		rig_open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1",
		    (uint16_t)(5301 + n), false);
		rig_open_as(OTHER_UID, SOCK_DGRAM, "::", (uint16_t)(5301 + n),
		    true);
		for (size_t i = 4; i <= n; i++)
			ck_assert_int_eq(rig_prove(i).kind, PROOF_OK);
		ck_assert_int_eq(rig_prove(1).kind, PROOF_NO_SOCKET);
		sockdiag_free(rig_diag);
	}
	rig_diag = sockdiag_new(&rig_policy, rig_addrs);
	/* Dual-stack: as wide as the one before was not. */
	rig_open_as(OTHER_UID, SOCK_DGRAM, "::", 5300, false);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_FOREIGN);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sockdiag_udp");
	TCase *tc = tcase_create("sockdiag_udp");
	SRunner *sr;
	int failed;

	if (!rig_enter_namespace()) {
		printf("skipped: needs root for a network namespace\n");
		return SKIPPED;
	}
	tcase_add_checked_fixture(tc, rig_setup, rig_teardown);
	tcase_add_test(tc, a_foreign_udp_wildcard_beside_tor_overlaps);
	tcase_add_test(tc, a_connected_udp_socket_overlaps);
	tcase_add_test(tc, a_socket_bound_to_an_interface_overlaps);
	tcase_add_test(tc, a_crowd_on_a_udp_port_can_hide_one);
	tcase_add_test(tc, tors_own_crowd_hides_nobody);
	tcase_add_test(tc, every_udp_port_is_looked_at);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
