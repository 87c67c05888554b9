#!/bin/bash
# A locked gate's view of interfaces that come later: do they forward IPv6?
# Linux 6.17 and later have a file for each to tell; older ones have none, and
# that is no alarm.
. "$(dirname "$0")/gate.bash"
it_begin
CONF=/proc/sys/net/ipv6/conf
[ -e $CONF ] || skip "there is no IPv6 here"
# barriers=0x..: is GATE_BAR_FWD6 among the last?
FWD6=0x20
off()
{
	grep '^report' "$IT_DIR/drv.out" | tail -1 |
	    sed 's/.*barriers=\(0x[0-9a-f]*\).*/\1/' |
	    { read -r b; [ $((b & FWD6)) != 0 ]; }
}
settle() { say "wait 1200"; } # the gate looks once a second
later()
{
	in_gw ip link add later0 type veth peer name later1
	in_gw ip link set later0 up
	settle
}
leave()
{
	gate_stop
	in_gw nft flush ruleset
	in_gw ip link del later0
}

note "Linux before 6.17"
cat >"$IT_DIR/older" <<-EOF2
	#!/bin/sh
	exec unshare -m sh -c 'mount -t tmpfs none $CONF && mkdir $CONF/all &&
	    echo 0 >$CONF/all/forwarding && exec "\$0" "\$@"' "$DRV" "\$@"
EOF2
chmod 755 "$IT_DIR/older"
drv=$DRV
DRV=$IT_DIR/older
gate_up
settle
check "off" off
later
check "a new interface changes nothing" off
leave
DRV=$drv

[ -e $CONF/all/force_forwarding ] || it_end
note "this one"
gate_up
settle
check "off" off
later
check "a new interface changes nothing" off
in_gw sysctl -qw net.ipv6.conf.later0.force_forwarding=1 \
    net.ipv6.conf.later1.forwarding=1
settle
refuse "one that is forced to forward is seen" off
in_gw sysctl -qw net.ipv6.conf.later0.force_forwarding=0 \
    net.ipv6.conf.later1.forwarding=0
settle
check "and that it is not any more" off
leave
it_end
