#!/bin/bash
# A SETCONF that Tor refuses with 553 still closes the other listeners, and
# the refused one opens up to a minute later.  Beside it, at the same time, a
# Tor that nobody watches over shows what would have been.
# shellcheck disable=SC2154 # lib.bash sets what is used here
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
GHOST=127.0.0.1:9444
LONE_GHOST=127.0.0.1:9445
LONE_OWN=127.0.0.1:9666
LONE_CONTROL=127.0.0.1:9053
GHOST_WAIT=75 # Tor tries again every 60 s
it_begin

it_lone() # VERB...: to the Tor that has only itself
{
	net_in gateway "$net_python" "$it_src/tests/it/torctl.py" \
	    --cookie "$DIR/lone/cookie" "$LONE_CONTROL" "$@"
}

it_lone_start()
{
	mkdir "$DIR/lone" && chown "$NET_TOR_USER:" "$DIR/lone" &&
	    chmod 700 "$DIR/lone" || return 1
	cat >"$DIR/lone.torrc" <<-END
	TestingTorNetwork 1
	User $NET_TOR_USER
	DataDirectory $DIR/lone
	Log notice stdout
	SocksPort $LONE_OWN
	ControlPort $LONE_CONTROL
	CookieAuthentication 1
	CookieAuthFile $DIR/lone/cookie
	END
	cat "$DIR/authorities" >>"$DIR/lone.torrc"
	net_spawn lone gateway "$net_tor" --defaults-torrc "$DIR/empty" \
	    -f "$DIR/lone.torrc" && net_wait 20 it_lone_has "$LONE_OWN"
}

it_lone_has()
{
	it_lone listeners 2>/dev/null | grep -qxF "socks $1"
}

# What the second controller is told: 553, so that nothing should have been.
it_refused() # COOKIE CONTROL GHOST
{
	net_in gateway "$net_python" "$it_src/tests/net/ctl.py" \
	    --cookie "$1" "$2" "SETCONF SocksPort=$3" | grep -q ^553
}

it_check "a Tor of its own runs beside" it_lone_start
for port in "$GHOST" "$LONE_GHOST"; do
	net_spawn "busy-${port##*:}" gateway "$net_python" \
	    "$it_src/tests/it/decoy.py" "tcp:$port"
	net_wait 5 grep -q ready "$DIR/log/busy-${port##*:}"
done
it_start
it_need "opens" it_wait_for open 60
it_check "all are proven" net_wait 10 it_all_proven
it_knocker tunnel "$NET_GW4:9190"
net_wait 5 it_knocks_more tunnel ok 50

repairs=$(it_field .counters.repairs)
it_repaired()
{
	[ "$(it_field .counters.repairs)" -gt "$repairs" ] && it_all_proven
}
it_check "the lone Tor refuses" it_refused "$DIR/lone/cookie" \
    "$LONE_CONTROL" "$LONE_GHOST"
it_check "and its own port is gone all the same (positive control)" \
    it_not it_lone_has "$LONE_OWN"
it_check "our Tor refuses" it_refused "$DIR/tor/control/cookie" \
    127.0.0.1:9051 "$GHOST"
it_check "we notice and put the list back" net_wait 10 it_repaired
it_check "open" it_wait_for open 10
it_check "a page passes" it_retry 20 it_fetch socks4

# Now the busy ports are free: the next turn of Tor's timer may have them.
net_stop "busy-${GHOST##*:}" "busy-${LONE_GHOST##*:}"
it_ghost_seen()
{
	it_tor_has socks "$GHOST" && return 0
	it_lone_has "$LONE_GHOST" && lone_seen=1
	return 1
}
lone_seen=0
it_check "our ghost never opens" it_not net_within $GHOST_WAIT it_ghost_seen
it_check "the lone one did (positive control)" [ $lone_seen = 1 ]
it_check "nothing else was lost" it_all_proven
it_check "a page passes after all" it_retry 20 it_fetch socks4
it_end
