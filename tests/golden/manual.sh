#!/bin/sh
# Is every policy that portcullis.conf(5) shows one that we take?  Each is put
# into conf.d beside a small gateway.
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
check=$top_builddir/tests/golden/polcheck
page=$top_srcdir/supervisor/portcullis.conf.5
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0

mkdir "$dir/conf.d" || exit 99
cat >"$dir/main.conf" <<'END' || exit 99
tor { user = 101 control = "unix:/run/tor/control" }
gateway { internal = { "eth1" } external = { "eth0" } }
users { gate = 102 engine = 103 status = 104 }
listener "sdwdate" { kind = "socks" address = "127.0.0.1" port = 9108 }
END

# blocks DIR: every literal block of the page that has a brace, in a file each.
blocks()
{
	awk -v dir="$1" '
	    $1 == ".Bd" && $2 == "-literal" { text = ""; inside = 1; next }
	    $1 == ".Ed" {
		if (inside && text ~ /[{]/) {
			file = dir "/" ++n ".block"
			printf "%s", text >file
			close(file)
		}
		inside = 0
		next
	    }
	    inside { text = text $0 "\n" }' "$page"
}

blocks "$dir"
n=0 whole=0
for block in "$dir"/*.block; do
	n=$((n + 1))
	mv "$block" "$dir/conf.d/manual.conf" || exit 99
	if ! "$check" "$dir/main.conf" >"$dir/out" 2>"$dir/err"; then
		cat "$dir/conf.d/manual.conf" "$dir/err" >&2
		failed=1
	fi
	grep -q '^	control = ' "$dir/conf.d/manual.conf" || continue
	# A whole policy, to be taken by itself, and of use to somebody inside.
	whole=$((whole + 1))
	mv "$dir/conf.d/manual.conf" "$dir/alone.conf" || exit 99
	mv "$dir/conf.d" "$dir/not" || exit 99
	if ! "$check" "$dir/alone.conf" -v >"$dir/out" 2>"$dir/err" ||
	    ! sed -n '/^SETCONF/,/^# position/p' "$dir/out" |
	    grep -E 'Port=' | grep -q -v -E '127\.0\.0\.1|\[::1\]'; then
		echo "by itself this is not a policy for workstations:" >&2
		cat "$dir/alone.conf" "$dir/err" >&2
		failed=1
	fi
	mv "$dir/not" "$dir/conf.d" || exit 99
done
if [ "$whole" -lt 3 ]; then
	echo "only $whole whole policies found in $page" >&2
	failed=1
fi
if [ "$n" -lt 28 ]; then
	echo "only $n policies found in $page" >&2
	failed=1
fi
exit $failed
