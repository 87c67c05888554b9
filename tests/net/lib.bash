# shellcheck shell=bash
# A private Tor network in three network namespaces.  Sourced by the command
# "net"; everything it needs to find again lies under $DIR:
#
#   names      the three namespaces of this run
#   pids/      one file per process: its pid and its start time
#   nodes/     the authorities and exits
#   tor/       the gateway's Tor: torrc, torrc.extra, data/, control/, log
#   book       what its DNS server says of names: see uplink.bash
#   ca.pem     the certificate of what speaks TLS there
#   log/       what else was started
#
#   internet                      gateway                     workstation
#   relays, web, DNS --- inet0 ~ eth0    eth1 ~ eth0
#              10.0.2.2     10.0.2.15    10.152.152.10      10.152.152.11
#          2001:db8:2::2    2001:db8:2::15   fd19:c33d:88bc::10       ::11
#
# The internet side answers on *every* address and has a route back to the
# workstation: a packet that leaks is one that is answered.

# shellcheck disable=SC2034 # constants for those who source this
{
NET_WEB4=203.0.113.80
NET_WEB6=2001:db8:80::80
NET_DNS4=198.51.100.53
NET_NAME=www.portcullis.test
NET_TOKEN=portcullis-test-page
NET_GW4=10.152.152.10
NET_GW6=fd19:c33d:88bc::10
NET_WS4=10.152.152.11
NET_WS6=fd19:c33d:88bc::11
NET_TOR_USER=${NET_TOR_USER:-debian-tor}
NET_TOR_ENV=() # VARIABLE=VALUE... for Tor and its transports
}
NET_UP_DEADLINE=90

PATH=$PATH:/usr/sbin:/sbin # su(1) leaves them out
net_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
net_tor=$(type -P tor) || net_tor=tor
net_python=/usr/bin/python3
[ -x "$net_python" ] || net_python=$(type -P python3) || net_python=python3

# shellcheck source=tests/net/nodes.bash
. "$net_here/nodes.bash"
# shellcheck source=tests/net/uplink.bash
. "$net_here/uplink.bash"

net_die()
{
	echo "net: $*" >&2
	exit 1
}

# Seconds since boot in hundredths: a clock that nobody sets.
net_clock()
{
	local up rest
	read -r up rest </proc/uptime
	echo "${up/./}"
}

