#!/bin/bash
# The permits and single addresses with real packets: each lets out, or to the
# stub, what it is for, of the one user it is for, and no longer than it is
# held; DNS of anybody else gets nowhere.
. "$(dirname "$0")/gate.bash"
it_begin
RES=4245 ROOT=0 NOBODY=65534 USER=1000
ip -n "$GW" -6 addr add 2001:db8::10/64 dev ext0 nodad
ip -n "$OUT" -6 addr add 2001:db8::1/64 dev ext1 nodad
ip -n "$OUT" addr add 192.0.2.3/24 dev ext1
ip -n "$OUT" addr add 203.0.113.53/32 dev lo
ip -n "$OUT" -6 addr add 2001:db8:1::53/128 dev lo nodad
ip -n "$GW" route add default via 192.0.2.1
ip -n "$GW" -6 route add default via 2001:db8::1

# Questions of each kind, in one order, so that outcomes can be compared.
DNS="udp:192.0.2.1:53 192.0.2.1:53"
ELSEWHERE="udp:203.0.113.53:53 203.0.113.53:53 udp:2001:db8:1::53:53
    2001:db8:1::53:53"
HERE="udp:127.0.0.1:53 127.0.0.1:53 udp:::1:53 ::1:53 udp:192.0.2.10:53
    192.0.2.10:53 udp:2001:db8::10:53 2001:db8::10:53"
STUB="udp:127.0.0.1:5453 127.0.0.1:5453 udp:::1:5453 ::1:5453"
UDP="udp:192.0.2.1:3478 udp:2001:db8::1:3478"
TCP="192.0.2.1:443 192.0.2.1:853"
PROXY="192.0.2.3:3128 2001:db8::1:3128"

# shellcheck disable=SC2048,SC2086 # words
words() { echo $*; }
# only WHAT UID SPEC...: of all these UID gets answers from the given only.
# A busy machine may lose one that is to come: that is asked for again.  One
# that is not to come has failed at once.
only()
{
	local what=$1 uid=$2 got tries=3
	shift 2
	until got=$(ask_all "$uid"); ! lacks "$got" "$@" ||
	    [ $((tries--)) = 0 ]; do :; done
	if [ "$got" = "$(words "$@")" ]; then
		pass "$what: uid $uid: ${got:-nothing}"
	else
		fail "$what: uid $uid: ${got:-nothing}, not: $(words "$@")"
	fi
}
# lacks "GOT..." WANT...: it has nothing but what is wanted, and not all.
# shellcheck disable=SC2086 # words
lacks()
{
	local got=$1
	shift
	[ "$got" != "$(words "$@")" ] && { [ -z "$got" ] ||
	    ! printf '%s\n' $got | grep -qvxF "$(words "$@" | tr ' ' '\n')"; }
}
# shellcheck disable=SC2086 # words
ask_all() { in_gw python3 "$IT_SRC/traffic.py" "$1" asks \
    $DNS $ELSEWHERE $HERE $STUB $UDP $TCP $PROXY; }
others_nothing()
{
	for uid in $ROOT $NOBODY $USER; do only "$1" "$uid"; done
}
counted() { in_out nft reset counter inet watch dns |
	sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
no_dns_out() { check "$1: no DNS came out" [ "$(counted)" = 0 ]; }

# policy FIREWALL [TOR [GATEWAY]]: into $IT_DIR/policy.
policy()
{
	cat >"$IT_DIR/policy" <<-END
	tor { user = $TOR_UID control = "unix:/run/tor/control" ${2:-} }
	gateway { internal = { "ws0" } external = { "ext0" }
		lease_ms = $LEASE ${3:-} }
	users { gate = $GATE_UID engine = 4243 status = 4244
		resolver = $RES }
	firewall { $1 }
	listener "socks" { kind = "socks" port = 9050
		address = { "10.152.152.10", "fd19::10" } }
	listener "local-dns" { kind = "dns" port = 5400
		address = "127.0.0.1" }
	END
	cat >>"$IT_DIR/policy"
}
resolver='resolver { address = "192.0.2.1" }'
transports='transport "meek" { program = "/usr/bin/obfs4proxy" dns = true }
transport "snowflake" { program = "/usr/bin/snowflake-client" udp = true }'

# reach WHO SECONDS SPEC...: an IPv6 address gets its brackets.
reach()
{
	local spec list=
	# shellcheck disable=SC2068 # words
	for spec in ${@:3}; do
		case $spec in
		*::*) list="$list [${spec%:*}]:${spec##*:}" ;;
		*) list="$list $spec" ;;
		esac
	done
	say "reach $1 $2$list"
}
# permit WORD...: and have it said again and again.
permit() { say permits "$@"; }
up()
{
	gate_run -f "$IT_DIR/policy" || fail "the gate does not stand"
	say stay "$1"
}
held() { in_gw nft list set inet portcullis "$1" | grep -q expires; }

