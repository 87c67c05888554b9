#!/bin/sh
# Is the shipped Whonix policy the table beside this, line by line?  The
# flags of a line are compared as a set; the order of the lines is free.
# --print: the table's lines, for other tests; --same POLICY: is it the table?
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
check=$top_builddir/tests/golden/polcheck
conf=$top_srcdir/policy/whonix-gateway.conf
table=$top_srcdir/tests/golden/whonix.table
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0

fail()
{
	echo "$*" >&2
	failed=1
}

# Each line as OPTION ADDRESS FLAG..., with the flags in order.
sort_flags()
{
	awk '{
		n = split($0, word, " ")
		for (i = 4; i <= n; i++)
			for (j = i; j > 3 && word[j] < word[j - 1]; j--) {
				t = word[j]
				word[j] = word[j - 1]
				word[j - 1] = t
			}
		line = word[1]
		for (i = 2; i <= n; i++)
			line = line " " word[i]
		print line
	}' | sort
}

# The table, expanded.
wanted()
{
	awk '
	BEGIN {
		where["-"] = ""
		where["L"] = "127.0.0.1 [::1]"
		where["W"] = "10.152.152.10 [fd19:c33d:88bc::10]"
		where["LW"] = where["L"] " " where["W"]
		long["V6"] = "IPv6Traffic"
		long["DA"] = "IsolateDestAddr"
		long["DP"] = "IsolateDestPort"
	}
	/^#/ || NF == 0 { next }
	{
		flags = ""
		for (i = 4; i <= NF; i++)
			flags = flags " " ($i in long ? long[$i] : $i)
		if (!($3 in where))
			exit 1
		if ($3 == "-")
			print $2 " " $1 flags
		n = split(where[$3], address, " ")
		ports = split($1, port, "-")
		for (i = 1; i <= n; i++)
			for (p = port[1]; p <= port[ports] + 0; p++)
				print $2 " " address[i] ":" p flags
	}' "$1" | sort_flags
}

if [ "${1:-}" = --print ]; then
	wanted "$table"
	exit
fi

# What Tor would be told.
told()
{
	"$check" "$1" -v 2>/dev/null | sed -n '/^SETCONF$/,/^$/p' |
	    sed -n 's/^	\([A-Za-z]*Port\)="\(.*\)"$/\1 \2/p' | sort_flags
}

# same POLICY TABLE: the same lines?  The difference goes to $dir/diff.
same()
{
	told "$1" >"$dir/told"
	wanted "$2" >"$dir/wanted"
	diff "$dir/wanted" "$dir/told" >"$dir/diff"
}

if [ "${1:-}" = --same ]; then
	same "$2" "$table" || {
		cat "$dir/diff"
		exit 1
	}
	exit
fi

# count FILE PATTERN
count()
{
	grep -c -e "$2" "$1"
}

if ! same "$conf" "$table"; then
	cat "$dir/diff"
	fail "the policy is not the table"
fi
for file in told wanted; do
	v4=$(grep -c -v '\[' "$dir/$file")
	counts="$(count "$dir/$file" ^) $v4 $(count "$dir/$file" ^SocksPort)"
	counts="$counts $(count "$dir/$file" ^HTTPTunnelPort)"
	counts="$counts $(count "$dir/$file" ^TransPort)"
	counts="$counts $(count "$dir/$file" ^DNSPort)"
	[ "$counts" = "333 167 165 160 4 4" ] ||
		fail "$file: $counts lines, not 333 167 165 160 4 4"
done
[ "$(wc -l <"$conf")" -lt 120 ] || fail "the policy has 120 lines or more"
"$check" "$conf" >/dev/null 2>&1 || fail "the policy is wrong"

# This test must be able to fail: in either direction, and on one flag.
must_differ()
{
	cmp -s "$1" "$2" && fail "nothing was changed in $2"
	if same "$conf" "$2"; then
		fail "$3: not noticed"
	fi
}
grep -v '^9108' "$table" >"$dir/less"
must_differ "$table" "$dir/less" "a listener that the table lacks"
{ cat "$table"; echo "9112 SocksPort L V6"; } >"$dir/more"
must_differ "$table" "$dir/more" "a listener that the policy lacks"
sed 's/^\(9101.*\) DP$/\1/' "$table" >"$dir/flag"
must_differ "$table" "$dir/flag" "one flag more"
exit $failed
