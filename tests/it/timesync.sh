#!/bin/bash
# Before the clock is right only those who set it get to Tor, and only by their
# own listener; the files that say so come and go.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin
clock_uid=64400
other_uid=64401
clock=$DIR/clock
cat >>"$DIR/portcullis.conf" <<END
timesync {
	required = true
	directory = "$clock"
	users = { $clock_uid }
	listeners = { "clock" }
	# workstations
}
listener "clock" {
	kind = "socks"
	address = { "127.0.0.1", "$NET_GW4", "$NET_GW6" }
	port = 9108
	flags = { "IPv6Traffic" }
}
END

it_at()
{
	it_field_is .position "$1"
}

it_reason_has()
{
	it_field_has .reason.text "$1"
}

# it_asks UID ADDRESS:PORT: a page through that listener, on the gateway.
it_asks()
{
	net_in gateway setpriv --reuid "$1" --regid "$1" --clear-groups \
	    curl -sS -g --max-time 20 --connect-timeout 2 \
	    --socks5-hostname "$2" "http://$NET_NAME/" 2>/dev/null |
	    grep -q "$NET_TOKEN"
}

it_ws_asks()
{
	it_curl --connect-timeout 2 --socks5-hostname "$1" \
	    "http://$NET_NAME/" 2>/dev/null | grep -q "$NET_TOKEN"
}

# it_flow NAME: a client on the workstation greets Tor's SocksPort, waits for
# $DIR/go-NAME, and writes down whether Tor still answers him then.
it_flow()
{
	net_spawn "$1" workstation "$net_python" -c '
import os, socket, sys, time
s = socket.create_connection((sys.argv[1], 9050), 5)
s.sendall(b"\5\1\0")
print("greeted" if s.recv(2) == b"\5\0" else "strange", flush=True)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.05)
s.settimeout(3)
try:
    s.sendall(b"\5\1\0\3\1x\0\1")
    print("answered" if s.recv(10) else "ended", flush=True)
except OSError:
    print("cut", flush=True)' "$NET_GW4" "$DIR/go-$1"
	net_wait 10 grep -q greeted "$DIR/log/$1"
}

it_flow_ends()
{
	touch "$DIR/go-$1"
	net_wait 10 grep -q -x "$2" "$DIR/log/$1"
}

# Only those who set the clock.
it_others_are_out()
{
	it_check "$1: the workstation gets nothing" it_fetch_fails
	it_check "$1: ... nor by the clock's listener" \
	    it_not it_ws_asks "$NET_GW4:9108"
	it_check "$1: another user of the gateway's does not" \
	    it_not it_asks $other_uid 127.0.0.1:9108
	it_check "$1: ... by no address" \
	    it_not it_asks $other_uid "$NET_GW4:9108"
	it_check "$1: nor root" it_not it_asks 0 "$NET_GW4:9108"
	it_check "$1: the clock's user gets to no other listener" \
	    it_not it_asks $clock_uid 127.0.0.1:9050
	it_check "$1: ... by no address" \
	    it_not it_asks $clock_uid "$NET_GW4:9050"
}

it_start
it_need "all but the clock is proven" it_wait_for time-sync 90
it_check "that is position time-sync" it_at time-sync
it_check "the reason names what is missing" it_reason_has "is not there"
it_check "the policy asks for the time, and it is not right" \
    it_field_is '.clock | "\(.required) \(.right)"' "true false"
it_check "it is not open" it_not it_wait_for open 1
it_check "it is not closed" it_not it_wait_for closed 1
it_portcullis check clock >"$DIR/check"
it_check "check clock: closed by the policy" [ $? = 6 ]
for at in 127.0.0.1 "$NET_GW4" "[$NET_GW6]"; do
	it_check "the clock's user gets through by $at" \
	    it_retry 30 it_asks $clock_uid "$at:9108"
done
it_others_are_out "time-sync"

# What is not to be trusted does not count; each is put right, or taken away.
mkdir "$clock"
it_check "a directory without the files is none" \
    net_wait 3 it_reason_has "neither"
