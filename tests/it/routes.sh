#!/bin/bash
# The routing barrier: without one rule of nf_tables and with a kernel that
# forwards, nothing from inside goes out; it outlives the gate, is put back,
# and is nobody else's.
. "$(dirname "$0")/gate.bash"
it_begin
FAR4=198.51.100.7 FAR6=2001:db8:7::7
ip -n "$OUT" addr add $FAR4/32 dev lo
ip -n "$OUT" addr add $FAR6/128 dev lo nodad
ip -n "$OUT" -6 addr add fd20::1/64 dev ext1 nodad
ip -n "$GW" -6 addr add fd20::10/64 dev ext0 nodad
ip -n "$GW" route add default via 192.0.2.1
ip -n "$GW" -6 route add default via fd20::1
ip -n "$WS" -6 route add default via fd19::10
ip -n "$OUT" route add 10.152.152.0/24 via 192.0.2.10
ip -n "$OUT" route add 10.153.0.0/24 via 192.0.2.10
ip -n "$OUT" -6 route add fd19::/64 via fd20::10
in_out python3 "$IT_SRC/traffic.py" 0 serve $FAR4:443 "$FAR6:443" \
    udp:$FAR4:53 192.0.2.1:443 >"$IT_DIR/far" 2>&1 &
in_ws python3 "$IT_SRC/traffic.py" 0 serve 10.152.152.50:80 \
    >"$IT_DIR/near.ws" 2>&1 &
in_gw python3 "$IT_SRC/traffic.py" 0 serve 10.152.152.10:80 "fd19::10:80" \
    192.0.2.10:80 \
    >"$IT_DIR/near.gw" 2>&1 &
in_gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
rules() { ip -n "$GW" rule; ip -n "$GW" -6 rule; }
ours() { rules | grep -c 'proto 80'; }
no_nft() { in_gw nft flush ruleset; }
# Everybody's packets: the workstation's, as long as no rule of ours is there.
out4() { ask_ws $FAR4:443; }
out6() { ask_ws "$FAR6:443"; }
as() { ask_gw "$1" "$2"; }
errno_of()
{
	in_gw python3 - "$1" "$2" <<-'EOF'
	import os, socket, sys
	os.setuid(int(sys.argv[1]))
	host = sys.argv[2]
	s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
	    socket.SOCK_DGRAM)
	try:
	    s.connect((host, 53))
	    print("ok")
	except OSError as e:
	    print(e.strerror)
	EOF
}
# From an address that is not of the outer network.
ask_far()
{
	in_out python3 - "$1" <<-EOF
	import socket, sys
	host, port = sys.argv[1].rsplit(":", 1)
	s = socket.create_connection((host, int(port)), 1,
	    source_address=("$FAR4", 0))
	s.send(b"echo")
	sys.exit(s.recv(16) != b"echo")
	EOF
} 2>/dev/null
far_pings()
{
	in_out python3 - <<-EOF
	import socket, struct
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
	s.settimeout(0.5)
	s.bind(("$FAR4", 0))
	m = struct.pack("!BBHHH", 8, 0, 0, 7, 7)
	total = sum(struct.unpack("!4H", m))
	s.sendto(m[:2] + struct.pack("!H", 0xffff - total) + m[4:],
	    ("192.0.2.10", 0))
	while s.recv(512)[20:28] != struct.pack("!BBHHH", 0, 0,
	    0xffff - total + 0x800, 7, 7):
	    pass
	EOF
} 2>/dev/null
far_listens() { in_out ss -Htln sport = :9001 | grep -q .; }
# Tor's user sends much, closes, and ends: the kernel sends the rest.
leftovers()
{
	in_out python3 - >"$IT_DIR/left" <<-EOF &
	import socket, time
	s = socket.socket()
	s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	s.bind(("$FAR4", 9001))
	s.listen(1)
	s.settimeout(5)
	c, _ = s.accept()
	time.sleep(1)
	n = 0
	while True:
	    d = c.recv(65536)
	    if not d:
	        break
	    n += len(d)
	print(n)
	EOF
	local pid=$!
	in_time far_listens
	in_gw python3 - <<-EOF
	import os, socket
	os.setuid($TOR_UID)
	s = socket.socket()
	s.settimeout(2)
	s.connect(("$FAR4", 9001))
	s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
	s.send(b"x" * 150000)
	EOF
	wait $pid
	[ "$(cat "$IT_DIR/left")" = 150000 ]
}
settle() { sleep 1.3; } # the gate looks once a second
# The gate and all its tables gone: only what is to outlive it stays.
leave() { gate_stop; no_nft; }
BAR_ROUTES=0x40
# has_bar [BITS]: all of them, by the last report.
has_bar() {
	local want=${1:-$BAR_ROUTES}
	 grep '^report' "$IT_DIR/drv.out" | tail -1 |
	    sed 's/.*barriers=\(0x[0-9a-f]*\).*/\1/' |
	    { read -r b; [ $((b & want)) = $((want)) ]; }
}

