#!/bin/bash
# A package's life on a gateway: installed, upgraded, removed, purged, under a
# steady drip of packets that would go through, into and out of it.  Started
# by tests/deb/test.bash in mount, network and process namespaces of its own:
#   WORK=DIR (has base/, a fresh Debian)  DEB=FILE  WHONIX=FILE
#   FLOOD=flood.py
#
# There is no systemd: a stand-in for systemctl(1) starts and stops the daemon
# when the packages' own scripts ask for it.
set -u
root=$WORK/base
passed=0
failed=0

check()
{
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok: $name"
	else
		failed=$((failed + 1))
		echo "FAILED: $name"
	fi
}
not() { ! "$@"; }

in_root()
{
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	    DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$root" "$@" \
	    </dev/null
}

# --- the network -----------------------------------------------------------

mount --make-rprivate / && mount -t proc proc "$root/proc" &&
    mount -t tmpfs tmpfs "$root/run" || exit 1
ip link set lo up
unshare -n sleep 3600 &
inside=$!
unshare -n sleep 3600 &
outside=$!
other_ns() { [ "$(readlink "$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
# This /proc shows the pids of our own namespace.
for pid in $inside $outside; do
	until other_ns "$root/proc/$pid"; do sleep 0.02; done
done

# link PID OURS ADDRESS THEIRS
link()
{
	ip link add "$2" type veth peer name peer &&
	    ip link set peer netns "$1" && ip addr add "$3" dev "$2" &&
	    ip link set "$2" up
	net_of "$1" ip link set lo up
	net_of "$1" ip addr add "$4" dev peer
	net_of "$1" ip link set peer up
}
net_of()
{
	local pid=$1
	shift
	nsenter --net="$root/proc/$pid/ns/net" "$@"
}
link $inside eth1 10.152.152.10/24 10.152.152.11/24
link $outside eth0 192.0.2.2/24 192.0.2.1/24
net_of $inside ip route add default via 10.152.152.10
echo 1 >"$root/proc/sys/net/ipv4/ip_forward"

# drip [PID] ADDRESS PORT: some thousand datagrams in a second.
drip_program='
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(b"drip", (sys.argv[1], int(sys.argv[2])))
    except OSError:
        pass
    time.sleep(0.0002)
'
net_of $outside python3 "$FLOOD" count "$WORK/count.out" 192.0.2.1:7001 \
    192.0.2.1:7003 &
python3 "$FLOOD" count "$WORK/count.in" 10.152.152.10:7002 &
until [ -s "$WORK/count.out" ] && [ -s "$WORK/count.in" ]; do sleep 0.05; done
net_of $inside python3 -c "$drip_program" 192.0.2.1 7001 &
net_of $inside python3 -c "$drip_program" 10.152.152.10 7002 &
python3 -c "$drip_program" 192.0.2.1 7003 &

# PORT and how many came to it.
counts() { sort "$WORK/count.out" "$WORK/count.in"; }
number() { counts | sed -n "s/^$1 //p"; }
all_pass()
{
	local port before
	for port in 7001 7002 7003; do
		before=$(number $port)
		for _ in {1..30}; do
			[ "$(number $port)" = "$before" ] || continue 2
			sleep 0.1
		done
		return 1
	done
}
# nothing_since COUNTS: the counter writes some times a second.
nothing_since()
{
	sleep 0.7
	[ "$(counts)" = "$1" ] && return
	printf '    then:\n%s\n    now:\n%s\n' "$1" "$(counts)"
	return 1
}

# --- the stand-in for systemd ----------------------------------------------

systemctl=/usr/bin/systemctl # apt gives the scripts its own PATH
mkdir -p "$root/run/systemd/system"
mv "$root$systemctl" "$root$systemctl.real"
cat >"$root$systemctl" <<'END'
#!/bin/sh
# Of systemctl(1), what the packages' scripts ask for.
echo "$*" >>/run/asked
pidfile=/run/pid
alive() { [ -e $pidfile ] && kill -0 "$(cat $pidfile)" 2>/dev/null; }
stood() { grep -c 'position=closed' /run/daemon.log 2>/dev/null; }
start()
{
	before=$(stood)
	run=$(sed -n 's/^ExecStart=//p' /*/systemd/system/portcullis.service)
	setsid $run >>/run/daemon.log 2>&1 </dev/null &
	echo $! >$pidfile
	# Type=notify: until it stands, closed and verified
	for i in $(seq 100); do
		[ "$(stood)" = "$before" ] || return 0
		alive || return 1
		sleep 0.1
	done
	return 1
}
stop()
{
	alive || return 0
	kill -TERM "$(cat $pidfile)"
	while alive; do sleep 0.02; done
}
case "$*" in
*is-active*portcullis.service*) alive ;;
*is-enabled*) echo enabled ;;
*restart*portcullis.service*) stop; start ;;
*stop*portcullis.service*) stop ;;
*start*portcullis.service*) start ;;
*disable*) exec "$0.real" "$@" ;;
*daemon-reload*) ;;
*) echo "systemctl: $*: not here" >&2; exit 1 ;;
esac
END
chmod 755 "$root$systemctl"
asked() { grep -q "$1" "$root/run/asked" 2>/dev/null; }
daemon() { cat "$root/run/pid" 2>/dev/null; }
runs() { in_root sh -c 'kill -0 "$(cat /run/pid)"' 2>/dev/null; }

# --- versions --------------------------------------------------------------

# version N: the same package, as a later one.
version()
{
	local dir=$WORK/v$1
	dpkg-deb -R "$DEB" "$dir" &&
	    sed -i "s/^Version: .*/&+test$1/" "$dir/DEBIAN/control" &&
	    dpkg-deb -Znone --root-owner-group -b "$dir" \
	    "$root/root/v$1.deb" >/dev/null
}
cp "$DEB" "$root/root/v1.deb" && version 2 && version 3 || exit 1
# apt-get, as an administrator does it, and with no network: what it depends
# on is complete.
install()
{
	in_root apt-get install -q -y --no-install-recommends \
	    --allow-downgrades "/root/$1.deb" \
	    >"$WORK/log/$1" 2>&1 || { tail -n 20 "$WORK/log/$1"; return 1; }
}
installed()
{
	# shellcheck disable=SC2016 # dpkg's variable
	in_root dpkg-query -W -f '${db:Status-Status}' portcullis 2>/dev/null |
	    grep -qx "$1"
}
users() { in_root getent passwd | grep -c '^portcullis-'; }
etc=$root/etc/portcullis

# --- installed: nothing is closed ------------------------------------------

check "control: without rules all three ways are open" all_pass
check "it installs, and has all it depends on" install v1
check "installed: it is" installed installed
check "installed: all three ways are open" all_pass
check "installed: no daemon was started" not runs
check "installed: none was asked for" not asked 'start\|enable'
check "installed: four users" [ "$(users)" = 4 ]
check "installed: without a policy it says so" not in_root portcullisd -n \
    2>/dev/null
check "installed: a folder for the policy, and nothing in it" \
    [ -z "$(ls -A "$etc")" ]

# --- a gateway -------------------------------------------------------------

in_root useradd -r -d /nonexistent -s /usr/sbin/nologin debian-tor
cp "$root/usr/share/portcullis/contrib/portcullis.conf" "$etc/"
check "the example is a policy" in_root portcullisd -n
in_root portcullisd -n --print closed >"$etc/closed.nft"
in_root nft -f /etc/portcullis/closed.nft
sleep 0.3
held=$(counts)
check "the daemon starts" in_root systemctl start portcullis.service
check "the gateway is closed" nothing_since "$held"

tells() { in_root portcullis "$@" >"$WORK/log/tells" 2>&1; }
check "the command is answered" tells status
check "... with a reason" tells explain
check "... by a line" tells status --json
check "... of version 1" [ "$(jq .v "$WORK/log/tells")" = 1 ]

# What a child is left with; test.bash has it judged.
for child in engine status; do
	for _ in {1..50}; do
		# The kernel's own names have 15 letters.
		pid=$(in_root sh -c "grep -l ^portcullis-${child:0:4} \
		    /proc/[0-9]*/comm" | tr -dc '0-9\n' | head -n 1)
		[ -z "$pid" ] || break
		sleep 0.1
	done
	cp "$root/proc/$pid/status" "$WORK/status.$child"
done

# --- upgrades --------------------------------------------------------------

# Older than what any version prints.
echo "# old" >"$etc/closed.nft"
before=$(daemon)
check "upgrade: it installs" install v2
check "upgrade: another process runs" [ "$(daemon)" != "$before" ]
check "upgrade: and lives" runs
check "upgrade: not one packet passed" nothing_since "$held"
check "upgrade: the rules of the next boot are this version's" \
    [ "$(in_root portcullisd -n --print closed)" = "$(cat "$etc/closed.nft")" ]
check "upgrade: the network's unit was let alone" not asked \
    'start.*boot\|stop.*boot'

before=$(daemon)
cp "$etc/portcullis.conf" "$WORK/good.conf"
echo 'nonsense = "1"' >>"$etc/portcullis.conf"
closed=$(cat "$etc/closed.nft")
check "upgrade, a policy that it does not take: installs" install v3
check "... and says what is the matter" grep -q 'does not take' "$WORK/log/v3"
check "... and the old one goes on" [ "$(daemon)" = "$before" ]
check "... and lives" runs
check "... and the rules of the next boot are the old ones" \
    [ "$(cat "$etc/closed.nft")" = "$closed" ]
check "... and not one packet passed" nothing_since "$held"
cp "$WORK/good.conf" "$etc/portcullis.conf"

# The window that this would see, if there were one.
in_root systemctl stop portcullis.service
check "stopped: not one packet passed" nothing_since "$held"
install v2 # a downgrade, dpkg's word for it
check "stopped: an upgrade does not start it" not runs
check "stopped: not one packet passed since" nothing_since "$held"
in_root systemctl start portcullis.service

# --- in the place of Whonix's ----------------------------------------------

. "${0%/*}/whonix.bash"

# --- removed ---------------------------------------------------------------

remove() { in_root dpkg "--$1" portcullis >"$WORK/log/$1" 2>&1; }
check "remove, while it runs: refused" not remove remove
check "... with both ways out" grep -q 'remove-rules' "$WORK/log/remove"
check "... it is installed" installed installed
check "... it runs" runs
check "... not one packet passed" nothing_since "$held"

in_root $systemctl.real enable portcullis-boot.service portcullis.service \
    2>/dev/null
links() { find "$root/etc/systemd/system" -name 'portcullis*' | grep -c .; }
check "control: enabled, the network requires it" [ "$(links)" -gt 4 ]
in_root systemctl stop portcullis.service
check "remove, after it was stopped" remove remove
check "removed: it is" installed config-files
check "removed: nothing requires what is not there" [ "$(links)" = 0 ]
check "removed: the policy stays" [ -e "$etc/portcullis.conf" ]
check "removed: the rules stay, not one packet passed" nothing_since "$held"
check "removed: it says so" grep -q 'stay as they are, closed' \
    "$WORK/log/remove"
sed -n '/^  /p' "$WORK/log/remove" >"$root/root/open"
in_root sh /root/open 2>/dev/null
check "removed: what it says opens the gateway" all_pass
check "removed: and no rule is left" [ -z "$(ip rule list | grep -v \
    'lookup \(local\|main\|default\)$')$(nft list tables)" ]

check "purge" remove purge
check "purged: it is" not installed '.*'
check "purged: no users" [ "$(users)" = 0 ]
check "purged: nothing in /etc" [ -z "$(find "$root/etc" \
    -name '*portcullis*' 2>/dev/null)" ]
check "purged: nothing in /run" [ ! -e "$root/run/portcullis" ]
check "purged: all three ways are open" all_pass
if [ $failed != 0 ]; then
	cat "$WORK/log/v2" "$root/run/asked" "$root/run/daemon.log"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
