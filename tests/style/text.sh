#!/bin/sh
# No marks of unfinished work, no damaged white space, no line too long.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

tab=$(printf '\t')
cr=$(printf '\r')

# Our text files; recorded streams and samples are not ours to tidy.
texts()
{
	tree_find "$1" -type f \( -name '*.[ch]' -o -name '*.sh' \
	    -o -name '*.bash' -o -name '*.py' -o -name '*.am' \
	    -o -name '*.awk' -o -name '*.[1-8]' -o -name '*.service' \
	    -o -name '*.md' -o -name '*.in' -o -name net -o -name run \
	    -o -name test -o -name packages -o -name package \) ! -path '*/corpus/*'
	for file in README.md Makefile.am configure.ac; do
		[ -f "$1/$file" ] && echo "$1/$file"
	done
	return 0
}

# complain PATTERN TEXT FILE...: grep must find nothing.
complain()
{
	pattern=$1 text=$2
	shift 2
	if grep -nE "$pattern" /dev/null "$@"; then
		echo "$text"
		bad=1
	fi
}

columns()
{
	awk 'FNR == 1 { fence = 0 }
	    /clang-format off/ { fence = 1 }
	    /clang-format on/ { fence = 0 }
	    {
		width = 0
		for (i = 1; i <= length($0); i++)
			if (substr($0, i, 1) == "\t")
				width += 8 - width % 8
			else
				width++
		if (width > 80 && !fence) {
			print FILENAME ":" FNR ": " width " columns"
			bad = 1
		}
	    }
	    END { exit bad }' /dev/null "$@"
}

check()
{
	bad=0
	files=$(texts "$1")
	# shellcheck disable=SC2046,SC2086 # none of our paths holds a blank
	{
	complain '(^|[^A-Za-z_])(T''ODO|F''IXME|X''XX)([^A-Za-z_]|$)' \
	    "unfinished work" $files
	complain "[ $tab]\$" "white space at the end of a line" $files
	complain " $tab" "a blank before a tab" $files
	complain "$cr" "a carriage return" $files
	complain '^(<{7}|>{7})( |$)' "what a merge left behind" $files
	columns $(tree_find "$1" -name '*.[ch]') || bad=1
	for file in $files; do
		[ -z "$(tail -c 1 "$file")" ] && continue
		echo "$file: no newline at the end"
		bad=1
	done
	}
	return $bad
}

# sample TEXT: a tree of one file with that text.
sample()
{
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/policy"
	# shellcheck disable=SC2059 # the samples are formats
	printf "$1" >"$tmp/tree/policy/a.c"
}

refuse()
{
	sample "$2"
	must_fail "$1" check "$tmp/tree"
}

refuse "unfinished work" '/* X''XX: later */\n'
refuse "a blank at the end" 'int a; \n'
refuse "a blank before a tab" 'int \ta;\n'
refuse "a carriage return" 'int a;\r\n'
refuse "a cut last line" 'int a;'
refuse "a merge's marker" '<<<<<<< HEAD\n'
refuse "81 columns" "$(printf '\\t%073d' 0)\n"
sample "$(printf '\\t%072d' 0)\nmktemp XX''XXXX\n"
must_pass "a tidy file" check "$tmp/tree"

check "$top_srcdir"
