/*
 * The gate's decisions.  Time is a number; the kernel is whatever the test
 * says it answered.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/core.h"
#include "tests/unit/gate_rig.h"

static void
want_plain(enum gate_position pos)
{
	const uint64_t seq = req.seq;

	memset(&req, 0, sizeof req);
	req.magic = GATE_MAGIC;
	req.seq = seq;
	req.want = pos;
}

START_TEST(starts_closed)
{
	assert_closed(EPOCH, GATE_WHY_START);
	ck_assert_uint_eq(gate_core_next(&core), UINT64_MAX);
	ck_assert_int_eq(gate_core_tick(&core, UINT64_MAX).act,
	    GATE_ACT_NONE);
}
END_TEST

START_TEST(zeroed_memory_is_closed)
{
	memset(&core, 0, sizeof core);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
	want_open(T0);
	ck_assert_int_ne(ask(T0).act, GATE_ACT_OPEN);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
}
END_TEST

START_TEST(a_good_request_opens_when_confirmed)
{
	want_open(T0);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
	gate_core_opened(&core);
	ck_assert_int_eq(core.pos, GATE_OPEN);
	ck_assert(!core.refused);
	ck_assert_uint_eq(core.epoch, EPOCH);
	ck_assert_uint_eq(gate_core_next(&core), T0 + LEASE * MS);
}
END_TEST

START_TEST(the_same_again_renews)
{
	be_open(T0);
	want_open(T0 + 250 * MS);
	ck_assert_int_eq(ask(T0 + 250 * MS).act, GATE_ACT_RENEW);
	ck_assert_uint_eq(gate_core_next(&core), T0 + (250 + LEASE) * MS);
}
END_TEST

START_TEST(other_listeners_update)
{
	be_open(T0);
	want_open(T0);
	gate_map_set(req.proven, 4);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_UPDATE);
	ck_assert_mem_eq(core.proven, req.proven, sizeof core.proven);
	memset(req.proven, 0, sizeof req.proven);
	gate_map_set(req.proven, 4);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_UPDATE);
	ck_assert(!gate_map_get(core.proven, 3));
}
END_TEST

START_TEST(silence_closes_at_the_lease)
{
	be_open(T0);
	ck_assert_int_eq(gate_core_tick(&core, T0 + LEASE * MS - 1).act,
	    GATE_ACT_NONE);
	ck_assert_int_eq(gate_core_tick(&core, T0 + LEASE * MS).act,
	    GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ENGINE_LATE);
}
END_TEST

START_TEST(silence_ends_tor_only_too)
{
	want_plain(GATE_TOR_ONLY);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_TOR_ONLY);
	ck_assert_int_eq(core.pos, GATE_TOR_ONLY);
	ck_assert_int_eq(ask(T0 + 900 * MS).act, GATE_ACT_TOR_ONLY);
	ck_assert_int_eq(gate_core_tick(&core, T0 + 1000 * MS).act,
	    GATE_ACT_NONE);
	ck_assert_int_eq(gate_core_tick(&core, T0 + 1900 * MS).act,
	    GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ENGINE_LATE);
}
END_TEST

START_TEST(asked_to_close)
{
	be_open(T0);
	want_plain(GATE_CLOSED);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ASKED);
	ck_assert_uint_eq(core.closes, 1);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_NONE);
	ck_assert_uint_eq(core.closes, 1);
	ck_assert_uint_eq(core.epoch, EPOCH + 1);
}
END_TEST

START_TEST(tor_only_closes_clients_and_ends_the_epoch)
{
	be_open(T0);
	want_plain(GATE_TOR_ONLY);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_CLOSE);
	ck_assert_int_eq(core.pos, GATE_TOR_ONLY);
	ck_assert_uint_eq(core.epoch, EPOCH + 1);
	want_open(T0);
	req.epoch = EPOCH;
	ck_assert_int_eq(ask(T0).act, GATE_ACT_CLOSE);
	ck_assert(core.refused);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
}
END_TEST

static void
assert_refused(uint64_t now)
{
	struct gate_decision d = ask(now);

	ck_assert_int_eq(d.act, GATE_ACT_NONE);
	ck_assert(!d.drop_engine);
	ck_assert(core.refused);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
}

START_TEST(another_epoch_is_refused)
{
	static const int64_t off[] = { -1, 1, -700, 1000000 };

	want_open(T0);
	req.epoch += (uint64_t)off[_i];
	assert_refused(T0);
	want_open(T0);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	ck_assert(!core.refused);
}
END_TEST

START_TEST(another_epoch_while_open_closes)
{
	be_open(T0);
	want_open(T0);
	req.epoch--;
	ck_assert_int_eq(ask(T0).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
}
END_TEST

START_TEST(a_proof_lives_as_long_as_the_lease)
{
	want_open(T0);
	ck_assert_int_eq(ask(T0 + LEASE * MS).act, GATE_ACT_OPEN);
	setup();
	want_open(T0);
	assert_refused(T0 + LEASE * MS + 1);
}
END_TEST

START_TEST(a_proof_from_the_future_is_refused)
{
	want_open(T0 + 1);
	assert_refused(T0);
}
END_TEST

START_TEST(a_stale_proof_while_open_closes)
{
	be_open(T0);
	want_open(T0);
	ck_assert_int_eq(ask(T0 + LEASE * MS + 1).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ENGINE_LATE);
}
END_TEST

START_TEST(nothing_proven_is_refused)
{
	want_open(T0);
	memset(req.proven, 0, sizeof req.proven);
	assert_refused(T0);
}
END_TEST

START_TEST(a_sequence_that_does_not_rise_closes)
{
	be_open(T0);
	want_open(T0);
	req.seq = core.seq - (uint64_t)_i;
	ck_assert_int_eq(gate_core_request(&core, &req, sizeof req, T0,
	    0).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
	ck_assert(core.refused);
}
END_TEST

START_TEST(the_first_sequence_may_be_zero)
{
	want_open(T0);
	req.seq = 0;
	ck_assert_int_eq(gate_core_request(&core, &req, sizeof req, T0,
	    0).act, GATE_ACT_OPEN);
}
END_TEST

static void
break_size(struct gate_req *q, size_t *len)
{
	(void)q;
	(*len)--;
}

static void
break_longer(struct gate_req *q, size_t *len)
{
	(void)q;
	(*len)++;
}

static void
break_empty(struct gate_req *q, size_t *len)
{
	(void)q;
	*len = 0;
}

static void
break_magic(struct gate_req *q, size_t *len)
{
	(void)len;
	q->magic ^= 1;
}

static void
break_want(struct gate_req *q, size_t *len)
{
	(void)len;
	q->want = GATE_NWANT;
}

static void
break_permits(struct gate_req *q, size_t *len)
{
	(void)len;
	q->permits = GATE_P_ALL + 1;
}

static void
break_lease(struct gate_req *q, size_t *len)
{
	(void)len;
	q->lease_ms = LEASE + 1;
}

static void
break_first_bit(struct gate_req *q, size_t *len)
{
	(void)len;
	gate_map_set(q->proven, NLISTENERS);
}

static void
break_last_bit(struct gate_req *q, size_t *len)
{
	(void)len;
	gate_map_set(q->proven, POL_MAX_LISTENERS - 1);
}

static void
break_no_such_interface(struct gate_req *q, size_t *len)
{
	(void)len;
	q->ifaddr[NIFADDRS].family = AF_INET;
}

static void
break_ifaddr_family(struct gate_req *q, size_t *len)
{
	(void)len;
	q->ifaddr[0].family = AF_INET6;
}

static void
break_no_family(struct gate_req *q, size_t *len)
{
	(void)len;
	q->ifaddr[0].family = AF_UNIX;
}

static void (*const breakers[])(struct gate_req *q, size_t *len) = {
	break_size, break_longer, break_empty, break_magic, break_want,
	break_permits, break_lease, break_first_bit, break_last_bit,
	break_no_such_interface, break_ifaddr_family, break_no_family,
};
#define NBREAKERS (int)(sizeof breakers / sizeof breakers[0])

START_TEST(no_request_closes_and_drops_the_engine)
{
	struct {
		struct gate_req q;
		uint8_t more;
	} buf = { .more = 0 };
	size_t len = sizeof buf.q;
	struct gate_decision d;

	be_open(T0);
	want_open(T0);
	req.seq = core.seq + 1;
	buf.q = req;
	breakers[_i](&buf.q, &len);
	d = gate_core_request(&core, &buf, len, T0, 0);
	ck_assert_int_eq(d.act, GATE_ACT_CLOSE);
	ck_assert(d.drop_engine);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
	ck_assert(core.refused);
}
END_TEST

START_TEST(no_request_while_closed_drops_the_engine_too)
{
	struct gate_decision d = gate_core_request(&core, "x", 1, T0, 0);

	ck_assert_int_eq(d.act, GATE_ACT_CLOSE);
	ck_assert(d.drop_engine);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
}
END_TEST

START_TEST(a_new_engine_closes_and_starts_an_epoch)
{
	be_open(T0);
	ck_assert_int_eq(gate_core_engine(&core).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ENGINE_GONE);
	ck_assert_int_eq(gate_core_engine(&core).act, GATE_ACT_NONE);
	ck_assert_uint_eq(core.epoch, EPOCH + 2);
	ck_assert_uint_eq(core.closes, 1);
	want_open(T0);
	req.seq = 1; /* its numbers start afresh */
	ck_assert_int_eq(gate_core_request(&core, &req, sizeof req, T0,
	    0).act, GATE_ACT_OPEN);
}
END_TEST

