/*
 * Gate, engine, Tor, the kernel's lease and an adversary: see portcullis.pml,
 * which includes this.
 */

/* --- the kernel: what the tables of the gate hold -------------------- */
bool k_table;		/* inet portcullis: dies with its owner */
byte k_lease;		/* what is left of the lease; 0: none */
bool k_a, k_b;		/* listeners A and B are in the proven sets */

#define accepts_a (k_table && (k_lease > 0 || BROKEN(15)) && k_a)
#define accepts_b (k_table && (k_lease > 0 || BROKEN(15)) && \
	(k_b || BROKEN(2) && k_a))
#define accepts (accepts_a || accepts_b)

/* --- the gate: struct gate_core, and where act.c stands -------------- */
bool g_alive, g_engine;
byte g_pos, g_pc;
byte g_dead;		/* left until deadline_ns */
byte g_proof;		/* age of proof_ns */
bool g_b;		/* the map: A always, B perhaps */
bool g_refused;
bool g_ack;		/* a request from lowered_seq on was read */
bool g_eof, g_new;	/* the engine's end is closed; another has come */
bool g_due;		/* a second is over: look round and report */

/* --- engine to gate: struct gate_req --------------------------------- */
byte q_n;
byte q_want[2], q_ep[2], q_age[2];
bool q_b[2], q_low[2], q_rep[2];
bool q_old[2];		/* ghost: proven before the last close */

/* --- gate to engine: struct gate_report ------------------------------ */
bool p_n, p_ack, p_ref;
byte p_ep;

/* --- the engine: struct facts, sm_state, the question in flight ------ */
bool e_alive;
byte e_st;
byte e_link;		/* to the gate: LK_* */
bool e_known, e_valid, e_low, e_askb;
bool e_timer;		/* a tick has passed: look what is due */
byte e_asked, e_ep;
byte f_age;		/* of ALIVE, BOOT, CIRCUIT and LISTEN */
bool f_good, f_a, f_b, f_use;
byte c_age;		/* of CONF */
bool e_needp, e_needc;	/* in doubt: what was asked before is void */
byte r_kind, r_age;	/* the question in flight */
bool n_have, n_good, n_named; /* its answer, not yet read */
bool f_old, c_old, r_old; /* ghosts: asked before the last close */

/* --- the operator's hold: in the engine, on its way, written down ---- */
bool e_hold, hold_kept;
byte hold_sent, hold_next; /* HS_*, in their order */
bool h_hold;		/* ghost: the operator's last word */

/* --- Tor, as far as it can be asked ---------------------------------- */
bool t_up, t_good, t_conf, t_eof;
bool w_b;		/* listener B is Tor's, not another uid's */

/* --- ghosts ---------------------------------------------------------- */
byte h_idle;		/* since the gate last held it: it ran then */
byte h_proof;		/* age of the proof that the lease stands on */
byte h_true, h_trueb;	/* since Tor was good; ... and B its own */
bool h_newb;		/* the newest request had B */
#ifdef REPLAYS
bool s_have, s_b, s_old; /* a request that the adversary kept */
byte s_ep, s_age;
#endif
#ifdef LIVE
bool calm;		/* no more faults, and Tor is good */
bool asked_close;	/* a request for less than open is to be read */
#endif

#define fits(age) (age <= L)
#define link_up (e_st == SM_CONFIGURE || e_st == SM_WATCH)
#define facts_all (fits(f_age) && f_good && f_a && c_age <= CONFMAX && f_use)
#define e_pos (!link_up -> P_CLOSED : \
	(facts_all && !e_hold -> P_OPEN : P_TOR_ONLY))
#define e_choice ((e_pos == P_OPEN && (!e_known || e_low)) -> P_TOR_ONLY : \
	e_pos)
/* A newer proof, or time to say again what is not OPEN. */
#define must_ask(newer, again) (e_choice != e_asked || !e_valid || \
	(e_choice == P_OPEN -> (newer || e_askb != f_b) : again))

