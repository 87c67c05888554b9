#!/bin/bash
# meek: its front's name in every state of the DNS.  A Tor that knows nothing
# bootstraps through it, or the status says why not.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
net_bridge >/dev/null
net_meek
it_need "without our rules root's question is seen (positive control)" \
    it_watch_works
it_uplink_policy
it_start
it_need "closed and verified" it_wait_for closed 20

# A front of its own for each: what is known of one says nothing of another.
it_front()
{
	echo "$1.portcullis.test"
}

it_meek_with()
{
	local front
	front=$(it_front "$1")
	it_watch_reset
	it_tor_bridges meek "$(net_meek_line | sed "s/ front=[^ ]*/ front=$front/")"
}

it_only_front()
{
	it_asked_only "$(it_front "$1")"
}

for way in ok slow; do
	net_dns "$(it_front $way)" "${way/slow/$IT_SLOW}" "$NET_MEEK4"
	it_meek_with $way
	it_check "$way: Tor bootstraps through meek" it_wait_for open 30
	it_check "$way: the name is there" it_name_is "$(it_front $way)" ok
	it_check "$way: ... which the transport asked for" [ \
	    "$(it_name "$(it_front $way)" asked_by)" = transport ]
	it_check "$way: a page through it" it_retry 20 it_fetch socks4
	it_check "$way: the transport runs" it_carrier_is meek_lite launched
	it_check "$way: only our resolver asked, only for the front" \
	    it_only_front $way
done
it_check "the server was asked for the hidden name" \
    grep -q "session .* $NET_MEEK\$" "$DIR/log/meek"

# it_fails WAY STATE
it_fails()
{
	local front
	front=$(it_front "$1")
	net_dns "$front" "$1" "$NET_MEEK4"
	it_meek_with "$1"
	it_check "$1: the name's state is $2" net_wait 15 \
	    it_name_is "$front" "$2"
	it_check "$1: the status names it" it_comes_to_say 20 "$front"
	it_check "$1: closed" it_wait_for closed 5
	it_check "$1: Tor lives" net_alive tor
	it_check "$1: only our resolver asked, only for the front" \
	    it_only_front "$1"
}

it_fails nxdomain nxdomain
it_fails refused refused
it_fails servfail refused
it_fails silent timeout
# c-ares may take it for somebody else's, and wait for the answer.
it_fails garbage "bad|timeout"

# A name that says one thing and means another.
net_dns "$(it_front private)" ok 10.0.2.2
it_meek_with private
it_check "a private address is no answer" net_wait 15 \
    it_name_is "$(it_front private)" private

# As a change, of a Tor that gets out without it.
it_tor_with ""
it_check "straight: open" it_wait_for open 30
it_watch_reset
it_check "meek as torrc lines: applied" it_applied "UseBridges 1
ClientTransportPlugin meek_lite exec /usr/bin/obfs4proxy
Bridge $(net_meek_line)"
it_check "... open" it_wait_for open 30
it_check "... a page" it_retry 30 it_fetch socks4
it_check "... only our resolver asked, only for the front" \
    it_asked_only "$NET_MEEK_FRONT"
it_end
