# shellcheck shell=sh
# For the style tests: where things are, and how each proves that it can fail.

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir}
# shellcheck disable=SC2034 # for those who source this
SKIP=77

tmp=$(mktemp -d "${TMPDIR:-/tmp}/style.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM

# Our folders, as they lie in a checkout and in a tarball.
tree()
{
	for folder in controlproto policy supervisor tests scripts .ci; do
		[ -d "$1/$folder" ] && echo "$1/$folder"
	done
	return 0
}

# find in our folders below $1; the rest are find's arguments.
tree_find()
{
	root=$1
	shift
	# shellcheck disable=SC2046 # none of our paths holds a blank
	find $(tree "$root") "$@" | sort
}

# must_fail NAME CMD...: a test that accepts the bad sample proves nothing.
must_fail()
{
	name=$1
	shift
	if "$@" >/dev/null 2>&1; then
		echo "self-test: $name was accepted" >&2
		exit 99
	fi
}

must_pass()
{
	name=$1
	shift
	if ! "$@" >"$tmp/self-test" 2>&1; then
		echo "self-test: $name was refused:" >&2
		cat "$tmp/self-test" >&2
		exit 99
	fi
}
