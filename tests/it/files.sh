#!/bin/bash
# A Tor that may not have as many open files as the policy has listeners.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
# 1,200; Tor does not start with less than a thousand files.
it_few_files=1100
{
	it_policy | sed '/^listener /,$d'
	cat <<-END
	listener "many" {
		kind = "socks"
		address = { "$NET_GW4", "$NET_GW6" }
		port = { "10000-10599" }
	}
	END
} >"$DIR/portcullis.conf"
it_tor_with_files() # LIMIT: hard, or Tor raises it
{
	(
		ulimit -n "$1" && net_tor_start
	)
}
it_tor_cpu() # in ms
{
	awk '{ print int($1 / 1000000) }' "/proc/$(net_pid tor)/schedstat"
}

it_need "Tor starts with few files" it_tor_with_files $it_few_files
it_start
it_check "the status says what is wrong" net_wait 30 it_field_is \
    .reason.code too-many-files
it_check "and it stays closed" it_knock_none workstation "$NET_GW4:10000"
sleep 10
cpu=$(it_tor_cpu)
sleep 5
it_check "Tor is not kept busy by it" [ $(($(it_tor_cpu) - cpu)) -lt 500 ]
it_check "the reason is the same" it_field_is .reason.code too-many-files

net_stop tor
it_need "Tor starts with enough files" it_tor_with_files 4096
it_check "opens" it_wait_for open 60
it_check "all are proven" net_wait 20 it_all_proven
it_check "the first is reached" it_knock workstation "$NET_GW4:10000"
it_check "the last is reached" it_knock workstation "[$NET_GW6]:10599"
it_end
