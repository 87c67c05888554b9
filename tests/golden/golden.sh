#!/bin/sh
# Every policy here against its .ok; --update rewrites those.
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
check=$top_builddir/tests/golden/polcheck
out=$(mktemp) || exit 99
trap 'rm -f "$out"' EXIT
failed=0

cd "$top_srcdir/tests/golden" || exit 99
for conf in *.conf parts/main.conf; do
	ok=${conf%.conf}.ok
	{
		"$check" "$conf" -v 2>&1
		echo "exit $?"
	} >"$out"
	if [ "${1:-}" = --update ]; then
		cp "$out" "$ok" || exit 1
	elif ! diff -u "$ok" "$out"; then
		failed=1
	fi
done

# What is shipped must be right; its users need not exist here.
if ! "$check" "$top_srcdir/supervisor/contrib/portcullis.conf" 2>/dev/null
then
	echo "the shipped example is wrong" >&2
	failed=1
fi

# What -v prints first is a policy, which means the same.
for conf in *.conf ../../policy/whonix-gateway.conf; do
	[ "$conf" != wrong.conf ] || continue
	"$check" "$conf" -v 2>/dev/null | sed '/^# what Tor is told/,$d' \
	    >"$out"
	if [ "$("$check" "$out" -v 2>/dev/null | sed '$d')" != \
	    "$("$check" "$conf" -v 2>/dev/null | sed '$d')" ]; then
		echo "$conf: the canonical policy means something else" >&2
		failed=1
	fi
done
exit $failed
