#include "config.h"

#include "tests/it/relays_rig.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/log.h"

#define SKIPPED 77

static struct pol_listener listener;
struct pol_policy policy;
struct kern kern;
struct heart heart;
struct gate_relays page;
uint64_t longest_ns;

void
setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(system("ip link set lo up"), 0);
	pol_policy_init(&policy);
	policy.listeners = &listener;
	policy.nlisteners = 1;
	policy.lease_ms = LEASE_MS;
	policy.ninternal = policy.nexternal = 1;
	policy.tor.strict_egress = true;
	policy.gate_user.uid = 4242;
	strcpy(policy.internal[0], "int0");
	strcpy(policy.external[0], "ext0");
	ck_assert(pol_addr_parse(&listener.addr, "10.152.152.10"));
	listener.kind = POL_SOCKS;
	listener.port = 9050;
	ck_assert_int_eq(heart_open(&heart, policy.gate_user.uid), 0);
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	ck_assert_int_eq(install_tables(&kern, true), 0);
	longest_ns = 0;
}

void
teardown(void)
{
	install_clear(&kern);
}

uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * NS_PER_MS + (uint64_t)ts.tv_nsec;
}

struct gate_relay
relay(uint32_t i, uint32_t n4, uint8_t salt)
{
	struct gate_relay r = { .port = (uint16_t)(9001 + i % 7) };

	if (i < n4) {
		memcpy(r.addr, (uint8_t[]){ 100, salt, (uint8_t)(i >> 8),
		    (uint8_t)i }, 4);
		return r;
	}
	r.v6 = 1;
	memcpy(r.addr, (uint8_t[]){ 0x20, 1, 0xd, 0xb8, salt }, 5);
	r.addr[14] = (uint8_t)((i - n4) >> 8);
	r.addr[15] = (uint8_t)(i - n4);
	return r;
}

void
make_page(uint32_t generation, uint32_t first, uint32_t n4, uint32_t n6)
{
	const uint32_t left = n4 + n6 - first;

	memset(&page, 0, sizeof page);
	page.magic = GATE_RELAYS_MAGIC;
	page.generation = generation;
	page.total = n4 + n6;
	page.first = first;
	page.n = left < GATE_RELAYS_PAGE ? left : GATE_RELAYS_PAGE;
	for (uint32_t i = 0; i < page.n; i++)
		page.pair[i] = relay(first + i, n4, (uint8_t)generation);
	ck_assert(gate_relays_ok(&page));
}

void
take_time(uint64_t since)
{
	if (now_ns() - since > longest_ns)
		longest_ns = now_ns() - since;
}

void
put_page(void)
{
	const uint64_t since = now_ns();

	relays_page(&kern, &page);
	take_time(since);
}

int
run(Suite *s)
{
	SRunner *sr;
	int failed;

	log_init("test", LOG_LV_ERR);
	if (geteuid() != 0 || unshare(CLONE_NEWNET) == -1 ||
	    system("nft --version >/dev/null && ip -V >/dev/null") != 0) {
		printf("needs root, for network namespaces, nft and ip\n");
		return SKIPPED;
	}
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
