#!/bin/sh
# portcullis-status(5) explains each field that the schema names, each reason
# code and each bootstrap tag that our programs know, and no other.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

page=$top_srcdir/supervisor/status/portcullis-status.5
schema=$top_srcdir/supervisor/status/status.schema.json
LC_ALL=C
export LC_ALL

# section PAGE TITLE: its lines.
section()
{
	awk -v title="$2" '$1 == ".Sh" {
		sub(/^\.Sh /, "")
		inside = $0 == title
		next
	    }
	    inside' "$1"
}

# The heads of its lists, one name per line.
heads()
{
	section "$1" "$2" |
	    sed -n 's/^\.It \(Va \)\{0,1\}//p' | tr ',' '\n' |
	    sed -n 's/^ *\([^ ]*\) *$/\1/p' | grep . | sort
}

# same PAGE SECTION FILE: what both have, each once.
same()
{
	heads "$1" "$2" >"$tmp/told"
	diff "$3" "$tmp/told" >"$tmp/diff" && [ -s "$tmp/told" ] && return
	echo "$1, $2 (>: told there, <: what there is):"
	cat "$tmp/diff"
	return 1
}

"${PYTHON:-python3}" "$top_srcdir/tests/style/fields.py" "$schema" |
    sort >"$tmp/fields" || exit 1
"$top_builddir/status_words" >"$tmp/words" || exit 1
sed -n 's/^code //p' "$tmp/words" | sort >"$tmp/codes"
sed -n 's/^tag //p' "$tmp/words" | sort >"$tmp/tags"

sed '/^\.It Va tor\.dormant$/d' "$page" >"$tmp/bad.5"
must_fail "a page without a field" same "$tmp/bad.5" "STATUS LINES" \
    "$tmp/fields"
sed 's/^\.It Va hold$/& , guard/' "$page" >"$tmp/bad.5"
must_fail "a page with a field too many" same "$tmp/bad.5" "STATUS LINES" \
    "$tmp/fields"
sed 's/^\.It tor-hung$/.It tor-hangs/' "$page" >"$tmp/bad.5"
must_fail "a page with another code" same "$tmp/bad.5" "REASON CODES" \
    "$tmp/codes"

bad=0
same "$page" "STATUS LINES" "$tmp/fields" || bad=1
same "$page" "REASON CODES" "$tmp/codes" || bad=1
same "$page" "BOOTSTRAP TAGS" "$tmp/tags" || bad=1
exit $bad
