#!/bin/bash
# What the rules cost, and what they let out when something breaks, beside a
# ruleset of a Whonix gateway's shape: firewall.sh [ROUNDS [FAULT_ROUNDS [MS]]]
# Run by "make bench-firewall"; needs root, nothing of it leaves its own
# network namespaces.  Prints the section for RESULTS.md.
#
# Three gateways stand side by side, so that the measurements take turns:
# "bare" without rules, "theirs", and "ours", the shipped Whonix policy with
# its 333 listeners, held open by a gate.
# shellcheck source=tests/it/gate.bash
. "${top_srcdir:?}/tests/it/gate.bash"
# shellcheck source=tests/bench/lib.bash
. "${top_srcdir:?}/tests/bench/lib.bash"
rounds=${1:-9}
fault_rounds=${2:-20}
ms=${3:-250}
RATE=20000 # of each of two senders
GW4=10.152.152.10 GW6=fd19:c33d:88bc::10
SHAPE=$IT_SRC/whonix_shape.nft.sh
export EXT_IF=eth0 INT_IF=eth1 SHAPE_ADDR="$GW4 $GW6" SHAPE_UID_TOR=$TOR_UID
KINDS="udp-established udp-unanswered udp-new tcp-socks tcp-trans tcp-echo
    tcp-bulk"
LANES="bare theirs ours"

die() { echo "bench: $*" >&2; exit 1; }
lane_ns() { echo "pcb$$$1$2"; } # LANE gw|ws|out

clean()
{
	local lane part ns pid
	[ -z "${DRV_PID:-}" ] || kill "$DRV_PID"
	for lane in $LANES; do
		for part in gw ws out; do
			ns=$(lane_ns "$lane" $part)
			for pid in $(ip netns pids "$ns"); do
				kill "$pid"
			done
			ip netns del "$ns"
		done
	done
	rm -rf "$IT_DIR"
} 2>/dev/null

# Workstation, gateway, outside; as on a Whonix gateway.
lane_make()
{
	local gw ws out
	gw=$(lane_ns "$1" gw) ws=$(lane_ns "$1" ws) out=$(lane_ns "$1" out)
	for ns in $gw $ws $out; do
		ip netns add "$ns" || die "no network namespaces here"
		ip -n "$ns" link set lo up
	done
	ip -n "$gw" link add eth1 type veth peer name eth0 netns "$ws"
	ip -n "$gw" link add eth0 type veth peer name eth0 netns "$out"
	ip -n "$gw" addr add $GW4/18 dev eth1
	ip -n "$gw" -6 addr add $GW6/96 dev eth1 nodad
	ip -n "$gw" addr add 192.0.2.10/24 dev eth0
	for octet in $(seq 50 $((50 + rounds))); do
		ip -n "$ws" addr add "10.152.152.$octet/18" dev eth0
	done
	ip -n "$out" addr add 192.0.2.1/24 dev eth0
	ip -n "$gw" link set eth0 up
	ip -n "$gw" link set eth1 up
	ip -n "$ws" link set eth0 up
	ip -n "$out" link set eth0 up
	ip -n "$ws" route add default via $GW4
	[ "$1" != bare ] || ip netns exec "$gw" nft -f - <<-END_NFT
	table ip nat {
		chain prerouting {
			type nat hook prerouting priority -100
			iifname "eth1" udp dport 53 redirect to :5300
			iifname "eth1" ip daddr != $GW4 tcp flags & \
			    (fin|syn|rst|ack) == syn redirect to :9040
		}
	}
	END_NFT
}

ours_start()
{
	# A lease for a machine that does nothing but send packets.
	sed -e "s/\"debian-tor\"/$TOR_UID/" \
	    -e 's/^gateway {/& lease_ms = 5000/' \
	    "$top_srcdir/policy/whonix-gateway.conf" >"$IT_DIR/policy.conf"
	echo "users { gate = $GATE_UID engine = 4243 status = 4244 }" \
	    >>"$IT_DIR/policy.conf"
	GW=$(lane_ns ours gw)
	gate_run -A -f "$IT_DIR/policy.conf" || {
		cat "$IT_DIR/drv.err" >&2
		die "the gate does not start"
	}
	say stay open
	now_is 'position=open known=1' || await 'position=open' 5 ||
	    die "the gate does not open"
}

in_theirs() { ip netns exec "$(lane_ns theirs gw)" "$@"; }

# As they do: written first, then loaded in one go.
theirs_load()
{
	[ -s "$IT_DIR/theirs.nft" ] || bash "$SHAPE" >"$IT_DIR/theirs.nft"
	in_theirs nft -f "$IT_DIR/theirs.nft" ||
	    die "their ruleset is not loaded"
}

median()
{
	sort -n | awk '{ a[NR] = $1 } END { if (NR > 0)
	    printf "%.1f", (a[int((NR + 1) / 2)] + a[int(NR / 2) + 1]) / 2 }'
}

# --- packets per second -----------------------------------------------------

through_round()
{
	local lane kind rate
	for kind in $KINDS; do
		for lane in $LANES; do
			rate=$("$BUILD/through" -m "$ms" -a $((50 + $1)) \
			    "/run/netns/$(lane_ns "$lane" ws)" \
			    "/run/netns/$(lane_ns "$lane" gw)" "$kind") ||
			    die "$kind does not get through $lane"
			echo "$rate" >>"$IT_DIR/$kind.$lane"
		done
	done
}

