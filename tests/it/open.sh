#!/bin/bash
# Before Tor is ready nothing passes; when it is, everything that should does.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor
net_forward on # the worst case: only our tables stand between

it_check "without our rules every probe leaks (positive control)" \
    it_leaks_everything
it_start
it_check "closed and verified, without Tor" it_wait_for closed 20
it_check "without Tor nothing leaks" it_leaks_nothing

# Somebody waits on Tor's ports: nothing may reach him.
net_spawn decoy gateway "$net_python" "$it_src/tests/it/decoy.py" \
    "tcp:$NET_GW4:9050" "tcp:$NET_GW4:9040" "udp:$NET_GW4:5300"
net_wait 5 grep -q ready "$DIR/log/decoy"
it_check "closed: the workstation reaches no Tor port" it_fetch_fails
it_check "closed: no name resolves" it_not it_resolve "$NET_GW4"
it_check "closed: the decoy saw nothing" it_not grep -q got "$DIR/log/decoy"
net_stop decoy

net_tor_start --no-wait
it_check "status says that there is no Tor" it_field_is \
    '[.tor.enabled, .control.method, .consensus.clock, .circuits.usable] |
    join(",")' ,,unknown,unknown
it_check "opens when Tor is ready" it_wait_for open 90
it_check "status: what a Tor that works says of itself" it_field_is \
    '[.tor.enabled, .tor.restarts, .tor.dormant, .control.method,
    .control.lost, .circuits.usable, .tor.since != null] | join(",")' \
    true,0,false,safecookie,,yes,true
it_check "status: bootstrap's line as Tor has it" it_field_is .bootstrap.line \
    'NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"'
in_order='.consensus | .clock == "ok" and .valid_after < .fresh_until and
    .fresh_until < .valid_until and (now | todate) > .valid_after'
it_check "status: the consensus, and the clock by it" net_wait 15 \
    it_field_is "$in_order" true
it_check "status: the last circuit, and that it is new" net_wait 15 \
    it_field_is '.circuits | .built_id > 0 and .built_age_ms < 120000' true
for way in socks4 socks6 tunnel4 trans4 trans6; do
	it_check "a page through $way" it_retry 30 it_fetch $way
done
it_check "a name through DNSPort, IPv4" it_retry 30 it_resolve "$NET_GW4"
it_check "a name through DNSPort, IPv6" it_retry 30 it_resolve "$NET_GW6"
it_check "open: nothing leaks" it_leaks_nothing

it_check "the gateway's own programs reach Tor's loopback port" \
    net_in gateway curl -sS --max-time 20 --socks5-hostname 127.0.0.1:9050 \
    "http://$NET_NAME/" -o /dev/null
it_portcullis hold >/dev/null
it_check "a hold closes" it_wait_for closed 5
it_check "held: the gateway's own programs do not" it_not \
    net_in gateway curl -sS --max-time 3 --socks5-hostname 127.0.0.1:9050 \
    "http://$NET_NAME/" -o /dev/null
it_check "held: nothing passes" it_fetch_fails
it_portcullis release >/dev/null
it_check "a release opens" it_wait_for open 10

it_stop
it_check "stopped: nothing leaks" it_leaks_nothing
it_check "stopped: nothing passes" it_fetch_fails
it_check "--remove-rules removes" net_in gateway \
    "$it_build/portcullisd" --remove-rules
it_check "removed: every probe leaks again (positive control)" \
    it_leaks_everything
it_end
