/*
 * Real sockets of two users in a network namespace of its own.  Needs root
 * (or user namespaces with several users); skipped otherwise.
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

static void
ip(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

START_TEST(nobody_is_no_socket)
{
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_prove(i).kind, PROOF_NO_SOCKET);
		ck_assert_uint_eq(rig_prove(i).uid, UINT32_MAX);
	}
	ck_assert_int_eq(rig_prove(3).kind, PROOF_NO_ADDR);
	ck_assert_uint_eq(rig_prove(3).uid, UINT32_MAX);
}
END_TEST

START_TEST(tors_own_sockets_are_proven)
{
	rig_open_as(TOR_UID, SOCK_STREAM, "127.0.0.1", 9050, false);
	rig_open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	rig_open_as(TOR_UID, SOCK_STREAM, "::1", 9050, true);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_prove(i).kind, PROOF_OK);
		ck_assert_uint_eq(rig_prove(i).uid, TOR_UID);
	}
}
END_TEST

START_TEST(another_users_socket_is_foreign)
{
	rig_open_as(OTHER_UID, SOCK_STREAM, "127.0.0.1", 9050, false);
	rig_open_as(OTHER_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_FOREIGN);
	ck_assert_uint_eq(rig_prove(0).uid, OTHER_UID);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_FOREIGN);
	ck_assert_uint_eq(rig_prove(1).uid, OTHER_UID);
	ck_assert_uint_eq(rig_prove(0).inode, rig_inode_of(rig_fds[0]));
	ck_assert_uint_eq(rig_prove(1).inode, rig_inode_of(rig_fds[1]));
}
END_TEST

START_TEST(the_other_protocol_does_not_count)
{
	rig_open_as(OTHER_UID, SOCK_DGRAM, "127.0.0.1", 9050, false);
	rig_open_as(OTHER_UID, SOCK_STREAM, "127.0.0.1", 5300, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(another_port_or_address_does_not_count)
{
	rig_open_as(OTHER_UID, SOCK_STREAM, "127.0.0.1", 9051, false);
	rig_open_as(OTHER_UID, SOCK_STREAM, "127.0.0.2", 9050, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(a_wildcard_of_tor_is_not_the_listener)
{
	rig_open_as(TOR_UID, SOCK_STREAM, "0.0.0.0", 9050, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(a_foreign_wildcard_overlaps)
{
	rig_open_as(OTHER_UID, SOCK_STREAM, "0.0.0.0", 9050, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_FOREIGN);
	ck_assert_int_eq(rig_prove(2).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(a_dual_stack_wildcard_overlaps_both)
{
	rig_open_as(OTHER_UID, SOCK_STREAM, "::", 9050, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_FOREIGN);
	ck_assert_int_eq(rig_prove(2).kind, PROOF_FOREIGN);
}
END_TEST

START_TEST(an_ipv6_only_wildcard_leaves_ipv4_alone)
{
	rig_open_as(OTHER_UID, SOCK_STREAM, "::", 9050, true);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	ck_assert_int_eq(rig_prove(2).kind, PROOF_FOREIGN);
}
END_TEST

START_TEST(a_mapped_address_overlaps)
{
	rig_open_as(OTHER_UID, SOCK_STREAM, "::ffff:127.0.0.1", 9050, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_FOREIGN);
}
END_TEST

/* Root may give a socket away: the same inode, another owner. */
START_TEST(a_socket_that_changes_hands_is_noticed)
{
	int fd = rig_open_as(TOR_UID, SOCK_STREAM, "127.0.0.1", 9050, false);

	ck_assert_int_eq(rig_prove(0).kind, PROOF_OK);
	ck_assert_int_eq(fchown(fd, OTHER_UID, OTHER_UID), 0);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_FOREIGN);
	ck_assert_int_eq(fchown(fd, TOR_UID, TOR_UID), 0);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_OK);
}
END_TEST

START_TEST(roots_socket_is_told_apart)
{
	rig_open_as(0, SOCK_STREAM, "127.0.0.1", 9050, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_ROOT);
}
END_TEST