through_show()
{
	local kind bare theirs ours
	echo "| | no filter | theirs | ours | ours to theirs |"
	echo "|---|---|---|---|---|"
	for kind in $KINDS; do
		bare=$(median <"$IT_DIR/$kind.bare")
		theirs=$(median <"$IT_DIR/$kind.theirs")
		ours=$(median <"$IT_DIR/$kind.ours")
		awk -v k="$kind" -v b="$bare" -v t="$theirs" -v o="$ours" \
		    'BEGIN { printf "| %s | %.0f | %.0f | %.0f | %.2f |\n",
		    k, b, t, o, o / t }'
	done
}

# --- packets let out --------------------------------------------------------

senders_begin()
{
	local part
	SENDERS=()
	for part in gw ws; do
		ip netns exec "$(lane_ns "$1" $part)" "$BUILD/pktool" blast \
		    -r $RATE 192.0.2.1 7777 >/dev/null 2>&1 &
		SENDERS+=($!)
	done
}

senders_end()
{
	kill "${SENDERS[@]}"
	wait "${SENDERS[@]}" 2>/dev/null
}

watch()
{
	ip netns exec "$(lane_ns "$1" gw)" \
	    sysctl -q -w net.ipv4.ip_forward=1
	ip netns exec "$(lane_ns "$1" out)" nft -f - <<-'END_NFT'
	table inet watch {
		counter clear { }
		chain prerouting {
			type filter hook prerouting priority -450
			udp dport 7777 counter name clear
		}
	}
	END_NFT
}

seen()
{
	ip netns exec "$(lane_ns "$1" out)" nft -j list counter inet watch \
	    clear | sed -n 's/.*"packets": \([0-9]*\).*/\1/p'
}

fault_flush_load()
{
	in_theirs nft flush ruleset
	theirs_load
}
fault_lockdown()
{
	in_theirs bash "$SHAPE" lockdown
	theirs_load
}
fault_reload() { theirs_load; }
fault_gate_kill()
{
	kill -KILL "$GATE_PID"
	await '^gate-ended' 5
	gate_stop
	ours_start
}
fault_gate_term()
{
	say term
	await '^gate-ended' 5
	gate_stop
	ours_start
}
fault_engine()
{
	say hangup
	say engine
	say stay open
}
fault_flush()
{
	in_gw nft flush ruleset
	sleep 0.2
}
fault_close_open()
{
	say closed
	say stay open
}

# fault LANE NAME SENTENCE: so many times; a row.
fault()
{
	local i before
	: >"$IT_DIR/leaks"
	for ((i = 0; i < fault_rounds; i++)); do
		before=$(seen "$1")
		"fault_$2"
		sleep 0.05
		echo $(($(seen "$1") - before)) >>"$IT_DIR/leaks"
	done
	echo "| $3 | $fault_rounds | $(awk '{ n += $1; k += $1 > 0
	    if ($1 > m) m = $1 } END { printf "%d | %s | %d | %d", k, "'"$(
	    median <"$IT_DIR/leaks")"'", m, n }' "$IT_DIR/leaks") |"
}

faults()
{
	echo "| | times | leaked | median | most | packets |"
	echo "|---|---|---|---|---|---|"
	watch theirs
	senders_begin theirs
	fault theirs reload "theirs: reload, one transaction"
	fault theirs flush_load "theirs: flush, then load"
	fault theirs lockdown "theirs: failure path, then load"
	senders_end
	watch ours
	senders_begin ours
	fault ours close_open "ours: close, open"
	fault ours engine "ours: engine lost, a new one"
	fault ours gate_kill "ours: gate killed, a new one"
	fault ours gate_term "ours: gate stopped, a new one"
	fault ours flush "ours: ruleset flushed by another"
	in_gw "$DRV" -r >/dev/null 2>&1 # it may not while the gate lives
	senders_end
	control
}

# Were there anything to leak?  Without rules all of it is on the wire.
control()
{
	local before
	watch bare
	senders_begin bare
	sleep 0.2
	before=$(seen bare)
	sleep 1
	SENT=$(($(seen bare) - before))
	senders_end
	[ "$SENT" -gt "$RATE" ] || die "only $SENT packets a second"
}

[ "$(id -u)" = 0 ] || die "needs root"
IT_DIR=$(mktemp -d)
trap 'exit 1' HUP INT TERM
trap clean EXIT
for lane in $LANES; do lane_make "$lane"; done
theirs_load
ours_start
for ((i = 1; i <= rounds; i++)); do through_round "$i"; done
leaks=$(mktemp "$IT_DIR/XXXXXX")
faults >"$leaks" || exit 1
cat <<END_TEXT
# The firewall

\`make bench-firewall\`: the shipped Whonix policy, 333 listeners, held open by the gate, beside a ruleset of a Whonix gateway's shape
(tests/it/whonix_shape.bash, $(ip netns exec "$(lane_ns theirs gw)" nft list ruleset | grep -c counter) rules) and a gateway that only redirects. Through veth, $rounds rounds in turns, medians. $(bench_machine).
Operations a second; tcp-bulk: MB a second.

$(through_show)

* udp-established: datagrams of one DNS flow that was answered once, by redirect to DNSPort; udp-unanswered: one that was not; udp-new: a
  flow of its own for each datagram. tcp-socks, tcp-trans: connections made, taken and reset, to SocksPort 9150 and by redirect to TransPort;
  tcp-echo: an octet there and back on one connection; tcp-bulk: one stream.

Packets on the clear side when something breaks, at $SENT packets a second from a program of the gateway and the workstation, forwarding
turned on:

$(cat "$leaks")
END_TEXT
bench_notes firewall
exit 0
