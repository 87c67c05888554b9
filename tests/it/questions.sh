#!/bin/bash
# Tor (0.4.9.11) does not survive that a DNSPort is shut amid a question.  We
# shut them at the begin of each session, to open them anew: whatever was asked
# then is ended first.
# shellcheck disable=SC2154 # lib.bash sets what is used here
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
. "${top_srcdir:?}/tests/net/uplink.bash"
QUESTIONS=20
it_begin --no-tor
# As on a Whonix gateway: its torrc has the policy's lines.
it_policy_lines >"$DIR/tor/torrc.extra"

# it_ask TAG SECONDS PORT: names whose answers come so late.
it_ask()
{
	local i
	net_dns '*' "slow:$2" "$NET_WEB4"
	for ((i = 0; i < QUESTIONS; i++)); do
		net_in workstation dig -p "$3" +tries=1 "+time=$2" \
		    "@$NET_GW4" "n$i.$1.test" A >/dev/null 2>&1 &
	done
	it_answers=$(($(net_clock) + $2 * 100))
}

# Tor has put them all to an exit, and has no answer.
it_under_way()
{
	local n
	n=$(net_tor_ctl "GETINFO stream-status" | grep -c ' SENTRESOLVE ')
	[ "$n" = "$QUESTIONS" ] && [ "$(net_clock)" -lt "$it_answers" ]
}

# No question is under way, and the last would have had its answer long ago.
it_answers_are_past()
{
	[ "$(net_clock)" -gt $((it_answers + 100)) ]
}

# Tor does what it is asked to, in time.
it_tor_works()
{
	net_alive tor && timeout 5 "$it_net" tor-ctl "$DIR" \
	    "GETINFO version" >/dev/null 2>&1
}

# How many has Tor ended since, because it was told to?
it_ended()
{
	[ "$(grep -c '^650 STREAM [0-9]* [A-Z]* .*REASON=MISC' \
	    "$DIR/log/events")" -ge "$QUESTIONS" ]
}

# --- what it is all about ---------------------------------------------------

net_tor_start
it_plain()
{
	net_in workstation dig -p 5300 +short +tries=1 +time=5 "@$NET_GW4" \
	    "$NET_NAME" A | grep -q "$NET_WEB4"
}
it_check "without us a name through the DNSPort" it_retry 20 it_plain
it_ask control 2 5300
it_check "questions are under way (positive control)" net_wait 2 it_under_way
net_tor_ctl "SETCONF DNSPort=0" "SETCONF DNSPort=$NET_GW4:5300" >/dev/null
net_wait 10 it_answers_are_past
it_check "shut and opened amid them, Tor is lost (positive control)" \
    it_not it_tor_works
tor=$(net_pid tor) && kill -KILL "$tor"
net_stop tor

# --- by us -------------------------------------------------------------------

net_tor_start --no-wait
it_start
it_need "opens" it_wait_for open 60
it_check "all are proven" net_wait 10 it_all_proven
it_check "a name through the DNSPort" it_retry 20 it_resolve "$NET_GW4"
tor=$(net_pid tor)

# it_survives WHAT TAG COMMAND...: done by COMMAND amid questions.
it_survives()
{
	local what=$1 tag=$2
	shift 2
	: >"$DIR/log/events"
	it_events STREAM
	it_ask "$tag" 4 53
	it_check "$what: questions are under way" net_wait 3 it_under_way
	"$@"
	it_check "$what: they are ended" net_wait 4 it_ended
	it_check "$what: open again" it_wait_for open 20
	it_check "$what: all are proven" net_wait 10 it_all_proven
	net_wait 10 it_answers_are_past
	it_check "$what: Tor has survived it" it_tor_works
	it_check "$what: it is the same Tor" [ "$(net_pid tor)" = "$tor" ]
	it_check "$what: no repair was needed" it_field_is .counters.repairs 0
	it_check "$what: what is asked now is answered" it_retry 10 \
	    it_resolve "$NET_GW4"
	net_stop events
}

it_kill_engine()
{
	local pid
	pid=$(it_pid engine) && kill -KILL "$pid"
}

it_restart()
{
	it_stop
	it_start
}

it_survives "another engine" engine it_kill_engine
it_survives "another supervisor" restart it_restart
it_check "nothing was given up" it_not grep -q "questions under way" \
    "$DIR/log/portcullisd"
it_check "no name is in the log" it_not grep -q '\.test' \
    "$DIR/log/portcullisd"
it_end
