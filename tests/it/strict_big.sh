#!/bin/bash
# A consensus of 10,000 relays, anew every 3 s: the gate stays open meanwhile,
# since no probe waits too long, and each list comes into force.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin
count=${STRICT_RELAYS:-10000}
sed -i -e 's/^tor {/&\n\tegress = "strict"/' -e "s|control/socket|control/big|" \
    "$DIR/portcullis.conf"
net_spawn big gateway setpriv --reuid "$NET_TOR_USER" \
    --regid "$(id -g "$NET_TOR_USER")" --clear-groups \
    "$net_python" "$it_src/tests/it/big_consensus.py" "$DIR/tor/control/big" \
    "$DIR/tor/control/socket" "$count" "${STRICT_PAUSE_MS:-100}" \
    198.18.1.1:5000 198.19.1.1:5000 198.51.100.11:5000 \
    203.0.113.21:5000 192.0.2.22:5000
it_need "Tor has many relays" net_wait 10 grep -q ready "$DIR/log/big"

it_start
it_need "opens" it_wait_for open 60
# The three directory ports come from the configuration.
it_many()
{
	[ "$(net_in gateway nft list ruleset | grep -o ' 10\.[0-9.]* \. 90[0-9]*' |
	    wc -l)" = "$count" ]
}
it_check "all $count are in force" net_wait 20 it_many
epoch=$(it_field .firewall.epoch)
it_fetches()
{
	local end=$(($(net_clock) + 1500))
	while [ "$(net_clock)" -lt $end ]; do
		it_fetch socks4 || return 1
		sleep 0.5
	done
}
it_check "pages through Tor for 15 s" it_fetches
it_check "it was open all the time" it_field_is .firewall.epoch "$epoch"
it_check "the status knows no position but open" it_field_is .firewall.position open
swaps=$(grep -c '^ns ' "$DIR/log/big")
it_check "new ones came meanwhile" [ "$swaps" -ge 4 ]
it_check "the last one is whole" net_wait 10 it_many
worst=$(sed -n 's/^gap //p' "$DIR/log/big" | sort -n | tail -n 1)
slowest=$(sed -n 's/^ns //p' "$DIR/log/big" | sort -n | tail -n 1)
echo "   $swaps lists, the slowest took $slowest ms; probes at most $worst ms" \
    "apart"
it_check "no probe came later than half the lease after its time" \
    [ "${worst:-9999}" -lt 750 ]
it_end
