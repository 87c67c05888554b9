#!/bin/sh
# Functions of at most 100 lines and 5 parameters, nested at most 3 deep;
# files of at most 600 lines, headers of at most 250.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

measure()
{
	awk -f "$(dirname "$0")/funclen.awk" "$@"
}

# sample FILE BODY-LINES [PARAMETERS]: one function.
sample()
{
	awk -v n="$2" -v p="${3:-int a}" 'BEGIN {
		print "static int\nf(" p ")\n{"
		for (i = 2; i < n; i++)
			print "\ta++;"
		print "}"
	}' >"$1"
}

sample "$tmp/good.c" 100 "int a, int b, int (*c)(int, int), int d, int e"
must_pass "a function of 100 lines" measure "$tmp/good.c"
sample "$tmp/long.c" 101
must_fail "a function of 101 lines" measure "$tmp/long.c"
sample "$tmp/many.c" 5 "int a, int b, int c,
    int d, int e, int f"
must_fail "six parameters" measure "$tmp/many.c"
printf 'void\nf(void)\n{\n\t\t\t\tif (a)\n\t\t\t\t\tb();\n}\n' >"$tmp/deep.c"
must_fail "a fourth nested block" measure "$tmp/deep.c"
yes '/* */' | head -n 251 >"$tmp/long.h"
must_fail "a header of 251 lines" measure "$tmp/long.h" "$tmp/good.c"
yes '/* */' | head -n 601 >"$tmp/file.c"
must_fail "a file of 601 lines" measure "$tmp/good.c" "$tmp/file.c"

# shellcheck disable=SC2046 # none of our paths holds a blank
measure $(tree_find "$top_srcdir" -name '*.[ch]')
