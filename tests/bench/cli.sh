#!/bin/bash
# What it costs to ask: cli.sh ROUNDS PEER_ROUNDS, started by "make bench-cli".
# "portcullis status" and the bootstrap applet beside python3-stem asking the
# same, on a private network with a real Tor and an open gate.  Prints a
# section of RESULTS.md.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/bench/lib.bash
. "${top_srcdir:?}/tests/bench/lib.bash"
rounds=$1
peer_rounds=$2
bench=$it_src/tests/bench

# spend ROUNDS CODE PROGRAM...: JSON; the program has to end with CODE.
spend()
{
	local result code=$2
	result=$(net_in gateway "$it_build/spend" "$1" "${@:3}") || exit 1
	[ "$(jq .code <<<"$result")" = "$code" ] || {
		echo "$3 ended with $(jq .code <<<"$result")" >&2
		exit 1
	}
	echo "$result"
}

# row NAME OURS PEER: JSON of both.
row()
{
	jq -rn --argjson a "$2" --argjson b "$3" --arg name "$1" '
	    def r: . * 10 | round / 10;
	    "| \($name) | \($a.median_us / 1000 | r) | " +
	    "\($b.median_us / 1000 | r) | " +
	    "\($b.median_us / $a.median_us | round) | " +
	    "\($a.rss_kb / 1000 | r) | \($b.rss_kb / 1000 | r) | " +
	    "\($b.rss_kb / $a.rss_kb | r) |"'
}

it_begin
it_start
it_wait_for open 60 || exit 1
mkdir -p "$DIR/root/run/tor"
ln -s "$DIR/run" "$DIR/root/run/portcullis"
ln -s "$DIR/tor/control/socket" "$DIR/root/run/tor/control"
applet=("$it_build/portcullis-applets" --root "$DIR/root" --control-port 0)
stem=("$net_python" -Bsu "$bench/peer_ask.py")
if ! "$net_python" -c 'import stem' 2>/dev/null; then
	bench_without "python3-stem (apt-get install python3-stem)"
fi

status=$(spend "$rounds" 0 "$it_build/portcullis" --socket-dir "$DIR/run" \
    status)
bootstrap=$(spend "$rounds" 100 "${applet[@]}" tor-bootstrap-check)
direct=$(spend "$rounds" 100 "${applet[@]}" --socket-dir /nowhere \
    tor-bootstrap-check)
peer_status=$(spend "$peer_rounds" 0 "${stem[@]}" status \
    "$DIR/tor/control/socket")
peer_bootstrap=$(spend "$peer_rounds" 100 "${stem[@]}" bootstrap \
    "$DIR/tor/control/socket")

cat <<END
# Asking

\`make bench-cli\`: a process that asks, from its start to its end, on a private network with a real Tor and the gate open;
$rounds rounds of ours, $peer_rounds of python3-stem's. Medians in milliseconds; the most memory that a run had (RSS) in MB.
$(bench_machine), $(bench_tor), python3-stem $(bench_version python3-stem).

| | ours | stem | ratio | memory | stem | ratio |
|---|---|---|---|---|---|---|
END
row '`portcullis status`, and all that it tells of Tor' "$status" \
    "$peer_status"
row '`tor-bootstrap-check` (goals: 100 and 10)' "$bootstrap" \
    "$peer_bootstrap"
row 'the same without a supervisor: Tor is asked' "$direct" \
    "$peer_bootstrap"
bench_notes cli
exit 0
