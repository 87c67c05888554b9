#!/bin/bash
# The gate is killed again and again while somebody flushes all nf_tables as
# fast as the kernel takes it, the kernel forwards, and packets come fast from
# the workstation, from root and from nobody: what keeps them in is the boot
# table, which the keeper holds.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin_bare
net_forward on
# The routing barrier would stop the workstation's packets by itself.
echo 'firewall { routes = "off" }' >>"$DIR/portcullis.conf"
seconds=${ANCHOR_SECONDS:-15}
ways="workstation root nobody"

flush() # SECONDS
{
	net_in gateway python3 "$it_src/tests/it/flusher.py" "$1"
}

blast() # WAY RATE SECONDS
{
	local side=gateway user=()
	case $1 in
	workstation) side=workstation ;;
	nobody) user=(setpriv --reuid 65534 --regid 65534 --clear-groups) ;;
	esac
	net_in $side "${user[@]}" "$it_build/pktool" blast -t "an-$1" \
	    -r "$2" -s "$3" "$NET_WEB4" 4444 >"$DIR/log/blast-$1"
}

listen()
{
	local way
	for way in $ways; do
		net_spawn "sink-$way" internet "$it_build/pktool" sink \
		    -t "an-$way" -i inet0
		net_wait 5 grep -q ready "$DIR/log/sink-$way"
	done
}

# What has come out since listen: three numbers.
seen()
{
	local way
	for way in $ways; do
		kill -TERM "$(net_pid "sink-$way")"
		net_wait 5 net_dead "sink-$way"
		sed -n 's/^count=\([0-9]*\) .*/\1/p' "$DIR/log/sink-$way"
		rm -f "$DIR/pids/sink-$way" "$DIR/log/sink-$way"
	done | tr '\n' ' '
}

stands() { grep -c 'position=closed' "$DIR/log/portcullisd"; }
stood=0
stands_anew() { [ "$(stands)" -gt "$stood" ]; }
up()
{
	stood=$(stands 2>/dev/null)
	: "${stood:=0}"
	it_start
	net_wait 5 stands_anew
}
gate_pid()
{
	local pid
	for pid in $(it_family | tail -n +2); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != portcullis-gate ] ||
		    echo "$pid"
	done
}
boot_alone() { [ "$(it_tables)" = 'table inet portcullis_boot ' ]; }
# Since Linux 6.16 the netdev table is held as well.
held_alone()
{
	boot_alone || [ "$(it_tables)" = \
	    'table inet portcullis_boot table netdev portcullis_egress ' ]
}
# Of a hundred frames of root's packet socket, how many get out?
shots()
{
	net_spawn shots internet python3 "$it_src/tests/it/shots.py" count \
	    anchor-shot
	net_wait 5 grep -q ready "$DIR/log/shots"
	net_in gateway timeout 20 python3 "$it_src/tests/it/shots.py" fire \
	    eth0 anchor-shot 100 >/dev/null
	sleep 0.2
	kill -TERM "$(net_pid shots)"
	net_wait 5 net_dead shots
	tail -1 "$DIR/log/shots"
	rm -f "$DIR/pids/shots" "$DIR/log/shots"
}

# --- at the start ----------------------------------------------------------
# Loaded as at boot, gone before or after portcullisd looks.
"$it_build/portcullisd" -f "$DIR/portcullis.conf" -n --print closed \
    >"$DIR/closed.nft"
failed=0
for _ in 1 2 3 4 5; do
	flush 3 >>"$DIR/log/flushes" &
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		net_in gateway nft -f "$DIR/closed.nft" 2>/dev/null
	done &
	up || failed=$((failed + 1))
	it_stop
	wait
	net_in gateway "$it_build/portcullisd" --remove-rules >/dev/null
done
it_check "starts while others load and flush" [ $failed = 0 ]

# --- no gate at all ---------------------------------------------------------
it_need "stands" up
keeper=$(net_pid portcullisd)
kill -STOP "$keeper"
kill -KILL "$(gate_pid)"
it_check "gate dead, keeper stopped: a flush leaves what is held alone" \
    net_wait 5 eval 'net_in gateway nft flush ruleset; held_alone'
if ! boot_alone; then
	it_check "nor do packet sockets get out then" [ "$(shots)" = 0 ]
fi
listen
for way in $ways; do blast "$way" 8000 2 & done
flush 2 >/dev/null
wait
count=$(seen)
it_check "nothing leaks then: $count" [ "$count" = "0 0 0 " ]
stood=$(stands)
kill -CONT "$keeper"
it_check "the next gate stands" net_wait 10 stands_anew

