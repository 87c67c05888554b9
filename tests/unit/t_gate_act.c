/*
 * What the gate does about its own decisions, with a kernel and a clock of
 * the test's: time passes inside a call, as it does when the gate is stopped
 * there, or waits.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/gate/act.h"
#include "supervisor/gate/notify.h"
#include "supervisor/links.h"

#define LEASE 1000u
#define MS UINT64_C(1000000)
#define T0 (UINT64_C(5000) * MS)
#define FAMILIES 2

static struct pol_policy policy;
static struct pol_listener listener;
static struct gate gate;

/* The clock, the leases' ends; until when something else takes the time. */
static struct {
	uint64_t now, ends[FAMILIES];
	uint64_t before_beat[FAMILIES], in_open, after_beat;
	unsigned beats, closes;
} w;

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_heart_beat(const struct heart *h, int family,
    enum heart_side side);
int __wrap_kern_open(struct kern *k, const uint8_t *map,
    const struct pol_addr *ifaddr, enum pol_set_id lease, bool begin);
int __wrap_kern_close(struct kern *k, bool all);
int __wrap_kern_clear_proven(struct kern *k);
int __wrap_kern_read_held(struct kern *k, struct kern_held *out);
void __wrap_notify_send(const char *text);
int __wrap_link_ask(enum link_peer restart, enum link_hold hold);

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_BOOTTIME)
		return __real_clock_gettime(id, ts);
	ts->tv_sec = (time_t)(w.now / (1000 * MS));
	ts->tv_nsec = (long)(w.now % (1000 * MS));
	return 0;
}

/* The rule looks the lease up first, then refreshes it. */
int
__wrap_heart_beat(const struct heart *h, int family, enum heart_side side)
{
	const size_t i = family == AF_INET6;

	(void)h;
	ck_assert_int_eq(side, HEART_GATE);
	w.beats++;
	w.now += w.before_beat[i];
	if (w.now >= w.ends[i])
		return -EPERM;
	w.ends[i] = w.now + LEASE * MS;
	w.now += w.after_beat;
	return 0;
}

int
__wrap_kern_open(struct kern *k, const uint8_t *map,
    const struct pol_addr *ifaddr, enum pol_set_id lease, bool begin)
{
	(void)k;
	(void)map;
	(void)ifaddr;
	ck_assert_int_eq(lease, POL_S_GATE);
	w.now += w.in_open;
	if (begin)
		w.ends[0] = w.ends[1] = w.now + LEASE * MS;
	return 0;
}

int
__wrap_kern_close(struct kern *k, bool all)
{
	(void)k;
	(void)all;
	w.closes++;
	memset(w.ends, 0, sizeof w.ends);
	return 0;
}

int
__wrap_kern_clear_proven(struct kern *k)
{
	(void)k;
	return 0;
}

int
__wrap_kern_read_held(struct kern *k, struct kern_held *out)
{
	(void)k;
	memset(out, 0, sizeof *out);
	out->gate.live4 = w.ends[0] > w.now;
	out->gate.live6 = w.ends[1] > w.now;
	return 0;
}

void
__wrap_notify_send(const char *text)
{
	(void)text;
}

int
__wrap_link_ask(enum link_peer restart, enum link_hold hold)
{
	(void)restart;
	(void)hold;
	return 0;
}

static void
setup(void)
{
	memset(&w, 0, sizeof w);
	memset(&gate, 0, sizeof gate);
	w.now = T0;
	policy.lease_ms = LEASE;
	policy.nlisteners = 1;
	policy.listeners = &listener;
	gate.policy = &policy;
	gate.engine_fd = -1;
	gate.kern.gate4 = gate.kern.gate6 = true;
	gate_core_init(&gate.core, &policy, 1);
}

/* A request to open, proven AGE_MS ago. */
static void
ask(uint64_t age_ms)
{
	struct gate_req q = { .magic = GATE_MAGIC, .want = GATE_OPEN,
		.seq = gate.core.seq + 1, .epoch = gate.core.epoch,
		.proof_ns = w.now - age_ms * MS, .lease_ms = LEASE };

	gate_map_set(q.proven, 0);
	(void)!act_request(&gate, &q, sizeof q); /* nobody to be told */
}

static void
be_open(void)
{
	ask(0);
	ck_assert_int_eq(gate.core.pos, GATE_OPEN);
	ck_assert_uint_gt(w.ends[0], w.now);
	w.now += LEASE / 4 * MS;
}

static void
assert_closed(enum gate_reason why)
{
	ck_assert_int_eq(gate.core.pos, GATE_CLOSED);
	ck_assert_int_eq(gate.core.why, why);
	ck_assert_uint_eq(w.closes, 1);
	ck_assert_uint_eq(w.ends[0], 0);
	ck_assert_uint_eq(w.ends[1], 0);
}

START_TEST(each_request_renews_both_families)
{
	be_open();
	ask(0);
	ck_assert_int_eq(gate.core.pos, GATE_OPEN);
	ck_assert_uint_eq(w.beats, 2);
	ck_assert_uint_eq(w.ends[0], w.now + LEASE * MS);
	ck_assert_uint_eq(w.ends[1], w.now + LEASE * MS);
}
END_TEST

/* The lease still lived when it went out, so the kernel renewed it. */
START_TEST(a_heartbeat_that_went_out_too_late_closes)
{
	be_open();
	w.before_beat[_i] = 500 * MS;
	ask(LEASE - 499);
	ck_assert_uint_eq(w.beats, _i == 0 ? 1 : 2);
	assert_closed(GATE_WHY_ENGINE_LATE);
}
END_TEST

/* ... by a nanosecond, in the sending itself or after it. */
START_TEST(the_last_moment_is_the_leases)
{
	be_open();
	w.after_beat = 250 * MS + (uint64_t)_i;
	ask(LEASE - 500);
	if (_i == 0)
		ck_assert_int_eq(gate.core.pos, GATE_OPEN);
	else
		assert_closed(GATE_WHY_ENGINE_LATE);
}
END_TEST

START_TEST(a_lapsed_lease_is_not_renewed)
{
	be_open();
	w.before_beat[0] = LEASE * MS;
	ask(0);
	assert_closed(GATE_WHY_LEASE_LAPSED);
}
END_TEST

START_TEST(a_commit_that_waited_too_long_is_taken_back)
{
	w.in_open = 500 * MS;
	ask(LEASE - 500);
	ck_assert_int_eq(gate.core.pos, GATE_OPEN);
	act_close(&gate, GATE_WHY_ASKED);
	w.closes = 0;
	ask(LEASE - 499);
	assert_closed(GATE_WHY_ENGINE_LATE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gate_act");
	TCase *tc = tcase_create("gate_act");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, each_request_renews_both_families);
	tcase_add_loop_test(tc, a_heartbeat_that_went_out_too_late_closes, 0,
	    FAMILIES);
	tcase_add_loop_test(tc, the_last_moment_is_the_leases, 0, 2);
	tcase_add_test(tc, a_lapsed_lease_is_not_renewed);
	tcase_add_test(tc, a_commit_that_waited_too_long_is_taken_back);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
