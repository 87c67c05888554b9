/*
 * What Tor tells unasked.  An event can only take facts away, and have us ask
 * at once; see storm.h for a Tor that does so all the time.
 */
#include "config.h" /* _GNU_SOURCE */

#include <string.h>

#include "controlproto/event.h"
#include "supervisor/engine/core.h"
#include "supervisor/engine/diagnosis.h"
#include "supervisor/engine/verdict.h"
#include "supervisor/log.h"

void
engine_unsettled(struct engine *e, uint64_t now)
{
	if (storm_note(&e->taken_back, now))
		log_warn("Tor takes back what it says too often: nothing "
		    "opens until it is calm");
}

/* Circuits or directory are gone, or may be: poll at once. */
static void
lost_fact(struct engine *e, enum fact fact, uint64_t now)
{
	engine_unsettled(e, now);
	facts_drop(&e->facts, fact);
	e->need_probe = true;
}

/* Good news: soon asked for, and an answer under way stays good. */
static void
gained_fact(struct engine *e, uint64_t now)
{
	if (storm_is_calm(&e->asked_again, now))
		e->due.probe = now;
}

/* What of Tor's log tells one cause from another. */
static void
note_log(struct tor_info *t, struct cp_str text)
{
	static const struct {
		unsigned said;
		const char *words;
	} hints[] = {
		{ SAID_CERTIFICATE, "certificate expired" },
		{ SAID_CERTIFICATE, "Certificate not yet valid" },
		{ SAID_CERTIFICATE, "clock is set wrong" },
		{ SAID_SOCKS, "general SOCKS server failure" },
		{ SAID_IDENTITY, "keys were not as expected" },
		{ SAID_NO_ROUTE, "Network is unreachable" },
		{ SAID_NO_ROUTE, "No route to host" },
	};

	for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
		if (text.n != 0 && memmem(text.p, text.n, hints[i].words,
		    strlen(hints[i].words)) != NULL)
			t->said |= hints[i].said;
}

/* "SKEW=-172800 MIN_SKEW=... SOURCE=OR:..." */
static void
note_skew(struct tor_info *t, struct cp_str text)
{
	struct cp_str value;
	int64_t skew;

	/* (A group is no more than a signed number.) */
	if (!cp_kv_find(&value, text, "SKEW", NULL) ||
	    !verdict_group(&skew, value))
		return;
	t->skewed = true;
	t->skew_s = skew;
}

/* Those after which Tor is asked again. */
static bool
is_asked_after(const struct engine *e, const struct cp_event *ev)
{
	switch (ev->kind) {
	case CP_EV_CIRCUIT_ESTABLISHED:
	case CP_EV_CIRCUIT_NOT_ESTABLISHED:
	case CP_EV_ENOUGH_DIR_INFO:
	case CP_EV_NOT_ENOUGH_DIR_INFO:
	case CP_EV_CLOCK_JUMPED:
	case CP_EV_CONF_CHANGED:
		return true;
	case CP_EV_BOOTSTRAP:
		return ev->boot.progress != 100 &&
		    e->facts.at[FACT_BOOT] != 0;
	case CP_EV_SIGNAL:
		return cp_str_is_nocase(ev->action, "RELOAD");
	case CP_EV_LOG:
	case CP_EV_STREAM:
	case CP_EV_STATUS:
	case CP_EV_TRANSPORT_LAUNCHED:
	case CP_EV_CLOCK_SKEW:
	case CP_EV_OTHER:
	case CP_EV_LIVENESS:
	case CP_NEVENT:
		break;
	}
	return false;
}

void
watch_on_event(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct cp_event ev;

	cp_event_parse(&ev, reply);
	if (is_asked_after(e, &ev))
		(void)storm_note(&e->asked_again, now);
	switch (ev.kind) {
	case CP_EV_CIRCUIT_NOT_ESTABLISHED:
		lost_fact(e, FACT_CIRCUIT, now);
		break;
	case CP_EV_NOT_ENOUGH_DIR_INFO:
		lost_fact(e, FACT_BOOT, now);
		break;
	case CP_EV_CLOCK_JUMPED:
		e->tor.skewed = false; /* said of another clock */
		engine_unsettled(e, now);
		engine_reprove(e, e->facts.epoch, now);
		break;
	case CP_EV_CONF_CHANGED:
		relays_on_changed(e, reply);
		repair_on_changed(e, reply, now);
		break;
	case CP_EV_SIGNAL:
		about_soon(e); /* DORMANT, ACTIVE */
		if (!cp_str_is_nocase(ev.action, "RELOAD"))
			break;
		relays_changed(e);
		engine_unsettled(e, now);
		repair_on_reload(e, now);
		break;
	case CP_EV_BOOTSTRAP:
		watch_progress(e, &ev.boot, now);
		about_phase(e, &ev.boot, ev.text);
		if (ev.boot.progress != 100 && e->facts.at[FACT_BOOT] != 0)
			lost_fact(e, FACT_BOOT, now);
		break;
	case CP_EV_CIRCUIT_ESTABLISHED:
	case CP_EV_ENOUGH_DIR_INFO:
		gained_fact(e, now);
		break;
	case CP_EV_LOG:
		(void)transports_on_log(e, ev.text, now);
		if (ev.severity < CP_SEV_WARN)
			break;
		note_log(&e->tor, ev.text);
		log_esc(e->tor.last_warn, sizeof e->tor.last_warn, ev.text.p,
		    ev.text.n);
		repair_on_log(e, ev.text);
		break;
	case CP_EV_STREAM:
		check_on_stream(e, &ev);
		break;
	case CP_EV_STATUS:
		if (!cp_str_is(ev.action, "CONSENSUS_ARRIVED"))
			break;
		relays_consensus(e);
		about_soon(e);
		break;
	case CP_EV_TRANSPORT_LAUNCHED:
		transports_on_launched(e, ev.text);
		break;
	case CP_EV_CLOCK_SKEW:
		note_skew(&e->tor, ev.text);
		break;
	case CP_EV_OTHER:
	case CP_EV_LIVENESS:
	case CP_NEVENT:
		break;
	}
}
