#!/bin/bash
# The rules as nft text, loaded with leases that do not lapse, and packets
# against them: refusing, services, users beside Tor, the gateway's own
# traffic, ICMP, VPN only, strict egress, time synchronisation, veto.
. "$(dirname "$0")/gate.bash"
it_begin
. "$(dirname "$0")/rules.bash"

in_gw python3 "$IT_SRC/traffic.py" $TOR_UID serve 10.152.152.10:9050 \
    10.152.152.10:9040 127.0.0.1:9150 127.0.0.1:9041 127.0.0.1:9108 \
    10.152.152.10:9108 udp:127.0.0.1:5400 fd19::10:9050 \
    udp:10.152.152.10:5300 >"$IT_DIR/servers" 2>&1 &
in_gw python3 "$IT_SRC/traffic.py" 0 serve 0.0.0.0:22 0.0.0.0:9051 \
    0.0.0.0:9999 udp:0.0.0.0:9999 >"$IT_DIR/servers.gw" 2>&1 &
in_out python3 "$IT_SRC/traffic.py" 0 serve 0.0.0.0:443 0.0.0.0:9001 \
    udp:0.0.0.0:123 udp:0.0.0.0:53 >"$IT_DIR/servers.out" 2>&1 &
ready 3 "$IT_DIR/servers" "$IT_DIR/servers.gw" "$IT_DIR/servers.out"

note "no rules at all: each probe can be seen"
is "control: workstation to a listener" echo ws_try 10.152.152.10:9050
is "control: workstation to a service" echo ws_try 10.152.152.10:9999
is "control: root to the outside" echo gw_try 0 192.0.2.1:443
check "control: pings" pinged in_ws 10.152.152.10
is "control: outside to a service" echo out_try 192.0.2.10:9999
check "control: an answer to a forged source leaves" seen "$OUT" ext1 \
    203.0.113.5 forge syn 203.0.113.5 10.152.152.10:9999
check "control: one reaches the other internal network" seen "$WS" vif8 \
    10.137.0.50 forge syn 10.137.0.50 10.152.152.10:9999

note "boot alone: refused at once"
policy
loads boot boot
is "TCP to a listener" refused ws_try 10.152.152.10:9050
is "TCP over IPv6" refused ws_try fd19::10:9050
is "TCP to elsewhere" refused ws_try 203.0.113.5:443
is "UDP to a listener" prohibited ws_try udp:10.152.152.10:5300
is "UDP over IPv6" prohibited ws_try udp:fd19::10:5300
is "UDP to elsewhere" prohibited ws_try udp:203.0.113.5:53
is "root to Tor's listener" refused gw_try 0 127.0.0.1:9150
is "root to Tor's DNS" denied gw_try 0 udp:127.0.0.1:5400
is "the rest of loopback" echo gw_try 0 127.0.0.1:9999
is "another internal one" refused in_ws python3 "$IT_SRC/traffic.py" 0 \
    try 10.137.0.1:9050
forged()
{
	refuse "$1: no reset leaves for a forged source" seen "$OUT" ext1 \
	    203.0.113.5 forge syn 203.0.113.5 10.152.152.10:9050
	refuse "$1: nor an ICMP error" seen "$OUT" ext1 \
	    203.0.113.5 forge udp 203.0.113.5 10.152.152.10:9999
	refuse "$1: none reaches the other internal network" seen "$WS" \
	    vif8 10.137.0.50 forge syn 10.137.0.50 10.152.152.10:9050
	refuse "$1: nor an ICMP error" seen "$WS" \
	    vif8 10.137.0.50 forge udp 10.137.0.50 10.152.152.10:9999
}
forged boot
refuse "root sends no reset of its own" seen "$WS" ws1 10.152.152.50 \
    in_gw python3 - <<-'END'
	import socket, struct
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 6)
	s.sendto(struct.pack("!HHIIBBHHH", 1, 2, 0, 0, 0x50, 4, 0, 0, 0),
	    ("10.152.152.50", 0))
	END
is "nothing goes out" silent gw_try $TOR_UID 192.0.2.1:443
is "nothing comes in" silent out_try 192.0.2.10:22

note "refuse = drop: silence"
policy "" 'refuse = "drop"'
loads drop boot
is "TCP" silent ws_try 10.152.152.10:9050
is "UDP" silent ws_try udp:10.152.152.10:5300
is "loopback" silent gw_try 0 127.0.0.1:9150

note "tor-only: Tor and users beside it, and services outside"
WALL='icmp = { "frag-needed", "unreachable", "echo" }
	transparent = { "tcp", "dns" }'
MORE='egress "clear" { user = 4400 }
	egress "ntp" { user = 4401 interface = "ext0" protocol = "udp"
		port = 123 network = "192.0.2.0/24" }
	service "ssh" { interface = "ext0" protocol = "tcp" port = 22 }
	service "filter" { interface = "ws0" protocol = "tcp" port = 9051
		network = "10.152.152.0/24" }'