# net_within SECONDS CMD...: until CMD succeeds; 1 when the time is over.
net_within()
{
	local end=$(($(net_clock) + $1 * 100))
	shift
	until "$@"; do
		[ "$(net_clock)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# net_wait SECONDS CMD...: the same.  Less than five seconds are part of what
# is to be shown; more are what a machine with nothing else to do may need at
# most, and a busy one gets thrice that.
net_wait() { net_within "$(net_patience "$1")" "${@:2}"; }
net_patience() { echo $(($1 < 5 ? $1 : 3 * $1)); }

# --- processes -------------------------------------------------------------

# Start time of a process that is alive, in clock ticks since boot.
net_starttime()
{
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	# The name may hold blanks and parentheses; fields are counted behind.
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "$1" != Z ] && [ "$1" != X ] || return 1
	echo "${20}"
}

# net_pid NAME: the pid of what was started under that name, if it lives.
net_pid()
{
	local pid start
	[ -f "$DIR/pids/$1" ] || return 1
	read -r pid start <"$DIR/pids/$1" || return 1
	[ "$(net_starttime "$pid")" = "$start" ] || return 1
	echo "$pid"
}

net_alive()
{
	net_pid "$1" >/dev/null
}

net_dead()
{
	! net_alive "$1"
}

# net_spawn NAME internet|gateway|workstation CMD...: in the background,
# output to log/NAME, ended by net_down.
net_spawn()
{
	local name=$1 ns
	ns=$(net_ns "$2") || return 1
	shift 2
	net_dead "$name" || net_die "$name is running already"
	rm -f "$DIR/pids/$name"
	# Neither setsid nor ip forks here: the pid stays the command's.  It is
	# written down before there is a command, should we be killed now.
	(
		pid=$BASHPID # another one inside $()
		echo "$pid $(net_starttime "$pid")" >"$DIR/pids/$name"
		exec setsid ip netns exec "$ns" "$@"
	) </dev/null >>"$DIR/log/$name" 2>&1 9>&- &
	disown # or this shell would talk about its end
	net_wait 5 test -s "$DIR/pids/$name"
}

# net_stop NAME...: all get TERM, who is still there after 3 s gets KILL.
net_stop()
{
	local name pid
	for name; do
		pid=$(net_pid "$name") && kill -TERM "$pid" 2>/dev/null
	done
	for name; do
		if ! net_wait 3 net_dead "$name"; then
			pid=$(net_pid "$name") && kill -KILL "$pid" 2>/dev/null
			net_wait 3 net_dead "$name" ||
			    echo "net: cannot end $name" >&2
		fi
		rm -f "$DIR/pids/$name"
	done
	return 0
}

# --- namespaces ------------------------------------------------------------

net_ns()
{
	local role name
	[ -f "$DIR/names" ] || net_die "no network in $DIR"
	while read -r role name; do
		if [ "$role" = "$1" ]; then
			echo "$name"
			return 0
		fi
	done <"$DIR/names"
	net_die "no such side: $1 (internet, gateway, workstation)"
}

net_in()
{
	local ns
	ns=$(net_ns "$1") || return 1
	shift
	ip netns exec "$ns" "$@"
}

net_names_make()
{
	local role
	for role in internet gateway workstation; do
		echo "$role pc-$$-$role"
	done >"$DIR/names.new"
	# Written before anything is made: down must find it after a crash.
	mv "$DIR/names.new" "$DIR/names"
}

net_sysctl()
{
	local ns=$1
	shift
	ip netns exec "$ns" sysctl -q -w "$@" >/dev/null
}

# net_resolver NAMESPACE ADDRESS: for what runs under "ip netns exec".
net_resolver()
{
	mkdir -p "/etc/netns/$1"
	printf 'nameserver %s\noptions timeout:5 attempts:2\n' "$2" \
	    >"/etc/netns/$1/resolv.conf"
}

net_topology_internet()
{
	local ns=$1 node
	ip -b - -n "$ns" <<-END
	link set lo up
	link set inet0 up
	addr add 10.0.2.2/24 dev inet0
	addr add 2001:db8:2::2/64 dev inet0 nodad
	route add 10.152.128.0/18 via 10.0.2.15
	route add fd19:c33d:88bc::/96 via 2001:db8:2::15
	addr add $NET_WEB4/32 dev lo
	addr add $NET_DNS4/32 dev lo
	addr add $NET_WEB6/128 dev lo nodad
	END
	for node in "${NET_NODES[@]}"; do
		ip -n "$ns" addr add "${NET_NODE_ADDR[$node]}/32" dev lo
	done
	net_topology_uplink "$ns" || return 1
	# Every other address is ours too; after the routes above, hence main.
	ip -n "$ns" route add local default dev lo table main
	ip -n "$ns" -6 route add local default dev lo table main
	net_resolver "$ns" "$NET_DNS4"
}

net_topology_gateway()
{
	local ns=$1
	ip -b - -n "$ns" <<-END
	link set lo up
	link set eth0 up
	link set eth1 up
	addr add 10.0.2.15/24 dev eth0
	addr add 2001:db8:2::15/64 dev eth0 nodad
	addr add $NET_GW4/18 dev eth1
	addr add $NET_GW6/96 dev eth1 nodad
	route add default via 10.0.2.2
	END
	ip -n "$ns" -6 route add default via 2001:db8:2::2
	net_resolver "$ns" "$NET_DNS4"
}

net_topology_workstation()
{
	local ns=$1
	ip -b - -n "$ns" <<-END
	link set lo up
	link set eth0 up
	addr add $NET_WS4/18 dev eth0
	addr add $NET_WS6/96 dev eth0 nodad
	route add default via $NET_GW4
	END
	ip -n "$ns" -6 route add default via "$NET_GW6"
	net_resolver "$ns" "$NET_GW4"
}

net_topology()
{
	local inet gw ws ns
	inet=$(net_ns internet) gw=$(net_ns gateway) ws=$(net_ns workstation)
	for ns in "$inet" "$gw" "$ws"; do
		ip netns add "$ns" || return 1
		net_sysctl "$ns" net.ipv6.conf.all.accept_ra=0 \
		    net.ipv6.conf.default.accept_ra=0 \
		    net.ipv6.conf.all.accept_dad=0 \
		    net.ipv6.conf.default.accept_dad=0 \
		    net.ipv4.conf.all.send_redirects=0 \
		    net.ipv4.conf.default.send_redirects=0 \
		    net.ipv4.conf.all.rp_filter=0 \
		    net.ipv4.conf.default.rp_filter=0 || return 1
	done
	# Made inside the namespaces: the caller's own one is never touched.
	ip -n "$gw" link add eth0 type veth peer name inet0 netns "$inet" &&
	    ip -n "$gw" link add eth1 type veth peer name eth0 netns "$ws" &&
	    net_topology_internet "$inet" && net_topology_gateway "$gw" &&
	    net_topology_workstation "$ws" && net_forward off
}

# net_forward off: as a real gateway is set up.  on: the worst case, a
# gateway whose kernel routes for anybody.
net_forward()
{
	local gw forward=0 filter=1
	case $1 in
	on) forward=1 filter=0 ;;
	off) ;;
	*) net_die "forward: on or off" ;;
	esac
	gw=$(net_ns gateway) || return 1
	net_sysctl "$gw" net.ipv4.ip_forward=$forward \
	    net.ipv6.conf.all.forwarding=$forward \
	    net.ipv4.conf.all.rp_filter=$filter
}

