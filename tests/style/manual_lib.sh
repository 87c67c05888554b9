#!/bin/sh
# Each function of the library's installed headers is in libcontrolproto(3),
# and the example there compiles.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

page=$top_srcdir/controlproto/libcontrolproto.3

# Functions that the headers declare and PAGE does not name.
unnamed()
{
	for header in auth cmd conn err event ns reader reply str; do
		grep -o '\bcp_[a-z0-9_]*(' \
		    "$top_srcdir/controlproto/$header.h"
	done | tr -d '(' | sort -u | while read -r name; do
		grep -q "^\.Fn $name\( \|\$\)" "$1" || echo "$name"
	done
}

all_named()
{
	missing=$(unnamed "$1")
	[ -z "$missing" ] && return
	echo "not in $1:" "$missing"
	return 1
}

example()
{
	sed -n '/^#include <stdio.h>/,/^\.Ed/p' "$1" |
		sed '/^\.Ed/d; s/\\e/\\/g' >"$tmp/example.c"
	[ -s "$tmp/example.c" ] &&
	    "${CC:-cc}" -Wall -Werror -fsyntax-only -I"$top_srcdir" \
		"$tmp/example.c"
}

grep -v '^\.Fn cp_conn_next$' "$page" | grep -v '^\.Fn cp_conn_next ' \
    >"$tmp/short.3"
sed 's/cp_conn_authenticated(c);/cp_conn_authenticated();/' "$page" \
    >"$tmp/wrong.3"
must_fail "a page without a function" all_named "$tmp/short.3"
must_fail "a wrong example" example "$tmp/wrong.3"
all_named "$page" && example "$page"
