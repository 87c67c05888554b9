#!/bin/bash
# Somebody else changes Tor's configuration behind our back.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin
it_start
it_need "opens" it_wait_for open 60

# repaired SENTENCE: noticed (a new close or repair), right again, open
repaired()
{
	it_check "$1: noticed" net_wait 10 it_changed
	it_check "$1: opens again" it_wait_for open 30
	it_check "$1: all proven" net_wait 10 it_field_is \
	    '.listeners.total == .listeners.proven' true
	it_check "$1: a page passes" it_retry 20 it_fetch socks4
}

it_counters()
{
	it_field '"\(.firewall.closes) \(.counters.repairs) \(.counters.provisions)"'
}

it_changed()
{
	[ "$(it_counters)" != "$counters" ]
}

counters=$(it_counters)
net_tor_ctl "SETCONF DisableNetwork=1"
it_check "DisableNetwork=1 closes" net_wait 5 it_changed
repaired "DisableNetwork=1"

counters=$(it_counters)
kill -HUP "$(net_pid tor)"
repaired "SIGHUP"

counters=$(it_counters)
net_tor_ctl "SETCONF SocksPort=127.0.0.1:9999"
repaired "a foreign SETCONF SocksPort"
# Who set a line cannot be told: on loopback it may be the user's own.
it_check "the foreign port is kept" it_tor_has socks 127.0.0.1:9999
it_check "and is no alarm" it_field_is .listeners.alarms 0

# The other name of the option takes the policy's list away without saying
# so; a list that goes back to the default goes by a third name.
counters=$(it_counters)
net_tor_ctl "SETCONF __SocksPort=127.0.0.1:9997"
repaired "a foreign SETCONF __SocksPort"
it_check "its port is kept, too" it_tor_has socks 127.0.0.1:9997
counters=$(it_counters)
net_tor_ctl "RESETCONF SocksPort"
repaired "a foreign RESETCONF SocksPort"

counters=$(it_counters)
net_tor_ctl "SETCONF HTTPTunnelPort=0.0.0.0:9998"
repaired "a foreign SETCONF HTTPTunnelPort"
it_check "the wide port is an alarm" net_wait 5 it_field_is \
    .listeners.alarms 1
it_check "Tor has it" it_tor_has httptunnel 0.0.0.0:9998
it_check "but the workstation does not reach it" it_knock_none workstation \
    "$NET_GW4:9998"
it_end
