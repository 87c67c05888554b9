#!/bin/bash
# Whoever has Tor disabled in torrc has it disabled; another controller's
# DisableNetwork=1 is undone (drift.sh), and so is torrc's if the policy says.
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor
# (Without network Tor has no Unix control socket.)
sed -i "s|unix:$DIR/tor/control/socket|127.0.0.1:9051|" "$DIR/portcullis.conf"
it_start
it_disable()
{
	sed -i "s/^\(.*DisableNetwork\) .*/\1 $1/" "$DIR/tor/torrc"
}
it_network_is()
{
	net_tor_ctl "GETCONF DisableNetwork" | grep -q "DisableNetwork=$1"
}
it_disabled()
{
	it_check "$1: the status says so" net_wait 20 it_field_is \
	    .reason.code tor-disabled
	it_check "$1: and what to do" it_field_is \
	    '.advice | contains("DisableNetwork 0")' true
	# Several polls of the configuration, each of which could do it.
	sleep 4
	it_check "$1: it stays so" it_network_is 1
	it_check "$1: closed" it_wait_for closed 5
}

net_tor_start --disable-network
it_disabled "from the start on"
it_disable 0
kill -HUP "$(net_pid tor)"
it_need "enabled by a reload: open" it_wait_for open 60
it_disable 1
kill -HUP "$(net_pid tor)"
it_disabled "by a reload"
net_tor_ctl "SETCONF DisableNetwork=0" >/dev/null
it_check "enabled by somebody: open" it_wait_for open 60
net_tor_ctl "SETCONF DisableNetwork=1" >/dev/null
it_check "disabled by somebody, not in torrc: on again" net_wait 20 \
    it_network_is 0
it_check "... open" it_wait_for open 30
it_end
