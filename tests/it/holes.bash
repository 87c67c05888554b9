# Sourced by holes_*.sh: gate.bash's gateway with what else a Whonix gateway
# has, networks next to it and stand-ins for all of Tor's listeners; first a
# ruleset of that one's shape, whose hole must be seen, then ours, which has
# not got it.
# shellcheck disable=SC2034,SC2086 # for who sources it; lists are words
# shellcheck source=tests/it/gate.bash
. "$(dirname "${BASH_SOURCE[0]}")/gate.bash"

UID_USER=1000
UID_CLEARNET=1050
UID_SDWDATE=1052
UID_CHECK=1053
UID_NOBODY=65534
ADDR6=fd19::10
export EXT_IF=ext0 INT_IF=ws0 SHAPE_ADDR="10.152.152.10 $ADDR6"
export SHAPE_UID_TOR=$TOR_UID SHAPE_UID_CLEARNET=$UID_CLEARNET
export SHAPE_UID_SDWDATE=$UID_SDWDATE SHAPE_UID_SYSTEMCHECK=$UID_CHECK
SHAPE=$IT_SRC/whonix_shape.nft.sh

# The local networks that everybody reaches with them.
LAN="192.168.1.1:445 udp:192.168.1.1:53 udp:10.0.2.3:53"
CLEAR="192.0.2.1:443 udp:192.0.2.1:53"

holes_begin()
{
	it_begin
	export SHAPE_SDWDATE=$IT_DIR/sdwdate
	mkdir "$SHAPE_SDWDATE"
	ip -n "$OUT" addr add 192.168.1.1/24 dev ext1
	ip -n "$OUT" addr add 10.0.2.3/24 dev ext1
	ip -n "$OUT" route add 10.152.152.0/24 via 192.0.2.10
	ip -n "$GW" addr add 192.168.1.10/24 dev ext0
	ip -n "$GW" addr add 10.0.2.15/24 dev ext0
	holes_serve "$OUT" 0 $LAN $CLEAR
}

# Stand-ins for Tor on the ports of a Whonix gateway, some of each kind: what
# is listed, their custom ranges, HTTPTunnelPort, TransPort and DNSPort; on
# loopback, and towards the workstations.
holes_tor()
{
	local a port
	ON_LO= ON_INT=
	for a in 127.0.0.1 ::1; do
		for port in 9050 9104 9108 9150 9190 9229 9041; do
			ON_LO+=" $a:$port"
		done
		ON_LO+=" udp:$a:5400"
	done
	for a in 10.152.152.10 $ADDR6; do
		for port in 9050 9104 9108 9150 9152 9190 9229 9040; do
			ON_INT+=" $a:$port"
		done
		ON_INT+=" udp:$a:5300"
	done
	holes_serve "$GW" "$TOR_UID" $ON_LO $ON_INT
}

# The same listeners as a policy.
holes_listeners()
{
	cat <<-END
	group "local" { address = { "127.0.0.1", "::1" } }
	group "workstations" { address = { "10.152.152.10", "$ADDR6" } }
	group "both" {
		kind = "socks"
		address = { "127.0.0.1", "::1", "10.152.152.10", "$ADDR6" }
	}
	listener "local-trans" { group = "local" kind = "trans" port = 9041 }
	listener "local-dns" { group = "local" kind = "dns" port = 5400 }
	listener "trans" { group = "workstations" kind = "trans" port = 9040 }
	listener "dns" { group = "workstations" kind = "dns" port = 5300 }
	listener "default" { group = "both" port = 9050 }
	listener "apt-get" { group = "both" port = 9104 }
	listener "sdwdate" { group = "both" port = 9108 }
	listener "tor-browser" { group = "both" port = 9150 }
	listener "custom" { group = "workstations" kind = "socks"
		port = 9152 }
	listener "http" { group = "both" kind = "httptunnel"
		port = { 9190, 9229 } }
	END
}

# holes_serve NETNS UID SPEC...: until the end of the test.
holes_serve()
{
	local ns=$1 file
	file=$(mktemp "$IT_DIR/serve.XXXXXX")
	shift
	ip netns exec "$ns" python3 "$IT_SRC/traffic.py" "$1" serve \
	    "${@:2}" >"$file" 2>&1 &
	ready 1 "$file"
}

# Theirs, with the settings and options given: theirs [NAME=VALUE...] [-m MODE]
theirs()
{
	local set=()
	while [[ ${1:-} = *=* ]]; do
		set+=("$1")
		shift
	done
	in_gw env "${set[@]}" bash "$SHAPE" "$@" load ||
	    fail "their ruleset is not loaded"
}

theirs_gone() { in_gw bash "$SHAPE" delete; }

# ours: a gate with the policy on standard input, added to what all have.
ours()
{
	cat - >"$IT_DIR/policy.conf" <<-END
		tor {
			user = $TOR_UID
			control = "unix:/run/tor/control"
			auth = { "safecookie" }
		}
		gateway { internal = { "ws0" } external = { "ext0" }
			lease_ms = $LEASE }
		users { gate = $GATE_UID engine = 4243 status = 4244 }
		$(cat)
	END
	gate_run -f "$IT_DIR/policy.conf" || {
		cat "$IT_DIR/drv.err"
		fail "our gate does not start"
		it_end
	}
}

