#!/bin/bash
# Runs benchmarks and puts their sections into RESULTS.md:
#
#   figures.sh resume|again RESULTS.md "NAME ARGUMENT..."...
#
# NAME.sh prints its section; the first line is its heading, by which it is
# found in RESULTS.md.  What fails or cannot be had leaves its old section.
# resume ("make figures"): those that an earlier run of this build folder has
# already made are not made once more, until all are there.  again ("make
# bench-NAME"): only these, whatever there is.
#
# FIGURES_QUICK=1: a few rounds of each, to see that all of it works; what
# comes of it is in tests/bench/figures/quick of the build folder, not in the
# sources.
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
bench=$top_srcdir/tests/bench
out=$top_builddir/tests/bench/figures
declare -A quick=([idle]=2 [close]='3 hold nft gate-kill' [listeners]='1 1'
    [firewall]='1 1 50' [relays]='1 0 1000' [fanout]='200 3' [cli]='3 1'
    [parse]='2 5 200')

# make_section NAME ARGUMENT...: 0, and it is there.  77: cannot be had here.
make_section()
{
	local name=$1 rc
	shift
	echo "bench-$name ..." >&2
	bash "$bench/$name.sh" "$@" >"$out/$name.new"
	rc=$?
	if [ $rc = 0 ] && ! head -n 1 "$out/$name.new" | grep -q '^# '; then
		echo "bench-$name printed no section" >&2
		rc=1
	fi
	[ $rc = 0 ] || return $rc
	mv "$out/$name.new" "$out/$name.md"
}

# In the place of the section with the same heading, or at the end.
put_section()
{
	awk -v file="$1" '
	function put(line) {
		while ((getline line <file) > 0)
			print line
	}
	BEGIN { getline heading <file; close(file) }
	/^# / { skip = $0 == heading
		if (skip && !found) { put(); found = 1; gap = 1; next } }
	skip { next }
	gap { print ""; gap = 0 }
	{ print }
	END { if (!found) { print ""; put() } }' "$2" >"$2.new" &&
	    mv "$2.new" "$2"
}

[ "${1:-}" = put ] && { put_section "$2" "$3"; exit; }
how=$1 results=$2
shift 2
[ -z "${FIGURES_QUICK:-}" ] || out=$out/quick
mkdir -p "$out" || exit 1
if [ -n "${FIGURES_QUICK:-}" ]; then
	cp "$results" "$out/RESULTS.md" || exit 1
	chmod u+w "$out/RESULTS.md"
	results=$out/RESULTS.md
fi
failed=0 absent=0
for section; do
	read -ra words <<<"$section"
	name=${words[0]}
	if [ $how = resume ] && [ -e "$out/$name.md" ]; then
		echo "bench-$name: already made" >&2
		continue
	fi
	[ -z "${FIGURES_QUICK:-}" ] ||
	    read -ra words <<<"$name ${quick[$name]:-}"
	make_section "${words[@]}"
	case $? in
	0) put_section "$out/$name.md" "$results" || failed=1 ;;
	77) absent=1 ;;
	*)
		echo "bench-$name FAILED; its section stays as it was" >&2
		failed=1
		;;
	esac
done
[ $failed = 0 ] || exit 1
[ $absent = 0 ] || echo "some could not be made here" >&2
for section; do rm -f "$out/${section%% *}.md"; done
exit 0
