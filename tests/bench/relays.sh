#!/bin/bash
# Strict egress by number of relays: relays.sh [ROUNDS [RELAYS...]]
# Run by "make bench-relays"; see relays_time.c for what is measured.
set -eu
: "${top_srcdir:?}" "${top_builddir:?}"
# shellcheck source=tests/bench/lib.bash
. "$top_srcdir/tests/bench/lib.bash"
rounds=${1:-9}
shift $(($# > 0))
[ $# -gt 0 ] || set -- 0 10000 100000
[ "$(id -u)" = 0 ] || { echo "needs root, for network namespaces"; exit 77; }
command -v nft >/dev/null || { echo "needs nft, to compare with"; exit 77; }
command -v jq >/dev/null || { echo "needs jq, for the table"; exit 77; }
results=$top_builddir/relays.json

: >"$results"
for relays; do
	"$top_builddir/relays_time" "$relays" "$rounds" >>"$results"
done

rows=$(cat <<'END'
def one: if . == null or . == 0 then "-" elif . >= 100 then round
    elif . >= 10 then . * 10 | round / 10
    else . * 100 | round / 100 end | tostring;
def row(name; f): "| \(name) | " + (map(f | one) | join(" | ")) + " |";
def us(f): f / 1000;
def ms(f): f / 1000000;
row("heartbeat, microseconds"; us(.beat_ns)),
row("... p99"; us(.beat_p99_ns)),
row("close, microseconds"; us(.close_ns)),
row("... p99"; us(.close_p99_ns)),
row("open, read back, microseconds"; us(.open_ns)),
row("a new list until it is in force, counted, ms"; ms(.list_ns)),
row("... of which its pages, build and commit"; ms(.pages_ns)),
row("... CPU time of the whole, and"; ms(.list_cpu_ns)),
row("... of the pages"; ms(.pages_cpu_ns)),
row("... longest absence from the main loop"; ms(.list_longest_turn_ns)),
row("`nft -f` of the same elements, nobody listening, ms"; ms(.nft_ns)),
row("... CPU time"; ms(.nft_cpu_ns)),
row("`nft -f` of them beside this gate, which listens, ms"; ms(.nft_told_ns)),
row("... CPU time"; ms(.nft_told_cpu_ns))
END
)
ratios=$(cat <<'END'
def times(a; b): a / b * 100 | round / 100;
.[0] as $first | .[1:][] | select(.relays > 0) |
"* \(.relays) relays: `nft -f` takes \(times(.nft_ns; .pages_ns)) times our " +
"build and commit (CPU: \(times(.nft_cpu_ns; .pages_cpu_ns))), " +
"\(times(.nft_ns; .list_ns)) times the whole with its count and exchange " +
"(CPU: \(times(.nft_cpu_ns; .list_cpu_ns))); beside a gate that listens " +
"\(times(.nft_told_ns; .pages_ns)) " +
"(CPU: \(times(.nft_told_cpu_ns; .pages_cpu_ns))) and " +
"\(times(.nft_told_ns; .list_ns)) " +
"(CPU: \(times(.nft_told_cpu_ns; .list_cpu_ns))); heartbeat " +
"\(times(.beat_ns; $first.beat_ns)) and close " +
"\(times(.close_ns; $first.close_ns)) times those with \($first.relays)."
END
)
cat <<END
# Relays

\`make bench-relays\`: medians of $rounds lists, 2,000 heartbeats and 200 closes, in one run. $(bench_machine), $(nft --version | cut -d' ' -f1,2).

| relays | $(jq -rs 'map(.relays | tostring) | join(" | ")' "$results") |
|---|$(printf -- '---|%.0s' "$@")
END
jq -rs "$rows" "$results"
echo
jq -rs "$ratios" "$results"
bench_notes relays