/* What must hold after every step. */
inline check()
{
	SAY2(pos, (e_alive -> e_pos : P_CLOSED), e_alive);
	PROP(2, !accepts_a || (k_lease > 0 && k_a));
	PROP(2, !accepts_b || (k_lease > 0 && k_b));
	PROP(3, !accepts || h_proof < PROOFMAX || unlooked);
	PROP(4, !accepts || (g_alive && h_idle < L));
	PROP(13, !accepts_b || h_newb || g_pc == G_UPDATE);
	PROP(14, !accepts_a || h_true <= TRUEMAX || unlooked);
	PROP(14, !accepts_b || h_trueb <= TRUEMAX || unlooked);
	WITNESSES(NOT_YET(1, accepts_a) && NOT_YET(2, accepts_b) &&
	    NOT_YET(3, accepts && h_proof == PROOFMAX - 1) &&
	    NOT_YET(4, accepts && h_idle == L - 1) &&
	    NOT_YET(5, accepts && g_pc == G_BEATEN && !fits(g_proof)) &&
	    NOT_YET(6, accepts && g_pc == G_COMMITTED && !fits(g_proof)) &&
	    NOT_YET(7, q_n > 0 && q_want[0] == P_OPEN && q_old[0] &&
	        q_age[0] == 0) &&
	    NOT_YET(8, accepts_b && !w_b) &&
	    NOT_YET(9, accepts && !t_conf) &&
	    NOT_YET(16, accepts && !t_up) &&
	    NOT_YET(17, accepts && !e_alive) &&
	    NOT_YET(18, accepts && h_true == TRUEMAX - 1) &&
	    NOT_YET(19, link_up && facts_all && h_hold) &&
	    NOT_YET(20, hold_sent == HS_SET && hold_next == HS_STRIKE) &&
	    NOT_YET(21, !e_alive && hold_next == HS_SET) &&
	    NOT_YET(22, accepts && q_n > 1 && q_want[0] == P_OPEN &&
	        q_want[1] == P_OPEN && q_b[0] != q_b[1]) &&
	    NOT_YET(23, p_n && p_ref && p_ep == e_ep && e_valid &&
	        e_asked == P_OPEN) &&
	    NOT_YET(24, e_st == SM_WATCH && e_link == LK_UP && e_ep > 0 &&
	        g_pos == P_CLOSED && facts_all));
}

/* The one place where an epoch ends. */
inline bump()
{
	UP(e_ep, EPMAX); UP(p_ep, EPMAX);
	UP(q_ep[0], EPMAX); UP(q_ep[1], EPMAX);
	f_old = f_age <= L; r_old = r_kind != R_NONE;
#ifdef WITH_CONF
	c_old = c_age <= CONFMAX;
#endif
	q_old[0] = q_n > 0; q_old[1] = q_n > 1;
#ifdef REPLAYS
	UP(s_ep, EPMAX); s_old = s_have;
#endif
}

inline lower(to, why)
{
	SAY5(close, to, why, g_pos, 0, 0);
	WITNESSES(NOT_YET(11, accepts && why == WHY_ASKED) &&
	    NOT_YET(12, accepts && why == WHY_GONE) &&
	    NOT_YET(13, accepts && why == WHY_LATE) &&
	    NOT_YET(14, accepts && why == WHY_BAD) &&
	    NOT_YET(15, g_pos == P_OPEN && why == WHY_LAPSED));
	k_lease = 0; h_proof = 0; h_idle = 0;
	k_a = false; k_b = false; h_newb = false;
	g_pos = to; g_b = false; g_proof = 0; g_pc = G_IDLE;
	if
	:: to == P_CLOSED -> g_dead = 0
	:: else -> skip
	fi;
	bump();
	PROP(5, k_lease == 0 && !accepts)
}

/* Not believed: a gate that is up comes down. */
inline refuse(why)
{
	g_refused = true;
	if
	:: g_pos != P_CLOSED -> lower(P_CLOSED, why)
	:: else -> skip
	fi
}

inline report()
{
	if
	:: !p_n && g_engine && !g_new && (e_link == LK_UP || e_link == LK_NEW) ->
		p_n = true; p_ep = 0; p_ack = g_ack;
		p_ref = g_refused && q_n == 0
	:: else -> skip
	fi
}

/* Other elements: the lease goes on, and is renewed after it. */
inline update()
{
	k_b = g_b;
	if
	:: !fits(g_proof) && !BROKEN(3) ->
		SAY2(fresh, 0, 0); lower(P_CLOSED, WHY_LATE)
	:: else ->
		SAY2(fresh, fits(g_proof), 0); SAY2(opened, 0, 0);
		g_pc = G_BEAT
	fi
}