START_TEST(a_silent_engine_is_replaced_once)
{
	struct gate_decision d;

	ck_assert(!gate_core_second(&core).drop_engine); /* none is there */
	(void)gate_core_engine(&core);
	be_open(T0);
	for (uint32_t i = 1; i < gate_core_patience(&core); i++)
		ck_assert(!gate_core_second(&core).drop_engine);
	d = gate_core_second(&core);
	ck_assert(d.drop_engine);
	ck_assert_int_eq(d.act, GATE_ACT_CLOSE);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
	for (uint32_t i = 0; i <= gate_core_patience(&core); i++)
		ck_assert(!gate_core_second(&core).drop_engine);
}
END_TEST

START_TEST(an_engine_that_speaks_is_kept)
{
	(void)gate_core_engine(&core);
	for (uint32_t i = 0; i < 3 * gate_core_patience(&core); i++) {
		want_plain(GATE_CLOSED);
		ck_assert_int_eq(ask(T0).act, GATE_ACT_NONE);
		ck_assert(!gate_core_second(&core).drop_engine);
	}
	(void)gate_core_engine_gone(&core);
	for (uint32_t i = 0; i <= gate_core_patience(&core); i++)
		ck_assert(!gate_core_second(&core).drop_engine);
}
END_TEST

START_TEST(a_silent_engine_is_replaced_while_closed_too)
{
	struct gate_decision d = { .act = GATE_ACT_NONE };
	uint32_t left = gate_core_patience(&core);

	(void)gate_core_engine(&core);
	while (left-- > 0)
		d = gate_core_second(&core);
	ck_assert(d.drop_engine);
	ck_assert_int_eq(d.act, GATE_ACT_NONE); /* there is nothing to close */
	ck_assert_uint_eq(core.closes, 0);
}
END_TEST

