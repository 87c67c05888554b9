/*
 * Who may do what, and when: the processes of portcullis.pml, which includes
 * this.  Each step is atomic; between two of them anybody may be stopped for
 * any time, which is what SIGSTOP, a slow disk and suspend amount to.
 */

#ifdef SPLIT
#define carry_out skip
#else
/* Within one turn of its loop, of some microseconds, nothing comes between. */
#define carry_out \
	if \
	:: g_pc == G_UPDATE -> update() \
	:: else -> skip \
	fi; \
	if \
	:: g_pc == G_DECIDED -> commit(); opened() \
	:: g_pc == G_BEAT -> beat() \
	:: else -> skip \
	fi; \
	if \
	:: g_pc == G_BEATEN -> beaten() \
	:: else -> skip \
	fi
#endif

/* act_settle(): read back; what contradicts it closes. */
inline settle()
{
	if
	:: g_pc == G_IDLE && g_pos == P_OPEN && k_lease == 0 ->
		lower(P_CLOSED, WHY_LAPSED)
	:: else -> skip
	fi;
	SAY2(core, g_pos, g_refused);
	report()
}

proctype Gate()
{
	do
	:: d_step { g_alive && g_pc == G_IDLE && g_engine && !g_new &&
	    q_n > 0 ->
		on_request(); carry_out; settle(); check() }
#ifdef SPLIT
	:: d_step { g_pc == G_DECIDED ->
		commit(); check() }
	:: d_step { g_pc == G_COMMITTED ->
		opened(); settle(); check() }
	:: d_step { g_pc == G_UPDATE ->
		update(); settle(); check() }
	:: d_step { g_pc == G_BEAT ->
		beat(); check() }
	:: d_step { g_pc == G_BEATEN ->
		beaten(); settle(); check() }
#endif
#ifdef WITH_DEATHS
	:: d_step { CALM_NOT g_alive && g_pc == G_IDLE && g_engine &&
	    !g_new && q_n == 0 && g_dead == 0 ->
		give_up_engine(); check() }
#endif
	:: d_step { g_alive && g_pc == G_IDLE && g_pos != P_CLOSED &&
	    g_dead == 0 ->
		SAY2(tick, 0, 0);
		lower(P_CLOSED, WHY_LATE); settle(); check() }
	:: d_step { g_alive && g_pc == G_IDLE && g_new ->
		take_engine(); check() }
	:: d_step { g_alive && g_pc == G_IDLE && !g_new && g_engine &&
	    g_eof && q_n == 0 ->
		g_eof = false; g_engine = false;
		SAY2(gone, g_pos, 0);
		if
		:: g_pos != P_CLOSED -> lower(P_CLOSED, WHY_GONE)
		:: else -> skip
		fi;
		check() }
	/* once a second, and at any event of the kernel's */
#ifdef TIMERS
	:: d_step { g_alive && g_pc == G_IDLE && g_due ->
		g_due = false; settle(); check() }
#else
	:: d_step { g_alive && g_pc == G_IDLE && !p_n && g_engine &&
	    !g_new && (e_link == LK_UP || e_link == LK_NEW) ->
		settle(); check() }
#endif
	od
}

/* The answer to a probe, and the kernel's word on who listens. */
inline read_probe()
{
	if
	:: e_needp && !BROKEN(17) -> skip
	:: else ->
		newer = r_age < f_age;
		f_age = (BROKEN(18) -> 0 : r_age);
		f_old = r_old;
		f_good = n_good; f_a = n_named; f_b = n_named && w_b;
#ifdef WITH_B
		h_trueb = (f_b && f_good -> 0 : h_trueb);
#endif
		SAY5(probe, r_age, f_good, f_a, f_b, 0)
	fi
}