# Processes that somebody else left in a namespace are not ours to end.
net_namespaces_remove()
{
	local role ns pids
	while read -r role ns; do
		pids=$(ip netns pids "$ns" 2>/dev/null | tr '\n' ' ')
		[ -z "$pids" ] ||
		    echo "net: still running in the $role: $pids" >&2
		if [ -e "/run/netns/$ns" ]; then
			ip netns del "$ns"
		fi
		rm -rf "/etc/netns/${ns:?}"
	done <"$DIR/names"
	rmdir /etc/netns 2>/dev/null
	rm -f "$DIR/names"
}

# --- the gateway's Tor -----------------------------------------------------

# "SocksPort 0" beside another SocksPort is an error to Tor.
net_tor_socks_off()
{
	grep -q '^SocksPort' "$DIR/tor/torrc.extra" || echo "SocksPort 0"
}

# A time-out learned on a quiet machine of a millisecond network (after 100
# circuits) would fail every circuit as soon as the machine has other work.
net_tor_torrc()
{
	cat <<-END
	TestingTorNetwork 1
	User $NET_TOR_USER
	DataDirectory $DIR/tor/data
	Log notice stdout
	SafeLogging 0
	NumCPUs 1
	MaxMemInQueues 256 MB
	$(net_tor_socks_off)
	ControlSocket unix:$DIR/tor/control/socket GroupWritable
	ControlPort 127.0.0.1:9051
	CookieAuthentication 1
	CookieAuthFile $DIR/tor/control/cookie
	CookieAuthFileGroupReadable 1
	AutomapHostsOnResolve 1
	VirtualAddrNetworkIPv4 10.192.0.0/10
	ClientUseIPv6 0
	LearnCircuitBuildTimeout 0
	CircuitBuildTimeout 10
	DisableNetwork $1
	PathsNeededToBuildCircuits 0.67
	END
	cat "$DIR/authorities"
	echo "%include $DIR/tor/torrc.extra"
}

