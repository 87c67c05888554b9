#!/bin/bash
# Who owns the tables: a second gate, foreign changes, spoofed heartbeats,
# requests that are no requests, removal.
. "$(dirname "$0")/gate.bash"
it_begin

# counted_once BEFORE AFTER, reports: one close lies between them.
counted_once()
{
	awk '{
		for (i = 2; i <= NF; i++) {
			split($i, pair, "=")
			now[pair[1]] = pair[2]
		}
		n = split(now["under"], under, ",")
		if (NR == 1) {
			for (key in now)
				was[key] = now[key]
			split(was["under"], before, ",")
			next
		}
		last = now["last_ns"]
		bad = n != 6 || now["closes"] != was["closes"] + 1 ||
		    now["sum_ns"] != was["sum_ns"] + last || last == 0
		split("50 100 250 500 1000 10000", us, " ")
		for (i = 1; i <= n; i++)
			bad += under[i] != before[i] + (last <= us[i] * 1000)
		exit bad != 0
	}' "$1" "$2"
}

tables() { in_gw nft list tables | sort | tr '\n' ' '; }

gate_start
before=$(tables)
rules=$(in_gw nft -s list ruleset | sed '/expires/d' | cksum)

note "privileges"
status() { grep -E "^$1:" "/proc/$GATE_PID/status" | cut -f 2-; }
check "the gate has its own user" \
    [ "$(status Uid | tr '\t' ' ')" = \
    "$GATE_UID $GATE_UID $GATE_UID $GATE_UID" ]
check "and no groups" [ -z "$(status Groups | tr -d ' ')" ]
for set in CapEff CapPrm; do
	check "$set is CAP_NET_ADMIN" [ "$(status $set)" = 0000000000001000 ]
done
for set in CapBnd CapInh CapAmb; do
	check "$set is empty" [ "$(status $set)" = 0000000000000000 ]
done
check "no new privileges" [ "$(status NoNewPrivs)" = 1 ]
check "its name" [ "$(status Name)" = portcullis-gate ]

note "a second gate"
# shellcheck disable=SC2086
second=$(in_gw "$DRV" -i ws0 -e ext0 $LISTENERS <<<"wait 3000" 2>&1)
check "second: says who holds it" \
    grep -q 'another portcullisd holds the gate' <<<"$second"
check "second: cannot start" grep -q 'gate-ended exit=3' <<<"$second"
check "second: touches nothing" \
    [ "$(in_gw nft -s list ruleset | sed '/expires/d' | cksum)" = "$rules" ]
refuse "removal while a gate runs" in_gw "$DRV" -r
check "removal touched nothing" [ "$(tables)" = "$before" ]

note "others' changes"
say wait 50
for t in portcullis portcullis_guard; do
	refuse "delete of $t is refused" \
	    in_gw nft delete table inet $t 2>/dev/null
	refuse "a rule into $t is refused" \
	    in_gw nft add rule inet $t output accept 2>/dev/null
done
refuse "a lease cannot be planted" in_gw nft add element inet portcullis \
    gate '{ ipv4 timeout 1h }' 2>/dev/null
in_gw nft flush ruleset
say wait 300
check "flush: counted once" now_is 'foreign=1 '
check "flush: all tables there" [ "$(tables)" = "$before" ]
in_gw nft delete table inet portcullis_boot
say wait 300
check "boot deleted: put back" [ "$(tables)" = "$before" ]
boot=$(in_gw nft -s list table inet portcullis_boot | cksum)
in_gw nft insert rule inet portcullis_boot output accept
say wait 300
check "boot tampered with: counted" now_is 'foreign=3 '
check "boot tampered with: put back" \
    [ "$(in_gw nft -s list table inet portcullis_boot | cksum)" = "$boot" ]
in_gw nft add table inet portcullis_boot '{ flags dormant; }'
say wait 300
check "boot made dormant: put back" \
    [ "$(in_gw nft -s list table inet portcullis_boot | cksum)" = "$boot" ]
in_gw nft flush set inet portcullis_boot listen4 2>/dev/null
say wait 300
check "boot's sets emptied: refused or put back" \
    [ "$(in_gw nft -s list table inet portcullis_boot | cksum)" = "$boot" ]
touched=$(grep '^report' "$IT_DIR/drv.out" | tail -1 |
    sed 's/.*foreign=\([0-9]*\).*/\1/')
in_gw nft add table inet unrelated
say wait 1200
check "unrelated tables do not matter" now_is "foreign=$touched "
in_gw nft delete table inet unrelated

note "requests"
say junk 40
check "junk: dropped" heard '^engine-dropped'
check "junk: keeper asked for another" heard '^asked-to-restart peer=2'
say engine
check "new engine: hears the position" heard 'position=closed known=1 why=4'
say junk 4000
check "too long: dropped" heard '^engine-dropped'
say engine
say open
check "open" heard 'position=open known=1'
say again
check "a repeat closes" heard 'position=closed known=1 .*refused=1'
say stale
check "a stale proof is refused" heard 'position=closed .*refused=1'
say epoch -1
check "another epoch is refused" heard 'position=closed .*refused=1'
say open
check "a good one opens" heard 'position=open known=1 .*refused=0'
say tor
check "tor-only closes clients" heard 'position=tor-only known=1 why=1'
say open
say hangup
sleep 0.1
check "engine gone: closed" \
    [ -z "$(in_gw nft list set inet portcullis gate | grep elements)" ]
say engine
check "engine gone: that is why" heard 'position=closed known=1 why=2'

