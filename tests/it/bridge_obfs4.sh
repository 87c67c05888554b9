#!/bin/bash
# obfs4: it carries; and what is said when its program is not there, may not be
# run or dies.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
line=$(net_bridge)
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
	missing) state=no-program says="is not there" ;;
	not-executable) state=not-executable says="may not be run" ;;
	crashes) state=died says="ends as soon as" ;;
	esac
	it_stop
	it_uplink_policy it_resolver it_programs
	it_tor_with "UseBridges 1" "Bridge $line" \
	    "ClientTransportPlugin obfs4 exec $DIR/$it_program"
	it_start
	it_check "program $it_program: its state is $state" net_wait 20 \
	    it_carrier_is obfs4 $state
	it_stuck "program $it_program" 30 obfs4 "$says"
done

# Without a plugin line at all.
it_tor_with "UseBridges 1" "Bridge $line"
it_check "no plugin line: its state is no-plugin" net_wait 30 \
    it_carrier_is obfs4 no-plugin
it_stuck "no plugin line" 30 obfs4 ClientTransportPlugin

it_check "nobody has asked for a name" it_asked_nothing
it_end
