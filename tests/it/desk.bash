# shellcheck shell=bash
# For tests of what people see: a stand-in for the status process in a folder
# of its own, no Tor, no network, no root.  desk_begin makes $DESK.
: "${top_srcdir:?}" "${top_builddir:?}"
desk_lines=$top_srcdir/tests/golden/top
desk_passed=0
desk_failed=0
desk_fake=
# Debian's, which has its packages, if there is another one before it.
desk_python=/usr/bin/python3
desk_ends=()

desk_begin()
{
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null && continue
		echo "there is no $tool"
		exit 77
	done
	DESK=$(mktemp -d "${TMPDIR:-/tmp}/desk.XXXXXX") || exit 99
	mkdir "$DESK/run"
	mkfifo "$DESK/words"
	trap desk_cleanup EXIT
	trap 'exit 1' HUP INT TERM
	# Held open, so that it does not end with the first word.
	exec 7<>"$DESK/words"
}

# desk_at_end CMD...: before the folder goes.
desk_at_end()
{
	desk_ends+=("$(printf '%q ' "$@")")
}

desk_cleanup()
{
	local end
	for end in "${desk_ends[@]}"; do
		eval "$end" >/dev/null 2>&1
	done
	[ -z "$desk_fake" ] || kill "$desk_fake" 2>/dev/null
	wait
	rm -rf "$DESK"
}

desk_start()
{
	"$desk_python" "$top_srcdir/tests/it/status_fake.py" "$DESK/run" \
	    "$desk_lines" <&7 >"$DESK/asked" 2>"$DESK/fake.err" &
	desk_fake=$!
	desk_until 5 grep -q ready "$DESK/asked"
}

# As a process that is killed: the sockets stay, and nobody listens.
desk_kill()
{
	kill -KILL "$desk_fake"
	wait "$desk_fake" 2>/dev/null
	desk_fake=
}

# desk_show WORD: see status_fake.py.
desk_show()
{
	echo "$1" >&7
}

# desk_until SECONDS CMD...: until CMD succeeds; a busy machine gets thrice the
# time.
desk_until()
{
	local end=$(($(date +%s%N) / 1000000 + $1 * 3000))
	shift
	until "$@"; do
		[ $(($(date +%s%N) / 1000000)) -lt $end ] || return 1
		sleep 0.05
	done
}

# desk_check WHAT CMD...
desk_check()
{
	local what=$1
	shift
	if "$@"; then
		desk_passed=$((desk_passed + 1))
	else
		desk_failed=$((desk_failed + 1))
		echo "FAILED: $what"
		return 1
	fi
}

desk_end()
{
	echo "$desk_passed passed, $desk_failed failed"
	[ $desk_failed = 0 ]
	exit
}
