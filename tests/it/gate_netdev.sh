#!/bin/bash
# External interfaces come and go, one by one, while packet sockets fire at
# them: each has its chain as soon as it is there, and none loses it when
# another goes.
. "$(dirname "$0")/gate.bash"
it_begin
servers_start
# Earlier than Linux 6.16 there are a few milliseconds until the gate knows.
by_name=no
if in_ws nft -f - 2>/dev/null <<-'END'; then
	table netdev probe {
		chain c {
			type filter hook egress device "nowhere" priority 0
		}
	}
	END
	by_name=yes
fi

# Each request ("say tor") brings a report, and shows that the engine lives.
tun_up()
{
	ip -n "$GW" link add "${1:-tun0}" type veth peer name tun1 netns "$OUT"
	ip -n "$OUT" link set tun1 up
	ip -n "$GW" link set "${1:-tun0}" up
}
tun_down() { ip -n "$GW" link del tun0; }

counter_start() # TOKEN...
{
	: >"$IT_DIR/hits"
	(exec ip netns exec "$OUT" python3 "$IT_SRC/shots.py" count "$@" \
	    >"$IT_DIR/hits") &
	COUNTER=$!
	ready 1 "$IT_DIR/hits"
}
counter_stop()
{
	sleep 0.2
	kill "$COUNTER"
	wait "$COUNTER"
}

volley() # what is fired and counted from here on
{
	local iface
	counter_start shot-ext0 shot-tun0
	SHOOTERS=
	for iface in ext0 tun0; do
		(exec ip netns exec "$GW" python3 "$IT_SRC/shots.py" fire \
		    $iface shot-$iface >"$IT_DIR/shots-$iface") &
		SHOOTERS="$SHOOTERS $!"
	done
}
volley_end() # FIRED_* and HIT_* of the two
{
	sleep 0.2
	# shellcheck disable=SC2086 # their numbers
	kill $SHOOTERS # which have long begun
	# shellcheck disable=SC2086
	wait $SHOOTERS
	counter_stop
	FIRED_EXT=$(cat "$IT_DIR/shots-ext0")
	FIRED_TUN=$(cat "$IT_DIR/shots-tun0")
	read -r HIT_EXT HIT_TUN <<<"$(tail -1 "$IT_DIR/hits")"
	note "fired $FIRED_EXT and $FIRED_TUN, got out $HIT_EXT and $HIT_TUN"
}
come_and_go() # TIMES
{
	local i
	for ((i = 0; i < $1; i++)); do
		tun_up
		sleep 0.3
		tun_down
		sleep 0.1
	done
}
egress() { in_gw nft list set inet portcullis egress; }
shoot() # IFACE: a hundred shots; how many have got out is in HITS
{
	counter_start shot-one
	in_gw timeout 20 python3 "$IT_SRC/shots.py" fire "$1" shot-one 100 \
	    >"$IT_DIR/fired"
	counter_stop
	HITS=$(tail -1 "$IT_DIR/hits")
	[ "$(cat "$IT_DIR/fired")" = 100 ]
}
guarded() { shoot "$1" && [ "$HITS" = 0 ]; }
unguarded() { shoot "$1" && [ "$HITS" -gt 50 ]; }

note "positive control: without rules packet sockets get out at both"
tun_up
check "control: ext0 is not guarded" unguarded ext0
check "control: nor is tun0" unguarded tun0
tun_down
volley
come_and_go 3
volley_end
check "control: both come out, whenever there is an interface" [ \
    "$HIT_EXT" -gt 200 -a "$HIT_TUN" -gt 200 ]

note "one of two is missing"
gate_start -e tun0
check "stands, and so does the barrier" now_is \
    'position=closed known=1 .*barriers=0x[57]f'
check "says which one is missing, once" [ "$(grep -c \
    'external interface tun0 is not there: nothing leaves by it' \
    "$IT_DIR/drv.err")" = 1 ]
