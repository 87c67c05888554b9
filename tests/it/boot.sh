#!/bin/bash
# From boot to removal under a flood of packets from the workstation and from
# the gateway itself: the static ruleset alone, portcullisd taking over,
# restart, upgrade, death of everything, a second one, stop.  Not one packet
# passes before somebody says --remove-rules.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin_bare
net_forward on
closed=$DIR/closed.nft

# Three ways: through the gateway, to a program in it, and out of it.  The
# last two are held by nf_tables alone, whatever the routing rules do.
ports="7001 7002 7003"
net_spawn count-out internet python3 "$it_src/tests/it/flood.py" count \
    "$DIR/out" "$NET_WEB4:7001" "$NET_WEB4:7003"
net_spawn count-gw gateway python3 "$it_src/tests/it/flood.py" count \
    "$DIR/gw" "$NET_GW4:7002"
net_wait 5 test -s "$DIR/out" && net_wait 5 test -s "$DIR/gw" ||
    { echo "no counters"; exit 1; }
net_spawn flood1 workstation python3 "$it_src/tests/it/flood.py" send 0 \
    "$NET_WEB4:7001"
net_spawn flood2 workstation python3 "$it_src/tests/it/flood.py" send 0 \
    "$NET_GW4:7002"
net_spawn flood3 gateway python3 "$it_src/tests/it/flood.py" send 0 \
    "$NET_WEB4:7003"

