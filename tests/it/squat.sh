#!/bin/bash
# Local processes sit on policy ports before Tor can bind them: TCP of both
# families, UDP, and a wildcard that takes a port of both families at once.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
IT_SQUATTER_UID=64099

# it_squat NAME PROTO:ADDRESS:PORT
it_squat()
{
	net_spawn "$1" gateway setpriv --reuid $IT_SQUATTER_UID \
	    --clear-groups "$net_python" "$it_src/tests/it/decoy.py" "$2" &&
	    net_wait 5 grep -q ready "$DIR/log/$1"
}

# it_squatted ADDRESS:PORT NAME: told with the owner's uid and pid.
it_squatted()
{
	local want
	want="withheld foreign $IT_SQUATTER_UID $(net_pid "$2")"
	[ "$(it_row "$1" '"\(.state) \(.why) \(.uid) \(.pid)"')" = "$want" ]
}

it_check "squatters sit" it_squat tcp4 "tcp:$NET_GW4:9050"
it_squat tcp6 "tcp:[$NET_GW6]:9190"
it_squat udp4 "udp:$NET_GW4:5300"
it_squat wild "tcp:[::]:9040"
it_start
net_tor_start --no-wait
it_need "the others open" it_wait_for open 90
it_check "five of nine are not proven" it_proven_is 4

# As "status" has it, for those who look no further.
it_check "status names the first squatter's uid" it_field_is \
    '.listeners.trouble[0].uid' $IT_SQUATTER_UID
it_check "and the address" it_field_is '.listeners.trouble[0].address' \
    "$NET_GW4:9050"
it_told() # NAME ADDRESS:PORT
{
	it_check "$1: told, with the owner's uid and pid" net_wait 5 \
	    it_squatted "$2" "$1"
}
it_told tcp4 "$NET_GW4:9050"
it_told tcp6 "[$NET_GW6]:9190"
it_told udp4 "$NET_GW4:5300"
it_told wild "$NET_GW4:9040"
it_told wild "[$NET_GW6]:9040"

it_check "IPv6 SOCKS works" it_retry 20 it_fetch socks6
it_check "HTTPTunnel works" it_retry 20 it_fetch tunnel4
it_check "the IPv6 DNSPort works" it_retry 20 it_resolve "$NET_GW6"
it_check "the squatted port is not reachable" it_knock_none workstation \
    "$NET_GW4:9050" "[$NET_GW6]:9190"
it_check "nor by the redirects" it_not it_curl --max-time 3 \
    "http://$NET_WEB4/" -o /dev/null
it_check "no name from the squatter" it_not net_in workstation dig +short \
    +tries=1 +time=2 "@$NET_GW4" "$NET_NAME" A
it_quiet_squatters()
{
	! (cd "$DIR/log" && grep got tcp4 tcp6 udp4 wild)
}
it_check "the squatters got nothing" it_quiet_squatters

it_knocker steady "[$NET_GW6]:9050"
net_wait 5 it_knocks_more steady ok 50
no=$(it_knocks steady no)
net_stop tcp4
it_check "one is freed: it joins by itself" net_wait 30 it_proven_is 5
it_check "and works" it_retry 20 it_fetch socks4
net_stop tcp6 udp4 wild
it_check "all are freed: all join" net_wait 60 it_all_proven
it_check "the others were not disturbed" it_undisturbed steady "$no"
it_check "TransPort works" it_retry 20 it_fetch trans4
it_check "DNSPort works" it_retry 20 it_resolve "$NET_GW4"
it_check "a hold is noticed (positive control)" it_knocker_can_fail steady
it_end
