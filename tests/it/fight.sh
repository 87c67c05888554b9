#!/bin/bash
# A second controller that never gives up: a few repairs, then closed and
# explained, until somebody says so.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin
it_start
it_need "opens" it_wait_for open 60
repairs=$(it_field .counters.repairs)

net_spawn rival gateway "$net_python" "$it_src/tests/it/torctl.py" \
    --cookie "$DIR/tor/control/cookie" 127.0.0.1:9051 repeat 200 \
    "SETCONF SocksPort=127.0.0.1:9999"
it_check "the rival is heard by Tor" net_wait 5 grep -q '^250' \
    "$DIR/log/rival"
it_check "closed, and it says that somebody fights" net_wait 30 \
    it_field_is .reason.code fight
it_check "the gate is closed" it_wait_for closed 5
it_check "nothing passes" it_fetch_fails
spent=$(($(it_field .counters.repairs) - repairs))
it_check "after a bounded number of repairs ($spent)" [ "$spent" -le 20 ]
it_check "but after some" [ "$spent" -ge 2 ]

now=$(it_field .counters.repairs)
heard=$(grep -c '^250' "$DIR/log/rival")
rival_goes_on()
{
	[ "$(grep -c '^250' "$DIR/log/rival")" -gt $((heard + 10)) ]
}
it_check "the rival goes on" net_wait 10 rival_goes_on
it_check "and we no longer answer" it_field_is .counters.repairs "$now"

net_stop rival
sleep 3 # several probes: time enough to open by mistake
it_check "the rival is gone: still closed" it_field_is .reason.code fight
it_check "and there is advice" it_field_has .advice reprove
it_portcullis reprove >/dev/null
it_check "told to prove anew: opens" it_wait_for open 30
it_check "all are proven" net_wait 10 it_all_proven
it_check "a page passes" it_retry 20 it_fetch socks4
it_end
