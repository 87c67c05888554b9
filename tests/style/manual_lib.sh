#!/bin/sh
# libcontrolproto(3) has each function of the headers that are installed, each
# error and each set of limits, and no other.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

page=$top_srcdir/controlproto/libcontrolproto.3
LC_ALL=C
export LC_ALL

# What automake installs.
headers=$(sed -n '/^controlproto_HEADERS/,/[^\\]$/p' \
    "$top_srcdir/controlproto/local.am" | grep -o 'controlproto/[a-z_]*\.h')
[ -n "$headers" ] || { echo "no headers found"; exit 1; }

# Declarations without comments and bodies: a name before "(", or an object.
declared()
{
	for header in $headers; do
		echo "$header"
		"${CC:-cc}" -E -P -fpreprocessed "$top_srcdir/$header" |
		    grep -v '^#' | grep -o 'cp_[a-z0-9_]*(\|cp_limits_[a-z]*;\|CP_ERR_[A-Z_]*'
	done | tr -d '(;' | sort -u
}

# What the synopsis declares, and the list of errors.
told()
{
	sed -n -e 's/^\.In //p' \
	    -e 's/^\.F[no] \(cp_[a-z0-9_]*\) .*/\1/p' \
	    -e 's/^\.Fo \(cp_[a-z0-9_]*\)$/\1/p' \
	    -e 's/^\.Vt .*\(cp_limits_[a-z]*\) ;$/\1/p' \
	    -e 's/^\.It Dv \(CP_ERR_[A-Z_]*\)$/\1/p' "$1" | sort -u
}

same()
{
	told "$1" >"$tmp/told"
	diff "$tmp/declared" "$tmp/told" >"$tmp/diff" && return
	echo "$1 (>: told there, <: what there is):"
	cat "$tmp/diff"
	return 1
}

declared >"$tmp/declared"
for line in '^\.Fo cp_reply_getinfo$' '^\.It Dv CP_ERR_KEY$' \
    '^\.In controlproto/ns\.h$' '^\.Vt .*cp_limits_relays'; do
	sed "\\|$line|d" "$page" >"$tmp/bad.3"
	must_fail "a page without $line" same "$tmp/bad.3"
done
sed 's/^\.Fn cp_cmd_quit /.Fn cp_cmd_halt /' "$page" >"$tmp/bad.3"
must_fail "a page with another function" same "$tmp/bad.3"
same "$page"
