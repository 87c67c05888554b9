# shellcheck shell=bash disable=SC2154 # lib.bash sets what is used here
# How Tor may get out other than straight: bridge, meek, snowflake, proxies,
# and the names that they need.  Sourced by lib.bash.  The names and their DNS
# server are always there; the rest is started by the test that wants it:
#
#   net_bridge [--bad-key|--bad-cert]  starts the bridge; prints its line
#   net_meek             a meek server before the bridge (net_bridge first)
#   net_snowflake        a broker without proxies, and a STUN server
#   net_proxy KIND       https, https-auth, https-deny, socks5, socks5-auth,
#                        mute; prints its port; nobody is at NET_PORT_SHUT,
#                        and at NET_PORT_WEB there is a web server
#   net_dns NAME WAY [ADDRESS...]      from now on; see dns.py
#   net_watch            what has to do with names on the clear side: log/watch
#
# What speaks TLS has a certificate of $DIR/ca.pem, which Tor's transports
# are told to trust.

# shellcheck disable=SC2034 # constants for those who source this
{
NET_BRIDGE4=192.0.2.90
NET_MEEK=meek.portcullis.test
NET_MEEK_FRONT=front.portcullis.test
NET_BROKER=broker.portcullis.test
NET_BROKER_FRONT=sffront.portcullis.test
NET_STUN=stun.portcullis.test
NET_PROXY=proxy.portcullis.test
NET_MEEK4=203.0.113.43
NET_BROKER4=203.0.113.44
NET_STUN4=203.0.113.45
NET_PROXY4=203.0.113.50
NET_PROXY4B=203.0.113.51 # the SOCKS proxies' other address
NET_PROXY6=2001:db8:50::50
NET_NOBODY4=203.0.113.99 # nothing comes back from there, not even an error
NET_PROXY_USER=ann
NET_PROXY_PASSWORD=open-sesame
NET_PORT_WEB=80
NET_PORT_SHUT=9
}
NET_BRIDGE_PORT=8443
# Of its own: what net_up started is ready at once, a bridge is soon.
NET_UPLINK_DEADLINE=30

declare -A NET_PROXY_PORT=(
	[https]=3128 [https-auth]=3129 [https-deny]=3130
	[socks4]=1079 [socks5]=1080 [socks5-auth]=1081 [mute]=7
)

# --- names -----------------------------------------------------------------

# net_dns NAME WAY [ADDRESS...]: of a name that has addresses already, they
# need not be said again.
net_dns()
{
	local name=$1 way=$2 addresses
	shift 2
	addresses=$*
	[ -n "$addresses" ] || addresses=$(awk -v name="$name" \
	    '$1 == name { $1 = $2 = ""; print }' "$DIR/book")
	{
		awk -v name="$name" '$1 != name' "$DIR/book"
		# shellcheck disable=SC2086 # addresses
		echo "$name" "$way" $addresses
	} >"$DIR/book.new"
	mv "$DIR/book.new" "$DIR/book" # dns.py sees one or the other
}

# Everything as it should be.
net_dns_reset()
{
	cat >"$DIR/book.new" <<-END
	$NET_MEEK ok $NET_MEEK4
	$NET_MEEK_FRONT ok $NET_MEEK4
	$NET_BROKER ok $NET_BROKER4
	$NET_BROKER_FRONT ok $NET_BROKER4
	$NET_STUN ok $NET_STUN4
	$NET_PROXY ok $NET_PROXY4
	END
	mv "$DIR/book.new" "$DIR/book"
}

# One key and one certificate for all who speak TLS on this internet.
net_ca()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$DIR/ca.key" -out "$DIR/ca.pem" -days 2 \
	    -subj /CN=portcullis-test -addext \
	    "subjectAltName=DNS:*.portcullis.test,IP:$NET_DNS4" \
	    >/dev/null 2>&1 && chmod 600 "$DIR/ca.key"
}

