#!/bin/bash
# The keeper and the resolver: there only if the policy has one, its own
# user, started again when it dies, and linked with the engine each time.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin_bare
RESOLVER_UID=64004
log=$DIR/log/portcullisd

new_resolver()
{
	local pid
	pid=$(it_process reso) && [ "$pid" != "$1" ]
}
links()
{
	[ "$(grep -c 'resolver.: the engine is there' "$log")" -ge "$1" ]
}
status()
{
	sed -n "s/^$1:[[:blank:]]*//p" "/proc/$pid/status" | tr -s '\t ' ' '
}

# --- without one -----------------------------------------------------------

it_start -v
it_check "the engine runs" net_wait 10 grep -q 'started engine' "$log"
sleep 0.5
it_check "no resolver in the policy, no process" it_not it_process reso
it_stop

# --- with one --------------------------------------------------------------

sed -i "s/^\([[:blank:]]*\)status = .*/&\n\1resolver = $RESOLVER_UID/" \
    "$DIR/portcullis.conf"
echo 'resolver { address = "198.18.0.53" }' >>"$DIR/portcullis.conf"
: >"$log"
it_start -v
it_check "it is started" net_wait 10 it_process reso
pid=$(it_process reso)
net_wait 5 links 1
it_check "as its own user" [ "$(status Uid)" = \
    "$RESOLVER_UID $RESOLVER_UID $RESOLVER_UID $RESOLVER_UID" ]
it_check "in no group" [ -z "$(status Groups | tr -d ' ')" ]
for set in CapEff CapPrm CapInh CapAmb; do
	it_check "without capabilities: $set" [ "$(status $set)" = 0000000000000000 ]
done
it_check "without new privileges" [ "$(status NoNewPrivs)" = 1 ]
it_check "linked with the engine" links 1
it_check "with four descriptors of its own at most" [ "$(find "/proc/$pid/fd" \
    -type l -lname 'socket:*' | wc -l)" -le 4 ]

kill -KILL "$pid"
it_check "killed: there again" net_wait 5 new_resolver "$pid"
it_check "killed: linked again" net_wait 5 links 2
pid=$(it_process reso)
kill -KILL "$(it_process engi)"
it_check "the engine killed: linked with the next one" net_wait 5 links 3
it_check "the same resolver" [ "$(it_process reso)" = "$pid" ]
kill -STOP "$pid"
read -ra family < <(it_family | tr '\n' ' ')
it_stop
it_check "all end when told to, also one that hangs" net_wait 6 \
    it_gone "${family[@]}"

# --- a user that will not do -----------------------------------------------

sed -i "s/resolver = $RESOLVER_UID/resolver = 0/" "$DIR/portcullis.conf"
it_check "root is refused" it_not "$it_build/portcullisd" -n \
    -f "$DIR/portcullis.conf" >/dev/null 2>&1
sed -i "s/resolver = 0/resolver = $IT_ENGINE_UID/" "$DIR/portcullis.conf"
it_check "the engine's is refused" it_not "$it_build/portcullisd" -n \
    -f "$DIR/portcullis.conf" >/dev/null 2>&1
it_end