inline judge(right, obeys)
{
	if
	:: e_needp || e_needc -> skip
	:: !e_needp && !e_needc && (right) ->
		e_st = SM_WATCH; SAY2(sm, EV_CONF_OK, SM_WATCH)
	:: !e_needp && !e_needc && !(right) ->
		e_st = SM_CONFIGURE; SAY2(sm, EV_CONF_BAD, SM_CONFIGURE);
		/* SETCONF, and whether Tor did it is read back. */
		e_needp = true; e_needc = need_conf;
		t_conf = t_conf || obeys
	fi
}

inline read_conf()
{
	if
	:: e_needc && !BROKEN(17) -> skip
	:: else ->
		if
		:: n_good ->
			c_age = (r_age < c_age -> r_age : c_age);
			c_old = r_old;
			SAY5(conf, r_age, 1, 0, 0, 0)
		:: else ->
			f_a = false; f_b = false;
			SAY5(conf, r_age, 0, 0, 0, 0)
		fi
	fi
}

inline read_answer(obeys)
{
#ifndef WITH_TOR
	n_good = (r_kind == R_PROBE -> t_good : t_conf); n_named = t_conf;
#endif
	if
	:: r_kind == R_PROBE -> read_probe(); judge(n_named, obeys)
	:: else -> read_conf(); judge(n_good, obeys)
	fi;
	r_kind = R_NONE; r_age = 0; r_old = false;
	n_have = false; n_good = false; n_named = false
}

inline gate_link(state)
{
	e_link = state; e_known = false; e_valid = false;
	e_low = false; e_asked = P_CLOSED; e_askb = false;
	reprove(EPMAX)
}

#ifdef WITH_TOR
#define can_read n_have
#else
/* A Tor that is always good: what matters is when it answers. */
#define can_read (r_kind != R_NONE)
#endif

proctype Engine()
{
	bool newer;

	do
#ifdef TIMERS
	:: d_step { e_alive && e_timer -> e_timer = false;
		turn(false, true) }
#else
	/* Whatever wakes it up, and whenever. */
	:: d_step { e_alive && (link_up && r_kind == R_NONE && !t_eof ||
	    e_link == LK_UP && must_ask(false, q_n == 0)) ->
		turn(false, true) }
#endif
	/* the session with Tor */
	:: d_step { e_alive && e_st == SM_BACKOFF && t_up ->
		e_st = SM_AUTH; SAY2(sm, EV_START, 1);
		SAY2(sm, EV_LINK_UP, SM_AUTH) }
	:: d_step { e_alive && e_st == SM_AUTH && t_up && !t_eof ->
		e_st = SM_CONFIGURE; SAY2(sm, EV_AUTH_OK, 3);
		SAY2(sm, EV_SETUP_OK, SM_CONFIGURE);
		e_needp = true; e_needc = need_conf;
		turn(false, false) }
	:: d_step { e_alive && can_read ->
		newer = false; read_answer(true); turn(newer, false);
		newer = false }
#ifdef WITH_CONF
	:: d_step { CALM_NOT e_alive && can_read ->
		newer = false; read_answer(false); turn(newer, false);
		newer = false }
#endif
	:: d_step { e_alive && !f_use && link_up && fits(f_age) && f_good ->
		f_use = true; SAY2(use, 1, 0); turn(false, false) }
	:: d_step { e_alive && t_eof && !n_have ->
		lose(); turn(false, false) }
	:: d_step { e_alive && r_kind != R_NONE && r_age > L && !n_have &&
	    !e_timer -> lose(); turn(false, false) }
	/* the gate */
	:: d_step { e_alive && e_link == LK_NEW -> gate_link(LK_UP);
		turn(false, false) }
	:: d_step { e_alive && e_link == LK_LOST -> gate_link(LK_NONE) }
	:: d_step { e_alive && e_link == LK_UP && p_n ->
		on_report(true); turn(false, false) }
	:: d_step { e_alive && e_link == LK_UP && p_n && p_ep == EPMAX &&
	    e_ep == EPMAX -> on_report(false); turn(false, false) }
	:: d_step { e_alive && e_link == LK_UP && !e_valid && q_n < QN ->
		turn(false, false) }
	od
}

