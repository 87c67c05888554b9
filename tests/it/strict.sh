#!/bin/bash
# Strict egress with a real Tor: it bootstraps from nothing, reaches what its
# control port named and nothing else, and the list follows what it says.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor

# As Tor's user, to ADDRESS PORT on the clear side.
it_tor_reaches()
{
	net_in gateway setpriv --reuid "$NET_TOR_USER" \
	    --regid "$(id -g "$NET_TOR_USER")" --clear-groups \
	    timeout 2 "$net_python" -c 'import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.5)' "$1" "$2" \
	    2>/dev/null
}

# ADDRESS:PORT of each pair that chain "relays" looks up, sorted, in a line.
it_relays()
{
	net_in gateway nft -j list ruleset | "$net_python" -c 'import json, sys
items = [next(iter(i.items())) for i in json.load(sys.stdin)["nftables"]]
text = json.dumps([v["expr"] for k, v in items
                   if k == "rule" and v["chain"] == "relays"])
print(" ".join(sorted("%s:%d" % tuple(e["concat"]) for k, v in items
      if k == "set" and "\"@%s\"" % v["name"] in text
      and v["name"].startswith("relays") for e in v.get("elem", []))))'
}

it_relays_are()
{
	[ "$(it_relays)" = "$1" ]
}

# The same connections throughout: to a relay, beside its port, elsewhere.
relay="198.18.1.1 5000"
beside="198.18.1.1 8080"
elsewhere="$NET_WEB4 80"
net_spawn decoy internet "$net_python" "$it_src/tests/it/decoy.py" \
    tcp:198.18.1.1:8080
net_wait 5 grep -q ready "$DIR/log/decoy"

it_start
it_need "any: closed and verified" it_wait_for closed 20
for to in "$relay" "$beside" "$elsewhere"; do
	# shellcheck disable=SC2086 # two words
	it_check "any: Tor's user reaches $to (positive control)" \
	    it_tor_reaches $to
done
it_stop
net_in gateway "$it_build/portcullisd" --remove-rules

sed -i 's/^tor {/&\n\tegress = "strict"/' "$DIR/portcullis.conf"
it_start
it_need "strict: closed and verified" it_wait_for closed 20
it_check "strict: no list is in force" it_relays_are ""
for to in "$relay" "$beside" "$elsewhere"; do
	# shellcheck disable=SC2086
	it_check "without a list Tor's user does not reach $to" \
	    it_not it_tor_reaches $to
done

net_tor_start --no-wait
it_need "Tor bootstraps from nothing, and the gate opens" it_wait_for open 90
directories="198.18.1.1:5000 198.18.1.1:7000 198.19.1.1:5000 198.19.1.1:7000"
directories+=" 198.51.100.11:5000 198.51.100.11:7000"
all=$(echo "$directories" 192.0.2.22:5000 203.0.113.21:5000 | tr ' ' '\n' |
    sort | tr '\n' ' ')
all=${all% }
it_check "the list is the authorities and the consensus" net_wait 10 \
    it_relays_are "$all"
# Only the directories at first, so that it could learn of the others.
it_lists()
{
	sed -n 's/.*Tor is to reach \([0-9]*\) .*/\1/p' \
	    "$DIR/log/portcullisd" | tr '\n' ' '
}
it_check "it came with the consensus, not before" [ "$(it_lists)" = "6 8 " ]
it_check "a page through Tor" it_retry 30 it_fetch socks4
it_check "Tor's user reaches a relay" it_tor_reaches 198.18.1.1 5000
for to in "$beside" "$elsewhere"; do
	# shellcheck disable=SC2086
	it_check "Tor's user does not reach $to" it_not it_tor_reaches $to
done

# Nothing else than a bridge, and all the others again.
net_tor_ctl 'SETCONF UseBridges=1 Bridge="203.0.113.21:5000"' >/dev/null
it_check "a bridge is all that can be reached" net_wait 10 \
    it_relays_are 203.0.113.21:5000
it_check "... not the relay" it_not it_tor_reaches 198.18.1.1 5000
it_check "... but the bridge" it_tor_reaches 203.0.113.21 5000
net_tor_ctl 'RESETCONF UseBridges Bridge' >/dev/null
it_check "without bridges: all relays again" net_wait 10 it_relays_are "$all"

# A proxy, which there is none of; Tor's own names for it do not matter.
net_tor_ctl 'SETCONF HTTPSProxy=198.51.100.77:3128' >/dev/null
it_check "a proxy is all that can be reached" net_wait 10 \
    it_relays_are 198.51.100.77:3128
net_tor_ctl 'RESETCONF HTTPSProxy' >/dev/null
it_check "without it: all relays again" net_wait 10 it_relays_are "$all"

# What has no link to Tor has the list all the same.
net_stop tor
it_check "without Tor: closed" it_wait_for closed 10
it_check "... and the list stays" it_relays_are "$all"
kill -KILL "$(it_pid engine)"
sleep 1
it_check "without the engine, too" it_relays_are "$all"
net_tor_start --no-wait
it_check "Tor and engine are back: open" it_wait_for open 60

it_check "a page through Tor" it_retry 30 it_fetch socks4
# Another consensus than the first takes longer than a test may; see
# strict_big.sh.
it_end
