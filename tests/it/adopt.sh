#!/bin/bash
# libcontrolproto's examples, built against what "make install" has put
# somewhere, watch a real Tor's bootstrap, by a port and by a socket.
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor
# shellcheck source=tests/golden/adopt.bash
. "$it_src/tests/golden/adopt.bash"

# example NAME WHERE [SECONDS]: in the face of Tor.  NAME event takes $cookie,
# too.
example()
{
	local own=()
	[ "$1" = poll ] || own=("$cookie")
	adopt_run net_in gateway timeout "${3:-5}" "$adopt/bootstrap-$1" \
	    "$2" "${own[@]}"
}

# refuses NAME WHERE SENTENCE [SECONDS]: one sentence, and 1.
refuses()
{
	example "$1" "$2" "${4:-5}" >"$DIR/said.$1" 2>&1
	[ $? = 1 ] && [ "$(cat "$DIR/said.$1")" = "bootstrap-$1: $3" ] &&
	    return
	sed 's/^/   /' "$DIR/said.$1"
	return 1
}

# each WHERE SENTENCE: both of them.
each()
{
	refuses event "$1" "$1: $2" && refuses poll "$1" "$1: $2"
}

# usage_of NAME [ARGUMENT...]: 2.
usage_of()
{
	local name=$1
	shift
	adopt_run timeout 5 "$adopt/bootstrap-$name" "$@" 2>"$DIR/said"
	[ $? = 2 ] && grep -q "^bootstrap-$name: usage: " "$DIR/said"
}

# fake HOW: at the port and at the socket; stop_fake.
fake()
{
	local script=$it_src/tests/it/fake_control.py
	rm -f "$DIR/fake"
	net_spawn fake gateway "$net_python" "$script" "$1" "$DIR/fake" \
	    "$cookie"
	net_spawn fake-port gateway "$net_python" "$script" "$1" 9051 "$cookie"
	net_wait 5 test -S "$DIR/fake"
}
stop_fake()
{
	net_stop fake
	net_stop fake-port
}

# watches LOG: until Tor is done, and there are steps on the way.
watches()
{
	tail -n 1 "$DIR/log/$1" | grep -q '^100% Done$' &&
	    [ "$(sort -u "$DIR/log/$1" | wc -l)" -gt 2 ]
}

done_at_once()
{
	[ '100% Done' = "$(example "$@")" ]
}

it_need "they compile against the installed library" adopt_build shared
port=127.0.0.1:9051
no_cookie="authentication failed: no permitted method, or another cookie"
it_check "no argument: usage" usage_of event
it_check "no cookie: usage" usage_of event $port
it_check "no argument: usage" usage_of poll
it_check "one too many: usage" usage_of poll $port "$DIR"
cookie=$DIR/fake.cookie
printf '%032d' 0 >"$cookie"
for where in localhost 127.0.0.1 /run/tor/control unix: \
    "unix:/$(printf '%0107d' 0)"; do
	it_check "another form: one sentence" \
	    each "$where" "neither ADDRESS:PORT nor unix:PATH"
done
it_check "no Tor there: one sentence" each $port "Connection refused"
it_check "no socket there: one sentence" \
    each "unix:$DIR/nothing" "No such file or directory"

fake hash
for where in $port "unix:$DIR/fake"; do
	it_check "who does not know the cookie: one sentence" net_wait 3 \
	    each "$where" "$no_cookie"
done
it_check "he was asked" grep -q asked "$DIR/log/fake"
it_check "he was asked" grep -q asked "$DIR/log/fake-port"
it_check "and he was told nothing" it_not grep ALARM "$DIR/log/fake" \
    "$DIR/log/fake-port"
for bad in "" short "$(printf '%033d' 0)"; do
	printf '%s' "$bad" >"$cookie"
	it_check "a file of ${#bad} octets: one sentence" refuses event \
	    "unix:$DIR/fake" "$cookie: not a cookie of 32 octets"
done
rm "$cookie"
it_check "no file: one sentence" \
    refuses event $port "$cookie: No such file or directory"
stop_fake
fake eof
for where in $port "unix:$DIR/fake"; do
	it_check "who hangs up: one sentence" net_wait 3 \
	    each "$where" "closed by the other side"
done
stop_fake
fake http
for where in $port "unix:$DIR/fake"; do
	it_check "another service: one sentence" net_wait 3 \
	    each "$where" "not a Tor control port"
done
stop_fake
fake silence
net_wait 3 net_in gateway "$net_python" -c \
    'import socket; socket.create_connection(("127.0.0.1", 9051))'
refuses poll $port "$port: no reply in time" 15 &
it_check "who says nothing: one sentence, in time" refuses event \
    "unix:$DIR/fake" "unix:$DIR/fake: no reply in time" 15
it_check "... by a port, too" wait $!
stop_fake

net_tor_start --no-wait
net_wait 20 test -S "$DIR/tor/control/socket"
cookie=$DIR/tor/control/cookie
socket=unix:$DIR/tor/control/socket
# In the face of Tor: that the library is not this build's own shows here.
export LD_LIBRARY_PATH=$adopt_lib
net_spawn event-port gateway "$adopt/bootstrap-event" $port "$cookie"
net_spawn event-unix gateway "$adopt/bootstrap-event" "$socket" "$cookie"
net_spawn poll-port gateway "$adopt/bootstrap-poll" $port
net_spawn poll-unix gateway "$adopt/bootstrap-poll" "$socket"
unset LD_LIBRARY_PATH
for name in event-port event-unix poll-port poll-unix; do
	it_check "$name: until 100%" net_wait 60 watches $name
	it_check "$name: it ends" net_wait 5 net_dead $name
done
for where in $port "$socket"; do
	it_check "libevent, a Tor that is done: at once" \
	    done_at_once event "$where"
	it_check "poll, a Tor that is done: at once" done_at_once poll "$where"
done
chmod 644 "$cookie"
printf '%032d' 0 >"$cookie"
for where in $port "$socket"; do
	it_check "the file holds another cookie: one sentence" \
	    each "$where" "$no_cookie"
done
printf x >"$cookie"
it_check "the file holds none: one sentence" \
    refuses poll "$socket" "$cookie: not a cookie of 32 octets"
rm "$cookie"
it_check "there is no file: one sentence" \
    refuses poll $port "$cookie: No such file or directory"
it_end
