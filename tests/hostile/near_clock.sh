#!/bin/bash
# Clocks that jump, and a machine that sleeps: by an object that is loaded
# into our programs and moves what they read; the machine's own clocks are
# left alone.  What was proven before a sleep never opens behind it.
# NEAR_FULL=1: each of them alone, too, and all of them stopped.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
ldd "$it_build/portcullisd" | grep -q libasan &&
    it_skip "a sanitizer wants to be loaded first"
it_begin
SLEEP_S=70
LIB=$DIR/lib

near_libexec()
{
	local program
	mkdir -p "$LIB/real" && cp "$it_build/near_shift.so" "$LIB/" || return 1
	for program in engine status resolver; do
		cp "$it_build/near_env" "$LIB/portcullis-$program" &&
		    cp "$it_build/portcullis-$program" "$LIB/real/" || return 1
	done
	# Loaded into keeper and gate, with the role of the former at first.
	shift_clock all real 0
}
# shift_clock ROLE|all real|boot SECONDS
shift_clock()
{
	"$it_build/near_env" "$LIB/page" "$@"
}
near_start()
{
	net_spawn portcullisd gateway env LD_PRELOAD="$LIB/near_shift.so" \
	    NEAR_SHIFT_PAGE="$LIB/page" "$it_build/portcullisd" \
	    --libexec-dir "$LIB" -f "$DIR/portcullis.conf"
}
lease_held()
{
	net_in gateway nft list set inet portcullis gate 2>/dev/null |
	    grep -q elements
}
lease_gone() { ! lease_held; }
stays_closed() # SECONDS
{
	local end=$(($(net_clock) + $1 * 100))
	while [ "$(net_clock)" -lt "$end" ]; do
		lease_gone || return 1
		sleep 0.05
	done
}
closes() { it_field .firewall.closes; }
# The time of a fresh line, as the year.
year_is() { [ "$(it_field .time | cut -c 1-4)" = "$1" ]; }
more_closes() { [ "$(closes)" -gt "$1" ]; }
same_processes()
{
	[ "$family" = "$(it_pid gate) $(it_pid engine) $(it_pid status)" ]
}

it_need "our programs are ready" near_libexec
near_start
it_need "opens" it_wait_for open 60
family="$(it_pid gate) $(it_pid engine) $(it_pid status)"

echo "# the time of day"
before=$(closes)
shift_clock status real $((10 * 366 * 86400))
year=$(($(date -u +%Y) + 10))
it_check "status tells another year (positive control)" net_wait 10 year_is \
    $year
jumps="3600 -3600 86400 -86400 315360000 -315360000 1 -1 0"
roles=all
[ -z "${NEAR_FULL:-}" ] || roles="all engine gate status keeper"
for role in $roles; do
	for seconds in $jumps; do
		shift_clock $role real "$seconds"
		sleep 0.15
	done
done
it_check "it jumps by hours and years: nothing closes" [ "$(closes)" = \
    "$before" ]
it_check "and it is open" lease_held
it_check "the same processes" same_processes

echo "# a sleep"
# The kernel's lease stands still in a sleep: it is there at the resume.
before=$(closes)
epoch=$(it_field .firewall.epoch)
boot=$SLEEP_S
shift_clock all boot $boot
it_check "$boot s later: it closes" net_wait 5 more_closes "$before"
it_check "it opens by new proofs" it_wait_for open 30
it_check "in a new epoch" [ "$(it_field .firewall.epoch)" != "$epoch" ]
it_check "the same processes, still" same_processes

echo "# a sleep, and Tor does not wake up"
tor=$(net_pid tor)
kill -STOP "$tor"
boot=$((boot + SLEEP_S))
shift_clock all boot $boot
it_check "it closes" net_wait 5 lease_gone
it_check "what was proven before opens nothing" stays_closed 3
kill -CONT "$tor"
it_check "Tor answers: opens" it_wait_for open 30

[ -n "${NEAR_FULL:-}" ] || it_end
echo "# everything stands still, for longer than the lease"
before=$(closes)
read -ra pids < <(it_family | tr '\n' ' ')
kill -STOP "${pids[@]}" "$tor"
it_check "the lease ends by itself" net_wait 3 lease_gone
boot=$((boot + SLEEP_S))
shift_clock all boot $boot
kill -CONT "${pids[@]}"
it_check "all but Tor go on: closed" stays_closed 2
kill -CONT "$tor"
it_check "Tor, too: opens" it_wait_for open 30
it_check "the close was counted" more_closes "$before"

echo "# one of them alone has another time"
boot=$((boot + SLEEP_S))
shift_clock gate boot $boot
it_check "proofs are old to the gate: closes" net_wait 5 lease_gone
it_check "and stays so" stays_closed 3
shift_clock all boot $boot
it_check "all agree: opens" it_wait_for open 60
boot=$((boot + SLEEP_S))
shift_clock engine boot $boot
it_check "proofs are of the future to the gate: closes" net_wait 5 lease_gone
it_check "and stays closed" stays_closed 3
shift_clock all boot $boot
it_check "all agree again: opens" it_wait_for open 60
it_check "a page comes through" it_retry 20 it_fetch trans4
it_end
