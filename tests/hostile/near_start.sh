#!/bin/bash
# While portcullisd starts, calls are made to fail: its own, or those of one
# of the processes that it starts, all of one name.  Tor is stopped, so that
# nothing can be proven, and nothing ever opens.  Whatever comes of it is told;
# what cannot start ends with its code and leaves no process behind; what can
# goes on, and opens when Tor answers.  By "make neighbours": NEAR_FULL=1 is
# every call, not some.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
INJECT=$it_build/near_inject
"$INJECT" >/dev/null
[ $? != 77 ] || it_skip "calls cannot be made to fail on this machine"
it_begin
sed -i "s/^\([[:blank:]]*\)status = .*/&\n\1resolver = 64004/" \
    "$DIR/portcullis.conf"
echo 'resolver { address = "198.18.0.53" }' >>"$DIR/portcullis.conf"
tor=$(net_pid tor)
BLOW_MS=1200
# By the order in which the keeper forks them.
WHO=(keeper gate status engine resolver)
SOME="openat clone mmap brk socket sendmsg memfd_create execveat socketpair
    seccomp poll setresuid"
# Nobody can refuse these, or nobody looks; without the first two libraries
# abort, and without write(2) nothing can be told.
DULL="futex rt_sigprocmask write arch_prctl set_tid_address rseq set_robust_list exit_group
    rt_sigreturn getuid geteuid getgid getegid getpid getppid time"

ours() # the pids of ours there are, of whatever parent
{
	local pid
	for pid in $(ip netns pids "$(net_ns gateway)"); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		portcullis*) echo "$pid" ;;
		esac
	done
}
none_left() { [ -z "$(ours)" ]; }
keeper_pid()
{
	local pid
	for pid in $(ours); do
		[ "$(cat "/proc/$pid/comm")" = portcullisd ] || continue
		echo "$pid"
		return 0
	done
	return 1
}
lease_held()
{
	net_in gateway nft list set inet portcullis gate 2>/dev/null |
	    grep -q elements
}
said() { grep -q "$1" "$DIR/log/injected"; }
ended_or_let_go() { said '^let go' || said '^ended'; }

# injected WHO OPTION...: a start.
injected()
{
	local n=$1 follow
	shift
	# The keeper's own from there on; before, it is being linked.
	follow=(-a close_range)
	[ "$n" = 0 ] || follow=(-f "$n")
	: >"$DIR/log/injected"
	net_spawn injected gateway "$INJECT" "${follow[@]}" "$@" \
	    -- "$it_build/portcullisd" --libexec-dir "$it_build" -f \
	    "$DIR/portcullis.conf"
}
stop_all()
{
	local pid
	pid=$(keeper_pid) && kill -TERM "$pid"
	if ! net_wait 6 none_left; then
		for pid in $(ours); do kill -KILL "$pid"; done
		return 1
	fi
	net_wait 5 net_dead injected
}
trap 'stop_all; it_cleanup' EXIT # what is started here has no pid file
closed_and_told()
{
	it_field_is .position closed && it_table inet portcullis
}
# What came of it: told, and either ended with its code, or closed for good.
judge()
{
	local code
	if net_wait 2 said '^exit' || said '^signal'; then
		code=$(sed -n 's/^exit //p' "$DIR/log/injected")
		CAME=exit-${code:-signal}
		case $code in
		2) said '^/.*: .' || CAME=$CAME-untold ;; # the policy
		1) said 'portcullisd.*: .' || CAME=$CAME-untold ;;
		*) CAME=$CAME-BAD ;;
		esac
		net_wait 3 none_left || CAME=$CAME-ORPHANS
		return
	fi
	CAME=goes-on
	net_wait 12 closed_and_told || CAME=$CAME-BAD
}

# one WHO CALL ERROR
one()
{
	injected "$1" -c "$2" -e "$3" -m kind -t $BLOW_MS
	net_wait 10 ended_or_let_go
	judge
	stop_all || CAME=$CAME-STUCK
	HIT=$(sed -n 's/^hit [a-z0-9_]* //p' "$DIR/log/injected")
	echo "${WHO[$1]} $2 $3 ${HIT:-0} $CAME" | tee -a "$DIR/table"
	case $CAME in
	*[A-Z]* | *untold*)
		grep -v '^hit' "$DIR/log/injected" | tail -n 8 | cut -c 1-160
		;;
	esac
}
calls_of() # WHO
{
	injected "$1" -l -t $((3 * BLOW_MS))
	net_wait 10 ended_or_let_go
	stop_all
	sed -n 's/^call //p' "$DIR/log/injected" | sort -u |
	    grep -vxF -f <(tr -s ' \n\t' '\n' <<<"$DULL")
}
watch_lease()
{
	while :; do
		lease_held && echo held
		sleep 0.02
	done >>"$DIR/held" 2>/dev/null
}
rows() { grep -cE "$1" "$DIR/table"; }

: >"$DIR/table"
: >"$DIR/held"
kill -STOP "$tor"
watch_lease &
watcher=$!
for who in "${!WHO[@]}"; do
	calls=$(calls_of "$who")
	it_check "${WHO[$who]} makes calls (positive control)" [ "$(wc -w \
	    <<<"$calls")" -ge 15 ]
	[ -n "${NEAR_FULL:-}" ] || calls=$(grep -xF -f \
	    <(tr -s ' \n\t' '\n' <<<"$SOME") <<<"$calls")
	for call in $calls; do one "$who" "$call" ENOMEM; done
done
it_check "no start opens the gate" [ ! -s "$DIR/held" ]
it_check "what cannot start ends with its code, and says why" [ "$(rows \
    'exit-.*(BAD|untold)')" = 0 ]
it_check "it leaves no process behind" [ "$(rows 'ORPHANS|STUCK')" = 0 ]
it_check "what can start is closed, and tells" [ "$(rows 'goes-on-BAD')" = 0 ]
it_check "most failures were met" [ "$(rows ' 0 [^ ]+$')" -lt \
    $(($(wc -l <"$DIR/table") / 2)) ]
it_check "there are both (positive control)" [ "$(rows exit-)" -ge 5 -a \
    "$(rows goes-on)" -ge 5 ]

kill -CONT "$tor"
for who in "${!WHO[@]}"; do
	injected "$who" -c mmap -k 20 -e ENOMEM -m kind -t $BLOW_MS
	net_wait 10 ended_or_let_go
	net_wait 2 said '^exit' && continue
	it_check "${WHO[$who]} without memory, and then with: opens" \
	    it_wait_for open 60
	stop_all
done
it_check "what watched would have seen it (positive control)" test -s \
    "$DIR/held"
kill "$watcher"
wait "$watcher" 2>/dev/null
it_end
