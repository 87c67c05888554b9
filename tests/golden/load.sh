#!/bin/sh
# Does the kernel take the rules that we print?  In a network namespace that
# lives as long as this script; skipped where there can be none.
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
check=$top_builddir/tests/golden/polcheck

if [ "${1:-}" != --inside ]; then
	command -v nft >/dev/null && command -v ip >/dev/null || exit 77
	unshare -rn nft list ruleset >/dev/null 2>&1 || exit 77
	exec unshare -rn sh "$0" --inside
fi

rules=$(mktemp) && whonix=$(mktemp) || exit 99
trap 'rm -f "$rules" "$whonix"' EXIT
for name in eth0 eth1 eth2; do
	ip link add "$name" type veth peer name "p$name" || exit 77
	ip link set "$name" up || exit 99
done

# load NAME: the rules in $rules, twice: the second replaces the first.
load()
{
	nft -c -f "$rules" && nft -f "$rules" && nft -f "$rules" && return
	echo "the kernel does not take $1" >&2
	exit 1
}

cd "$top_srcdir/tests/golden" || exit 99
# The largest, with users who exist everywhere.
{
	cat "$top_srcdir/policy/whonix-gateway.conf"
	echo "tor { user = 101 }"
	echo "users { gate = 102 engine = 103 status = 104 }"
} >"$whonix" || exit 99
for conf in gateway.conf strict.conf interfaces.conf "$whonix"; do
	for position in closed tor-only open; do
		"$check" "$conf" "$position" >"$rules" || exit 1
		load "$conf $position"
	done
	"$check" "$conf" -v | sed -n '/^table netdev/,$p' >"$rules"
	load "$conf netdev"
	tables=$(nft list tables | grep -c portcullis)
	if [ "$tables" != 4 ]; then
		echo "$conf: $tables tables, not 4" >&2
		exit 1
	fi
	nft flush ruleset || exit 99
done
exit 0
