/*
 * The choice among hand-made addresses; then the kernel's own, in a network
 * namespace (root, or that part is left out).
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/engine/addrs.h"

#define LO 1
#define ETH0 2
#define ETH1 3
#define MANY (ADDRS_MAX + 40)

static struct addrs_table table;

static struct pol_addr
literal(const char *text)
{
	struct pol_addr a;

	ck_assert(pol_addr_parse(&a, text));
	return a;
}

static void
add(const char *addr, uint32_t ifindex, uint8_t scope, uint32_t flags)
{
	struct addrs_entry *e = &table.entry[table.n++];

	e->addr = literal(addr);
	e->ifindex = ifindex;
	e->scope = scope;
	e->flags = flags;
	e->prefixlen = e->addr.family == AF_INET6 ? 64 :
	    ifindex == LO ? 8 : 24;
}

static void
empty(void)
{
	memset(&table, 0, sizeof table);
}

static bool
here(const char *addr)
{
	struct pol_addr a = literal(addr);

	return addrs_table_here(&table, &a);
}

/* "" for none. */
static const char *
pick(uint32_t ifindex, int family)
{
	static char text[INET6_ADDRSTRLEN];
	struct pol_addr a;

	addrs_table_pick(&a, &table, ifindex, family);
	text[0] = '\0';
	if (a.family != 0)
		pol_addr_format(text, sizeof text, &a);
	return text;
}

START_TEST(an_empty_machine_has_nothing)
{
	ck_assert(!here("127.0.0.1"));
	ck_assert(!here("::1"));
	ck_assert_str_eq(pick(ETH1, AF_INET), "");
	ck_assert_str_eq(pick(ETH1, AF_INET6), "");
	/* The number of an interface that does not exist. */
	ck_assert_str_eq(pick(0, AF_INET), "");
}
END_TEST

