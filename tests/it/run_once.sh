#!/bin/bash
# The README's first command, from nothing to a page and back to nothing.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
[ "$(id -u)" = 0 ] || it_skip "network namespaces need root"
unshare -n true 2>/dev/null || it_skip "no network namespaces here"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-once.XXXXXX") || exit 1
chmod 755 "$tmp" # Tor's own user goes through
trap 'rm -rf "$tmp"' EXIT
mkdir -m 755 "$tmp/t"

pages()
{
	[ "$(grep -c "$NET_TOKEN" "$tmp/out")" = "$1" ]
}

TMPDIR=$tmp/t PORTCULLIS_BUILD=$it_build \
    bash "$it_src/scripts/run" --once >"$tmp/out" 2>&1
it_check "run --once ends well" [ $? = 0 ]
it_check "a page came by SOCKS and one by TransPort" pages 2
it_check "it shows the open gate" grep -q "^The gate is open" "$tmp/out"
it_check "it leaves nothing behind" [ -z "$(ls -A "$tmp/t")" ]
it_check "an unknown option is refused" it_not \
    bash "$it_src/scripts/run" --twice 2>/dev/null

# A missing program: said, and still cleaned up.
TMPDIR=$tmp/t PORTCULLIS_BUILD=$tmp \
    bash "$it_src/scripts/run" --once >"$tmp/out" 2>&1
it_check "without programs it fails" [ $? != 0 ]
it_check "and leaves nothing behind" [ -z "$(ls -A "$tmp/t")" ]
[ "$it_failed" = 0 ] || cat "$tmp/out"
it_end
