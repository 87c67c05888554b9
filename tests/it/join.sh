#!/bin/bash
# An address that comes late and goes again: its listeners join and leave by
# themselves, and nobody else notices.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor

it_address6() # add|del
{
	local nodad=nodad
	[ "$1" = add ] || nodad=
	# shellcheck disable=SC2086 # one word or none
	net_in gateway ip addr "$1" "$NET_GW6/96" dev eth1 $nodad
}

it_withheld6()
{
	it_row_is "[$NET_GW6]:9050" .state withheld &&
	    it_row_is "[$NET_GW6]:9050" .why no-address
}

it_address6 del
it_start
net_tor_start --no-wait
it_need "without the IPv6 address: opens" it_wait_for open 90
it_check "four of nine are withheld" it_proven_is 5
it_check "and say why" it_withheld6
it_check "IPv4 works" it_retry 20 it_fetch socks4

it_knocker steady "$NET_GW4:9050"
it_check "the knocker is let in" net_wait 5 it_knocks_more steady ok 50
no=$(it_knocks steady no)
closes=$(it_field .firewall.closes)
it_address6 add
it_check "the address comes: they join by themselves" \
    net_wait 20 it_all_proven
it_check "and no knock at the others failed" it_undisturbed steady "$no"
it_check "the gate never closed" it_field_is .firewall.closes "$closes"
it_check "IPv6 works" it_retry 20 it_fetch socks6
it_check "and its TransPort" it_retry 20 it_fetch trans6

it_address6 del
it_check "the address goes: withheld within two seconds" \
    net_wait 2 it_withheld6
it_check "the others are proven" it_proven_is 5
it_check "and were not disturbed" it_undisturbed steady "$no"
it_check "the kernel lets in no more than those" net_wait 2 it_field_is \
    .firewall.proven 5
it_address6 add
it_check "it comes again: they join again" net_wait 20 it_all_proven
it_check "still nobody was disturbed" it_undisturbed steady "$no"
it_check "the gate never closed all the while" it_field_is \
    .firewall.closes "$closes"
it_check "IPv6 works again" it_retry 20 it_fetch socks6

it_check "a hold is noticed (positive control)" it_knocker_can_fail steady
it_end