proctype Tor()
{
	do
#ifdef WITH_TOR
	:: d_step { t_up && r_kind != R_NONE && !n_have && !t_eof ->
		n_have = true;
		h_true = (t_good -> 0 : h_true);
		n_good = (r_kind == R_PROBE -> t_good : t_conf);
		n_named = r_kind == R_PROBE && t_conf }
#endif
	:: d_step { !t_up -> t_up = true }
	od
}

proctype Keeper()
{
	do
	:: d_step { !g_alive -> g_alive = true; k_table = true;
		k_lease = 0; k_a = false; k_b = false; h_proof = 0;
		h_newb = false; SAY2(gate, 0, 0); bump() }
	/* What the last one sent is heard out first. */
	:: d_step { !e_alive && (hold_sent == HS_NONE || BROKEN(26)) ->
		hold_sent = HS_NONE; hold_next = HS_NONE;
		e_alive = true; e_hold = hold_kept && !BROKEN(12);
		SAY2(new, e_hold, 0)
	    }
	:: d_step { g_alive && e_alive && e_link == LK_NONE && !g_new ->
		e_link = LK_NEW; g_new = true;
		p_n = false; p_ep = 0; p_ack = false; p_ref = false }
	:: d_step { hold_sent != HS_NONE ->
		hold_kept = hold_sent == HS_SET;
		hold_sent = hold_next; hold_next = HS_NONE }
	od
}

inline tick()
{
	SAY2(time, 0, 0);
	k_lease = (k_lease == 0 || BROKEN(19) -> k_lease :
	    k_lease - 1);
	if
	:: k_lease == 0 -> h_proof = 0
	:: else -> UP(h_proof, PROOFMAX)
	fi;
	if
	:: k_lease == 0 -> h_idle = 0
	:: else -> UP(h_idle, L)
	fi;
#ifdef WITH_TOR
	if
	:: t_up && t_good -> h_true = 0
	:: else -> UP(h_true, (TRUEMAX + 1))
	fi;
#ifdef WITH_B
	if
	:: t_up && t_good && w_b -> h_trueb = 0
	:: else -> UP(h_trueb, (TRUEMAX + 1))
	fi;
#endif
#endif
	older();
	g_dead = (g_dead > 0 -> g_dead - 1 : 0);
#ifdef TIMERS
	g_due = g_alive;
#endif
#ifdef TIMERS
	e_timer = e_alive;
#endif
	check()
}

proctype Clock()
{
	do
#ifdef TRACE
	/* Most of the time all is well, else little would ever be open. */
	:: atomic { lull > 0 && timeout -> tick(); lull--;
		mischief = lull == 0;
		w_b = (lull % 4 == 2 -> !w_b : w_b) /* an UPDATE */ }
	:: atomic { lull == 0 -> tick() }
	/* everybody is stopped for longer than the lease */
	:: atomic { lull % 4 == 0 && q_n > 0 && q_want[0] == P_OPEN ->
		tick(); tick(); tick() }
	:: atomic { lull == 0 -> tick(); mischief = false; lull = 7 }
	:: atomic { lull == 0 -> tick(); mischief = false; lull = 13 }
#else
	:: d_step {
#if defined(LIVE) && defined(PROMPT)
		!calm && e_timer == g_due && !e_timer && q_n == 0 && !p_n &&
		!g_new || timeout ->
#elif defined(LIVE)
		!calm || timeout ->
#elif defined(PROMPT)
		q_n == 0 && !p_n && !g_new && g_pc == G_IDLE ->
#endif
		tick() }
#endif
	od
}

