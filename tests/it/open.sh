#!/bin/bash
# Before Tor is ready nothing passes; when it is, everything that should does.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor

# The applets' paths, as this gateway has them.
mkdir -p "$DIR/root/run/tor"
ln -s "$DIR/run" "$DIR/root/run/portcullis"
ln -s "$DIR/tor/control/socket" "$DIR/root/run/tor/control"

# Below that; no folder of that name: there is no supervisor to be asked.
sockets=/run/portcullis

# applet CODE OUTPUT NAME...: it says what the shell's pattern OUTPUT matches.
applet()
{
	local code=$1 pattern=$2 out rc begin took
	shift 2
	begin=$(date +%s%3N)
	out=$(net_in gateway "$it_build/portcullis-applets" --root \
	    "$DIR/root" --socket-dir "$sockets" --control-port 0 "$@")
	rc=$?
	took=$(($(date +%s%3N) - begin))
	# shellcheck disable=SC2053 # it is a pattern
	[ "$rc" = "$code" ] && [[ $out == $pattern ]] && [ "$took" -lt 1000 ] &&
	    return
	echo "   $*: '$out', exit code $rc, in $took ms"
	return 1
}

# applets WHO: what they say of a Tor that works.
applets()
{
	local day='20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9:]*'
	it_check "$1: tor-bootstrap-check" applet 100 \
	    'NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"' \
	    tor-bootstrap-check
	it_check "$1: tor-circuit-established-check" applet 0 1 \
	    tor-circuit-established-check
	# Among so few relays Tor does not find a way each time.
	it_check "$1: tor-circuit-built-check" net_wait 10 applet 0 \
	    'Circuit * built' tor-circuit-built-check 8
	it_check "$1: tor-dormant-check" applet 0 0 tor-dormant-check
	it_check "$1: tor-enabled-check" applet 0 true tor-enabled-check
	it_check "$1: tor-signal-newnym" applet 0 '' tor-signal-newnym
	it_check "$1: tor-consensus-valid-after" applet 0 "$day" \
	    tor-consensus-valid-after
	it_check "$1: anondate" applet 0 "$day" anondate --verified-only \
	    --show-valid-until
}
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

applets "the supervisor"
sockets=/nowhere
applets "Tor"
sockets=/run/portcullis
it_stop
it_check "closed to Tor as well: tor-circuit-built-check" applet 1 \
    'no new circuit built within 8.0s' tor-circuit-built-check 8
net_stop tor
it_check "without either: tor-bootstrap-check" applet 255 '' \
    tor-bootstrap-check
it_check "without either: tor-enabled-check" applet 0 true tor-enabled-check
it_check "nothing that systemcheck would report was logged" \
    it_not sh "$it_src/tests/style/alarm_words.sh" <"$DIR/log/portcullisd"
it_check "stopped: nothing leaks" it_leaks_nothing
it_check "stopped: nothing passes" it_fetch_fails
it_check "--remove-rules removes" net_in gateway \
    "$it_build/portcullisd" --remove-rules
it_check "removed: every probe leaks again (positive control)" \
    it_leaks_everything
it_end
