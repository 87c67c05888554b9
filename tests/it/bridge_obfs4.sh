#!/bin/bash
# obfs4: it carries; and what is said of a bridge that is not there, that is
# another one, of a program that is not there or dies, of a wrong clock.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
line=$(net_bridge)
net_proxy mute >/dev/null
it_need "without our rules root's question is seen (positive control)" \
    it_watch_works
it_uplink_policy
it_start

it_tor_bridges obfs4 "$line"
it_need "Tor bootstraps through obfs4" it_wait_for open 60
for way in socks4 trans6; do
	it_check "a page through $way" it_retry 20 it_fetch $way
done
it_check "the status counts it" it_field_is .uplink.bridges 1
it_check "... and its transport" it_carrier_is obfs4 launched
it_check "no bridge in the status" it_not grep -qF -e "$NET_BRIDGE4" \
    -e "$(net_fingerprint)" -e cert= <<<"$(it_portcullis status --json)"

# A killed one is back without help; that it died is in the status.
it_kill_program()
{
	local pid
	pid=$(pgrep -P "$(net_pid tor)" -f obfs4proxy) && kill -KILL "$pid"
}
it_check "the transport's program is killed" it_kill_program
it_check "... a page soon after" it_retry 30 it_fetch socks4

# it_stuck WHAT SECONDS WORD...: closed, and the status says so.
it_stuck()
{
	it_check "$1: the status says so" it_comes_to_say "${@:2}"
	it_check "$1: closed" it_wait_for closed 5
	it_check "$1: Tor lives" net_alive tor
}

it_tor_bridges obfs4 "$(net_bridge --bad-key)"
it_stuck "another bridge's fingerprint" 30 bridge fingerprint
it_tor_bridges obfs4 "${line/:$NET_BRIDGE_PORT/:$NET_PORT_SHUT}"
it_stuck "nobody at the bridge's port" 45 bridge
it_tor_bridges obfs4 "${line/$NET_BRIDGE4/$NET_NOBODY4}"
it_stuck "nothing at the bridge's address" 45 bridge
it_tor_bridges obfs4 "$(net_bridge --bad-cert)"
it_stuck "another bridge's key" 45 bridge

# Programs: each is in the policy, as it must be.
printf '#!/bin/sh\nexit 1\n' >"$DIR/crashes"
cp "$DIR/crashes" "$DIR/not-executable"
chmod 755 "$DIR/crashes"
chmod 644 "$DIR/not-executable"
it_programs()
{
	it_transport obfs4 "$DIR/$it_program"
}
for it_program in missing not-executable crashes; do
	case $it_program in
	missing) state=no-program ;;
	not-executable) state=not-executable ;;
	crashes) state=died ;;
	esac
	it_stop
	it_uplink_policy it_resolver it_programs
	it_tor_with "UseBridges 1" "Bridge $line" \
	    "ClientTransportPlugin obfs4 exec $DIR/$it_program"
	it_start
	it_check "program $it_program: its state is $state" net_wait 30 \
	    it_carrier_is obfs4 $state
	it_stuck "program $it_program" 30 obfs4 "$DIR/$it_program"
done

# Without a plugin line at all.
it_tor_with "UseBridges 1" "Bridge $line"
it_check "no plugin line: its state is no-plugin" net_wait 30 \
    it_carrier_is obfs4 no-plugin
it_stuck "no plugin line" 30 obfs4 ClientTransportPlugin

# Three days behind, Tor says it in an event; ahead, only in its log.
for skew in -259200 259200; do
	NET_TOR_ENV=(LD_PRELOAD="$it_build/skew.so" "PORTCULLIS_SKEW=$skew")
	it_tor_bridges none "$NET_BRIDGE4:5000 $(net_fingerprint)"
	it_stuck "a clock $skew s off" 45 clock
done
NET_TOR_ENV=()
it_check "nobody has asked for a name" it_asked_nothing
it_end
