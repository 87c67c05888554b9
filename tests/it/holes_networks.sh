#!/bin/bash
# F3: their local networks are open to every user of the gateway; ours to the
# users that the policy names, and to nobody while it names none.
# shellcheck disable=SC2086 # lists of addresses are words
# shellcheck source=tests/it/holes.bash
. "$(dirname "$0")/holes.bash"
holes_begin

theirs
all "theirs: any user reaches the local networks: the hole" \
    gw_answers $UID_USER -- $LAN
all "theirs: nobody too" gw_answers $UID_NOBODY -- $LAN
none "theirs: not the rest of the world" gw_answers $UID_USER -- $CLEAR
all "theirs: clearnet does" gw_answers $UID_CLEARNET -- $CLEAR
theirs_gone
all "control: without rules all answers" gw_answers $UID_USER -- $LAN $CLEAR

note "ours, nobody named"
ours <<'END_POLICY'
listener "socks" { kind = "socks" address = { "10.152.152.10" } port = 9050 }
END_POLICY
keep open
for uid in 0 $UID_USER $UID_NOBODY $UID_CLEARNET $TOR_UID; do
	[ "$uid" = "$TOR_UID" ] || none "ours: uid $uid reaches no network" \
	    gw_answers "$uid" -- $LAN $CLEAR
done
all "ours: Tor does" gw_answers $TOR_UID -- 192.0.2.1:443
ours_gone

note "ours, one user for one network, another for one service"
ours <<END_POLICY
listener "socks" { kind = "socks" address = { "10.152.152.10" } port = 9050 }
egress "printer" { user = $UID_CLEARNET interface = "ext0"
	protocol = "tcp" port = 445 network = { "192.168.1.0/24" } }
egress "dns" { user = $UID_CHECK protocol = "udp" port = 53
	network = { "10.0.2.3" } }
END_POLICY
# What is for users past Tor does not wait for the gate.
for at in closed open; do
	[ $at = closed ] || keep open
	for uid in 0 $UID_USER $UID_NOBODY; do
		none "ours, $at: uid $uid still reaches none" \
		    gw_answers "$uid" -- $LAN $CLEAR
	done
	all "ours, $at: the named user, the named network" \
	    gw_answers $UID_CLEARNET -- 192.168.1.1:445
	none "ours, $at: no other port, network or protocol" \
	    gw_answers $UID_CLEARNET -- udp:192.168.1.1:53 udp:10.0.2.3:53 \
	    $CLEAR
	all "ours, $at: the other user, its service" \
	    gw_answers $UID_CHECK -- udp:10.0.2.3:53
	none "ours, $at: nothing else of the other user" \
	    gw_answers $UID_CHECK -- 192.168.1.1:445 udp:192.168.1.1:53 $CLEAR
	none "ours, $at: Tor has no use for them" \
	    gw_answers $TOR_UID -- udp:192.168.1.1:53 udp:10.0.2.3:53
done
ours_gone
it_end
