#!/bin/bash
# Corners of the rules, with packets: the kernel's weak host model, packet
# sockets that set marks, other people's marks, errors that must get in.
. "$(dirname "$0")/gate.bash"
it_begin
. "$(dirname "$0")/rules.bash"

in_gw python3 "$IT_SRC/traffic.py" $TOR_UID serve 10.152.152.10:9050 \
    127.0.0.1:9150 127.0.0.1:9041 10.152.152.10:9040 127.0.0.1:9051 \
    udp:10.152.152.10:5300 >"$IT_DIR/servers" 2>&1 &
in_gw python3 "$IT_SRC/traffic.py" 0 serve 192.0.2.10:9050 0.0.0.0:22 \
    >"$IT_DIR/servers.gw" 2>&1 &
in_out python3 "$IT_SRC/traffic.py" 0 serve 0.0.0.0:443 udp:0.0.0.0:123 \
    >"$IT_DIR/servers.out" 2>&1 &
ready 3 "$IT_DIR/servers" "$IT_DIR/servers.gw" "$IT_DIR/servers.out"
ip -n "$OUT" route add 10.152.152.10 via 192.0.2.10

note "a service outside that has a listener's port"
is "control: the listener from outside" echo out_try 10.152.152.10:9050
policy "" "" 'service "s" { interface = "ext0" protocol = "tcp"
	port = { 22, 9050 } }'
loads "a service" open
is "the service" echo out_try 192.0.2.10:9050
is "the listener of its port" silent out_try 10.152.152.10:9050
is "workstations still get to it" echo ws_try 10.152.152.10:9050

note "a service of everything, and packets that conntrack does not know"
# reaches IFACE COMMAND...: does what comes in on IFACE get past input?
reaches()
{
	local dev=$1
	shift
	in_gw nft -f - <<-END
		table inet after
		delete table inet after
		table inet after {
			chain in { type filter hook input priority 300
				iifname "$dev" meta l4proto { tcp, udp } counter
			}
		}
	END
	"$@" >/dev/null 2>&1
	! in_gw nft list chain inet after in | grep -q 'packets 0 '
}
policy "" "" 'service "s" { interface = "ext0" protocol = "any" }'
for track in "" notrack; do
	loads "${track:-tracked}" open
	in_gw nft -f - <<-END
		table inet others {
			chain raw { type filter hook prerouting priority -300
				$track
			}
		}
	END
	check "the service" reaches ext0 out_try 192.0.2.10:22
	refuse "a listener" reaches ext0 out_try 10.152.152.10:9050
	refuse "the one of names" reaches ext0 out_try udp:10.152.152.10:5300
done

note "loopback from the wire, where the kernel would take it"
in_gw sysctl -qw net.ipv4.conf.ws0.route_localnet=1 \
    net.ipv4.conf.ext0.route_localnet=1
in_ws sysctl -qw net.ipv4.conf.ws1.route_localnet=1
in_out sysctl -qw net.ipv4.conf.ext1.route_localnet=1
# to_lo NS IFACE GATEWAY PORT: how a packet to 127.0.0.1 fares there.
to_lo()
{
	local ns=$1 rc
	ip -n "$ns" rule add pref 5 to 127.0.0.1 lookup 77
	ip -n "$ns" route add 127.0.0.1 via "$3" dev "$2" table 77
	ip -n "$ns" rule del pref 0
	ip -n "$ns" rule add pref 9 lookup local
	ip netns exec "$ns" python3 "$IT_SRC/traffic.py" 0 try "127.0.0.1:$4"
	rc=$?
	ip -n "$ns" rule add pref 0 lookup local
	ip -n "$ns" rule del pref 9
	ip -n "$ns" rule del pref 5
	ip -n "$ns" route flush table 77
	return $rc
}
is_echo() { [ "$("$@")" = echo ]; }
in_gw nft flush ruleset
check "control: a listener" is_echo to_lo "$WS" ws1 10.152.152.10 9150
is "control: from inside" echo to_lo "$WS" ws1 10.152.152.10 9051
is "control: from outside" echo to_lo "$OUT" ext1 192.0.2.10 9051
for mode in standalone veto; do
	policy "" "mode = \"$mode\"" 'service "in" { interface = "ws0"
	    protocol = "tcp" port = { 9051, 9150, 5453 } }
	    service "out" { interface = "ext0" protocol = "tcp" port = 9051 }
	    resolver { address = "203.0.113.53" }
	    transport "meek" { program = "/usr/bin/obfs4proxy" dns = true }'
	loads "$mode: a service whose port loopback has too" open
	is "$mode: from inside" silent to_lo "$WS" ws1 10.152.152.10 9051
	is "$mode: from outside" silent to_lo "$OUT" ext1 192.0.2.10 9051
	refuse "$mode: a listener" is_echo to_lo "$WS" ws1 10.152.152.10 9150
	refuse "$mode: nor a word to it" \
	    reaches ws0 to_lo "$WS" ws1 10.152.152.10 9150
	refuse "$mode: nor to the stub" \
	    reaches ws0 to_lo "$WS" ws1 10.152.152.10 5453
