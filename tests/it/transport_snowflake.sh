#!/bin/bash
# snowflake: two names, of its front and of the STUN server, and UDP; there is
# no proxy to be had on a private network, and the status says that as well.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
net_snowflake
it_need "without our rules root's question is seen (positive control)" \
    it_watch_works
it_uplink_policy
it_start
it_need "closed and verified" it_wait_for closed 20

it_front()
{
	echo "$1.portcullis.test"
}

it_snowflake_with()
{
	local front
	front=$(it_front "$1")
	it_watch_reset
	: >"$DIR/log/snowflake"
	it_tor_bridges snowflake \
	    "$(net_snowflake_line | sed "s/ front=[^ ]*/ front=$front/")"
}

for way in ok slow; do
	front=$(it_front $way)
	net_dns "$front" "${way/slow/$IT_SLOW}" "$NET_BROKER4"
	it_snowflake_with $way
	it_check "$way: both names are there" net_wait 15 \
	    it_name_is "$front" ok
	it_check "$way: ... the STUN server's" net_wait 5 \
	    it_name_is "$NET_STUN" ok
	it_check "$way: the broker was asked by the hidden name" net_wait 20 \
	    grep -q "broker .* $NET_BROKER\$" "$DIR/log/snowflake"
	it_check "$way: the STUN server as well" \
	    grep -q '^stun ' "$DIR/log/snowflake"
	it_check "$way: what the transport said is in the status" \
	    net_wait 15 it_carrier_said snowflake "no snowflake proxies"
	it_check "$way: only our resolver asked, only for the two" \
	    it_asked_only "$front" "$NET_STUN"
	it_check "$way: datagrams went to the STUN server only" \
	    [ "$(it_datagrams)" = "$NET_STUN4:3478 " ]
done

# it_fails WAY STATE
it_fails()
{
	local front
	front=$(it_front "$1")
	net_dns "$front" "$1" "$NET_BROKER4"
	it_snowflake_with "$1"
	it_check "$1: the name's state is $2" net_wait 15 \
	    it_name_is "$front" "$2"
	it_check "$1: the status names it" it_comes_to_say 20 "$front"
	it_check "$1: closed" it_wait_for closed 5
	it_check "$1: Tor lives" net_alive tor
	it_check "$1: only our resolver asked, only for the two" \
	    it_asked_only "$front" "$NET_STUN"
}

it_fails nxdomain nxdomain
it_fails refused refused
it_fails silent timeout

# Behind a proxy it cannot work, which only its log says.
it_tor_with "UseBridges 1" "$(it_plugin snowflake)" \
    "Bridge $(net_snowflake_line)" "Socks5Proxy $NET_PROXY4:1080"
it_check "behind a SOCKS proxy: the status says that it cannot work" \
    net_wait 20 it_carrier_is snowflake no-proxy
it_check "... in a sentence" it_comes_to_say 20 snowflake proxy

# Without bridges no UDP of Tor's user leaves.
it_udp()
{
	net_in gateway setpriv --reuid "$NET_TOR_USER" --regid nogroup \
	    --clear-groups "$net_python" -c "import socket
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.sendto(b'x', ('$NET_STUN4', 4444))" 2>/dev/null
}
it_tor_with "UseBridges 0"
it_check "without bridges: open" it_wait_for open 30
it_watch_reset
it_check "without bridges: no datagram of Tor's user leaves" it_not it_udp
it_check "... not one" [ -z "$(it_datagrams)" ]
it_check "... and no name is asked for" it_asked_nothing
it_end
