#!/bin/bash
# Reading what Tor says: libcontrolproto beside python3-stem and, where Go and
# golang-github-cretz-bine-dev are installed, beside bine: parse.sh SECONDS
# ROUNDS RELAYS, started by "make bench-parse".  On one recording, made just
# before, of a real Tor that bootstraps on a private network.  All have to
# find the same messages in it.  Prints a section of RESULTS.md.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/bench/lib.bash
. "${top_srcdir:?}/tests/bench/lib.bash"
seconds=${1:-20}
rounds=${2:-200}
relays=${3:-8000}
# Peers are that much slower; it is the median that counts.
slow_rounds=$((rounds / 10 + 1))
# shellcheck disable=SC2154
bench=$it_src/tests/bench

# bine PROGRAM: built outside of the sources; not with a Go of tomorrow's.
bine()
{
	type -P go >/dev/null || return 1
	GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$DIR/gocache \
	    GOFLAGS='' go build -o "$1" "$bench/peer_parse.go" 2>"$DIR/go.log"
}

# same FILE...: the same findings, but for times and memory.
same()
{
	local file first='' this
	for file; do
		this=$(jq -c '[.messages, .events, .parts, .octets]' "$file")
		[ -z "$first" ] || [ "$this" = "$first" ] || {
			echo "$file: found $this instead of $first" >&2
			return 1
		}
		first=$this
	done
}

# measure KIND RECORDING [ns]: results in $DIR/KIND.ours, .stem, .bine
measure()
{
	local kind=$1 file=$2
	"$it_build/parse_time" "$file" "$rounds" "${@:3}" >"$DIR/$kind.ours" ||
	    exit 1
	"$net_python" "$bench/peer_parse.py" "$file" "$slow_rounds" \
	    "${@:3}" >"$DIR/$kind.stem"
	case $? in
	0) ;;
	77) bench_without "python3-stem (apt-get install python3-stem)" ;;
	*) exit 1 ;;
	esac
	# It does not read entries.
	if [ -n "$go" ] && [ $# = 2 ]; then
		"$go" "$file" "$slow_rounds" >"$DIR/$kind.bine" || exit 1
		same "$DIR/$kind.ours" "$DIR/$kind.bine" || exit 1
	fi
	same "$DIR/$kind.ours" "$DIR/$kind.stem" || exit 1
}

# show: the rows of the table.
show()
{
	local args=() kind name
	for kind in session ns entries; do
		for name in ours stem bine; do
			[ -e "$DIR/$kind.$name" ] || echo null >"$DIR/$kind.$name"
			args+=(--slurpfile "${kind}_$name" "$DIR/$kind.$name")
		done
	done
	jq -rn "${args[@]}" --argjson session "$(stat -c %s "$DIR/session")" \
	    --argjson ns "$(stat -c %s "$DIR/ns")" '
	    def short: if . >= 100 then round elif . >= 10 then . * 10 |
		round / 10 else . * 100 | round / 100 end;
	    def cell: if . == null then "-" else short end;
	    def row(text; a; b; c; f): "| \(text) | \([a[0], b[0], c[0]] |
		map(if . then f else null end) as [$a, $b, $c] |
		"\($a | cell) | \($b | cell) | " +
		"\(if $b then $a / $b | short else "-" end) | " +
		"\($c | cell) | \(if $c then $a / $c | short else "-" end)") |";
	    row("the session, MB a second"; $session_ours; $session_stem;
		$session_bine; $session / .us),
	    row("... messages a second"; $session_ours; $session_stem;
		$session_bine; .messages / .us * 1e6),
	    row("ns/all as one message, MB a second"; $ns_ours; $ns_stem;
		$ns_bine; $ns / .us),
	    row("ns/all and its entries, MB a second"; $entries_ours;
		$entries_stem; $entries_bine; $ns / .us),
	    row("most memory for ns/all (RSS), MB"; $ns_ours; $ns_stem;
		$ns_bine; .rss_kb / 1000)'
}

it_begin --no-tor
net_tor_start --no-wait || exit 1
"$net_python" "$bench/record.py" "$DIR/tor/control/socket" \
    "$DIR/tor/control/cookie" "$seconds" "$relays" "$DIR/session" \
    "$DIR/ns" || exit 1
go=$DIR/bine
bine "$go" || {
	go=
	echo "left out: bine (apt-get install golang-go" \
	    "golang-github-cretz-bine-dev)" >&2
}
measure session "$DIR/session"
measure ns "$DIR/ns"
measure entries "$DIR/ns" ns

cat <<END
# Reading what Tor says

\`make bench-parse\`: octets to messages, and events to values, from one recording of a real Tor: its bootstrap, then all events and the
engine's questions for $seconds s ($(jq .messages "$DIR/session.ours") messages, $(jq .events "$DIR/session.ours") of them events); and one answer to GETINFO ns/all, of $relays relays.
Medians of $rounds rounds of ours and $slow_rounds of the others, which found the same. $(bench_machine),
$(bench_tor), python3-stem $(bench_version python3-stem), bine $(bench_version golang-github-cretz-bine-dev)${go:+ with $(go version | cut -d ' ' -f 3)}.

| | ours | stem | ours to stem | bine | ours to bine |
|---|---|---|---|---|---|
END
show
bench_notes parse
exit 0