done
in_gw sysctl -qw net.ipv4.conf.ws0.route_localnet=0 \
    net.ipv4.conf.ext0.route_localnet=0

note "the gateway's own traffic while closed"
policy "" 'transparent = { "tcp", "dns" }'
loads "own traffic" tor-only
is "is refused at once" refused gw_try 0 203.0.113.5:443
loads "own traffic" open
ip -n "$GW" neigh replace 127.0.0.1 lladdr 02:00:00:00:00:01 dev ws0
bound_dns() { in_gw python3 "$IT_SRC/traffic.py" 1000 bound "$1" "$2"; }
refuse "a name, from a socket bound inside" seen "$WS" ws1 127.0.0.1 \
    bound_dns ws0 10.152.152.50:53
refuse "one bound outside" seen "$OUT" ext1 127.0.0.1 \
    bound_dns ext0 192.0.2.1:53
loads "own traffic" tor-only
is "Tor's own is not" echo gw_try $TOR_UID 192.0.2.1:443
policy "" 'transparent = { "tcp", "dns" } refuse = "drop"'
loads "own traffic, in silence" tor-only
is "is dropped" silent gw_try 0 203.0.113.5:443

note "packet sockets, with a mark of their own"
policy "" "" 'service "s" { interface = "ext0" protocol = "udp" port = 1024 }
	service "t" { interface = "ext0" protocol = "tcp" port = 22 }'
framed() # UID SPORT
{
	in_gw setpriv --ambient-caps +net_raw,+net_admin,+dac_override \
	    --inh-caps +net_raw,+net_admin,+dac_override --reuid "$1" \
	    --regid "$1" --clear-groups python3 "$IT_SRC/traffic.py" -1 frame ext0 0800 203.0.113.9 \
	    0x20000000 "$2"
}
in_gw nft flush ruleset
check "control: it leaves" seen "$OUT" ext1 203.0.113.9 framed 0 1024
check "control: Tor's user's" seen "$OUT" ext1 203.0.113.9 \
    framed $TOR_UID 1024
loads "packet sockets" tor-only
refuse "from a service's port" seen "$OUT" ext1 203.0.113.9 framed 0 1024
refuse "from another" seen "$OUT" ext1 203.0.113.9 framed 0 4000
refuse "as Tor's user" seen "$OUT" ext1 203.0.113.9 framed $TOR_UID 1024
is "the service still answers" echo out_try 192.0.2.10:22
is "Tor still gets out" echo gw_try $TOR_UID 192.0.2.1:443

note "strict egress beside a user of every TCP port"
policy 'egress = "strict"' "" 'egress "clear" { user = 4400 }'
# leftovers UID: what a socket leaves that was closed with words unsent.
leftovers()
{
	lingers "$1"
	in_gw nft flush set inet portcullis relays4a
	seen "$OUT" ext1 192.0.2.1 words
}
loads "strict egress" tor-only
in_gw nft add element inet portcullis relays4a '{ 192.0.2.1 . 443 }'
refuse "Tor's, to what is a relay no more" leftovers $TOR_UID
check "the user's" leftovers $CLEAR_UID

note "flows from before the rules, whose sockets are closed now"
# Somebody had them tracked; without that they would not be old flows.
tracked()
{
	in_gw nft flush ruleset
	in_gw nft add table inet others
	in_gw nft add chain inet others o '{ type filter hook output priority 9; }'
	in_gw nft add rule inet others o ct state established
}
# older UID: the flow, then the rules, then what is left of it.
older()
{
	tracked
	lingers "$1"
	load tor-only && seen "$OUT" ext1 192.0.2.1 words
}
policy
check "Tor's leave" older $TOR_UID
refuse "root's do not pass for Tor's" older 0
refuse "nor another user's" older $CLEAR_UID
tracked
rm -f "$IT_DIR/linger"
mkfifo "$IT_DIR/linger"
in_gw python3 "$IT_SRC/traffic.py" $TOR_UID resume 192.0.2.1:443 \
    <"$IT_DIR/linger" >"$IT_DIR/resumed" &
