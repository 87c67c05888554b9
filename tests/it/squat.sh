#!/bin/bash
# A local process sits on policy ports before Tor can bind them.
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor
IT_SQUATTER_UID=64099
net_spawn squatter gateway setpriv --reuid $IT_SQUATTER_UID --clear-groups \
    "$net_python" "$it_src/tests/it/decoy.py" "tcp:$NET_GW4:9050"
net_wait 5 grep -q ready "$DIR/log/squatter"
it_start
net_tor_start --no-wait
it_check "the others open" it_wait_for open 90
it_check "the squatted one is not proven" it_field_is \
    '.listeners.total - .listeners.proven' 1
it_check "status names the squatter's uid" it_field_is \
    '.listeners.trouble[0].uid' $IT_SQUATTER_UID
it_check "and the address" it_field_is '.listeners.trouble[0].address' \
    "$NET_GW4:9050"
it_check "the squatted port is not reachable" it_not it_curl \
    --connect-timeout 3 --max-time 4 --socks5-hostname "$NET_GW4:9050" \
    "http://$NET_WEB4/"
it_check "the squatter got no connection" it_not grep -q got \
    "$DIR/log/squatter"
it_check "IPv6 SOCKS works" it_retry 20 it_fetch socks6
it_check "TransPort works" it_retry 20 it_fetch trans4

net_stop squatter
proven_all()
{
	it_field_is '.listeners.total == .listeners.proven' true
}
it_check "freed: it joins by itself" net_wait 90 proven_all
it_check "and works" it_retry 20 it_fetch socks4
it_end
