#!/bin/bash
# What must not leave on the external side: answers to a workstation that
# gives a foreign source address, packet sockets' frames whatever they claim
# to be, and flows of others that are older than the gate.
. "$(dirname "$0")/gate.bash"
it_begin
servers_start
ip -n "$GW" route add default via 192.0.2.1
ip -n "$GW" -6 addr add 2001:db8::10/64 dev ext0 nodad
ip -n "$GW" -6 route add default via 2001:db8::1 dev ext0
ip -n "$GW" -6 neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev ext0
in_gw sysctl -qw net.ipv4.conf.all.rp_filter=0 \
    net.ipv4.conf.ws0.rp_filter=0

# seen ADDR COMMAND...: do packets to ADDR come out while COMMAND runs?
seen()
{
	local addr=$1 n
	shift
	sniff "$OUT" ext1 "$addr" "$IT_DIR/sniffed"
	sniffing "$OUT" 1
	"$@"
	sniffed
	n=$(cat "$IT_DIR/sniffed")
	[ "${n:-0}" -gt 0 ]
}

# leaves WHAT SOURCE DEST:PORT: an answer to what the workstation forges.
leaves()
{
	seen "$2" in_ws python3 "$IT_SRC/traffic.py" 0 forge "$@"
}

# frames TYPE MARK: what a packet socket sends.
frames()
{
	seen 198.51.100.9 in_gw python3 "$IT_SRC/traffic.py" 0 \
	    frame ext0 "$1" 198.51.100.9 "$2"
}

# A UDP flow that root began before the gate; a line to fd 8 is one packet.
old_flow()
{
	rm -f "$IT_DIR/old.in"
	mkfifo "$IT_DIR/old.in"
	# First: who opens a pipe that nobody writes to finds it at its end.
	exec 8<>"$IT_DIR/old.in"
	in_gw socat -u "PIPE:$IT_DIR/old.in" \
	    UDP:192.0.2.1:53,sourceport=4123 2>/dev/null 8>&- &
	for _ in {1..100}; do
		in_gw ss -Hun sport = :4123 | grep -q . && return
		sleep 0.05
	done
}
say_old() { echo x >&8; }

probes()
{
	$1 "$2: TCP SYN" leaves syn 198.51.100.7 10.152.152.10:9050
	$1 "$2: TCP ACK" leaves ack 198.51.100.7 10.152.152.10:9050
	$1 "$2: redirected TCP SYN" leaves syn 198.51.100.7 203.0.113.5:80
	$1 "$2: redirected DNS" leaves udp 198.51.100.7 203.0.113.5:53
	$1 "$2: IPv6 TCP SYN" leaves syn 2001:db8:7::7 fd19::10:9050
}

check "control: an honest question over IPv6" ask_ws fd19::10:9050
check "control: an answer to a foreign source leaves" \
    leaves syn 198.51.100.7 10.152.152.10:9050
check "control: the same, IPv6" \
    leaves syn 2001:db8:7::7 fd19::10:9050
check "control: a packet socket's frame" frames 0800 0
# Another firewall has had the kernel track connections.
in_gw nft add table inet other
in_gw nft add chain inet other c '{ type filter hook output priority 0; }'
in_gw nft add rule inet other c ct state established accept
old_flow
check "control: root's flow" seen 192.0.2.1 say_old
check "control: goes on" seen 192.0.2.1 say_old
gate_start
probes refuse closed
for type in 0800 0806 86dd; do
	refuse "a frame called $type" frames $type 0
	refuse "a frame called $type, marked" frames $type 0x60000000
done
refuse "root's flow from before" seen 192.0.2.1 say_old
in_gw ip neigh flush dev ext0
check "ARP gets out" ask_gw $TOR_UID 192.0.2.1:443
say engine # this one has been silent for too long
echo "hold 20000" >&7
await 'position=open' 2
check "open: an honest question is answered" ask_ws 10.152.152.10:9050
probes refuse open
refuse "open: from loopback" leaves syn 127.0.0.1 10.152.152.10:9050
refuse "open: from the gateway's own" leaves syn 192.0.2.10 \
    10.152.152.10:9050
check "open: still" now_is 'position=open known=1'
check "open: Tor has its uplink" ask_gw $TOR_UID 192.0.2.1:443
it_end
