/*
 * What stands when nobody of ours runs: the boot and guard tables, the
 * barriers besides them, a second supervisor, established flows, the names'
 * lease, and what the status process says.  Four slices; in each the gate is
 * any gate at all: while it lives it may open, renew and close at any moment.
 */

#ifdef BARRIERS
/*
 * Keeper and gate; the boot table, held by the keeper (Linux >= 6.9) and
 * persistent; the routing rule; forwarding switched off.
 */
bool keeper_alive = true, boot = true, held = true, routes = true;
bool gate_alive, forward, lease;
bool opened_by_second;
byte faults;	/* of the adversary's, up to two */
byte second;	/* a second portcullisd */
#define X_NONE 0
#define X_TRIES 1
#define X_RUNS 2

/* From the internal side to the external one, never through Tor. */
#define leaks (!boot && !routes && forward)
/* To a listener: let through by a lease, or by nobody being there. */
#define table_lets (gate_alive && lease)
#define enters (table_lets || !boot)
#define holds (held && !BROKEN(20))
#define fault UP(faults, 2)

inline check()
{
	PROP(1, faults > 2 || !leaks);
	/* A service that was stopped on purpose holds nothing any more. */
	PROP(2, faults > 1 || table_lets || !enters || !keeper_alive);
	PROP(4, gate_alive || !table_lets);
	PROP(10, !opened_by_second && !(second == X_RUNS && keeper_alive));
	/* each barrier alone is what holds; a third fault would be one */
	WITNESSES(NOT_YET(30, !boot && !routes && !forward) &&
	    NOT_YET(31, !boot && routes && forward) &&
	    NOT_YET(32, boot && !routes && forward) &&
	    NOT_YET(33, second == X_TRIES && keeper_alive && holds) &&
	    NOT_YET(34, !gate_alive && keeper_alive && boot))
}

/* The gate goes; BROKEN: what it put there drops goes with it. */
inline gate_ends()
{
	gate_alive = false;
	lease = false;
	if
	:: BROKEN(1) -> boot = false; routes = false
	:: else -> skip
	fi
}

active proctype Ours()
{
	do
	:: d_step { keeper_alive && !gate_alive -> gate_alive = true;
		check() }
	:: d_step { gate_alive && !lease -> lease = true; check() }
	:: d_step { gate_alive && lease -> lease = false; check() }
	/* stopped on purpose: closed, and everything else stays */
	:: d_step { keeper_alive -> keeper_alive = false; gate_ends();
		held = false; check() }
	/* started again: anchor_claim(), anchor_drop(), the gate's start */
	:: d_step { !keeper_alive && second != X_RUNS ->
		keeper_alive = true; boot = true; held = true;
		routes = true; check() }
	/* what the gate looks at each second */
	:: d_step { gate_alive && !routes -> routes = true; check() }
	od
}

active proctype Other()
{
	do
	:: d_step { second == X_NONE -> second = X_TRIES; check() }
	/* The table is somebody's: say so and exit. */
	:: d_step { second == X_TRIES && holds && !BROKEN(10) ->
		second = X_NONE; check() }
	:: d_step { second == X_TRIES && (!holds && !keeper_alive ||
	    BROKEN(10)) -> second = X_RUNS; boot = true; check() }
	:: d_step { second == X_RUNS -> opened_by_second = keeper_alive;
		check(); opened_by_second = false; second = X_NONE }
	od
}

active proctype Foe()
{
	do
	/* nft flush ruleset: passes by what is owned */
	:: d_step { faults < 2 && !holds && boot -> boot = false; fault;
		check() }
	:: d_step { faults < 2 && routes -> routes = false; fault; check() }
	:: d_step { faults < 2 && !forward -> forward = true; fault;
		check() }
	:: d_step { faults < 2 && gate_alive -> gate_ends(); fault;
		check() }
	/* PR_SET_PDEATHSIG takes the gate along */
	:: d_step { faults < 2 && keeper_alive -> keeper_alive = false;
		gate_ends(); held = false; fault; check() }
	od
}
#endif

#ifdef STATUS
/*
 * Kernel -> gate's read-back -> engine -> status process; each may be slow,
 * and the read-back may fail.
 */
#define GATE_MAX 3	/* STATUS_GATE_MAX_NS */
#define SNAP_MAX 2	/* STATUS_SNAP_MAX_NS */
bool k_open, wish;	/* what the kernel holds; what the gate meant */
bool p_n, p_open, p_known; /* a report on its way */
byte p_age;
bool e_open, e_known;	/* the engine's last one */
byte e_age;
bool s_open, s_known;	/* in the status process's snapshot */
byte s_age, s_snap;
byte h_closed;		/* ghost: since the kernel was last closed */

#define sure ((s_age <= GATE_MAX && s_snap <= SNAP_MAX) || BROKEN(6))
#define says_closed (sure && (s_known || BROKEN(22)) && !s_open)

inline check()
{
	PROP(6, !says_closed || h_closed <= GATE_MAX);
	PROP(16, !says_closed || s_known);
	WITNESSES(NOT_YET(35, says_closed && h_closed == GATE_MAX) &&
	    NOT_YET(36, sure && !s_known))
}