/* So many listeners that the map's last octet is full. */
START_TEST(the_listener_behind_the_last_is_no_listener)
{
	core.nlisteners = 8;
	want_open(T0);
	memset(req.proven, 0, sizeof req.proven);
	gate_map_set(req.proven, 5);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	gate_core_opened(&core);
	gate_map_set(req.proven, 8);
	req.seq++;
	ck_assert(ask(T0).drop_engine);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
}
END_TEST

START_TEST(no_interface_is_asked_about_for_a_request_that_will_not_do)
{
	struct pol_addr out[POL_MAX_IFADDRS];

	want_open(T0);
	ck_assert(pol_addr_parse(&req.ifaddr[0], "10.0.0.1"));
	ck_assert(gate_core_asks(&core, &req, sizeof req, out));
	req.lease_ms++; /* a valid one, but not the policy's */
	ck_assert(gate_req_ok(&req));
	ck_assert(!gate_core_asks(&core, &req, sizeof req, out));
	ck_assert(!gate_core_asks(&core, &req, sizeof req - 1, out));
}
END_TEST

START_TEST(an_address_lost_before_the_kernel_confirmed_is_not_open)
{
	want_open(T0);
	ck_assert(pol_addr_parse(&req.ifaddr[0], "10.0.0.1"));
	gate_map_set(req.proven, 6); /* stands on it; number 3 does not */
	gate_map_set(req.proven, 3);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	ck_assert_int_eq(gate_core_gone(&core, 1).act, GATE_ACT_NONE);
	gate_core_opened(&core);
	ck_assert(gate_map_get(core.proven, 3));
	ck_assert(!gate_map_get(core.proven, 6));
	ck_assert_int_eq(core.ifaddr[0].family, 0);
}
END_TEST

START_TEST(patience_is_ten_leases_or_ten_seconds)
{
	core.lease_ms = POL_LEASE_MIN_MS;
	ck_assert_uint_eq(gate_core_patience(&core), 10);
	core.lease_ms = POL_LEASE_MAX_MS;
	ck_assert_uint_eq(gate_core_patience(&core), 100);
}
END_TEST

START_TEST(a_failed_open_is_closed)
{
	want_open(T0);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	ck_assert_int_eq(gate_core_close(&core, GATE_WHY_KERNEL).act,
	    GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_KERNEL);
}
END_TEST

