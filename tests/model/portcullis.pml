/*
 * Portcullis as a model: who may do what at which moment, searched to its
 * end.  For spin(1); run by run.sh, "make model-full" with larger bounds.
 *
 * How to read it.  core.pml is what is remembered (variables: k_ kernel, g_
 * gate, q_ engine to gate, p_ gate to engine, e_ f_ c_ r_ engine, t_ n_ Tor,
 * h_ ghosts, which only the properties look at) and what happens, as inlines
 * named after the functions of supervisor/ that they stand for.  steps.pml is
 * when: processes whose steps are atomic, each with a guard.  Between two
 * steps anybody may be as slow as it likes, which is what SIGSTOP, a hang, a
 * full processor and delayed messages are.  walls.pml is what stands besides.
 *
 * Time is relative: a tick makes everything that is known older by one, up to
 * where it makes no difference any more; a lease is L ticks.  Epochs are
 * distances from the gate's, sequence numbers "is a repeat of"; so nothing
 * counts up, and the search ends although the runs do not.
 *
 * One search of everything at once is too large for each day: run.sh makes
 * slices, by -D flags.  WITH_TOR: Tor dies, lies, falls silent; WITH_CONF: its
 * options drift, reload; WITH_B: a second listener, which another uid takes;
 * WITH_DEATHS: gate and engine die, the engine sends garbage; WITH_HOLD;
 * REPLAYS: requests are repeated; SPLIT: the gate may be stopped inside its
 * turn, too; SUSPEND; PROMPT: no message between engine and gate takes as
 * long as a tick; LIVE: at some time all faults end (liveness).  TRACE prints
 * what happens for replay.c, all of it at once, at random.
 *
 * Properties, PROP(n, ...), and what they say of design.md, section 9:
 *
 *  1  inv. 1   internal to external: barriers; no two faults are enough.
 *              Single packets: tests/leak, tests/it/holes_*.sh, routes.sh.
 *  2  inv. 2   let through: only by lease and proven element, or, the table
 *              gone, after two faults; a stopped service and a flush are one
 *  3  inv. 3   renewed on a proof no older than the lease, so that nothing
 *              gets through on one of two leases.  If the gate is stopped
 *              between its last look at the clock and sendto(2), or in a
 *              commit (SPLIT), then what that renewed or began is taken back
 *              by its very next step; and if it is stopped again before that
 *              one, ends with the lease (4).  So for clients, too (14).
 *  4  inv. 4   the gate dead: closed; not run for a lease: closed
 *  5  inv. 5   after a close nothing is held, of either family, whatever had
 *              expired.  "Allocates nothing, O(1)": tests/bench/close.sh,
 *              supervisor/gate is linked without malloc's callers there
 *  6  inv. 6   told closed: it was so by a read-back within its bound;
 * 16           a failed read-back is told as unknown
 *  7  inv. 7   what was asked for before the last close never opens
 *  8  inv. 8   garbage from the engine closes.  Other input, which has no
 *              shape here: tests/fuzz, tests/it/bad_input.sh
 *  9  inv. 9   DNS: resolver's uid, configured place, within a lease of being
 *              asked for.  Which names: tests/unit, fuzz_names, it/names.sh
 * 10  inv. 10  a second supervisor never has the table of a living one
 * 11  lease    a heartbeat never revives one that has lapsed
 * 12  hold     after hold no engine asks for open, whichever dies, until
 *              release
 * 13  seq      a listener that the newest request lacks is not let through
 * 14  truth    nothing gets through two leases after Tor last could show
 *              that it is good, listener B is its own
 * 15  flows    closed and purged: no flow of a client is left
 * reopens      LTL: once faults end and Tor is good, it opens and stays open
 * closes       LTL: a request to close that was sent is followed by closed
 *
 * Not in here: position SYNC (t_gate_core, fuzz_engine, it/gate_sync.sh),
 * addresses of interfaces (it/gate_address.sh), relay lists (gate_relays.sh),
 * how SETCONF repairs (scenario/, it/drift.sh), the heartbeats' two families
 * (but slice flows), the bounds of LINK, USABLE, TIME and FREE (t_facts).
 *
 * BROKEN(n) are mistakes, one for each mechanism, which the environment
 * switches on; run.sh has the list, and which property must find which.
 * WITNESS(n, ...) has to be reachable: a property is worth nothing where what
 * it is about never happens.
 *
 * To add an event: a d_step in steps.pml, guarded by CALM_NOT if it is a
 * fault; if the code decides something then, SAY2() it, add the word to
 * the list below and a function of that name to replay.c.  New variables are
 * to have one value while they mean nothing: each stray one doubles a search.
 */

