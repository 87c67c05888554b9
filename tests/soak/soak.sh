#!/bin/bash
# A gateway's day, as far as it can be had in minutes: what must not close the
# gate, in lanes beside each other and with traffic; then what must, one by
# one.  Counted: false closes, leaks, growth of memory and of descriptors.
#
#	SOAK_SECONDS=7		how long the first part is, after the warm-up
#	SOAK_ROUNDS=1		how often what must close it comes
#	SOAK_PAUSE=0		seconds after each event in a lane
#	SOAK_SEED=7		the events of that number, in the same order
#	SOAK_OUT=FOLDER		where report.{txt,json,md} and all samples go
#
# What follows shows that each counter can find something: the same judge looks
# at a close that it was not told of, at programs that forget to free and to
# close, and at a clear side without our barriers.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
# shellcheck source=tests/it/listeners.bash
. "$top_srcdir/tests/it/listeners.bash"
# shellcheck source=tests/soak/churn.bash
. "$top_srcdir/tests/soak/churn.bash"

soak_seconds=${SOAK_SECONDS:-7}
soak_rounds=${SOAK_ROUNDS:-1}
soak_pause=${SOAK_PAUSE:-0}
soak_seed=${SOAK_SEED:-$((SRANDOM % 32768))}
soak_out=${SOAK_OUT:-$it_build/tests/soak/out}
soak_here=$it_src/tests/soak
soak_relay=0 soak_goals=()
# From here on it is a long run: hours of consensus in minutes, and changes of
# bridge and proxy, which take their time.
SOAK_LONG=120
# Relays restarted come this seldom: Tor leaves a guard that it has lost alone
# for minutes, and has no more than five.  In a short run never.
RELAY_EVERY=60
CONTROL_SECONDS=5

soak_is_long() { [ "$soak_seconds" -ge $SOAK_LONG ]; }

# --- begin -----------------------------------------------------------------

# A torrc that has the policy's listeners, so that reading it again changes
# nothing.
soak_torrc_full()
{
	{
		echo "%include $DIR/torrc.d/*.conf"
		it_policy_lines
	} >"$DIR/tor/torrc.extra"
}

soak_torrc_bare()
{
	echo "%include $DIR/torrc.d/*.conf" >"$DIR/tor/torrc.extra"
}

# A vote every ten seconds, and a consensus that is valid for five minutes:
# authorities that hold a live one go on with its interval, so they begin
# without, and with a cache of their own.
soak_short_votes()
{
	export PORTCULLIS_NET_CACHE=$soak_out/cache NET_LONG_INTERVAL=10
	rm -rf "$PORTCULLIS_NET_CACHE/data"
}

soak_begin()
{
	soak=$DIR/soak
	mkdir -p "$soak"
	: >"$soak/events"
	it_uplink_policy it_resolver
	soak_torrc_full
	net_proxy socks5 >/dev/null
	it_start
	net_tor_start --no-wait
	it_need "opens" it_wait_for open 60
	it_need "a page passes" it_retry 30 it_fetch trans4
	net_forward on # the worst case: only our tables stand between
}

# soak_watch SECONDS: sampler, wire, knocker.
soak_watch()
{
	: >"$soak/feed"
	: >"$soak/samples"
	net_spawn sampler gateway "$net_python" "$soak_here/sampler.py" \
	    "$DIR" "$soak" "$1"
	net_spawn wire internet "$net_python" "$soak_here/wire.py" "$DIR" \
	    "$soak"
	net_wait 10 grep -q ready "$DIR/log/sampler" &&
	    net_wait 10 grep -q ready "$DIR/log/wire"
}

soak_traffic()
{
	net_spawn flows workstation "$net_python" "$soak_here/flows.py" \
	    "$NET_GW4" "$NET_NAME" "$NET_WEB4" "$NET_TOKEN" 8 \
	    "$soak/streams"
	net_spawn gun4 workstation "$it_build/pktool" blast -t soak4 -r 100 \
	    "$NET_WEB4" 4444
	net_spawn gun6 workstation "$it_build/pktool" blast -t soak6 -r 100 \
	    "$NET_WEB6" 4444
	net_spawn gun gateway "$it_build/pktool" blast -t soak -r 100 \
	    "$NET_WEB4" 4444
}

