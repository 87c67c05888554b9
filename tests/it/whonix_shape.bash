# Sourced: a ruleset of the shape of a Whonix gateway's firewall, for showing
# what that shape lets through and what it costs.  The order of its rules is
# theirs, the text is not.  whonix_shape.nft.sh is the same as a program.
#
# What may be set before shape_ruleset, with the names of their settings where
# they have one:
#   EXT_IF, INT_IF       interfaces, each a list of words
#   SHAPE_ADDR           the gateway's addresses towards the workstations
#   SHAPE_LOCAL          networks reached by everybody ("NON_TOR_GATEWAY")
#   INTERNAL_OPEN_PORTS  one rule each; and SHAPE_RANGE, their custom ports
#   SHAPE_UID_CLEARNET, _TUNNEL, _TOR, _SDWDATE, _SYSTEMCHECK
#   VPN_FIREWALL, VPN_INTERFACE
#   EXTERNAL_OPEN_PORTS, EXTERNAL_UDP_OPEN_PORTS, EXTERNAL_OPEN_ALL
#   GATEWAY_TRANSPARENT_TCP, GATEWAY_TRANSPARENT_DNS (1)
#   firewall_mode        full, timesync-fail-closed
#   SHAPE_SDWDATE        directory of the time's status files
#   shape_put            a function for one line of nft
# shellcheck disable=SC2034 # the sourcing script's

: "${EXT_IF:=eth0}" "${INT_IF:=eth1}"
: "${SHAPE_ADDR:=10.152.152.10 fd19:c33d:88bc::10}"
: "${SHAPE_LOCAL=127.0.0.0/8 192.168.0.0/24 192.168.1.0/24 10.152.152.0/24
    10.0.2.0/24 ::1/128 fd19:c33d:88bc::/96}"
: "${INTERNAL_OPEN_PORTS:=9050 9100 9101 9102 9103 9104 9105 9106 9107 9108
    9109 9110 9111 9114 9115 9117 9118 9122 9123 9124 9125 9150}"
: "${SHAPE_RANGE=9152-9229}"
: "${SHAPE_CONTROL:=9051}" "${SHAPE_SDWDATE_PORT:=9108}"
: "${SHAPE_UID_CLEARNET:=1050}" "${SHAPE_UID_TUNNEL:=1051}"
: "${SHAPE_UID_TOR:=4300}" "${SHAPE_UID_SDWDATE:=1052}"
: "${SHAPE_UID_SYSTEMCHECK:=1053}"
: "${VPN_FIREWALL:=}" "${VPN_INTERFACE:=tun0}"
: "${EXTERNAL_OPEN_PORTS:=}" "${EXTERNAL_UDP_OPEN_PORTS:=}"
: "${EXTERNAL_OPEN_ALL:=}"
: "${GATEWAY_TRANSPARENT_TCP:=0}" "${GATEWAY_TRANSPARENT_DNS:=0}"
: "${firewall_mode:=full}" "${SHAPE_SDWDATE:=/run/sdwdate}"

declare -F shape_put >/dev/null || shape_put() { echo "$*"; }

# Into $to: "ip daddr 10.0.0.0/8", "ip6 daddr ::1".  No process for it: what
# this costs is measured.
shape_daddr()
{
	case $1 in
	*:*) to="ip6 daddr $1" ;;
	*) to="ip daddr $1" ;;
	esac
}

# The mode that comes of the setting and of the time's status files.
shape_mode()
{
	case $firewall_mode in
	full) echo full ;;
	timesync-fail-closed)
		if [ -e "$SHAPE_SDWDATE/first_success" ] ||
		    [ -e "$SHAPE_SDWDATE/success" ]; then
			echo full
		else
			echo closed
		fi ;;
	*)
		echo "no such firewall_mode" >&2
		return 1 ;;
	esac
}

