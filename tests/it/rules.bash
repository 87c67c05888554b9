# Sourced, after gate.bash and it_begin: a second external and a second internal
# interface, and the rules of a policy as nft text, loaded with leases that do
# not lapse.

CHECKER=$BUILD/portcullisd
command -v conntrack >/dev/null || skip "needs conntrack, to look and forget"
[ -x "$CHECKER" ] || skip "portcullisd has not been built"
CLEAR_UID=4400 NTP_UID=4401 CLOCK_UID=4402

ip -n "$GW" link add tun0 type veth peer name tun1 netns "$OUT"
ip -n "$GW" link add vif7 type veth peer name vif8 netns "$WS"
ip -n "$GW" addr add 198.51.100.10/24 dev tun0
ip -n "$OUT" addr add 198.51.100.1/24 dev tun1
ip -n "$GW" addr add 10.137.0.1/24 dev vif7
ip -n "$WS" addr add 10.137.0.50/24 dev vif8
for l in "$GW tun0" "$OUT tun1" "$GW vif7" "$WS vif8"; do
	ip -n "${l% *}" link set "${l#* }" up
done
ip -n "$GW" route add default via 192.0.2.1
ip -n "$OUT" addr add 203.0.113.5/32 dev lo
in_gw sysctl -qw net.ipv4.conf.all.rp_filter=0 \
    net.ipv4.conf.ws0.rp_filter=0 net.ipv4.icmp_ratelimit=0 \
    net.ipv6.icmp.ratelimit=0
in_ws sysctl -qw net.ipv4.icmp_ratelimit=0

# policy [TOR [FIREWALL [MORE]]]: into $IT_DIR/policy.
policy()
{
	cat >"$IT_DIR/policy" <<-END
	tor { user = $TOR_UID control = "unix:/run/tor/control" ${1:-} }
	gateway { internal = { "ws0", "vif*" } external = { "ext0", "tun0" }
	}
	users { gate = $GATE_UID engine = 4243 status = 4244
		resolver = 4245 }
	firewall { ${2:-} }
	listener "socks" { kind = "socks" port = 9050
		address = { "10.152.152.10", "fd19::10" } }
	listener "trans" { kind = "trans" port = 9040
		address = { "10.152.152.10", "fd19::10" } }
	listener "dns" { kind = "dns" port = 5300 address = "10.152.152.10" }
	listener "local" { kind = "socks" port = 9150 address = "127.0.0.1" }
	listener "clock" { kind = "socks" port = 9108
		address = { "127.0.0.1", "10.152.152.10" } }
	listener "local-trans" { kind = "trans" port = 9041
		address = "127.0.0.1" }
	listener "local-dns" { kind = "dns" port = 5400
		address = "127.0.0.1" }
	${3:-}
	END
}

# load POSITION...: boot alone ("boot"), or all tables.
load()
{
	local text=$IT_DIR/text
	"$CHECKER" -n -f "$IT_DIR/policy" --print closed >"$text" || return
	if [ "$1" != boot ]; then
		"$CHECKER" -n -f "$IT_DIR/policy" --print "$1" >>"$text" &&
		    "$CHECKER" -n -v -f "$IT_DIR/policy" |
		    sed -n '/^table netdev/,/^}/p' >>"$text" || return
	fi
	in_gw nft flush ruleset
	sed 's/^\t\ttimeout [0-9]*ms$/\t\ttimeout 1h/' "$text" |
	    in_gw nft -f -
}
loads() { check "$1: the rules are loaded" load "${@:2}"; }

# is WHAT WORD COMMAND...: the outcome is WORD.  An answer may be late on a busy
# machine, and is asked for again; silence must be silence at once.
is()
{
	local what=$1 want=$2 got tries=10
	shift 2
	until got=$("$@" 2>&1); [ "$got" != silent ] || [ "$want" = silent ] ||
	    [ $((tries--)) = 0 ]; do :; done
	if [ "$got" = "$want" ]; then
		pass "$what: $want"
	else
		fail "$what: ${got:-nothing}, not $want"
	fi
}
ws_try() { in_ws python3 "$IT_SRC/traffic.py" 0 try "$1"; }
gw_try() { in_gw python3 "$IT_SRC/traffic.py" "$1" try "$2"; }
out_try() { in_out python3 "$IT_SRC/traffic.py" 0 try "$1"; }

# What was closed is sent again, by rules that may let it through, until it is
# given up: that is to be soon, and before the next.
in_gw sysctl -qw net.ipv4.tcp_orphan_retries=3
no_orphans() { [ -z "$(in_gw ss -Htn state fin-wait-1)" ]; }
# lingers UID [SPEC [SPORT]]: a connection of this user's, to be closed by
# "words".
lingers()
{
	in_time no_orphans || fail "there still is an older connection"
	rm -f "$IT_DIR/linger" "$IT_DIR/lingers"
	mkfifo "$IT_DIR/linger"
	in_gw python3 "$IT_SRC/traffic.py" "$1" linger \
	    "${2:-192.0.2.1:443}" "${3:-0}" <"$IT_DIR/linger" \
	    >"$IT_DIR/lingers" &
	exec 8>"$IT_DIR/linger"
	ready 1 "$IT_DIR/lingers"
}
words() { echo >&8; exec 8>&-; sleep 1; }

# seen NS IFACE ADDR COMMAND...: do packets to ADDR come by on IFACE?
seen()
{
	local ns=$1 dev=$2 addr=$3 n
	shift 3
	sniff "$ns" "$dev" "$addr" "$IT_DIR/sniffed"
	sniffing "$ns" 1
	"$@" >/dev/null 2>&1
	sniffed
	n=$(cat "$IT_DIR/sniffed")
	[ "${n:-0}" -gt 0 ]
}
pinged() { $1 python3 "$IT_SRC/traffic.py" 0 ping "$2"; }
forge() { in_ws python3 "$IT_SRC/traffic.py" 0 forge "$@"; }