proctype Adversary()
{
	do
#ifdef WITH_DEATHS
	:: d_step { CALM_NOT g_alive -> SAY2(die, 0, 0); kill_gate();
		check() }
#endif
#if defined(WITH_DEATHS) || defined(WITH_HOLD)
	:: d_step { CALM_NOT e_alive -> kill_engine() }
#endif
#ifdef WITH_TOR
	:: d_step { CALM_NOT t_up -> t_up = false;
		t_eof = e_st != SM_BACKOFF }
	:: d_step { CALM_NOT t_good -> t_good = false }
	:: d_step { CALM_NOT !t_good -> t_good = true }
#endif
#ifdef WITH_CONF
	:: d_step { CALM_NOT t_conf -> t_conf = false }
#endif
#ifdef WITH_B
	:: d_step { CALM_NOT w_b -> w_b = false }
	:: d_step { CALM_NOT !w_b -> w_b = true }
#endif
	/* an event of Tor's: circuits or directory are lost */
	:: d_step { CALM_NOT e_alive && f_good && !t_eof ->
		f_good = false; e_needp = true; SAY2(lost, 0, 0);
		turn(false, false) }
#ifdef WITH_CONF
	/* ... CONF_CHANGED, RELOAD: everything about listeners in doubt */
	:: d_step { CALM_NOT e_alive && link_up && !t_eof ->
		c_age = CONFMAX + 1; c_old = false; f_a = false; f_b = false;
		e_needp = true; e_needc = need_conf; SAY2(reload, 0, 0);
		turn(false, false) }
#endif
#ifdef WITH_TOR
	:: d_step { CALM_NOT e_alive && f_use -> f_use = false;
		SAY2(use, 0, 0); turn(false, false) }
#endif
#ifdef WITH_DEATHS
	:: d_step { CALM_NOT e_alive && e_link == LK_UP && q_n < QN ->
		q_want[q_n] = P_GARBAGE; q_n++ }
#endif
#ifdef WITH_HOLD
	:: d_step { CALM_NOT e_alive && hold_next == HS_NONE ->
		e_hold = true; h_hold = true; keep_hold(HS_SET);
		SAY2(hold, 1, 0); turn(false, false) }
	:: d_step { CALM_NOT e_alive && hold_next == HS_NONE && e_hold ->
		e_hold = false; h_hold = false; keep_hold(HS_STRIKE);
		SAY2(hold, 0, 0); turn(false, false) }
#endif
	:: d_step { CALM_NOT e_alive -> reprove(e_ep);
		turn(false, false) }
#ifdef SUSPEND
	/* Proofs grow old in it; the kernel's jiffies stand still. */
	:: d_step { CALM_NOT true -> suspend() }
#endif
#ifdef REPLAYS
	:: d_step { q_n > 0 && q_want[0] == P_OPEN && !q_rep[0] &&
	    !s_have ->
		s_have = true; s_b = q_b[0]; s_ep = q_ep[0];
		s_age = q_age[0]; s_old = q_old[0] }
	:: d_step { CALM_NOT s_have && q_n < QN && e_link == LK_UP ->
		q_want[q_n] = P_OPEN; q_b[q_n] = s_b; q_ep[q_n] = s_ep;
		q_age[q_n] = s_age; q_old[q_n] = s_old; q_rep[q_n] = true;
		q_n++ }
	:: d_step { CALM_NOT s_have -> s_have = false; s_b = false; s_ep = 0;
		s_age = 0; s_old = false }
#endif
#ifdef LIVE
	:: d_step { !calm -> calm = true; t_good = true; w_b = true;
		e_hold = false; h_hold = false; hold_sent = HS_STRIKE;
		hold_next = HS_NONE }
#endif
	od
}

init
{
	atomic {
		e_st = SM_BACKOFF; e_ep = EPMAX;
		f_age = L + 1; c_age = 0; f_use = true; t_conf = true;
#ifdef WITH_TOR
		f_use = false; h_true = TRUEMAX; h_trueb = TRUEMAX;
#else
		t_good = true;
#endif
#ifdef WITH_CONF
		c_age = CONFMAX + 1;
#endif
#ifdef WITH_B
		w_b = true;
#endif
		g_alive = true; k_table = true; e_alive = true; t_up = true;
		run Gate(); run Engine(); run Tor(); run Keeper();
		run Clock(); run Adversary()
	}
}