START_TEST(an_address_that_is_not_here_is_no_addr)
{
	struct in_addr elsewhere = { .s_addr = htonl(0xc0000201) };

	rig_policy.listeners[0].addr.v4 = elsewhere; /* 192.0.2.1 */
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_ADDR);
	ck_assert_int_eq(rig_prove(1).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(tors_socket_on_a_lost_address_proves_nothing)
{
	ip("ip address add 10.9.0.1/32 dev lo");
	ck_assert(pol_addr_parse(&rig_policy.listeners[0].addr, "10.9.0.1"));
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	rig_open_as(TOR_UID, SOCK_STREAM, "10.9.0.1", 9050, false);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_OK);
	ip("ip address del 10.9.0.1/32 dev lo");
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_ADDR);
	/* It comes back, and the socket was there all the time. */
	ip("ip address add 10.9.0.1/32 dev lo");
	ck_assert_int_eq(rig_prove(0).kind, PROOF_OK);
	ip("ip address del 10.9.0.1/32 dev lo");
}
END_TEST

START_TEST(an_interfaces_listener_goes_with_its_address)
{
	ip("ip link add eth1 type veth peer name far");
	ip("ip link set eth1 up");
	ip("ip address add 10.9.1.1/32 dev eth1");
	ip("ip address add 10.9.1.2/32 dev lo");
	ck_assert_int_eq(rig_prove(3).kind, PROOF_NO_SOCKET);
	rig_open_as(TOR_UID, SOCK_STREAM, "10.9.1.1", 9050, false);
	ck_assert_int_eq(rig_prove(3).kind, PROOF_OK);
	ip("ip address del 10.9.1.1/32 dev eth1");
	ck_assert_int_eq(rig_prove(3).kind, PROOF_NO_ADDR);
	/* Another interface has it now: it is not eth1's. */
	ip("ip address add 10.9.1.1/32 dev lo");
	ck_assert_int_eq(rig_prove(3).kind, PROOF_NO_ADDR);
	ip("ip address add 10.9.1.3/32 dev eth1");
	ck_assert_int_eq(rig_prove(3).kind, PROOF_NO_SOCKET);
	rig_open_as(TOR_UID, SOCK_STREAM, "10.9.1.3", 9050, false);
	ck_assert_int_eq(rig_prove(3).kind, PROOF_OK);
	ip("ip link del eth1");
	ck_assert_int_eq(rig_prove(3).kind, PROOF_NO_ADDR);
	ip("ip address flush dev lo to 10.9.1.0/24");
}
END_TEST

START_TEST(what_the_caller_does_not_know_yet_is_not_proven)
{
	struct pol_addr told[POL_MAX_IFADDRS] = { 0 };
	struct proof out[NLISTENERS];

	ip("ip link add eth1 type veth peer name far");
	ip("ip address add 10.9.1.1/32 dev eth1");
	rig_open_as(TOR_UID, SOCK_STREAM, "10.9.1.1", 9050, false);
	ck_assert_int_eq(addrs_read(rig_addrs), 1);
	ck_assert_int_eq(sockdiag_prove(rig_diag, out, told), 0);
	ck_assert_int_eq(out[3].kind, PROOF_NO_ADDR);
	ck_assert(pol_addr_parse(&told[0], "10.9.1.9"));
	ck_assert_int_eq(sockdiag_prove(rig_diag, out, told), 0);
	ck_assert_int_eq(out[3].kind, PROOF_NO_ADDR);
	ck_assert(pol_addr_parse(&told[0], "10.9.1.1"));
	ck_assert_int_eq(sockdiag_prove(rig_diag, out, told), 0);
	ck_assert_int_eq(out[3].kind, PROOF_OK);
	ip("ip link del eth1");
}
END_TEST

/* Bound to 127.0.0.1:PORT, beside others that are, but not listening. */
static int
bind_at(uid_t uid, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port), .sin_addr.s_addr =
		htonl(INADDR_LOOPBACK) };
	int fd, one = 1;

	ck_assert_int_eq(setresuid(uid, uid, 0), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof one), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	rig_fds[rig_nfds++] = fd;
	return fd;
}

