#!/bin/bash
# Each system call that the gate makes from the request to close on is made to
# fail: alone, with all later ones of its name, with all that come later.  In
# every case the kernel holds the gate closed, at the latest when the lease is
# over, and the gate never says closed before that.  NEAR_FULL=1: each call
# with every error; otherwise those that differ most.
. "${top_srcdir:?}/tests/it/gate.bash"
# Long: what closes soon has been closed, what closes late has only lapsed.
LEASE=3000
INJECT=$BUILD/near_inject
it_begin
"$INJECT" >/dev/null
[ $? != 77 ] || skip "calls cannot be made to fail on this machine"

if [ -n "${NEAR_FULL:-}" ]; then
	ERRORS="ENOMEM EMFILE ENFILE ENOBUFS EINTR EAGAIN EPERM ENOSPC EIO"
else
	ERRORS=ENOBUFS
fi
# Of those that fail alone, without NEAR_FULL: flushing and reading back.
FIRST=8

lease_held()
{
	in_gw nft list set inet portcullis gate 2>/dev/null | grep -q elements
}

ms() # since boot
{
	local up rest
	read -r up rest </proc/uptime
	echo "${up/./}0"
}

wait_until() # MS COMMAND...
{
	local end=$(($(ms) + $1))
	shift
	until "$@"; do
		[ "$(ms)" -lt $end ] || return 1
		sleep 0.01
	done
}

injector_says() { grep -q "$1" "$IT_DIR/inject"; }

inject() # OPTIONS...
{
	"$INJECT" -p "$GATE_PID" "$@" >"$IT_DIR/inject" 2>&1 &
	INJECTOR=$!
	wait_until 3000 injector_says watching
}

# Since there has been an engine the last time; or another one is wanted.
is_dropped()
{
	grep -E '^(engine-dropped|asked-to|done engine)' "$IT_DIR/drv.out" |
	    tail -n 1 | grep -q -v '^done'
}

# A gate that holds the lease, whatever has become of the last one.
again_open()
{
	if [ -n "${DRV_PID:-}" ] && grep -q '^gate-ended' "$IT_DIR/drv.out"; then
		gate_stop
	fi
	if [ -z "${DRV_PID:-}" ]; then
		gate_up || return 1
	elif is_dropped; then
		say engine || return 1
	fi
	say stay open && wait_until 3000 lease_held
}

# What one case came to, in $CAME: closed, given-up, lapsed, or a fault.
came_to()
{
	local begin took said
	begin=$(ms)
	CAME=open
	while [ $(($(ms) - begin)) -lt $((LEASE + 2000)) ]; do
		said=no
		has_heard 'position=closed known=1' && said=yes
		if ! lease_held; then
			took=$(($(ms) - begin))
			CAME=closed
			[ $took -lt $((LEASE / 2)) ] || CAME=lapsed
			return
		fi
		if [ $said = yes ]; then
			CAME=lied
			return
		fi
	done
}

# It was told, unless telling is what failed.
was_told()
{
	injector_says '^hit write' || wait_until 3000 told_since
}

told_since()
{
	tail -n +$((LINES_BEFORE + 1)) "$IT_DIR/drv.err" |
	    grep -q -e 'position=closed' -e 'given up to the kernel' \
	    -e 'cannot wait'
}

# run_case K ERROR MODE: a row of the table.
run_case()
{
	local call
	if ! again_open; then
		echo "$1 $2 $3 ? not-opened" >>"$IT_DIR/table"
		return
	fi
	LINES_BEFORE=$(wc -l <"$IT_DIR/drv.err")
	mark
	inject -k "$1" -e "$2" -m "$3" -a request -t $((LEASE + 2000))
	echo closed >&7
	wait_until 3000 injector_says armed
	came_to
	# What fails once has failed by now; a stubborn one goes on a little.
	sleep 0.05
	kill "$INJECTOR" 2>/dev/null
	wait "$INJECTOR" 2>/dev/null
	call=$(sed -n 's/^hit \([a-z0-9_]*\).*/\1/p' "$IT_DIR/inject" |
	    sort -u | tr '\n' ',')
	if [ -z "$call" ]; then
		CAME=not-reached
	elif ! was_told; then
		CAME=$CAME-untold
	fi
	wait_until 300 has_heard '^gate-ended' && CAME=$CAME-ended
	echo "$1 $2 $3 ${call%,} $CAME" >>"$IT_DIR/table"
}

rows() # AWK-CONDITION: how many rows
{
	awk "$1 { n++ } END { print n + 0 }" "$IT_DIR/table"
}

: >"$IT_DIR/table"
gate_up
check "opens (positive control)" again_open
inject -l -a request -t 200
say closed
wait "$INJECTOR"
# Up to the end of that turn of its loop.
CALLS=$(sed -n 's/^call //p' "$IT_DIR/inject" | sed '/^poll$/q')
N=$(wc -l <<<"$CALLS")
note "a close makes $N calls: $(sort <<<"$CALLS" | uniq -c | xargs)"
check "there are calls that can fail" [ "$N" -ge 8 ]

# Without it the lease would end in three seconds: the ends are two.
check "opens again" again_open
kill -STOP "$GATE_PID"
check "a gate that is stopped has not closed (positive control)" lease_held
CAME=
came_to
check "its lease lapses, and that shows" [ $CAME = lapsed ]
kill -CONT "$GATE_PID"
sleep 0.1

ONCE=$N
[ -n "${NEAR_FULL:-}" ] || [ "$N" -le $FIRST ] || ONCE=$FIRST
for error in $ERRORS; do
	for ((k = 0; k < ONCE; k++)); do
		run_case $k "$error" once
	done
done
if [ -n "${NEAR_FULL:-}" ]; then
	for error in $ERRORS; do
		for ((k = 0; k < N; k++)); do
			run_case $k "$error" kind
			run_case $k "$error" all
		done
	done
else
	# The first of each name, and everything from three points on.
	for k in $(awk '!seen[$0]++ { print NR - 1 }' <<<"$CALLS"); do
		run_case "$k" ENOMEM kind
	done
	for k in 0 4; do run_case $k EIO all; done
fi

note "K ERROR MODE CALLS: what it came to"
sed 's/^/#   /' "$IT_DIR/table"
note "call, error and mode: cases, by what they came to"
awk '{ split($4, c, ","); n[c[1] " " $3 ": " $5]++ }
    END { for (k in n) print "#   " k " " n[k] }' "$IT_DIR/table" | sort
all=$(wc -l <"$IT_DIR/table")
check "all $all were tried" [ "$(rows '$5 ~ /not-opened/')" = 0 ]
check "and most were reached" [ "$(rows '$5 ~ /not-reached/')" -lt \
    $((all / 4)) ]
check "none stayed open" [ "$(rows '$5 ~ /^open/')" = 0 ]
check "none was told to be closed while it was open" \
    [ "$(rows '$5 ~ /^lied/')" = 0 ]
check "one failure alone never makes it wait for the lease" \
    [ "$(rows '$3 == "once" && $5 ~ /^lapsed/')" = 0 ]
check "each was told" [ "$(rows '$5 ~ /untold/')" = 0 ]
check "and opens again in the end" again_open
it_end
