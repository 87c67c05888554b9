#!/bin/sh
# The fuzz targets at work: "make fuzz", "make fuzz-tally", "make fuzz-merge",
# "make fuzz-refuse".
#
#   run TARGET...     each for FUZZ_SECONDS, from tests/corpus and what was
#                     found before; what is new goes to fuzz-found/NAME/
#   tally             the executions of all runs of this build folder
#   merge TARGET...   write tests/corpus/NAME anew: the named seeds, and the
#                     fewest of the found inputs that reach the same edges
#   refuse PROGRAM... none of them may start in a build for fuzzing
#
# Of libFuzzer's options those in FUZZ_FLAGS come last.
set -eu
: "${top_srcdir:?run me by make fuzz}" "${top_builddir:?}"
cd "$top_builddir"
tally=fuzz-tally.txt
# What an input has freed the next one allocates again: not the kernel's.
MALLOC_TRIM_THRESHOLD_=268435456 MALLOC_MMAP_THRESHOLD_=33554432
export MALLOC_TRIM_THRESHOLD_ MALLOC_MMAP_THRESHOLD_

# Longer ones cost time and find nothing that these do not.
max_len()
{
	case $1 in
	fuzz_engine) echo 200 ;;
	fuzz_line) echo 6144 ;; # one JSON object, all of it
	fuzz_gatemsg | fuzz_namemsg | fuzz_uplink) echo 2048 ;;
	fuzz_policy) echo 4096 ;;
	fuzz_status) echo 160 ;;
	*) echo 600 ;;
	esac
}

# The number behind the last "WORD " or "WORD: " in the log.
last()
{
	tr '\r' '\n' <"$2" | sed -n "s/.*$1:* *\([0-9][0-9]*\).*/\1/p" |
	    tail -n 1
}

# add NAME LOG SECONDS: an execution counts, whatever came of it.
add()
{
	runs=$(last stat::number_of_executed_units "$2")
	[ -n "$runs" ] || runs=$(tr '\r' '\n' <"$2" |
	    sed -n 's/^#\([0-9]*\).*/\1/p' | tail -n 1)
	echo "$1 ${runs:-0} $3 $(last cov "$2")" >>$tally
	echo "$1: ${runs:-0} executions in $3 s," \
	    "$(last cov "$2") edges, $(last ft "$2") features"
}

run_one()
{
	name=${1##*/} dict=$top_srcdir/$1.dict log=fuzz-found/${1##*/}.log
	mkdir -p "fuzz-found/$name"
	set -- "./$1" -print_final_stats=1 -max_total_time="$FUZZ_SECONDS" \
	    -max_len="$(max_len "$name")" -artifact_prefix="fuzz-found/$name-"
	[ ! -f "$dict" ] || set -- "$@" -dict="$dict"
	begin=$(date +%s) rc=0
	# shellcheck disable=SC2086 # words
	"$@" ${FUZZ_FLAGS:-} "fuzz-found/$name" \
	    "$top_srcdir/tests/corpus/$name" >"$log" 2>&1 || rc=$?
	add "$name" "$log" $(($(date +%s) - begin))
	if [ $rc != 0 ]; then
		grep -a -v '^#[0-9]' "$log" | tail -n 60
		echo "$name failed: $top_builddir/$log" >&2
		return 1
	fi
}

run()
{
	grep -q '^FUZZ_MAIN = *$' Makefile || {
		echo "configure with --enable-fuzzing CC=clang first" >&2
		exit 1
	}
	for target; do
		run_one "$target" || exit 1
	done
}

tally()
{
	[ -f $tally ] || : >$tally
	awk '{ runs[$1] += $2; seconds[$1] += $3; if ($4 > cov[$1])
		cov[$1] = $4; all += $2; time += $3 }
	function line(name, n, s, c) {
		printf "%-14s %13d executions %7d s %8d a second %6s\n",
		    name, n, s, s ? n / s : 0, c
	}
	END {
		for (name in runs)
			line(name, runs[name], seconds[name], cov[name])
		line("~ together", all, time, "edges")
	}' $tally | LC_ALL=C sort
}

# Of the committed ones those stay that somebody has given a name.
merge()
{
	for target; do
		name=${target##*/} dir=$top_srcdir/tests/corpus/${target##*/}
		rm -rf "fuzz-found/$name.new"
		mkdir -p "fuzz-found/$name" "fuzz-found/$name.new"
		for file in "$dir"/*; do
			case ${file##*/} in
			*[!0-9a-f]* | ?) cp "$file" "fuzz-found/$name.new" ;;
			esac
		done
		"./$target" -merge=1 -use_counters=0 \
		    -max_len="$(max_len "$name")" "fuzz-found/$name.new" \
		    "$dir" "fuzz-found/$name" >"fuzz-found/$name.log" 2>&1
		rm -r "$dir"
		mv "fuzz-found/$name.new" "$dir"
		echo "$name: $(find "$dir" -type f | wc -l) files"
	done
}

# The gate is started by its driver, which tells of the end.
refuse()
{
	said=refused.$$
	for program; do
		rc=0
		if [ "$program" = gatedrv ]; then
			unshare -rn "./$program" -i a -e b \
			    socks/10.0.0.1/9050 </dev/null >"$said" 2>&1
			! grep -q '^gate-ended exit=1 ' "$said" || rc=1
		else
			"./$program" </dev/null >"$said" 2>&1 || rc=$?
		fi
		if [ $rc != 1 ] || ! grep -q 'built for fuzzing' "$said"; then
			cat "$said"
			echo "$program starts in a build for fuzzing" >&2
			exit 1
		fi
		rm "$said"
	done
}

command=${1:?run, tally, merge or refuse}
shift
"$command" "$@"
