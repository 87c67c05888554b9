#!/bin/bash
# The model of portcullis.pml, searched to its end; each of its broken
# variants, which its property must find; witnesses that what the properties
# are about does happen; and traces of it, which the real code must agree with.
# "run.sh traces", which "make check" does: only those, seconds.
# "run.sh full": larger bounds; eight minutes and 3 GB on two processors.
# Needs spin and a C compiler; no root.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
: "${top_srcdir:?run me by make check}" "${top_builddir:?}"
PATH=$PATH:/usr/sbin
mode=${1:-traces}
if ! command -v spin >/dev/null || ! command -v "${CC:-cc}" >/dev/null; then
	echo "spin or a compiler is missing: skipped"
	exit 77
fi
src=$top_srcdir/tests/model
work=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-model.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# name, flags: what each part of the adversary may do, see portcullis.pml.
if [ "$mode" = full ]; then
	depth=2000000 hash=24 seeds=200 steps=200000
	slices='
deaths -DWITH_DEATHS
queue -DWITH_B
replays -DQN=1 -DWITH_B -DREPLAYS
tor -DQN=1 -DWITH_TOR
taken -DPROMPT -DQN=1 -DL=1 -DWITH_B -DWITH_TOR
conf -DQN=1 -DWITH_CONF
hold -DQN=1 -DWITH_HOLD
split -DQN=1 -DSPLIT -DSUSPEND -DWITH_B
long -DL=3 -DQN=1 -DEPMAX=2
reopens -DQN=1 -DLIVE -DWITH_DEATHS
closes -DQN=1 -DLIVE -DWITH_DEATHS
'
else
	depth=1000000 hash=20 seeds=60 steps=150000
	slices='
tor -DPROMPT -DQN=1 -DL=1 -DWITH_TOR
reopens -DPROMPT -DQN=1 -DLIVE
closes -DPROMPT -DQN=1 -DLIVE
replays -DPROMPT -DQN=1 -DL=1 -DWITH_B -DREPLAYS
deaths -DQN=1 -DWITH_DEATHS
hold -DPROMPT -DQN=1 -DL=1 -DWITH_HOLD
split -DQN=1 -DSPLIT -DSUSPEND -DWITH_B
'
fi
slices+='
barriers -DBARRIERS
status -DSTATUS
flows -DFLOWS
names -DNAMES
'

# BROKEN, PROPERTY, slice, what is broken.
variants='
1 1 barriers the drops go with the gate
2 2 replays the rule does not look at the proven set
3 3 deaths the gate does not ask how old the proof is
4 4 deaths the table outlives its owner
5 5 flows closing is a list of deletes
6 6 status the status goes on saying what it heard last
7 7 deaths the gate does not look at the epoch
8 8 deaths what is no request is ignored
9 9 names DNS of whomever goes through the lease
10 10 barriers a second supervisor takes the table
11 11 split a heartbeat revives a lapsed lease
12 12 hold a new engine has forgotten the hold
13 13 replays a repeated request is believed
15 2 deaths the rule does not look at the lease
16 7 deaths the engine takes the new epoch and keeps its proofs
17 7 deaths what was asked before the close counts
18 14 tor the engine dates a proof by its answer
19 4 deaths the lease does not end
20 2 barriers nobody holds the boot table
21 6 status the report is what the gate meant
22 16 status a failed read-back is told as closed
23 15 flows the flows are forgotten before the close
24 9 names the names lease does not end
25 3 split the gate does not look again after a heartbeat
26 12 hold the keeper does not hear out an engine that has died
'

