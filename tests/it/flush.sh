#!/bin/bash
# Another process flushes and deletes tables while packets flow fast and the
# kernel would forward: what arrives on the clear side is a leak.
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin
net_forward on
it_start
it_check "opens" it_wait_for open 60

blast()
{
	net_in workstation "$it_build/pktool" blast -t flush -r 25000 \
	    -s "$1" "$NET_WEB4" 4444
}

listen()
{
	net_spawn sink internet "$it_build/pktool" sink -t flush -i inet0
	net_wait 5 grep -q ready "$DIR/log/sink"
}

seen() # frames with our token on the clear side since listen
{
	kill -TERM "$(net_pid sink)"
	net_wait 5 net_dead sink
	sed -n 's/^count=\([0-9]*\) .*/\1/p' "$DIR/log/sink"
	rm -f "$DIR/pids/sink" "$DIR/log/sink"
}

disturb() # CMD...: again and again while the blast runs
{
	local rounds=0
	listen
	blast 4 >"$DIR/log/blast" 2>&1 &
	local job=$!
	while kill -0 $job 2>/dev/null; do
		net_in gateway "$@" >/dev/null 2>&1
		rounds=$((rounds + 1))
	done
	wait $job
	rate=$(($(sed -n 's/^sent=\([0-9]*\) .*/\1/p' "$DIR/log/blast") / 4))
	count=$(seen)
	echo "   $rounds times '$*' at $rate packets/s: $count leaked"
}

for what in "flush ruleset" "delete table inet portcullis_boot" \
    "delete table inet portcullis_guard" "delete table inet portcullis" \
    "delete table netdev portcullis_egress"; do
	# shellcheck disable=SC2086
	disturb nft $what
	it_check "nothing leaks under '$what'" [ "$count" = 0 ]
	it_check "sent at 20,000 per second or more" [ "$rate" -ge 20000 ]
done
# All four have an owner, who lives; before Linux 6.9 the boot table has none
# and is put back.
if it_field_is .firewall.flush_immunity yes; then
	it_check "none of it has changed anything" it_field_is \
	    .firewall.foreign_changes 0
else
	it_check "it was noticed" [ "$(it_field .firewall.foreign_changes)" \
	    -gt 0 ]
fi
it_check "the boot table is there" net_wait 5 net_in gateway nft list table \
    inet portcullis_boot
it_check "the gate opens again, or never closed" it_wait_for open 20

it_stop
net_in gateway "$it_build/portcullisd" --remove-rules >/dev/null
listen
blast 1 >/dev/null
count=$(seen)
it_check "without our tables they leak (positive control: $count)" \
    [ "$count" -gt 1000 ]
it_end
