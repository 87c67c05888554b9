#!/bin/bash
# What the status says when Tor gets nowhere: of a bridge that is not there, or
# that is another one, and of a wrong clock.  Most of it is waiting until it
# is sure that Tor has come to a halt.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
line=$(net_bridge)
it_need "without our rules root's question is seen (positive control)" \
    it_watch_works
it_uplink_policy
it_start
it_need "closed and verified" it_wait_for closed 20

# Longer than a stall takes to be one.
wait_s=45

it_tor_bridges obfs4 "$(net_bridge --bad-key)"
it_stuck "another bridge's fingerprint" $wait_s bridge fingerprint
it_tor_bridges obfs4 "${line/$NET_BRIDGE4/$NET_NOBODY4}"
it_stuck "nothing at the bridge's address" $wait_s "bridge can be reached"

# Three days behind, Tor says it in an event; ahead, only in its log.
for skew in -259200 259200; do
	NET_TOR_ENV=(LD_PRELOAD="$it_build/skew.so" "PORTCULLIS_SKEW=$skew")
	it_tor_with ""
	it_stuck "a clock $skew s off" $wait_s "the clock is"
done
NET_TOR_ENV=()
it_check "nobody has asked for a name" it_asked_nothing
it_end