check "and tells it to the engine" now_is 'absent=0x2'
check "ext0 is guarded" guarded ext0
check "Tor goes out by ext0" ask_gw $TOR_UID 192.0.2.1:443
refuse "root does not" ask_gw 0 192.0.2.1:443

note "it comes"
tun_up
sleep 0.2
say tor
check "told: it is there" now_is 'barriers=0x[57]f .*absent=0x0'
check "tun0 is guarded" guarded tun0
check "ext0 still is" guarded ext0
check "the log says so" grep -q 'external interface tun0 is there' \
    "$IT_DIR/drv.err"
check "both have a chain" [ "$(in_gw nft list table netdev portcullis_egress |
    grep -c 'hook egress device')" = 2 ]

note "it goes"
tun_down
sleep 0.2
say tor
check "told: it is gone" now_is 'barriers=0x[57]f .*absent=0x2'
check "ext0 is guarded" guarded ext0
check "Tor's lease lives" grep -q elements <(egress)
say wait 1300
say tor
check "nobody has meddled" now_is 'foreign=0 '
check "a second later too" now_is 'barriers=0x[57]f .*absent=0x2'

note "it comes under another name"
tun_up veth9
say tor
check "one that the policy does not name is not ours" unguarded veth9
ip -n "$GW" link set veth9 name tun0
sleep 0.2
say tor
check "renamed: told" now_is 'barriers=0x[57]f .*absent=0x0'
check "renamed: guarded" guarded tun0
tun_down

note "again and again, while packet sockets fire"
volley
come_and_go 15
volley_end
check "there was something to stop" [ "$FIRED_EXT" -gt 2000 -a \
    "$FIRED_TUN" -gt 1000 ]
check "nothing has got out at ext0" [ "$HIT_EXT" = 0 ]
if [ $by_name = yes ]; then
	check "nor at tun0, not even its first packet" [ "$HIT_TUN" = 0 ]
else
	check "at tun0 only until the gate knew" [ "$HIT_TUN" -lt 150 ]
fi

note "the other one"
say engine # the first has been silent for too long
tun_up
ip -n "$GW" link del ext0
sleep 0.2
say tor
check "ext0 gone: told" now_is 'barriers=0x[57]f .*absent=0x1'
check "ext0 gone: tun0 is guarded" guarded tun0
tun_down
sleep 0.2
say tor
check "none left: told" now_is 'known=1 .*barriers=0x[57]f .*absent=0x3'
gate_stop

note "positive control: without the gate's table they fire again"
ip -n "$GW" link add ext0 type veth peer name ext1 netns "$OUT"
ip -n "$OUT" link set ext1 up
ip -n "$GW" link set ext0 up
tun_up
check "stopped: both stay guarded" eval 'guarded ext0 && guarded tun0'
in_gw "$DRV" -r >/dev/null
check "removed: ext0 is not" unguarded ext0
check "removed: nor is tun0" unguarded tun0
tun_down

note "the keeper holds the tables"
gate_start -A -e tun0
check "held: the barrier stands" now_is 'barriers=0x[57]f .*absent=0x2'
check "held: ext0 is guarded" guarded ext0
volley
come_and_go 5
volley_end
check "held: there was something to stop" [ "$FIRED_EXT" -gt 700 -a \
    "$FIRED_TUN" -gt 300 ]
check "held: nothing has got out at ext0" [ "$HIT_EXT" = 0 ]
[ $by_name = no ] || check "held: nor at tun0" [ "$HIT_TUN" = 0 ]
tun_up
sleep 0.2
say tor
check "held: told" now_is 'barriers=0x[57]f .*absent=0x0'
check "held: tun0 is guarded" guarded tun0
if [ $by_name = yes ]; then
	kill -KILL "$GATE_PID"
	await '^gate-ended' 3
	in_gw nft flush ruleset
	check "gate dead, all flushed: both are guarded" eval \
	    'guarded ext0 && guarded tun0'
	tun_down
	tun_up
	check "and tun0 when it comes again" guarded tun0
fi
gate_stop
in_gw "$DRV" -r >/dev/null
check "removed again: ext0 is not" unguarded ext0
it_end