# --- the storm ---------------------------------------------------------------
listen
blast workstation 25000 "$seconds" &
blast root 5000 "$seconds" &
blast nobody 5000 "$seconds" &
flush "$seconds" >"$DIR/log/flushes" &
jobs=$(jobs -rp | wc -l)
kills=0
while [ "$(jobs -rp | wc -l)" = "$jobs" ]; do
	for pid in $(gate_pid); do
		kill -KILL "$pid" 2>/dev/null && kills=$((kills + 1))
	done
	# Alternately: as it comes up, and after it has settled, so that the
	# keeper does not wait ever longer before it starts the next one.
	[ $((kills % 3)) != 0 ] || sleep 1.1
done
wait
count=$(seen)
for way in $ways; do cat "$DIR/log/blast-$way"; done
rate=$(sed -n 's/^sent=\([0-9]*\) failed=\([0-9]*\) .*/\1 \2/p' \
    "$DIR/log/blast-workstation")
rate=$(((${rate% *} + ${rate#* }) / seconds))
flushes=$(sed -n 's/^flushes=//p' "$DIR/log/flushes")
echo "   $kills kills, $flushes flushes, $rate packets/s: leaked $count"
it_check "the gate was killed often" [ "$kills" -ge 6 ]
it_check "and flushed often" [ "$flushes" -ge 1000 ]
it_check "at 20,000 packets per second or more" [ "$rate" -ge 20000 ]
it_check "nothing leaks: $count" [ "$count" = "0 0 0 " ]
it_check "a gate stands after it" net_wait 15 it_field_is \
    .firewall.position closed
it_check "the boot table is said to be there" it_field_is \
    .firewall.barriers.boot true
it_check "nobody says that it was changed" it_not grep -q \
    'portcullis_boot' "$DIR/log/portcullisd"

# --- whose it is -------------------------------------------------------------
it_check "nobody else deletes it" it_not net_in gateway nft delete table \
    inet portcullis_boot 2>/dev/null
kill -KILL "$(net_pid portcullisd)"
net_wait 3 net_dead portcullisd
it_check "keeper killed: it stays, as nobody's" it_table inet portcullis_boot
# Before anything is read: one whose policy is wrong shows it.
net_spawn tables gateway python3 "$it_src/tests/chaos/tables.py"
net_wait 5 grep -q ready "$DIR/log/tables"
boot_text() { net_in gateway nft list table inet portcullis_boot; }
was=$(boot_text)
echo nonsense >"$DIR/wrong.conf"
net_in gateway "$it_build/portcullisd" -f "$DIR/wrong.conf" 2>/dev/null
it_check "one with a wrong policy ends" [ $? = 2 ]
it_check "and had claimed it first" net_wait 5 grep -q \
    ' new inet portcullis_boot owned portcullisd$' "$DIR/log/tables"
it_check "and leaves it as it was" [ "$(boot_text)" = "$was" ]
net_stop tables
grep -v '^firewall {' "$DIR/portcullis.conf" >"$DIR/other.conf"
echo 'firewall { refuse = "drop" routes = "off" }' >>"$DIR/other.conf"
mv "$DIR/other.conf" "$DIR/portcullis.conf"
rejects() { net_in gateway nft list table inet portcullis_boot | grep -q reject; }
it_check "it refuses as its policy said" rejects
it_check "one of another policy stands" up
it_check "and has taken it over" it_not rejects
it_stop
it_check "stopped: it stays" it_table inet portcullis_boot
net_in gateway "$it_build/portcullisd" --remove-rules >/dev/null
it_check "--remove-rules removes it" [ -z "$(it_tables)" ]

# Another's: nft(8) holds what it makes with this flag as long as it runs.
{ echo 'add table inet portcullis_boot { flags owner; }'; sleep 10; } |
    net_in gateway nft -i >/dev/null 2>&1 &
net_wait 5 it_table inet portcullis_boot
: >"$DIR/log/portcullisd"
it_start
net_wait 5 net_dead portcullisd
it_check "held by another: one sentence" [ "$(grep -c \
    'another portcullisd holds portcullis_boot' "$DIR/log/portcullisd")" = 1 ]
it_check "held by another: nothing else is touched" boot_alone
wait

listen
for way in $ways; do blast "$way" 3000 1 & done
wait
read -r a b c <<<"$(seen)"
it_check "without our tables packet sockets get out (positive control)" \
    [ "$(shots)" -gt 50 ]
it_check "without our tables all leak (positive control: $a $b $c)" [ \
    "$a" -gt 500 -a "$b" -gt 500 -a "$c" -gt 500 ]
it_end
