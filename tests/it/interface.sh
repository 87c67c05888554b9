#!/bin/bash
# "The address of eth1": the listeners and the redirect follow when it
# changes.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
# it_policy's two addresses become the interface; loopback stays a literal.
sed -i "s|{ \"$NET_GW4\", \"$NET_GW6\" }|{ \"interface:eth1\" }|" \
    "$DIR/portcullis.conf"
it_check "the policy names the interface" [ "$(grep -c interface: \
    "$DIR/portcullis.conf")" = 4 ]
it_start
net_tor_start --no-wait
it_need "opens" it_wait_for open 90
it_check "all are proven" net_wait 10 it_all_proven
for way in socks4 socks6 trans4 trans6; do
	it_check "a page through $way" it_retry 20 it_fetch $way
done

# The gateway moves; the workstation follows.
old4=$NET_GW4 old6=$NET_GW6
NET_GW4=10.152.152.77
NET_GW6=fd19:c33d:88bc::77
net_in gateway ip addr add "$NET_GW4/18" dev eth1
net_in gateway ip addr del "$old4/18" dev eth1
# The kernel deletes what was secondary together with its primary address.
net_in gateway ip addr replace "$NET_GW4/18" dev eth1
net_in gateway ip addr add "$NET_GW6/96" dev eth1 nodad
net_in gateway ip addr del "$old6/96" dev eth1
net_in workstation ip route replace default via "$NET_GW4"
net_in workstation ip -6 route replace default via "$NET_GW6"
it_moved()
{
	it_row_is "$NET_GW4:9050" .state proven &&
	    it_row_is "[$NET_GW6]:9050" .state proven && it_all_proven
}
it_check "moved: the listeners follow" net_wait 10 it_moved
it_check "open" it_wait_for open 10
it_check "Tor listens at the new address" it_tor_has socks "$NET_GW4:9050"
it_check "and no longer at the old one" it_not it_tor_has socks "$old4:9050"
for way in socks4 socks6 tunnel4 trans4 trans6; do
	it_check "moved: a page through $way" it_retry 20 it_fetch $way
done
it_check "moved: a name, IPv4" it_retry 20 it_resolve "$NET_GW4"
it_check "moved: a name, IPv6" it_retry 20 it_resolve "$NET_GW6"

# Without any address of the family there is nothing to follow.
it_knocker steady "$NET_GW4:9050"
net_wait 5 it_knocks_more steady ok 50
no=$(it_knocks steady no)
net_in gateway ip addr del "$NET_GW6/96" dev eth1
it_alone()
{
	it_proven_is 5 && it_row_is "[$NET_GW6]:9050" .state withheld &&
	    it_row_is "[$NET_GW6]:9050" .why no-address
}
it_check "IPv6 gone: withheld, and it says why" net_wait 5 it_alone
it_check "IPv4 goes on" it_retry 5 it_fetch trans4
net_in gateway ip addr add "$old6/96" dev eth1 nodad
net_in workstation ip -6 route replace default via "$old6"
NET_GW6=$old6
it_check "another comes: they join" net_wait 10 it_all_proven
it_check "IPv4 was not disturbed" it_undisturbed steady "$no"
it_check "nobody's old lines are taken for the user's" it_field_is \
    .listeners.extra 0
it_check "a page through socks6" it_retry 20 it_fetch socks6
it_check "a page through trans6" it_retry 20 it_fetch trans6
it_check "a hold is noticed (positive control)" it_knocker_can_fail steady
it_end
