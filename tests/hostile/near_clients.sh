#!/bin/bash
# Clients of our sockets that mean no good, while the gate is open: it stays
# open, the others are still served, nothing leaks, and a close still happens.
# NEAR_FULL=1: with 10^5 connections.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin
it_start
it_need "opens" it_wait_for open 60
MALLORY=64010
COUNT=1500 CALM=1 STORM=2
[ -z "${NEAR_FULL:-}" ] || { COUNT=100000 CALM=10 STORM=30; }
ulimit -n 20000

STATUS=$(it_pid status) || exit 1
GATE=$(it_pid gate) || exit 1
ENGINE=$(it_pid engine) || exit 1

# client NAME UID JOB SOCKET ARGUMENT...: one of theirs, in the background.
client()
{
	local name=$1 uid=$2 job=$3 socket=$4
	shift 4
	net_spawn "$name" gateway "$net_python" \
	    "$it_src/tests/hostile/near_clients.py" "$uid" "$job" \
	    "$DIR/run/$socket" "$@"
}
client_said()
{
	grep -q "$2" "$DIR/log/$1"
}
# told NAME COUNTER: what it counted.
told()
{
	sed -n "s/.* $2=\([0-9]*\).*/\1/p" "$DIR/log/$1" | tail -n 1
}

fd_count() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
memory_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
fds_are() { [ "$(fd_count "$1")" -le "$2" ]; }

# lease_text SECONDS: the least that was left of it, ms, by what nft prints.
lease_text()
{
	local end=$(($(net_clock) + $1 * 100))
	while [ "$(net_clock)" -lt "$end" ]; do
		net_in gateway nft list set inet portcullis gate
	done | grep -o 'expires [0-9ms]*' | sed 's/expires //' | awk '{
		ms = 0; t = $0
		if (match(t, /^[0-9]+s/)) {
			ms = 1000 * substr(t, 1, RLENGTH - 1)
			t = substr(t, RLENGTH + 1)
		}
		if (match(t, /^[0-9]+ms/))
			ms += substr(t, 1, RLENGTH - 2)
		if (least == "" || ms < least)
			least = ms
	    } END { print least + 0 }'
}

lease_held()
{
	net_in gateway nft list set inet portcullis gate | grep -q elements
}
lease_gone() { ! lease_held; }

# One close by request: until the kernel holds none, in ms.
close_ms()
{
	local begin rc # of the background
	begin=$(date +%s%N)
	it_portcullis hold >/dev/null 2>&1 &
	rc=$!
	net_wait 20 lease_gone &&
	    echo $((($(date +%s%N) - begin) / 1000000))
	wait $rc # whether it was answered
}
open_again()
{
	it_portcullis release >/dev/null && it_wait_for open 30
}

closes=$(it_field .firewall.closes)
fds=$(fd_count "$STATUS")
kb=$(memory_kb "$STATUS")

# --- each kind, one after the other ----------------------------------------

client requests 0 requests control.sock
it_check "what is no request gets an answer each" net_wait 30 client_said \
    requests ready
it_check "none of them was done" [ "$(told requests "done")" = 0 ]
it_check "each was told, in a line" [ "$(told requests silent)" = 0 ]
it_check "there were some (positive control)" [ "$(told requests refused)" \
    -ge 20 ]
it_check "and nothing is held" it_field_is .hold false

client mallory $MALLORY requests control.sock
it_check "another user is refused at the door" net_wait 20 client_said \
    mallory "ready refused=0 silent=[0-9]* done=0"

for socket in status.sock control.sock; do
	client "fds-$socket" 0 fds $socket 100
	it_check "$socket: thousands of descriptors are passed" net_wait 20 \
	    client_said "fds-$socket" ready
	it_check "some of them really (positive control)" \
	    [ "$(told "fds-$socket" sent)" -ge 640 ]
	client "halves-$socket" 0 halves $socket 60
	it_check "$socket: half-closed connections" net_wait 60 client_said \
	    "halves-$socket" ready
done
it_check "who still reads is still told" [ \
    "$(told halves-status.sock heard)" = 30 ]
it_check "none of those descriptors is left with us" net_wait 20 fds_are \
    "$STATUS" $((fds + 2))
it_check "nothing closed" it_field_is .firewall.closes "$closes"

# --- all at once -----------------------------------------------------------

calm_margin=$(lease_text $CALM)
calm_close=$(close_ms)
it_check "a close happens, in the calm (positive control)" [ -n \
    "$calm_close" ]
it_check "and opens again" open_again
closes=$(it_field .firewall.closes)

client idle-m $MALLORY idle status.sock 400
client slow-m $MALLORY slow status.sock 200
client idle-c 0 idle control.sock 10
client half-c 0 half control.sock 10
client waves-m $MALLORY waves status.sock "$COUNT" 500
client waves-r 0 waves status.sock $((COUNT / 4)) 200
for n in 1 2 3; do
	client "storm-s$n" $MALLORY storm status.sock $((STORM + 20))
done
client storm-c 0 storm control.sock $((STORM + 20))
client flood-c 0 flood control.sock $((STORM + 20))
it_check "the storm blows" net_wait 20 client_said flood-c ready
storm_margin=$(lease_text $STORM)
it_check "the gate is open in the storm" lease_held
it_check "status still answers root" it_field_is .position open
it_check "nothing closed in it" it_field_is .firewall.closes "$closes"
storm_close=$(close_ms)
it_check "a hold is answered in it, within the client's patience" [ $? = 0 ]
it_check "and the gate closes" [ -n "$storm_close" ]
it_check "the lease is gone" lease_gone
for n in waves-m waves-r; do
	it_check "$n: all had their say" net_wait $((30 + COUNT / 200)) \
	    client_said $n ready
	echo "   $n: $(tail -n 1 "$DIR/log/$n")"
	it_check "$n: each has a place or one refusing line" [ \
	    "$(($(told $n snapshot) + $(told $n refused) ))" -ge \
	    $((COUNT / 4)) ]
	it_check "$n: none was just dropped" [ "$(told $n dropped)" = 0 ]
done
net_stop idle-m slow-m idle-c half-c storm-s1 storm-s2 storm-s3 \
    storm-c flood-c
it_check "it opens again behind it" open_again
it_check "no descriptor is left" net_wait 20 fds_are "$STATUS" $((fds + 2))
echo "   least left of the lease: $calm_margin ms calm, $storm_margin ms in" \
    "the storm; a close by request: ${calm_close:-?} ms and" \
    "${storm_close:-?} ms, times $(awk -v a="${storm_close:-0}" \
    -v b="${calm_close:-1}" 'BEGIN { printf "%.1f", a / (b ? b : 1) }')"
echo "   memory of status: $kb kB before, $(memory_kb "$STATUS") kB after"
it_check "none of our processes was replaced" [ "$STATUS $GATE $ENGINE" = \
    "$(it_pid status) $(it_pid gate) $(it_pid engine)" ]
it_check "a page comes through" it_retry 20 it_fetch trans4
it_end