policy "" "$WALL" "$MORE"
loads tor-only tor-only
is "Tor" echo gw_try $TOR_UID 192.0.2.1:443
is "Tor by the other interface" echo gw_try $TOR_UID 198.51.100.1:443
is "Tor's UDP" denied gw_try $TOR_UID udp:192.0.2.1:123
is "the clear user's TCP" echo gw_try $CLEAR_UID 192.0.2.1:443
is "its UDP" echo gw_try $CLEAR_UID udp:198.51.100.1:123
is "the other user's one way" echo gw_try $NTP_UID udp:192.0.2.1:123
is "another port" denied gw_try $NTP_UID udp:192.0.2.1:53
is "another network" denied gw_try $NTP_UID udp:203.0.113.5:123
is "another interface" denied gw_try $NTP_UID udp:198.51.100.1:123
is "another protocol" refused gw_try $NTP_UID 192.0.2.1:443
is "root" refused gw_try 0 192.0.2.1:443
is "nobody's UDP" denied gw_try 65534 udp:192.0.2.1:123
is "ssh from outside" echo out_try 192.0.2.10:22
is "ssh by the wrong interface" silent out_try 198.51.100.10:22
is "another port from outside" silent out_try 192.0.2.10:9999
is "a listener from outside" silent in_out python3 "$IT_SRC/traffic.py" 0 \
    try 192.0.2.10:9051
check "pings are answered" pinged in_out 192.0.2.10
refuse "workstations' are not" pinged in_ws 10.152.152.10
is "workstations are refused" refused ws_try 10.152.152.10:9050
is "the internal service too" refused ws_try 10.152.152.10:9051
is "root's transparent TCP" refused gw_try 0 203.0.113.5:443
forged tor-only
for who in $TOR_UID $CLEAR_UID; do
	lingers $who 192.0.2.1:9001
	words
	is "$who: what a closed socket leaves is sent" 0 in_gw sh -c \
	    "ss -Htn state fin-wait-1 state last-ack dst 192.0.2.1:9001 |
	    wc -l"
done

note "errors about what is ours, and no others"
lingers $TOR_UID 192.0.2.1:9001 41000
unreached() { in_gw awk '/^Icmp:/ && n++ { print $5 }' /proc/net/snmp; }
# told WHAT YES|NO FROM SPORT CODE TO
told()
{
	local before after
	before=$(unreached)
	in_out python3 "$IT_SRC/traffic.py" 0 error "${@:3}"
	sleep 0.1
	after=$(unreached)
	if [ $((after > before)) = "$2" ]; then
		pass "$1"
	else
		fail "$1: $before to $after"
	fi
}
told "fragmentation needed, of our flow" 1 192.0.2.10 41000 4 192.0.2.1:9001
told "fragmentation needed, of none" 0 192.0.2.10 41001 4 192.0.2.1:9001
told "unreachable, of our flow" 1 192.0.2.10 41000 1 192.0.2.1:9001
policy
loads "frag-needed only" tor-only
told "fragmentation needed is let in still" 1 192.0.2.10 41000 4 \
    192.0.2.1:9001
told "unreachable is not" 0 192.0.2.10 41000 1 192.0.2.1:9001
refuse "nor pings" pinged in_out 192.0.2.10
exec 8>&-

note "open"
policy "" "$WALL" "$MORE"
loads open open
is "a listener" echo ws_try 10.152.152.10:9050
is "over IPv6" echo ws_try fd19::10:9050
is "by the redirect" echo ws_try 203.0.113.5:443
is "names" echo ws_try udp:203.0.113.5:53
is "TransPort itself" refused ws_try 10.152.152.10:9040
is "DNSPort itself" prohibited ws_try udp:10.152.152.10:5300
is "UDP to elsewhere" prohibited ws_try udp:203.0.113.5:123
is "something else of the gateway's" refused ws_try 10.152.152.10:9999
is "its UDP" prohibited ws_try udp:10.152.152.10:9999
is "the internal service" echo ws_try 10.152.152.10:9051
is "on another interface" refused ws_try 10.137.0.1:9051
is "root to a local listener" echo gw_try 0 127.0.0.1:9150
is "root's TCP goes to Tor" echo gw_try 0 203.0.113.5:80
is "its names too" echo gw_try 0 udp:203.0.113.5:53
is "its other UDP nowhere" denied gw_try 0 udp:192.0.2.1:123
for who in 4242 4243 4244; do
	is "but not ours" silent gw_try $who 203.0.113.5:80
done
check "nor Tor's own: it leaves" seen "$OUT" ext1 203.0.113.5 \
    gw_try $TOR_UID 203.0.113.5:443
check "nor the clear user's" seen "$OUT" ext1 203.0.113.5 \
    gw_try $CLEAR_UID 203.0.113.5:80
check "nor the other user's one way" seen "$OUT" ext1 192.0.2.1 \
    gw_try $NTP_UID udp:192.0.2.1:123
is "what stays here stays" refused gw_try 0 127.0.0.1:7
is "what was never begun" refused in_ws python3 "$IT_SRC/traffic.py" 0 \
    midflow 10.152.152.10:9050
is "what is no packet of a flow" silent in_ws \
    python3 "$IT_SRC/traffic.py" 0 midflow 10.152.152.10:9050 fin
