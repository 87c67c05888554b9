#!/bin/bash
# SIGHUP makes Tor read its torrc again, which has other listeners.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
# The first is the policy's, but with other flags; the second is nobody's;
# the third is where the policy has nothing, on an address of ours.
cat >"$DIR/tor/torrc.extra" <<END
SocksPort $NET_GW4:9050 IsolateDestPort
SocksPort 127.0.0.1:9999
HTTPTunnelPort $NET_GW4:9998
END
net_tor_start
it_check "Tor has the torrc's listeners (positive control)" \
    it_tor_has socks "$NET_GW4:9050"
it_check "and the workstation reaches them without us" it_knock workstation \
    "$NET_GW4:9998"
it_start
it_need "opens" it_wait_for open 60
it_check "all are proven" net_wait 10 it_all_proven
it_check "a page passes" it_retry 20 it_fetch socks6

# Policy listeners that the torrc lacks, and one that only the torrc has.
it_knocker policy "[$NET_GW6]:9050"
it_knocker extra "$NET_GW4:9998"
net_wait 5 it_knocks_more policy ok 50
it_events CONF_CHANGED SIGNAL
for round in 1 2 3; do
	no=$(it_knocks policy no)
	: >"$DIR/log/events"
	kill -HUP "$(net_pid tor)"
	it_check "round $round: Tor lost the policy's listeners" net_wait 10 \
	    grep -q 'SIGNAL RELOAD' "$DIR/log/events"
	it_check "round $round: the workstation noticed" net_wait 5 \
	    it_knocks_more policy no "$no"
	ok=$(it_knocks policy ok)
	it_check "round $round: all proven again within seconds" net_wait 5 \
	    it_all_proven
	it_check "round $round: traffic flows again" net_wait 5 \
	    it_knocks_more policy ok $((ok + 20))
	it_check "round $round: open" it_wait_for open 10
	it_check "round $round: no reload cost us the session" it_field_is \
	    .counters.links 1
done
it_check "a page passes" it_retry 20 it_fetch socks4
it_check "the port that only the torrc has was never reached" it_not \
    it_knocks_more extra ok 0
it_check "and was knocked on all the while" it_knocks_more extra no 20
it_check "and is an alarm" it_field_has '.listeners | tostring' \
    "$NET_GW4:9998"

# The flags in force are the policy's: IsolateDestAddr, and not the torrc's.
net_stop events
: >"$DIR/log/events"
it_events STREAM
it_check "a stream on the reopened port" it_retry 10 it_stream_through \
    workstation "$NET_GW4:9050" flags
it_check "has the policy's flag" it_isolated flags DESTADDR
it_check "and not the torrc's" it_not it_isolated flags DESTPORT
it_end
