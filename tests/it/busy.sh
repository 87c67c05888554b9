#!/bin/bash
# A busy but honest Tor, with the table of a Whonix gateway: other controllers
# keep it at it, the isolation check runs in a loop, and the gate stays open.
# What does take something back, a reload, closes, and is over at once.
# BUSY=SECONDS, for longer than the few of "make check-it".
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
it_whonix_policy || exit 1
busy=${BUSY:-12}

# other NAME MS COMMAND...: a controller that is not ours.
other()
{
	local name=$1
	shift
	net_spawn "$name" gateway "$net_python" "$it_src/tests/it/torctl.py" \
	    --cookie "$DIR/tor/control/cookie" 127.0.0.1:9051 repeat "$@" &&
	    net_wait 5 grep -q '^250' "$DIR/log/$name"
}

# closes: how often the gate was asked to be lower.
closes()
{
	grep -c 'asked gate=tor-only' "$DIR/log/portcullisd"
}

unsettled()
{
	grep -q -e 'Tor takes back' -e 'reason=unsettled' \
	    "$DIR/log/portcullisd" || it_field_is .reason.code unsettled
}

# At least so many lines that begin with TEXT are in the log NAME.
many() # NAME TEXT COUNT
{
	[ "$(grep -c "^$2" "$DIR/log/$1")" -ge "$3" ]
}

checks()
{
	local end=$((SECONDS + busy)) n=0
	while [ $SECONDS -lt $end ]; do
		it_portcullis check isolation >"$DIR/check" 2>&1 &&
		    n=$((n + 1))
		it_fetch socks4
	done
	[ $n -gt 1 ]
}

# One every two seconds, and no more of them than repairs in a minute.
reloads()
{
	local i
	for ((i = 0; i < 5; i++)); do
		kill -HUP "$(net_pid tor)"
		sleep 2
	done
}

net_tor_start
it_start
it_need "opens" it_wait_for open 60
it_check "all are proven" net_wait 20 it_all_proven
it_check "a page passes" it_retry 30 it_fetch socks4

it_knocker knocks "$NET_GW4:9050"
net_wait 5 it_knocks_more knocks ok 50
before=$(closes)
no=$(it_knocks knocks no)
it_events CIRC STREAM CONF_CHANGED SIGNAL BW GUARD NS NEWDESC
it_check "NEWNYM each second" other newnym 1000 "SIGNAL NEWNYM"
it_check "twenty circuits a second" other circuits 50 "EXTENDCIRCUIT 0"
it_check "options that are not ours, twenty times a second" other options 50 \
    "SETCONF MaxCircuitDirtiness=601" "SETCONF MaxCircuitDirtiness=602"
it_check "isolation is checked over and over" checks
it_check "Tor was busy: identities" many newnym 250 $((busy / 2))
it_check "... circuits" many events "650 CIRC " $((busy * 10))
it_check "... streams" many events "650 STREAM " 10
it_check "... options" many events "650-CONF_CHANGED" $((busy * 10))
it_check "the gate was open all the while" [ "$(closes)" = "$before" ]
it_check "as the workstation saw" it_undisturbed knocks "$no"
it_check "and settled" it_not unsettled
it_check "with options changing a hold is released at once" eval '
    it_portcullis hold >/dev/null && it_wait_for closed 5 &&
    it_portcullis release >/dev/null && it_wait_for open 3'

ok=$(it_knocks knocks ok)
: >"$DIR/log/events"
reloads
it_check "Tor was reloaded" many events "650 SIGNAL RELOAD" 5
it_check "and open again at once, each time" it_knocks_more knocks ok \
    $((ok + 200))
it_check "reloads do not unsettle it" it_not unsettled
it_check "open" it_wait_for open 5
it_check "no one of them cost us the session" it_field_is .counters.links 1
it_end