# Their tables, new in the transaction that takes the old ones away.
shape_tables()
{
	local table
	for table in "inet nat" "inet filter" "ip6 nat"; do
		shape_put "add table $table"
		shape_put "delete table $table"
		shape_put "add table $table"
	done
	for table in input forward output; do
		shape_put "add chain inet filter $table { type filter" \
		    "hook $table priority 0; policy drop; }"
	done
	shape_put "add chain inet nat prerouting" \
	    "{ type nat hook prerouting priority -100; }"
	for table in "inet nat" "ip6 nat"; do
		shape_put "add chain $table output" \
		    "{ type nat hook output priority -100; }"
	done
}

# shape_odd CHAIN VERDICT: what no honest stack sends.  The line about
# fragments never matches: conntrack has put them together long before.
shape_odd()
{
	local rule="add rule inet filter $1" all="(fin|syn|rst|psh|ack|urg)"
	shape_put "$rule ct state invalid $2"
	shape_put "$rule tcp flags & (fin|syn) == (fin|syn) $2"
	shape_put "$rule tcp flags & (syn|rst) == (syn|rst) $2"
	shape_put "$rule ip frag-off & 0x1fff != 0 $2"
	shape_put "$rule tcp flags & $all == (fin|psh|urg) $2"
	shape_put "$rule tcp flags & $all == $all $2"
	shape_put "$rule tcp flags & $all == 0x0 $2"
}

# What may come in from outside, and its two slips: the UDP ports and "all"
# say nothing of an interface.
shape_input_external()
{
	local rule="add rule inet filter input" port ext
	[ "$VPN_FIREWALL" != 1 ] ||
	    shape_put "$rule iifname \"$VPN_INTERFACE\" counter accept"
	for ext in $EXT_IF; do
		for port in $EXTERNAL_OPEN_PORTS; do
			shape_put "$rule iifname \"$ext\" tcp dport $port" \
			    "counter accept"
		done
	done
	for port in $EXTERNAL_UDP_OPEN_PORTS; do
		shape_put "$rule udp dport $port counter accept"
	done
	[ "$EXTERNAL_OPEN_ALL" != true ] || shape_put "$rule counter accept"
}

shape_input()
{
	local rule="add rule inet filter input" port int
	shape_odd input "counter drop"
	shape_put "$rule iifname \"lo\" counter accept"
	shape_put "$rule ct state established counter accept"
	shape_put "$rule icmp type destination-unreachable" \
	    "icmp code frag-needed ct state related accept"
	shape_put "$rule icmpv6 type packet-too-big ct state related accept"
	shape_put "$rule icmpv6 type { nd-router-advert, nd-neighbor-solicit," \
	    "nd-neighbor-advert } counter accept"
	shape_put "$rule ip protocol icmp counter drop"
	shape_put "$rule meta l4proto ipv6-icmp counter drop"
	shape_input_external
	for int in $(shape_if_full "$INT_IF"); do
		shape_put "$rule iifname \"$int\" udp dport 5300 counter accept"
		for port in 9040 "$SHAPE_CONTROL" $INTERNAL_OPEN_PORTS \
		    $SHAPE_RANGE; do
			shape_put "$rule iifname \"$int\" tcp dport $port" \
			    "counter accept"
		done
	done
	shape_put "$rule counter drop"
}

shape_if_full() { [ "$shape_is" != full ] || echo "$*"; }

shape_prerouting()
{
	local rule="add rule inet nat prerouting" int to self addr port
	for int in $(shape_if_full "$INT_IF"); do
		for port in "$SHAPE_CONTROL" $INTERNAL_OPEN_PORTS \
		    $SHAPE_RANGE; do
			self=" to :$port"
			[ "$port" != "$SHAPE_RANGE" ] || self=
			for addr in $SHAPE_ADDR; do
				shape_daddr "$addr"
				shape_put "$rule iifname \"$int\" $to tcp" \
				    "dport $port counter redirect$self"
			done
		done
		shape_put "$rule iifname \"$int\" udp dport 53 counter" \
		    "redirect to :5300"
		shape_put "$rule iifname \"$int\" tcp flags &" \
		    "(fin|syn|rst|ack) == syn counter redirect to :9040"
	done
}

