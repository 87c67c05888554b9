#!/bin/bash
# What cannot be bound is tried again and again, later each time: the others
# must not notice a single try.  One port is held by a connection made from
# it, one by a socket that is bound and does not listen, and a user's own line
# cannot be opened either.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
IT_TAKER_UID=64099
echo "SocksPort 127.0.0.1:9999 IsolateDestAddr" >"$DIR/tor/torrc.extra"

# it_hold NAME ADDRESS PORT: a connection from there, to itself
it_hold()
{
	net_spawn "$1" gateway setpriv --reuid $IT_TAKER_UID \
	    --clear-groups "$net_python" -c '
import socket, sys, time
address, port = sys.argv[1], int(sys.argv[2])
there = socket.socket()
there.bind((address, 0))
there.listen()
here = socket.socket()
here.bind((address, port))
here.connect(there.getsockname())
print("ready", flush=True)
time.sleep(600)' "$2" "$3" && net_wait 5 grep -q ready "$DIR/log/$1"
}
it_sit()
{
	net_spawn sitter gateway setpriv --reuid $IT_TAKER_UID \
	    --clear-groups "$net_python" -c '
import socket, sys, time
s = socket.socket()
s.bind((sys.argv[1], 9190))
print("ready", flush=True)
time.sleep(600)' "$NET_GW4" && net_wait 5 grep -q ready "$DIR/log/sitter"
}
it_check "a connection holds a policy port" it_hold holder "$NET_GW4" 9050
it_check "and one the user's" it_hold user 127.0.0.1 9999
it_check "somebody is bound and does not listen" it_sit

# (Without network Tor has no Unix control socket.)
sed -i -e "s|unix:$DIR/tor/control/socket|127.0.0.1:9051|" \
    -e "s|^tor {|&\n\tenable = true|" "$DIR/portcullis.conf"
net_tor_start --disable-network
it_start
it_need "the others open" it_wait_for open 60
it_check "two of nine are not proven" net_wait 20 it_proven_is 7
it_told() # ADDRESS:PORT NAME
{
	it_row_is "$1" '"\(.state) \(.why) \(.uid) \(.pid)"' \
	    "withheld foreign $IT_TAKER_UID $(net_pid "$2")"
}
it_check "who sits is told, with uid and pid" net_wait 5 it_told \
    "$NET_GW4:9190" sitter
it_check "whose connection it is, too" net_wait 10 it_told "$NET_GW4:9050" \
    holder
it_check "the user's is an alarm" net_wait 5 it_field_is \
    '[.listeners.extras[] | select(.alarm)] | length' 1

it_knocker steady "[$NET_GW6]:9050"
net_wait 5 it_knocks_more steady ok 50
no=$(it_knocks steady no)
closes=$(it_field .firewall.closes)
tries=$(it_field .counters.provisions)
it_tried_more()
{
	[ "$(it_field .counters.provisions)" -ge $((tries + 4)) ]
}
it_check "they are tried again, more than once" net_wait 30 it_tried_more
it_check "and no knock at the others failed" it_undisturbed steady "$no"
it_check "nor did the gate close" it_field_is .firewall.closes "$closes"
it_check "a try is no repair" it_field_is .counters.repairs 0
it_check "still two of nine" it_proven_is 7

net_stop sitter
it_check "the sitter is gone: it joins" net_wait 20 it_proven_is 8
net_stop holder
net_stop user
it_check "the connection is gone: it joins" net_wait 65 it_all_proven
it_check "and the user's" net_wait 65 it_tor_has socks 127.0.0.1:9999
it_check "a page through it" it_retry 20 it_fetch socks4
it_check "the others were not disturbed" it_undisturbed steady "$no"
it_check "the gate never closed" it_field_is .firewall.closes "$closes"
it_check "a hold is noticed (positive control)" it_knocker_can_fail steady
it_end