touch "$clock/fail" "$clock/status"
chmod 777 "$clock"
touch "$clock/success"
it_check "others could write to it" net_wait 3 it_reason_has "by others"
it_check "... so it stays shut" it_at time-sync
rm "$clock/success"
chmod 755 "$clock"
touch "$DIR/mine"
chown $other_uid "$DIR/mine"
mv "$DIR/mine" "$clock/success"
it_check "another user's file" net_wait 3 it_reason_has "nobody trusted"
it_check "... so it stays shut" it_at time-sync
rm "$clock/success"
mv "$clock" "$DIR/moved"
touch "$DIR/moved/success"
ln -s "$DIR/moved" "$clock"
it_check "a symbolic link" net_wait 3 it_reason_has "by others"
it_check "... so it stays shut" it_at time-sync
rm "$clock" "$DIR/moved/success"
mv "$DIR/moved" "$clock"
chown $clock_uid "$clock"
it_check "right again but for the file" net_wait 3 it_reason_has "neither"

# Set: open for all.
epoch=$(it_field .firewall.epoch)
setpriv --reuid $clock_uid --clear-groups --regid $clock_uid \
    touch "$clock/first_success"
it_need "set by its user: open" it_wait_for open 5
it_check "... without a close" it_field_is .firewall.epoch "$epoch"
it_check "the clock is right" it_field_is .clock.right true
it_check "open: the workstation gets a page" it_retry 30 it_fetch socks4
it_check "open: another user does" it_retry 30 it_asks $other_uid \
    127.0.0.1:9050
it_check "open: ... by the clock's listener, too (positive control)" \
    it_asks $other_uid "$NET_GW4:9108"
it_check "open: ... and root" it_asks 0 "$NET_GW4:9108"
it_check "open: the workstation by it" it_ws_asks "$NET_GW4:9108"
it_flow control
it_check "open: a running flow is answered (positive control)" \
    it_flow_ends control answered
touch "$clock/success"
rm "$clock/first_success"
sleep 1
it_check "one of the two is enough: still open" it_at open
it_check "... without a close" it_field_is .firewall.epoch "$epoch"

# it_falls WHAT CMD...: what CMD does ends OPEN within the lease of 1 s.
it_falls()
{
	local what=$1 from
	shift
	it_need "$what: open before" it_wait_for open 30
	from=$(net_clock)
	"$@"
	it_check "$what: not open within the lease" net_wait 1 it_not it_at open
	echo "   $((($(net_clock) - from) * 10)) ms, as the status tells it"
	it_check "$what: time-sync again" net_wait 20 it_at time-sync
}

it_flow running
it_falls "removed" rm "$clock/success"
it_check "removed: the others' running flow is cut" \
    it_flow_ends running cut
it_check "removed: the clock's user gets through" \
    it_retry 30 it_asks $clock_uid "$NET_GW4:9108"
it_others_are_out "removed"
touch "$clock/success"
it_falls "renamed" mv "$clock/success" "$clock/fail"
mv "$clock/fail" "$clock/success"
it_falls "the directory is moved away" mv "$clock" "$DIR/moved"
mv "$DIR/moved" "$clock"
it_falls "the directory is opened to others" chmod 777 "$clock"
chmod 755 "$clock"
it_falls "the directory is removed" rm -r "$clock"
mkdir "$clock"
touch "$clock/success"
it_check "made again: open" it_wait_for open 10

# In time-sync nothing else than in every other position.
rm "$clock/success"
it_check "time-sync" net_wait 20 it_at time-sync
it_check "time-sync: nothing leaks" it_leaks_nothing
kill -STOP "$(net_pid tor)"
it_check "Tor stopped: time-sync ends" net_wait 5 it_at tor-only
it_check "... for the clock's user, too" \
    it_not it_asks $clock_uid "$NET_GW4:9108"
kill -CONT "$(net_pid tor)"
it_check "Tor goes on: time-sync" net_wait 60 it_at time-sync
kill -KILL "$(it_pid engine)"
it_check "another engine: time-sync" net_wait 60 it_at time-sync
it_stop
it_check "stopped: not for the clock's user either" \
    it_not it_asks $clock_uid "$NET_GW4:9108"

# The workstations may set their clocks by it, if the policy says so.
sed -i 's/# workstations$/workstations = true/' "$DIR/portcullis.conf"
it_start
it_need "workstations: time-sync" it_wait_for time-sync 60
it_check "workstations: it is not open" it_at time-sync
it_check "workstations: by the clock's listener" \
    it_retry 30 it_ws_asks "$NET_GW4:9108"
it_check "workstations: by IPv6" it_retry 30 it_ws_asks "[$NET_GW6]:9108"
it_check "workstations: by nothing else" it_fetch_fails
it_check "workstations: another user of the gateway's is out" \
    it_not it_asks $other_uid "$NET_GW4:9108"
it_end
