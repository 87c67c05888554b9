# shellcheck shell=bash
# shellcheck disable=SC2034 # whoever sources us reads the variables
# What systemcheck's shell fragments set, written to their documented
# contract: by the programs that portcullis-applets stands in for.
#
#   . systemcheck_fragment.sh
#   fragment APPLETS [OPTION...]
#
# sets the variables whose names fragment_names prints.

fragment_names()
{
	printf '%s\n' check_bootstrap_helper_script_exit_code \
	    check_bootstrap_helper_script_output tor_bootstrap_percent \
	    tor_bootstrap_status tor_bootstrap_timeout_type \
	    tor_circuit_established tor_circuit_established_word \
	    tor_circuit_established_check_exit_code \
	    tor_circuit_built_check_exit_code \
	    tor_dormant_status tor_dormant_type \
	    tor_consensus_valid_after_exit_code \
	    tor_consensus_valid_after_output \
	    tor_consensus_valid_after_unixtime \
	    tor_consensus_valid_until_exit_code \
	    tor_consensus_valid_until_output \
	    tor_consensus_valid_until_unixtime \
	    GATEWAY_IP GATEWAY_IP6 gateway_control_port gateway_ip_error \
	    TOR_ENABLED
}

# Both streams of the applet are its output, as its callers take them.
helper()
{
	helper_exit_code=0
	helper_output=$(timeout --kill-after=5s 10s "${applets[@]}" "$@" \
	    2>&1) || helper_exit_code=$?
}

# How timeout(1) ended it.  $1: the word for when it did not.
ended()
{
	case $helper_exit_code in
	124) echo sigterm ;;
	137) echo sigkill ;;
	254) echo invalid-exit-code-please-report-this-bug ;;
	*) echo "$1" ;;
	esac
}

# consensus_time after|until
consensus_time()
{
	local seconds=
	helper "tor-consensus-valid-$1"
	if [ "$helper_exit_code" = 0 ] && [ -n "$helper_output" ]; then
		seconds=$(date --utc --date="$helper_output" +%s)
	fi
	printf -v "tor_consensus_valid_$1_exit_code" %s "$helper_exit_code"
	printf -v "tor_consensus_valid_$1_output" %s "$helper_output"
	printf -v "tor_consensus_valid_$1_unixtime" %s "$seconds"
}

fragment()
{
	applets=("$@")
	helper tor-bootstrap-check
	check_bootstrap_helper_script_exit_code=$helper_exit_code
	check_bootstrap_helper_script_output=$helper_output
	tor_bootstrap_percent=$helper_exit_code
	tor_bootstrap_status=${helper_output:0:255}
	tor_bootstrap_timeout_type=$(ended none)
	helper tor-circuit-established-check
	tor_circuit_established_check_exit_code=$helper_exit_code
	tor_circuit_established=0
	tor_circuit_established_word="not established"
	if [ "$helper_exit_code" = 0 ]; then
		tor_circuit_established=$helper_output
		tor_circuit_established_word=established
	fi
	helper tor-circuit-built-check 8
	tor_circuit_built_check_exit_code=$helper_exit_code
	helper tor-dormant-check
	tor_dormant_status=$helper_output
	tor_dormant_type=$(ended check-ok)
	consensus_time after
	consensus_time until
	GATEWAY_IP=127.0.0.1 GATEWAY_IP6=::1
	gateway_control_port=9051 gateway_ip_error=
	helper tor-enabled-check
	TOR_ENABLED=0
	[ "$helper_output" != true ] || TOR_ENABLED=1
}
