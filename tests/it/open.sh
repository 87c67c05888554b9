#!/bin/bash
# Before Tor is ready nothing passes; when it is, everything that should does.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor
net_forward on # the worst case: only our tables stand between

# it_ends CODE ARGUMENT...: of portcullis.
it_ends()
{
	local want=$1
	shift
	it_portcullis "$@" >"$DIR/said" 2>&1
	[ $? = "$want" ] || { sed 's/^/   /' "$DIR/said"; return 1; }
}

# it_says TEXT ARGUMENT...
it_says()
{
	local text=$1
	shift
	it_portcullis "$@" >"$DIR/said" 2>&1
	grep -qF -- "$text" "$DIR/said"
}

# Both words in this order in the log.
it_logs()
{
	it_portcullis log >"$DIR/said" || return 1
	awk -v first="$1" -v then="$2" '$2 == first { seen = 1 }
	    $2 == then && seen { ok = 1 }
	    END { exit !ok }' "$DIR/said"
}

# What systemcheck would do.
it_asks_shell()
{
	(
		eval "$(it_portcullis status --shell)"
		# shellcheck disable=SC2154 # they come from there
		[ "$tor_bootstrap_percent$tor_circuit_established" = 1001 ] &&
		    [ "$TOR_ENABLED$tor_pid_exit_code" = 10 ] &&
		    [ "$tor_bootstrap_status" = "NOTICE BOOTSTRAP\
 PROGRESS=100 TAG=done SUMMARY=\"Done\"" ]
	)
}

it_check "without our rules every probe leaks (positive control)" \
    it_leaks_everything
it_start
it_check "closed and verified, without Tor" it_wait_for closed 20
it_check "without Tor nothing leaks" it_leaks_nothing
it_check "no Tor: check running ends with 4" it_ends 4 check running
it_check "no Tor: check all ends with 4" it_ends 4 check all
it_check "no Tor: explain names the connection" it_says "  link " explain
it_check "no Tor: 255 is the percent" \
    it_says "tor_bootstrap_percent='255'" status --shell

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
net_forward off # the one barrier that this test had taken away
it_check "open: all checks are well" net_wait 5 it_ends 0 check all
it_check "open: nothing is left to explain" it_not it_says lacks explain
it_check "open: the log has both positions" it_logs tor-only open
it_check "open: metrics say so and end" it_says \
    'portcullis_position{portcullis_position="open"} 1' metrics
it_check "open: closes are counted in buckets" \
    it_says 'portcullis_close_duration_seconds_bucket{le="+Inf"}' metrics
it_check "open: a shell can ask" it_asks_shell

it_check "the gateway's own programs reach Tor's loopback port" \
    net_in gateway curl -sS --max-time 20 --socks5-hostname 127.0.0.1:9050 \
    "http://$NET_NAME/" -o /dev/null
it_portcullis hold >/dev/null
it_check "a hold closes" it_wait_for closed 5
it_check "held: the gateway's own programs do not" it_not \
    net_in gateway curl -sS --max-time 3 --socks5-hostname 127.0.0.1:9050 \
    "http://$NET_NAME/" -o /dev/null
it_check "held: nothing passes" it_fetch_fails
it_check "held: check firewall ends with 6" net_wait 5 it_ends 6 check \
    firewall
it_check "held: explain tells how to end it" \
    it_says "portcullis release" explain
it_portcullis release >/dev/null
it_check "a release opens" it_wait_for open 10
net_forward on

it_stop
it_check "stopped: nothing leaks" it_leaks_nothing
it_check "stopped: nothing passes" it_fetch_fails
it_check "--remove-rules removes" net_in gateway \
    "$it_build/portcullisd" --remove-rules
it_check "removed: every probe leaks again (positive control)" \
    it_leaks_everything
it_end
