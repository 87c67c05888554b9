#!/bin/bash
# The user's own lines in torrc stay; one that is too wide alarms and is
# reached by nobody outside.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
cat >"$DIR/tor/torrc.extra" <<'END'
SocksPort 127.0.0.1:9999 IsolateDestPort
SocksPort 127.0.0.1:auto IsolateDestAddr
SocksPort 0.0.0.0:9998
SocksPort 10.0.2.15:9997
END
net_tor_start
it_tor_listeners >"$DIR/before"
it_auto()
{
	sed -n 's/^socks \(127\.0\.0\.1:.*\)/\1/p' "$DIR/before" |
	    grep -v ':99\|:9050'
}
auto=$(it_auto)
it_check "Tor has an automatic port (positive control)" [ -n "$auto" ]
it_check "and one that the workstation reaches without us" \
    it_knock workstation "$NET_GW4:9998"

it_lines_kept()
{
	local lines line
	lines=$(net_tor_ctl "GETCONF SocksPort")
	for line in "127.0.0.1:9999 IsolateDestPort" \
	    "127.0.0.1:auto IsolateDestAddr" "0.0.0.0:9998"; do
		case $lines in
		*"SocksPort=$line"*) ;;
		*) echo "   lost: $line"; return 1 ;;
		esac
	done
}

it_alarms()
{
	it_field_is '[.listeners.extras[] | select(.alarm).address] | join(" ")' \
	    "0.0.0.0:9998 external address:9997"
}

# Whoever may read the status learns nothing of where we are.
it_tells_no_place()
{
	it_portcullis status --json >"$DIR/told" &&
	    it_portcullis status >>"$DIR/told" &&
	    it_portcullis listeners >>"$DIR/told" &&
	    grep -q 'ALARM .*external address:9997' "$DIR/told" &&
	    ! grep -F 10.0.2.15 "$DIR/told"
}

it_start
it_need "opens" it_wait_for open 60
it_check "all of the policy's are proven" net_wait 10 it_all_proven
it_check "the user's own port still listens" it_tor_has socks 127.0.0.1:9999
it_check "the automatic one, too" it_tor_has socks "$auto"
it_check "the user's lines are as they were" it_lines_kept

it_events STREAM
it_check "a stream through the user's port" it_retry 20 it_stream_through \
    gateway 127.0.0.1:9999 own
it_check "its flag is in force" it_isolated own DESTPORT
it_check "a stream through the automatic port" it_retry 20 \
    it_stream_through gateway "$auto" auto
it_check "its flag is in force, too" it_isolated auto DESTADDR
it_check "and only that" it_not it_isolated auto DESTPORT

it_check "the wide port listens" it_tor_has socks 0.0.0.0:9998
it_check "and is there on loopback (positive control)" it_knock gateway \
    127.0.0.1:9998
it_check "but the workstation does not reach it" it_knock_none workstation \
    "$NET_GW4:9998" "[$NET_GW6]:9998"
it_check "it is an alarm" net_wait 5 it_alarms
it_check "and the user's own are none" it_field_is \
    '[.listeners.extras[] | select(.alarm)] | length' 2
it_check "the one on the external interface listens" it_tor_has socks \
    10.0.2.15:9997
it_check "its address is not told" it_tells_no_place
it_check "but for the log" grep -q '10\.0\.2\.15:9997' \
    "$DIR/log/portcullisd"
it_check "one line in the log says so" [ "$(grep -c '0\.0\.0\.0:9998' \
    "$DIR/log/portcullisd")" = 1 ]
it_check "a page passes" it_retry 20 it_fetch socks4

# A reload reads the same lines again.
kill -HUP "$(net_pid tor)"
it_check "reloaded: they are still there" net_wait 10 it_lines_kept
it_check "and all of the policy's" net_wait 10 it_all_proven
it_end