# What a policy's resolver section pins: SHA-256 of the public key.
net_pin()
{
	openssl x509 -in "$DIR/ca.pem" -noout -pubkey |
	    openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary |
	    base64
}

net_topology_uplink()
{
	local ns=$1 address
	for address in "$NET_BRIDGE4" "$NET_MEEK4" "$NET_BROKER4" \
	    "$NET_STUN4" "$NET_PROXY4" "$NET_PROXY4B"; do
		echo "addr add $address/32 dev lo"
	done | ip -b - -n "$ns" &&
	    ip -n "$ns" addr add "$NET_PROXY6/128" dev lo nodad &&
	    ip -n "$ns" route add blackhole "$NET_NOBODY4/32"
}

# --- the bridge ------------------------------------------------------------

net_bridge_torrc()
{
	net_node_torrc bridge
	cat <<-END
	BridgeRelay 1
	PublishServerDescriptor 0
	BridgeDistribution none
	ExitRelay 0
	ExtORPort auto
	ServerTransportPlugin obfs4 exec $(type -P obfs4proxy)
	ServerTransportListenAddr obfs4 $NET_BRIDGE4:$NET_BRIDGE_PORT
	END
}

net_bridge_ready()
{
	local data=$DIR/nodes/bridge/data
	net_alive bridge ||
	    net_die "the bridge ended: $(tail -n 3 "$DIR/log/bridge")"
	[ -s "$data/pt_state/obfs4_bridgeline.txt" ] &&
	    [ -s "$data/cached-microdesc-consensus" ] &&
	    [ -S "$data/ctl" ] && [ -s "$data/fingerprint" ] &&
	    "$net_python" "$net_here/ctl.py" "$data/ctl" \
	    "GETINFO status/bootstrap-phase" 2>/dev/null |
	    grep -q PROGRESS=100
}

# Identity and obfs4's keys: no longer to be waited for the next time.
net_bridge_restore()
{
	local data=$DIR/nodes/bridge/data
	mkdir -p "$DIR/nodes/bridge"
	net_cache_lock || return 1
	if [ -d "$net_cache/bridge" ]; then
		cp -r "$net_cache/bridge" "$data"
	else
		mkdir "$data"
	fi
	net_cache_unlock
	chown -R "$NET_RELAY_USER:" "$data" && chmod 700 "$data"
}

net_bridge_save()
{
	local data=$DIR/nodes/bridge/data
	net_cache_lock || return 0
	if [ ! -d "$net_cache/bridge" ]; then
		rm -rf "$net_cache/bridge.new"
		mkdir "$net_cache/bridge.new" &&
		    cp -r "$data/keys" "$data/pt_state" \
		    "$net_cache/bridge.new" &&
		    mv "$net_cache/bridge.new" "$net_cache/bridge"
	fi
	net_cache_unlock
}

net_bridge()
{
	if net_dead bridge; then
		net_bridge_restore || net_die "no folder for the bridge"
		net_bridge_torrc >"$DIR/nodes/bridge/torrc"
		net_spawn bridge internet "$net_tor" --defaults-torrc \
		    "$DIR/empty" -f "$DIR/nodes/bridge/torrc" || return 1
		net_wait "$NET_UPLINK_DEADLINE" net_bridge_ready ||
		    net_die "no bridge: $(tail -n 3 "$DIR/log/bridge")"
		net_bridge_save
	fi
	net_bridge_line "$@"
}

net_fingerprint()
{
	awk '{ print $2 }' "$DIR/nodes/bridge/data/fingerprint"
}

# As somebody would be given it; --bad-key, --bad-cert: of another bridge.
net_bridge_line()
{
	local key cert
	key=$(net_fingerprint)
	cert=$(sed -n 's/^Bridge .* cert=\([^ ]*\).*/\1/p' \
	    "$DIR/nodes/bridge/data/pt_state/obfs4_bridgeline.txt")
	case ${1:-} in
	--bad-key) key=$(tr 0-9A-F 1-9A-F0 <<<"$key") ;;
	--bad-cert) cert=$(tr A-Za-z B-ZAb-za <<<"$cert") ;;
	esac
	echo "obfs4 $NET_BRIDGE4:$NET_BRIDGE_PORT $key cert=$cert iat-mode=0"
}

