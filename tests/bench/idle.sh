#!/bin/bash
# What it costs that Portcullis stands by, process by process: idle.sh
# [SECONDS], started by "make bench-idle".  An open gate on a private network
# with a real Tor, nobody reading the status, for an ordinary policy and for a
# Whonix gateway's.  Prints a section of RESULTS.md.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/it/listeners.bash
. "${top_srcdir:?}/tests/it/listeners.bash"
# shellcheck source=tests/it/standby.bash
. "${top_srcdir:?}/tests/it/standby.bash"
# shellcheck source=tests/bench/lib.bash
. "${top_srcdir:?}/tests/bench/lib.bash"
seconds=${1:-60}
# For counting system calls: that costs, so it is not the same time.
trace_seconds=$((seconds / 6 + 2))

# calls PID: system calls a second.
calls()
{
	local out=$DIR/calls.$1
	timeout "$trace_seconds" strace -f -c -U calls -p "$1" \
	    -o "$out" 2>/dev/null
	awk -v s="$trace_seconds" '$2 == "total" { n = $1 }
	    END { printf("%.1f", n / s) }' "$out"
}

# Pages of files once, however many of ours have them; the rest as it is.
together()
{
	local pid name
	while read -r pid name; do
		cat "/proc/$pid/smaps"
	done <"$DIR/processes" | awk '
	    /^[0-9a-f]+-[0-9a-f]+ / { key = NF > 5 ? $3 " " $6 : "" }
	    /^Rss:/ { rss = $2 }
	    /^Anonymous:/ { anon += $2; file = rss - $2
		if (file > most[key]) most[key] = file }
	    END { for (k in most) sum += most[k]; print sum + anon }'
}

# line CALLS "PSS RSS PRIVATE": JSON of a process, its counters at the input.
line()
{
	awk -v s="$seconds" -v calls="$1" -v mem="$2" '{
	    split(mem, m, " ")
	    printf("{\"name\":\"%s\",\"us\":%.1f,\"wakes\":%.2f,", $2,
		($7 - $3) / s / 1000, ($8 - $4) / s)
	    printf("\"calls\":%s,\"pss\":%d,\"rss\":%d,\"own\":%d}\n", calls,
		m[1], m[2], m[3]) }'
}

# A line of JSON for each process.
look()
{
	local pid name traced
	processes >"$DIR/processes"
	if grep -q another "$DIR/processes"; then
		echo "a process of no known name" >&2
		exit 1
	fi
	sleep 5 # after opening there is still something to tell and to read
	all_counters >"$DIR/before"
	sleep "$seconds"
	all_counters >"$DIR/after"
	while read -r pid name _ _; do
		traced=null
		! type -P strace >/dev/null || traced=$(calls "$pid")
		paste -d ' ' "$DIR/before" "$DIR/after" |
		    grep "^$pid " | line "$traced" "$(memory "$pid")"
	done <"$DIR/before"
}

rows()
{
	jq -rs --argjson once "$1" '
	    def one: if . == null then "-" else . * 10 | round / 10 end;
	    def mb: . / 1000 | . * 100 | round / 100;
	    def row: "| \(.name) | \(.wakes | one) | \(.calls | one) | " +
		"\(.us | round) | \(.us / 10000 * 1000 | round / 1000) | " +
		"\(.pss | mb) | \(.own | mb) | \(.rss | mb) |";
	    map(row)[],
	    ({ name: "**together**" } + (reduce .[] as $p ({};
		. as $all | reduce ("us", "wakes", "calls", "pss", "own",
		    "rss") as $k ($all; .[$k] += $p[$k]))) | row),
	    "| ... pages of files counted once | | | | | | | \($once | mb) |"'
}

table()
{
	local once
	it_start
	it_wait_for open 90 || { echo "the gate does not open" >&2; exit 1; }
	look >"$DIR/lines"
	once=$(together)
	cat <<END
| $1 | wake-ups a second | calls | CPU, us a second | % of one core | PSS, MB | private | RSS |
|---|---|---|---|---|---|---|---|
END
	rows "$once" <"$DIR/lines"
	it_stop
}

it_begin
cat <<END
# Standing by

\`make bench-idle\`: an open gate, a real Tor, nothing to do and nobody reading the status, for $seconds s. Wake-ups: how often a process went to
sleep; calls: system calls, counted by strace in other $trace_seconds s; CPU by the kernel's scheduler, to the nanosecond. $(bench_machine),
$(bench_tor). Goals: 12 MB, 0.1 % of one core.

$(table 'an ordinary policy, 9 listeners')

END
it_whonix_policy
cat <<END
$(table "a Whonix gateway's, 333 listeners")
END
bench_notes idle
exit 0
