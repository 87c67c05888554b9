#!/bin/bash
# The user's "auto" port takes any of its address, ours too: Tor then keeps
# open what we have it close.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
echo "SocksPort 127.0.0.1:auto IsolateDestAddr" >"$DIR/tor/torrc.extra"
net_tor_start
it_start
it_need "opens" it_wait_for open 60
it_need "all are proven" net_wait 10 it_all_proven

it_has_auto()
{
	net_tor_ctl "GETCONF SocksPort" |
	    grep -q "SocksPort=127.0.0.1:auto"
}

# Other flags for the one that shares the address with the automatic port.
it_wrong()
{
	net_tor_ctl "SETCONF SocksPort=127.0.0.1:9050" \
	    "SETCONF SocksPort=127.0.0.1:auto" >/dev/null
}
provisions=$(it_field .counters.provisions)
repairs=$(it_field .counters.repairs)
it_repaired()
{
	[ "$(it_field .counters.repairs)" -gt "$repairs" ]
}
# The engine must not repair what the first of the two leaves behind: then
# the user's line would be lost for good.
engine=$(it_pid engine)
kill -STOP "$engine"
it_wrong
kill -CONT "$engine"
it_check "it is repaired" net_wait 10 it_repaired
it_check "all are proven again" net_wait 10 it_all_proven
it_check "the user's line is there" net_wait 5 it_has_auto
spent=$(($(it_field .counters.provisions) - provisions))
it_check "by a few SETCONFs ($spent)" [ "$spent" -le 4 ]
it_end
