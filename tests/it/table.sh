#!/bin/bash
# The whole table of a Whonix gateway, 333 listeners, on a real Tor.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
it_whonix_policy || exit 1
it_whonix_table >"$DIR/expected"
it_check "the golden table has 333 lines" [ "$(wc -l <"$DIR/expected")" = 333 ]
it_check "each of them once" [ -z "$(uniq -d "$DIR/expected")" ]

# Held, everything is provisioned and nothing is let in.
it_start
it_need "closed at first" it_wait_for closed 20
it_portcullis hold >/dev/null
net_tor_start --no-wait
it_equal()
{
	it_tor_listeners >"$DIR/tors" 2>/dev/null &&
	    cmp -s "$DIR/expected" "$DIR/tors"
}
it_same_lines()
{
	it_tor_lines | diff "$DIR/lines" -
}
it_check "Tor's listeners are exactly the table" net_wait 30 it_equal
diff "$DIR/expected" "$DIR/tors" | head
it_need "all 333 are proven" net_wait 30 it_proven_is 333
it_check "the table that we show is the same" it_shown
it_whonix_lines >"$DIR/lines"
it_check "and Tor's lines have the table's flags" it_same_lines
it_all_rows() # CONDITION: of how many listeners it holds
{
	it_field "[.listeners.table[] | select($1)] | length"
}
it_check "all flags are known to be in force" [ "$(it_all_rows \
    .flags_sure)" = 333 ]
it_check "all sockets are Tor's own" [ "$(it_all_rows \
    ".uid == $(id -u "$NET_TOR_USER")")" = 333 ]
ports=$(sed -n "s/^\(socks\|httptunnel\) \(.*\)/\2/p" "$DIR/expected" |
    grep -e "^$NET_GW4:" -e "^\[$NET_GW6\]:")
# shellcheck disable=SC2086 # a list of words
set -- $ports
it_check "the workstation's TCP ports are two hundred" [ $# = 200 ]
it_check "held: it reaches none of them" it_knock_none workstation "$@"

it_portcullis release >/dev/null
it_check "released: opens" it_wait_for open 30
it_check "it reaches every one of them" it_knock workstation "$@"
it_states() # STATE: how many of them "portcullis listeners" shows
{
	it_portcullis listeners --json |
	    jq "[.[] | select(.state == \"$1\")] | length"
}
it_check "all but the Unix socket are shown as open" [ \
    "$(it_states open) $(it_states proven)" = "332 1" ]
it_check "but not what is for the gateway alone" it_knock_none workstation \
    "$NET_GW4:9041" "$NET_GW4:5400" "[$NET_GW6]:9041"
it_whonix_fetch() # ADDRESS:PORT
{
	it_curl --socks5-hostname "$1" "http://$NET_NAME/" |
	    grep -q "$NET_TOKEN"
}
for port in "$NET_GW4:9050" "$NET_GW4:9101" "[$NET_GW6]:9150" \
    "$NET_GW4:9152" "[$NET_GW6]:9189"; do
	it_check "a page through $port" it_retry 20 it_whonix_fetch "$port"
done
for way in tunnel4 trans4 trans6; do
	it_check "a page through $way" it_retry 20 it_fetch $way
done
it_check "a name through DNSPort, IPv4" it_retry 20 it_resolve "$NET_GW4"
it_check "a name through DNSPort, IPv6" it_retry 20 it_resolve "$NET_GW6"
it_check "the gateway's own: a page through the Unix socket" it_retry 20 \
    it_unix_fetch
it_check "nothing leaks" it_leaks_nothing

# Nobody left to renew the lease: all of them fall at once.
gate=$(it_pid gate) || exit 1
kill -STOP "$(net_pid portcullisd)" # or it starts another one
kill -KILL "$gate"
it_check "the gate is killed" net_wait 5 it_gone "$gate"
it_check "none of them is reached" it_knock_none workstation "$@"
it_check "though Tor has them all (positive control)" it_equal
kill -CONT "$(net_pid portcullisd)"
# The status may speak of the old one for a second.
it_new_gate_open()
{
	! it_field_is .gate.pid "$gate" &&
	    it_field_is .firewall.position open
}
it_check "a new gate opens" net_wait 30 it_new_gate_open
it_check "all 333 are proven" net_wait 10 it_proven_is 333
it_check "it reaches every one of them again" it_knock workstation "$@"
it_end
