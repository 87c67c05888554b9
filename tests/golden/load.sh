#!/bin/sh
# Does the kernel take the rules that we print?  In a network namespace that
# lives as long as this script; skipped where there can be none.
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
check=$top_builddir/tests/golden/polcheck

if [ "${1:-}" != --inside ]; then
	command -v nft >/dev/null && command -v ip >/dev/null || exit 77
	how=-n
	unshare -n true 2>/dev/null || how=-rn
	unshare $how nft list ruleset >/dev/null 2>&1 || exit 77
	exec unshare $how sh "$0" --inside
fi

rules=$(mktemp) && whonix=$(mktemp) && all=$(mktemp) || exit 99
trap 'rm -f "$rules" "$whonix" "$all"' EXIT

# devices FILE: those that its netdev chains name.
devices()
{
	sed -n 's/.* device "\([^"]*\)".*/\1/p' "$1" | sort -u |
	    while read -r name; do
		ip link show "$name" >/dev/null 2>&1 && continue
		ip link add "$name" type veth peer name "p$name" || exit 77
		ip link set "$name" up || exit 99
	done
}

# load NAME: the rules in $rules, twice: the second replaces the first.
load()
{
	nft -c -f "$rules" && nft -f "$rules" && nft -f "$rules" && return
	echo "the kernel does not take $1" >&2
	exit 1
}

# route NAME: the commands in $rules, each of which must leave its rule.
route()
{
	if ! sh -e "$rules"; then
		echo "ip does not take the routing rules of $1" >&2
		exit 1
	fi
	there=$(ip -4 rule list | grep -c 'proto 80')
	there=$((there + $(ip -6 rule list | grep -c 'proto 80')))
	if [ "$there" != "$(wc -l <"$rules")" ]; then
		echo "$1: $there routing rules came of $(wc -l <"$rules")" >&2
		exit 1
	fi
	for family in -4 -6; do
		while ip $family rule delete protocol 80 2>/dev/null; do
			:
		done
	done
}

cd "$top_srcdir/tests/golden" || exit 99
# The largest, with users who exist everywhere.
{
	cat "$top_srcdir/policy/whonix-gateway.conf"
	echo "tor { user = 101 }"
	echo "users { gate = 102 engine = 103 status = 104 }"
} >"$whonix" || exit 99
for conf in *.conf "$whonix"; do
	[ "$conf" = wrong.conf ] && continue
	"$check" "$conf" -v >"$all" || exit 1
	for position in $(sed -n 's/^# position //p' "$all"); do
		"$check" "$conf" "$position" >"$rules" || exit 1
		load "$conf $position"
	done
	# A namespace of one user knows no others.
	sed -n '/^ip /p' "$all" |
	    if grep -q 4294967295 /proc/self/uid_map; then
		cat
	    else
		grep -v uidrange
	    fi >"$rules"
	route "$conf"
	sed -n '/^table netdev/,/^}/p' "$all" >"$rules"
	devices "$rules" || exit
	load "$conf netdev"
	tables=$(nft list tables | grep -c portcullis)
	if [ "$tables" != 4 ]; then
		echo "$conf: $tables tables, not 4" >&2
		exit 1
	fi
	nft flush ruleset || exit 99
done
exit 0
