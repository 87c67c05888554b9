#!/bin/bash
# Our table of flags and our reading of port lines against the real Tor, which
# answers 250 to a misspelt flag and drops it.  A Tor by itself, in a network
# namespace with loopback and nothing else.
. "${top_srcdir:?}/tests/it/lib.bash"
if [ "${1:-}" != --inside ]; then
	command -v tor >/dev/null || it_skip "there is no tor"
	unshare -rn true 2>/dev/null || it_skip "no network namespaces here"
	exec unshare -rn bash "$0" --inside
fi

DIR=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-it.XXXXXX") || exit 1
tor=
cleanup()
{
	[ -z "$tor" ] || kill "$tor" 2>/dev/null
	wait
	rm -rf "${DIR:?}"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
ip link set lo up && ip address add 10.1.1.1/32 dev lo || exit 1
mkdir -m 700 "$DIR/sockets" && : >"$DIR/torrc" || exit 1
tor -f "$DIR/torrc" --defaults-torrc "$DIR/torrc" --DataDirectory "$DIR/data" \
    --SocksPort 0 --CookieAuthentication 0 --ControlPort "unix:$DIR/control" \
    >"$DIR/log" 2>&1 &
tor=$!
it_need "Tor runs" net_wait 20 [ -S "$DIR/control" ]

python3 "$it_src/tests/it/flags.py" "$it_build/polask" "$DIR/control" \
    "$DIR/sockets" >"$DIR/said"
rc=$?
cat "$DIR/said"
it_passed=$((it_passed + $(grep -c '^ok: ' "$DIR/said")))
it_failed=$((it_failed + $(grep -c '^FAILED: ' "$DIR/said")))
it_check "everything was asked" [ "$rc $((it_passed + it_failed))" = "0 12" ]
it_end