stub_start()
{
	: >"$IT_DIR/stub"
	# shellcheck disable=SC2086 # words
	(exec ip netns exec "$GW" python3 "$IT_SRC/traffic.py" "$1" serve \
	    $STUB >"$IT_DIR/stub" 2>&1) &
	STUB_PID=$!
}
stub_start $RES
# A resolver of this machine's, which is not Tor's to ask.
LOCAL="udp:127.0.0.53:53 127.0.0.53:53"
# shellcheck disable=SC2086 # words
in_gw python3 "$IT_SRC/traffic.py" $ROOT serve $LOCAL >"$IT_DIR/local" &
no_local_dns()
{
	local spec
	for spec in $LOCAL; do
		refuse "$1: $spec" ask_gw $TOR_UID "$spec"
		check "$1: $spec is for others" ask_gw $USER "$spec"
	done
}
# shellcheck disable=SC2086 # words
in_out python3 "$IT_SRC/traffic.py" 0 serve $DNS $ELSEWHERE $UDP $TCP \
    $PROXY >"$IT_DIR/outside" 2>&1 &
ready 2 "$IT_DIR/stub" "$IT_DIR/outside"
in_out nft -f - <<-'EOT'
	table inet watch {
		counter dns { }
		chain in {
			type filter hook prerouting priority -400;
			iifname ext1 meta l4proto { tcp, udp } th dport 53 \
			    counter name dns
		}
	}
EOT

# A socket that is bound to an interface leaves by it, whatever the redirect
# says; the workstation answers for 127.0.0.1.
ip -n "$GW" neigh replace 127.0.0.1 lladdr 02:00:00:00:00:01 dev ws0
ip -n "$GW" neigh replace 127.0.0.1 lladdr 02:00:00:00:00:01 dev ext0
# strays IFACE NS PEER: how many such packets come out.
strays()
{
	sniff "$2" "$3" 127.0.0.1 "$IT_DIR/strays"
	sniffing "$2" 1
	for spec in $DNS $STUB; do
		in_gw python3 "$IT_SRC/traffic.py" $TOR_UID bound "$1" \
		    "${spec#udp:}" 2>/dev/null
	done
	sniffed
	cat "$IT_DIR/strays"
}

# spread: to whom of all neighbours at once Tor's user gets something.
spread()
{
	local addr
	for addr in $ALL; do
		sniff "$OUT" ext1 "$addr" "$IT_DIR/spread-$addr"
	done
	sniffing "$OUT" 6
	for addr in $ALL; do
		in_gw python3 "$IT_SRC/traffic.py" $TOR_UID bound ext0 \
		    "$addr:3478"
	done
	sniffed
	for addr in $ALL; do
		[ "$(cat "$IT_DIR/spread-$addr")" = 0 ] || echo "$addr"
	done
}
ALL="224.0.0.251 239.1.2.3 192.0.2.255 255.255.255.255 ff02::fb ff0e::1"

note "positive control: without rules everybody gets everything"
check "control: all neighbours at once" \
    [ "$(spread)" = "$(printf '%s\n' $ALL)" ]
for uid in $RES $TOR_UID $USER; do
	only "control" $uid "$DNS" "$ELSEWHERE" "$STUB" "$UDP" "$TCP" "$PROXY"
done
for spec in $LOCAL; do check "control: $spec" ask_gw $TOR_UID "$spec"; done
for spec in "ws0 $WS ws1" "ext0 $OUT ext1"; do
	# shellcheck disable=SC2086 # words
	check "control: ${spec%% *}" [ "$(strays $spec)" -gt 0 ]
done
check "control: the watch sees DNS" [ "$(counted)" -gt 0 ]

note "no permit"
echo "$resolver $transports" | policy ""
up tor
check "none is reported" now_is 'permits=0 reach=0'
nothing()
{
	only "$1" $RES
	only "$1" $TOR_UID "$TCP" "$PROXY"
	others_nothing "$1"
	no_dns_out "$1"
	no_local_dns "$1"
}
nothing "no permit"

