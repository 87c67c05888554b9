#!/bin/bash
# After a close the kernel forgets the clients' flows and no others, without
# delaying anything.
. "$(dirname "$0")/gate.bash"
command -v conntrack >/dev/null || skip "needs conntrack, to look"
MANY=${MANY:-100000}
CLOSE_US=20000 # far below what forgetting MANY takes
it_begin
in_gw sysctl -qw net.ipv4.ip_forward=0
# The gate's own rules mark clients' flows; this makes sure of it, and of
# flows that they have not seen.
in_gw nft -f - <<'EOF'
table inet marks {
	chain pre {
		type filter hook prerouting priority -150
		iifname "ws0" ct mark set ct mark or 0x40000000
	}
}
EOF
MARK=0x40000000/0x40000000
clients() { in_gw conntrack -L "$@" -m $MARK 2>/dev/null | grep -c .; }
tors() { in_gw conntrack -L -p tcp -d 192.0.2.1 --dport 443 2>/dev/null |
    grep -c ESTABLISHED; }
tor_id() { in_gw conntrack -L -p tcp -d 192.0.2.1 --dport 443 -o id \
    2>/dev/null | sed 's/.*id=//'; }
purges() { grep '^report' "$IT_DIR/drv.out" | tail -1 |
    sed 's/.* purges=\([0-9]*\).*/\1/'; }
close_us() { grep '^report' "$IT_DIR/drv.out" | tail -1 |
    sed 's/.* close_us=\([0-9]*\).*/\1/'; }
gone() { in_time no_clients; }
no_clients() { [ "$(clients)" = 0 ]; }
purger() { pgrep -P "$GATE_PID" portcullis-purg; }
flows()
{
	ask_ws 10.152.152.10:9050 && ask_ws udp:192.0.2.53:53
}
fill()
{
	in_gw python3 - "$1" "$2" <<-'EOF'
	import socket, struct, sys
	n, mark = int(sys.argv[1]), int(sys.argv[2], 0)
	def at(t, data):
	    return struct.pack("HH", len(data) + 4, t) + data + \
	        bytes(-len(data) % 4)
	def tup(t, a, b, p, q):
	    ip = at(0x8001, at(1, a) + at(2, b))
	    pr = at(0x8002, at(1, b"\x11") + at(2, struct.pack("!H", p)) +
	        at(3, struct.pack("!H", q)))
	    return at(t | 0x8000, ip + pr)
	s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
	d = socket.inet_aton("192.0.2.1")
	rest = at(7, struct.pack("!I", 600)) + at(8, struct.pack("!I", mark))
	out = b""
	for i in range(n):
	    a = struct.pack("!I", (0x0a980000 if mark else 0x0a9a0000) +
	        i // 60000)
	    p = 1024 + i % 60000
	    m = struct.pack("BBH", 2, 0, 0) + tup(1, a, d, p, 53) + \
	        tup(2, d, a, 53, p) + rest
	    out += struct.pack("IHHII", len(m) + 16, 0x100, 0x601, i, 0) + m
	    if len(out) > 60000:
	        s.send(out)
	        out = b""
	s.send(out)
	EOF
}

servers_start
export LEASE=10000 # open long enough for slow probes
gate_up
in_gw python3 "$IT_SRC/traffic.py" $TOR_UID stream 192.0.2.1:443 \
    >"$IT_DIR/tor" 2>&1 &
sleep 0.3

note "the process"
pid=$(purger)
check "there is one" [ -n "$pid" ]
status() { grep -E "^$1:" "/proc/$pid/status" | cut -f 2-; }
check "it is the gate's user" [ "$(status Uid | tr '\t' ' ')" = \
    "$GATE_UID $GATE_UID $GATE_UID $GATE_UID" ]
for set in CapEff CapPrm; do
	check "$set is CAP_NET_ADMIN" [ "$(status $set)" = 0000000000001000 ]
done
for set in CapBnd CapInh CapAmb; do
	check "$set is empty" [ "$(status $set)" = 0000000000000000 ]
done
check "it has three descriptors" \
    [ "$(find "/proc/$pid/fd" -type l | wc -l)" = 3 ]

note "a close"
say open
check "open: clients get through, TCP and UDP" flows
check "there are clients' flows" [ "$(clients -p tcp)" -ge 1 ]
check "of both kinds" [ "$(clients -p udp)" -ge 1 ]
id=$(tor_id)
before=$(purges)
say closed
check "closed: the clients' are forgotten" gone
check "Tor's is not" [ "$(tors)" = 1 ]
check "it is even the same" [ "$(tor_id)" = "$id" ]
say wait 1500 # a report comes once a second, after a request a bit later
check "counted" [ "$(purges)" = $((before + 1)) ]

note "a process that hangs delays nothing"
before=$(purges)
kill -STOP "$pid"
for ((i = 0; i < 5; i++)); do
	say open
	flows
	say closed
	check "closed at once" [ "$(close_us)" -lt $CLOSE_US ]
done
check "control: nothing is forgotten meanwhile" [ "$(clients)" -ge 2 ]
kill -CONT "$pid"
check "then it is" gone
say wait 1200
check "five requests became one or two" \
    [ $(($(purges) - before)) -ge 1 -a $(($(purges) - before)) -le 2 ]

note "$MANY flows of clients beside as many others"
gate_stop
export LEASE=1000
gate_up
pid=$(purger)
fill "$MANY" 0
fill "$MANY" 0x40000000
check "they are there" [ "$(clients)" -ge "$MANY" ]
say open
say closed
check "closed at once" [ "$(close_us)" -lt $CLOSE_US ]
say hold 2000
check "open all the while" heard 'position=open'
refuse "no heartbeat was late" has_heard 'position=\(closed\|tor-only\)'
check "clients' are forgotten" gone
check "the others are not" [ "$(in_gw conntrack -C)" -ge "$MANY" ]
check "Tor's is the same" [ "$(tor_id)" = "$id" ]
last=$(wc -l <"$IT_DIR/tor")
check "and flows" in_time lines_over "$IT_DIR/tor" "$last"

note "its end"
say open
kill -KILL "$pid"
say hold 1500
check "its death closes nothing" now_is 'position=open'
check "it is said once" \
    [ "$(grep -c 'only stay closed' "$IT_DIR/drv.err")" = 1 ]
flows
say closed
check "closed without it" now_is 'position=closed known=1'
refuse "and clients do not get through" ask_ws 10.152.152.10:9050
check "none is started" [ -z "$(purger)" ]
gate_stop

note "the gate's end"
export LEASE=10000
gate_up
pid=$(purger)
check "started: its predecessor's are forgotten" gone
say open
flows
say term
await '^gate-ended exit=0' 5
check "stop: forgotten" gone
check "stop: said in a line" grep -q 'stopping: SIGTERM; the gateway stays '\
'closed, and only portcullisd --remove-rules opens it' "$IT_DIR/drv.err"
gate_stop
gate_up
pid=$(purger)
kill -KILL "$GATE_PID"
sleep 0.3
# Perhaps nobody has collected it yet.
refuse "it dies with the gate" \
    grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status" 2>/dev/null
gate_stop
it_end
