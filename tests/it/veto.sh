#!/bin/bash
# Mode "veto": beside a ruleset of a Whonix gateway's shape, which redirects.
# Ours only withholds: both must permit.  Nothing gets through while ours is
# closed, whatever happens to theirs: reloads in a loop, its failure path, its
# end; and none of that makes ours close, or open.
# shellcheck disable=SC2086 # lists of addresses are words
# shellcheck source=tests/it/holes.bash
. "$(dirname "$0")/holes.bash"
holes_begin
holes_tor
# What their rules would forward, were they not there, is to have a way.
in_gw sysctl -q -w net.ipv4.ip_forward=1
holes_serve "$GW" 0 127.0.0.1:8888 10.152.152.10:9051 192.0.2.10:22
SOCKS="10.152.152.10:9050 10.152.152.10:9152 $ADDR6:9104 $ADDR6:9229"
REDIRECTED="198.51.100.1:80 198.51.100.1:443 udp:198.51.100.1:53"
REACHED="$SOCKS $REDIRECTED 10.152.152.10:9051"
LOCAL="127.0.0.1:9050 ::1:9104 10.152.152.10:9108 udp:127.0.0.1:5400"

policy()
{
	holes_listeners
	cat <<-END
	firewall { mode = "veto" }
	egress "clearnet" { user = $UID_CLEARNET }
	service "filter" { interface = "ws0" protocol = "tcp" port = 9051 }
	service "ssh" { interface = "ext0" protocol = "tcp" port = 22 }
	END
}

shut()
{
	none "$1: workstations" ws_answers -- $REACHED
	none "$1: the gateway's own programs" \
	    gw_answers $UID_USER -- $LOCAL $CLEAR
}

ours < <(policy)
keep open
note "ours alone: no redirect is ours to make"
none "alone: nothing is redirected" ws_answers -- $REDIRECTED
all "alone: listeners are reached" ws_answers -- $SOCKS
check "alone: no nat chain of ours" [ "$(in_gw nft list ruleset |
    grep -c 'type nat')" = 0 ]

note "both"
theirs EXTERNAL_OPEN_PORTS=22
all "both, open: SOCKS by their redirect to itself, TransPort, DNS, service" \
    ws_answers -- $REACHED
all "both, open: the gateway's own programs" gw_answers $UID_USER -- $LOCAL
none "both, open: their local networks are not open to all" \
    gw_answers $UID_USER -- $LAN $CLEAR
all "both, open: the policy's user goes past Tor" \
    gw_answers $UID_CLEARNET -- $CLEAR
all "both, open: Tor reaches its relays" gw_answers $TOR_UID -- 192.0.2.1:443
all "both, open: a service from outside" out_answers -- 192.0.2.10:22
none "both, open: Tor's listeners not from outside" out_answers -- \
    10.152.152.10:9050 udp:10.152.152.10:5300
flow redirected "$WS" 0 198.51.100.1:80
flow dns "$WS" 0 udp:198.51.100.1:53
flow socks "$WS" 0 10.152.152.10:9050
flows_run "both, open: a flow runs" redirected dns socks
say closed
flows_cut "both, closed: it is cut" redirected dns socks
flows_end
shut "both, closed"

# keeps_reloading and stops_reloading: theirs, without end.
keeps_reloading()
{
	ip netns exec "$GW" bash -c 'trap "exit 0" TERM
	    while :; do
		bash "$1" load && echo reload >>"$2"
	    done' bash "$SHAPE" "$IT_DIR/reloads" &
	RELOADER=$!
}

stops_reloading()
{
	kill "$RELOADER"
	wait "$RELOADER"
}

reloads() { wc -l <"$IT_DIR/reloads"; }

# The number of closes that the gate has reported, and its barriers.
closes() { sed -n 's/^report.* closes=\([0-9]*\).*/\1/p' "$IT_DIR/drv.out" |
    tail -1; }
barriers() { sed -n 's/^report.* \(barriers=[^ ]*\).*/\1/p' \
    "$IT_DIR/drv.out" | tail -1; }

# quiet SENTENCE: the floods got nowhere since $out and $in_ were taken.
quiet_begin() { out=$(seen outside) in_=$(seen inside); }
quiet()
{
	check "$1: nothing gets out" [ "$(seen outside)" = "$out" ]
	check "$1: nothing gets in" [ "$(seen inside)" = "$in_" ]
}

# some_reloads N: so many more.
some_reloads()
{
	local want=$(($(reloads) + $1))
	while [ "$(reloads)" -lt $want ]; do sleep 0.05; done
}

note "theirs reloads in a loop, under a flood"
: >"$IT_DIR/reloads"
watch_begin
keep open
floods_begin
gets "control: the flood gets to Tor's listeners while open" inside
closed_before=$(closes) barriers_before=$(barriers)
keeps_reloading
out=$(seen outside)
some_reloads 20
check "reloads, open: nothing gets out" [ "$(seen outside)" = "$out" ]
check "reloads, open: ours has not closed" \
    [ "$(closes)" = "$closed_before" ]
check "reloads, open: ours says so" now_is 'position=open known=1'
gets "reloads, open: the flood still gets in" inside
say closed
quiet_begin
some_reloads 20
quiet "reloads, closed"
check "reloads, closed: every barrier of ours stands" \
    [ "$(barriers)" = "$barriers_before" ]
check "reloads, closed: nobody changed what is ours" now_is 'foreign=0'
stops_reloading
shut "reloads, closed"

note "their failure path"
theirs
quiet_begin
in_gw env SHAPE_PAUSE=0.02 bash "$SHAPE" lockdown
quiet "failure path, closed"
theirs
keep open
gets "control: the flood gets in" inside
out=$(seen outside)
in_gw env SHAPE_PAUSE=0.02 bash "$SHAPE" lockdown
check "failure path, open: nothing gets out" [ "$(seen outside)" = "$out" ]
shut "failure path, afterwards"

note "theirs is removed altogether"
say closed
theirs_gone
quiet_begin
shut "removed, closed"
quiet "removed, closed"
keep open
out=$(seen outside)
none "removed, open: nothing is redirected" ws_answers -- $REDIRECTED
none "removed, open: nobody goes past Tor" gw_answers $UID_USER -- $CLEAR $LAN
all "removed, open: proven listeners" ws_answers -- $SOCKS
check "removed, open: nothing gets out" [ "$(seen outside)" = "$out" ]

note "control: without ours their failure path leaks"
ours_gone
theirs
out=$(seen outside)
in_gw env SHAPE_PAUSE=0.02 bash "$SHAPE" lockdown
note "$(($(seen outside) - out)) packets"
check "control: it does" [ "$(seen outside)" -gt "$out" ]
floods_end
it_end
