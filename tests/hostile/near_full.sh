#!/bin/bash
# No room: in run_dir, where the log goes, in Tor's DataDirectory; and a
# run_dir that nobody can write to.  The folders are file systems of a mount
# namespace of our own.  NEAR_FULL=1: Tor's folder, too.
if [ -z "${NEAR_MOUNTS:-}" ]; then
	export NEAR_MOUNTS=1
	exec unshare -m --propagation private bash "$0"
fi
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor
NEAR_SIZES=(run log tor/data)
near_mount() # FOLDER SIZE INODES
{
	mkdir -p "$DIR/$1" && mount -t tmpfs -o "size=$2,nr_inodes=$3,mode=755" \
	    near "$DIR/$1"
}
near_unmount()
{
	local folder
	for folder in "${NEAR_SIZES[@]}"; do
		umount -l "$DIR/$folder" 2>/dev/null
	done
}
trap 'near_unmount; it_cleanup' EXIT

cp -a "$DIR/log" "$DIR/log.was"
it_check "small file systems stand" near_mount run 64k 16
near_mount log 4m 64
cp -a "$DIR/log.was/." "$DIR/log/"
near_mount tor/data 64m 512
chown "$NET_TOR_USER:" "$DIR/tor/data" && chmod 700 "$DIR/tor/data"
net_tor_start --no-wait
it_start
it_need "opens" it_wait_for open 60
KEEPER_LOG=$DIR/log/portcullisd

fill() # FOLDER: neither room nor another name in it
{
	cat /dev/zero >"$DIR/$1/ballast" 2>/dev/null
	local i
	for ((i = 0; i < 1000; i++)); do
		: 2>/dev/null >"$DIR/$1/ballast.$i" || return 0
	done
	return 1
}
empty() { rm -f "$DIR/$1"/ballast*; }
lease_gone()
{
	! net_in gateway nft list set inet portcullis gate 2>/dev/null |
	    grep -q elements
}
new_engine() # another one than PID
{
	case $(it_field .engine.pid) in
	"$1" | null | '') return 1 ;;
	esac
}
kill_engine()
{
	local pid
	pid=$(it_pid engine) || return 1
	kill -KILL "$pid"
	net_wait 15 new_engine "$pid"
}
stays_closed() # SECONDS
{
	local end=$(($(net_clock) + $1 * 100))
	while [ "$(net_clock)" -lt "$end" ]; do
		lease_gone || return 1
		sleep 0.05
	done
}

echo "# run_dir is full"
it_check "it is full (positive control)" fill run
it_portcullis hold >/dev/null
it_check "a hold that cannot be written down holds" net_wait 5 lease_gone
it_check "and that is told, and what to do" net_wait 3 grep -q \
    'cannot write to .*/run/hold: No space left.*hold again' "$KEEPER_LOG"
it_check "another engine comes" kill_engine
it_check "it holds as well" stays_closed 3
it_check "and says so" it_field_is .hold true
it_check "and who asks is told that it is not open" it_not it_field_is \
    .position open
it_portcullis release >/dev/null
it_check "released: opens" it_wait_for open 30
it_check "another engine opens, too (positive control)" kill_engine
it_check "after all, nothing is held" it_wait_for open 30
empty run

echo "# what is written down cannot be struck out"
mkdir "$DIR/run/hold"
it_portcullis hold >/dev/null
it_portcullis release >/dev/null
it_check "that it stays there is told" net_wait 3 grep -q \
    'cannot write to .*/run/hold: .*release again' "$KEEPER_LOG"
it_check "another engine comes, again" kill_engine
it_check "what is written down counts" stays_closed 2
rmdir "$DIR/run/hold"
it_portcullis release >/dev/null
it_check "released for good: opens" it_wait_for open 30

echo "# the log is full"
it_check "it is full (positive control)" fill log
yes '# full' 2>/dev/null >>"$KEEPER_LOG" # what its last page had left
lines=$(wc -l <"$KEEPER_LOG")
it_portcullis hold >/dev/null
it_check "closes without a log" net_wait 5 lease_gone
it_portcullis release >/dev/null
it_check "opens without a log" it_wait_for open 30
it_check "nothing could be logged (positive control)" [ "$(wc -l \
    <"$KEEPER_LOG")" = "$lines" ]
it_check "an engine begins without a log" kill_engine
it_check "and opens" it_wait_for open 30
empty log
it_portcullis hold >/dev/null
it_told_again() { [ "$(wc -l <"$KEEPER_LOG")" -gt "$lines" ]; }
it_check "with room again, lines come again" net_wait 5 it_told_again
it_portcullis release >/dev/null

# Some can do without: then it opens, by proofs.
by_proof()
{
	if net_dead tor; then
		lease_gone
	else
		it_wait_for open 5 && it_fetch trans4
	fi
}
tor_is_full()
{
	echo "# Tor's DataDirectory is full"
	it_check "it is full (positive control)" fill tor/data
	it_check "a page still comes" it_retry 20 it_fetch trans4
	it_check "and it is open" it_wait_for open 30
	net_stop tor
	it_check "Tor ends: closed" net_wait 10 lease_gone
	net_tor_start --no-wait
	it_check "begun without room: closed, or it really works" net_wait 60 \
	    by_proof
	empty tor/data
	net_dead tor && net_tor_start --no-wait
	it_check "with room again it opens" it_wait_for open 60
	it_check "a page comes" it_retry 20 it_fetch trans4
}
[ -z "${NEAR_FULL:-}" ] || tor_is_full

echo "# a start without a run_dir that can be written to"
it_stop
mount -o remount,ro "$DIR/run"
it_start
it_check "it does not begin" net_wait 10 net_dead portcullisd
it_check "and says why" grep -q "cannot .*$DIR/run.*Read-only" "$KEEPER_LOG"
it_check "nothing is open" it_fetch_fails
mount -o remount,rw "$DIR/run"
it_start
it_check "writable: opens" it_wait_for open 60
it_end
