#!/bin/bash
# Real packets through a real gate: what passes in which position, and that
# it stops when gate, engine or lease stop.
. "$(dirname "$0")/gate.bash"
it_begin
servers_start
note "positive control: without rules everything answers"
check "control: TCP to the listener" ask_ws 10.152.152.10:9050
check "control: UDP to the listener" ask_ws udp:10.152.152.10:5300
check "control: IPv6" ask_ws fd19::10:9050
check "control: loopback" ask_gw 1000 127.0.0.1:9150
check "control: outside as root" ask_gw 0 192.0.2.1:443

gate_start
check "ready, closed" now_is 'position=closed known=1'
check "barriers: boot, guard, persist, netdev, routes" now_is 'barriers=0x[57]f'
closed_all() {
	refuse "$1: workstation, TCP" ask_ws 10.152.152.10:9050
	refuse "$1: workstation, DNS" ask_ws udp:10.152.152.10:5300
	refuse "$1: workstation, redirect" ask_ws 198.51.100.1:80
	refuse "$1: workstation, IPv6" ask_ws fd19::10:9050
	refuse "$1: gateway's own program" ask_gw 1000 127.0.0.1:9150
}
closed_all closed
check "closed: Tor keeps its uplink" ask_gw $TOR_UID 192.0.2.1:443
refuse "closed: root goes nowhere" ask_gw 0 192.0.2.1:443
refuse "closed: Tor's UDP goes nowhere" ask_gw $TOR_UID udp:192.0.2.1:53

hold()
{
	mark
	echo "stay open $*" >&7
	await 'position=open known=1' 5
}
hold
check "open: reported" now_is 'position=open known=1 .* proven=6'
check "open: workstation, TCP" ask_ws 10.152.152.10:9050
check "open: workstation, UDP redirect" ask_ws udp:10.152.152.10:53
check "open: workstation, redirect" ask_ws 198.51.100.1:80
check "open: workstation, IPv6" ask_ws fd19::10:9050
check "open: gateway's own program" ask_gw 1000 127.0.0.1:9150
refuse "open: TransPort not directly" ask_ws 10.152.152.10:9040
refuse "open: root goes nowhere" ask_gw 0 192.0.2.1:443
say closed
check "asked to close" now_is 'position=closed known=1 why=1'
closed_all "closed again"

note "only what is proven"
hold 0
check "proven: one" now_is 'position=open known=1 .* proven=1'
check "proven: the one listener" ask_ws 10.152.152.10:9050
refuse "unproven: DNS" ask_ws udp:10.152.152.10:53
refuse "unproven: loopback" ask_gw 1000 127.0.0.1:9150
say wait 1300
check "silent engine: closed" heard 'position=closed known=1 why=3'
say closed

note "a running flow is cut when the gate dies"
hold
in_ws python3 "$IT_SRC/traffic.py" 0 stream 10.152.152.10:9050 \
    >"$IT_DIR/flow" 2>/dev/null &
check "the flow runs" runs "$IT_DIR/flow"
kill -KILL "$GATE_PID"
killed=$EPOCHREALTIME
sleep 1
check "SIGKILL: cut within 50 ms" \
    awk -v k="$killed" 'END { exit !($1 < k + 0.05) }' "$IT_DIR/flow"
refuse "SIGKILL: gate table gone" in_gw nft list table inet portcullis \
    2>/dev/null
check "SIGKILL: guard stays" in_gw nft list table inet portcullis_guard \
    >/dev/null
closed_all "gate dead"
gate_stop

note "a new gate adopts the guard; SIGSTOP is bounded by the lease"
gate_start
check "adopted: ready, closed" now_is 'position=closed known=1'
hold
in_ws python3 "$IT_SRC/traffic.py" 0 stream 10.152.152.10:9050 \
    >"$IT_DIR/flow2" 2>/dev/null &
check "another flow runs" runs "$IT_DIR/flow2"
kill -STOP "$GATE_PID"
stopped=$EPOCHREALTIME
sleep 1.5
note "stopped $stopped, last echo $(tail -1 "$IT_DIR/flow2")"
check "SIGSTOP: cut within the lease" \
    awk -v k="$stopped" 'END { exit !($1 < k + 1.005) }' "$IT_DIR/flow2"
check "SIGSTOP: not at once, so it was the lease" \
    awk -v k="$stopped" 'END { exit !($1 > k + 0.3) }' "$IT_DIR/flow2"
closed_all "gate stopped"
refuse "SIGSTOP: Tor's uplink has lapsed too" ask_gw $TOR_UID 192.0.2.1:443
mark
kill -CONT "$GATE_PID"
await 'position=closed' 2
check "SIGCONT: not revived but closed" heard 'position=closed known=1'
gate_stop
it_end
