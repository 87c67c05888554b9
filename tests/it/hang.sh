#!/bin/bash
# Each process is killed, or stopped and continued, while packets flow.
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin
it_start
it_check "opens" it_wait_for open 60

# A table behind all others counts what the gate lets in.
net_in gateway nft -f - <<'END'
table inet it_sensor {
	counter in { }
	chain input {
		type filter hook input priority 100
		iifname "eth1" udp dport 5300 counter name in drop
	}
}
END
net_spawn blast workstation "$it_build/pktool" blast -t hang -r 2000 \
    "$NET_GW4" 53

accepted()
{
	net_in gateway nft -j list counter inet it_sensor in |
	    jq '[.nftables[] | .counter? | select(.) | .packets] | add'
}

flows()
{
	local before
	before=$(accepted)
	sleep 0.2
	[ "$(accepted)" -gt "$before" ]
}

stands()
{
	! flows
}

# Looks at the kernel, not at the status: the latter may be what is stopped.
it_check "packets flow (positive control)" net_wait 10 flows

lapsed() # NAME PID: stopped, closed within the lease, not revived
{
	it_check "$1 stopped: packets stop" net_wait 4 stands
	kill -CONT "$2"
	it_check "$1 continued: opens again by new proofs" net_wait 30 flows
}

keeper=$(net_pid portcullisd)
for who in gate engine; do
	it_wait_for open 30
	pid=$(it_pid $who) || exit 1
	# A stopped keeper restarts nobody, so that there is time to look.
	kill -STOP "$keeper"
	kill -KILL "$pid"
	it_check "$who killed: packets stop" net_wait 1 stands
	kill -CONT "$keeper"
	it_check "$who killed: comes back and opens" net_wait 30 flows
	it_check "$who has a new pid" it_not it_field_is ".$who.pid" "$pid"
	it_wait_for open 30
	epoch=$(it_field .firewall.epoch)
	pid=$(it_pid $who) || exit 1
	kill -STOP "$pid"
	lapsed $who "$pid"
	it_wait_for open 30
	it_check "$who: opened in a new epoch" [ "$(it_field .firewall.epoch)" \
	    != "$epoch" ]
done

it_wait_for open 30
epoch=$(it_field .firewall.epoch)
pid=$(net_pid tor)
kill -STOP "$pid"
lapsed Tor "$pid"
it_check "Tor: opened in a new epoch" [ "$(it_field .firewall.epoch)" != \
    "$epoch" ]

it_wait_for open 30
closes=$(it_field .firewall.closes)
pid=$(it_pid status) || exit 1
kill -STOP "$pid"
it_check "status stopped: packets flow on" flows
kill -CONT "$pid"
kill -KILL "$pid"
it_check "status killed: packets flow on" flows
it_check "status comes back" it_wait_for open 20
it_check "status has a new pid" it_not it_field_is .status.pid "$pid"
it_check "and nothing closed meanwhile" it_field_is .firewall.closes \
    "$closes"

it_portcullis hold >/dev/null
it_check "held: packets stop" net_wait 5 stands
pid=$(it_pid engine) || exit 1
kill -KILL "$pid"
it_check "the engine comes back" net_wait 10 it_field_is .hold true
it_check "a hold outlives the engine" stands
it_portcullis release >/dev/null
it_check "released: packets flow" net_wait 20 flows
it_end
