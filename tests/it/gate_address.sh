#!/bin/bash
# Listeners on "the address of an interface", with real packets: reachable
# only while open, proven, and at the address that the interface has by the
# gate's own reading; redirects go there and nowhere else.
. "$(dirname "$0")/gate.bash"
it_begin
LISTENERS="socks/ws0:ipv4/9050 trans/ws0:ipv4/9040 dns/ws0:ipv4/5300
    socks/ws0:ipv6/9050 trans/ws0:ipv6/9040 socks/127.0.0.1/9150
    socks/unix:socks socks/127.0.0.1/9050"
NEW=10.152.152.77

# The second address, where the servers are as well, comes and goes.
ip -n "$GW" addr add $NEW/24 dev ws0
in_gw sysctl -qw net.ipv4.conf.ws0.promote_secondaries=1
servers_start $NEW:9050 $NEW:9040 udp:$NEW:5300 "fd19::10:9040" \
    127.0.0.1:9050
ip -n "$GW" addr del $NEW/24 dev ws0
check "control: the first address" ask_ws 10.152.152.10:9050
check "control: IPv6" ask_ws fd19::10:9050
check "control: over loopback" ask_gw 1000 10.152.152.10:9050
# As container managers set it; the workstation has no loopback of its own.
in_gw sysctl -qw net.ipv4.conf.ws0.route_localnet=1
in_ws ip route flush table local dev lo
in_ws ip route add 127.0.0.0/8 via 10.152.152.10 src 10.152.152.50
# The gateway's loopback answers the workstation, which need not believe it.
loopback_answers()
{
	local pid
	in_ws python3 "$IT_SRC/traffic.py" 0 answers ws1 10.152.152.50 1 \
	    >"$IT_DIR/sniffed" &
	pid=$!
	sleep 0.3
	ask_ws 127.0.0.1:9050
	wait $pid
	[ "$(cat "$IT_DIR/sniffed")" -gt 0 ]
}
check "control: loopback answers the workstation" loopback_answers

gate_start
closed_all() {
	refuse "$1: workstation" ask_ws 10.152.152.10:9050
	refuse "$1: workstation, IPv6" ask_ws fd19::10:9050
	refuse "$1: TransPort directly" ask_ws 10.152.152.10:9040
	refuse "$1: redirect" ask_ws 198.51.100.1:80
	refuse "$1: DNS redirect" ask_ws udp:10.152.152.10:53
	refuse "$1: gateway's own program" ask_gw 1000 10.152.152.10:9050
	refuse "$1: gateway's own program, IPv6" ask_gw 1000 fd19::10:9050
}
elements() { in_gw nft list "$1" inet portcullis "$2" | grep -q "$3"; }
no_elements() { ! elements "$@"; }
# From closed, until "released".
hold()
{
	say closed
	mark
	echo "stay open $*" >&7
	await 'position=open known=1' 5
}
released() { say closed; }

closed_all closed
refuse "closed: no redirect is made" elements map target4 '10\.152'

note "open, with every listener said to be proven where it is"
say at ws0:ipv4 10.152.152.10
say at ws0:ipv6 fd19::10
hold
check "open: seven elements, the Unix socket has none" \
    now_is 'position=open known=1 .* proven=7'
check "open: workstation" ask_ws 10.152.152.10:9050
check "open: workstation, IPv6" ask_ws fd19::10:9050
check "open: redirect" ask_ws 198.51.100.1:80
check "open: DNS redirect" ask_ws udp:10.152.152.10:53
check "open: gateway's own program" ask_gw 1000 10.152.152.10:9050
check "open: gateway's own program, IPv6" ask_gw 1000 fd19::10:9050
refuse "open: TransPort not directly" ask_ws 10.152.152.10:9040
refuse "open: DNSPort not directly" ask_ws udp:10.152.152.10:5300
refuse "open: TransPort not directly, IPv6" ask_ws fd19::10:9040
check "open: loopback's listener of the same port" ask_gw 1000 127.0.0.1:9050
refuse "open: it answers no workstation" loopback_answers
released

note "an address less: its listeners are cut, the others stay"
say at ws0:ipv6 none
hold 0 1 2 5
refuse "without IPv6: workstation, IPv6" ask_ws fd19::10:9050
check "without IPv6: workstation" ask_ws 10.152.152.10:9050
refuse "without IPv6: no IPv6 target" elements map target6 fd19
released

note "the address changes"
hold 0 1 2 5
ip -n "$GW" addr add $NEW/24 dev ws0
check "before: the new address is served to nobody" \
    eval "! ask_ws $NEW:9050"
