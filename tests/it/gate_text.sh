#!/bin/bash
# The ruleset as the gate compiles it is the one that the policy library
# prints: both are loaded into kernels' hands and listed by nft.
. "$(dirname "$0")/gate.bash"
it_begin
# Given addresses, those of interfaces with redirects to them, and a path.
LISTENERS="socks/ws0:ipv4/9052 socks/ws0:ipv6/9052 trans/ws0:ipv4/9041
    dns/ws0:ipv6/5301 socks/ext0:ipv4/9052 socks/unix:socks $LISTENERS"
gate_start
say at ws0:ipv4 10.152.152.10
say at ws0:ipv6 fd19::10

# Counters, owner and times differ.  t_differ compares more, but not what a
# running gate has loaded.
normal() {
	nft -s list table "$1" "$2" |
	    sed -e '/^\t*flags owner/d' -e 's/ # progname.*//' \
	    -e 's/ expires [0-9a-z]*//g' -e '/^\t*comment/d' |
	    grep -v '^$'
}

ip netns add "${GW}t"
ip -n "${GW}t" link add ext0 type veth peer name ext1
for t in portcullis_boot portcullis_guard portcullis portcullis_egress; do
	family=inet
	[ $t = portcullis_egress ] && family=netdev
	# shellcheck disable=SC2086
	"$DRV" -p $t -l "$LEASE" -t $TOR_UID -u $GATE_UID -i ws0 -e ext0 \
	    $LISTENERS >"$IT_DIR/text"
	check "$t: its text loads" \
	    ip netns exec "${GW}t" nft -f "$IT_DIR/text"
	export -f normal
	ip netns exec "${GW}t" bash -c "normal $family $t" |
	    sed '/elements = { ipv[46]/d' >"$IT_DIR/a"
	in_gw bash -c "normal $family $t" |
	    sed '/elements = { ipv[46]/d' >"$IT_DIR/b"
	check "$t: text and messages are the same" \
	    diff -u "$IT_DIR/a" "$IT_DIR/b"
	check "$t: there is something to compare" [ -s "$IT_DIR/b" ]
	refuse "$t: nft understands all of it" \
	    grep -q '\[invalid\|\[unknown\|unknown ' "$IT_DIR/b"
done
ip netns del "${GW}t"
gate_stop
it_end
