#!/bin/bash
# figures.sh puts sections into their places; RESULTS.md has one of each
# benchmark; the README quotes nothing but what is in it.
set -u
: "${top_srcdir:?}"
bench=$top_srcdir/tests/bench
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
export top_builddir=${top_builddir:-.}
python=${PYTHON:-python3}

fail()
{
	echo "FAIL: $*" >&2
	exit 1
}

# put SECTION RESULT: what comes of a file of three.
put()
{
	printf '# A\n\none\n\n# B\n\ntwo\n# no heading of ours? it is\n\n# C\n\n3\n' \
	    >"$tmp/results"
	# shellcheck disable=SC2059
	printf "$1" >"$tmp/section"
	bash "$bench/figures.sh" put "$tmp/section" "$tmp/results"
	# shellcheck disable=SC2059
	printf "$2" | cmp -s - "$tmp/results" || {
		cat "$tmp/results"
		fail "a section is not where it should be"
	}
}

rest='# no heading of ours? it is\n\n# C\n\n3\n'
put '# A\n\nnew\n' "# A\n\nnew\n\n# B\n\ntwo\n$rest"
put '# B\n\nnew\n' "# A\n\none\n\n# B\n\nnew\n\n$rest"
put '# C\n\nnew\nmore\n' \
    "# A\n\none\n\n# B\n\ntwo\n${rest%3*}new\nmore\n"
put '# D\n\nnew\n' "# A\n\none\n\n# B\n\ntwo\n$rest\n# D\n\nnew\n"

for name in idle close listeners firewall relays fanout cli parse; do
	heading=$(grep -h -A 1 '^[[:space:]]*cat <<' "$bench/$name.sh" |
	    sed -n 's/^[[:space:]]*\(# .*\)$/\1/p' | head -n 1)
	[ -n "$heading" ] || fail "$name.sh prints no section"
	grep -q -x -F "$heading" "$bench/RESULTS.md" ||
	    fail "RESULTS.md has no section \"$heading\": make bench-$name"
done

"$python" "$bench/figures.py" "$top_srcdir/README.md" "$bench/RESULTS.md" ||
    fail "README.md quotes what was not measured"
sed 's/| Tor is killed | [0-9.]* ms/| Tor is killed | 7.77 ms/' "$top_srcdir/README.md" >"$tmp/README.md"
! "$python" "$bench/figures.py" "$tmp/README.md" "$bench/RESULTS.md" \
    >/dev/null || fail "a wrong figure in README.md is not seen"
exit 0
