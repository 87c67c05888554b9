/* What is around Tor: names, programs, the clock, sockets, the firewall. */
#include "supervisor/cli/finding.h"
#include "supervisor/cli/format.h"

/* By more than this Tor itself does not put up with a clock. */
#define SKEW_MAX_S 3600

/* How many of ARRAY have STATE; NULL: neither "ok", "launched" nor OTHER. */
static size_t
count_bad(const json_t *array, const char *well, const char *waiting,
    const json_t **first)
{
	const json_t *state;
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(array); i++) {
		state = json_object_get(json_array_get(array, i), "state");
		if (cli_field_is(state, well) || cli_field_is(state, waiting))
			continue;
		if (n++ == 0)
			*first = json_array_get(array, i);
	}
	return n;
}

static size_t
count_waiting(const json_t *array, const char *waiting)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(array); i++)
		if (cli_field_is(json_object_get(json_array_get(array, i),
		    "state"), waiting))
			n++;
	return n;
}

void
check_resolver(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *up = cli_field(s->line, NULL, "uplink");
	const json_t *names = json_object_get(up, "names"), *bad = NULL;
	const json_t *resolver = json_object_get(up, "resolver");
	char name[CLI_TEXT_CAP], state[CLI_TEXT_CAP];

	if (finding_unknown(f, s->line))
		return;
	if (!json_is_array(names))
		finding_say(f, CLI_UNKNOWN, "", "It is not known which names "
		    "are needed.");
	else if (json_array_size(names) == 0)
		finding_say(f, CLI_OK, "", "No name has to be resolved.");
	else if (!json_is_object(resolver))
		finding_say(f, CLI_NO_NAME, "Add a section resolver to the "
		    "policy, or use addresses.", "Names are needed, and the "
		    "policy has no resolver.");
	else if (!json_is_true(json_object_get(resolver, "running")))
		finding_say(f, CLI_FAILED, "It is started again by itself; if "
		    "this lasts, read the log.", "The resolver of the "
		    "supervisor is not running.");
	else if (count_bad(names, "ok", "unknown", &bad) > 0)
		finding_say(f, CLI_NO_NAME, "See: portcullis names",
		    "The name %.80s does not resolve: %s.",
		    cli_field_text(name, json_object_get(bad, "name")),
		    cli_field_text(state, json_object_get(bad, "state")));
	else if (count_waiting(names, "unknown") > 0)
		finding_say(f, CLI_FAILED, "", "A name has not been looked up "
		    "yet.");
	else
		finding_say(f, CLI_OK, "", "All names that are needed "
		    "resolve.");
}

void
check_transports(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *up = cli_field(s->line, NULL, "uplink"), *bad = NULL;
	const json_t *all = json_object_get(up, "transports");
	const json_t *proxy = json_object_get(json_object_get(up, "proxy"),
	    "state");
	char method[CLI_TEXT_CAP], state[CLI_TEXT_CAP];

	if (finding_unknown(f, s->line))
		return;
	if (!json_is_array(all))
		finding_say(f, CLI_UNKNOWN, "", "It is not known which "
		    "transports are needed.");
	else if (count_bad(all, "launched", "starting", &bad) > 0)
		finding_say(f, CLI_FAILED, "See: portcullis status",
		    "The transport %.80s does not work: %s.",
		    cli_field_text(method, json_object_get(bad, "method")),
		    cli_field_text(state, json_object_get(bad, "state")));
	else if (json_is_string(proxy) && !cli_field_is(proxy, "ok"))
		finding_say(f, CLI_FAILED, "See: portcullis status",
		    "The proxy of Tor does not work: %s.",
		    cli_field_text(state, proxy));
	else if (count_waiting(all, "starting") > 0)
		finding_say(f, CLI_FAILED, "",
		    "A transport is being started.");
	else
		finding_say(f, CLI_OK, "", json_array_size(all) == 0 ?
		    "Tor needs no transport." : "All transports run.");
}

/* --- the clock ------------------------------------------------------------ */

/* True, and F says so, if Tor cannot use its consensus by this clock. */
static bool
is_out_of_range(struct cli_finding *f, const json_t *line)
{
	const json_t *clock = cli_field(line, "consensus", "clock");
	bool slow = cli_field_is(clock, "slow");

	if (!slow && !cli_field_is(clock, "fast"))
		return false;
	finding_say(f, CLI_CLOCK, "Set the clock right (date -u shows it).",
	    "The clock is %s: it is outside the time range of the consensus.",
	    slow ? "slow" : "fast");
	return true;
}

void
check_consensus(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *clock = cli_field(s->line, "consensus", "clock");
	char until[CLI_TEXT_CAP];

	cli_field_text(until, cli_field(s->line, "consensus", "valid_until"));
	if (finding_off(f, s) || is_out_of_range(f, s->line))
		return;
	if (cli_field_is(clock, "ok"))
		finding_say(f, CLI_OK, "", "Tor has a consensus, valid until "
		    "%s.", until);
	else if (cli_field_is(clock, "noneyet"))
		finding_say(f, CLI_FAILED, "Wait: Tor gets it while it "
		    "bootstraps.", "Tor has no consensus yet.");
	else
		finding_say(f, CLI_UNKNOWN, "", "It is not known whether Tor "
		    "has a consensus.");
}

