#!/bin/bash
# A Tor that shuts its DNSPort amid a question crashes when the question has
# its answer, or closes the socket's number once more, which is another
# listener's by then (0.4.9.11 does both).  So a listener whose socket is still
# the one that we opened stays open, whatever was done to Tor's options; and
# one that Tor names and the kernel does not know is opened anew.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
. "${top_srcdir:?}/tests/net/uplink.bash"
SLOW_S=2
# As on a Whonix gateway: its torrc has the policy's lines.
it_begin --no-tor
net_dns slow.test "slow:$SLOW_S" "$NET_WEB4"
it_policy_lines >"$DIR/tor/torrc.extra"
it_start
net_tor_start --no-wait
it_need "opens" it_wait_for open 90
it_check "all are proven" net_wait 10 it_all_proven
it_check "a name through the DNSPort" it_retry 20 it_resolve "$NET_GW4"

# it_sockets WHAT...: of each of Tor's listeners, as the kernel has it: its
# address, and "ino" (which socket) or "fd" (its number).
it_sockets()
{
	net_in gateway ss -Hltunpe |
	    sed -n "s/.* \\([^ ]*\\):\\([0-9]*\\) .*pid=$(net_pid tor),.*$1[=:]\\([0-9]*\\).*/\\1:\\2 \\3/p" |
	    sort
}

it_repaired()
{
	[ "$(it_field .counters.repairs)" -gt 0 ]
}

# --- it reads its torrc anew, amid a question ------------------------------

it_sockets ino >"$DIR/before"
it_check "its sockets are seen (positive control)" grep -q ":5300 " \
    "$DIR/before"
net_in workstation dig +tries=1 +time=20 "@$NET_GW4" slow.test A \
    >"$DIR/answer" 2>&1 &
it_check "a question is under way" net_wait 10 grep -q slow.test \
    "$DIR/log/dns"
it_events CONF_CHANGED SIGNAL
closes=$(it_field .firewall.closes)
kill -HUP "$(net_pid tor)"
it_check "Tor reads its torrc again" net_wait 10 grep -q "SIGNAL RELOAD" \
    "$DIR/log/events"
it_check "the gate closes at that" net_wait 5 it_field_is .firewall.closes \
    "$((closes + 1))"
it_check "open again" it_wait_for open 30
it_check "all are proven" net_wait 10 it_all_proven
it_sockets ino >"$DIR/after"
it_check "by the very same sockets" cmp "$DIR/before" "$DIR/after"
it_check "the question is over" net_wait 30 grep -q "^;; " "$DIR/answer"
it_check "it is the same Tor" it_field_is .tor.pid "$(net_pid tor)"
it_check "still all are proven" it_all_proven
it_check "no repair was needed" it_field_is .counters.repairs 0

# --- one is lost -----------------------------------------------------------

fd=$(it_sockets fd | sed -n "s/^\[$NET_GW6\]:5300 //p")
it_check "a number is known" [ -n "$fd" ]
it_check "its socket is closed under it" [ "$("$it_build/inject" \
    "$(net_pid tor)" close "$fd")" = ok ]
it_check "that is seen, and repaired" net_wait 20 it_repaired
it_check "the others stay open" it_wait_for open 5
it_check "ours has it opened anew" net_wait 20 it_all_proven
it_check "open" it_wait_for open 20
it_check "it answers" it_retry 20 it_resolve "$NET_GW6"
it_check "nothing is latched" it_not grep -q "staying closed" \
    "$DIR/log/portcullisd"
it_end
