#!/bin/sh
# What each program may not be linked with.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

command -v readelf >/dev/null || exit "$SKIP"

rules='
portcullisd		lib(event|crypto|ssl|jansson|cares)
portcullis-engine	lib(nftnl|nftables|jansson|cares)
portcullis-status	lib(nftnl|nftables|crypto|ssl|mnl|cares)
portcullis-resolver	lib(nftnl|nftables|jansson|mnl)
portcullis-applets	lib(nftnl|nftables|crypto|ssl|event|confuse|mnl|cares|seccomp)
portcullis-applets-tor	lib(nftnl|nftables|event|confuse|mnl|cares|seccomp)
portcullis		lib(nftnl|nftables|crypto|ssl|confuse|mnl|cares|seccomp)
'

# clean PROGRAM PATTERN
clean()
{
	readelf -d "$1" >"$tmp/dynamic" || return 1
	# A static program would need nothing, and tell nothing.
	grep -q 'NEEDED.*libc\.' "$tmp/dynamic" || return 1
	! grep -E "NEEDED.*\[$2" "$tmp/dynamic"
}

# The shell is at hand, and it is linked with the C library.
must_pass "a shell without libnftnl" clean /bin/sh 'libnftnl'
must_fail "a shell with libc" clean /bin/sh 'libc\.'

bad=0 found=0 missing=
while read -r name pattern; do
	[ -n "$name" ] || continue
	file=$top_builddir/$name
	if [ ! -f "$file" ]; then
		missing="$missing $name"
		continue
	fi
	found=1
	if ! clean "$file" "$pattern"; then
		echo "$name must not be linked with those"
		bad=1
	fi
done <<END
$rules
END
[ $found = 1 ] || exit "$SKIP"
if [ -n "$missing" ]; then
	echo "not built:$missing"
	bad=1
fi
exit $bad