START_TEST(an_assigned_address_is_here)
{
	add("10.152.152.10", ETH1, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	add("fd19::10", ETH1, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	ck_assert(here("10.152.152.10"));
	ck_assert(here("fd19::10"));
	ck_assert(!here("10.152.152.11"));
	ck_assert(!here("fd19::11"));
}
END_TEST

START_TEST(the_loopback_network_is_here_as_a_whole)
{
	add("127.0.0.1", LO, RT_SCOPE_HOST, IFA_F_PERMANENT);
	add("10.1.0.1", ETH1, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	add("::1", LO, RT_SCOPE_HOST, IFA_F_PERMANENT);
	ck_assert(here("127.0.0.1"));
	ck_assert(here("127.1.2.3"));
	ck_assert(!here("128.0.0.1"));
	/* Another interface's network is not ours, nor is IPv6 like that. */
	ck_assert(!here("10.1.0.2"));
	ck_assert(here("::1"));
	ck_assert(!here("::2"));
}
END_TEST

START_TEST(a_single_loopback_address_is_one)
{
	add("127.0.0.1", LO, RT_SCOPE_HOST, IFA_F_PERMANENT);
	table.entry[0].prefixlen = 32;
	ck_assert(here("127.0.0.1"));
	ck_assert(!here("127.0.0.2"));
	table.entry[0].prefixlen = 0; /* no shift by 32 */
	ck_assert(here("127.0.0.2"));
}
END_TEST

static const uint32_t not_yet[] = { IFA_F_TENTATIVE, IFA_F_DADFAILED,
	IFA_F_TENTATIVE | IFA_F_OPTIMISTIC };

START_TEST(a_doubtful_address_is_not_here)
{
	add("fd19::10", ETH1, RT_SCOPE_UNIVERSE,
	    IFA_F_PERMANENT | not_yet[_i]);
	ck_assert(!here("fd19::10"));
	ck_assert_str_eq(pick(ETH1, AF_INET6), "");
	/* Unless another interface has it without a doubt. */
	add("fd19::10", ETH0, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	ck_assert(here("fd19::10"));
}
END_TEST

START_TEST(a_deprecated_address_is_here_but_not_chosen)
{
	add("fd19::10", ETH1, RT_SCOPE_UNIVERSE,
	    IFA_F_PERMANENT | IFA_F_DEPRECATED);
	ck_assert(here("fd19::10"));
	ck_assert_str_eq(pick(ETH1, AF_INET6), "");
}
END_TEST

START_TEST(ipv4_is_the_first_primary_global_one)
{
	add("169.254.1.1", ETH1, RT_SCOPE_LINK, IFA_F_PERMANENT);
	add("10.0.0.9", ETH1, RT_SCOPE_UNIVERSE, IFA_F_SECONDARY);
	add("10.0.0.3", ETH0, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	add("10.0.0.1", ETH1, RT_SCOPE_UNIVERSE, 0); /* by DHCP */
	add("10.0.0.2", ETH1, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	ck_assert_str_eq(pick(ETH1, AF_INET), "10.0.0.1");
	ck_assert_str_eq(pick(ETH0, AF_INET), "10.0.0.3");
}
END_TEST

START_TEST(ipv4_of_less_than_global_scope_is_second_best)
{
	add("169.254.1.1", ETH1, RT_SCOPE_UNIVERSE, IFA_F_SECONDARY);
	add("10.0.0.7", ETH1, RT_SCOPE_LINK, IFA_F_PERMANENT);
	ck_assert_str_eq(pick(ETH1, AF_INET), "");
	add("127.0.0.1", LO, RT_SCOPE_HOST, IFA_F_PERMANENT);
	ck_assert_str_eq(pick(LO, AF_INET), "127.0.0.1");
}
END_TEST

START_TEST(ipv6_is_the_first_permanent_global_one)
{
	add("fe80::1", ETH1, RT_SCOPE_LINK, IFA_F_PERMANENT);
	add("2001:db8::1", ETH1, RT_SCOPE_UNIVERSE, 0); /* by SLAAC */
	add("2001:db8::2", ETH1, RT_SCOPE_UNIVERSE,
	    IFA_F_PERMANENT | IFA_F_TEMPORARY);
	add("fd19::10", ETH1, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	add("2001:db8::3", ETH1, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	ck_assert_str_eq(pick(ETH1, AF_INET6), "fd19::10");
	ck_assert_str_eq(pick(ETH1, AF_INET), "");
}
END_TEST

/* ----- the kernel's ------------------------------------------------------ */

static struct pol_policy policy;
static struct addrs *addrs;

static void __attribute__((format(printf, 1, 2)))
ip(const char *fmt, ...)
{
	char command[256];
	va_list ap;
	int n = snprintf(command, sizeof command, "ip ");

	va_start(ap, fmt);
	(void)vsnprintf(command + n, sizeof command - (size_t)n, fmt, ap);
	va_end(ap);
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* pol_policy.ifaddrs: eth1's two, then one of no interface. */
static void
begin(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ip("link set lo up");
	ip("link add eth1 type veth peer name far");
	ip("link set eth1 up");
	ip("link set far up");
	pol_policy_init(&policy);
	policy.ifaddrs[0] = (struct pol_ifaddr){ "eth1", AF_INET };
	policy.ifaddrs[1] = (struct pol_ifaddr){ "eth1", AF_INET6 };
	policy.ifaddrs[2] = (struct pol_ifaddr){ "none0", AF_INET };
	policy.nifaddrs = 3;
	(void)strcpy(policy.internal[0], "none0");
	(void)strcpy(policy.internal[1], "eth1");
	policy.ninternal = 2;
	addrs = addrs_new(&policy);
	ck_assert_ptr_nonnull(addrs);
	/* The links' own late events. */
	(void)!addrs_read(addrs);
}

static void
end(void)
{
	addrs_free(addrs);
}

static bool
is_here(const char *text)
{
	struct pol_addr a = literal(text);

	return addrs_here(addrs, &a);
}

static const char *
of_interface(size_t i)
{
	static char text[INET6_ADDRSTRLEN];
	struct pol_addr a[POL_MAX_IFADDRS];

	addrs_interface(addrs, a);
	text[0] = '\0';
	if (a[i].family != 0)
		pol_addr_format(text, sizeof text, &a[i]);
	return text;
}

START_TEST(the_first_look_sees_what_is_there)
{
	ck_assert(is_here("127.0.0.1"));
	ck_assert(is_here("127.9.9.9"));
	ck_assert(is_here("::1"));
	ck_assert(!is_here("10.152.152.10"));
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++)
		ck_assert_str_eq(of_interface(i), "");
	ck_assert_int_eq(addrs_read(addrs), 0);
}
END_TEST

START_TEST(an_address_that_comes_and_goes_is_seen)
{
	struct pollfd pfd = { addrs_fd(addrs), POLLIN, 0 };
	uint64_t before = addrs_generation(addrs);

	ip("address add 10.152.152.10/18 dev eth1");
	ip("address add fd19::10/64 dev eth1 nodad");
	ck_assert_int_eq(poll(&pfd, 1, 0), 1);
	ck_assert_int_eq(addrs_read(addrs), 1);
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	ck_assert_int_eq(addrs_read(addrs), 0);
	ck_assert_uint_ne(addrs_generation(addrs), before);
	ck_assert(is_here("10.152.152.10") && is_here("fd19::10"));
	ck_assert_str_eq(of_interface(0), "10.152.152.10");
	ck_assert_str_eq(of_interface(1), "fd19::10");
	ck_assert_str_eq(of_interface(2), "");

	ip("address del fd19::10/64 dev eth1");
	ck_assert_int_eq(addrs_read(addrs), 1);
	ck_assert(!is_here("fd19::10"));
	ck_assert_str_eq(of_interface(1), "");
	ck_assert_str_eq(of_interface(0), "10.152.152.10");
}
END_TEST

START_TEST(an_address_under_test_by_the_kernel_is_not_here)
{
	ip("address add fd19::10/64 dev eth1");
	(void)!addrs_read(addrs);
	ck_assert(!is_here("fd19::10"));
	ck_assert_str_eq(of_interface(1), "");
}
END_TEST

START_TEST(a_longer_life_is_no_change)
{
	ip("address add 10.0.0.1/8 dev eth1 valid_lft 100 preferred_lft 50");
	ck_assert_int_eq(addrs_read(addrs), 1);
	ip("address change 10.0.0.1/8 dev eth1 valid_lft 200 "
	    "preferred_lft 60");
	ck_assert_int_eq(addrs_read(addrs), 0);
}
END_TEST

START_TEST(an_interface_goes_by_its_name)
{
	ip("address add 10.0.0.1/8 dev eth1");
	ck_assert_int_eq(addrs_read(addrs), 1);
	ip("link set eth1 down");
	ip("link set eth1 name eth7");
	ck_assert_int_eq(addrs_read(addrs), 1);
	ck_assert_str_eq(of_interface(0), "");
	ck_assert(is_here("10.0.0.1"));
	ip("link set far name none0");
	ip("address add 10.2.0.1/16 dev none0");
	ck_assert_int_eq(addrs_read(addrs), 1);
	ck_assert_str_eq(of_interface(2), "10.2.0.1");
	ip("link del eth7");
	ck_assert_int_eq(addrs_read(addrs), 1);
	ck_assert_str_eq(of_interface(2), "");
	ck_assert(!is_here("10.0.0.1") && !is_here("10.2.0.1"));
}
END_TEST

START_TEST(internal_interfaces_have_all_their_addresses)
{
	struct pol_addr a[8], want[] = { literal("10.0.0.1"),
		literal("10.0.0.2"), literal("fd19::10") };

	ip("address add 10.0.0.1/8 dev eth1");
	ip("address add 10.0.0.2/8 dev eth1");
	ip("address add 203.0.113.5/24 dev far");
	ip("address add fd19::10/64 dev eth1 nodad");
	ck_assert_int_eq(addrs_read(addrs), 1);
	/* Link-local ones come when they like. */
	ck_assert_uint_ge(addrs_internal(addrs, a, 8), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert(pol_addr_equal(&a[i], &want[i]));
	ck_assert_uint_eq(addrs_internal(addrs, a, 2), 2);
	ck_assert(pol_addr_equal(&a[1], &want[1]));
}
END_TEST

/* One process for all: "ip -batch". */
static void
add_many(int n)
{
	FILE *f = popen("ip -batch -", "w");

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < n; i++)
		fprintf(f, "address add 10.8.%d.%d/32 dev eth1\n", i / 256,
		    i % 256);
	ck_assert_int_eq(pclose(f), 0);
}

START_TEST(messages_that_were_lost_are_made_up_for)
{
	int small = 1; /* the kernel's least: a few messages */

	ck_assert_int_eq(setsockopt(addrs_fd(addrs), SOL_SOCKET, SO_RCVBUF,
	    &small, sizeof small), 0);
	add_many(60);
	ck_assert_int_eq(addrs_read(addrs), 1);
	ck_assert(is_here("10.8.0.0") && is_here("10.8.0.59"));
	ck_assert_int_eq(addrs_read(addrs), 0);
}
END_TEST

START_TEST(too_many_are_cut_and_the_rest_is_right)
{
	add_many(MANY);
	ck_assert_int_eq(addrs_read(addrs), 1);
	ck_assert(is_here("127.0.0.1") && is_here("10.8.0.0"));
	ck_assert(!is_here("10.8.4.39"));
	ip("address flush dev eth1");
	ck_assert_int_ge(addrs_read(addrs), 0);
	ck_assert(!is_here("10.8.0.0"));
}
END_TEST

static bool
can_have_namespaces(void)
{
	/* In a child of its own: the next tests begin as we are. */
	return geteuid() == 0 && system("unshare -n true 2>/dev/null") == 0 &&
	    system("unshare -n ip link add eth1 type veth peer name far "
	    "2>/dev/null") == 0;
}

static Suite *
make_suite(void)
{
	Suite *s = suite_create("addrs");
	TCase *pure = tcase_create("table");

	tcase_add_checked_fixture(pure, empty, NULL);
	tcase_add_test(pure, an_empty_machine_has_nothing);
	tcase_add_test(pure, an_assigned_address_is_here);
	tcase_add_test(pure, the_loopback_network_is_here_as_a_whole);
	tcase_add_test(pure, a_single_loopback_address_is_one);
	tcase_add_loop_test(pure, a_doubtful_address_is_not_here, 0,
	    sizeof not_yet / sizeof not_yet[0]);
	tcase_add_test(pure, a_deprecated_address_is_here_but_not_chosen);
	tcase_add_test(pure, ipv4_is_the_first_primary_global_one);
	tcase_add_test(pure, ipv4_of_less_than_global_scope_is_second_best);
	tcase_add_test(pure, ipv6_is_the_first_permanent_global_one);
	suite_add_tcase(s, pure);
	return s;
}

static void
add_kernel_tests(Suite *s)
{
	TCase *tc = tcase_create("kernel");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, the_first_look_sees_what_is_there);
	tcase_add_test(tc, internal_interfaces_have_all_their_addresses);
	tcase_add_test(tc, an_address_that_comes_and_goes_is_seen);
	tcase_add_test(tc, an_address_under_test_by_the_kernel_is_not_here);
	tcase_add_test(tc, a_longer_life_is_no_change);
	tcase_add_test(tc, an_interface_goes_by_its_name);
	tcase_add_test(tc, messages_that_were_lost_are_made_up_for);
	tcase_add_test(tc, too_many_are_cut_and_the_rest_is_right);
	suite_add_tcase(s, tc);
}

int
main(void)
{
	Suite *s = make_suite();
	SRunner *sr = srunner_create(s);
	int failed;

	if (can_have_namespaces())
		add_kernel_tests(s);
	else
		printf("left out: the kernel's part needs root\n");
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
