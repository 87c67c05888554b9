# shellcheck shell=bash disable=SC2154 # lib.bash sets what is used here
# What the tests of bridges, transports, proxies and their names share: a
# policy with a resolver and transports, the status's words about them, and
# who asked the clear side for names.  Sourced instead of lib.bash.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"

# shellcheck disable=SC2034 # constants for those who source this
{
IT_RESOLVER_UID=64004
IT_STUB_PORT=5453
IT_TIMEOUT_MS=2000
IT_SLOW=slow:1 # late, but in time
}
# The torrc.d file of an applied change.
it_kept() { echo "$DIR/torrc.d/45_portcullis.conf"; }

for it_program in obfs4proxy snowflake-client tinyproxy microsocks; do
	type -P $it_program >/dev/null || it_skip "there is no $it_program"
done

# --- the policy ------------------------------------------------------------

# it_resolver [LINE...]: a section resolver, with more lines.
it_resolver()
{
	echo "resolver {"
	[ $# -gt 0 ] || echo "	address = \"$NET_DNS4\""
	[ $# = 0 ] || printf '\t%s\n' "$@"
	echo "	timeout_ms = $IT_TIMEOUT_MS"
	echo "	stub_port = $IT_STUB_PORT"
	echo "}"
}

# it_transport NAME PROGRAM [LINE...]
it_transport()
{
	echo "transport \"$1\" {"
	echo "	program = \"$2\""
	shift 2
	[ $# = 0 ] || printf '\t%s\n' "$@"
	echo "}"
}

# The transports as they are in practice; obfs4's bridge line if there is one.
it_transports()
{
	local stock=()
	net_dead bridge || stock=("bridge = { \"$(net_bridge_line)\" }")
	it_transport obfs4 /usr/bin/obfs4proxy "${stock[@]}"
	it_transport meek /usr/bin/obfs4proxy 'methods = { "meek_lite" }' \
	    'dns = true'
	it_transport snowflake /usr/bin/snowflake-client 'dns = true' \
	    'udp = true'
}

# it_uplink_policy [SECTIONS...]: each is a function of the above.
it_uplink_policy()
{
	local section
	mkdir -p "$DIR/torrc.d"
	[ $# -gt 0 ] || set -- it_resolver it_transports
	{
		it_policy | sed -e "s|^tor {|&\n\ttorrc = \"$(it_kept)\"|" \
		    -e "s|^users {|&\n\tresolver = $IT_RESOLVER_UID|"
		for section; do
			$section
		done
	} >"$DIR/portcullis.conf"
}

# it_plugin [METHOD]: Tor's line for the policy's transports.
it_plugin()
{
	case $1 in
	obfs4) echo "ClientTransportPlugin obfs4 exec /usr/bin/obfs4proxy" ;;
	meek) echo "ClientTransportPlugin meek_lite exec" \
	    "/usr/bin/obfs4proxy" ;;
	snowflake) echo "ClientTransportPlugin snowflake exec" \
	    "/usr/bin/snowflake-client" ;;
	esac
}

# it_tor_with LINE...: a Tor that knows nothing yet, with these in its torrc.
it_tor_with()
{
	net_stop tor
	rm -rf "$DIR/tor/data" "$(it_kept)"
	[[ $* = *%include* ]] || set -- "%include $DIR/torrc.d/*.conf" "$@"
	printf '%s\n' "$@" >"$DIR/tor/torrc.extra"
	net_tor_start --no-wait
}

# it_tor_bridges METHOD LINE...
it_tor_bridges()
{
	local plugin
	plugin=$(it_plugin "$1")
	shift
	it_tor_with "UseBridges 1" "$plugin" "${@/#/Bridge }"
}

# --- what the status says --------------------------------------------------

# it_name NAME FIELD
it_name()
{
	it_line | jq -r --arg n "$1" \
	    ".uplink.names[]? | select(.name == \$n) | .$2"
}

# it_name_is NAME STATE: one, or several with "|" between.
it_name_is()
{
	[[ $(it_name "$1" state) =~ ^($2)$ ]]
}

# it_carrier METHOD FIELD: of a transport.
it_carrier()
{
	it_line | jq -r --arg n "$1" \
	    ".uplink.transports[]? | select(.method == \$n) | .$2"
}

it_carrier_is()
{
	[ "$(it_carrier "$1" state)" = "$2" ]
}

it_carrier_said()
{
	case $(it_carrier "$1" said) in
	*"$2"*) return 0 ;;
	esac
	return 1
}

# it_says TEXT...: all of them in the sentence of the reason or the advice.
it_says()
{
	local said text
	said=$(it_field '.reason.text + " " + (.advice // "")')
	for text; do
		case ${said,,} in
		*"${text,,}"*) ;;
		*) return 1 ;;
		esac
	done
}

# The same with a deadline; on failure what it said instead.
it_comes_to_say()
{
	net_wait "$1" it_says "${@:2}" && return 0
	it_field '"   it says: " + .reason.text + " / " + (.advice // "")'
	return 1
}

# it_stuck WHAT SECONDS WORD...: closed, and the status says so.
it_stuck()
{
	it_check "$1: the status says so" it_comes_to_say "${@:2}"
	it_check "$1: closed" it_wait_for closed 5
	it_check "$1: Tor lives" net_alive tor
}