# The gate of ours, and all it leaves in the kernel.
ours_gone()
{
	gate_stop
	in_gw "$DRV" -r >/dev/null || fail "our rules are not removed"
}

# keep open|sync: and wait until it is.
keep()
{
	local name=$1
	[ "$name" != sync ] || name=time-sync
	say stay "$1"
	now_is "position=$name known=1" || await "position=$name known=1" 3
}

# Which of SPEC... answer a user of the gateway, the workstation, the outside.
gw_answers() { answers_in "$GW" "$@"; }
ws_answers() { answers_in "$WS" 0 "$@"; }
out_answers() { answers_in "$OUT" 0 "$@"; }
answers_in()
{
	ip netns exec "$1" python3 "$IT_SRC/traffic.py" "$2" asks "${@:3}"
}

# all SENTENCE ASKER... -- SPEC...: each of them answers; none: none does.
# An asker that could not ask proves nothing.  What is late is asked once more.
all()
{
	in_time all_answer "$@"
	check "$1" [ "$asked/$got" = "0/$specs" ]
	[ "$got" = "$specs" ] || note "answered: ${got:-none} of $specs"
}

all_answer()
{
	ask_each "$@"
	[ "$asked/$got" = "0/$specs" ]
}

none()
{
	ask_each "$@"
	check "$1" [ "$asked/$got" = 0/ ]
	[ -z "$got" ] || note "answered: $got of $specs"
}

ask_each()
{
	local asker=()
	shift
	while [ "$1" != -- ]; do
		asker+=("$1")
		shift
	done
	shift
	specs=$*
	got=$("${asker[@]}" "$@")
	asked=$?
}

# What gets past every chain: "inside" to the gateway from its workstations,
# "outside" onto the wire, but for Tor's own and what is not IP.
watch_begin()
{
	in_gw nft -f - <<-'END_NFT'
	table inet watch {
		counter inside { }
		chain input {
			type filter hook input priority 200
			iifname "ws0" meta l4proto { tcp, udp } counter name inside
		}
	}
	END_NFT
	in_out nft -f - <<-'END_NFT'
	table inet watch {
		counter outside { }
		chain prerouting {
			type filter hook prerouting priority -450
			iifname "ext1" udp dport 7777 counter name outside
		}
	}
	END_NFT
}

# seen inside|outside: packets so far.
seen()
{
	local ns=$GW
	[ "$1" = inside ] || ns=$OUT
	ip netns exec "$ns" nft -j list counter inet watch "$1" |
	    sed -n 's/.*"packets": \([0-9]*\).*/\1/p'
}

# Datagrams without end, by a user of the gateway and by the workstation.
floods_begin()
{
	FLOODS=()
	ip netns exec "$GW" python3 "$IT_SRC/traffic.py" $UID_USER \
	    flood 192.0.2.1:7777 &
	FLOODS+=($!)
	ip netns exec "$WS" python3 "$IT_SRC/traffic.py" 0 \
	    flood 192.0.2.1:7777 &
	FLOODS+=($!)
	ip netns exec "$WS" python3 "$IT_SRC/traffic.py" 0 \
	    flood 198.51.100.1:53 &
	FLOODS+=($!)
	ip netns exec "$WS" python3 "$IT_SRC/traffic.py" 0 \
	    flood 10.152.152.10:5300 &
	FLOODS+=($!)
}

floods_end()
{
	kill "${FLOODS[@]}"
	wait "${FLOODS[@]}" 2>/dev/null
	FLOODS=()
}

# gets SENTENCE COUNTER: packets come, sooner or later.
gets()
{
	local before
	before=$(seen "$2")
	check "$1" in_time seen_more "$2" "$before"
}
seen_more() { [ "$(seen "$1")" -gt "$2" ]; }

# flow NAME NETNS UID SPEC: an endless one; its echoes go to a file.
flow()
{
	ip netns exec "$2" python3 "$IT_SRC/traffic.py" "$3" stream "$4" \
	    >"$IT_DIR/flow-$1" 2>&1 &
	FLOWS[$1]=$!
}
declare -A FLOWS=()

flows_end()
{
	[ ${#FLOWS[@]} = 0 ] || kill "${FLOWS[@]}" 2>/dev/null
	FLOWS=()
}

# flows_run SENTENCE NAME...: echoes come, of each.
flows_run()
{
	local name before
	for name in "${@:2}"; do
		before=$(wc -l <"$IT_DIR/flow-$name")
		check "$1: $name" in_time lines_over "$IT_DIR/flow-$name" \
		    $((before + 2))
	done
}

# flows_cut SENTENCE NAME...: none comes.
flows_cut()
{
	local name
	local -A before
	for name in "${@:2}"; do
		before[$name]=$(wc -l <"$IT_DIR/flow-$name")
	done
	sleep 1
	for name in "${@:2}"; do
		check "$1: $name" [ "$(wc -l <"$IT_DIR/flow-$name")" = \
		    "${before[$name]}" ]
	done
}