note "heartbeats of others"
spoof() { in_gw python3 "$IT_SRC/traffic.py" "$1" spoof "$2" "$3"; }
check "closed: the gate's uid cannot open" \
    grep -q 'not permitted' <<<"$(spoof $GATE_UID 7700 7701)"
say open
check "open: another uid is refused" \
    grep -q 'not permitted' <<<"$(spoof 1000 7700 7701)"
check "open: root is refused" \
    grep -q 'not permitted' <<<"$(spoof 0 7700 7701)"
spoof 1000 0 7701 >/dev/null
say wait 1100
check "no spoof has kept it open" now_is 'position=closed known=1'

note "somebody else's table drops everything"
in_gw nft add table inet other
in_gw nft add chain inet other o \
    '{ type filter hook output priority -400; policy drop; }'
say open
say open
check "dropped heartbeat: closed, and not for a lapse" \
    heard 'position=closed known=1 why=6 .*error=1 '
in_gw nft delete table inet other
say open
check "and open again without it" heard 'position=open known=1'
say closed

note "an external interface that comes and goes"
say wait 50
in_gw ip link del ext0
say wait 1300
check "gone: it is said" grep -q 'external interface ext0 is not there' \
    "$IT_DIR/drv.err"
check "gone: and reported" now_is 'barriers=0x[1357]f .*absent=0x1'
ip -n "$GW" link add ext0 type veth peer name ext1 netns "$OUT"
say wait 1300
check "back: barrier stands" now_is 'barriers=0x[1357]f .*absent=0x0'
check "back: the chain is on it" grep -q 'device.*ext0' \
    <(in_gw nft list table netdev portcullis_egress)
check "back: Tor's lease lives" grep -q elements \
    <(in_gw nft list set inet portcullis egress)

note "an engine that says nothing for ten seconds"
say engine
mark
echo "wait 11500" >&7 # one silence: between two waits the driver speaks
sleep 8.5
refuse "silent: not yet" has_heard '^asked-to-restart'
await '^done wait' 15
check "silent: dropped" heard '^engine-dropped'
check "silent: keeper asked for another" heard '^asked-to-restart peer=2'
say wait 11500
refuse "silent: asked once" has_heard '^asked-to-restart'
say engine
say open
check "silent: the next one opens" heard 'position=open known=1'

note "stopping and removing"
say term
await '^gate-ended' 3
check "stopped: that is why" heard 'position=closed known=1 why=8'
check "stopped: exit 0" heard '^gate-ended exit=0'
refuse "stopped: gate table gone" in_gw nft list table inet portcullis \
    2>/dev/null
check "stopped: guard stays" in_gw nft list table inet portcullis_guard \
    >/dev/null
gate_stop
out=$(in_gw "$DRV" -r)
check "removed: says so" grep -q 'inet portcullis_guard' <<<"$out"
check "removed: nothing left" [ -z "$(tables | tr -d ' ')" ]
check "removed twice: nothing to do" in_gw "$DRV" -r

note "strict policy"
gate_start -s
egress() { in_gw nft list set inet portcullis egress; }
refuse "strict, closed: no lease for Tor" grep -q elements <(egress)
say tor
check "strict, tor-only: Tor's lease" grep -q elements <(egress)
check "strict, tor-only: reported" now_is 'position=tor-only known=1'
say wait 1200
refuse "strict, silent engine: lease gone" grep -q elements <(egress)
check "strict, silent engine: closed" now_is 'position=closed known=1 why=3'
say open
check "strict, open: Tor's lease" grep -q elements <(egress)
grep '^report' "$IT_DIR/drv.out" | tail -1 >"$IT_DIR/open"
say closed
grep '^report' "$IT_DIR/drv.out" | tail -1 >"$IT_DIR/closed"
check "a close is counted once, and in its buckets" \
    counted_once "$IT_DIR/open" "$IT_DIR/closed"
refuse "strict, closed: lease gone at once" grep -q elements <(egress)
gate_stop

note "engine and keeper"
gate_start
say open
say engine
check "a new engine while open closes" heard 'position=closed known=1 why=2'
say open
check "and may open" heard 'position=open known=1'
kill -KILL "$DRV_PID"
wait "$DRV_PID" 2>/dev/null
sleep 0.3
refuse "keeper killed: gate table gone" \
    in_gw nft list table inet portcullis >/dev/null 2>&1
check "keeper killed: guard stays" \
    in_gw nft list table inet portcullis_guard >/dev/null
check "keeper killed: the gate is gone too" \
    awk '{ exit $3 != "Z" }' <(cat "/proc/$GATE_PID/stat" 2>/dev/null ||
    echo '0 0 Z')
exec 7>&-
DRV_PID=

note "no IPv6 at all"
in_gw sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
    net.ipv6.conf.lo.disable_ipv6=1
gate_start
say open
check "without ::1: opens for IPv4" heard 'position=open known=1'
check "without ::1: no IPv6 lease" \
    [ -z "$(in_gw nft list set inet portcullis gate | grep ipv6)" ]
gate_stop

note "no loopback"
ip -n "$GW" link set lo down
ip -n "$GW" addr flush dev lo
# shellcheck disable=SC2086
bare=$(in_gw "$DRV" -i ws0 -e ext0 $LISTENERS <<<"wait 3000" 2>&1)
check "without lo: says so" grep -q 'is lo up' <<<"$bare"
check "without lo: cannot start" grep -q 'gate-ended exit=3' <<<"$bare"
it_end