count() { cat "$DIR/out" "$DIR/gw" | sed -n "s/^$1 //p"; }
counts() { for port in $ports; do count "$port"; done | tr '\n' ' '; }
# since COUNTS: what has passed after them; nothing, if all is well.
since() { sleep 0.3; [ "$(counts)" = "$1" ]; }
all_pass()
{
	local before now
	before=$(counts)
	sleep 0.7
	for port in $ports; do
		now=$(count "$port")
		[ "$now" -gt "$(cut -d ' ' -f 1 <<<"$before")" ] || return 1
		before=${before#* }
	done
}
print() { "$it_build/portcullisd" -f "$DIR/portcullis.conf" -n --print closed; }
log() { cat "$DIR/log/portcullisd"; }
stands() { grep -c 'position=closed' "$DIR/log/portcullisd"; }
# up [PROGRAM]: start it and wait until it is closed and verified.
up()
{
	local n
	n=$(stands 2>/dev/null)
	net_spawn portcullisd gateway "${1:-$it_build/portcullisd}" \
	    --libexec-dir "$it_build" -f "$DIR/portcullis.conf"
	net_wait 5 more_than "${n:-0}"
}
more_than() { [ "$(stands)" -gt "$1" ]; }
boot_alone() { [ "$(it_tables)" = 'table inet portcullis_boot ' ]; }

it_pid_lives() { kill -0 "$(net_pid "$1")"; }
it_both_stay()
{
	it_table inet portcullis_boot && it_table netdev portcullis_egress
}

it_check "control: without rules all three ways are open" all_pass

print >"$closed"
it_check "the printed ruleset loads" net_in gateway nft -f "$closed"
held=$(sleep 0.2; counts)
it_check "boot: one table of ours" boot_alone
sleep 0.7
it_check "boot: nothing passes" since "$held"
text=$(net_in gateway nft -s list ruleset)
for _ in 1 2 3; do net_in gateway nft -f "$closed"; done
it_check "boot: loaded again, and again: nothing passes" since "$held"
it_check "boot: loaded again: the same" \
    [ "$(net_in gateway nft -s list ruleset)" = "$text" ]
sed '$d' "$closed" >"$DIR/broken.nft"
it_check "boot: half a file does not load" it_not net_in gateway nft -f \
    "$DIR/broken.nft" 2>/dev/null
it_check "boot: and changes nothing" \
    [ "$(net_in gateway nft -s list ruleset)" = "$text" ]
it_check "boot: nothing passes meanwhile" since "$held"

# The flood would find a window, as "flush, then load" has one.
net_in gateway nft delete table inet portcullis_boot
net_in gateway nft -f "$closed"
it_check "control: delete, then load, lets packets through" it_not since \
    "$held"
held=$(counts)

it_check "adoption: it stands" up
it_check "adoption: not one packet" since "$held"
all_stand() { it_both_stay && it_table inet portcullis; }
it_check "adoption: all tables" all_stand
it_check "adoption: none twice" [ -z "$(it_tables | grep -o \
    'portcullis[_a-z]*' | sort | uniq -d)" ]
net_in gateway nft -f "$closed"
sleep 1.3
it_check "the boot unit again, beside the gate: not one packet" since "$held"

net_in gateway "$it_build/portcullisd" --libexec-dir "$it_build" \
    -f "$DIR/portcullis.conf" >"$DIR/log/second" 2>&1
it_check "a second instance ends with 1" [ $? = 1 ]
it_check "a second instance: not one packet" since "$held"
it_check "a second instance: the first is there" it_pid_lives portcullisd
it_check "removal is refused while it runs" it_not net_in gateway \
    "$it_build/portcullisd" --remove-rules 2>/dev/null
it_check "refused: not one packet" since "$held"

for _ in 1 2 3; do
	it_stop
	up || break
done
it_check "three restarts: not one packet" since "$held"

mkdir "$DIR/old"
cp "$it_build/portcullisd" "$DIR/old/portcullisd"
it_stop
up "$DIR/old/portcullisd"
mv "$DIR/old/portcullisd" "$DIR/old/gone" # as a package's upgrade does
it_stop
it_check "upgrade: the new one stands" up
it_check "upgrade: not one packet" since "$held"

for _ in 1 2 3; do
	# shellcheck disable=SC2046 # pids are words
	kill -KILL $(it_family)
	net_wait 3 net_dead portcullisd
	sleep 0.3
	it_check "all killed: not one packet" since "$held"
	it_check "all killed: boot and netdev tables stay" it_both_stay
	up
done
it_check "started after that: not one packet" since "$held"

start=$(date +%s%N)
it_stop
took=$((($(date +%s%N) - start) / 1000000))
it_check "stop: before systemd would kill ($took ms)" [ $took -lt 5000 ]
it_check "stop: not one packet" since "$held"
it_check "stop: boot and netdev tables stay" it_both_stay
it_check "stop: one line says that it stays closed, and what opens it" \
    grep -q 'stays closed.*--remove-rules' "$DIR/log/portcullisd"
sleep 1
it_check "stopped: not one packet" since "$held"
# What has outlived its owner cannot be replaced by nft(8), and the unit must
# not fail for that, or portcullisd, which requires it, could not be started.
unit()
{
	local line rc
	while read -r line; do
		line=${line#ExecStart=}
		# shellcheck disable=SC2086 # a command's words
		net_in gateway ${line#-} >/dev/null 2>&1
		rc=$?
		[ $rc = 0 ] || [ "${line#-}" != "$line" ] || return $rc
	done < <(sed -n "/^ExecStart=/{s|[^ ]*/closed.nft|$closed|;p}" \
	    "$it_build/supervisor/contrib/portcullis-boot.service")
}
it_check "stopped: the boot unit again does not fail" unit
it_check "stopped: nor does that open anything" since "$held"
up
it_check "running: nor then" unit
it_stop
it_check "the boot unit and portcullisd again: not one packet" since "$held"
it_check "stopped: the routing rules stay" \
    [ "$(net_in gateway ip rule | grep -c 'proto 80')" = 1 ]

net_in gateway "$it_build/portcullisd" --remove-rules >"$DIR/log/removed"
it_check "--remove-rules: said" grep -q 'routing rules' "$DIR/log/removed"
it_check "--remove-rules: no table" [ -z "$(it_tables)" ]
it_check "--remove-rules: no routing rule" [ -z "$(net_in gateway ip rule |
    grep 'proto 80')" ]
it_check "--remove-rules opens (control)" all_pass
mv "$closed" "$closed.away"
it_check "control: without a table the boot unit fails" it_not unit
mv "$closed.away" "$closed"
net_in gateway "$it_build/portcullisd" --remove-rules >"$DIR/log/again"
it_check "--remove-rules again: nothing to do" [ $? = 0 ]
if command -v systemd-analyze >/dev/null; then
	mkdir "$DIR/units"
	for unit in portcullis-boot portcullis; do
		sed "s|^ExecStart=.*/portcullisd |ExecStart=$(realpath \
		    "$it_build")/portcullisd |" \
		    "$it_build/supervisor/contrib/$unit.service" \
		    >"$DIR/units/$unit.service"
	done
	it_check "the service manager finds nothing wrong with the units" \
	    env SYSTEMD_UNIT_PATH="$DIR/units:" systemd-analyze verify \
	    --man=no "$DIR/units/portcullis-boot.service" \
	    "$DIR/units/portcullis.service"
fi
for name in flood1 flood2 flood3 count-out count-gw; do net_stop $name; done
it_end
