#!/bin/bash
# A storm of faults over a gateway under fire, and what leaks in it.
#
#	storm.sh		a short one
#	STORM_SEED=7		the faults and times of that number, again
#	STORM_ROUNDS=200	so many faults
#	STORM_SECONDS=600	for so long
#	STORM_EACH=1000		on, until each of STORM_FAULTS came so often
#	STORM_FAULTS="flush kill_gate"	only these; see faults.bash
#	STORM_BRISK=1		one upon the other, without a moment to settle
#	STORM_RATE=20000	packets per second from the workstation
#
# The kernel forwards at times, and somebody's rules accept everything: what
# of the workstation's or of a gateway user's packets arrives on the clear side
# has passed all of our barriers.
#
# A double fault is a flush while no keeper is there, or none that has come to
# claim the tables: nothing in the kernel keeps them then, and the gateway's own
# programs get out until the next keeper stands.  That is counted, and told, for
# itself; of the workstation's packets nothing may get out even then, as the
# routing barrier is no table.  Who held what when is the kernel's word.
#
# The faults and their order follow from the
# seed; what they meet, on a machine with a scheduler, does not quite.
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/chaos/faults.bash
. "$top_srcdir/tests/chaos/faults.bash"
# shellcheck source=tests/it/whonix_shape.bash
. "$top_srcdir/tests/it/whonix_shape.bash"

storm_seed=${STORM_SEED:-$((SRANDOM % 32768))}
storm_rounds=${STORM_ROUNDS:-25}
storm_seconds=${STORM_SECONDS:-0}
storm_each=${STORM_EACH:-0}
storm_rate=${STORM_RATE:-20000}
read -ra storm_only <<<"${STORM_FAULTS:-${STORM_ALL[*]}}"
storm_jobs=()
declare -A storm_count=()

# What a gateway user sends beside the workstation's packets, per second.
USER_RATE=1000
NOBODY=65534

# storm_pid gate|engine|status: children of the keeper, by name.
storm_pid()
{
	local keeper pid
	keeper=$(net_pid portcullisd) || return 1
	for pid in $(cat "/proc/$keeper/task/$keeper/children"); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		"portcullis-$1" | "portcullis-${1:0:4}"*)
			echo "$pid"
			return 0 ;;
		esac
	done
	return 1
}

# --- the guns and the judges -----------------------------------------------

# gun NAME NAMESPACE COMMAND...: what cannot be sent at all counts as fired.
gun()
{
	net_spawn "gun-$1" "${@:2}"
}

judge()
{
	net_spawn "judge-$1" internet "$it_build/pktool" sink -t "storm-$1" \
	    -i inet0 -v
	net_wait 5 grep -q ready "$DIR/log/judge-$1"
}

storm_judges="ws4 ws6 root user"

storm_fire()
{
	local name pk=$it_build/pktool
	for name in $storm_judges; do
		judge "$name" || return 1
	done
	gun ws4 workstation "$pk" blast -t storm-ws4 -r "$storm_rate" \
	    "$NET_WEB4" 4444
	gun ws6 workstation "$pk" blast -t storm-ws6 -r "$USER_RATE" \
	    "$NET_WEB6" 4444
	gun root gateway "$pk" blast -t storm-root -r "$USER_RATE" \
	    "$NET_WEB4" 4444
	gun user gateway setpriv --reuid $NOBODY --regid $NOBODY \
	    --clear-groups "$pk" blast -t storm-user -r "$USER_RATE" \
	    "$NET_WEB4" 4444
}

storm_cease()
{
	local name
	for name in $storm_judges; do
		net_stop "gun-$name" # its last words come before its end
	done
	for name in $storm_judges; do
		kill -TERM "$(net_pid "judge-$name")" 2>/dev/null
		net_wait 5 net_dead "judge-$name"
		rm -f "$DIR/pids/judge-$name"
	done
}

# How many frames of gun $1 arrived: the judge's word, or nothing.
storm_leaked()
{
	sed -n 's/^count=\([0-9]*\) .*/\1/p' "$DIR/log/judge-$1"
}

# The same of what it sent, and tried to send.
storm_fired()
{
	sed -n 's/^sent=\([0-9]*\) failed=\([0-9]*\) .*/\1 \2/p' \
	    "$DIR/log/gun-$1" | awk '{ print $1 + $2 }'
}

# --- the storm -------------------------------------------------------------

# storm_note WORD: a fault, or with "=" what else a judge of leaks must know.
storm_note()
{
	storm_now=$("$it_build/pktool" now)
	echo "$storm_now $1" >>"$DIR/storm.log"
}

storm_fault()
{
	storm_note "$1"
	"fault_$1" >>"$DIR/log/faults" 2>&1
	storm_count[$1]=$((${storm_count[$1]:-0} + 1))
}

