#!/bin/bash
# F6: in their order of rules an established flow survives every change of
# mode; ours are cut by each close, TCP and UDP, workstations' and the
# gateway's own, and forgotten by conntrack.
# shellcheck disable=SC2086 # lists of addresses are words
# shellcheck source=tests/it/holes.bash
. "$(dirname "$0")/holes.bash"
holes_begin
holes_tor

# One of each kind.
flows_begin()
{
	flow tcp "$WS" 0 10.152.152.10:9050
	flow redirected "$WS" 0 198.51.100.1:80
	flow dns "$WS" 0 udp:198.51.100.1:53
	flow ipv6 "$WS" 0 "$ADDR6:9104"
	flow local "$GW" $UID_USER 127.0.0.1:9050
	flows_run "$1: a flow runs" $WORKSTATIONS local
}
WORKSTATIONS="tcp redirected dns ipv6"

# How many flows conntrack knows as let in by ours: theirs leave some too.
entries()
{
	in_gw cat /proc/net/nf_conntrack | grep -c "mark=$((0x40000000))"
}
no_entries() { [ "$(entries)" = 0 ]; }

theirs
flows_begin theirs
theirs -m timesync-fail-closed
none "theirs: the mode is another" ws_answers -- 10.152.152.10:9050 \
    "$ADDR6:9104" 198.51.100.1:80
flows_run "theirs: it runs on: the hole" $WORKSTATIONS
flows_end
theirs_gone

ours < <(holes_listeners)
for how in closed tor; do
	keep open
	flows_begin "ours"
	check "ours: conntrack knows them" [ "$(entries)" -ge 5 ]
	say $how
	flows_cut "ours, $how: it is cut" $WORKSTATIONS local
	check "ours, $how: conntrack has forgotten them" in_time no_entries
	flows_end
done
keep open
flows_begin "ours"
kill -KILL "$GATE_PID"
await '^gate-ended' 5
flows_cut "ours, killed: it is cut" $WORKSTATIONS local
flows_end
ours_gone
it_end
