#!/bin/bash
# Tor is killed in the middle of a download.
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin
it_start
it_check "opens" it_wait_for open 60

net_spawn download workstation curl -sS -o /dev/null --socks5-hostname \
    "$NET_GW4:9050" "http://$NET_NAME/slow?rate=50000"
flowing()
{
	grep -q "/slow" "$DIR/log/web"
}
it_check "a download runs" net_wait 20 flowing
pid=$(net_pid tor)
it_check "status names Tor's pid" it_field_is .tor.pid "$pid"
kill -KILL "$pid"
it_check "closed after Tor's death" it_wait_for closed 5
it_check "the download is cut" net_wait 30 net_dead download
it_check "status says why" it_field_has .reason.text Tor
it_check "nothing passes" it_fetch_fails

rm -f "$DIR/pids/tor"
net_tor_start --no-wait
it_check "opens again without help" it_wait_for open 60
it_check "and works" it_retry 20 it_fetch socks4
it_check "provisioned and proven anew" it_field_is \
    '.listeners.total == .listeners.proven' true
it_check "status: it was restarted once" it_field_is .tor.restarts 1
it_end