# --- changes ---------------------------------------------------------------

# it_apply [--dry-run] TEXT: its answer is in $DIR/apply.
it_apply()
{
	local options=("${@:1:$#-1}")
	it_portcullis apply "${options[@]}" - <<<"${!#}" >"$DIR/apply" 2>&1
}

# it_proxy_json TYPE HOST PORT [USER PASSWORD]
it_proxy_json()
{
	jq -nc --arg type "$1" --arg host "$2" --argjson port "$3" \
	    --arg user "${4:-}" --arg password "${5:-}" \
	    '{bridges: "none", proxy: ({type: $type, host: $host, port: $port}
	    + if $user == "" then {} else {user: $user, password: $password}
	    end)}'
}

# it_bridges_json LINE...
it_bridges_json()
{
	jq -nc '{proxy: "none", bridges: $ARGS.positional}' --args "$@"
}

# The same, which is to succeed.
it_applied()
{
	it_apply "$@" && return 0
	sed 's/^/   it answered: /' "$DIR/apply"
	return 1
}

# The status hears of it a moment after who asked.
it_change_is()
{
	net_wait 2 it_field_is .uplink.change.step "$1" && return 0
	echo "   it is: $(it_field .uplink.change.step)"
	return 1
}

it_answer_has()
{
	grep -qiF -- "$1" "$DIR/apply" && return 0
	sed 's/^/   it answered: /' "$DIR/apply"
	return 1
}

# it_conf OPTION: Tor's value, all of them.
it_conf()
{
	net_tor_ctl "GETCONF $1" | sed -n "s/^250[- ]$1=*//p" | tr '\n' ' '
}

it_conf_is()
{
	[ "$(it_conf "$1")" = "$2 " ]
}

# --- who asks for names ----------------------------------------------------

# DNS that leaves the gateway, by whose it is; counted behind all filters.
it_watch_start()
{
	net_watch && net_in gateway nft -f - <<-END
	table inet test_watch {
		counter resolver { }
		counter others { }
		chain leaves {
			type filter hook postrouting priority 300
			oifname != "eth0" return
			meta l4proto != { tcp, udp } return
			th dport != { 53, 853 } return
			meta skuid $IT_RESOLVER_UID counter name resolver return
		# The last of a connection, whose socket it has closed.
		ct mark & 0x08000000 != 0 counter name resolver return
			counter name others
		}
	}
	END
}

# it_watched resolver|others: packets of theirs.
it_watched()
{
	net_in gateway nft -j list counter inet test_watch "$1" |
	    jq '.nftables[] | select(.counter) | .counter.packets'
}

it_watch_reset()
{
	net_in gateway nft reset counters table inet test_watch >/dev/null
	: >"$DIR/log/watch"
}

# The names that the clear side saw asked for, once each.
it_asked()
{
	awk '$2 ~ /^(udp|tcp)$/ && $6 ~ /^(53|853)$/ { print $7 }' \
	    "$DIR/log/watch" | sort -u | tr '\n' ' '
}

it_asked_is()
{
	[ "$(it_asked)" = "$1" ]
}

# it_asked_only NAME...: these and no other name, by nobody but our resolver,
# of nobody but the configured one.
it_asked_only()
{
	local wanted
	wanted=$(printf '%s\n' "$@" | sort -u | tr '\n' ' ')
	# The sniffer may be behind, on a loaded machine.
	net_wait 5 it_asked_is "$wanted" && it_asked_ours && return 0
	echo "   asked for: $(it_asked); others: $(it_watched others)"
	return 1
}

it_asked_ours()
{
	awk '$2 ~ /^(udp|tcp)$/ && $6 ~ /^(53|853)$/ &&
	    ($3 != "10.0.2.15" || $5 != "'"$NET_DNS4"'") { bad = 1; print }
	    END { exit bad }' "$DIR/log/watch" &&
	    [ "$(it_watched others)" = 0 ]
}

# Nothing at all, not even ours.
it_asked_nothing()
{
	[ -z "$(it_asked)" ] && [ "$(it_watched others)" = 0 ]
}

# UDP to anywhere but port 53, as "ADDRESS:PORT ", once each.
it_datagrams()
{
	awk '$2 == "udp" && $6 != 53 { print $5 ":" $6 }' "$DIR/log/watch" |
	    sort -u | tr '\n' ' '
}

# it_dig USER SERVER NAME [OPTION...]: its answer's code, or "none".
it_dig()
{
	local user=$1 server=$2 name=$3 code
	shift 3
	code=$(net_in gateway setpriv --reuid "$user" --regid nogroup \
	    --clear-groups dig +tries=1 +time=1 "$@" "@$server" "$name" A \
	    2>/dev/null | sed -n 's/.*status: \([A-Z]*\),.*/\1/p')
	echo "${code:-none}"
}

it_dig_is()
{
	local code
	code=$(it_dig "${@:2}")
	[ "$code" = "$1" ] && return 0
	echo "   got: $code"
	return 1
}

# The positive control: without our rules root's question is seen.
it_watch_works()
{
	it_watch_start || return 1
	it_dig_is NXDOMAIN root "$NET_DNS4" control.example &&
	    net_wait 5 grep -q control.example "$DIR/log/watch" &&
	    [ "$(it_watched others)" -gt 0 ] && it_watch_reset
}
