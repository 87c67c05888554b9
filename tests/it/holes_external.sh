#!/bin/bash
# F16: what their settings open towards the outside they open on all
# interfaces: workstations, and Tor's own listeners for the outside.  A service
# of ours names its interface, and is never one of Tor's listeners.
# shellcheck disable=SC2086 # lists of addresses are words
# shellcheck source=tests/it/holes.bash
. "$(dirname "$0")/holes.bash"
holes_begin
holes_tor
WANTED="udp:192.0.2.10:123"
WANTED_ALL="192.0.2.10:22 udp:192.0.2.10:137"
INSIDE_123="udp:10.152.152.10:123 udp:$ADDR6:123"
INSIDE="10.152.152.10:22 udp:10.152.152.10:137 $ADDR6:22 udp:$ADDR6:137"
holes_serve "$GW" 0 $WANTED $WANTED_ALL $INSIDE_123 $INSIDE
all "control: from outside all answers" out_answers -- $WANTED $WANTED_ALL \
    10.152.152.10:9050
all "control: from inside too" ws_answers -- $WANTED $WANTED_ALL \
    $INSIDE_123 $INSIDE

theirs
none "theirs, shut: nothing from outside" out_answers -- $WANTED \
    $WANTED_ALL 10.152.152.10:9050
none "theirs, shut: nothing of these from inside" ws_answers -- \
    $INSIDE_123 udp:10.152.152.10:137
theirs EXTERNAL_UDP_OPEN_PORTS=123
all "theirs, UDP port: from outside" out_answers -- $WANTED
all "theirs, UDP port: from workstations too: the hole" \
    ws_answers -- $INSIDE_123
theirs EXTERNAL_OPEN_ALL=true
all "theirs, all: workstations reach any UDP port: the hole" \
    ws_answers -- $INSIDE_123 udp:10.152.152.10:137 "udp:$ADDR6:137"
all "theirs, all: the outside reaches Tor's listeners" \
    out_answers -- 10.152.152.10:9050 udp:10.152.152.10:5300
theirs EXTERNAL_OPEN_ALL=true -m timesync-fail-closed
all "theirs, all: and workstations all of Tor's before the time is right" \
    ws_answers -- $ON_INT $INSIDE
theirs_gone

LISTENERS_OF_OURS="10.152.152.10:9050 10.152.152.10:9190
    udp:10.152.152.10:5300"
# ours_with SERVICE...: sections
ours_with() { ours < <(holes_listeners; printf '%s\n' "$@"); }

# ours_holds WHAT: at closed and at open.
ours_holds()
{
	local at
	for at in closed open; do
		[ $at = closed ] || keep open
		none "ours, $1, $at: no workstation" ws_answers -- \
		    $INSIDE_123 $INSIDE $WANTED $WANTED_ALL
		none "ours, $1, $at: Tor's listeners are not the outside's" \
		    out_answers -- $LISTENERS_OF_OURS
		all "ours, $1, $at: from outside" out_answers -- $2
	done
	all "ours, $1: workstations reach Tor" ws_answers -- \
	    10.152.152.10:9050 $ADDR6:9190
}

ours_with 'service "ntp" { interface = "ext0" protocol = "udp" port = 123 }'
ours_holds "UDP port" "$WANTED"
none "ours, UDP port: nothing else from outside" out_answers -- $WANTED_ALL
ours_gone

ours_with 'service "all" { interface = "ext0" protocol = "any" }'
ours_holds "all" "$WANTED $WANTED_ALL"
ours_gone

note "and one for workstations"
ours_with 'service "ntp" { interface = "ws0" protocol = "udp" port = 123 }'
none "ours, inside: not while closed" ws_answers -- $INSIDE_123
keep open
all "ours, inside: open" ws_answers -- $INSIDE_123
none "ours, inside: not from outside" out_answers -- $WANTED $WANTED_ALL \
    $INSIDE_123
ours_gone
it_end
