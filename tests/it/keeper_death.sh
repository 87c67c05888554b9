#!/bin/bash
# portcullisd itself is killed: nothing of it is left, the gate is closed, the
# static rules stay, and a new one takes over what it finds.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin
net_forward on
it_start
it_check "opens" it_wait_for open 60
it_check "a page comes through (positive control)" it_retry 30 it_fetch trans4

# The gate's own child, and what is ours by its name, whoever its parent is.
purge_pid()
{
	local gate
	gate=$(it_pid gate) && tr -d ' ' <"/proc/$gate/task/$gate/children"
}
ours()
{
	local pid
	for pid in $(ip netns pids "$(net_ns gateway)"); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		portcullis*) echo "$pid" ;;
		esac
	done
}
ours_are() # HOW MANY
{
	[ "$(ours | wc -l)" = "$1" ]
}

read -ra family < <(it_family | tr '\n' ' ')
it_check "four processes" [ ${#family[@]} = 4 ]
it_check "and the one that forgets flows" ours_are 5
# One of them alone: what it has started ends with it, the rest stays.
for who in status engine gate; do
	pid=$(it_pid $who) && purge=$(purge_pid)
	kill -KILL "$pid"
	[ $who = gate ] || purge=
	it_check "the $who is killed: nothing of it is left" net_wait 2 \
	    it_gone "$pid" $purge
	it_check "the $who is there again, and nobody besides" net_wait 10 \
	    ours_are 5
	it_check "and it opens" it_wait_for open 30
done
for round in 1 2; do
	read -ra family < <(it_family | tr '\n' ' ')
	purge=$(purge_pid)
	# Who is stopped at that moment ends as well.
	[ $round = 1 ] || kill -STOP "${family[@]:1}" "$purge"
	kill -KILL "${family[0]}"
	it_check "$round: killed: all five end" net_wait 2 it_gone \
	    "${family[@]}" "$purge"
	it_check "$round: nobody of ours is left" ours_are 0
	it_check "$round: the gate's table is gone" it_not it_table inet \
	    portcullis
	it_check "$round: the boot table stays" it_table inet portcullis_boot
	it_check "$round: the barrier for packet sockets stays" it_table \
	    netdev portcullis_egress
	it_check "$round: nothing passes" it_fetch_fails
	it_check "$round: nothing leaks" it_leaks_nothing
	it_check "$round: status says that nobody is there" \
	    [ "$(it_portcullis status >/dev/null 2>&1; echo $?)" = 255 ]
	it_start
	it_check "$round: the next one takes over and opens" it_wait_for \
	    open 60
	it_check "$round: and a page comes through" it_retry 30 it_fetch \
	    trans4
done
guard_where_needed() # only where nobody holds the boot table
{
	if it_field_is .firewall.flush_immunity yes; then
		! it_table inet portcullis_guard
	else
		it_table inet portcullis_guard
	fi
}
it_check "a guard only where it is needed" guard_where_needed
it_end