refuse "not a packet of root's leaves" seen "$OUT" ext1 203.0.113.5 \
    gw_try 0 203.0.113.5:80
refuse "nor bound to the interface" seen "$OUT" ext1 127.0.0.1 \
    in_gw python3 - <<-'END'
	import socket
	s = socket.socket()
	s.settimeout(0.5)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"ext0")
	s.connect(("203.0.113.5", 80))
	END
forged open
in_gw conntrack -L --mark 0x40000000/0x40000000 >"$IT_DIR/ct" 2>/dev/null
check "clients' flows are marked" grep -q 'dport=9050' "$IT_DIR/ct"

note "cut and open again"
mkfifo "$IT_DIR/resume"
in_ws python3 "$IT_SRC/traffic.py" 0 resume 203.0.113.5:443 \
    <"$IT_DIR/resume" >"$IT_DIR/resumed" &
pid=$!
exec 8>"$IT_DIR/resume"
in_time grep -q echo "$IT_DIR/resumed"
loads "a flow held across a close" tor-only
in_gw conntrack -D --mark 0x40000000/0x40000000 >/dev/null 2>&1
loads "open again" open
echo >&8
exec 8>&-
wait $pid
is "it is told so at once" "echo refused" xargs -a "$IT_DIR/resumed"

note "every port from outside never means Tor's"
policy "" "" 'service "all" { interface = "ext0" protocol = "any" }'
loads "all ports" open
ip -n "$OUT" route add 10.152.152.10 via 192.0.2.10
is "any other" echo out_try 192.0.2.10:9999
is "a listener" silent out_try 10.152.152.10:9050
is "workstations still" echo ws_try 10.152.152.10:9050
refuse "a forged source gets no answer" seen "$OUT" ext1 203.0.113.5 \
    forge syn 203.0.113.5 10.152.152.10:9050

note "VPN only"
policy 'interface = "tun0"' "" "$MORE"
loads "VPN only" tor-only
is "Tor by the tunnel" echo gw_try $TOR_UID 198.51.100.1:443
is "Tor past it" silent gw_try $TOR_UID 192.0.2.1:443
is "another user past it" echo gw_try $CLEAR_UID 192.0.2.1:443

note "strict egress"
policy 'egress = "strict"' "" "$MORE"
loads strict tor-only
is "no relay named yet" silent gw_try $TOR_UID 192.0.2.1:443
in_gw nft add element inet portcullis relays4a '{ 192.0.2.1 . 443 }'
is "a relay" echo gw_try $TOR_UID 192.0.2.1:443
is "its other port" silent gw_try $TOR_UID 192.0.2.1:9001
is "another address" silent gw_try $TOR_UID 198.51.100.1:443
is "other users are not bound" echo gw_try $CLEAR_UID 192.0.2.1:9001

note "time synchronisation"
CLOCK="timesync { required = true users = $CLOCK_UID
	listeners = \"clock\" }"
policy "" 'transparent = "tcp"' "$CLOCK"
loads time-sync time-sync
in_gw nft flush set inet portcullis proven4
in_gw nft add element inet portcullis proven4 \
    '{ 127.0.0.1 . tcp . 9108, 10.152.152.10 . tcp . 9108 }'
is "its user" echo gw_try $CLOCK_UID 127.0.0.1:9108
is "at the internal address" echo gw_try $CLOCK_UID 10.152.152.10:9108
is "its user, elsewhere" refused gw_try $CLOCK_UID 127.0.0.1:9150
is "root" refused gw_try 0 127.0.0.1:9108
is "root, at the internal address" refused gw_try 0 10.152.152.10:9108
is "workstations" refused ws_try 10.152.152.10:9108
is "root's transparent TCP" refused gw_try 0 203.0.113.5:80
policy "" "" "${CLOCK% \}} workstations = true }
	service \"filter\" { interface = \"ws0\" protocol = \"tcp\"
	port = 9051 }"
loads "with workstations" time-sync
in_gw nft flush set inet portcullis proven4
in_gw nft add element inet portcullis proven4 \
    '{ 10.152.152.10 . tcp . 9108 }'
is "workstations" echo ws_try 10.152.152.10:9108
is "to nothing else" refused ws_try 10.152.152.10:9050
is "by no redirect" refused ws_try 203.0.113.5:443
is "nor to services" refused ws_try 10.152.152.10:9051

note "veto: somebody else redirects"
policy "" 'mode = "veto"'
loads veto open
is "nobody redirects" refused ws_try 203.0.113.5:443
is "a listener" echo ws_try 10.152.152.10:9050
in_gw nft -f - <<-'END'
	table inet other {
		chain pre {
			type nat hook prerouting priority -100
			iifname "ws0" tcp dport 443 redirect to :9040
			iifname "ws0" tcp dport 80 redirect to :9999
		}
	}
	END
is "another's redirect to a listener" echo ws_try 203.0.113.5:443
is "another's to something else" refused ws_try 203.0.113.5:80
in_gw nft flush set inet portcullis proven4
is "unproven" refused ws_try 203.0.113.5:443
it_end
