#!/bin/bash
# Who may ask for names: our resolver, for those in the configuration, while
# networking is on, and nobody else for anything.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
net_bridge >/dev/null
net_meek
it_need "without our rules root's question is seen (positive control)" \
    it_watch_works

# Everything that nobody may do, at any time: it_denied WHEN.
it_denied()
{
	local user
	for user in root nobody "$IT_ENGINE_UID" "$IT_RESOLVER_UID"; do
		it_check "$1: no answer for $user, UDP" \
		    it_dig_is none "$user" "$NET_DNS4" evil.example
		it_check "$1: no answer for $user, TCP" \
		    it_dig_is none "$user" "$NET_DNS4" evil.example +tcp
		it_check "$1: the stub is not $user's" it_dig_is none \
		    "$user" 127.0.0.1 "$NET_MEEK_FRONT" -p "$IT_STUB_PORT"
	done
}

# Tor's own user, who is answered by the stub whomever it asks.
it_tor_asks()
{
	it_dig_is "$1" "$NET_TOR_USER" "$2" "${@:3}"
}

it_with_webtunnel()
{
	it_transports
	it_transport webtunnel /usr/bin/obfs4proxy 'dns = true'
}
it_uplink_policy it_resolver it_with_webtunnel
it_start
it_need "closed and verified" it_wait_for closed 20
it_denied "without Tor"

it_tor_bridges meek "$(net_meek_line)"
it_check "Tor bootstraps through meek" it_wait_for open 30
it_check "only our resolver asked, only for the front" \
    it_asked_only "$NET_MEEK_FRONT"
it_denied "open"
for server in "$NET_DNS4" 127.0.0.1 ::1 203.0.113.8; do
	it_check "open: Tor's user gets the name, of $server" \
	    it_tor_asks NOERROR "$server" "$NET_MEEK_FRONT"
	it_check "open: ... by TCP" \
	    it_tor_asks NOERROR "$server" "$NET_MEEK_FRONT" +tcp
	it_check "open: ... and no other name" \
	    it_tor_asks REFUSED "$server" evil.example
	it_check "open: ... by TCP" \
	    it_tor_asks REFUSED "$server" evil.example +tcp
done
# With a front nobody needs the name behind it.
it_check "open: ... nor the hidden one" \
    it_tor_asks REFUSED "$NET_DNS4" "$NET_MEEK"
it_check "what it refused is counted" net_wait 5 eval \
    '[ "$(it_field .uplink.resolver.stub_refused)" -ge 9 ]'
it_check "nothing of it has left" it_asked_only "$NET_MEEK_FRONT"

# Names and addresses of the way out are not written down.
it_check "the log says that a name is known" grep -q \
    "a name that is needed: ok" "$DIR/log/portcullisd"
it_check "... and not which one, or where" it_not grep -qF -e "$NET_MEEK4" \
    -e "$NET_MEEK_FRONT" "$DIR/log/portcullisd"

# Addresses: not in the public status, but for who may know.
it_check "no address in the status" it_not grep -qF "$NET_MEEK4" \
    <<<"$(it_portcullis status --json)"
it_check "verb \"names\" has it" grep -qF "$NET_MEEK4" \
    <<<"$(it_portcullis names 2>&1)"

# It disappears when the transport does.
net_tor_ctl "SETCONF UseBridges=0" >/dev/null
it_check "without bridges no name is needed" net_wait 10 \
    it_field_is '.uplink.names | length' 0
it_check "... and Tor's user gets no answer" net_wait 5 \
    it_tor_asks none "$NET_DNS4" "$NET_MEEK_FRONT"
it_check "... nothing of it has left" it_asked_only "$NET_MEEK_FRONT"

# ... and when Tor does.
net_tor_ctl "SETCONF UseBridges=1" >/dev/null
it_check "with bridges again Tor's user gets the name" net_wait 15 \
    it_dig_is NOERROR "$NET_TOR_USER" "$NET_DNS4" "$NET_MEEK_FRONT"
# webtunnel's way to write a name; no plugin here speaks it.
it_webtunnel=wt.portcullis.test
net_dns "$it_webtunnel" ok "$NET_MEEK4"
it_watch_reset
net_tor_ctl "SETCONF UseBridges=1 Bridge=\"webtunnel 192.0.2.3:443 \
url=https://$it_webtunnel/path ver=0.0.1\" ClientTransportPlugin=\"webtunnel \
exec /usr/bin/obfs4proxy\"" >/dev/null
it_check "webtunnel: its name is known" net_wait 15 it_name_is \
    "$it_webtunnel" ok
it_check "... and answered by the stub" it_tor_asks NOERROR "$NET_DNS4" \
    "$it_webtunnel"
it_check "... the front is not any more" it_tor_asks REFUSED "$NET_DNS4" \
    "$NET_MEEK_FRONT"
it_check "... only our resolver asked for it" it_asked_only "$it_webtunnel"

net_stop tor
it_watch_reset
it_check "without Tor its user gets no answer" net_wait 5 \
    it_tor_asks none "$NET_DNS4" "$NET_MEEK_FRONT"
it_denied "Tor gone"
it_check "... nothing of it has left" it_asked_nothing

# Without the resolver process there is no answer, and it comes back.
net_tor_start --no-wait
it_check "with Tor again the name is there" net_wait 20 \
    it_name_is "$NET_MEEK_FRONT" ok
pid=$(pgrep -P "$(net_pid portcullisd)" -f portcullis-resolver)
it_check "the resolver process is there" [ -n "$pid" ]
kill -KILL "$pid"
it_check "killed, it comes back and answers" net_wait 20 \
    it_tor_asks NOERROR "$NET_DNS4" "$NET_MEEK_FRONT"

# The same by TLS.
it_tls()
{
	it_resolver "address = \"$NET_DNS4\"" 'protocol = "tls"' \
	    "name = \"$it_tls_name\"" "pin = \"$it_tls_pin\""
}
it_stop
it_tls_name=dns.portcullis.test it_tls_pin=$(net_pin)
it_uplink_policy it_tls it_transports
# Under strict egress Tor reaches the front by what the stub has answered.
sed -i 's/^tor {/&\n\tegress = "strict"/' "$DIR/portcullis.conf"
it_watch_reset
it_start
it_check "by TLS, strict egress: open" it_wait_for open 40
it_check "strict egress: a page" it_retry 20 it_fetch socks4
it_check "strict egress: the front's address is one that Tor may reach" \
    grep -qF "$NET_MEEK4" <<<"$(net_in gateway nft list set inet \
    portcullis reach_tor4)"
it_check "by TLS: the name is there" net_wait 15 \
    it_name_is "$NET_MEEK_FRONT" ok
it_check "by TLS: in no clear packet" it_asked_only -
it_check "by TLS: it was asked so" grep -q "$NET_MEEK_FRONT tls" \
    "$DIR/log/dns"
it_stop
it_tls_pin=$(echo another key | openssl dgst -sha256 -binary | base64)
it_uplink_policy it_tls it_transports
it_start
it_check "by TLS: another key is no answer" net_wait 30 \
    it_name_is "$NET_MEEK_FRONT" tls
it_end
