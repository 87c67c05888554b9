#!/bin/bash
# A local process lurks on a proven port.  When Tor loses it for a moment, the
# process has it: our clients must not be handed over to it.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin
IT_USURPER_UID=64099
it_start
it_need "opens" it_wait_for open 60
it_check "all are proven" net_wait 10 it_all_proven

it_knocker steady "$NET_GW4:9050"
it_knocker taken "$NET_GW4:9190"
it_check "both ports are reached" net_wait 5 it_knocks_more taken ok 50
net_spawn usurper gateway setpriv --reuid $IT_USURPER_UID --clear-groups \
    "$net_python" "$it_src/tests/it/decoy.py" --lurk "tcp:$NET_GW4:9190"
net_wait 5 grep -q lurks "$DIR/log/usurper"

# Tor's torrc has none of the policy's listeners: a reload closes all.
kill -HUP "$(net_pid tor)"
it_need "the usurper has the port" net_wait 5 grep -q ready "$DIR/log/usurper"
it_got()
{
	grep -c got "$DIR/log/usurper"
}
it_told()
{
	[ "$(it_row "$NET_GW4:9190" '"\(.state) \(.why) \(.uid) \(.pid)"')" = \
	    "withheld foreign $IT_USURPER_UID $(net_pid usurper)" ]
}
it_check "status names it" net_wait 15 it_told
it_told || it_row "$NET_GW4:9190" . # what it says instead
got=$(it_got)
no=$(it_knocks taken no)
it_check "the others are proven again" net_wait 10 it_proven_is 8
it_check "and open" it_wait_for open 10
ok=$(it_knocks steady ok)
it_check "and reached" net_wait 5 it_knocks_more steady ok $((ok + 20))
it_check "knocks at its port go on" net_wait 5 it_knocks_more taken no \
    $((no + 20))
it_check "none more reaches it" [ "$(it_got)" = "$got" ]
# Until Tor has told us of its loss the kernel cannot know: that is one event
# or one poll, a quarter of a second, and a knock every 15 ms.
it_check "and only $got did before we knew" [ "$got" -le 20 ]

sleep 0.8 # until the last knock that failed has been told
steady=$(it_knocks steady no)
net_stop usurper
it_check "it ends: the listener joins" net_wait 30 it_all_proven
ok=$(it_knocks taken ok)
it_check "and is reached" net_wait 5 it_knocks_more taken ok $((ok + 20))
it_check "the others were not disturbed" it_undisturbed steady "$steady"
it_end
