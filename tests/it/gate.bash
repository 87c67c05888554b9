# Sourced by the gate's namespace tests: a gateway namespace between a
# workstation and the outside, a gate in it, and questions to all three.
#
#   ws (ws1 10.152.152.50) -- ws0 gw ext0 -- ext1 out (192.0.2.1)

set -u
BUILD=${top_builddir:-.}
DRV=${GATE_DRV:-$BUILD/gatedrv}
TOR_UID=4300
GATE_UID=4242
LEASE=1000
IT_DIR=
IT_PASSED=0
IT_FAILED=0
GW= WS= OUT=

note() { printf '# %s\n' "$*"; }
pass()
{
	IT_PASSED=$((IT_PASSED + 1))
	printf 'ok: %s\n' "$*"
}

fail()
{
	IT_FAILED=$((IT_FAILED + 1))
	printf 'FAILED: %s\n' "$*"
}

skip() { printf '%s\n' "$*"; exit 77; }

# check SENTENCE COMMAND...: the command succeeds.  An echo may be late on a
# busy machine: that is asked for again, other than what is to be silent.
check()
{
	local what=$1
	shift
	case $1 in
	ask_*) set -- in_time "$@" ;;
	esac
	if "$@"; then pass "$what"; else fail "$what"; fi
}

refuse()
{
	local what=$1
	shift
	if "$@"; then fail "$what"; else pass "$what"; fi
}

it_clean()
{
	local rc=$? pid
	[ -n "${DRV_PID:-}" ] && kill "$DRV_PID" 2>/dev/null
	for pid in $(jobs -p); do kill "$pid" 2>/dev/null; done
	for ns in "$GW" "$WS" "$OUT"; do
		[ -n "$ns" ] || continue
		# What "in_gw ... &" began is a child of a child.
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			kill "$pid" 2>/dev/null
		done
		ip netns del "$ns" 2>/dev/null
	done
	[ -n "$IT_DIR" ] && rm -rf "$IT_DIR"
	exit "$rc"
}

it_begin()
{
	[ "$(id -u)" = 0 ] || skip "needs root, for network namespaces"
	[ -x "$DRV" ] || skip "gatedrv has not been built"
	command -v nft >/dev/null || skip "needs nft, to look and to disturb"
	command -v python3 >/dev/null || skip "needs python3, for traffic"
	IT_DIR=$(mktemp -d)
	trap it_clean EXIT
	GW=pcgw$$ WS=pcws$$ OUT=pcout$$
	for ns in "$GW" "$WS" "$OUT"; do
		ip netns add "$ns" 2>/dev/null ||
		    skip "network namespaces cannot be made here"
		ip -n "$ns" link set lo up
	done
	ip -n "$GW" link add ws0 type veth peer name ws1 netns "$WS" ||
	    skip "veth interfaces cannot be made here"
	ip -n "$GW" link add ext0 type veth peer name ext1 netns "$OUT"
	ip -n "$GW" addr add 10.152.152.10/24 dev ws0
	ip -n "$WS" addr add 10.152.152.50/24 dev ws1
	ip -n "$GW" addr add 192.0.2.10/24 dev ext0
	ip -n "$OUT" addr add 192.0.2.1/24 dev ext1
	ip -n "$GW" -6 addr add fd19::10/64 dev ws0 nodad
	ip -n "$WS" -6 addr add fd19::50/64 dev ws1 nodad
	for l in "$GW ws0" "$GW ext0" "$WS ws1" "$OUT ext1"; do
		ip -n "${l% *}" link set "${l#* }" up
	done
	ip -n "$WS" route add default via 10.152.152.10
	LISTENERS="socks/10.152.152.10/9050 trans/10.152.152.10/9040
	    dns/10.152.152.10/5300 socks/127.0.0.1/9150
	    socks/fd19::10/9050 trans/fd19::10/9040"
}

in_gw() { ip netns exec "$GW" "$@"; }
in_ws() { ip netns exec "$WS" "$@"; }
in_out() { ip netns exec "$OUT" "$@"; }

# A gate with options "$@" and the usual listeners.
gate_start()
{
	# shellcheck disable=SC2086 # the listeners are words
	gate_run -l "$LEASE" -t $TOR_UID -u $GATE_UID -i ws0 -e ext0 "$@" \
	    $LISTENERS
}

