#!/bin/sh
# Manual pages without a warning.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

if command -v mandoc >/dev/null; then
	lint()
	{
		mandoc -T lint -W warning "$1"
	}
elif command -v groff >/dev/null &&
    echo .Dd | groff -mdoc -ww -z >/dev/null 2>&1; then
	lint()
	{
		out=$(groff -mdoc -ww -z "$1" 2>&1) && [ -z "$out" ] && return
		echo "$out"
		return 1
	}
else
	echo "neither mandoc nor groff with mdoc"
	exit "$SKIP"
fi

cat >"$tmp/good.1" <<'END'
.Dd January 1, 2024
.Dt GOOD 1
.Os
.Sh NAME
.Nm good
.Nd a page without fault
.Sh DESCRIPTION
Text.
END
{ cat "$tmp/good.1"; echo ".Bl -tag"; } >"$tmp/bad.1"
must_pass "a good page" lint "$tmp/good.1"
must_fail "a list without end" lint "$tmp/bad.1"

bad=0
for page in $(tree_find "$top_srcdir" -type f -name '*.[1-8]'); do
	lint "$page" || bad=1
done
exit $bad
