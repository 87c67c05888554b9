#!/bin/bash
# The gate takes no memory after lock-down, whatever it is asked and whatever
# happens around it: malloc itself would tell (gate_memory.c).
export GATE_DRV=${top_builddir:-.}/gatedrv-memory
. "$(dirname "$0")/gate.bash"
it_begin
took() { grep -q 'memory after lock-down' "$IT_DIR/drv.err"; }
stands() { kill -0 "$GATE_PID" 2>/dev/null; }
works()
{
	check "$1" stands
	refuse "$1: no memory taken" took
}
# does SENTENCE COMMANDS...
does()
{
	local what=$1 command
	shift
	for command; do
		say "$command"
	done
	works "$what"
}

note "positive control: one octet would be seen"
export GATE_MEMORY=1
gate_start
check "told" await_err 'memory after lock-down'
refuse "and the gate is gone" stands
gate_stop
unset GATE_MEMORY

gate_up -X -T 3 -U 4400 -A
does "opened and closed" "open 0 1 2" "hold 600 0 1 2" closed tor
does "time-sync" "keep 400" sync
does "the same again, and stale" again stale "epoch 7"
does "relays, whole, cut and swapped" "relays 1 192.0.2.7:443" \
    "cut 2 192.0.2.8:443" "swaps 3 192.0.2.9:443 [2001:db8::1]:9001"
does "permits, and where they reach" "permits lookup stub udp" \
    "reach resolver 5 198.51.100.7:53" "reach tor 5 198.51.100.8:443" permits
note "interfaces, addresses, forwarding"
in_gw ip link add memory0 type veth peer name memory1
in_gw ip link set memory0 up
in_gw ip addr add 10.9.9.9/24 dev memory0
in_gw ip link del ext0
sleep 0.3
in_gw ip link add ext0 type veth peer name ext1
in_gw ip link set ext0 up
in_gw sysctl -qw net.ipv4.conf.memory0.forwarding=1 \
    net.ipv6.conf.memory0.forwarding=1
does "looked at" "wait 1200"
in_gw ip link del memory0
note "somebody else's tables, and ours"
in_gw nft add table inet other
in_gw nft delete table inet other
in_gw nft delete table inet portcullis_boot 2>/dev/null
does "looked at" "wait 1200"
does "a new engine, and none" "open 0" engine "open 0" hangup "wait 300"
does "nonsense" engine "junk 7"
say engine
say "open 0"
say term
sleep 0.5
refuse "not at its end either" took
check "which it has told" grep -q 'stopping: SIGTERM' "$IT_DIR/drv.err"
gate_stop
it_end