ready 3 "$IT_DIR/far" "$IT_DIR/near.ws" "$IT_DIR/near.gw"
# Neighbour discovery takes its time on interfaces that are new.
in_time out6
note "control: a gateway without rules lets all of it out"
check "control: IPv4 is forwarded" out4
check "control: IPv6 is forwarded" out6
check "control: root gets out" as 0 $FAR4:443

note "internal"
gate_up
settle
check "report: the barrier stands" has_bar
leave
check "two rules, one for each family" [ "$(ours)" = 2 ]
refuse "IPv4 from inside does not leave" out4
refuse "IPv6 from inside does not leave" out6
check "the gateway itself may still leave" as 0 $FAR4:443
ip -n "$GW" link add vif7.0 type veth peer name vws netns "$WS"
ip -n "$WS" addr add 10.153.0.2/24 dev vws
ip -n "$GW" addr add 10.153.0.1/24 dev vif7.0
ip -n "$WS" link set vws up
ip -n "$GW" link set vif7.0 up
ip -n "$WS" route replace default via 10.153.0.1
refuse "from an interface that is new nothing leaves either" out4
ip -n "$GW" rule del pref 80
check "control: without the rule it does" out4
ip -n "$WS" route replace default via 10.152.152.10
ip -n "$GW" link del vif7.0

note "a restart adopts, and never takes away first"
ip -n "$GW" monitor rule >"$IT_DIR/rules.log" 2>&1 &
mon=$!
sleep 0.3
gate_up
leave
gate_up
check "what was gone is back, once" [ "$(rules | grep -c 'proto 80')" = 2 ]
refuse "nothing was ever deleted" grep -q Deleted "$IT_DIR/rules.log"
kill $mon

note "others"
ip -n "$GW" rule del pref 80
settle
check "a rule deleted by others is put back" [ "$(ours)" = 2 ]
check "and said" grep -q 'somebody removed 1 of our routing' \
    "$IT_DIR/drv.err"
ip -n "$GW" rule flush
ip -n "$GW" rule add pref 32766 lookup main
settle
check "all flushed: put back" [ "$(ours)" = 2 ]
ip -n "$GW" rule add from 10.9.9.9 lookup 77 pref 90
ip -n "$GW" rule add iif lo lookup 78 pref 80
settle
check "foreign rules are left alone" \
    [ "$(rules | grep -c 'lookup 7[78]')" = 2 ]
refuse "with one before ours the barrier is not claimed" has_bar
check "and that is said" grep -q 'priority 80 comes before' \
    "$IT_DIR/drv.err"
ip -n "$GW" rule del pref 80 iif lo lookup 78
settle
check "without it the barrier is claimed again" has_bar
refuse "removal while a gate runs" in_gw "$DRV" -r 2>/dev/null
check "removes no routing rule" [ "$(ours)" = 2 ]
leave

note "full"
gate_up -R full -E 1234
settle
check "full: the barrier stands" has_bar
leave
check "root: no route (IPv4)" grep -q 'unreachable' <<<"$(errno_of 0 $FAR4)"
check "root: no route (IPv6)" grep -q 'unreachable' <<<"$(errno_of 0 $FAR6)"
check "nobody: no route" grep -q 'unreachable' <<<"$(errno_of 65534 $FAR4)"
check "the gate's own: no route" \
    grep -q 'unreachable' <<<"$(errno_of $GATE_UID $FAR4)"
check "Tor gets out (IPv4)" as $TOR_UID $FAR4:443
check "Tor gets out (IPv6)" as $TOR_UID "$FAR6:443"
check "an egress user gets out" as 1234 $FAR4:443
check "a neighbour outside can be asked" as 0 192.0.2.1:443
check "the workstation can be asked" as 0 10.152.152.50:80
check "and the gateway answers it" ask_ws 10.152.152.10:80
check "and over IPv6" ask_ws fd19::10:80
refuse "from inside nothing leaves (IPv4)" out4
refuse "from inside nothing leaves (IPv6)" out6