# A driver with arguments "$@"; talks through fd 7 and $IT_DIR/drv.out.
gate_run()
{
	rm -f "$IT_DIR/drv.in"
	mkfifo "$IT_DIR/drv.in"
	: >"$IT_DIR/drv.out"
	SEEN=0
	(exec ip netns exec "$GW" "$DRV" "$@" <"$IT_DIR/drv.in" \
	    >"$IT_DIR/drv.out" 2>"$IT_DIR/drv.err") &
	DRV_PID=$!
	exec 7>"$IT_DIR/drv.in"
	await '^ready' 5 || return 1
	GATE_PID=$(sed -n 's/^gate pid=//p' "$IT_DIR/drv.out")
}

# The same, until the gate stands: the driver does not wait for that.
gate_up()
{
	gate_start "$@"
	await_err 'position=closed' && return
	fail "the gate does not stand"
	cat "$IT_DIR/drv.err"
}

# within MS COMMAND...: it succeeds at last; it is asked once more after
# the time is over, however long asking takes.
within()
{
	local end=$((${EPOCHREALTIME/./} + $1 * 1000)) last=0
	shift
	until "$@"; do
		[ $last = 0 ] || return 1
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || last=1
		sleep 0.02
	done
}

# in_time COMMAND...: the same where the time does not matter.
in_time() { within 20000 "$@"; }

# ready N FILE...: N of the programs that print into these are.
ready()
{
	in_time says_ready "$@" || fail "the stand-in servers did not start"
}
says_ready() { [ "$(cat "${@:2}" 2>/dev/null | grep -c ready)" -ge "$1" ]; }

# await REGEX SECONDS: until the driver has printed it since $SEEN; a busy
# machine gets thrice the time.
SEEN=0
await() { within $(($2 * 3000)) has_heard "$1"; }

# The same in what the gate and the driver log.
await_err() { in_time grep -q "$1" "$IT_DIR/drv.err"; }

# From here on, for await and heard.
mark()
{
	SEEN=$(wc -l <"$IT_DIR/drv.out")
}

# say COMMAND: and wait until it is done.
say()
{
	mark
	echo "$*" >&7
	await "^done ${1%% *}" 15 # $1 may be the whole line
}

# What has been reported since the last say; on a loaded machine the gate's
# answer may come after "done".
heard() { await "$1" 5; }
# The same by now; for what is not to be heard.
has_heard() { tail -n +$((SEEN + 1)) "$IT_DIR/drv.out" | grep -q "$1"; }
# The newest report of all matches.
newest_is() { grep '^report' "$IT_DIR/drv.out" | tail -1 | grep -q "$1"; }
# The same, as soon as the gate has come to report.
now_is() { within 9000 newest_is "$1"; }
lines_over() { [ "$(wc -l <"$1")" -gt "$2" ]; }
# runs FILE: a flow has printed some lines into it.
runs() { in_time lines_over "$1" 10; }

gate_stop()
{
	echo quit >&7
	exec 7>&-
	wait "$DRV_PID" 2>/dev/null
	DRV_PID=
}

# Echo servers as Tor's stand-in, in the gateway, with Tor's uid; at "$@" too.
servers_start()
{
	in_gw python3 "$IT_SRC/traffic.py" $TOR_UID serve \
	    10.152.152.10:9050 10.152.152.10:9040 127.0.0.1:9150 \
	    "fd19::10:9050" udp:10.152.152.10:5300 "$@" \
	    >"$IT_DIR/servers" 2>&1 &
	in_out python3 "$IT_SRC/traffic.py" 0 serve 192.0.2.1:443 \
	    udp:192.0.2.1:53 >"$IT_DIR/servers.out" 2>&1 &
	ready 2 "$IT_DIR/servers" "$IT_DIR/servers.out"
}

# An echo came back: ask_ws ADDR:PORT, or udp:ADDR:PORT.
ask_ws() { in_ws python3 "$IT_SRC/traffic.py" 0 ask "$1"; }
ask_gw() { in_gw python3 "$IT_SRC/traffic.py" "$1" ask "$2"; }

# sniff NS IFACE ADDR FILE: in the background, until sniffed.
sniffers=()
sniff()
{
	ip netns exec "$1" python3 "$IT_SRC/traffic.py" 0 sniff "$2" "$3" 20 \
	    >"$4" &
	sniffers+=($!)
}

# sniffing NS N: until N of them hear all frames, whatever the machine's load.
sniffing() { in_time hear_all "$@"; }
hear_all()
{
	[ "$(ip netns exec "$1" grep -c ' 0003 ' /proc/net/packet)" -ge "$2" ]
}

# What has come until now is counted.
sniffed()
{
	sleep 0.2
	kill "${sniffers[@]}"
	wait "${sniffers[@]}"
	sniffers=()
}

it_end()
{
	printf '%s passed, %s failed\n' "$IT_PASSED" "$IT_FAILED"
	[ "$IT_FAILED" = 0 ]
	exit
}

IT_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
