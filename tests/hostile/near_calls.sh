#!/bin/bash
# The system calls that each of our programs makes in a second are made to
# fail, one name after the other, for a while each.  While Tor answers, the
# gate opens again soon after each.  While Tor is stopped nothing is proven,
# and none of these failures opens the gate.  Then limits are lowered under
# them.  By "make neighbours": NEAR_FULL=1 is every error, not one.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
INJECT=$it_build/near_inject
"$INJECT" >/dev/null
[ $? != 77 ] || it_skip "calls cannot be made to fail on this machine"
it_begin
it_start
it_need "opens" it_wait_for open 60
BLOW_MS=700
ERRORS=ENOMEM
[ -z "${NEAR_FULL:-}" ] ||
    ERRORS="ENOMEM EMFILE ENFILE ENOBUFS EINTR EAGAIN EPERM ENOSPC EIO"
WHO="gate engine status"
tor=$(net_pid tor)
# Faults of the calls on which all the others wait only burn time.
DULL="restart_syscall rt_sigreturn exit_group"

lease_held()
{
	net_in gateway nft list set inet portcullis gate 2>/dev/null |
	    grep -q elements
}
lease_gone() { ! lease_held; }
# By name: one that has no descriptors left cannot be asked.
pid_of() # gate|engine|status
{
	local pid want
	want=$(printf 'portcullis-%.4s' "$1")
	for pid in $(ip netns pids "$(net_ns gateway)"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$want" ] || continue
		echo "$pid"
		return 0
	done
	return 1
}
# One that lacks memory for good, and no more than that, does not end by it.
opens_or_says()
{
	lease_held || it_portcullis status 2>&1 | grep -q 'lacks memory'
}
there() { pid_of "$1" >/dev/null; }

# Opened while Tor is stopped, if only for one sample: that must not be.
watch_lease()
{
	while :; do
		lease_held && echo held
		sleep 0.02
	done >>"$DIR/held" 2>/dev/null
}

# Somebody who asks, so that there is something to do.
ask_on()
{
	while :; do
		it_portcullis status --json
		it_portcullis newnym
		sleep 0.2
	done >/dev/null 2>&1
}
ask_on &
asker=$!

# The names of the calls that WHO makes.
calls_of()
{
	local pid
	pid=$(pid_of "$1") || return 1
	"$INJECT" -p "$pid" -l -t 1500 >"$DIR/calls"
	sed -n 's/^call //p' "$DIR/calls" | sort -u |
	    grep -vxF -f <(tr ' ' '\n' <<<"$DULL")
}

# blow WHO CALL ERROR: HIT is how often; ENDED whether it did not survive.
blow()
{
	local pid
	HIT=0 ENDED=lives
	net_wait 20 there "$1" || return 1
	pid=$(pid_of "$1") || return 1
	timeout 20 "$INJECT" -p "$pid" -c "$2" -e "$3" -m kind \
	    -t $BLOW_MS >"$DIR/inject" 2>&1
	HIT=$(sed -n 's/^hit [a-z0-9_]* //p' "$DIR/inject")
	sleep 0.1
	net_starttime "$pid" >/dev/null || ENDED=replaced
	HIT=${HIT:-0}
}

# each TITLE COMMAND: for every call and error, then COMMAND, which is fine or
# not; a row of the table each.
each()
{
	local who call error end
	for who in $WHO; do
		for call in ${calls[$who]}; do
			for error in $ERRORS; do
				if ! blow "$who" "$call" "$error"; then
					end=not-there
				elif "$2"; then
					end=ok
				else
					end=BAD
				fi
				echo "$1 $who $call $error $HIT $ENDED $end"
			done
		done
	done | tee -a "$DIR/table"
}
opens_again() { net_wait 40 lease_held; }
rows() { grep -cE "$1" "$DIR/table"; }

declare -A calls
for who in $WHO; do
	calls[$who]=$(calls_of "$who" | tr '\n' ' ')
	echo "# $who: ${calls[$who]}"
	it_check "$who makes calls (positive control)" [ "$(wc -w \
	    <<<"${calls[$who]}")" -ge 3 ]
done
: >"$DIR/table"

it_check "open (positive control)" lease_held
kill -STOP "$tor"
it_check "Tor is stopped: closes" net_wait 10 lease_gone
: >"$DIR/held"
watch_lease &
watcher=$!
each stopped true
kill "$watcher"
wait "$watcher" 2>/dev/null
it_check "none of these failures opens the gate" [ ! -s "$DIR/held" ]
watch_lease &
watcher=$!
kill -CONT "$tor"
it_check "Tor answers: opens" it_wait_for open 60
it_check "what watched would have seen it (positive control)" \
    net_wait 5 test -s "$DIR/held"
kill "$watcher"
wait "$watcher" 2>/dev/null

each answers opens_again
it_check "most failures were met" [ "$(rows ' 0 [a-z]+ [a-z]+$')" -lt \
    $(($(wc -l <"$DIR/table") / 2)) ]
it_check "after each it opens again" [ "$(rows 'BAD|not-there')" = 0 ]

# --- limits, lowered while they run ------------------------------------------

# Nothing more can be opened; of memory there is what there is.
# As its own user, who may: this root may lack CAP_SYS_RESOURCE.
limit() # WHO LIMIT
{
	local pid uid gid
	pid=$(pid_of "$1") || return 1
	uid=$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")
	gid=$(awk '/^Gid:/ { print $2 }' "/proc/$pid/status")
	setpriv --reuid "$uid" --regid "$gid" --clear-groups \
	    prlimit --pid "$pid" "$2"
}
for who in gate engine status; do
	for what in --nofile=3:3 --as=1:1 --data=1:1 --fsize=0:0; do
		it_wait_for open 40
		it_check "$who: $what" limit $who $what
		# Without a descriptor for it nobody hears the asker.
		if it_portcullis hold >/dev/null 2>&1; then
			it_check "$who: $what: a hold closes" net_wait 10 \
			    lease_gone
		else
			echo "   $who: $what: a hold is not heard, and its" \
			    "asker is told so"
		fi
		net_wait 20 it_portcullis release >/dev/null 2>&1
		it_check "$who: $what: opens again, by whoever, or says why \
not" net_wait 40 opens_or_says
		lease_held || kill -KILL "$(pid_of $who)"
	done
done
# Whoever was limited for good makes room for one that is not.
for who in status engine gate; do
	kill -KILL "$(pid_of $who)"
	net_wait 20 there $who
done
kill "$asker"
wait "$asker" 2>/dev/null
it_check "new ones open" it_wait_for open 60
it_check "a page comes through" it_retry 20 it_fetch trans4
it_end