storm_enough()
{
	local fault
	if [ "$storm_seconds" != 0 ]; then
		[ $((SECONDS - began)) -ge "$storm_seconds" ]
		return
	fi
	if [ "$storm_each" = 0 ]; then
		[ "$1" -ge "$storm_rounds" ]
		return
	fi
	for fault in "${storm_only[@]}"; do
		[ "${storm_count[$fault]:-0}" -ge "$storm_each" ] || return 1
	done
}

# Once in four times the next one comes at once, else when the gate has had a
# moment; now and then it is waited for until the gate is open again, so that
# there is something to close.
storm_pause()
{
	if [ -n "${STORM_BRISK:-}" ]; then
		[ $((RANDOM % 3)) = 0 ] || return
		draw 0 3
		sleep "$storm_time"
		return
	fi
	case $((RANDOM % 8)) in
	0 | 1) ;;
	2) it_wait_for open 30 ;;
	*)
		draw 1 60
		sleep "$storm_time" ;;
	esac
}

storm_run()
{
	local round=0
	RANDOM=$storm_seed
	until storm_enough $round; do
		pick "${storm_only[@]}"
		storm_fault "$storm_word"
		storm_pause
		net_dead portcullisd && storm_start
		round=$((round + 1))
	done
}

# Everything back as it was, for the last question: does it recover?
storm_calm()
{
	[ ${#storm_jobs[@]} = 0 ] || wait "${storm_jobs[@]}"
	net_in gateway nft delete table inet storm 2>/dev/null
	storm_shape shape_delete
	storm_outside_up
	storm_inside_up
	net_dead tor && storm_tor_again
	net_dead portcullisd && storm_start
	it_wait_for open 120
}

# storm_windows [JUDGE]: to a file of that name, or "tables".
storm_windows()
{
	python3 "$top_srcdir/tests/chaos/windows.py" "$DIR/storm.log" \
	    "$DIR/log/tables" ${1:+"$DIR/log/judge-$1"} \
	    >"$DIR/windows-${1:-tables}"
}

# storm_number taken|held|double [JUDGE]: as windows.py counted.
storm_number()
{
	sed -n "s/^\(.* \)\?$1=\([0-9]*\).*/\2/p" "$DIR/windows-${2:-tables}"
}

storm_report()
{
	local name fault
	storm_windows
	sed 's/^/   /' "$DIR/windows-tables"
	for fault in "${storm_only[@]}"; do
		printf '   %5d x %s\n' "${storm_count[$fault]:-0}" "$fault"
	done
	for name in $storm_judges; do
		printf '   %-5s fired %9d  leaked %s\n' "$name" \
		    "$(storm_fired "$name")" "$(storm_leaked "$name")"
		storm_windows "$name"
		sed 's/^/   /' "$DIR/windows-$name"
	done
}

it_begin
echo "# STORM_SEED=$storm_seed"
net_spawn tables gateway python3 "$top_srcdir/tests/chaos/tables.py"
net_wait 5 grep -q ready "$DIR/log/tables"
it_start
it_need "opens" it_wait_for open 60
it_need "the guns fire" storm_fire
began=$SECONDS
storm_run
took=$((SECONDS - began))
it_check "recovers after the storm" storm_calm
it_check "and carries traffic" it_retry 60 it_fetch trans4
storm_cease
storm_report
for name in $storm_judges; do
	it_check "$name's gun fired" [ "$(storm_fired "$name")" -gt 1000 ]
done
it_check "no flush takes a table from a living keeper" \
    [ "$(storm_number taken)" = 0 ]
for name in ws4 ws6; do
	it_check "nothing of $name's arrived outside" \
	    [ "$(storm_leaked "$name")" = 0 ]
done
# What the judge counted is what windows.py has judged.
for name in root user; do
	double=$(storm_number double "$name")
	it_check "nor of $name's while a keeper held the tables" \
	    [ "$(storm_number held "$name")" = 0 -a \
	    "$(storm_leaked "$name")" = "$double" ]
	[ "$double" = 0 ] || echo "   $double of $name's in double faults"
done
rate=$(($(storm_fired ws4) / (took + 1)))
echo "   $took s, $rate packets/s from the workstation"

it_stop
net_in gateway "$it_build/portcullisd" --remove-rules >/dev/null
net_forward on
rm -f "$DIR/log/judge-"* "$DIR/log/gun-"*
it_need "the guns fire once more" storm_fire
sleep 2
storm_cease
for name in $storm_judges; do
	it_check "without our barriers $name's arrive (positive control)" \
	    [ "$(storm_leaked "$name")" -gt 100 ]
done
it_end
