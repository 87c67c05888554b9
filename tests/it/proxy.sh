#!/bin/bash
# HTTP and SOCKS5 proxies, by address and by name, that work and that do not:
# Tor gets addresses only, lives through all of it, and the status says what
# is wrong with which.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
for kind in https https-auth https-deny socks4 socks5 socks5-auth mute; do
	net_proxy $kind >/dev/null
done
it_need "without our rules root's question is seen (positive control)" \
    it_watch_works
it_uplink_policy
it_start
it_tor_with ""
it_need "straight: open" it_wait_for open 60
tor=$(net_pid tor)

it_same_tor()
{
	[ "$(net_pid tor)" = "$tor" ]
}

declare -A option=([https]=HTTPSProxy [socks4]=Socks4Proxy
    [socks5]=Socks5Proxy)
declare -A log=([https]="Request.*CONNECT" [socks4]="connected to"
    [socks5]="connected to")

# it_proxied KIND: what it carried, it has a log of.
it_proxied()
{
	grep -q "${log[$1]}" "$DIR/log/proxy-$1"
}

for kind in socks4 https socks5; do
	port=${NET_PROXY_PORT[$kind]}
	for way in ok slow; do
		[ $kind$way != socks4slow ] || continue # as SOCKS5
		name=$kind-$way.portcullis.test
		net_dns "$name" "${way/slow/$IT_SLOW}" "$NET_PROXY4"
		it_watch_reset
		: >"$DIR/log/proxy-$kind"
		it_check "$kind, $way: applied" it_applied \
		    "$(it_proxy_json $kind "$name" "$port")"
		it_check "$kind, $way: kept" it_change_is kept
		it_check "$kind, $way: Tor has the address" it_conf_is \
		    "${option[$kind]}" "$NET_PROXY4:$port"
		it_check "$kind, $way: open" it_wait_for open 20
		it_check "$kind, $way: a page" it_retry 20 it_fetch socks4
		it_check "$kind, $way: ... through it" it_proxied $kind
		it_check "$kind, $way: the status has it" \
		    it_field_is .uplink.proxy.kind $kind
		it_check "$kind, $way: the name's" it_name_is "$name" ok
		it_check "$kind, $way: only our resolver asked for it" \
		    it_asked_only "$name"
	done
	[ $kind != socks4 ] || continue
	worked=$name
	for way in nxdomain refused silent; do
		name=$kind-$way.portcullis.test
		net_dns "$name" $way "$NET_PROXY4"
		it_check "$kind, $way: not applied" it_not it_apply \
		    "$(it_proxy_json $kind "$name" "$port")"
		it_check "$kind, $way: refused" it_change_is refused
		it_check "$kind, $way: the answer names it" \
		    it_answer_has "$name"
		it_check "$kind, $way: what worked is in force" it_conf_is \
		    "${option[$kind]}" "$NET_PROXY4:$port"
	done
	it_check "$kind: a page all the same" it_retry 20 it_fetch socks4
	it_check "$kind: Tor has lived through it" it_same_tor
	it_check "$kind: nobody else asked" it_asked_ours
done
it_check "the last one's file has its name, not for Tor" \
    grep -q "^#.*$worked" "$(it_kept)"

# It moves: Tor hears of it when the old answer's time is over, and not before
# that; meanwhile others are tried.
net_dns "$worked" ok "$NET_PROXY4B"

# it_refused WHAT TYPE HOST PORT WORD [USER PASSWORD]
it_refused()
{
	it_check "$1: not applied" it_not it_apply \
	    "$(it_proxy_json "$2" "$3" "$4" "${@:6}")"
	it_check "$1: refused" it_change_is refused
	it_check "$1: the answer says why" it_answer_has "$5"
}

it_refused "nobody listens" https "$NET_PROXY4" $NET_PORT_SHUT refuse
it_refused "it never answers" https "$NET_PROXY4" 7 answer
it_refused "it never answers, SOCKS5" socks5 "$NET_PROXY4" 7 answer
it_refused "the network swallows it" https "$NET_NOBODY4" 3128 answer
it_refused "a web server" https "$NET_PROXY4" $NET_PORT_WEB proxy
it_refused "a web server, SOCKS5" socks5 "$NET_PROXY4" $NET_PORT_WEB proxy
it_refused "a password is missing" https "$NET_PROXY4" 3129 password
it_refused "a password is wrong" socks5 "$NET_PROXY4" 1081 password ann nO-n0
it_refused "it lets nobody through" https "$NET_PROXY4" 3130 403
it_check "... a page all the same" it_retry 20 it_fetch socks4
it_check "... and the same Tor" it_same_tor
it_check "a name's time is over: Tor has the new address" net_wait 40 \
    it_conf_is Socks5Proxy "$NET_PROXY4B:${NET_PROXY_PORT[socks5]}"
it_check "... open" it_wait_for open 20
it_check "... a page" it_retry 20 it_fetch socks4
it_check "... and the same Tor" it_same_tor
it_check "... only our resolver asked" it_asked_ours

for kind in https socks5; do
	it_check "$kind with a password: applied" it_applied "$(it_proxy_json \
	    $kind "$NET_PROXY4" "${NET_PROXY_PORT[$kind-auth]}" \
	    "$NET_PROXY_USER" "$NET_PROXY_PASSWORD")"
	it_check "$kind with a password: open" it_wait_for open 20
	it_check "$kind with a password: a page" it_retry 20 it_fetch socks4
done
it_check "its file is for nobody else" \
    [ "$(stat -c %a "$(it_kept)")" = 640 ]
it_portcullis status --json >"$DIR/status"
it_portcullis status >>"$DIR/status"
it_portcullis names >>"$DIR/status" 2>&1
for file in status log/portcullisd log/tor apply; do
	it_check "no password in $file" it_not grep -qF \
	    -e "$NET_PROXY_PASSWORD" -e nO-n0 "$DIR/$file"
done

it_check "straight again: applied" it_applied '{"bridges":"none","proxy":"none"}'
it_check "straight again: open" it_wait_for open 20
it_check "... and a page" it_retry 20 it_fetch socks4
it_check "... and no proxy" it_field_is .uplink.proxy null

# A Tor that somebody gave a name, which it could resolve before we came.
it_stop
net_in gateway "$it_build/portcullisd" --remove-rules
rm -f "$(it_kept)"
it_tor_with "HTTPSProxy $NET_PROXY:3128"
net_wait 30 net_tor_phase PROGRESS=100
it_watch_reset
it_start
it_check "a name in torrc: open" it_wait_for open 40
it_check "... Tor has the address in its place" net_wait 10 \
    it_conf_is HTTPSProxy "$NET_PROXY4:3128"
it_check "... only our resolver asked" it_asked_only "$NET_PROXY"
it_check "... and a page" it_retry 20 it_fetch socks4
it_end
