/*
 * Real sockets of two users in a network namespace of its own.  Needs root
 * (or user namespaces with several users); skipped otherwise.
 */
#include "config.h" /* _GNU_SOURCE */

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/engine/addrs.h"
#include "supervisor/engine/sockdiag.h"

#define TOR_UID 4102
#define OTHER_UID 4103
#define SKIPPED 77
#define MAX_FDS 400
/* More sockets than the kernel describes in one message of 32 KiB. */
#define CROWD 350
#define NLISTENERS 14

static struct pol_policy policy;
static struct addrs *addrs;
static struct sockdiag *diag;
static int fds[MAX_FDS];
static size_t nfds;

static void
add_listener(enum pol_kind kind, const char *addr, uint16_t port)
{
	struct pol_listener *l = &policy.listeners[policy.nlisteners++];

	l->kind = kind;
	l->port = port;
	ck_assert(pol_addr_parse(&l->addr, addr));
}

/*
 * 0: SOCKS on 127.0.0.1:9050; 1: DNS there on 5300; 2: SOCKS on ::1; 3: SOCKS
 * on the IPv4 address of eth1.
 */
static void
setup(void)
{
	pol_policy_init(&policy);
	policy.tor.user.uid = TOR_UID;
	policy.listeners = calloc(NLISTENERS, sizeof *policy.listeners);
	ck_assert_ptr_nonnull(policy.listeners);
	add_listener(POL_SOCKS, "127.0.0.1", 9050);
	add_listener(POL_DNS, "127.0.0.1", 5300);
	add_listener(POL_SOCKS, "::1", 9050);
	add_listener(POL_SOCKS, "0.0.0.0", 9050);
	policy.listeners[3].ifaddr = 1;
	policy.ifaddrs[0] = (struct pol_ifaddr){ "eth1", AF_INET };
	policy.nifaddrs = 1;
	addrs = addrs_new(&policy);
	ck_assert_ptr_nonnull(addrs);
	diag = sockdiag_new(&policy, addrs);
	ck_assert_ptr_nonnull(diag);
}

static void
teardown(void)
{
	while (nfds > 0)
		close(fds[--nfds]);
	sockdiag_free(diag);
	addrs_free(addrs);
	pol_policy_clear(&policy);
}

/* A socket that UID opens; -1 if the address is taken. */
static int
open_as(uid_t uid, int type, const char *addr, uint16_t port, bool v6only)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	bool v6 = strchr(addr, ':') != NULL;
	int fd, one = 1, only = v6only, rc;

	ck_assert_int_eq(setresuid(uid, uid, 0), 0);
	fd = socket(v6 ? AF_INET6 : AF_INET, type, 0);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
	    sizeof one), 0);
	if (v6)
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
		    &only, sizeof only), 0);
	ck_assert_int_eq(inet_pton(v6 ? AF_INET6 : AF_INET, addr, v6 ?
	    (void *)&sin6.sin6_addr : (void *)&sin.sin_addr), 1);
	rc = v6 ? bind(fd, (struct sockaddr *)&sin6, sizeof sin6) :
	    bind(fd, (struct sockaddr *)&sin, sizeof sin);
	if (rc == 0 && type == SOCK_STREAM)
		rc = listen(fd, 1);
	if (rc == -1) {
		close(fd);
		return -1;
	}
	ck_assert_uint_lt(nfds, MAX_FDS);
	fds[nfds++] = fd;
	return fd;
}

static struct proof
prove(size_t i)
{
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	struct proof out[NLISTENERS];

	ck_assert_int_ge(addrs_read(addrs), 0);
	addrs_interface(addrs, ifaddrs);
	ck_assert_int_eq(sockdiag_prove(diag, out, ifaddrs), 0);
	return out[i];
}

static uint64_t
inode_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

/* Close the socket that was opened last. */
static void
close_last(void)
{
	close(fds[--nfds]);
}

static void
ip(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

START_TEST(nobody_is_no_socket)
{
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(prove(i).kind, PROOF_NO_SOCKET);
		ck_assert_uint_eq(prove(i).uid, UINT32_MAX);
	}
	ck_assert_int_eq(prove(3).kind, PROOF_NO_ADDR);
	ck_assert_uint_eq(prove(3).uid, UINT32_MAX);
}
END_TEST

START_TEST(tors_own_sockets_are_proven)
{
	open_as(TOR_UID, SOCK_STREAM, "127.0.0.1", 9050, false);
	open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	open_as(TOR_UID, SOCK_STREAM, "::1", 9050, true);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(prove(i).kind, PROOF_OK);
		ck_assert_uint_eq(prove(i).uid, TOR_UID);
	}
}
END_TEST