# The control socket must be usable for Tor's group and for nobody else.
net_tor_dirs()
{
	mkdir -p "$DIR/tor/data" "$DIR/tor/control"
	[ -e "$DIR/tor/torrc.extra" ] || : >"$DIR/tor/torrc.extra"
	chown "$NET_TOR_USER:" "$DIR/tor/data" "$DIR/tor/control" &&
	    chmod 700 "$DIR/tor/data" && chmod 750 "$DIR/tor/control"
}

# By TCP: the Unix socket comes late, and never while DisableNetwork is 1.
net_tor_ctl()
{
	net_in gateway "$net_python" "$net_here/ctl.py" \
	    --cookie "$DIR/tor/control/cookie" 127.0.0.1:9051 "$@"
}

net_tor_phase()
{
	net_alive tor || net_die "Tor ended: $(tail -n 3 "$DIR/log/tor")"
	net_tor_ctl "GETINFO status/bootstrap-phase" 2>/dev/null |
	    grep -q "$1"
}

# net_tor_start [--disable-network] [--no-wait]
net_tor_start()
{
	local disable=0 wait=1 want='PROGRESS=100'
	while [ $# -gt 0 ]; do
		case $1 in
		--disable-network) disable=1 want=PROGRESS ;;
		--no-wait) wait=0 ;;
		*) net_die "tor-start: unknown option $1" ;;
		esac
		shift
	done
	net_tor_dirs || return 1
	net_tor_torrc $disable >"$DIR/tor/torrc"
	net_spawn tor gateway env SSL_CERT_FILE="$DIR/ca.pem" \
	    "${NET_TOR_ENV[@]}" "$net_tor" --defaults-torrc "$DIR/empty" \
	    -f "$DIR/tor/torrc" || return 1
	[ $wait = 1 ] || return 0
	net_wait 60 net_tor_phase "$want" ||
	    net_die "Tor does not bootstrap: $(tail -n 3 "$DIR/log/tor")"
}

# --- up and down -----------------------------------------------------------

# net_up [--no-tor] [--disable-network]
net_up()
{
	local tor=1 args=() end
	while [ $# -gt 0 ]; do
		case $1 in
		--no-tor) tor=0 ;;
		--disable-network) args+=("$1") ;;
		*) net_die "up: unknown option $1" ;;
		esac
		shift
	done
	[ "$(id -u)" = 0 ] || net_die "network namespaces need root"
	[ ! -e "$DIR/names" ] || net_die "$DIR holds a network already"
	mkdir -p "$DIR/pids" "$DIR/log" "$DIR/nodes" "$DIR/tor"
	: >"$DIR/empty" # instead of the machine's torrc-defaults
	# Tor's users must get through to their own folders.
	chmod go+x "$DIR" "$DIR/nodes" "$DIR/tor"
	end=$(($(net_clock) + NET_UP_DEADLINE * 100))
	{ net_names_make && net_topology; } ||
	    net_die "cannot make the namespaces"
	{ net_nodes_start && net_services_start; } ||
	    net_die "cannot start the internet side"
	net_within $(((end - $(net_clock)) / 100)) net_nodes_ready ||
	    net_die "no consensus after $NET_UP_DEADLINE seconds"
	net_nodes_settle || net_die "an authority refused a SETCONF"
	net_wait 20 net_services_ready || net_die "no web or no DNS server"
	# Even without Tor: a test may put something else in its place.
	net_tor_dirs || net_die "cannot make the folders of Tor"
	[ $tor = 0 ] || net_tor_start "${args[@]}"
}

net_down()
{
	local names=() file
	[ -e "$DIR/names" ] || return 0
	for file in "$DIR/pids/"*; do
		[ -e "$file" ] && names+=("${file##*/}")
	done
	net_stop "${names[@]}"
	net_data_save
	net_namespaces_remove
}
