# Each fuzz target over its committed corpus.
# FUZZ_TARGETS comes from the makefile.
set -u
rc=0
for target in $FUZZ_TARGETS; do
	name=${target##*/}
	dir=$top_srcdir/tests/corpus/$name
	if [ -z "$(ls "$dir" 2>/dev/null)" ]; then
		echo "$name: no corpus in tests/corpus/$name"
		rc=1
	elif "$top_builddir/$target" "$dir"/* >"$name.replay" 2>&1; then
		echo "$name: ok"
		rm -f "$name.replay"
	else
		echo "$name: failed"
		cat "$name.replay"
		rc=1
	fi
done
exit $rc