void
check_clock(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *consensus = cli_field(s->line, "consensus", "clock");
	const json_t *right = cli_field(s->line, "clock", "right");
	json_int_t skew;

	if (finding_unknown(f, s->line) || is_out_of_range(f, s->line))
		return;
	if (cli_field_number(&skew, cli_field(s->line, "consensus",
	    "skew_s")) && (skew > SKEW_MAX_S || skew < -SKEW_MAX_S)) {
		finding_say(f, CLI_CLOCK, "Set the clock right (date -u shows "
		    "it).", "The clock is %lld minutes %s the Tor network.",
		    (long long)(skew < 0 ? -skew : skew) / 60, skew < 0 ?
		    "behind" : "ahead of");
	} else if (json_is_true(cli_field(s->line, "clock", "required")) &&
	    !json_is_true(right)) {
		finding_say(f, CLI_POLICY, "Wait for time synchronisation.",
		    "The clock is not known to be right, as the policy "
		    "demands.");
		finding_reason_of(f, s->line, "time");
	} else if (json_is_true(right) || cli_field_is(consensus, "ok")) {
		finding_say(f, CLI_OK, "", "The clock is right%s.",
		    json_is_true(right) ? ", as far as time synchronisation "
		    "tells" : ", as far as the consensus tells");
	} else {
		finding_say(f, CLI_UNKNOWN, "", "It is not known whether the "
		    "clock is right: Tor has no consensus to tell by.");
	}
}

/* --- what we opened ------------------------------------------------------- */

void
check_listeners(struct cli_finding *f, const struct check_subject *s)
{
	json_int_t total, proven, alarms;
	bool known;

	known = cli_field_number(&total, cli_field(s->line, "listeners",
	    "total"));
	known = cli_field_number(&proven, cli_field(s->line, "listeners",
	    "proven")) && known;
	known = cli_field_number(&alarms, cli_field(s->line, "listeners",
	    "alarms")) && known;
	if (finding_cut_off(f, s))
		return;
	if (!known)
		finding_say(f, CLI_UNKNOWN, "", "The listeners of Tor are not "
		    "known.");
	else if (proven < total)
		finding_say(f, CLI_LISTENERS, "See: portcullis listeners",
		    "%lld of %lld listeners are not proven.", (long long)(total
		    - proven), (long long)total);
	else if (alarms > 0)
		finding_say(f, CLI_LISTENERS, "Remove them from torrc, or "
		    "name them in the policy.", "Tor has %lld listeners that "
		    "the policy does not name and others can reach.", (long
		    long)alarms);
	else
		finding_say(f, CLI_OK, "", "All %lld listeners are proven.",
		    (long long)total);
	if (f->code == CLI_LISTENERS)
		finding_reason_of(f, s->line, "listeners");
}

/*
 * "persist" is the kernel's to have, and "routes" may be off by the policy:
 * "status" advises on both, and neither is a fault of the firewall.
 */
static const char *
fallen_barrier(const json_t *line)
{
	static const char *const names[] = { "boot", "guard", "netdev",
		"forward4_off", "forward6_off" };
	const json_t *all = cli_field(line, "firewall", "barriers");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!json_is_true(json_object_get(all, names[i])))
			return names[i];
	return NULL;
}

void
check_firewall(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *line = s->line, *error, *position;
	const char *fallen = fallen_barrier(line);
	char text[CLI_TEXT_CAP];

	error = cli_field(line, "firewall", "error");
	position = cli_field(line, NULL, "position");
	if (!json_is_true(cli_field(line, "firewall", "known"))) {
		finding_say(f, CLI_UNKNOWN, "", "It is not known what "
		    "firewall the kernel holds.");
		finding_reason(f, line);
	} else if (json_is_string(error)) {
		finding_say(f, CLI_FIREWALL, "Read the log.", "The gate met a "
		    "fault of the kernel: %.160s.", cli_field_text(text,
		    error));
	} else if (fallen != NULL) {
		finding_say(f, CLI_FIREWALL, "See: portcullis status",
		    "A barrier does not stand: %s.", fallen);
	} else if (json_is_true(cli_field(line, NULL, "hold"))) {
		finding_say(f, CLI_POLICY, "Release it with: portcullis "
		    "release", "The firewall stands; an operator holds the "
		    "gate closed.");
	} else if (cli_field_is(position, "time-sync")) {
		finding_say(f, CLI_POLICY, "Wait for time synchronisation.",
		    "The firewall stands; it is open for time synchronisation "
		    "only.");
	} else if (cli_verdict(line) == CLI_UNKNOWN) {
		finding_say(f, CLI_UNKNOWN, "", "It is not known whether the "
		    "gate is open.");
		finding_reason(f, line);
	} else {
		finding_say(f, CLI_OK, "", "The firewall stands; the gate is "
		    "%s.", cli_field_text(text, position));
	}
}