/* kern_open(): commit, which begins the lease ... */
inline commit()
{
	k_lease = L; k_a = true; k_b = g_b; h_idle = 0;
	h_proof = g_proof; g_pc = G_COMMITTED
}

/* ... then read-back, and once more: is it fresh? */
inline opened()
{
	g_pc = G_IDLE;
	if
	:: !fits(g_proof) && !BROKEN(3) ->
		SAY2(fresh, 0, 0); lower(P_CLOSED, WHY_LATE)
	:: else ->
		SAY2(fresh, fits(g_proof), 0); SAY2(opened, 0, 0);
		g_pos = P_OPEN; g_proof = 0
	fi
}

/* The rule looks the lease up first, then refreshes it ... */
inline beat()
{
	if
	:: k_lease > 0 || BROKEN(11) ->
		PROP(11, k_lease > 0);
		WITNESS(28, !fits(g_proof));
		k_lease = L; h_proof = g_proof; h_idle = 0; g_pc = G_BEATEN
	:: else -> lower(P_CLOSED, WHY_LAPSED)
	fi
}

/* ... and then: was there a stop between the clock and the datagram? */
inline beaten()
{
	g_pc = G_IDLE;
	SAY2(fresh, fits(g_proof), 0);
	if
	:: !fits(g_proof) && !BROKEN(3) && !BROKEN(25) ->
		lower(P_CLOSED, WHY_LATE)
	:: else -> g_proof = 0
	fi
}

inline void_facts()
{
	f_age = L + 1; f_old = false;
	f_good = false; f_a = false; f_b = false;
#ifdef WITH_CONF
	c_age = CONFMAX + 1; c_old = false;
#endif
#ifdef WITH_TOR
	f_use = false
#else
	f_use = true
#endif
}

inline drop_session()
{
	r_kind = R_NONE; r_age = 0; r_old = false;
	n_have = false; n_good = false; n_named = false;
	e_needp = false; e_needc = false; t_eof = false
}

inline kill_engine()
{
	SAY2(dead, 0, 0);
	e_alive = false; e_st = SM_BACKOFF;
	void_facts(); drop_session();
	e_known = false; e_valid = false; e_low = false; e_timer = false;
	e_askb = false; e_asked = P_CLOSED; e_ep = EPMAX;
	e_hold = false;
	if
	:: e_link == LK_UP && g_alive -> g_eof = true
	:: else -> skip
	fi;
	e_link = LK_NONE; p_n = false; p_ep = 0; p_ack = false; p_ref = false
}

inline on_open()
{
	if
	:: q_ep[0] != 0 && !BROKEN(7) ->
		SAY5(req, P_OPEN, q_b[0], q_ep[0], q_age[0], q_rep[0]);
		refuse(WHY_BAD)
	:: else ->
		if
		:: !fits(q_age[0]) && !BROKEN(3) ->
			SAY5(req, P_OPEN, q_b[0], q_ep[0], q_age[0], 0);
			refuse(WHY_LATE)
		:: else ->
			SAY5(req, P_OPEN, q_b[0], q_ep[0], q_age[0], 0);
			g_proof = q_age[0]; g_dead = L; g_b = q_b[0];
			h_newb = (q_rep[0] -> h_newb : q_b[0]);
			if
			:: g_pos != P_OPEN ->
				SAY2(act, A_OPEN, g_pos);
				PROP(7, !q_old[0]);
				g_pc = G_DECIDED
			:: else ->
				SAY2(act, (k_b == q_b[0] -> A_RENEW :
				    A_UPDATE), g_pos);
				g_pc = (k_b == q_b[0] -> G_BEAT : G_UPDATE)
			fi
		fi
	fi
}

