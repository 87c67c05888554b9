#!/bin/bash
# Real packets through the rules as text, with none of our programs running:
# the file that is loaded before the network is up lets nothing through, and
# the printed positions are what they are called.
. "$(dirname "$0")/gate.bash"
it_begin
servers_start 127.0.0.1:9108 10.152.152.10:9108
cat >"$IT_DIR/p.conf" <<END
tor { user = $TOR_UID control = "unix:/run/tor/control" }
users { gate = $GATE_UID engine = 4243 status = 4244 }
gateway { internal = ws0 external = ext0 lease_ms = 10000 }
listener socks { kind = socks port = 9050
    address = { "10.152.152.10", "fd19::10" } }
listener trans { kind = trans address = "10.152.152.10" port = 9040 }
listener dns { kind = dns address = "10.152.152.10" port = 5300 }
listener own { kind = socks address = "127.0.0.1" port = 9150 }
END

{
	cat "$IT_DIR/p.conf"
	cat <<-'END'
	listener clock { kind = socks port = 9108
	    address = { "127.0.0.1", "10.152.152.10" } }
	timesync { required = true users = { 1001 } listeners = { clock } }
	END
} >"$IT_DIR/clock.conf"
{
	cat "$IT_DIR/clock.conf"
	echo 'timesync { workstations = true }'
} >"$IT_DIR/clocks.conf"

# load POSITION [POLICY]
load() {
	"$BUILD/tests/golden/polcheck" "$IT_DIR/${2:-p}.conf" "$1" \
	    >"$IT_DIR/rules" 2>"$IT_DIR/rules.err" &&
	    in_gw nft -f "$IT_DIR/rules"
}

# nobody POSITION: no client is served.
nobody() {
	refuse "$1: workstation, TCP" ask_ws 10.152.152.10:9050
	refuse "$1: workstation, IPv6" ask_ws fd19::10:9050
	refuse "$1: workstation, DNS" ask_ws udp:10.152.152.10:53
	refuse "$1: workstation, redirect" ask_ws 198.51.100.1:80
	refuse "$1: gateway's own program" ask_gw 1000 127.0.0.1:9150
	refuse "$1: root goes nowhere" ask_gw 0 192.0.2.1:443
}

check "control: TCP to the listener" ask_ws 10.152.152.10:9050
check "control: UDP to the listener" ask_ws udp:10.152.152.10:5300
check "control: IPv6" ask_ws fd19::10:9050
check "control: loopback" ask_gw 1000 127.0.0.1:9150
check "control: to the clock's listener" ask_gw 1000 127.0.0.1:9108
check "control: the same from outside" ask_ws 10.152.152.10:9108
check "control: outside" ask_gw 0 192.0.2.1:443

check "the boot file loads" load closed
nobody boot
refuse "boot: Tor goes nowhere either" ask_gw $TOR_UID 192.0.2.1:443

check "the rules of tor-only load" load tor-only
nobody tor-only
check "tor-only: Tor has its uplink" ask_gw $TOR_UID 192.0.2.1:443
refuse "tor-only: Tor's UDP goes nowhere" ask_gw $TOR_UID udp:192.0.2.1:53

refuse "there is no time-sync that nobody requires" load time-sync
check "the boot file of another policy loads" load closed clock
check "the rules of time-sync load" load time-sync clock
check "time-sync: the clock's user has the clock's listener" \
    ask_gw 1001 127.0.0.1:9108
refuse "time-sync: and no other" ask_gw 1001 127.0.0.1:9150
refuse "time-sync: other users do not" ask_gw 1000 127.0.0.1:9108
refuse "time-sync: workstations do not" ask_ws 10.152.152.10:9108
check "time-sync: Tor has its uplink" ask_gw $TOR_UID 192.0.2.1:443
nobody time-sync
check "the rules of time-sync for all load" load time-sync clocks
check "time-sync for all: workstations too" ask_ws 10.152.152.10:9108
nobody "time-sync for all"
check "the first boot file loads again" load closed

check "the rules of open load" load open
check "open: workstation, TCP" ask_ws 10.152.152.10:9050
check "open: workstation, IPv6" ask_ws fd19::10:9050
check "open: workstation, DNS" ask_ws udp:10.152.152.10:53
check "open: workstation, redirect" ask_ws 198.51.100.1:80
check "open: gateway's own program" ask_gw 1000 127.0.0.1:9150
refuse "open: TransPort not directly" ask_ws 10.152.152.10:9040
refuse "open: DNSPort not directly" ask_ws udp:10.152.152.10:5300
refuse "open: root goes nowhere" ask_gw 0 192.0.2.1:443

sleep 10 # the lease, which nobody renews
nobody lapsed
refuse "lapsed: Tor goes nowhere either" ask_gw $TOR_UID 192.0.2.1:443
it_end