# WITNESS, slice, what must be reachable there.
witnesses='
1 deaths clients are let through to listener A
2 replays ... and to B
3 split ... on a proof that is nearly two leases old
4 deaths ... by a gate that has not run for nearly a lease
5 split ... on a late heartbeat, before the gate looks again
6 split ... on a late commit, before the gate looks again
7 deaths a request that was proven before the last close is on its way
8 taken listener B is taken by another uid while it is open
9 conf options drift while it is open
11 split closed while open: asked
12 deaths closed while open: the engine is gone
13 split closed while open: late
14 deaths closed while open: bad request
15 split closed while open: the lease has lapsed
16 tor Tor dies while it is open
17 deaths the engine dies while it is open
18 tor it is open although Tor was last good nearly two leases ago
19 hold everything is proven, and there is a hold
20 hold a hold, then its release, are on their way
21 hold an engine dies whose last word was a hold not yet read
22 queue two requests wait, for different listeners
23 deaths a refusal is told that ended no epoch
24 deaths everything is proven and known to be of an earlier epoch
25 deaths the engine is given up; the lease had lapsed by itself
26 deaths the gate dies while it is open
27 replays a repeated request that is right in all else
28 split a heartbeat goes out on a proof older than the lease
29 split suspend between the clock and the heartbeat
30 barriers no nftables barrier, no routes, no forwarding
31 barriers routes alone stand
32 barriers the boot table alone stands
33 barriers a second supervisor finds the table held
34 barriers the gate is dead
35 status closed is said of what was closed long ago
36 status a fresh report whose read-back failed
37 flows one family has lapsed, the other not
38 flows closed, and a flow is left that is to be purged
39 names a lookup passes late in its lease
40 names Tor tries to look up through the lease
41 names the resolver tries another server
'

if [ "$mode" = traces ]; then
	slices='' variants='' witnesses=''
fi

tell()
{
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $2"
	fi
}

