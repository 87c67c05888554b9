#!/bin/bash
# More than one portcullisd: two begun at once, one in the middle of the
# other's start, one with another run_dir and policy, one that is killed in
# the middle; and many.  One opens; each other says one clear sentence.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin

sed -e 's|/run"|/run2"|' -e 's|"5300"|"5301"|' "$DIR/portcullis.conf" \
    >"$DIR/second.conf"
HELD='another portcullisd'

another() # NAME CONF
{
	net_spawn "$1" gateway "$it_build/portcullisd" --libexec-dir \
	    "$it_build" -f "$DIR/$2.conf"
}
lease_held()
{
	net_in gateway nft list set inet portcullis gate 2>/dev/null |
	    grep -q elements
}
one_lives() # NAME...
{
	local name n=0
	for name; do
		net_alive "$name" && n=$((n + 1))
	done
	[ $n = 1 ]
}
# Each that has ended has said why.
losers_said() # NAME...
{
	local name
	for name; do
		net_alive "$name" || grep -q "$HELD" "$DIR/log/$name" ||
		    return 1
	done
}
gates() # how many hold a lease: processes of that name in the namespace
{
	local pid n=0
	for pid in $(ip netns pids "$(net_ns gateway)"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != portcullis-gate ] ||
		    n=$((n + 1))
	done
	echo $n
}
one_gate() { [ "$(gates)" = 1 ]; }
none_left() { [ "$(gates)" = 0 ]; }

echo "# at once, in one run_dir"
rounds=2
[ -z "${NEAR_FULL:-}" ] || rounds=10
for ((i = 0; i < rounds; i++)); do
	another a portcullis &
	another b portcullis &
	another c portcullis &
	wait
	it_check "one of three stays" net_wait 10 one_lives a b c
	it_check "the others say why" losers_said a b c
	it_check "it opens" it_wait_for open 60
	it_check "there is one gate" net_wait 5 one_gate
	net_stop a b c
	it_check "all are gone" net_wait 5 none_left
	rm -f "$DIR"/log/[abc]
done

echo "# at once, with another policy in another run_dir"
for ((i = 0; i < rounds; i++)); do
	another a portcullis &
	another b second &
	wait
	it_check "one of two stays" net_wait 20 one_lives a b
	it_check "the other says why" losers_said a b
	it_check "there is one gate" net_wait 5 one_gate
	it_check "the lease is held" net_wait 60 lease_held
	net_stop a b
	it_check "all are gone" net_wait 5 none_left
	rm -f "$DIR"/log/[ab]
done

echo "# during a start"
for pause in 0.02 0.1 0.3; do
	another a portcullis
	sleep $pause
	another b second
	it_check "$pause s later: one stays" net_wait 20 one_lives a b
	it_check "$pause s later: the other says why" losers_said a b
	net_wait 60 lease_held
	it_check "$pause s later: one gate" one_gate
	net_stop a b
	net_wait 5 none_left
	rm -f "$DIR"/log/[ab]
done

echo "# killed in the middle"
it_start
it_check "opens" it_wait_for open 60
closes=$(it_field .firewall.closes)
epoch=$(it_field .firewall.epoch)
gate=$(it_pid gate)
for pause in 0.00 0.01 0.03 0.1 0.3; do
	for conf in portcullis second; do
		another x $conf
		sleep $pause
		pid=$(net_pid x) && kill -KILL "$pid"
		net_wait 5 net_dead x
	done
done
it_check "none of those who died has left a gate" net_wait 5 one_gate
it_check "the first did not close" it_field_is .firewall.closes "$closes"
it_check "nor begin anew" it_field_is .firewall.epoch "$epoch"
it_check "it has the same gate" [ "$(it_pid gate)" = "$gate" ]
it_check "and is open" lease_held

echo "# the first is killed while the second knocks"
another b second
kill -KILL "$(net_pid portcullisd)"
it_check "the first's lease is gone at once" net_wait 2 it_not lease_held
it_check "the first's gate, too" net_wait 5 it_gone "$gate"
net_wait 5 net_dead portcullisd
net_stop b
it_check "nothing of either is left" net_wait 5 none_left
it_start
it_check "a next one opens" it_wait_for open 60
it_check "a page comes through" it_retry 20 it_fetch trans4
it_end