resumed=$!
exec 8>"$IT_DIR/linger"
in_time grep -q echo "$IT_DIR/resumed"
loads "Tor's socket is older than the rules" tor-only
echo >&8
wait $resumed
is "it goes on" "echo echo" eval 'echo $(cat "$IT_DIR/resumed")'
exec 8>&-

note "somebody clears the flows' marks"
# nobodys UID: how many packets go out that have no socket any more.
nobodys()
{
	lingers "$1"
	in_gw nft reset counter inet others nobodys >/dev/null
	words
	counted
}
counted()
{
	in_gw nft list counter inet others nobodys |
	    sed -n 's/.*packets \([0-9]*\).*/\1/p'
}
# They are sent again and again; the first may take its time.
left() { [ "$(nobodys "$1")" -gt 0 ] || in_time any_counted; }
any_counted() { [ "$(counted)" -gt 0 ]; }
none() { [ "$(nobodys "$1")" = 0 ]; }
meddles() # RULE: before and behind ours
{
	in_gw nft -f - <<-END
		table inet others {
			counter nobodys { }
			chain o { type filter hook output priority 9
				$1
			}
			chain i { type filter hook prerouting priority -150
				$1
			}
			chain p { type filter hook postrouting priority 300
				oifname "ext0" ip daddr 192.0.2.1 \
				    tcp dport 443 meta skuid != 4294967295 \
				    accept
				oifname "ext0" ip daddr 192.0.2.1 \
				    tcp dport 443 counter name nobodys
			}
		}
	END
}
policy "" "" 'egress "clear" { user = 4400 }'
loads "an egress user" tor-only
meddles ""
check "control: Tor's leftovers leave" left $TOR_UID
check "control: so do the user's" left $CLEAR_UID
loads "marks cleared" tor-only
meddles "ct mark set 0"
check "the user's do not pass for Tor's" none $CLEAR_UID
check "Tor's own are lost" none $TOR_UID
is "but nothing else" echo gw_try $TOR_UID 192.0.2.1:443
policy
loads "our other marks set" tor-only
meddles "ct mark set 0x68000000"
check "a client's, a user's, the resolver's are not Tor's" none $TOR_UID
is "and nothing else is lost" echo gw_try $TOR_UID 192.0.2.1:443

note "a resolver's closed tries, with the permit and without"
policy "" "" 'resolver { address = "203.0.113.53" }'
try_left() # PERMIT
{
	load tor-only
	in_gw nft add element inet portcullis permit_lookup '{ ipv4 }'
	in_gw nft add element inet portcullis reach_resolver4 \
	    '{ 192.0.2.1 . 443 timeout 1h }'
	lingers 4245
	eval "$1"
	seen "$OUT" ext1 192.0.2.1 words
}
check "control: with it" try_left :
refuse "without it they do not pass for Tor's" try_left \
    'in_gw nft flush set inet portcullis permit_lookup'

note "the path's MTU: 1280 beyond the next hop, whose ends do not know"
ip -n "$OUT" link add far0 type veth peer name far1 netns "$WS"
ip -n "$GW" -6 addr add 2001:db8:1::10/64 dev ext0 nodad
ip -n "$OUT" -6 addr add 2001:db8:1::1/64 dev ext1 nodad
ip -n "$OUT" addr add 203.0.113.65/26 dev far0
ip -n "$OUT" -6 addr add 2001:db8:2::1/64 dev far0 nodad
ip -n "$WS" addr add 203.0.113.66/26 dev far1
ip -n "$WS" -6 addr add 2001:db8:2::2/64 dev far1 nodad
ip -n "$OUT" link set far0 up
ip -n "$WS" link set far1 up
ip -n "$OUT" route replace 203.0.113.64/26 dev far0 mtu lock 1280
ip -n "$OUT" -6 route add 2001:db8:2::2 dev far0 metric 1 mtu lock 1280
ip -n "$WS" route add 192.0.2.0/24 via 203.0.113.65
ip -n "$WS" -6 route add 2001:db8:1::/64 via 2001:db8:2::1
ip -n "$GW" -6 route add default via 2001:db8:1::1
in_out sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
in_ws python3 "$IT_SRC/traffic.py" 0 serve 203.0.113.66:443 \
    '2001:db8:2::2:443' >"$IT_DIR/servers.far" 2>&1 &
ready 1 "$IT_DIR/servers.far"
bulk() { in_gw python3 "$IT_SRC/traffic.py" $TOR_UID bulk "$1"; }
forget()
{
	ip -n "$GW" route flush cache
	ip -n "$GW" -6 route flush cache
}
policy "" 'icmp = {}'
loads "no errors let in" tor-only
is "control: a little arrives" echo gw_try $TOR_UID 203.0.113.66:443
refuse "control: full packets do not" bulk 203.0.113.66:443
refuse "control: nor over IPv6" bulk 2001:db8:2::2:443
forget
policy
loads "errors as the policy has them without a word" tor-only
check "full packets of Tor's" bulk 203.0.113.66:443
check "over IPv6" bulk 2001:db8:2::2:443