# make_pan NAME FLAGS...
make_pan()
{
	local name=$1 dir=$work/$1 kind=-DSAFETY
	shift
	case $name in
	reopens) kind= ;;
	closes) kind=-DNFAIR=3 ;; # room for that many processes
	esac
	mkdir "$dir" && cd "$dir" && cp "$src"/*.pml . || return
	spin -a "$@" portcullis.pml >spin.log 2>&1 || return
	# Every step is of shared variables: partial order reduces nothing.
	# shellcheck disable=SC2086
	"${CC:-cc}" -O1 -w -DNOREDUCE $kind -o pan pan.c 2>cc.log
}

# search NAME: a whole one, which must find nothing.
search()
{
	local name=$1 live=
	cd "$work/$name" || return
	case $name in
	reopens) live="-a -N $name" ;;
	closes) live="-a -f -N $name" ;; # each goes on, at some time
	esac
	# shellcheck disable=SC2086
	./pan $live -m$depth -w$hash >search.log 2>&1
	! grep -qE 'error:|violated|errors: [1-9]|max search depth' \
	    search.log && grep -q 'errors: 0' search.log
}

describe()
{
	awk -v name="$1" '/depth reached/ { depth = $6 + 0 }
	    /states, stored/ { states = $1 }
	    /total actual memory/ { mb = $1 }
	    /elapsed time/ { s = $4 }
	    END { printf "%-9s %9d states, depth %d, %.0f MB, %.1f s\n",
	    name, states, depth, mb, s }' "$work/$1/search.log"
}

# caught BROKEN PROPERTY SLICE: the first error ends the search.
caught()
{
	local dir=$work/$3.$1
	mkdir "$dir" && cd "$dir" || return
	BROKEN=$1 PROPERTY=$2 "../$3/pan" -m20000 -w20 >search.log 2>&1
	grep -q 'assertion violated' search.log
}

# reached WITNESS SLICE: as if it were an error.
reached()
{
	local dir=$work/$2.reach
	mkdir -p "$dir" && cd "$dir" || return
	WITNESS=$1 "../$2/pan" -m20000 -w20 >"$1.log" 2>&1
	grep -q 'assertion violated' "$1.log"
}

one_slice()
{
	local name=$1 b p slice
	if ! make_pan "$@"; then
		echo 1 >"$work/$name.rc"
		return
	fi
	while read -r b p slice _; do
		[ "$slice" = "$name" ] || continue
		caught "$b" "$p" "$slice"
		echo $? >"$work/broken.$b.rc"
	done <<<"$variants"
	while read -r b slice _; do
		[ "$slice" = "$name" ] || continue
		reached "$b" "$slice"
		echo $? >"$work/witness.$b.rc"
	done <<<"$witnesses"
	search "$name"
	echo $? >"$work/$name.rc"
}

# Traces of everything at once, against the real code.
trace_flags='-DTRACE -DSPLIT -DWITH_DEATHS -DWITH_TOR -DWITH_CONF -DWITH_B
-DWITH_HOLD -DREPLAYS -DEPMAX=100 -DCONFMAX=7'

# One seed; all its disagreements, and what was seen.
trace()
{
	cd "$work/traces" || return
	# shellcheck disable=SC2086
	spin -n"$1" -u$steps $trace_flags portcullis.pml >"trace.$1" 2>&1
	grep -q 'Error' "trace.$1" && return 1
	"$top_builddir/tests/model/replay" <"trace.$1" >"seen.$1" 2>"bad.$1"
}

# Number I of all that "WORD a b c ..." counted, in all traces.
count()
{
	awk -v word="$1" -v i="$2" '$1 == word { n += $(i + 2) }
	    END { print n + 0 }' "$work"/traces/seen.*
}

# A mistake in the translation must show in one trace or another.
mistaken()
{
	local file
	for file in "$work"/traces/trace.*; do
		"$top_builddir/tests/model/replay" "$1" <"$file" \
		    >/dev/null 2>&1 || return 0
	done
	return 1
}

traces()
{
	local seed rc bad=0 what n
	mkdir "$work/traces" && cp "$src"/*.pml "$work/traces" || return
	for seed in $(seq "$seeds"); do
		trace "$seed" && continue
		bad=$((bad + 1))
		echo "seed $seed:" "$(cat "$work/traces/bad.$seed")"
	done
	tell $bad "$bad of $seeds traces disagree with the code"
	for what in 'pos 0' 'pos 1' 'pos 3' 'why 1' 'why 2' 'why 3' 'why 4' \
	    'why 5' 'act 4' 'act 5' 'act 6' 'act 7'; do
		# shellcheck disable=SC2086
		n=$(count $what)
		[ "$n" -gt 0 ]
		tell $? "no trace has $what of gatemsg.h, core.h"
	done
	for what in 1 2 3 4 5 6; do
		mistaken $what
		tell $? "mistake $what of replay.c goes unseen"
	done
	echo "traces: $seeds, $(cat "$work"/traces/trace.* | grep -c '@ T_') \
events, $(count pos 3) times open"
}

running=0
while read -r name flags; do
	[ -n "$name" ] || continue
	if [ $running -ge "$(nproc)" ]; then
		wait -n
		running=$((running - 1))
	fi
	# shellcheck disable=SC2086
	one_slice "$name" $flags &
	running=$((running + 1))
done <<<"$slices"
wait
traces

while read -r name _; do
	[ -n "$name" ] || continue
	rc=$(cat "$work/$name.rc" 2>/dev/null || echo 1)
	[ "$rc" != 0 ] || describe "$name"
	tell "$rc" "slice $name"
	[ "$rc" = 0 ] || tail -n 5 "$work/$name"/*.log
done <<<"$slices"
while read -r b p slice what; do
	[ -n "$b" ] || continue
	tell "$(cat "$work/broken.$b.rc" 2>/dev/null || echo 1)" \
	    "property $p does not find: $what"
done <<<"$variants"
while read -r b slice what; do
	[[ $slices == *"
$slice "* ]] || continue
	tell "$(cat "$work/witness.$b.rc" 2>/dev/null || echo 1)" \
	    "slice $slice never has: $what"
done <<<"$witnesses"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
