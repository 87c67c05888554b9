# shellcheck shell=bash
# What portcullisd's processes do while nothing happens.  Sourced after
# lib.bash.

# descend PID: it and its children, each by name.
descend()
{
	local child
	echo "$1"
	for child in $(cat "/proc/$1/task/"*/children); do
		descend "$child"
	done
}

# "PID NAME" of each of ours.
processes()
{
	local pid
	for pid in $(descend "$(net_pid portcullisd)"); do
		case $(cat "/proc/$pid/comm") in
		portcullisd) echo "$pid keeper" ;;
		portcullis-gate) echo "$pid gate" ;;
		portcullis-purg*) echo "$pid purge" ;;
		portcullis-engi*) echo "$pid engine" ;;
		portcullis-stat*) echo "$pid status" ;;
		portcullis-reso*) echo "$pid resolver" ;;
		*) echo "$pid another" ;;
		esac
	done
}

# counters PID: nanoseconds on a CPU, times it went to sleep.
counters()
{
	cat "/proc/$1/task/"*/schedstat "/proc/$1/task/"*/status | awk '
	    /^[0-9]+ [0-9]+ [0-9]+$/ { ns += $1 }
	    /^voluntary_ctxt_switches:/ { n += $2 }
	    END { printf "%.0f %d\n", ns, n }'
}

all_counters()
{
	local pid name
	while read -r pid name; do
		echo "$pid $name $(counters "$pid")"
	done <"$DIR/processes"
}

# memory PID: PSS, RSS, what of it is private, in kB.
memory()
{
	awk '/^Pss:/ { pss = $2 } /^Rss:/ { rss = $2 }
	    /^Private_(Clean|Dirty):/ { own += $2 }
	    END { print pss, rss, own }' "/proc/$1/smaps_rollup"
}