static int
bind_as(uid_t uid)
{
	return bind_at(uid, 9050);
}

/* It gets no packet, but Tor cannot open its port while that is there. */
START_TEST(who_is_bound_without_listening_is_named)
{
	struct proof p;
	int fd;

	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	fd = bind_as(OTHER_UID);
	p = rig_prove(0);
	if (p.kind == PROOF_NO_SOCKET) {
		printf("left out: this kernel does not show such sockets\n");
		return;
	}
	ck_assert_int_eq(p.kind, PROOF_FOREIGN);
	ck_assert_uint_eq(p.uid, OTHER_UID);
	ck_assert_uint_eq(p.inode, rig_inode_of(fd));
	ck_assert_int_eq(rig_prove(2).kind, PROOF_NO_SOCKET);
	/* Where Tor has its port all the same, that one is no danger to it. */
	ck_assert_int_eq(listen(bind_as(TOR_UID), 1), 0);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_OK);
	rig_close_last();
	ck_assert_int_eq(rig_prove(0).kind, PROOF_FOREIGN);
	rig_close_last();
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
}
END_TEST

/* A connection made from ADDR:PORT by UID, to a socket of its own. */
static int
connect_as(uid_t uid, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(9999) };
	int fd;

	ck_assert_int_ne(rig_open_as(uid, SOCK_STREAM, "127.0.0.1", 9999,
	    false), -1);
	ck_assert_int_eq(seteuid(uid), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_ne(fd, -1);
	rig_fds[rig_nfds++] = fd;
	sin.sin_port = htons(port);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	sin.sin_port = htons(9999);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	return fd;
}

START_TEST(whose_connection_holds_a_port_is_found)
{
	struct proof p;
	int fd;

	(void)bind_at(OTHER_UID, 9051); /* in nobody's way */
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	ck_assert_int_eq(sockdiag_holder(rig_diag, &p, 0), -1);
	fd = connect_as(OTHER_UID, 9050);
	/* It is no listener: only who asks for it is told. */
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	ck_assert_int_eq(sockdiag_holder(rig_diag, &p, 0), 0);
	ck_assert_int_eq(p.kind, PROOF_FOREIGN);
	ck_assert_uint_eq(p.uid, OTHER_UID);
	ck_assert_uint_eq(p.inode, rig_inode_of(fd));
	/* Not of another address, nor of the other protocol. */
	ck_assert_int_eq(sockdiag_holder(rig_diag, &p, 2), -1);
	ck_assert_int_eq(sockdiag_holder(rig_diag, &p, 1), -1);
	/* And the next look is a whole one. */
	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(tors_own_connections_hold_nothing)
{
	struct proof p;

	ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	(void)connect_as(TOR_UID, 9050);
	ck_assert_int_eq(sockdiag_holder(rig_diag, &p, 0), -1);
}
END_TEST

START_TEST(tors_socket_counts_once_it_listens)
{
	int fd = bind_as(TOR_UID);

	for (int again = 0; again < 3; again++)
		ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(rig_prove(0).kind, PROOF_OK);
}
END_TEST

/* Verdicts are kept while nothing changes: each of these is a change. */
START_TEST(no_change_is_overlooked)
{
	struct { uid_t uid; const char *addr; bool v6only;
		enum proof_kind kind; } step[] = {
		{ TOR_UID, "127.0.0.1", false, PROOF_OK },
		{ OTHER_UID, "127.0.0.1", false, PROOF_FOREIGN },
		{ 0, "127.0.0.1", false, PROOF_ROOT },
		{ TOR_UID, "0.0.0.0", false, PROOF_NO_SOCKET },
		{ OTHER_UID, "0.0.0.0", false, PROOF_FOREIGN },
		{ OTHER_UID, "::", true, PROOF_NO_SOCKET },
		{ OTHER_UID, "::", false, PROOF_FOREIGN },
		{ TOR_UID, "::", false, PROOF_NO_SOCKET },
		{ TOR_UID, "127.0.0.1", false, PROOF_OK },
	};

	for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
		ck_assert_int_ne(rig_open_as(step[i].uid, SOCK_STREAM,
		    step[i].addr, 9050, step[i].v6only), -1);
		for (int again = 0; again < 3; again++)
			ck_assert_msg(rig_prove(0).kind == step[i].kind,
			    "step %zu", i);
		rig_close_last();
		if (i % 2 == 0)
			ck_assert_int_eq(rig_prove(0).kind, PROOF_NO_SOCKET);
	}
}
END_TEST