inline on_request()
{
	if
	:: q_want[0] == P_GARBAGE && BROKEN(8) -> skip
	:: q_want[0] == P_GARBAGE && !BROKEN(8) ->
		SAY5(garbage, 0, 0, 0, 0, 0);
		lower(P_CLOSED, WHY_BAD);
		g_refused = true; g_engine = false;
		kill_engine()
	:: q_want[0] != P_GARBAGE && q_rep[0] && !BROKEN(13) ->
		SAY5(replay, P_OPEN, q_b[0], q_ep[0], q_age[0], 0);
		WITNESS(27, accepts && q_ep[0] == 0 && fits(q_age[0]));
		refuse(WHY_BAD)
	:: else ->
		g_refused = false;
		g_ack = g_ack || q_low[0];
		if
		:: q_want[0] == P_OPEN -> on_open()
		:: q_want[0] == P_TOR_ONLY ->
			SAY5(req, P_TOR_ONLY, 0, q_ep[0], 0, 0);
			g_dead = L;
			if
			:: g_pos == P_OPEN -> lower(P_TOR_ONLY, WHY_ASKED)
			:: else -> g_pos = P_TOR_ONLY
			fi
		:: q_want[0] == P_CLOSED ->
			SAY5(req, P_CLOSED, 0, q_ep[0], 0, 0);
			if
			:: g_pos != P_CLOSED -> lower(P_CLOSED, WHY_ASKED)
			:: else -> skip
			fi
		fi
	fi;
	PROP(8, q_want[0] != P_GARBAGE || k_lease == 0);
	PROP(5, q_want[0] == P_OPEN || k_lease == 0);
	/* the message is read */
	q_want[0] = q_want[1]; q_ep[0] = q_ep[1]; q_age[0] = q_age[1];
	q_b[0] = q_b[1]; q_low[0] = q_low[1]; q_rep[0] = q_rep[1];
	q_old[0] = q_old[1];
	q_want[1] = 0; q_ep[1] = 0; q_age[1] = 0; q_b[1] = false;
	q_low[1] = false; q_rep[1] = false; q_old[1] = false;
	q_n = (q_n > 0 -> q_n - 1 : 0)
}

inline forget_queue()
{
	q_n = 0;
	q_want[0] = 0; q_ep[0] = 0; q_age[0] = 0; q_b[0] = false;
	q_low[0] = false; q_rep[0] = false; q_old[0] = false;
	q_want[1] = 0; q_ep[1] = 0; q_age[1] = 0; q_b[1] = false;
	q_low[1] = false; q_rep[1] = false; q_old[1] = false
}

/* The gate's end of the pair, as gate_core_engine() finds it. */
inline take_engine()
{
	g_new = false; g_refused = false; g_ack = false;
	g_eof = e_link != LK_NEW && e_link != LK_UP;
	g_engine = true;
	forget_queue();
	SAY2(engine, g_pos, 0);
	if
	:: g_pos != P_CLOSED -> lower(P_CLOSED, WHY_GONE)
	:: else -> bump()
	fi;
	p_n = false; p_ep = 0; p_ack = false; p_ref = false;
	report()
}

/*
 * gate_core_second(): an engine that says nothing is given up.  The gate's
 * end is closed; to whichever engine there is then the keeper gives another.
 */
inline give_up_engine()
{
	SAY2(silent, 0, 0);
	WITNESS(25, g_pos == P_OPEN && k_lease == 0);
	if
	:: g_pos != P_CLOSED -> lower(P_CLOSED, WHY_LATE)
	:: else -> skip
	fi;
	g_engine = false; g_eof = false; g_ack = false;
	p_n = false; p_ep = 0; p_ack = false; p_ref = false;
	if
	:: e_link == LK_UP -> e_link = LK_LOST
	:: e_link == LK_NEW -> e_link = LK_NONE
	:: else -> skip
	fi
}

/* All of the gate's state that its death takes away. */
inline kill_gate()
{
	WITNESS(26, accepts);
	g_alive = false; g_engine = false; g_pos = P_CLOSED; g_pc = G_IDLE;
	g_dead = 0; g_proof = 0; g_b = false; g_refused = false;
	g_ack = false; g_eof = false; g_new = false; g_due = false;
	forget_queue();
	p_n = false; p_ep = 0; p_ack = false; p_ref = false;
	if
	:: BROKEN(4) -> skip
	:: else -> k_table = false; k_lease = 0; h_proof = 0;
		h_idle = 0; k_a = false; k_b = false; h_newb = false
	fi;
	if
	:: e_link == LK_UP -> e_link = LK_LOST
	:: e_link == LK_NEW -> e_link = LK_NONE
	:: else -> skip
	fi
}

/* engine_reprove(): what was asked before the answer counts for nothing. */
inline reprove(ep)
{
	SAY2(renew, 0, 0);
	if
	:: BROKEN(16) -> skip
	:: else -> void_facts()
	fi;
	e_ep = ep; e_needp = true; e_needc = need_conf
}