mark
ip -n "$GW" addr del 10.152.152.10/24 dev ws0
# (Once a second the gate would look by itself.)
check "gone: the element went with the address" within 500 \
    no_elements set proven4 '10\.152\.152\.10 '
refuse "gone: the redirect went with it" elements map target4 '10\.152'
sleep 0.6 # the engine goes on claiming it, and is not believed
check "gone: the other listener stays" \
    now_is 'position=open known=1 .* refused=0 .* proven=1'
refuse "gone: it was not closed for it" has_heard 'position=closed'
check "gone: the other one is served" ask_gw 1000 127.0.0.1:9150
refuse "claimed and not there: nothing" ask_ws $NEW:9050
released
ip -n "$GW" addr add 10.152.152.10/24 dev ws0 # a secondary one, now
say at ws0:ipv4 $NEW
hold 0 1 2 5
check "at the new address: workstation" ask_ws $NEW:9050
check "at the new address: redirect" ask_ws 198.51.100.1:80
check "at the new address: DNS redirect" ask_ws udp:$NEW:53
check "at the new address: the target is it" elements map target4 "$NEW"
refuse "the old address is served to nobody" ask_ws 10.152.152.10:9050
refuse "nor to the gateway's programs" ask_gw 1000 10.152.152.10:9050
released

note "moved in one step, while open"
hold 0 1 2 5
mark
say at ws0:ipv4 10.152.152.10
check "moved: the elements are" within 2000 \
    elements set proven4 '10\.152\.152\.10 '
check "moved: still open" now_is 'position=open known=1 .* proven=4'
refuse "moved: it was not closed for it" has_heard 'position=closed'
check "moved: workstation" ask_ws 10.152.152.10:9050
refuse "moved: not at the former address" ask_ws $NEW:9050
released

note "addresses that are not the interface's"
wrong() {
	say closed
	say at ws0:ipv4 "$2"
	say open 0 1 2
	check "$1 is refused" heard 'position=closed known=1 .* refused=1'
	refuse "$1: nothing is open" ask_ws 10.152.152.10:9050
}
wrong "an address of nobody" 10.152.152.99
wrong "another interface's address" 192.0.2.10
wrong "loopback's" 127.0.0.1
wrong "no address at all" none
say closed
say at ws0:ipv4 10.152.152.99
hold 0 1 2 5
check "an address of nobody costs its listeners only" \
    now_is 'position=open known=1 .* refused=0 .* proven=1'
refuse "an address of nobody: no redirect" ask_ws 198.51.100.1:80
released
say at ws0:ipv4 10.152.152.10
hold 0
check "control: the right one is not refused" ask_ws 10.152.152.10:9050
released

note "an address that the external interface has as well, then alone"
ip -n "$OUT" route add 10.152.152.10 via 192.0.2.10
ip -n "$GW" addr add 10.152.152.10/32 dev ext0
hold 0 1 2 5
check "on both: workstation" ask_ws 10.152.152.10:9050
refuse "on both: not from outside" \
    in_out python3 "$IT_SRC/traffic.py" 0 ask 10.152.152.10:9050
ip -n "$GW" addr del 10.152.152.10/24 dev ws0
check "external only: the element is gone" within 500 \
    no_elements set proven4 '10\.152\.152\.10 '
check "external only: the other listener stays" \
    now_is 'position=open known=1 .* proven=1'
refuse "external only: workstation" ask_ws 10.152.152.10:9050
released
ip -n "$GW" addr del 10.152.152.10/32 dev ext0
ip -n "$GW" addr add 10.152.152.10/24 dev ws0

note "a tentative address"
ip -n "$WS" addr add fd19::77/64 dev ws1 nodad # so that DAD fails
in_gw sysctl -qw net.ipv6.conf.ws0.dad_transmits=8
ip -n "$GW" addr add fd19::78/64 dev ws0
say closed
say at ws0:ipv4 none
say at ws0:ipv6 fd19::78
say open 0 3
check "a tentative address is refused" \
    heard 'position=closed known=1 .* refused=1'
say at ws0:ipv6 none

note "with Unix sockets only, open opens nothing"
gate_stop
# shellcheck disable=SC2034 # gate_start reads it
LISTENERS="socks/unix:a socks/unix:b"
gate_start
hold
check "Unix only: open, no element" now_is 'position=open known=1 .* proven=0'
refuse "Unix only: workstation" ask_ws 10.152.152.10:9050
released
gate_stop
it_end