START_TEST(another_users_socket_is_foreign)
{
	open_as(OTHER_UID, SOCK_STREAM, "127.0.0.1", 9050, false);
	open_as(OTHER_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	ck_assert_int_eq(prove(0).kind, PROOF_FOREIGN);
	ck_assert_uint_eq(prove(0).uid, OTHER_UID);
	ck_assert_int_eq(prove(1).kind, PROOF_FOREIGN);
	ck_assert_uint_eq(prove(1).uid, OTHER_UID);
	ck_assert_uint_eq(prove(0).inode, inode_of(fds[0]));
	ck_assert_uint_eq(prove(1).inode, inode_of(fds[1]));
}
END_TEST

START_TEST(the_other_protocol_does_not_count)
{
	open_as(OTHER_UID, SOCK_DGRAM, "127.0.0.1", 9050, false);
	open_as(OTHER_UID, SOCK_STREAM, "127.0.0.1", 5300, false);
	ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
	ck_assert_int_eq(prove(1).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(another_port_or_address_does_not_count)
{
	open_as(OTHER_UID, SOCK_STREAM, "127.0.0.1", 9051, false);
	open_as(OTHER_UID, SOCK_STREAM, "127.0.0.2", 9050, false);
	ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(a_wildcard_of_tor_is_not_the_listener)
{
	open_as(TOR_UID, SOCK_STREAM, "0.0.0.0", 9050, false);
	ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(a_foreign_wildcard_overlaps)
{
	open_as(OTHER_UID, SOCK_STREAM, "0.0.0.0", 9050, false);
	ck_assert_int_eq(prove(0).kind, PROOF_FOREIGN);
	ck_assert_int_eq(prove(2).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(a_dual_stack_wildcard_overlaps_both)
{
	open_as(OTHER_UID, SOCK_STREAM, "::", 9050, false);
	ck_assert_int_eq(prove(0).kind, PROOF_FOREIGN);
	ck_assert_int_eq(prove(2).kind, PROOF_FOREIGN);
}
END_TEST

START_TEST(an_ipv6_only_wildcard_leaves_ipv4_alone)
{
	open_as(OTHER_UID, SOCK_STREAM, "::", 9050, true);
	ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
	ck_assert_int_eq(prove(2).kind, PROOF_FOREIGN);
}
END_TEST

START_TEST(a_mapped_address_overlaps)
{
	open_as(OTHER_UID, SOCK_STREAM, "::ffff:127.0.0.1", 9050, false);
	ck_assert_int_eq(prove(0).kind, PROOF_FOREIGN);
}
END_TEST

START_TEST(a_foreign_udp_wildcard_beside_tor_overlaps)
{
	open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	ck_assert_int_eq(prove(1).kind, PROOF_OK);
	/* SO_REUSEPORT asks for one uid, SO_REUSEADDR does not. */
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(5300) };

	ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof one), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof one), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(prove(1).kind, PROOF_FOREIGN);
	ck_assert_uint_eq(prove(1).uid, 0);
	close(fd);
}
END_TEST

static void
crowd(uid_t uid, int n)
{
	while (n-- > 0)
		ck_assert_int_ne(open_as(uid, SOCK_DGRAM, "127.0.0.2", 5300,
		    false), -1);
}

/*
 * A socket that is described in the second of two messages could be passed
 * over: then nobody can say that Tor's is alone.
 */
START_TEST(a_crowd_on_a_udp_port_can_hide_one)
{
	open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	crowd(OTHER_UID, 3);
	ck_assert_int_eq(prove(1).kind, PROOF_OK);
	crowd(OTHER_UID, CROWD);
	for (int again = 0; again < 3; again++) {
		ck_assert_int_eq(prove(1).kind, PROOF_FOREIGN);
		ck_assert_uint_eq(prove(1).uid, OTHER_UID);
		ck_assert_uint_ne(prove(1).inode, 0);
	}
	for (int i = 0; i < CROWD; i++)
		close_last();
	ck_assert_int_eq(prove(1).kind, PROOF_OK);
}
END_TEST

START_TEST(tors_own_crowd_hides_nobody)
{
	open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1", 5300, false);
	crowd(TOR_UID, CROWD);
	ck_assert_int_eq(prove(1).kind, PROOF_OK);
}
END_TEST

/* One dump for each UDP port, and one for all where there are many. */
START_TEST(every_udp_port_is_looked_at)
{
	size_t n = 4;

	sockdiag_free(diag);
	for (; n < NLISTENERS; n++) {
		add_listener(POL_DNS, "127.0.0.1", (uint16_t)(5301 + n));
		diag = sockdiag_new(&policy, addrs);
		ck_assert_ptr_nonnull(diag);
		open_as(TOR_UID, SOCK_DGRAM, "127.0.0.1",
		    (uint16_t)(5301 + n), false);
		open_as(OTHER_UID, SOCK_DGRAM, "::", (uint16_t)(5301 + n),
		    true);
		for (size_t i = 4; i <= n; i++)
			ck_assert_int_eq(prove(i).kind, PROOF_OK);
		ck_assert_int_eq(prove(1).kind, PROOF_NO_SOCKET);
		sockdiag_free(diag);
	}
	diag = sockdiag_new(&policy, addrs);
	/* Dual-stack: as wide as the one before was not. */
	open_as(OTHER_UID, SOCK_DGRAM, "::", 5300, false);
	ck_assert_int_eq(prove(1).kind, PROOF_FOREIGN);
}
END_TEST

START_TEST(roots_socket_is_told_apart)
{
	open_as(0, SOCK_STREAM, "127.0.0.1", 9050, false);
	ck_assert_int_eq(prove(0).kind, PROOF_ROOT);
}
END_TEST

START_TEST(an_address_that_is_not_here_is_no_addr)
{
	struct in_addr elsewhere = { .s_addr = htonl(0xc0000201) };

	policy.listeners[0].addr.v4 = elsewhere; /* 192.0.2.1 */
	ck_assert_int_eq(prove(0).kind, PROOF_NO_ADDR);
	ck_assert_int_eq(prove(1).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(tors_socket_on_a_lost_address_proves_nothing)
{
	ip("ip address add 10.9.0.1/32 dev lo");
	ck_assert(pol_addr_parse(&policy.listeners[0].addr, "10.9.0.1"));
	ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
	open_as(TOR_UID, SOCK_STREAM, "10.9.0.1", 9050, false);
	ck_assert_int_eq(prove(0).kind, PROOF_OK);
	ip("ip address del 10.9.0.1/32 dev lo");
	ck_assert_int_eq(prove(0).kind, PROOF_NO_ADDR);
	/* It comes back, and the socket was there all the time. */
	ip("ip address add 10.9.0.1/32 dev lo");
	ck_assert_int_eq(prove(0).kind, PROOF_OK);
	ip("ip address del 10.9.0.1/32 dev lo");
}
END_TEST

START_TEST(an_interfaces_listener_goes_with_its_address)
{
	ip("ip link add eth1 type veth peer name far");
	ip("ip link set eth1 up");
	ip("ip address add 10.9.1.1/32 dev eth1");
	ip("ip address add 10.9.1.2/32 dev lo");
	ck_assert_int_eq(prove(3).kind, PROOF_NO_SOCKET);
	open_as(TOR_UID, SOCK_STREAM, "10.9.1.1", 9050, false);
	ck_assert_int_eq(prove(3).kind, PROOF_OK);
	ip("ip address del 10.9.1.1/32 dev eth1");
	ck_assert_int_eq(prove(3).kind, PROOF_NO_ADDR);
	/* Another interface has it now: it is not eth1's. */
	ip("ip address add 10.9.1.1/32 dev lo");
	ck_assert_int_eq(prove(3).kind, PROOF_NO_ADDR);
	ip("ip address add 10.9.1.3/32 dev eth1");
	ck_assert_int_eq(prove(3).kind, PROOF_NO_SOCKET);
	open_as(TOR_UID, SOCK_STREAM, "10.9.1.3", 9050, false);
	ck_assert_int_eq(prove(3).kind, PROOF_OK);
	ip("ip link del eth1");
	ck_assert_int_eq(prove(3).kind, PROOF_NO_ADDR);
	ip("ip address flush dev lo to 10.9.1.0/24");
}
END_TEST

START_TEST(what_the_caller_does_not_know_yet_is_not_proven)
{
	struct pol_addr told[POL_MAX_IFADDRS] = { 0 };
	struct proof out[NLISTENERS];

	ip("ip link add eth1 type veth peer name far");
	ip("ip address add 10.9.1.1/32 dev eth1");
	open_as(TOR_UID, SOCK_STREAM, "10.9.1.1", 9050, false);
	ck_assert_int_eq(addrs_read(addrs), 1);
	ck_assert_int_eq(sockdiag_prove(diag, out, told), 0);
	ck_assert_int_eq(out[3].kind, PROOF_NO_ADDR);
	ck_assert(pol_addr_parse(&told[0], "10.9.1.9"));
	ck_assert_int_eq(sockdiag_prove(diag, out, told), 0);
	ck_assert_int_eq(out[3].kind, PROOF_NO_ADDR);
	ck_assert(pol_addr_parse(&told[0], "10.9.1.1"));
	ck_assert_int_eq(sockdiag_prove(diag, out, told), 0);
	ck_assert_int_eq(out[3].kind, PROOF_OK);
	ip("ip link del eth1");
}
END_TEST

/* Bound to 127.0.0.1:9050, beside others that are, but not listening. */
static int
bind_as(uid_t uid)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(9050), .sin_addr.s_addr =
		htonl(INADDR_LOOPBACK) };
	int fd, one = 1;

	ck_assert_int_eq(setresuid(uid, uid, 0), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof one), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	fds[nfds++] = fd;
	return fd;
}

/* It gets no packet, but Tor cannot open its port while that is there. */
START_TEST(who_is_bound_without_listening_is_named)
{
	struct proof p;
	int fd;

	ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
	fd = bind_as(OTHER_UID);
	p = prove(0);
	if (p.kind == PROOF_NO_SOCKET) {
		printf("left out: this kernel does not show such sockets\n");
		return;
	}
	ck_assert_int_eq(p.kind, PROOF_FOREIGN);
	ck_assert_uint_eq(p.uid, OTHER_UID);
	ck_assert_uint_eq(p.inode, inode_of(fd));
	ck_assert_int_eq(prove(2).kind, PROOF_NO_SOCKET);
	/* Where Tor has its port all the same, that one is no danger to it. */
	ck_assert_int_eq(listen(bind_as(TOR_UID), 1), 0);
	ck_assert_int_eq(prove(0).kind, PROOF_OK);
	close_last();
	ck_assert_int_eq(prove(0).kind, PROOF_FOREIGN);
	close_last();
	ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
}
END_TEST

START_TEST(tors_socket_counts_once_it_listens)
{
	int fd = bind_as(TOR_UID);

	for (int again = 0; again < 3; again++)
		ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(prove(0).kind, PROOF_OK);
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
		ck_assert_int_ne(open_as(step[i].uid, SOCK_STREAM,
		    step[i].addr, 9050, step[i].v6only), -1);
		for (int again = 0; again < 3; again++)
			ck_assert_msg(prove(0).kind == step[i].kind,
			    "step %zu", i);
		close_last();
		if (i % 2 == 0)
			ck_assert_int_eq(prove(0).kind, PROOF_NO_SOCKET);
	}
}
END_TEST

START_TEST(the_owner_of_an_accepted_connection_is_found)
{
	struct sockaddr_in peer, own;
	socklen_t plen = sizeof peer, olen = sizeof own;
	int server = open_as(0, SOCK_STREAM, "127.0.0.1", 9051, false);
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
	ck_assert_int_eq(sockdiag_owner(diag, &uid, (struct sockaddr *)&peer,
	    (struct sockaddr *)&own), 0);
	ck_assert_uint_eq(uid, TOR_UID);
	close(conn);
	/* A listener is no connection, although the kernel finds it. */
	own.sin_port = 1;
	ck_assert_int_eq(sockdiag_owner(diag, &uid, (struct sockaddr *)&peer,
	    (struct sockaddr *)&own), -1);
	ck_assert_int_eq(sockdiag_owner(diag, &uid, (struct sockaddr *)&own,
	    (struct sockaddr *)&own), -1);
	close(client);
}
END_TEST

/* Our own namespace with loopback up, or no test at all. */
static bool
enter_namespace(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd, rc;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) == -1)
		return false;
	(void)snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "lo");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	rc = fd == -1 ? -1 : ioctl(fd, SIOCSIFFLAGS, &ifr);
	if (fd != -1)
		close(fd);
	/* In a user namespace with one user there is nobody else to be. */
	if (rc == -1 || setresuid(OTHER_UID, OTHER_UID, 0) == -1)
		return false;
	return setresuid(0, 0, 0) == 0;
}

int
main(void)
{
	Suite *s = suite_create("sockdiag");
	TCase *tc = tcase_create("sockdiag");
	SRunner *sr;
	int failed;

	if (!enter_namespace()) {
		printf("skipped: needs root for a network namespace\n");
		return SKIPPED;
	}
	tcase_add_checked_fixture(tc, setup, teardown);
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
	tcase_add_test(tc, a_foreign_udp_wildcard_beside_tor_overlaps);
	tcase_add_test(tc, a_crowd_on_a_udp_port_can_hide_one);
	tcase_add_test(tc, tors_own_crowd_hides_nobody);
	tcase_add_test(tc, every_udp_port_is_looked_at);
	tcase_add_test(tc, roots_socket_is_told_apart);
	tcase_add_test(tc, an_address_that_is_not_here_is_no_addr);
	tcase_add_test(tc, tors_socket_on_a_lost_address_proves_nothing);
	tcase_add_test(tc, an_interfaces_listener_goes_with_its_address);
	tcase_add_test(tc, what_the_caller_does_not_know_yet_is_not_proven);
	tcase_add_test(tc, who_is_bound_without_listening_is_named);
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
