#!/bin/sh
# systemcheck reports journal lines that have one of its alarm words.  What we
# log in the ordinary course of things has none: neither the format strings of
# log_info(), nor the words that are put into them, which an ordinary run
# shows (tests/it/open.sh).
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

# Each log_info( up to its semicolon, its string literals joined.
formats()
{
	find "$1/supervisor" -name '*.c' -exec awk '
	    /log_info\(/ { call = ""; inside = 1; at = FILENAME ":" FNR }
	    inside { call = call " " $0 }
	    inside && /;/ {
		text = ""
		while (match(call, /"([^"\\]|\\.)*"/)) {
			text = text substr(call, RSTART + 1, RLENGTH - 2)
			call = substr(call, RSTART + RLENGTH)
		}
		print at ": " text
		inside = 0
	    }' {} +
}

# clean FILE: no line of it would be reported.
clean()
{
	! sh "$top_srcdir/tests/style/alarm_words.sh" <"$1"
}

check()
{
	formats "$1" | sed 's/^[^:]*:[0-9]*: //' >"$tmp/formats"
	clean "$tmp/formats"
}

# sample TEXT: a tree with that log line.
sample()
{
	mkdir -p "$tmp/tree/supervisor"
	printf 'void f(void)\n{\n\tlog_info("all is "\n\t    "%s",\n\t    "");\n}\n' \
	    "$1" >"$tmp/tree/supervisor/a.c"
}

sample 'well'
must_pass "a line without alarm" check "$tmp/tree"
for word in 'a Warning' 'failed' 'an error' 'by default' 'debug' Killed; do
	sample "$word"
	must_fail "a line with $word" check "$tmp/tree"
done

check "$top_srcdir" || exit 1
[ "$(wc -l <"$tmp/formats")" -ge 15 ] || {
	echo "only $(wc -l <"$tmp/formats") calls of log_info() were found"
	exit 1
}