START_TEST(the_owner_of_an_accepted_connection_is_found)
{
	struct sockaddr_in peer, own;
	socklen_t plen = sizeof peer, olen = sizeof own;
	int server = rig_open_as(0, SOCK_STREAM, "127.0.0.1", 9051, false);
	int client = socket(AF_INET, SOCK_STREAM, 0), conn;
	uint32_t uid = 0;

	ck_assert_int_eq(getsockname(server, (struct sockaddr *)&peer,
	    &plen), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&peer, plen), 0);
	ck_assert_int_eq(getsockname(client, (struct sockaddr *)&own, &olen),
	    0);
	/* The listener is root's; who accepts is Tor, as its own user. */
	ck_assert_int_eq(setresuid(TOR_UID, TOR_UID, 0), 0);
	conn = accept(server, NULL, NULL);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_ne(conn, -1);
	ck_assert_int_eq(sockdiag_owner(rig_diag, &uid,
	    (struct sockaddr *)&peer, (struct sockaddr *)&own), 0);
	ck_assert_uint_eq(uid, TOR_UID);
	close(conn);
	/* A listener is no connection, although the kernel finds it. */
	own.sin_port = 1;
	ck_assert_int_eq(sockdiag_owner(rig_diag, &uid,
	    (struct sockaddr *)&peer, (struct sockaddr *)&own), -1);
	ck_assert_int_eq(sockdiag_owner(rig_diag, &uid, (struct sockaddr *)&own,
	    (struct sockaddr *)&own), -1);
	close(client);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sockdiag");
	TCase *tc = tcase_create("sockdiag");
	SRunner *sr;
	int failed;

	if (!rig_enter_namespace()) {
		printf("skipped: needs root for a network namespace\n");
		return SKIPPED;
	}
	tcase_add_checked_fixture(tc, rig_setup, rig_teardown);
	tcase_add_test(tc, nobody_is_no_socket);
	tcase_add_test(tc, tors_own_sockets_are_proven);
	tcase_add_test(tc, another_users_socket_is_foreign);
	tcase_add_test(tc, the_other_protocol_does_not_count);
	tcase_add_test(tc, another_port_or_address_does_not_count);
	tcase_add_test(tc, a_wildcard_of_tor_is_not_the_listener);
	tcase_add_test(tc, a_foreign_wildcard_overlaps);
	tcase_add_test(tc, a_dual_stack_wildcard_overlaps_both);
	tcase_add_test(tc, an_ipv6_only_wildcard_leaves_ipv4_alone);
	tcase_add_test(tc, a_mapped_address_overlaps);
	tcase_add_test(tc, a_socket_that_changes_hands_is_noticed);
	tcase_add_test(tc, roots_socket_is_told_apart);
	tcase_add_test(tc, an_address_that_is_not_here_is_no_addr);
	tcase_add_test(tc, tors_socket_on_a_lost_address_proves_nothing);
	tcase_add_test(tc, an_interfaces_listener_goes_with_its_address);
	tcase_add_test(tc, what_the_caller_does_not_know_yet_is_not_proven);
	tcase_add_test(tc, who_is_bound_without_listening_is_named);
	tcase_add_test(tc, whose_connection_holds_a_port_is_found);
	tcase_add_test(tc, tors_own_connections_hold_nothing);
	tcase_add_test(tc, tors_socket_counts_once_it_listens);
	tcase_add_test(tc, no_change_is_overlooked);
	tcase_add_test(tc, the_owner_of_an_accepted_connection_is_found);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
