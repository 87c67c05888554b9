# shellcheck shell=bash disable=SC2154 # lib.bash sets what is used here
# The directory authorities and exits of the private Tor network, and the
# cache of their keys and consensus.  Sourced by lib.bash.

NET_RELAY_USER=${NET_RELAY_USER:-nobody}

# One /16 each, or Tor would not put two of them into one circuit.
NET_AUTHORITIES=(a1 a2 a3)
NET_NODES=(a1 a2 a3 e1 e2)
declare -A NET_NODE_ADDR=(
	[a1]=198.18.1.1 [a2]=198.19.1.1 [a3]=198.51.100.11
	[e1]=203.0.113.21 [e2]=192.0.2.22
	[bridge]=192.0.2.90 # not a node: see net_bridge
)

# Votes: short until the consensus is complete, then long, so that the
# network neither churns nor expires under a long test.
NET_LONG_INTERVAL=${NET_LONG_INTERVAL:-1200}
NET_INTERVALS_VALID=30
# A cached consensus must outlive the test that uses it.
NET_CACHE_MARGIN=7200

# --- the cache -------------------------------------------------------------

net_cache_dir()
{
	if [ -n "${PORTCULLIS_NET_CACHE:-}" ]; then
		echo "$PORTCULLIS_NET_CACHE"
	elif [ -n "${top_builddir:-}" ]; then
		echo "$top_builddir/tests/net/cache"
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/portcullis-net"
	fi
}

# Takes the lock on descriptor 9; released with net_cache_unlock.
net_cache_lock()
{
	net_cache=$(net_cache_dir)
	mkdir -p "$net_cache" && chmod 700 "$net_cache" || return 1
	exec 9>"$net_cache/lock"
	flock -w 60 9
}

net_cache_unlock()
{
	exec 9>&-
}

# Identity and certificate of one authority, in the folder $1.
net_keys_make()
{
	local dir=$1 addr=$2
	mkdir -p "$dir/keys" && chmod 700 "$dir" "$dir/keys" || return 1
	(cd "$dir/keys" && echo portcullis-test-network |
	    tor-gencert --create-identity-key -m 12 -a "$addr:7000" \
	    --passphrase-fd 0) >/dev/null 2>&1 || return 1
	: >"$dir/empty"
	"$net_tor" --defaults-torrc "$dir/empty" -f "$dir/empty" --quiet \
	    --DataDirectory "$dir" --ORPort 1 --SocksPort 0 \
	    --DirAuthority "x 127.0.0.1:1 $(printf '%040d' 0)" \
	    --list-fingerprint >/dev/null 2>&1 || return 1
	rm -f "$dir/lock" "$dir/empty"
	[ -s "$dir/fingerprint" ]
}

net_keys_cached()
{
	# Certificates are made for 12 months.
	[ -n "$(find "$net_cache/keys" -maxdepth 0 -mtime -300 2>/dev/null)" ]
}

net_keys_ensure()
{
	local node pid pids=()
	net_keys_cached && return 0
	rm -rf "$net_cache/keys" "$net_cache/keys.new" "$net_cache/data"
	for node in "${NET_AUTHORITIES[@]}"; do
		net_keys_make "$net_cache/keys.new/$node" \
		    "${NET_NODE_ADDR[$node]}" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || return 1
	done
	mv "$net_cache/keys.new" "$net_cache/keys"
}

# Seconds that the consensus in data folder $1 is still valid.
net_consensus_left()
{
	local until
	until=$(sed -n 's/^valid-until //p' \
	    "$1/cached-microdesc-consensus" 2>/dev/null) || return 1
	[ -n "$until" ] || return 1
	echo $(($(date -u -d "$until" +%s) - $(date +%s)))
}

net_data_cached()
{
	local left
	left=$(net_consensus_left "$net_cache/data/a1") || return 1
	[ "$left" -gt "$NET_CACHE_MARGIN" ] && net_consensus_full \
	    "$net_cache/data/a1"
}

# Every node's data folder, from the cache or new.
net_data_restore()
{
	local node data
	for node in "${NET_NODES[@]}"; do
		data=$DIR/nodes/$node/data
		mkdir -p "$DIR/nodes/$node"
		if [ "$net_warm" = 1 ]; then
			cp -r "$net_cache/data/$node" "$data"
		elif [ -d "$net_cache/keys/$node" ]; then
			cp -r "$net_cache/keys/$node" "$data"
		else
			mkdir "$data"
		fi || return 1
		chown -R "$NET_RELAY_USER:" "$data" && chmod 700 "$data"
	done
}

# After the nodes have ended: keep what makes the next start fast.
net_data_save()
{
	local node left
	left=$(net_consensus_left "$DIR/nodes/a1/data") || return 0
	[ "$left" -gt $((NET_CACHE_MARGIN * 2)) ] || return 0
	net_cache_lock || return 0
	# Not if the keys were made anew since.
	if ! net_data_cached && net_consensus_full "$DIR/nodes/a1/data" &&
	    cmp -s "$net_cache/keys/a1/keys/authority_certificate" \
	    "$DIR/nodes/a1/data/keys/authority_certificate"; then
		rm -rf "$net_cache/data" "$net_cache/data.new"
		mkdir "$net_cache/data.new"
		for node in "${NET_NODES[@]}"; do
			rm -rf "$DIR/nodes/$node/data/"{lock,ctl}
			cp -r "$DIR/nodes/$node/data" \
			    "$net_cache/data.new/$node"
		done && mv "$net_cache/data.new" "$net_cache/data"
	fi
	net_cache_unlock
}