note "lookup: the resolver's user, to the one resolver"
permit lookup
check "lookup: reported" now_is 'permits=1 '
only "lookup" $RES "$DNS"
check "lookup: the watch sees it" [ "$(counted)" -gt 0 ]
only "lookup" $TOR_UID "$TCP" "$PROXY"
others_nothing "lookup"
no_dns_out "lookup, others"
reach resolver 3 $PROXY
check "a try: reported" now_is 'reach=1'
only "a try" $RES "$DNS" "$PROXY"
others_nothing "a try"
sleep 2.2
only "a try's time is over" $RES "$DNS"
reach resolver 2 $PROXY
sleep 1
reach resolver 600 $PROXY
sleep 1.5
only "its time began anew" $RES "$DNS" "$PROXY"
check "reported" now_is 'reach=3'
counted >/dev/null

note "what runs is cut when the permit ends"
in_gw python3 "$IT_SRC/traffic.py" $RES stream 192.0.2.1:53 >"$IT_DIR/flow" \
    2>/dev/null &
flow=$!
check "the flow runs" runs "$IT_DIR/flow"
permit
check "lookup ended: at once" now_is 'permits=0 '
sleep 0.1
lines=$(wc -l <"$IT_DIR/flow")
counted >/dev/null
only "lookup ended" $RES
check "the flow is cut" [ "$(wc -l <"$IT_DIR/flow")" = "$lines" ]
kill "$flow" 2>/dev/null
sleep 0.5
nothing "lookup ended"

note "stub: Tor's DNS, wherever to, is answered here; nobody else's"
permit stub
check "stub: reported" now_is 'permits=2 '
only "stub" $TOR_UID "$DNS" "$ELSEWHERE" "$HERE" "$STUB" "$TCP" "$PROXY"
only "stub" $RES
others_nothing "stub"
no_dns_out "stub"
check "bound to ws0: none" [ "$(strays ws0 "$WS" ws1)" = 0 ]
check "bound to ext0: none" [ "$(strays ext0 "$OUT" ext1)" = 0 ]
in_gw python3 "$IT_SRC/traffic.py" $TOR_UID stream 203.0.113.53:53 \
    >"$IT_DIR/flow" 2>/dev/null &
flow=$!
in_gw python3 "$IT_SRC/traffic.py" $TOR_UID stream udp:203.0.113.53:53 \
    >"$IT_DIR/flow2" 2>/dev/null &
flow2=$!
check "a flow runs" runs "$IT_DIR/flow"
check "one of UDP" runs "$IT_DIR/flow2"
permit udp # nor does it pass for UDP that may leave
sleep 0.1
lines=$(cat "$IT_DIR/flow" "$IT_DIR/flow2" | wc -l)
sleep 0.7
check "stub ended: they are cut" \
    [ "$(cat "$IT_DIR/flow" "$IT_DIR/flow2" | wc -l)" = "$lines" ]
kill "$flow" "$flow2" 2>/dev/null
no_dns_out "stub ended"

note "UDP of Tor's, but no DNS"
check "udp: reported" now_is 'permits=4 '
only "udp" $TOR_UID "$UDP" "$TCP" "$PROXY"
only "udp" $RES
others_nothing "udp"
check "udp: nothing to all neighbours at once" [ -z "$(spread)" ]
permit
nothing "udp ended"

note "all at once, in every position; closing does not end them"
permit lookup stub udp
all() {
	only "$1" $RES "$DNS" "$PROXY"
	only "$1" $TOR_UID "$DNS" "$ELSEWHERE" "$HERE" "$STUB" "$UDP" \
	    "$TCP" "$PROXY"
	others_nothing "$1"
}
check "all: reported" now_is 'permits=7 reach=3'
all "tor-only"
say stay open
all "open"
say stay closed
check "closed: reported" now_is 'position=closed .* permits=7 '
all "closed"

note "somebody flushes the ruleset"
in_gw nft flush ruleset 2>/dev/null
others_nothing "flushed"
all "flushed"

note "an engine that goes takes them along; its successor begins afresh"
say hangup
refuse "engine gone: at once" held permit_lookup
counted >/dev/null
nothing "engine gone"
say engine
say permits lookup
say stay tor
check "another engine: nothing of the old one's" now_is 'permits=1 reach=0'
only "another engine" $RES "$DNS"

note "a gate that is stopped: the leases bound it"
permit lookup stub udp
kill -STOP "$GATE_PID"
sleep 1.2
counted >/dev/null
only "stopped" $RES
only "stopped" $TOR_UID
others_nothing "stopped"
no_dns_out "stopped"
kill -CONT "$GATE_PID"
sleep 0.6
only "goes on" $RES "$DNS"
counted >/dev/null
kill -KILL "$GATE_PID"
sleep 0.3
only "killed" $RES
only "killed" $TOR_UID
others_nothing "killed"
no_dns_out "killed"
no_local_dns "killed"
gate_stop

