#!/bin/sh
# Shell and Python: right syntax, and nothing that shellcheck knows better.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

# Every script below $1 whose first line names a shell.
shells()
{
	for file in $(tree_find "$1" -type f ! -path '*/corpus/*'); do
		case $(head -n 1 "$file" | tr -d '\0') in
		'#!/bin/sh'*|'#!/bin/bash'*|'# shellcheck shell='*)
			echo "$file"
			;;
		esac
	done
}

syntax()
{
	case $(head -n 1 "$1") in
	*bash*) bash -n "$1" ;;
	*) sh -n "$1" ;;
	esac
}

python()
{
	python3 -c 'import ast, sys
ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$1"
}

check()
{
	bad=0
	for file in $(shells "$1"); do
		syntax "$file" || bad=1
		if command -v shellcheck >/dev/null; then
			# From the top, where the source= paths begin.
			(cd "$1" && shellcheck -x -S warning "$file") || bad=1
		fi
	done
	if command -v python3 >/dev/null; then
		for file in $(tree_find "$1" -name '*.py'); do
			python "$file" || bad=1
		done
	fi
	return $bad
}

mkdir -p "$tmp/tree/scripts"
printf '#!/bin/sh\nif true; then\n' >"$tmp/tree/scripts/a"
must_fail "a shell script cut off" check "$tmp/tree"
printf '#!/bin/sh\ntrue\n' >"$tmp/tree/scripts/a"
must_pass "a good shell script" check "$tmp/tree"
if command -v python3 >/dev/null; then
	echo 'def f(:' >"$tmp/tree/scripts/a.py"
	must_fail "broken Python" check "$tmp/tree"
fi

check "$top_srcdir"