#ifdef TRACE
#define BROKEN(n) false
#define PROP(n, e) skip
#define WITNESS(n, e) skip
#define WITNESSES(all) skip
#else
c_decl {
	static int broken, property, witness;
	__attribute__((constructor)) static void
	read_environment(void)
	{
		const char *b = getenv("BROKEN"), *p = getenv("PROPERTY");
		const char *w = getenv("WITNESS");

		broken = b != NULL ? atoi(b) : 0;
		property = p != NULL ? atoi(p) : 0;
		witness = w != NULL ? atoi(w) : 0;
	}
}
#define BROKEN(n) (c_expr { broken == n })
#define PROP(n, e) assert((c_expr { property != 0 && property != n }) || (e))
/* What has to happen, too: to be found as if it were an error. */
#define NOT_YET(n, e) ((c_expr { witness != n }) || !(e))
#define WITNESS(n, e) assert(NOT_YET(n, e))
#define WITNESSES(all) assert((c_expr { witness == 0 }) || (all))
#endif
#ifndef L
#define L 2
#endif
#ifndef CONFMAX
#define CONFMAX (L + 1)
#endif
#ifndef EPMAX
#define EPMAX 1
#endif
#ifndef QN
#define QN 2
#endif

#define UP(x, most) x = (x < most -> x + 1 : x)

#ifdef TRACE
mtype = { T_act, T_close, T_conf, T_core, T_dead, T_die, T_engine, T_fresh,
	T_garbage, T_gate, T_gone, T_hold, T_lose, T_lost, T_new, T_opened,
	T_pos, T_probe, T_reload, T_renew, T_replay, T_req, T_silent, T_sm,
	T_tick, T_time, T_use };
#define SAY2(what, x, y) printf("@ %e %d %d\n", T_##what, x, y)
#define SAY5(what, x, y, z, u, v) \
	printf("@ %e %d %d %d %d %d\n", T_##what, x, y, z, u, v)
#else
#define SAY2(what, x, y) skip
#define SAY5(what, x, y, z, u, v) skip
#endif

/* enum gate_position, without SYNC */
#define P_CLOSED 0
#define P_TOR_ONLY 1
#define P_OPEN 3
#define P_GARBAGE 4	/* no request at all */
/* enum gate_reason */
#define WHY_ASKED 1
#define WHY_GONE 2
#define WHY_LATE 3
#define WHY_BAD 4
#define WHY_LAPSED 5
/* enum gate_act */
#define A_OPEN 5
#define A_UPDATE 6
#define A_RENEW 7
/* where the gate stands in carrying out an OPEN */
#define G_IDLE 0
#define G_DECIDED 1
#define G_COMMITTED 2
#define G_BEAT 3
#define G_UPDATE 4
#define G_BEATEN 5
/* The next step looks at the clock: the gate may be stopped before it. */
#define unlooked (g_pc == G_COMMITTED || g_pc == G_BEATEN)
/* enum sm_state, its edges in one step where nothing can come between */
#define SM_BACKOFF 6
#define SM_AUTH 2
#define SM_CONFIGURE 4
#define SM_WATCH 5
/* enum sm_event */
#define EV_START 0
#define EV_LINK_UP 1
#define EV_LINK_LOST 2
#define EV_AUTH_OK 3
#define EV_SETUP_OK 4
#define EV_CONF_OK 5
#define EV_CONF_BAD 6

#define R_NONE 0
#define R_PROBE 1
#define R_CONF 2
#define LK_NONE 0
#define LK_NEW 1
#define LK_UP 2
#define LK_LOST 3
#define HS_NONE 0
#define HS_SET 1
#define HS_STRIKE 2

#define PROOFMAX (2 * L)
#define TRUEMAX (2 * L)

#if defined(LIVE) || defined(TRACE)
#define TIMERS
#endif
#ifdef WITH_CONF
#define need_conf true
#else
#define need_conf false
#endif
#ifdef WITH_CONF
#define RMAX (CONFMAX + 1)
#else
#define RMAX (L + 1)
#endif
#if defined(TRACE)
bool mischief;
byte lull = 20;	/* ticks until the next mischief */
#define CALM_NOT mischief &&
#elif defined(LIVE)
#define CALM_NOT !calm &&
#else
#define CALM_NOT
#endif

#if defined(BARRIERS) || defined(STATUS) || defined(FLOWS) || defined(NAMES)
#include "walls.pml"
#else
#include "core.pml"
#include "steps.pml"
#endif

#ifdef LIVE
#define close_sent (q_n > 0 && q_want[0] < P_OPEN || \
	q_n > 1 && q_want[1] < P_OPEN)
/* Once nothing disturbs any more and Tor is good, it opens and stays so. */
ltl reopens { [] (calm -> <> [] accepts_a) }
ltl closes { [] (close_sent -> <> !accepts) }
#endif
