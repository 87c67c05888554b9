#!/bin/bash
# A process that runs as Tor's user, or as another, and wants what is Tor's.
# What the kernel can tell apart is refused; what it cannot (portcullisd(8),
# SECURITY) gets no further than Tor itself.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/it/listeners.bash
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
TOR_UID=$(id -u "$NET_TOR_USER")
OTHER_UID=64099

liar() # NAME UID JOB...: in the background
{
	local name=$1
	shift
	rm -f "$DIR/log/$name"
	net_spawn "$name" gateway "$net_python" \
	    "$it_src/tests/hostile/near_liar.py" "$@" &&
	    net_wait 5 grep -q . "$DIR/log/$name"
}
said() { grep -q "$2" "$DIR/log/$1"; }
tries() # UID WANT JOB...: what comes of it
{
	local uid=$1 want=$2
	shift 2
	net_in gateway timeout 10 "$net_python" \
	    "$it_src/tests/hostile/near_liar.py" "$uid" "$@" | grep -q "$want"
}
lease_gone()
{
	! net_in gateway nft list set inet portcullis gate | grep -q elements
}
got_nothing() { ! grep -q got "$DIR/log/$1"; }

echo "# there before Tor, with Tor's uid"
liar tcp "$TOR_UID" bind tcp "$NET_GW4" 9050 reuseaddr
liar udp "$TOR_UID" bind udp "$NET_GW4" 5300
it_check "they have the ports (positive control)" said tcp bound
it_check "of both protocols" said udp bound
it_start
net_tor_start --no-wait
it_need "the others open" it_wait_for open 90
it_check "theirs are not proven: Tor does not name them" net_wait 10 \
    it_proven_is 7
it_check "nobody reaches the one" it_knock_none workstation "$NET_GW4:9050"
it_check "nor a name from the other" it_not net_in workstation dig +short \
    +tries=1 +time=2 "@$NET_GW4" "$NET_NAME" A
it_check "the liars got nothing" got_nothing tcp
it_check "of both" got_nothing udp
net_stop tcp udp
it_check "they end: all are proven" net_wait 60 it_all_proven
it_check "and a name comes" it_retry 20 it_resolve "$NET_GW4"

echo "# beside Tor, on the same ports"
n=0
for uid in $TOR_UID $OTHER_UID; do
	for how in "tcp $NET_GW4 9050 reuseaddr reuseport" \
	    "tcp 0.0.0.0 9050 reuseaddr reuseport" \
	    "tcp $NET_GW4 9050 device:eth1" \
	    "udp $NET_GW4 5300 reuseaddr reuseport" \
	    "udp $NET_GW4 5300 reuseaddr connect:$NET_WS4" \
	    "udp 0.0.0.0 5300 reuseaddr reuseport"; do
		n=$((n + 1))
		# shellcheck disable=SC2086 # words
		liar "beside$n" "$uid" bind $how
		if said "beside$n" bound && [ "$uid:$how" = \
		    "$TOR_UID:udp $NET_GW4 5300 reuseaddr reuseport" ]; then
			# Tor's own socket may be shared, and this is Tor to
			# the kernel: no more than a note.
			echo "   Tor's uid shares Tor's DNSPort, as documented"
		elif said "beside$n" bound; then
			# It shares the port, then: no proof, or no packet.
			sleep 2
			net_in workstation dig +short +tries=1 +time=1 \
			    "@$NET_GW4" "$NET_NAME" A >/dev/null
			it_knock workstation "$NET_GW4:9050" >/dev/null
			it_check "uid $uid has $how: it gets nothing" \
			    got_nothing "beside$n"
		else
			it_check "uid $uid is refused $how" said "beside$n" \
			    refused
		fi
		net_stop "beside$n"
	done
done
it_check "all are proven in the end" net_wait 60 it_all_proven
it_check "and open" it_wait_for open 30

echo "# what else Tor's user may want"
it_check "no request: control.sock is not for it" tries "$TOR_UID" refused \
    control "$DIR/run/control.sock"
it_check "it is for root (positive control)" tries 0 connected control \
    "$DIR/run/control.sock"
it_check "no raw socket" tries "$TOR_UID" refused raw tcp
it_check "no packet socket" tries "$TOR_UID" refused raw packet
it_check "for root there is (positive control)" tries 0 opened raw packet
it_check "no UDP to the outside" tries "$TOR_UID" refused send "$NET_DNS4" 53
for who in gate engine status; do
	pid=$(it_pid $who) || exit 1
	it_check "no signal to the $who" tries "$TOR_UID" refused signal \
	    STOP "$pid"
done
tor=$(net_pid tor)
it_check "it may stop Tor" tries "$TOR_UID" sent signal STOP "$tor"
it_check "that closes" net_wait 5 lease_gone
it_check "it lets Tor go on" tries "$TOR_UID" sent signal CONT "$tor"
it_check "that opens, by new proofs" it_wait_for open 30
it_check "a page comes through" it_retry 20 it_fetch trans4
it_end
