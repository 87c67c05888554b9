#!/bin/bash
# The isolation check: a right table passes; a listener whose flags are older
# than its line is named, though Tor's GETCONF swears that all is well.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor
# As a Tor of everyday has it; a testing network switches it off.
echo "ClientRejectInternalAddresses 1" >"$DIR/tor/torrc.extra"

# check_says EXIT TEXT...: the answer's code, and each TEXT in it.
check_says()
{
	local want=$1 got text
	shift
	it_portcullis check isolation >"$DIR/check" 2>&1
	got=$?
	for text; do
		grep -qF -- "$text" "$DIR/check" || got="$got without '$text'"
	done
	[ "$got" = "$want" ] && return 0
	echo "   exit $got, wanted $want:"
	sed 's/^/   /' "$DIR/check"
	return 1
}

net_tor_start
it_start
it_check "opens" it_wait_for open 60
it_check "a right table is isolated" check_says 0 \
    "9 listeners: every pair isolated; flags in force; 3 of 3 circuits different."
sed 's/^/   /' "$DIR/check"
it_check "stays open" it_wait_for open 1
it_end
