#!/bin/bash
# An open gate with nothing to do is nearly no work: how often its processes
# wake up, and what memory they have.  Counts, as times depend on the machine;
# tests/bench/idle.sh has those.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/it/standby.bash
. "${top_srcdir:?}/tests/it/standby.bash"
SECONDS_LONG=5

# wakes NAME: a second, rounded up, of that process, or of all.
wakes()
{
	paste -d ' ' "$DIR/before" "$DIR/after" | awk -v name="$1" \
	    -v s=$SECONDS_LONG '$2 == name || name == "all" { n += $8 - $4 }
	    END { printf("%d", (n + s - 1) / s) }'
}

at_most() { [ "$1" -le "$2" ] || { echo "# $1, not $2" >&2; return 1; }; }

# In kB, of all.
pss()
{
	local pid sum=0
	while read -r pid _; do
		sum=$((sum + $(memory "$pid" | cut -d ' ' -f 1)))
	done <"$DIR/processes"
	echo $sum
}

it_begin
it_start
it_check "opens" it_wait_for open 60
sleep 4 # after opening there is still something to tell and to read
processes >"$DIR/processes"
all_counters >"$DIR/before"
sleep $SECONDS_LONG
all_counters >"$DIR/after"
it_check "is still open" it_field_is .position open
# Four requests a second; what else there is to do goes with them.
it_check "the gate wakes up with the engine's requests" \
    at_most "$(wakes gate)" 6
# A probe and its answer, four times a second; a report, an answer more.
it_check "the engine wakes up for its probes" at_most "$(wakes engine)" 16
it_check "the status wakes up with the snapshot" at_most "$(wakes status)" 2
it_check "the keeper wakes up with the gate's word" \
    at_most "$(wakes keeper)" 2
it_check "all of them seldom" at_most "$(wakes all)" 24
it_check "all of them have 12 MB at most" at_most "$(pss)" 12288
it_end