# --- relays ----------------------------------------------------------------

# The lines that every node and the gateway's Tor share.
net_authority_lines()
{
	local node v3 fp
	for node in "${NET_AUTHORITIES[@]}"; do
		v3=$(sed -n 's/^fingerprint //p' \
		    "$DIR/nodes/$node/data/keys/authority_certificate")
		fp=$(awk '{ print $2 }' "$DIR/nodes/$node/data/fingerprint")
		[ -n "$v3" ] && [ -n "$fp" ] || return 1
		echo "DirAuthority $node orport=5000 no-v2 v3ident=$v3" \
		    "${NET_NODE_ADDR[$node]}:7000 $fp"
	done
}

net_node_torrc()
{
	local node=$1 addr=${NET_NODE_ADDR[$1]} dir=$DIR/nodes/$1
	cat <<-END
	TestingTorNetwork 1
	User $NET_RELAY_USER
	DataDirectory $dir/data
	Nickname $node
	ContactInfo none
	Address $addr
	ORPort $addr:5000 IPv4Only
	AddressDisableIPv6 1
	OutboundBindAddress $addr
	SocksPort 0
	ControlSocket unix:$dir/data/ctl
	Log notice stdout
	SafeLogging 0
	NumCPUs 1
	MaxMemInQueues 256 MB
	AssumeReachable 1
	ShutdownWaitLength 0
	PathsNeededToBuildCircuits 0.67
	DoSCircuitCreationEnabled 0
	DoSConnectionEnabled 0
	DoSRefuseSingleHopClientRendezvous 0
	ServerDNSResolvConfFile $DIR/resolv.internet
	ServerDNSDetectHijacking 0
	ServerDNSAllowBrokenConfig 1
	END
	case $node in
	a*)
		cat <<-END
		AuthoritativeDirectory 1
		V3AuthoritativeDirectory 1
		DirPort $addr:7000 IPv4Only
		ExitRelay 0
		ExitPolicy reject *:*
		TestingV3AuthInitialVotingInterval 5
		TestingV3AuthInitialVoteDelay 2
		TestingV3AuthInitialDistDelay 2
		V3AuthVotingInterval 10
		V3AuthVoteDelay 2
		V3AuthDistDelay 2
		V3AuthNIntervalsValid $NET_INTERVALS_VALID
		TestingDirAuthVoteGuard *
		TestingMinExitFlagThreshold 0
		END
		;;
	e*)
		cat <<-END
		ExitRelay 1
		IPv6Exit 1
		ExitPolicyRejectPrivate 0
		ExitPolicy accept *:*
		ExitPolicy accept6 *:*
		END
		;;
	esac
	cat "$DIR/authorities"
}

net_nodes_start()
{
	local node rc=1
	net_cache_lock || return 1
	net_warm=0
	if net_keys_ensure; then
		! net_data_cached || net_warm=1
		net_data_restore && rc=0
	fi
	net_cache_unlock
	[ $rc = 0 ] || net_die "cannot make the authorities' keys"
	net_authority_lines >"$DIR/authorities" ||
	    net_die "broken authority keys in $net_cache"
	echo "nameserver $NET_DNS4" >"$DIR/resolv.internet"
	for node in "${NET_NODES[@]}"; do
		net_node_torrc "$node" >"$DIR/nodes/$node/torrc"
		net_spawn "$node" internet "$net_tor" --defaults-torrc \
		    "$DIR/empty" -f "$DIR/nodes/$node/torrc" || return 1
	done
}

# Five relays, two of them exits, all running.
net_consensus_full()
{
	awk '/^r / { r++ } /^s .*Running/ { up++ } /^s .*Exit / { x++ }
	    END { exit !(r == 5 && up == 5 && x == 2) }' \
	    "$1/cached-microdesc-consensus" 2>/dev/null
}

net_nodes_ready()
{
	local node
	for node in "${NET_NODES[@]}"; do
		net_alive "$node" ||
		    net_die "$node ended: $(tail -n 3 "$DIR/log/$node")"
	done
	for node in "${NET_AUTHORITIES[@]}"; do
		net_consensus_full "$DIR/nodes/$node/data" || return 1
		[ -S "$DIR/nodes/$node/data/ctl" ] || return 1
	done
}

# From here on: a vote every 20 minutes, valid for ten hours.
net_nodes_settle()
{
	local node
	for node in "${NET_AUTHORITIES[@]}"; do
		"$net_python" "$net_here/ctl.py" "$DIR/nodes/$node/data/ctl" \
		    "SETCONF V3AuthVotingInterval=$NET_LONG_INTERVAL" \
		    >/dev/null || return 1
	done
}

net_services_start()
{
	net_ca && net_dns_reset &&
	    net_spawn web internet "$net_python" "$net_here/web.py" \
	    "$NET_TOKEN" &&
	    net_spawn dns internet "$net_python" "$net_here/dns.py" \
	    "$NET_DNS4" "$NET_NAME" "$NET_WEB4" "$NET_WEB6" \
	    "$DIR/book" "$DIR/ca.pem" "$DIR/ca.key"
}

net_services_ready()
{
	grep -qs '^ready' "$DIR/log/web" && grep -qs '^ready' "$DIR/log/dns"
}
