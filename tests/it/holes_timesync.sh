#!/bin/bash
# F1, F2: before the clock is right their gateway's programs are kept from the
# listed ports of loopback only, and what suspends the machine does not even
# reach that mode.  In our position "time-sync" there is nothing but the
# policy's users to the policy's listeners.
# shellcheck disable=SC2046,SC2086 # lists of addresses are words
# shellcheck source=tests/it/holes.bash
. "$(dirname "$0")/holes.bash"
holes_begin
holes_tor
all "control: every stand-in answers" gw_answers $UID_USER -- $ON_LO $ON_INT
REDIRECTED="198.51.100.1:80 udp:198.51.100.1:53"

note "F1: the mode is asked for, and a setting that is read later wins"
echo firewall_mode=full >"$IT_DIR/30_default.conf"
theirs firewall_mode=timesync-fail-closed -c "$IT_DIR/30_default.conf"
all "theirs: suspended, all is open: the hole" \
    gw_answers $UID_USER -- 127.0.0.1:9050 ::1:9104 10.152.152.10:9150
all "theirs: ... to workstations too" ws_answers -- $REDIRECTED
touch "$SHAPE_SDWDATE/first_success"
theirs -m timesync-fail-closed
all "theirs: and by option it is open while an old success is there" \
    gw_answers $UID_USER -- 127.0.0.1:9050 ::1:9104
rm "$SHAPE_SDWDATE/first_success"

note "F2: the mode itself"
theirs -m timesync-fail-closed
none "theirs: the listed ports of loopback are shut" \
    gw_answers $UID_USER -- 127.0.0.1:9050 ::1:9050 127.0.0.1:9104 \
    ::1:9104 127.0.0.1:9150
all "theirs: the same by the other address are open: the hole" \
    gw_answers $UID_USER -- 10.152.152.10:9050 10.152.152.10:9104 \
    "$ADDR6:9150"
all "theirs: ... and their custom ports" \
    gw_answers $UID_USER -- 10.152.152.10:9152 10.152.152.10:9229 \
    "$ADDR6:9152"
all "theirs: ... HTTPTunnelPort, TransPort" gw_answers $UID_USER -- \
    127.0.0.1:9190 ::1:9229 127.0.0.1:9041 10.152.152.10:9040
all "theirs: ... DNSPort" gw_answers $UID_NOBODY -- \
    udp:127.0.0.1:5400 udp:10.152.152.10:5300 "udp:$ADDR6:5300"
all "theirs: ... and sdwdate's port is anybody's" \
    gw_answers $UID_NOBODY -- 127.0.0.1:9108
theirs_gone

SYNC_LO="127.0.0.1:9108 ::1:9108"
SYNC_INT="10.152.152.10:9108 $ADDR6:9108"

# ours_sync: what holds in "time-sync", whatever was before.
ours_sync()
{
	local uid
	for uid in 0 $UID_USER $UID_CLEARNET $UID_NOBODY; do
		none "$1: uid $uid reaches nothing of Tor's" \
		    gw_answers $uid -- $ON_LO $ON_INT
	done
	for uid in $UID_SDWDATE $UID_CHECK; do
		all "$1: uid $uid reaches what sets the clock" \
		    gw_answers $uid -- $SYNC_LO $SYNC_INT
		none "$1: uid $uid reaches nothing else" gw_answers $uid -- \
		    $(printf '%s\n' $ON_LO $ON_INT | grep -v ':9108$')
		none "$1: uid $uid does not go past Tor" \
		    gw_answers $uid -- $CLEAR $LAN
	done
	none "$1: workstations' own" ws_answers -- \
	    $(printf '%s\n' $ON_INT | grep -v ':9108$') $REDIRECTED
	all "$1: Tor reaches its relays" gw_answers $TOR_UID -- 192.0.2.1:443
}

# ours_with WORKSTATIONS
ours_with()
{
	ours < <(
		holes_listeners
		cat <<-END
		timesync {
			required = true
			directory = "$SHAPE_SDWDATE"
			users = { $UID_SDWDATE, $UID_CHECK }
			listeners = { "sdwdate" }
			workstations = $1
		}
		END
	)
}

note "ours"
ours_with false
none "ours, closed: nobody" gw_answers $UID_SDWDATE -- $ON_LO $ON_INT
keep sync
ours_sync "ours"
none "ours: workstations do not set their clock by it" \
    ws_answers -- $SYNC_INT
keep open
all "ours, open: every listener answers" \
    gw_answers $UID_USER -- $ON_LO $ON_INT
all "ours, open: workstations too" ws_answers -- $SYNC_INT $REDIRECTED \
    10.152.152.10:9152 "$ADDR6:9229"

note "F1: from open, as when the machine is suspended; with a flow running"
flow program "$GW" $UID_USER 127.0.0.1:9104
flow clock "$GW" $UID_USER 10.152.152.10:9108
flow workstation "$WS" 0 198.51.100.1:80
flows_run "ours: a flow runs" program clock workstation
keep sync
flows_cut "ours: it does not run on in time-sync" program clock workstation
flows_end
ours_sync "ours, after open"
say stale
check "ours: what was proven before the machine slept opens nothing" \
    heard 'refused=1'
ours_gone

note "ours, and the workstations may set their clocks"
ours_with true
keep sync
ours_sync "ours, workstations"
all "ours, workstations: sdwdate's port" ws_answers -- $SYNC_INT
ours_gone
it_end