note "an engine that is silent"
up tor
permit lookup stub udp
say tor
sleep 1.2
counted >/dev/null
nothing "silent"
gate_stop

note "closed = strict: in CLOSED there are none"
echo "$resolver $transports" | policy "" "" 'closed = "strict"'
up closed
permit lookup stub udp
check "strict, closed: none" now_is 'permits=0 '
only "strict, closed" $RES
only "strict, closed" $TOR_UID
say stay tor
check "strict, tor-only: all" now_is 'permits=7 '
only "strict, tor-only" $RES "$DNS"
say stay closed
check "strict, closed again: none" now_is 'permits=0 '
refuse "the sets are empty" held permit_lookup
refuse "all of them" held permit_stub
only "strict, closed again" $RES
only "strict, closed again" $TOR_UID
gate_stop

note "strict egress: Tor reaches single addresses while their time lasts"
echo "$resolver $transports" | policy "" 'egress = "strict"'
up tor
permit stub
only "strict egress" $TOR_UID "$DNS" "$ELSEWHERE" "$HERE" "$STUB"
reach tor 3 192.0.2.1:443 $PROXY
check "reported" now_is 'reach=1'
only "reached" $TOR_UID "$DNS" "$ELSEWHERE" "$HERE" "$STUB" \
    192.0.2.1:443 "$PROXY"
only "reached" $RES
others_nothing "reached"
sleep 2.2
only "their time is over" $TOR_UID "$DNS" "$ELSEWHERE" "$HERE" "$STUB"
fill() { for ((i = 0; i < 32; i++)); do printf '100.64.%s.%s:1 ' "$1" $i; done; }
for ((n = 0; n < 8; n++)); do
	# shellcheck disable=SC2046 # words
	reach tor 600 $(fill $n)
done
check "full" now_is 'reach=9'
reach tor 600 192.0.2.1:443
check "one more is not in force" now_is 'reach=9'
refuse "nor reached" ask_gw $TOR_UID 192.0.2.1:443
# shellcheck disable=SC2046 # words
reach tor 600 $(fill 3)
check "the same again are" now_is 'reach=11'
say engine
reach tor 600 192.0.2.1:443
check "another engine: room again" now_is 'reach=1'
check "and reached" ask_gw $TOR_UID 192.0.2.1:443
gate_stop

note "mode veto; a transparent redirect; routes for few"
for wall in 'mode = "veto"' 'transparent = { "dns" }' 'routes = "full"' \
    'refuse = "drop"'; do
	# Reached by the default route only.
	echo 'resolver { address = "203.0.113.53" }' "$transports" |
	    policy "$wall"
	up tor
	permit lookup stub
	only "$wall" $RES udp:203.0.113.53:53 203.0.113.53:53
	only "$wall" $TOR_UID "$DNS" "$ELSEWHERE" "$HERE" "$STUB" "$TCP" \
	    "$PROXY"
	counted >/dev/null
	others_nothing "$wall"
	no_dns_out "$wall"
	gate_stop
	in_gw "$DRV" -r >/dev/null 2>&1
done

note "the stub's port in somebody else's hand"
kill "$STUB_PID"
wait "$STUB_PID" 2>/dev/null
stub_start $USER
ready 1 "$IT_DIR/stub"
only "squatted, control" $TOR_UID "$DNS" "$ELSEWHERE" "$STUB" "$UDP" "$TCP" \
    "$PROXY"
echo "$resolver $transports" | policy ""
up tor
permit stub
only "squatted" $TOR_UID "$TCP" "$PROXY"
gate_stop

note "TLS: TCP only"
echo 'resolver { address = "192.0.2.1" protocol = "tls" name = "dns.test" }' |
    policy ""
up tor
permit lookup
only "TLS" $RES 192.0.2.1:853
note "a permit for which the policy gives no reason"
say engine
say permits stub
check "stub: the engine is dropped" await 'asked-to-restart' 2
say engine
say permits udp
check "udp: the same" await 'asked-to-restart' 2
gate_stop
policy "" </dev/null
up tor
check "no resolver: nothing of it is there" \
    [ "$(in_gw nft list table inet portcullis | grep -c 'permit_\|stub')" = 0 ]
reach tor 60 $PROXY
check "any egress: acknowledged" now_is 'reach=1'
reach resolver 600 $PROXY
check "no resolver: nothing for it to reach" await 'asked-to-restart' 2
say engine
say permits lookup
check "no resolver: no lookup" await 'asked-to-restart' 2
gate_stop
it_end