active proctype Gate()
{
	do
	:: d_step { wish -> k_open = true; check() }
	:: d_step { !wish -> k_open = false; h_closed = 0; check() }
	:: d_step { wish -> wish = false }
	:: d_step { !wish -> wish = true }
	:: d_step { !p_n -> p_n = true; p_known = true; p_age = 0;
		p_open = (BROKEN(21) -> wish : k_open) }
	:: d_step { !p_n -> p_n = true; p_known = false; p_age = 0;
		p_open = false }
	od
}

active proctype Engine()
{
	do
	:: d_step { p_n -> p_n = false; e_open = p_open; e_known = p_known;
		e_age = p_age; p_age = 0; p_open = false; p_known = false }
	od
}

active proctype Status()
{
	do
	:: d_step { true -> s_open = e_open; s_known = e_known;
		s_age = e_age; s_snap = 0; check() }
	/* the link ends: what the old one said is void */
	:: d_step { s_known -> s_known = false; s_open = false;
		s_snap = SNAP_MAX + 1; check() }
	od
}

active proctype Clock()
{
	do
	:: d_step { true ->
		if
		:: p_n -> UP(p_age, (GATE_MAX + 1))
		:: else -> skip
		fi;
		UP(e_age, (GATE_MAX + 1)); UP(s_age, (GATE_MAX + 1));
		UP(s_snap, (SNAP_MAX + 1));
		if
		:: k_open -> UP(h_closed, (GATE_MAX + 1))
		:: else -> h_closed = 0
		fi;
		check() }
	od
}
#endif

#ifdef FLOWS
/* The lease of both families, and the clients' entries in conntrack. */
byte lease4, lease6;
bool flow, closed = true, purged;	/* since the last opening */

inline check()
{
	PROP(5, !closed || (lease4 == 0 && lease6 == 0));
	PROP(15, !(closed && purged) || !flow);
	WITNESSES(NOT_YET(37, !closed && lease4 == 0 && lease6 > 0) &&
	    NOT_YET(38, closed && !purged && flow))
}

/* A list of deletes is one transaction: what has expired aborts it. */
inline flush()
{
	if
	:: BROKEN(5) && (lease4 == 0 || lease6 == 0) -> skip
	:: else -> lease4 = 0; lease6 = 0
	fi;
	closed = true
}

active proctype Gate()
{
	do
	:: d_step { closed -> closed = false; purged = false; lease4 = L;
		lease6 = L; check() }
	/* two heartbeats, of which the second may be late */
	:: d_step { lease4 > 0 -> lease4 = L; check() }
	:: d_step { lease6 > 0 -> lease6 = L; check() }
	:: d_step { !closed && !BROKEN(23) -> flush(); check() }
	:: d_step { closed && !purged && !BROKEN(23) -> purged = true;
		flow = false; check() }
	:: d_step { !closed && !purged && BROKEN(23) -> purged = true;
		flow = false; check() }
	:: d_step { !closed && purged && BROKEN(23) -> flush(); check() }
	od
}

active proctype World()
{
	do
	:: d_step { lease4 > 0 || lease6 > 0 ->
		lease4 = (lease4 > 0 -> lease4 - 1 : 0);
		lease6 = (lease6 > 0 -> lease6 - 1 : 0); check() }
	/* a client's packet */
	:: d_step { lease4 > 0 && !flow -> flow = true; check() }
	od
}
#endif

#ifdef NAMES
/* The lease of GATE_P_LOOKUP, and packets to port 53 of whomever. */
#define U_RESOLVER 0
#define U_TOR 1
#define U_OTHER 2
byte look, h_asked;	/* left; ghost: since it was asked for */
bool wanted, alive;	/* networking is enabled; the engine lives */
byte uid, passed_uid;
bool configured, passed_configured, passed;

#define lets_dns (look > 0 && (uid == U_RESOLVER || BROKEN(9)) && configured)

inline check()
{
	WITNESSES(NOT_YET(39, passed && h_asked == L - 1) &&
	    NOT_YET(40, look > 0 && uid == U_TOR && configured) &&
	    NOT_YET(41, look > 0 && uid == U_RESOLVER && !configured));
	PROP(9, !passed || (passed_uid == U_RESOLVER && passed_configured &&
	    h_asked < L));
	passed = false
}

active proctype Engine()
{
	do
	:: d_step { alive && wanted -> look = L; h_asked = 0; check() }
	:: d_step { alive && !wanted -> look = 0; check() }
	:: d_step { alive -> alive = false; check() }
	:: d_step { !alive -> alive = true; wanted = false; check() }
	:: d_step { alive && !wanted -> wanted = true; check() }
	od
}

active proctype World()
{
	do
	:: d_step { h_asked <= L || look > 0 ->
		look = (look == 0 || BROKEN(24) -> look : look - 1);
		UP(h_asked, (L + 1)); check() }
	:: d_step { uid < U_OTHER -> uid++ }
	:: d_step { uid > 0 -> uid-- }
	:: d_step { configured -> configured = false }
	:: d_step { !configured -> configured = true }
	:: d_step { lets_dns -> passed = true; passed_uid = uid;
		passed_configured = configured; check() }
	od
}
#endif
