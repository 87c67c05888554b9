#!/bin/bash
# "portcullis status --shell" beside what systemcheck's fragments get from the
# applets: variable by variable, in every state.  No network.
set -u
tests=${top_srcdir:?}/tests
build=${top_builddir:?}
command -v python3 >/dev/null || exit 77
# shellcheck source=tests/it/systemcheck_fragment.sh
. "$tests/it/systemcheck_fragment.sh"
root=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-fragment.XXXXXX") || exit 1
trap 'rm -rf "$root"' EXIT
passed=0 failed=0

# check STATE NAME GOT WANT
check()
{
	if [ "$3" = "$4" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAILED: $1: $2 is '$3', not '$4'"
}

# The supervisor's variables, in a shell of their own: NAME=VALUE lines.
shell_values()
{
	(
		eval "$("$build/portcullis" --socket-dir \
		    "$root/run/portcullis" status --shell 2>/dev/null)"
		for name; do
			printf '%s=%s\n' "$name" "${!name-(unset)}"
		done
	)
}

# What no applet tells, by the state.
declare -A others=(
	[tor_pid_exit_code]=0
	[tor_verify_config_exit_code]=0
	[time_synchronization_status_word]=success
	[clock_tor_consensus_check_result]=ok
)
expect_others()
{
	others[tor_pid_exit_code]=0
	others[time_synchronization_status_word]=success
	others[clock_tor_consensus_check_result]=ok
	case $1 in
	gone | no-engine)
		others[tor_pid_exit_code]=255
		others[time_synchronization_status_word]=pending
		others[clock_tor_consensus_check_result]=error
		;;
	down)
		others[tor_pid_exit_code]=3
		others[clock_tor_consensus_check_result]=error
		;;
	unreachable)
		others[clock_tor_consensus_check_result]=error
		;;
	stuck-requesting_descriptors | stuck-enough_dirinfo | \
	stuck-circuit_create)
		others[time_synchronization_status_word]=pending
		;;
	starting | stuck-* | disabled | warned)
		others[time_synchronization_status_word]=pending
		others[clock_tor_consensus_check_result]=noneyet
		;;
	esac
}

# One state: the fragment's variables, then the supervisor's.
compare()
{
	local state=$1 name
	declare -A said
	fragment "$build/portcullis-applets" --root "$root" --control-port 0
	expect_others "$state"
	mapfile -t wanted < <(fragment_names)
	while IFS='=' read -r name value; do
		said[$name]=$value
	done < <(shell_values "${wanted[@]}" "${!others[@]}")
	for name in "${wanted[@]}"; do
		check "$state" "$name" "${said[$name]}" "${!name}"
	done
	for name in "${!others[@]}"; do
		check "$state" "$name" "${said[$name]}" "${others[$name]}"
	done
}

# The server says a state's name when it tells it, and goes on with the next
# at every line that it reads.
coproc server { exec python3 "$tests/it/fake_status.py" \
    "$root/run/portcullis/status.sock"; }
trap 'kill "$server_pid" 2>/dev/null; rm -rf "$root"' EXIT
server_pid=$!
states=0
while read -r state <&"${server[0]}" && [ "$state" != end ]; do
	states=$((states + 1))
	compare "$state"
	echo next >&"${server[1]}"
done
[ "$states" -ge 15 ] || check states number "$states" "15 or more"
echo "$passed passed, $failed failed, in $states states"
[ "$failed" = 0 ]
