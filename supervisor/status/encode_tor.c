#include "supervisor/status/encode_part.h"

#include "supervisor/status/nullable.h"
#include "supervisor/status/times.h"

/* A question that Tor has answered, or not. */
static json_t *
answer_if(bool known, uint32_t answer)
{
	return bool_if(known && answer != SNAP_UNKNOWN, answer == SNAP_YES);
}

static json_t *
second_if(bool known, int64_t sec)
{
	char text[STATUS_TIME_LEN];

	if (!known || sec == 0)
		return json_null();
	status_time_second(text, sec);
	return text_if(true, text);
}

json_t *
status_encode_tor(const struct status_subject *u)
{
	const struct snap_tor *t = &u->s->tor;
	bool runs = u->s->tor_pid > 0 || status_encode_fact(u, SNAP_F_LINK);

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "enabled", answer_if(u->engine, t->enabled),
	    "running", bool_if(u->engine, runs),
	    "pid", pid_if(u->engine, u->s->tor_pid),
	    "version", text_if(u->engine, u->s->tor_version),
	    "since", text_if(u->engine, t->since),
	    "restarts", uint_if(u->engine, t->restarts),
	    "dormant", answer_if(u->engine, t->dormant));
}

json_t *
status_encode_control(const struct status_subject *u)
{
	const struct snap_tor *t = &u->s->tor;
	const char *method = snap_auth_name((enum snap_auth)t->auth);

	return json_pack("{s:o,s:o,s:o}",
	    "authenticated",
	    bool_if(u->engine, status_encode_fact(u, SNAP_F_LINK)),
	    "method", text_if(u->engine && method != NULL, method),
	    "lost", text_if(u->engine, t->lost));
}

json_t *
status_encode_bootstrap(const struct status_subject *u)
{
	const struct snapshot *s = u->s;
	const struct snap_tor *t = &s->tor;
	bool known = u->engine && s->boot_progress >= 0;

	return json_pack(
	    "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "progress", uint_if(known, (uint64_t)s->boot_progress),
	    "tag", text_if(known, s->boot_tag),
	    "summary", text_if(known, s->boot_summary),
	    "warning", text_if(u->engine, s->boot_warning),
	    "since", text_if(u->engine, s->boot_since),
	    "stalled", bool_if(u->engine, s->stalled != 0),
	    "tor_said", text_if(u->engine, s->tor_said),
	    "severity", text_if(u->engine, t->boot_severity),
	    "reason", text_if(u->engine, t->boot_reason),
	    "count", uint_if(u->engine && t->boot_count != 0, t->boot_count),
	    "recommendation", text_if(u->engine, t->boot_recommendation),
	    "line", text_if(u->engine, t->boot_line));
}

/*
 * Told only where nobody takes it for news.  A clock that was set back would
 * make it negative: then it is not known.
 */
static json_t *
encode_built_age(const struct status_subject *u)
{
	int64_t built;

	if (!u->engine || u->stamp->type == STATUS_T_CHANGE ||
	    !status_time_parse(&built, u->s->tor.built) ||
	    built > u->stamp->real_ms)
		return json_null();
	return json_integer(u->stamp->real_ms - built);
}

json_t *
status_encode_circuits(const struct status_subject *u)
{
	const struct snapshot *s = u->s;
	const struct snap_tor *t = &s->tor;
	enum snap_known usable = u->engine ? (enum snap_known)t->usable :
	    SNAP_UNKNOWN;

	return json_pack("{s:o,s:o,s:s,s:o,s:o,s:o}",
	    "established", bool_if(u->engine, s->circuit_established != 0),
	    "enough_dir_info", bool_if(u->engine, s->enough_dir_info != 0),
	    "usable", snap_known_name(usable),
	    "built", text_if(u->engine, t->built),
	    "built_id", uint_if(u->engine && t->built_id != 0, t->built_id),
	    "built_age_ms", encode_built_age(u));
}

json_t *
status_encode_consensus(const struct status_subject *u)
{
	const struct snap_tor *t = &u->s->tor;
	enum snap_clock clock = u->engine ? (enum snap_clock)t->clock :
	    SNAP_CLOCK_UNKNOWN;

	return json_pack("{s:o,s:o,s:o,s:s,s:o}",
	    "valid_after", second_if(u->engine, t->valid_after),
	    "fresh_until", second_if(u->engine, t->fresh_until),
	    "valid_until", second_if(u->engine, t->valid_until),
	    "clock", snap_clock_name(clock),
	    "skew_s", u->engine && t->skew_known != 0 ?
		json_integer(t->skew_s) : json_null());
}

/* Whether the policy asks for it, and what the engine says of it if so. */
json_t *
status_encode_clock(const struct status_subject *u)
{
	const bool required = u->s->time_required != 0;
	const char *sync = snap_timesync_name(
	    (enum snap_timesync)u->s->tor.timesync);

	return json_pack("{s:o,s:o,s:o}",
	    "required", bool_if(u->engine, required),
	    "right", bool_if(u->engine && required,
		status_encode_fact(u, SNAP_F_TIME)),
	    "timesync", text_if(u->engine && sync != NULL, sync));
}