soak_crowd()
{
	net_spawn crowd gateway "$net_python" "$soak_here/crowd.py" \
	    "$DIR/run/status.sock" "$1"
	net_spawn knock workstation "$net_python" "$it_src/tests/it/knock.py" \
	    --every 100 "$NET_GW4:9050"
}

soak_stamp() { awk '{ print $1 }' /proc/uptime; }

# soak_mark WORD...: to the record, with the time.
soak_mark() { echo "$(soak_stamp) $*" >>"$soak/events"; }

# --- what must not close ---------------------------------------------------

soak_quiet()
{
	soak_mark quiet "$1" begin
	if "quiet_$1" >"$soak/said.$BASHPID" 2>&1; then
		soak_mark quiet "$1" end
	else
		soak_mark quiet "$1" failed
		{ echo "== $1"; cat "$soak/said.$BASHPID"; } >>"$soak/failures"
	fi
}

# soak_sleep SECONDS, but no longer than there is time.
soak_sleep()
{
	awk -v s="$1" -v left=$((soak_end - $(net_clock))) 'BEGIN {
	    if (s * 100 > left) s = left / 100
	    if (s < 0) s = 0
	    print s }' | xargs sleep
}

# soak_lane PAUSE NAME...: each of them once, then at random, until it is over.
soak_lane()
{
	local pause=$1 left=("${@:2}") names=("${@:2}") name
	RANDOM=$((soak_seed + ${#left[@]}))
	while [ "$(net_clock)" -lt "$soak_end" ]; do
		if [ ${#left[@]} -gt 0 ]; then
			name=${left[0]}
			left=("${left[@]:1}")
		else
			name=${names[$((RANDOM % ${#names[@]}))]}
		fi
		soak_quiet "$name"
		soak_sleep "$pause"
	done
	rm -f "$soak/said.$BASHPID"
}

# Seconds between newnym, reload and the like: Tor itself must keep up.
soak_tor_pause() { if soak_is_long; then echo 2; else echo 0.5; fi; }

# soak_lanes SECONDS
soak_lanes()
{
	local lanes=()
	soak_end=$(($(net_clock) + $1 * 100))
	soak_lane "$soak_pause" "${SOAK_ASK[@]}" &
	lanes+=($!)
	soak_lane "$(soak_tor_pause)" "${SOAK_TOR[@]}" &
	lanes+=($!)
	soak_lane "$soak_pause" "${SOAK_KERNEL[@]}" &
	lanes+=($!)
	if soak_is_long; then
		soak_lane $RELAY_EVERY relay &
		lanes+=($!)
	fi
	wait "${lanes[@]}"
}

# Nobody is there but Tor, the traffic and the sampler: what is held now is
# counted.
soak_settle()
{
	soak_mark phase "$1"
	sleep "$2"
	soak_mark phase settled
}

soak_part_quiet()
{
	soak_settle before "$soak_calm"
	soak_crowd "$soak_readers"
	soak_mark phase warm
	soak_lanes $((soak_seconds / 8 + 2))
	: >"$DIR/log/knock"
	soak_mark phase quiet
	soak_lanes "$soak_seconds"
	cp "$DIR/log/knock" "$soak/knock"
	soak_mark phase over
	net_stop crowd knock
}

# --- what must -------------------------------------------------------------

soak_shut()
{
	soak_from=$(soak_stamp)
	echo "$soak_from shut $1 begin ${SOAK_CLOSES[$1]}" >>"$soak/events"
	"shut_$1" >"$soak/said" 2>&1 ||
	    { echo "== $1"; cat "$soak/said"; } >>"$soak/failures"
	[ "${SOAK_CLOSES[$1]}" = 0 ] || net_wait 10 soak_left_open
	it_wait_for open 60 || echo "== $1: not open" >>"$soak/failures"
	sleep 0.3 # what it would do late
	soak_mark shut "$1" end
}

soak_part_shut()
{
	local i name names=("${SOAK_SHUT[@]}")
	! soak_is_long || names+=("${SOAK_SHUT_LONG[@]}")
	soak_shut hold # and everybody gets a line
	soak_settle after "$soak_calm"
	soak_mark phase shut
	for ((i = 0; i < soak_rounds; i++)); do
		for name in "${names[@]}"; do
			soak_shut "$name"
		done
	done
	soak_settle last $((5 + soak_calm))
}

# --- the judge -------------------------------------------------------------

soak_gather()
{
	net_stop crowd knock gun4 gun6 gun flows sampler wire
	cp "$DIR/log/crowd" "$soak/crowd"
	cp "$DIR/log/flows" "$soak/flows"
	cp "$DIR/log/portcullisd" "$soak/portcullisd.log"
	cp "$DIR/log/gun4" "$DIR/log/gun6" "$DIR/log/gun" "$soak"
	touch "$soak/failures"
}

# soak_judge FOLDER: its report; 0 if every goal is met.
soak_judge()
{
	"$net_python" "$soak_here/judge.py" "$soak" "$1"
}

# soak_finds GOAL: the judge of the control says that this one is missed.
soak_finds()
{
	jq -e --arg goal "$1" '.missed | index($goal) != null' \
	    "$soak/control/report.json" >/dev/null
}

# The same programs, but a status process that leaks.  A sanitizer's build has
# none: it looks for leaks itself.
soak_leaky_folder()
{
	mkdir -p "$DIR/leaky"
	cp "$it_build"/portcullis-{engine,resolver,status} "$DIR/leaky"
	soak_goals=(false_closes leaks)
	[ -x "$it_build/leaky-status" ] || return
	cp "$it_build/leaky-status" "$DIR/leaky/portcullis-status"
	soak_goals+=(descriptors memory)
}

soak_sanitizer()
{
	grep -h -A30 -e Sanitizer: -e 'runtime error' "$DIR/log/portcullisd"
}

# A hold that nobody is told of, and programs that leak.
soak_control()
{
	net_stop portcullisd
	soak_leaky_folder
	net_spawn portcullisd gateway "$it_build/portcullisd" \
	    --libexec-dir "$DIR/leaky" -f "$DIR/portcullis.conf"
	it_wait_for open 60 || return 1
	mkdir -p "$soak/control"
	: >"$soak/events"
	rm -f "$soak/streams"
	soak_watch 0.1 || return 1
	soak_traffic
	soak_settle before 0.6
	soak_crowd 200
	soak_mark phase quiet
	sleep $CONTROL_SECONDS
	it_portcullis hold >/dev/null && it_wait_for closed 5
	sleep 0.5 # the sampler hears of it
	soak_mark phase over
	it_portcullis release >/dev/null
	net_stop crowd knock
	soak_settle after 1
	soak_barrier_gone
	soak_gather
	soak_judge "$soak/control" >"$soak/control/said"
	return 0
}

soak_barrier_gone()
{
	net_stop portcullisd
	net_in gateway "$it_build/portcullisd" --remove-rules >/dev/null
	sleep 1
}

mkdir -p "$soak_out"
soak_readers=100 soak_interval=0.3 soak_calm=1
if soak_is_long; then
	soak_readers=30 soak_interval=3 soak_calm=15
	soak_short_votes
fi
it_begin --no-tor
echo "# SOAK_SEED=$soak_seed"
soak_begin
it_need "the watchers are there" soak_watch $soak_interval
soak_traffic
soak_part_quiet
soak_part_shut
soak_gather
soak_judge "$soak_out" >"$soak_out/said"
soak_verdict=$?
cp "$soak"/* "$soak_out" 2>/dev/null
cat "$soak_out/report.txt"
sed 's/^/   /' "$soak/failures" | head -n 40
it_check "every goal of the long run is met" [ $soak_verdict = 0 ]
rm -f "$soak"/said* "$DIR/log/"{crowd,knock,flows}
it_check "no sanitizer says a word" it_not soak_sanitizer
it_check "the control ran" soak_control
for goal in "${soak_goals[@]}"; do
	it_check "the judge sees it where there is one: $goal (positive control)" \
	    soak_finds $goal
done
it_end