/* Written down by the keeper later, in this order. */
inline keep_hold(what)
{
	if
	:: hold_sent == HS_NONE -> hold_sent = what
	:: else -> hold_next = what
	fi
}

/* The session is over, by whatever; the gate is told first. */
inline lose()
{
	SAY2(lose, 0, 0);
	SAY2(sm, EV_LINK_LOST, SM_BACKOFF);
	void_facts(); drop_session();
	e_st = SM_BACKOFF
}

inline send_request()
{
	e_low = e_low || (e_asked == P_OPEN && e_choice != P_OPEN);
	if
	:: e_low && e_asked == P_OPEN && e_choice != P_OPEN ->
		g_ack = false; p_ack = false;
		if
		:: q_n > 0 -> q_low[0] = false
		:: else -> skip
		fi;
		if
		:: q_n > 1 -> q_low[1] = false
		:: else -> skip
		fi
	:: else -> skip
	fi;
	p_ref = false;
	if
	:: q_n < QN && e_link == LK_UP ->
		PROP(12, e_choice != P_OPEN || !h_hold);
		q_want[q_n] = e_choice;
		q_ep[q_n] = (e_choice == P_OPEN -> e_ep : 0);
		q_age[q_n] = (e_choice == P_OPEN -> f_age : 0);
		q_b[q_n] = e_choice == P_OPEN && f_b;
		q_old[q_n] = e_choice == P_OPEN && (f_old || c_old);
		q_low[q_n] = e_low;
		q_rep[q_n] = false;
		q_n++;
		e_valid = true
	:: else -> e_valid = false
	fi;
	e_asked = e_choice; e_askb = e_choice == P_OPEN && f_b
}

/* NEWS: an epoch too far back to be told from another one is another one. */
inline on_report(news)
{
	if
	:: p_ack -> e_low = false
	:: else -> skip
	fi;
	if
	:: !e_known || p_ep != e_ep || (p_ref && e_valid &&
	    e_asked == P_OPEN) || (p_ep == EPMAX && news) ->
		e_known = true; reprove(p_ep)
	:: else -> skip
	fi;
	p_n = false; p_ep = 0; p_ack = false; p_ref = false
}

/* A tick: everything that is known is older by one. */
inline older()
{
	if
	:: g_pc != G_IDLE -> UP(g_proof, (L + 1))
	:: else -> skip
	fi;
	if
	:: q_n > 0 -> UP(q_age[0], (L + 1))
	:: else -> skip
	fi;
	if
	:: q_n > 1 -> UP(q_age[1], (L + 1))
	:: else -> skip
	fi;
	UP(f_age, (L + 1));
	if
	:: f_age > L -> f_good = false; f_a = false; f_b = false;
		f_old = false
	:: else -> skip
	fi;
#ifdef WITH_CONF
	UP(c_age, (CONFMAX + 1));
#endif
	if
	:: r_kind != R_NONE -> UP(r_age, RMAX)
	:: else -> skip
	fi;
#ifdef REPLAYS
	if
	:: s_have -> UP(s_age, (L + 1))
	:: else -> skip
	fi
#endif
}

/* What the engine does at the end of each step: ask Tor, tell the gate. */
inline turn(newer, again)
{
	if
	:: link_up && r_kind == R_NONE && !t_eof && (e_needp || again) ->
		r_kind = R_PROBE; e_needp = false;
		e_needc = e_needc || again && need_conf
	:: link_up && r_kind == R_NONE && !t_eof && !e_needp && !again &&
	    e_needc ->
		r_kind = R_CONF; e_needc = false
	:: else -> skip
	fi;
	if
	:: e_link == LK_UP && must_ask(newer, again) -> send_request()
	:: else -> skip
	fi;
	check()
}

#ifdef SUSPEND
/* Long enough for every proof; the kernel's lease has not moved. */
inline suspend()
{
	WITNESS(29, accepts && g_pc == G_BEAT);
	g_proof = (g_pc == G_IDLE -> 0 : L + 1);
	q_age[0] = (q_n > 0 -> L + 1 : 0); q_age[1] = (q_n > 1 -> L + 1 : 0);
	r_age = (r_kind == R_NONE -> 0 : RMAX);
	g_dead = 0;
	f_age = L + 1; f_good = false; f_a = false; f_b = false;
	f_old = false
}
#endif
