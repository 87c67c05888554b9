#!/bin/bash
# Ten thousand readers of status.sock, slow and stuck ones among them, beside
# a peer with the same: fanout.sh [READERS [ROUNDS]].  Run by "make
# bench-fanout".  Prints the table for RESULTS.md; the numbers as JSON are in
# tests/bench/fanout.json of the build folder.
set -eu
: "${top_srcdir:?}" "${top_builddir:?}"
# shellcheck source=tests/bench/lib.bash
. "$top_srcdir/tests/bench/lib.bash"
results=$top_builddir/tests/bench/fanout.json
mkdir -p "$top_builddir/tests/bench"
"$top_builddir/fanout" "${1:-10000}" "${2:-100}" \
    python3 "$top_srcdir/tests/bench/peer_fanout.py" >"$results"

# row TEXT FILTER DIVISOR: ours, the peer's, their ratio
row()
{
	jq -r --arg text "$1" --argjson d "$3" '
	    (.ours | '"$2"') as $a | (.peer | '"$2"') as $b |
	    "| \($text) | \($a / $d * 100 | round / 100) | " +
	    "\($b / $d * 100 | round / 100) | " +
	    "\(if $a == 0 then "-" else $b / $a * 10 | round / 10 end) |"' \
	    "$results"
}

cat <<'END'
# Readers of status.sock

`make bench-fanout`: readers of which one in ten never reads and one in ten reads 1 KiB a second, beside an asyncio server that sends
END
jq -r --arg machine "$(bench_machine)" '"the same lines to the same readers. " +
    "\($machine), lines of \(.line) octets.\n\n" +
    "| \(.readers) readers, \(.rounds) rounds | ours | asyncio | ratio |"' \
    "$results"
echo '|---|---|---|---|'
row 'snapshot in to the last fast reader served, median, ms' \
    .last_us.median 1000
row '... 99 of 100, ms' .last_us.p99 1000
row 'processor time of the process for a round, ms' .cpu_us 1000
row "the engine's send(), most, ms" .send_us.max 1000
row 'lateness of a thread that sleeps as the gate does, 99 of 100, ms' \
    .late_us.p99 1000
row '... most, ms' .late_us.max 1000
row 'memory of the process without readers, MB' .memory_empty 1e6
row '... for each reader, octets' .octets_each 1
row '... with all readers, MB' .memory_full 1e6
row '... after all rounds, MB' .memory_after 1e6
bench_notes fanout