START_TEST(freshness_is_asked_at_the_moment_of_renewal)
{
	be_open(T0);
	ck_assert(gate_core_fresh(&core, T0));
	ck_assert(gate_core_fresh(&core, T0 + LEASE * MS));
	ck_assert(!gate_core_fresh(&core, T0 + LEASE * MS + 1));
	ck_assert(!gate_core_fresh(&core, T0 - 1));
}
END_TEST

/* Invariants 3 and 7 over random requests and ticks. */
START_TEST(random_requests_keep_the_invariants)
{
	const char *given = getenv("PORTCULLIS_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) :
	    (unsigned)_i + 1;
	uint64_t now = T0, epoch = core.epoch;
	struct gate_decision d;

	srandom(seed);
	for (int i = 0; i < 20000; i++) {
		enum gate_position before = core.pos;

		now += (uint64_t)(random() % 400) * MS;
		want_open(now - (uint64_t)(random() % 1200) * MS);
		req.epoch -= random() % 8 == 0;
		req.want = (uint32_t)(random() % (GATE_NWANT + 1));
		if (req.want == GATE_SYNC) {
			memset(req.proven, 0, sizeof req.proven);
			gate_map_set(req.proven, SYNC_LISTENER);
		}
		req.seq = core.seq + (random() % 16 != 0);
		if (req.want != GATE_OPEN && req.want != GATE_SYNC &&
		    random() % 4 != 0)
			want_plain((enum gate_position)(random() % 2));
		d = gate_core_request(&core, &req, sizeof req, now, 0);
		if (d.act >= GATE_ACT_OPEN) {
			ck_assert_msg(req.epoch == core.epoch, "seed %u",
			    seed);
			ck_assert_msg(gate_core_fresh(&core, now), "seed %u",
			    seed);
			gate_core_opened(&core);
			ck_assert_msg(core.pos == req.want, "seed %u", seed);
		}
		if (core.pos < before)
			ck_assert_msg(core.epoch > epoch, "seed %u", seed);
		if (core.pos > GATE_TOR_ONLY)
			ck_assert_msg(!core.refused, "seed %u", seed);
		epoch = core.epoch;
		(void)!gate_core_tick(&core, now).act;
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("gate_core");
	TCase *tc = tcase_create("core");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, starts_closed);
	tcase_add_test(tc, zeroed_memory_is_closed);
	tcase_add_test(tc, a_good_request_opens_when_confirmed);
	tcase_add_test(tc, the_same_again_renews);
	tcase_add_test(tc, other_listeners_update);
	tcase_add_test(tc, silence_closes_at_the_lease);
	tcase_add_test(tc, silence_ends_tor_only_too);
	tcase_add_test(tc, asked_to_close);
	tcase_add_test(tc, tor_only_closes_clients_and_ends_the_epoch);
	tcase_add_loop_test(tc, another_epoch_is_refused, 0, 4);
	tcase_add_test(tc, another_epoch_while_open_closes);
	tcase_add_test(tc, a_proof_lives_as_long_as_the_lease);
	tcase_add_test(tc, a_proof_from_the_future_is_refused);
	tcase_add_test(tc, a_stale_proof_while_open_closes);
	tcase_add_test(tc, nothing_proven_is_refused);
	tcase_add_loop_test(tc, a_sequence_that_does_not_rise_closes, 0, 2);
	tcase_add_test(tc, the_first_sequence_may_be_zero);
	tcase_add_loop_test(tc, no_request_closes_and_drops_the_engine, 0,
	    NBREAKERS);
	tcase_add_test(tc, no_request_while_closed_drops_the_engine_too);
	tcase_add_test(tc, a_new_engine_closes_and_starts_an_epoch);
	tcase_add_test(tc, a_silent_engine_is_replaced_once);
	tcase_add_test(tc, an_engine_that_speaks_is_kept);
	tcase_add_test(tc, a_silent_engine_is_replaced_while_closed_too);
	tcase_add_test(tc, the_listener_behind_the_last_is_no_listener);
	tcase_add_test(tc,
	    no_interface_is_asked_about_for_a_request_that_will_not_do);
	tcase_add_test(tc,
	    an_address_lost_before_the_kernel_confirmed_is_not_open);
	tcase_add_test(tc, patience_is_ten_leases_or_ten_seconds);
	tcase_add_test(tc, a_failed_open_is_closed);
	tcase_add_test(tc, freshness_is_asked_at_the_moment_of_renewal);
	tcase_add_loop_test(tc, random_requests_keep_the_invariants, 0, 8);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(make_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
