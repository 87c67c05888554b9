#!/bin/sh
# Every line of status.sock is as supervisor/status/status.schema.json has it:
# those of all states that a line can be in, and those that other tests have
# seen of a real portcullis-status and left in $top_builddir/tests/lines.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

schema=$top_srcdir/supervisor/status/status.schema.json
python=${PYTHON:-python3}

"$python" -c 'import jsonschema' 2>/dev/null || {
	echo "python3-jsonschema is not there"
	exit "$SKIP"
}

validate()
{
	"$python" "$top_srcdir/tests/style/schema.py" "$schema" "$@"
}

# spoil SED: a good line with that done to it.
spoil()
{
	sed -n 1p "$tmp/all.json" | sed "$1" >"$tmp/bad.json"
	! cmp -s "$tmp/bad.json" "$tmp/good.json" || {
		echo "self-test: $1 changes nothing" >&2
		exit 99
	}
	must_fail "a line with $1" validate "$tmp/bad.json"
}

"$top_builddir/status_lines" >"$tmp/all.json" || exit 1
sed -n 1p "$tmp/all.json" >"$tmp/good.json"
must_pass "a good line" validate "$tmp/good.json"
: >"$tmp/none.json"
must_fail "no line at all" validate "$tmp/none.json"
spoil 's/"tor":{/&"guard":"x",/'
spoil 's/"hold":null,//'
spoil 's/"usable":"unknown"/"usable":null/'
spoil 's/"position":"unknown"/"position":"open"/'
spoil 's/"history":\[.*\]/"history":null/'
spoil 's/"table":null,*//'
spoil 's/"v":1/"v":2/'

validate "$tmp/all.json" || exit 1

# Taken away, so that what is old is never looked at again.
seen=$top_builddir/tests/lines
[ -d "$seen" ] || exit 0
mv "$seen" "$tmp/seen" || exit 1
set -- "$tmp"/seen/*
[ -e "$1" ] || exit 0
validate "$@"
