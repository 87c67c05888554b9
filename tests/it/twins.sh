#!/bin/bash
# A literal address that is also the interface's: two listeners of the policy
# want one socket, which shows at run time only.  Tor refuses a list with
# both; that must cost no other listener.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
cat >>"$DIR/portcullis.conf" <<'END'
listener "twin" {
	kind = "socks"
	address = { "interface:eth1" }
	port = { "9050" }
	flags = { "IPv6Traffic", "IsolateDestPort" }
}
listener "other" { kind = "socks" address = "interface:eth1" port = 9060 }
END
it_start
net_tor_start --no-wait
it_need "opens" it_wait_for open 60
# Nine in the policy as it is, two of "other".
it_check "all but the twins' second are proven" net_wait 30 it_proven_is 11
it_check "the interface's twin is withheld, and says why" [ "$(it_field \
    '[.listeners.table[] | select(.name == "twin" and
    .state == "withheld" and .why != null)] | length')" = 2 ]
it_check "a page through socks4" it_retry 20 it_fetch socks4
it_check "a page through trans6" it_retry 20 it_fetch trans6

# The interface moves on, to a place that is nobody's: its twin joins.
new=10.152.152.77
net_in gateway ip addr add "$new/18" dev eth1
net_in gateway ip addr del "$NET_GW4/18" dev eth1
net_in gateway ip addr replace "$new/18" dev eth1
it_parted()
{
	it_row_is "$new:9050" .state proven &&
	    it_row_is "$new:9060" .state proven &&
	    it_row_is "$NET_GW4:9050" .why no-address
}
it_check "moved: the twin has a place of its own" net_wait 20 it_parted
it_check "still open" it_wait_for open 10
it_end