# Before the time is right: loopback's listeners, as far as they are listed.
shape_output_timesync()
{
	local rule="add rule inet filter output" port addr uid to
	for port in $INTERNAL_OPEN_PORTS; do
		[ "$port" != "$SHAPE_SDWDATE_PORT" ] || continue
		for addr in 127.0.0.1 ::1; do
			shape_daddr $addr
			shape_put "$rule $to tcp dport $port counter reject"
		done
	done
	shape_put "$rule oifname \"lo\" counter accept"
	for uid in "$SHAPE_UID_SDWDATE" "$SHAPE_UID_SYSTEMCHECK"; do
		for addr in 127.0.0.1 ::1; do
			shape_daddr $addr
			shape_put "$rule $to meta skuid $uid counter accept"
		done
	done
	for addr in 127.0.0.1 ::1; do
		shape_daddr $addr
		shape_put "$rule $to tcp dport $SHAPE_CONTROL counter accept"
	done
}

shape_output_full()
{
	local rule="add rule inet filter output" net to
	for net in $SHAPE_LOCAL; do
		shape_daddr "$net"
		shape_put "$rule $to counter accept"
	done
	shape_put "$rule oifname \"lo\" counter accept"
}

# Who goes past Tor; with a VPN, Tor itself only by that.
shape_users()
{
	echo "$SHAPE_UID_CLEARNET" "$SHAPE_UID_TUNNEL"
	[ "$VPN_FIREWALL" = 1 ] || echo "$SHAPE_UID_TOR"
}

shape_output()
{
	local rule="add rule inet filter output" uid
	shape_odd output "counter reject"
	shape_put "$rule ct state established counter accept"
	shape_put "$rule icmpv6 type { nd-router-solicit," \
	    "nd-neighbor-solicit, nd-neighbor-advert } counter accept"
	[ "$VPN_FIREWALL" != 1 ] ||
	    shape_put "$rule oifname \"$VPN_INTERFACE\" counter accept"
	if [ "$shape_is" = full ]; then
		shape_output_full
	else
		shape_output_timesync
	fi
	for uid in $(shape_users); do
		shape_put "$rule meta skuid $uid counter accept"
	done
	shape_put "$rule counter reject"
}

shape_nat_output()
{
	local rule="add rule inet nat output" uid net to
	for uid in $(shape_users); do
		shape_put "$rule meta skuid $uid counter return"
	done
	for net in $SHAPE_LOCAL; do
		shape_daddr "$net"
		shape_put "$rule $to counter return"
	done
	[ "$GATEWAY_TRANSPARENT_DNS" != 1 ] ||
	    shape_put "$rule udp dport 53 counter redirect to :5400"
	[ "$GATEWAY_TRANSPARENT_TCP" != 1 ] ||
	    shape_put "$rule tcp flags & (fin|syn|rst|ack) == syn" \
		"counter redirect to :9041"
}

# The whole of it, by shape_put, line by line.
shape_ruleset()
{
	local shape_is
	shape_is=$(shape_mode) || return 1
	shape_tables
	shape_input
	shape_prerouting
	shape_put "add rule inet filter forward counter reject"
	shape_output
	shape_nat_output
}

# What they do when loading fails: a process for each step.  Between the
# fourth and the one that adds a chain, that chain's hook has no filter.
# SHAPE_PAUSE seconds between steps are those of a busy machine.
shape_lockdown()
{
	local table chain step
	for table in nat filter; do
		for step in add delete add; do
			nft "$step" table inet $table
			sleep "${SHAPE_PAUSE:-0}"
		done
	done
	for chain in input forward output; do
		nft add chain inet filter $chain "{ type filter hook $chain" \
		    "priority 0; policy drop; }"
		sleep "${SHAPE_PAUSE:-0}"
	done
}

shape_delete()
{
	local table
	for table in "inet nat" "inet filter" "ip6 nat"; do
		nft add table "$table"
		nft delete table "$table"
	done
}
