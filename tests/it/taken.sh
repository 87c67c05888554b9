#!/bin/bash
# The port of a user's own line is taken when Tor opens its listeners: the
# policy's open without it, and it comes back by itself.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
echo "SocksPort 127.0.0.1:9999 IsolateDestAddr" >"$DIR/tor/torrc.extra"
net_spawn squatter gateway "$net_python" -c '
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 9999))
s.listen()
time.sleep(600)'
it_check "somebody has the port (positive control)" net_wait 5 it_knock \
    gateway 127.0.0.1:9999
# (Without network Tor has no Unix control socket.)
sed -i -e "s|unix:$DIR/tor/control/socket|127.0.0.1:9051|" \
    -e "s|^tor {|&\n\tenable = true|" "$DIR/portcullis.conf"
net_tor_start --disable-network
it_start
it_need "opens" it_wait_for open 60
it_check "all of the policy's are proven" net_wait 20 it_all_proven
it_alarm_is()
{
	it_field_is '[.listeners.extras[] | select(.alarm)] | length' "$1"
}
it_check "the user's is an alarm" net_wait 5 it_alarm_is 1
net_stop squatter
it_check "the port is free: it is opened" net_wait 70 it_tor_has socks \
    127.0.0.1:9999
it_check "and no alarm any more" net_wait 5 it_alarm_is 0
it_check "all of the policy's are proven, still" it_all_proven
it_end