# --- meek and snowflake ----------------------------------------------------

# net_https NAME SCRIPT ARGUMENT...: one of ours that speaks TLS.
net_https()
{
	local name=$1 script=$2 address=$3
	shift 3
	net_spawn "$name" internet "$net_python" "$net_here/$script" \
	    "$address" "$DIR/ca.pem" "$DIR/ca.key" "$@" || return 1
	net_wait 10 grep -qs '^ready' "$DIR/log/$name" ||
	    net_die "$name does not start: $(tail -n 3 "$DIR/log/$name")"
}

net_meek()
{
	net_https meek meek.py "$NET_MEEK4" "$NET_BRIDGE4" 5000
}

# An address for the form, as is usual; nothing is ever sent there.
net_meek_line()
{
	echo "meek_lite 192.0.2.18:80 $(net_fingerprint)" \
	    "url=https://$NET_MEEK/ front=$NET_MEEK_FRONT utls=none"
}

net_snowflake()
{
	net_https snowflake broker.py "$NET_BROKER4" "$NET_STUN4"
}

net_snowflake_line()
{
	echo "snowflake 192.0.2.3:80 2B280B23E1107BB62ABFC40DDCC8824814F80A72" \
	    "url=https://$NET_BROKER/ front=$NET_BROKER_FRONT" \
	    "ice=stun:$NET_STUN:3478"
}

# --- proxies ---------------------------------------------------------------

# net_tinyproxy PORT LINE...
net_tinyproxy()
{
	local conf=$DIR/tinyproxy.$1
	cat >"$conf" <<-END
	User $NET_RELAY_USER
	Listen $NET_PROXY4
	Port $1
	Timeout 600
	LogLevel Info
	MaxClients 100
	END
	shift
	[ $# = 0 ] || printf '%s\n' "$@" >>"$conf"
	echo "$conf"
}

net_listening()
{
	net_in internet ss -Htln "sport = :$1" | grep -q .
}

net_proxy()
{
	local kind=$1 port=${NET_PROXY_PORT[$1]:-} cmd
	[ -n "$port" ] || net_die "proxy: no such kind: $kind"
	case $kind in
	https) cmd=(tinyproxy -d -c "$(net_tinyproxy "$port")") ;;
	https-auth) cmd=(tinyproxy -d -c "$(net_tinyproxy "$port" \
	    "BasicAuth $NET_PROXY_USER $NET_PROXY_PASSWORD")") ;;
	https-deny) cmd=(tinyproxy -d -c "$(net_tinyproxy "$port" \
	    "ConnectPort 1")") ;;
	socks4) cmd=("$net_python" "$net_here/socks4.py" 0.0.0.0 "$port") ;;
	socks5) cmd=(microsocks -i 0.0.0.0 -p "$port") ;;
	socks5-auth) cmd=(microsocks -i "$NET_PROXY4" -p "$port" \
	    -u "$NET_PROXY_USER" -P "$NET_PROXY_PASSWORD") ;;
	mute) cmd=("$net_python" -c "import signal, socket
link = socket.create_server(('$NET_PROXY4', $port))
signal.pause()") ;;
	esac
	if net_dead "proxy-$kind"; then
		net_spawn "proxy-$kind" internet "${cmd[@]}" || return 1
		net_wait 10 net_listening "$port" ||
		    net_die "no proxy: $(tail -n 3 "$DIR/log/proxy-$kind")"
	fi
	echo "$port"
}

# --- the clear side --------------------------------------------------------

net_watch()
{
	net_spawn watch internet "$net_python" "$net_here/sniff.py" inet0 &&
	    net_wait 10 grep -qs '^ready' "$DIR/log/watch"
}