note "full: rules that only look like ours"
gate_up -R full -E 1234
ip -n "$GW" rule add iif lo uidrange 0-0 goto 84 pref 81 proto 80
settle
check "one that is not wanted goes" \
    grep -q 'unreachable' <<<"$(errno_of 0 $FAR4)"
check "and the barrier stands" has_bar
ip -n "$GW" rule add iif lo to $FAR4 goto 84 pref 81 proto 80
settle
refuse "with one that matches by something else it is not claimed" has_bar
check "but left alone" [ "$(rules | grep -c "to $FAR4")" = 1 ]
ip -n "$GW" rule del iif lo to $FAR4 goto 84 pref 81 proto 80
settle
check "without it the barrier stands again" has_bar
leave

note "full: traps"
refuse "an answer to a caller from afar has no route" ask_far 192.0.2.10:80
refuse "nor has one to his ping" far_pings
check "an interface's neighbours: DHCP's broadcasts leave" in_gw python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"ext0")
s.sendto(b"x", ("255.255.255.255", 67))'
check "what Tor leaves behind in a socket it has closed gets out" leftovers
gate_up -R full -S 80 -P
settle
check "with a service: the barrier stands" has_bar
leave
check "a service's answer to a caller from afar has one" \
    ask_far 192.0.2.10:80
check "echo: so has one to his ping" far_pings
check "root, beside the service: no route" \
    grep -q 'unreachable' <<<"$(errno_of 0 $FAR4)"
refuse "that egress user is none any more" as 1234 $FAR4:443
ip -n "$GW" route add 0.0.0.0/1 via 192.0.2.1
ip -n "$GW" route add 128.0.0.0/1 via 192.0.2.1
check "two halves of everything are no connected network" \
    grep -q 'unreachable' <<<"$(errno_of 0 $FAR4)"
ip -n "$GW" route add table 51 default via 192.0.2.1
ip -n "$GW" rule add pref 32000 uidrange $TOR_UID-$TOR_UID blackhole
refuse "Tor's routes stay under other rules, such as a VPN's" \
    as $TOR_UID $FAR4:443
ip -n "$GW" rule del pref 32000

note "full, with the gate's tables and a strict reverse-path filter"
in_gw sysctl -qw net.ipv4.conf.ext0.rp_filter=1
refuse "control: without the mark Tor's answers are dropped" \
    as $TOR_UID $FAR4:443
gate_up -R full -E 1234
say tor
check "with it Tor gets out" as $TOR_UID $FAR4:443
in_gw sysctl -qw net.ipv4.conf.ext0.rp_filter=0
leave

note "from full to internal, and to off"
gate_up -R internal
leave
check "only what is wanted is left" [ "$(ours)" = 2 ]
gate_up -R off
refuse "off: no barrier is claimed" has_bar
leave
check "off: none is left" [ "$(ours)" = 0 ]
check "off: it would be forwarded" out4

note "one interface that forwards by itself"
in_gw sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
refuse "control: none does" out4
in_gw sysctl -qw net.ipv4.conf.ws0.forwarding=1 \
    net.ipv4.conf.ext0.forwarding=1
check "control: ip_forward is 0, and they forward" out4
in_gw sysctl -qw net.ipv4.conf.ws0.forwarding=0 \
    net.ipv4.conf.ext0.forwarding=0
gate_up
settle
check "none: said" has_bar 0x30
in_gw sysctl -qw net.ipv4.conf.ws0.forwarding=1
settle
refuse "IPv4: noticed" has_bar 0x10
check "IPv4: IPv6 does not" has_bar 0x20
in_gw sysctl -qw net.ipv4.conf.ws0.forwarding=0
if in_gw sysctl -qw net.ipv6.conf.ws0.force_forwarding=1 2>/dev/null; then
	settle
	refuse "IPv6: noticed" has_bar 0x20
	check "IPv6: IPv4 does not" has_bar 0x10
	in_gw sysctl -qw net.ipv6.conf.ws0.force_forwarding=0
fi
in_gw sysctl -qw net.ipv4.conf.default.forwarding=1
settle
refuse "those to come: noticed" has_bar 0x10
in_gw sysctl -qw net.ipv4.conf.default.forwarding=0
settle
check "none again: said" has_bar 0x30
leave

note "removal"
gate_up -R full
gate_stop
check "removal" in_gw "$DRV" -r >"$IT_DIR/removed"
check "says what it removed" grep -q 'removed 1[0-9] routing rules' \
    "$IT_DIR/removed"
check "removal: none of ours is left" [ "$(ours)" = 0 ]
check "removal: others' stay" [ "$(rules | grep -c 'lookup 77')" = 1 ]
it_end
