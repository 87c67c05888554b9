# shellcheck shell=bash disable=SC2034,SC2154 # what is soak.sh's
# What happens to a gateway in a day, each as a function.  Sourced by soak.sh.
#
# quiet_NAME must not close the gate.  shut_NAME does what has to close it, and
# returns when it is open again; SOAK_CLOSES says how often it has to.

# What is done over and over, in lanes beside each other; one lane is done in
# a random order, with a pause after each.
SOAK_ASK=(status shell field listeners explain log metrics check policy
	applets top second)
SOAK_TOR=(newnym loglevel events isolation)
SOAK_KERNEL=(address alias table accept forget conntrack)

declare -A SOAK_CLOSES=([hold]=1 [reprove]=1 [reload_bare]=1
	[reload]=1 [reload_back]=1 [flush]=0 [kill_status]=0 [kill_engine]=1
	[kill_gate]=1 [kill_all]=1 [kill_resolver]=0 [kill_tor]=1
	[restart_tor]=1 [apply]=1 [apply_back]=1)
SOAK_SHUT=(reprove reload reload_bare reload_back flush kill_status
	kill_engine kill_gate kill_resolver kill_tor kill_all)
# These take long.
SOAK_SHUT_LONG=(apply apply_back restart_tor)

# --- those who ask ---------------------------------------------------------

# What takes longer than anything may has failed.
MOST_SECONDS=90

soak_ask()
{
	timeout $MOST_SECONDS "$it_build/portcullis" --socket-dir "$DIR/run" \
	    "$@"
}

quiet_status() { soak_ask status --json; }
quiet_shell() { soak_ask status --shell; }
quiet_field() { soak_ask status --field bootstrap.progress; }
quiet_listeners() { soak_ask listeners; }
quiet_explain() { soak_ask explain; }
quiet_log() { soak_ask log --json; }
quiet_metrics() { soak_ask metrics; }
quiet_check() { soak_ask check control; }
quiet_policy()
{
	"$it_build/portcullisd" -n -v -f "$DIR/portcullis.conf"
}

quiet_applets()
{
	net_in gateway timeout $MOST_SECONDS \
	    "$it_build/portcullis-applets" --socket-dir "$DIR/run" \
	    --control-port 0 tor-circuit-established-check
}

quiet_top()
{
	TERM=vt100 timeout -k 5 10 script -qec "timeout 1 \
	    '$it_build/portcullis' --socket-dir '$DIR/run' top" \
	    /dev/null </dev/null
	return 0 # ended by the one or the other
}

# It has to see that there is a first one, and go.
quiet_second()
{
	! net_in gateway timeout 5 "$it_build/portcullisd" \
	    --libexec-dir "$it_build" -f "$DIR/portcullis.conf"
}

# --- what others do to Tor -------------------------------------------------

quiet_newnym() { soak_ask newnym; }
quiet_loglevel()
{
	net_tor_ctl 'SETCONF Log="info file /dev/null"' &&
	    net_tor_ctl 'SETCONF Log="notice stdout"'
}

# Another controller: comes, wants every event, and goes.
quiet_events()
{
	timeout 2 "$net_python" "$it_src/tests/it/torctl.py" --cookie \
	    "$DIR/tor/control/cookie" "$DIR/tor/control/socket" \
	    events CIRC STREAM BW CONF_CHANGED
	[ $? = 124 ]
}
quiet_isolation() { soak_ask check isolation; }

# One relay after the other, each gone for a moment.
quiet_relay()
{
	local node=${NET_NODES[$((soak_relay++ % ${#NET_NODES[@]}))]}
	net_stop "$node"
	net_spawn "$node" internet "$net_tor" --defaults-torrc "$DIR/empty" \
	    -f "$DIR/nodes/$node/torrc"
}

# --- what others do to the kernel ------------------------------------------

# Not ours; on a link that is none of the policy's, and on one that is.
quiet_address()
{
	net_in gateway ip link add soak0 type veth peer name soak1
	net_in gateway ip addr add 10.77.0.1/24 dev soak0
	net_in gateway ip link set soak0 up
	net_in gateway ip link del soak0
}

quiet_alias()
{
	net_in gateway ip addr add 10.152.153.9/32 dev eth1
	net_in gateway ip addr del 10.152.153.9/32 dev eth1
}

quiet_table()
{
	net_in gateway nft -f - <<-END
	table inet soak {
		set s { type ipv4_addr; flags timeout; timeout 1s; }
		chain c { type filter hook input priority 10; accept; }
	}
	add element inet soak s { 192.0.2.1, 192.0.2.2 }
	END
	net_in gateway nft delete table inet soak
}

# Somebody accepts everything everywhere.
quiet_accept()
{
	net_in gateway nft -f - <<-END
	table inet soak_accept {
		chain a { type filter hook forward priority -500; accept; }
		chain b { type filter hook output priority -500; accept; }
		chain c { type filter hook input priority 500; accept; }
	}
	END
	net_in gateway nft delete table inet soak_accept
}

quiet_forget() { net_in gateway conntrack -F; }

# A hundred flows that nobody answers.
quiet_conntrack()
{
	net_in workstation "$it_build/pktool" blast -t soak-flows -r 1000 \
	    -n 100 "$NET_GW4" $((20000 + RANDOM % 10000)) ||
	    net_in gateway conntrack -C
}

# --- what has to close -----------------------------------------------------

soak_child()
{
	local keeper pid
	keeper=$(net_pid portcullisd) || return 1
	for pid in $(cat "/proc/$keeper/task/"*/children); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		"portcullis-${1:0:4}"*)
			echo "$pid"
			return 0 ;;
		esac
	done
	return 1
}

soak_kill()
{
	local pid
	pid=$(soak_child "$1") && kill -KILL "$pid" || return 1
	net_wait 10 soak_another "$1" "$pid"
}

soak_another()
{
	local pid
	pid=$(soak_child "$1") && [ "$pid" != "$2" ]
}

shut_hold()
{
	it_portcullis hold && it_wait_for closed 10 && it_portcullis release
}

shut_reprove() { it_portcullis reprove; }

# Until it is read back nobody knows what is in force now, though it is the
# same torrc as before.
shut_reload() { kill -HUP "$(net_pid tor)"; }

# A torrc without our listeners: Tor closes them.
shut_reload_bare()
{
	soak_torrc_bare
	shut_reload
}

shut_reload_back()
{
	soak_torrc_full
	shut_reload
}

shut_flush() { net_in gateway nft flush ruleset; }
shut_kill_status() { soak_kill status; }
shut_kill_engine() { soak_kill engine; }
shut_kill_gate() { soak_kill gate; }
shut_kill_resolver() { soak_kill resolver; }

shut_kill_all()
{
	local pid
	pid=$(net_pid portcullisd) && kill -KILL "$pid"
	net_wait 5 net_dead portcullisd
	it_start
}

shut_kill_tor()
{
	local pid
	pid=$(net_pid tor) && kill -KILL "$pid"
	net_wait 5 net_dead tor
	net_wait 5 soak_left_open
	rm -f "$DIR/pids/tor"
	net_tor_start --no-wait
}

shut_restart_tor()
{
	net_stop tor
	net_tor_start --no-wait
}

shut_apply() { it_apply "$(it_proxy_json socks5 "$NET_PROXY4" 1080)"; }
shut_apply_back() { it_apply '{"bridges":"none","proxy":"none"}'; }

# The feed has seen the gate closed since this began.
soak_left_open()
{
	awk -v from="$soak_from" -F '[:,]' '$2 > from && !/"open"/ { x = 1 }
	    END { exit !x }' "$soak/feed"
}