note "what others do with marks neither opens nor breaks"
others() # VALUE
{
	in_gw nft -f - <<-END
		table inet others
		delete table inet others
		table inet others {
			chain raw { type filter hook prerouting priority -300
				meta mark set $1
			}
			chain pre { type filter hook prerouting priority -150
				meta mark set $1
			}
			chain in { type filter hook input priority -150
				meta mark set $1
			}
			chain out { type route hook output priority -149
				meta mark set $1
			}
			chain last { type route hook output priority -10
				meta mark set $1
			}
		}
	END
}
MORE='service "ssh" { interface = "ext0" protocol = "tcp" port = 22 }'
for value in 0 0x6d6f6c65 0xffffffff "ct mark"; do
	policy "" 'transparent = { "tcp", "dns" }' "$MORE"
	loads "$value" open
	others "$value"
	is "open, $value: a listener" echo ws_try 10.152.152.10:9050
	is "open, $value: by the redirect" echo ws_try 203.0.113.5:443
	is "open, $value: names" echo ws_try udp:203.0.113.5:53
	is "open, $value: of the gateway" echo gw_try 0 127.0.0.1:9150
	is "open, $value: own traffic" echo gw_try 0 203.0.113.5:80
	is "open, $value: Tor" echo gw_try $TOR_UID 192.0.2.1:443
	is "open, $value: a service" echo out_try 192.0.2.10:22
	is "open, $value: others' UDP" denied gw_try 0 udp:192.0.2.1:123
	loads "$value, closed" tor-only
	others "$value"
	is "closed, $value: a listener" refused ws_try 10.152.152.10:9050
	is "closed, $value: of the gateway" refused gw_try 0 127.0.0.1:9150
	is "closed, $value: own traffic" refused gw_try 0 203.0.113.5:80
	is "closed, $value: Tor" echo gw_try $TOR_UID 192.0.2.1:443
	loads "$value, boot" boot
	others "$value"
	is "boot, $value: a listener" refused ws_try 10.152.152.10:9050
	is "boot, $value: of the gateway" refused gw_try 0 127.0.0.1:9150
	is "boot, $value: Tor" silent gw_try $TOR_UID 192.0.2.1:443
done

note "marks that others set where iptables has raw before defrag"
policy
for at in boot tor-only; do
	loads "$at" "$at"
	in_gw nft list ruleset >"$IT_DIR/ours"
	in_gw nft flush ruleset
	in_gw nft -f - <<-END
		table inet others {
			chain before { type filter hook prerouting priority -450
				meta mark set 0x6d6f6c65
			}
		}
	END
	in_gw nft -f "$IT_DIR/ours"
	is "$at, theirs loaded before ours" refused ws_try 10.152.152.10:9050
done

note "an interface on top of a bridge, which the bridge has filtered"
# Where br_netfilter is, the upper interface's prerouting is not run again.
NF=net.bridge.bridge-nf-call-iptables
if ! in_gw sysctl -qw $NF=1 || ! ip -n "$GW" link add br0 type bridge ||
    ! ip -n "$GW" link add link br0 name vif9 type macvlan mode bridge; then
	note "not tried: no br_netfilter, bridge or macvlan"
	it_end
fi
in_gw sysctl -qw net.ipv4.conf.all.arp_ignore=1 \
    net.ipv4.conf.vif9.rp_filter=0
ip -n "$GW" addr flush dev vif7
ip -n "$GW" link set vif7 down
ip -n "$GW" link set vif7 name port0
ip -n "$GW" link set port0 master br0
ip -n "$GW" addr add 10.137.0.1/24 dev vif9
for l in port0 br0 vif9; do ip -n "$GW" link set "$l" up; done
ip -n "$WS" neigh flush dev vif8
ip -n "$WS" route add 10.152.152.10 via 10.137.0.1 src 10.137.0.50
in_gw nft flush ruleset
check "control: it arrives" reaches vif9 ws_try 10.152.152.10:9050
policy
for at in boot closed tor-only; do
	loads "on a bridge, $at" "$at"
	refuse "a listener" reaches vif9 ws_try 10.152.152.10:9050
	refuse "the one of names" reaches vif9 ws_try udp:10.152.152.10:5300
done
in_gw sysctl -qw $NF=0
loads "on a bridge without its filter" open
is "a listener" echo ws_try 10.152.152.10:9050
it_end
