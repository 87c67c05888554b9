# shellcheck shell=bash disable=SC2154 # lib.bash sets what is used here
# What the tests of the table of listeners share.  Sourced after lib.bash.

# --- the table, as portcullis has it ----------------------------------------

# it_row ADDRESS:PORT .FIELD: of the listener with that address, as JSON text.
it_row()
{
	it_line |
	    jq -r --arg a "$1" \
	    ".listeners.table[] | select(.address == \$a) | $2"
}

it_row_is()
{
	[ "$(it_row "$1" "$2")" = "$3" ]
}

# A status in doubt has neither number, which proves nothing.
it_all_proven()
{
	it_field_is '.listeners |
	    .total != null and .total > 0 and .total == .proven' true
}

# The policy's listeners, as a torrc has them.
it_policy_lines()
{
	"$it_build/portcullisd" -n -v -f "$DIR/portcullis.conf" | sed -n \
	    's/^\t\([A-Za-z]*Port\)="\(.*\)"$/\1 \2/p'
}

# it_proven_is N: as many of the policy's listeners are proven.
it_proven_is()
{
	it_field_is .listeners.proven "$1"
}

# --- Tor's own word, by a controller that is not ours ------------------------

it_torctl()
{
	net_in gateway "$net_python" "$it_src/tests/it/torctl.py" \
	    --cookie "$DIR/tor/control/cookie" 127.0.0.1:9051 "$@"
}

# Every listener of Tor's: "KIND ADDRESS" on each line, sorted.
it_tor_listeners()
{
	it_torctl listeners | sort
}

# it_tor_has KIND ADDRESS:PORT
it_tor_has()
{
	it_tor_listeners | grep -qxF "$1 $2"
}

it_events()
{
	net_spawn events gateway "$net_python" "$it_src/tests/it/torctl.py" \
	    --cookie "$DIR/tor/control/cookie" 127.0.0.1:9051 events "$@" &&
	    net_wait 5 grep -q '^ready' "$DIR/log/events"
}

# it_iso TAG: which fields isolate the stream to the name TAG.$NET_NAME.
it_iso()
{
	sed -n "s/^650 STREAM [0-9]* NEW [0-9]* $1\.$NET_NAME:.* ISO_FIELDS=\([^ ]*\).*/,\1,/p" \
	    "$DIR/log/events" | tail -n 1
}

# it_isolated TAG FIELD
it_isolated()
{
	case $(it_iso "$1") in
	*",$2,"*) return 0 ;;
	esac
	return 1
}

# it_stream_through workstation|gateway ADDRESS:PORT TAG: a page through that
# SocksPort, whose stream "it_iso TAG" then tells about.
it_stream_through()
{
	net_in "$1" curl -sS -g --max-time 20 --socks5-hostname "$2" \
	    "http://$3.$NET_NAME/" 2>/dev/null | grep -q "$NET_TOKEN"
}

# --- knocking ----------------------------------------------------------------

# it_knock workstation|gateway ADDRESS:PORT...: true if all open.
it_knock()
{
	local side=$1
	shift
	net_in "$side" "$net_python" "$it_src/tests/it/knock.py" "$@" \
	    >"$DIR/knocked"
}

# it_knock_none SIDE ADDRESS:PORT...: true if not a single one opens.
it_knock_none()
{
	it_knock "$@"
	! grep '^ok' "$DIR/knocked" | head -n 5 | grep .
}

# it_knocker NAME ADDRESS:PORT...: from the workstation, without end.
it_knocker()
{
	local name=$1
	shift
	net_spawn "$name" workstation "$net_python" \
	    "$it_src/tests/it/knock.py" --every 15 "$@"
}

# it_knocks NAME ok|no: how many so far.
it_knocks()
{
	grep -c "^$2 " "$DIR/log/$1"
}

it_knocks_more() # NAME ok|no COUNT
{
	[ "$(it_knocks "$1" "$2")" -gt "$3" ]
}

# it_undisturbed NAME NO: knocks went on, and none more than NO failed.  A
# knock that failed is told only after its time-out; hence the wait.
it_undisturbed()
{
	local ok
	ok=$(it_knocks "$1" ok)
	sleep 0.8
	[ "$(it_knocks "$1" no)" = "$2" ] && it_knocks_more "$1" ok "$ok"
}

# The positive control: the knocker does see it when packets do not pass.
it_knocker_can_fail()
{
	local no
	no=$(it_knocks "$1" no)
	it_portcullis hold >/dev/null
	net_wait 5 it_knocks_more "$1" no "$no"
}

# --- the table of a Whonix gateway -------------------------------------------

# The shipped policy, with this network's paths: what differs is in conf.d.
it_whonix_policy()
{
	mkdir -p "$DIR/conf.d" &&
	    cat >"$DIR/conf.d/test.conf" <<-END || return 1
	tor {
		user = "$NET_TOR_USER"
		control = "unix:$DIR/tor/control/socket"
		cookie_file = "$DIR/tor/control/cookie"
	}
	gateway { run_dir = "$DIR/run" }
	users {
		gate = $IT_GATE_UID
		engine = $IT_ENGINE_UID
		status = $IT_STATUS_UID
	}
	END
	sed "s|unix:/run/tor/socks|unix:$DIR/tor/control/socks|" \
	    "$it_src/policy/whonix-gateway.conf" >"$DIR/portcullis.conf"
}

# The golden table as GETCONF has it: "OPTION ADDRESS FLAG..." lines, with the
# flags in order.
it_whonix_lines()
{
	sh "$it_src/tests/golden/whonix.sh" --print |
	    sed "s|unix:/run/tor/socks|unix:$DIR/tor/control/socks|" | sort
}

# ... and as GETINFO net/listeners has it: "KIND ADDRESS" lines.
it_whonix_table()
{
	it_whonix_lines | sed 's/^\([A-Za-z]*\)Port \([^ ]*\).*/\L\1\E \2/' | sort
}

# Tor's GETCONF in the form of it_whonix_lines.
it_tor_lines()
{
	local option address flags
	net_tor_ctl "GETCONF SocksPort HTTPTunnelPort TransPort DNSPort" |
	    tr -d '\r' | sed -n 's/^250[- ]\([A-Za-z]*Port\)=/\1 /p' |
	    while read -r option address flags; do
		# shellcheck disable=SC2046,SC2086 # a list of words
		echo "$option $address" $(printf '%s\n' $flags | sort)
	    done | tr -d '"' | sort
}

# What "portcullis listeners" shows, in the same form.
it_shown()
{
	it_line |
	    jq -r '.listeners.table[] | "\(.kind) \(.address)"' | sort |
	    cmp - "$DIR/expected"
}

it_unix_fetch()
{
	net_in gateway curl -sS --max-time 20 \
	    --proxy "socks5h://localhost$DIR/tor/control/socks" \
	    "http://$NET_NAME/" | grep -q "$NET_TOKEN"
}
