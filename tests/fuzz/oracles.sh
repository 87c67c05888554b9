#!/bin/bash
# Does each target notice when what it promises is broken?  For every line of
# mutants.txt: the sources are copied and broken so, and the target has to
# fail by its oracle, over its corpus or within FUZZ_SECONDS of looking.
# "make fuzz-oracles", in a build for fuzzing; MUTANTS= which lines (grep -E).
set -u
: "${top_srcdir:?run me by make fuzz-oracles}" "${top_builddir:?}"
: "${FUZZ_SECONDS:=20}"
work=$(mktemp -d "${TMPDIR:-/tmp}/fuzz-oracles.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
eval "set -- $("$top_builddir/config.status" --config)"
cp -a "$top_srcdir" "$work/src"
# What has been configured in place cannot be built elsewhere.
if [ -e "$work/src/config.status" ]; then
	make -s -C "$work/src" distclean >/dev/null || exit 1
fi
mkdir "$work/build" && cd "$work/build" || exit 1
"$work/src/configure" -q "$@" >configure.log 2>&1 || {
	cat configure.log
	exit 1
}
tab=$(printf '\t')
mutants=$work/mutants
grep -v '^#' "$top_srcdir/tests/fuzz/mutants.txt" |
    grep -E -e "${MUTANTS:-.}" >"$mutants"
mapfile -t targets < <(cut -f 1 "$mutants" | sort -u |
    sed 's,^,tests/fuzz/,')
make -j"$(nproc)" CFLAGS='-g -O1' "${targets[@]}" >make.log 2>&1 || {
	tail -n 30 make.log
	exit 1
}

# As it is it has nothing to say, and broken it has.
try()
{
	local target=$1 corpus=$work/src/tests/corpus/$1
	mkdir -p "new-$target"
	./tests/fuzz/"$target" -runs=0 "$corpus" >out.log 2>&1 &&
	    ./tests/fuzz/"$target" -max_total_time="$FUZZ_SECONDS" \
	    -max_len=2048 -artifact_prefix=new- "new-$target" "$corpus" \
	    >out.log 2>&1
}

passed=0 failed=0
while IFS=$tab read -r target file change; do
	name="$target: $file: $change"
	cp -a "$work/src/$file" kept
	sed -i "$change" "$work/src/$file"
	if cmp -s kept "$work/src/$file"; then
		result="changes nothing"
	elif ! make CFLAGS='-g -O1 -Wno-error' "tests/fuzz/$target" >make.log 2>&1; then
		result="does not build"
	elif try "$target"; then
		result="not noticed"
	elif grep -q 'not true: ' out.log; then
		result=
	else
		result="noticed, but not by its oracle"
	fi
	if [ -z "$result" ]; then
		passed=$((passed + 1))
		echo "ok: $name ($(sed -n 's/.*not true: //p' out.log))"
	else
		failed=$((failed + 1))
		echo "FAILED, $result: $name"
		tail -n 5 make.log out.log
	fi
	# Newer than what was built of the broken one.
	cp kept "$work/src/$file"
done <"$mutants"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
