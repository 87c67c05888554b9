#!/bin/sh
# Lines and branches that the tests reached, for each file and each folder,
# out of a build with --enable-coverage whose tests have run: "make coverage".
# Ends with what is below its floor, if anything is; then it has failed.
set -eu

# The floors: a name's start ("/" at its end: all below it as one), percent of
# lines, percent of branches, and percent of lines of each file in it.
floors='
controlproto/               95  85 90
policy/                     95  85 90
supervisor/                 75  60  0
supervisor/engine/facts.c  100 100  0
supervisor/engine/sm.c     100 100  0
supervisor/gate/core.c     100 100  0
'
: "${top_srcdir:?run me by make coverage}" "${top_builddir:?}"
cd "$top_builddir"
if [ -z "$(find . -name '*.gcda' | head -n 1)" ]; then
	echo "there is nothing to count: configure with --enable-coverage" >&2
	exit 1
fi
# What is compiled twice counts where more of it was reached.
find . -name '*.gcda' -exec gcov -n -b {} + 2>/dev/null |
    awk -F"[:% ']+" -v floors="$floors" '
function take(percent, of) { return percent / 100 * of }
/^File/ {
	# Whatever the way from the build to the sources is.
	match($2, /(controlproto|policy|supervisor)\/([a-z]+\/)?[a-z_]+\.c$/)
	file = RSTART > 0 ? substr($2, RSTART) : ""
}
file != "" && /^Lines executed/ {
	better = !(file in lines) || take($3, $5) > hit[file]
	if (better) { lines[file] = $5; hit[file] = take($3, $5) }
}
file != "" && /^Taken at least once/ && better {
	arms[file] = $7; taken[file] = take($5, $7)
}
function show(name, h, n, t, a) {
	printf "%-34s lines %5.1f %% of %5d  branches %5.1f %% of %5d\n",
	    name, n ? 100 * h / n : 100, n, a ? 100 * t / a : 100, a
}
function below(name, what, h, n, floor) {
	# Percent are given to two digits: half of a line is no line.
	if (n == 0 && floor > 0 || h + 0.5 < floor / 100 * n) {
		printf "~ below its floor: %s: %s %.2f %%, not %d %%\n", name,
		    what, n ? 100 * h / n : 0, floor
		bad = 1
	}
}
function hold(start, l, b, each,	file, h, n, t, a) {
	for (file in lines) {
		if (index(file, start) != 1)
			continue
		h += hit[file]; n += lines[file]
		t += taken[file]; a += arms[file]
		below(file, "lines", hit[file], lines[file], each)
	}
	show("> " start, h, n, t, a)
	below(start, "lines", h, n, l)
	below(start, "branches", t, a, b)
}
END {
	for (file in lines) {
		show(file, hit[file], lines[file], taken[file], arms[file])
		folder = file
		sub(/\/[^\/]*$/, "/", folder)
		fh[folder] += hit[file]; fn[folder] += lines[file]
		ft[folder] += taken[file]; fa[folder] += arms[file]
	}
	for (folder in fn)
		show("= " folder, fh[folder], fn[folder], ft[folder],
		    fa[folder])
	count = split(floors, word, /[ \n]+/)
	for (i = 2; i + 3 <= count; i += 4)
		hold(word[i], word[i + 1], word[i + 2], word[i + 3])
	exit bad
}' >coverage.txt || rc=$?
LC_ALL=C sort coverage.txt
exit "${rc:-0}"
