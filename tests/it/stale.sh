#!/bin/bash
# Tor keeps the flags that a listener was opened with, whatever GETCONF says.
# STREAM events, read by another controller, tell which are in force.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
# Open before we come, at a policy listener's address, without its flag.
echo "SocksPort $NET_GW4:9050" >"$DIR/tor/torrc.extra"
net_tor_start
it_events STREAM
it_check "without us a stream passes" it_retry 20 it_stream_through \
    workstation "$NET_GW4:9050" bare
it_check "and is not isolated (positive control)" it_not it_isolated bare \
    DESTADDR

# The trap itself: the right line for an open listener changes nothing.
policy="SocksPort=\"$NET_GW4:9050 IPv6Traffic IsolateDestAddr\""
it_check "Tor takes the right line" net_tor_ctl "SETCONF $policy"
it_check "a stream passes" it_retry 20 it_stream_through workstation \
    "$NET_GW4:9050" trap
it_check "still not isolated (positive control)" it_not it_isolated trap \
    DESTADDR

it_start
it_need "opens" it_wait_for open 60
it_check "all are proven" net_wait 10 it_all_proven
it_check "a stream passes through us" it_retry 20 it_stream_through \
    workstation "$NET_GW4:9050" ours
it_check "and is isolated: the listener was opened anew" it_isolated ours \
    DESTADDR

# A second controller leaves the right line behind, over a stale listener.
it_spoil()
{
	net_tor_ctl "SETCONF SocksPort=0" \
	    "SETCONF SocksPort=\"$NET_GW4:9050 IPv6Traffic\"" \
	    "SETCONF $policy" >/dev/null
}
it_check "somebody makes it stale" it_spoil
it_check "all are proven again" net_wait 15 it_all_proven
it_check "open again" it_wait_for open 15
it_again()
{
	it_stream_through workstation "$NET_GW4:9050" again &&
	    it_isolated again DESTADDR
}
it_check "and isolated" it_retry 15 it_again

# And back again, while others are open: those are not disturbed.
it_knocker steady "$NET_GW4:9190"
net_wait 5 it_knocks_more steady ok 50
no=$(it_knocks steady no)
it_flip()
{
	local all
	all=$(net_tor_ctl "GETCONF SocksPort" |
	    sed -n 's/^250[- ]\(SocksPort\)=\(.*\)/\1="\2"/p' | tr -d '\r')
	net_tor_ctl "SETCONF $(echo "$all" |
	    sed "s|\($NET_GW4:9050[^\"]*\)|\1 IsolateDestPort|" |
	    tr '\n' ' ')" "SETCONF $(echo "$all" | tr '\n' ' ')" >/dev/null
}
it_check "flags there and back, by somebody else" it_flip
it_check "noticed, and all proven" net_wait 15 it_all_proven
it_fresh()
{
	it_stream_through workstation "$NET_GW4:9050" back &&
	    it_isolated back DESTADDR && ! it_isolated back DESTPORT
}
it_check "the policy's flags are in force" it_retry 15 it_fresh
it_check "the HTTP tunnel was not disturbed" it_undisturbed steady "$no"
it_check "a hold is noticed (positive control)" it_knocker_can_fail steady
it_end
