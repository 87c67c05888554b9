#!/bin/bash
# "apply": a change of how Tor gets out is made as a whole, kept if it works,
# and else it is as if it had never been.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
line=$(net_bridge)
it_need "without our rules root's question is seen (positive control)" \
    it_watch_works
it_uplink_policy
it_start
it_tor_with ""
it_need "straight: open" it_wait_for open 60

it_straight()
{
	it_conf_is UseBridges 0 && it_conf_is HTTPSProxy ""
}

# --- not even tried --------------------------------------------------------

# it_declines WHAT TEXT
it_declines()
{
	it_check "$1: declined" it_not it_apply "$2"
	it_check "$1: nothing has changed" it_straight
}

it_declines "no change at all" ""
it_declines "no JSON" '{"bridges":'
it_declines "another option" "SocksPort 0.0.0.0:9050"
it_declines "an option behind a bridge" "$(it_bridges_json "$line
SocksPort 9999")"
it_declines "an option behind a password" "$(it_proxy_json https \
    "$NET_PROXY4" 3129 ann "x
ControlPort 9999")"
it_declines "another program" "UseBridges 1
Bridge $line
ClientTransportPlugin obfs4 exec /bin/sh -c id"
it_declines "a program's argument more" "UseBridges 1
Bridge $line
ClientTransportPlugin obfs4 exec /usr/bin/obfs4proxy -enableLogging"
it_declines "a bridge by name" "UseBridges 1
Bridge bridge.portcullis.test:443"
it_declines "a transport that the policy has not" "UseBridges 1
Bridge webtunnel 192.0.2.7:443 url=https://example.com/x"
it_check "nobody has asked for a name" it_asked_nothing

it_check "a dry run: nothing wrong" it_applied --dry-run \
    "$(it_bridges_json "$line")"
it_check "a dry run: checked" it_change_is checked
it_check "a dry run: nothing has changed" it_straight
it_check "a dry run: no file" it_not test -e "$(it_kept)"
it_check "still open" it_wait_for open 5

# --- kept ------------------------------------------------------------------

it_check "bridges by the transport's name: applied" \
    it_applied '{"bridges":"obfs4","proxy":"none"}'
it_check "... kept" it_change_is kept
it_check "... Tor has the policy's line" it_conf_is Bridge "$line"
it_check "... open" it_wait_for open 20
it_check "... a page" it_retry 20 it_fetch socks4
it_check "... the file is root's" \
    [ "$(stat -c %U "$(it_kept)")" = root ]
it_check "... Tor's group's to read, and nobody else's" \
    [ "$(stat -c %G:%a "$(it_kept)")" = "$(id -gn "$NET_TOR_USER"):640" ]
it_check "... of nothing else in the folder" \
    [ "$(ls -A "$DIR/torrc.d")" = "$(basename "$(it_kept)")" ]
it_check "... with the bridge" grep -qxF "Bridge $line" "$(it_kept)"
it_tor_verifies()
{
	net_in gateway "$net_tor" --defaults-torrc "$DIR/empty" \
	    -f "$(it_kept)" --verify-config >"$DIR/verify" 2>&1
}
it_check "... which Tor can read" it_tor_verifies

# --- rolled back -----------------------------------------------------------

# Of another identity: Tor would go on using the connection that it has.
bad=$(net_bridge --bad-key)
before=$(cat "$(it_kept)")
it_check "another bridge's fingerprint: not applied" \
    it_not it_apply "$(it_bridges_json "$bad")"
it_check "... rolled back" it_change_is rolled-back
it_check "... the answer says why" it_answer_has fingerprint
it_check "... Tor has the line that worked" it_conf_is Bridge "$line"
it_check "... the file is as it was" [ "$(cat "$(it_kept)")" = "$before" ]
it_check "... open" it_wait_for open 20
it_check "... a page" it_retry 30 it_fetch socks4

# What is seen to be dead before is not set: Tor would go on using the
# connection that it has to a bridge of that identity, and so prove it.
it_check "nobody there: not applied" it_not it_apply \
    "$(it_bridges_json "${line/:$NET_BRIDGE_PORT/:$NET_PORT_SHUT}")"
it_check "... refused" it_change_is refused
it_check "... the answer says why" it_answer_has "nothing answers"
it_check "... Tor has the line that worked" it_conf_is Bridge "$line"
it_check "... still open" it_wait_for open 5

# --- dying in the middle ---------------------------------------------------

it_apply "$(it_bridges_json "$bad")" &
asker=$!
it_check "a change is being watched" net_wait 20 it_change_is watching
kill -KILL "$(it_pid engine)"
wait $asker
it_check "the engine killed amid a change: open all the same" \
    it_wait_for open 60
it_check "... with the line that worked" it_conf_is Bridge "$line"
it_check "... a page" it_retry 30 it_fetch socks4

# --- and back --------------------------------------------------------------

it_check "straight: applied" it_applied '{"bridges":"none","proxy":"none"}'
it_check "... straight" it_straight
it_check "... open" it_wait_for open 20
it_check "... a page" it_retry 20 it_fetch socks4
it_check "torrc lines: applied" it_applied "UseBridges 1
ClientTransportPlugin obfs4 exec /usr/bin/obfs4proxy
Bridge $line"
it_check "... open" it_wait_for open 20
it_check "... a page" it_retry 20 it_fetch socks4
it_check "nobody has asked for a name" it_asked_nothing

# --- the password ----------------------------------------------------------

# Which of ours have run, and whether one had it among what others can see.
it_spy()
{
	local dir name
	while [ ! -e "$DIR/spied" ]; do
		echo round
		for dir in /proc/[0-9]*; do
			{ read -r name <"$dir/comm"; } 2>/dev/null || continue
			case $name in
			portcullis* | tor | obfs4proxy) echo "$name" ;;
			*) continue ;;
			esac
			case $(tr '\0' ' ' 2>/dev/null <"$dir/cmdline") in
			*"$NET_PROXY_PASSWORD"*) echo "told by $name" ;;
			esac
		done
	done >"$DIR/spy" 2>/dev/null
}

# A look that began after now is over: that is the second "round" from now.
it_spied()
{
	[ "$(grep -cx round "$DIR/spy")" -ge "$1" ]
}

# Who asks waits for the end of its input, until it has been looked at.
it_apply_seen()
{
	{
		echo "$1"
		net_wait 60 it_spied $(($(grep -cx round "$DIR/spy") + 2)) >&2
	} | it_portcullis apply - >"$DIR/apply" 2>&1
}

net_proxy socks5-auth >/dev/null
it_spy &
spy=$!
it_check "a proxy with a password: applied" it_apply_seen "$(it_proxy_json \
    socks5 "$NET_PROXY4" "${NET_PROXY_PORT[socks5-auth]}" \
    "$NET_PROXY_USER" "$NET_PROXY_PASSWORD")"
touch "$DIR/spied"
wait $spy
it_check "... Tor has it (positive control)" it_conf_is \
    Socks5ProxyPassword "$NET_PROXY_PASSWORD"
it_check "... the file, too" grep -qF "$NET_PROXY_PASSWORD" "$(it_kept)"
it_check "... who asked was looked at" grep -qx portcullis "$DIR/spy"
it_check "... in no list of processes" it_not grep "told by" "$DIR/spy"
it_portcullis status --json >"$DIR/status"
it_portcullis status >>"$DIR/status"
it_portcullis names >>"$DIR/status" 2>&1
for file in apply status log/portcullisd log/tor; do
	it_check "... not in $file" it_not grep -qF \
	    "$NET_PROXY_PASSWORD" "$DIR/$file"
done
it_end
