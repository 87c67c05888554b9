#!/bin/sh
# Lines and branches that the tests reached, for each file and each folder,
# out of a build with --enable-coverage whose tests have run: "make coverage".
set -eu
: "${top_srcdir:?run me by make coverage}" "${top_builddir:?}"
cd "$top_builddir"
if [ -z "$(find . -name '*.gcda' | head -n 1)" ]; then
	echo "there is nothing to count: configure with --enable-coverage" >&2
	exit 1
fi
# What is compiled twice counts where more of it was reached.
find . -name '*.gcda' -exec gcov -n -b {} + 2>/dev/null |
    awk -F"[:% ']+" '
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
}' | sort
