#!/bin/bash
# Rule mutants: each generated rule is taken away, weakened or turned round,
# and some packet has to tell; see mutants.py.  In "make check-it" a sample of
# half a minute, another one each day; in "make rule-mutants" all.
#
#   MUTANTS=all              every mutant
#   PORTCULLIS_SEED=NUMBER   this sample again
#   MUTANTS_OUT=PATH         where the table (.txt) and the JSON (.json) go
set -u
build=${top_builddir:-.}
src=$(cd "$(dirname "$0")" && pwd)
skip() { printf '%s\n' "$*"; exit 77; }

[ "$(id -u)" = 0 ] || skip "needs root, for network namespaces"
[ -x "$build/tests/leak/mutate" ] || skip "mutate has not been built"
for tool in ip nft python3 ss; do
	command -v $tool >/dev/null || skip "needs $tool"
done
unshare -n true 2>/dev/null || skip "network namespaces cannot be made here"

out=${MUTANTS_OUT:-$build/tests/leak/out/mutants}
options=()
if [ "${MUTANTS:-}" != all ]; then
	seed=${PORTCULLIS_SEED:-$(date -u +%Y%m%d)}
	printf '# seed %s\n' "$seed"
	options=(--seed "$seed" --seconds 20)
fi
exec python3 "$src/mutants.py" "$build" "$out" "${options[@]}"
