#!/bin/bash
# Starting and stopping, without any Tor: who may own what portcullisd reads
# and where it listens, what its processes are given, what it tells systemd.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin_bare
conf=$DIR/etc/portcullis.conf

# A fresh folder with a right policy in it.
fresh()
{
	rm -rf "${DIR:?}"/{etc,run,above}
	mkdir -p "$DIR/etc/conf.d"
	it_policy >"$conf"
}

run()
{
	net_in gateway timeout --preserve-status -k 5 5 "$it_build/portcullisd" --libexec-dir \
	    "$it_build" -f "$conf" >"$DIR/log/run" 2>&1
}

# it_refused CODE SENTENCE NAME: it ends so, says so, and touches nothing.
refused()
{
	run
	it_check "$3: exit code $1" [ $? = "$1" ]
	it_check "$3: says why" grep -q -- "$2" "$DIR/log/run"
	it_check "$3: the firewall is untouched" [ -z "$(it_tables)" ]
}

# --- whose the policy is ---------------------------------------------------
fresh
run
it_check "a right policy runs until it is ended (positive control)" [ $? = 0 ]
it_check "and leaves rules" [ -n "$(it_tables)" ]
net_in gateway "$it_build/portcullisd" --remove-rules >/dev/null

fresh
chown 65534 "$conf"
refused 2 'portcullis.conf.*belongs to user 65534' "a foreign policy"
fresh
chmod g+w "$conf"
refused 2 'portcullis.conf.*can write this' "a group-writable policy"
fresh
chmod o+w "$DIR/etc"
refused 2 'etc: .*can write this' "a writable folder"
fresh
chmod o+w "$DIR/etc/conf.d"
refused 2 'conf.d: .*can write this' "a writable conf.d"
fresh
echo >"$DIR/etc/conf.d/10.conf"
chown 65534 "$DIR/etc/conf.d/10.conf"
refused 2 '10.conf.*belongs to user' "a foreign file in conf.d"
fresh
mv "$conf" "$DIR/etc/real"
ln -s real "$conf"
refused 2 'symbolic link' "a symbolic link"
fresh
rm "$conf"
mkfifo "$conf"
refused 2 'not a regular file' "a fifo"
fresh
head -c 5000000 /dev/zero | tr '\0' '#' >>"$conf"
refused 2 '4 MiB at most' "an endless policy"
fresh
rm "$conf"
refused 2 'cannot open' "no policy"
fresh
echo 'nonsense {' >"$DIR/etc/conf.d/90.conf"
echo 'gateway { lease_ms = 1 }' >"$DIR/etc/conf.d/20.conf"
refused 2 '90.conf:[0-9]*:' "an error in conf.d"
it_check "and the other one is named in the same run" grep -q \
    '20.conf:[0-9]*:' "$DIR/log/run"

fresh
echo 'gateway { lease_ms = 900 }' >"$DIR/etc/conf.d/20.conf"
echo 'gateway { lease_ms = 800 }' >"$DIR/etc/conf.d/10.conf"
echo 'gateway { lease_ms = 700 }' >"$DIR/etc/conf.d/30.conf.off"
"$it_build/portcullisd" -nv -f "$conf" >"$DIR/log/run" 2>&1
it_check "conf.d in the order of names" grep -q 'lease_ms = 900' "$DIR/log/run"

# --- where it listens ------------------------------------------------------
fresh
mkdir "$DIR/elsewhere"
ln -s elsewhere "$DIR/run"
refused 1 'must be a directory of root' "run_dir is a symbolic link"
fresh
mkdir -m 755 "$DIR/run"
chown 65534 "$DIR/run"
refused 1 'must be a directory of root' "a foreign run_dir"
fresh
mkdir -m 775 "$DIR/run"
refused 1 'must be a directory of root' "a group-writable run_dir"
fresh
echo >"$DIR/run"
refused 1 'must be a directory of root' "run_dir is a file"
above()
{
	fresh
	mkdir -m 755 "$DIR/above"
	sed -i "s|/run\"|/above/run\"|" "$conf"
}
above
chmod 775 "$DIR/above"
refused 1 'lies in a folder' "a group-writable folder above run_dir"
above
chown 65534 "$DIR/above"
refused 1 'lies in a folder' "a foreign folder above run_dir"
above
mkdir "$DIR/above/foreign" "$DIR/above/foreign/root"
chown 65534 "$DIR/above/foreign"
ln -s foreign/root "$DIR/above/link"
sed -i "s|/above/run\"|/above/link/run\"|" "$conf"
refused 1 'lies in a folder' "a link through a foreign folder"

# --- what the processes are given ------------------------------------------
fresh
mkdir "$DIR/run"
chmod 755 "$DIR/run"
echo >"$DIR/run/status.sock" # whatever is there is replaced
(
	umask 077
	exec 66</etc/passwd 67</etc/hostname <&-
	SECRET=told it_start
)
closed()
{
	it_table inet portcullis &&
	    [ "$(it_field .firewall.position)" = closed ]
}
it_check "started: closed and verified" net_wait 10 closed
it_check "anybody may read the status, whatever the umask" setpriv \
    --reuid 65534 --regid 65534 --clear-groups \
    "$it_build/portcullis" --socket-dir "$DIR/run" wait --for closed \
    --timeout 5
setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$it_build/portcullis" --socket-dir "$DIR/run" hold 2>/dev/null
it_check "but not everybody may ask: exit code 5" [ $? = 5 ]
it_check "the status user's group may" setpriv --reuid 65534 --regid \
    $IT_STATUS_UID --clear-groups "$it_build/portcullis" --socket-dir \
    "$DIR/run" hold
read -ra family < <(it_family | tr '\n' ' ')
it_check "four processes" [ ${#family[@]} = 4 ]
# The sealed policy is everybody's: the status process reads it when need be.
no_stray() # PID
{
	! readlink "/proc/$1/fd/"* | grep -v '^/memfd:portcullis-policy' |
	    grep -E 'passwd|hostname|/lock|memfd'
}
for pid in "${family[@]:1}"; do
	name=$(cat "/proc/$pid/comm")
	it_check "$name holds nothing of others" no_stray "$pid"
	it_check "$name is not root" [ "$(stat -c %u "/proc/$pid/task")" != \
	    0 -o "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" != 0 ]
	it_check "$name has no terminal" [ "$(awk '{ print $7 }' \
	    "/proc/$pid/stat")" = 0 ]
	case $name in
	portcullis-gate) continue ;; # not executed anew
	esac
	it_check "$name has no capability and gets none" [ "$(grep -c \
	    '^Cap\(Prm\|Eff\|Inh\|Bnd\|Amb\):.0*$' "/proc/$pid/status")" = 5 ]
	it_check "$name has no environment of others" it_not grep -q SECRET \
	    "/proc/$pid/environ"
done

# A child that does not hear: the stop is bounded.
kill -STOP "${family[2]}" "${family[3]}"
kill -TERM "${family[0]}"
it_check "stops in time although two children hang" net_wait 5 it_gone \
    "${family[@]}"
it_check "stopped: the boot table stays" it_table inet portcullis_boot

# --- a log that nobody reads -----------------------------------------------
mkfifo "$DIR/log/pipe"
exec 8<>"$DIR/log/pipe"
dd if=/dev/zero of="$DIR/log/pipe" bs=4096 count=64 oflag=nonblock \
    conv=notrunc 2>/dev/null
it_start_to() # FILE
{
	net_spawn portcullisd gateway sh -c "exec \"\$0\" \"\$@\" 2>'$1'" \
	    "$it_build/portcullisd" -v --libexec-dir "$it_build" -f \
	    "$DIR/portcullis.conf"
}
it_start_to "$DIR/log/pipe"
it_check "a full log: closed and told" net_wait 10 closed
read -ra family < <(it_family | tr '\n' ' ')
kill -TERM "${family[0]}"
it_check "a full log: ends when told to" net_wait 5 it_gone "${family[@]}"
exec 8<&-

# Each of our processes must add to a file, not write over what others wrote.
it_start_to "$DIR/log/file"
it_check "a log file: closed" net_wait 10 closed
it_stop
for who in gate engine; do
	it_check "a log file: what the $who says is in it" grep -q \
	    "^portcullisd.$who.: " "$DIR/log/file"
done
it_check "a log file: with the first and the last word of the gate" [ "$(grep \
    -c -e 'position=closed epoch' -e 'stopping: SIGTERM' "$DIR/log/file")" = 2 ]

# --- a program that cannot be run ------------------------------------------
: >"$DIR/log/portcullisd"
mkdir "$DIR/none"
net_spawn portcullisd gateway "$it_build/portcullisd" --libexec-dir \
    "$DIR/none" -f "$DIR/portcullis.conf"
it_check "no engine: says which program is missing" net_wait 10 grep -q \
    "cannot run $DIR/none/portcullis-engine" "$DIR/log/portcullisd"
sleep 2
it_check "no engine: the gate stands, closed" it_table inet portcullis
it_check "no engine: it goes on" net_alive portcullisd
it_check "no engine: and calls its end by its name" it_not grep -q \
    'nonsense' "$DIR/log/portcullisd"
it_check "no engine: not a flood of attempts" [ "$(grep -c \
    'cannot run.*engine' "$DIR/log/portcullisd")" -lt 12 ]
it_stop

# --- the service manager ---------------------------------------------------
net_spawn notify gateway "$net_python" "$it_src/tests/it/notify.py" \
    "$DIR/notify.sock"
net_wait 5 grep -q listening "$DIR/log/notify"
export NOTIFY_SOCKET=$DIR/notify.sock
net_in gateway "$it_build/portcullisd" --remove-rules >/dev/null
net_in gateway ip addr flush dev lo
mkdir "$DIR/whonix"
echo "whonix { status_files = \"$DIR/whonix\" }" |
    tee -a "$conf" >>"$DIR/portcullis.conf"
# files WORDS: of those by which whonix-firewall tells how it did.
files()
{
	[ "$(cd "$DIR/whonix" && find . -type f | sort | tr '\n' ' ')" = "$*" ]
}
first=./whonix_firewall/first_run_current_boot.status
again=./whonix_firewall/consecutive_run.status
run
it_check "without lo it cannot begin: exit code 1" [ $? = 1 ]
it_check "and leaves the marker of that" files "./anon-firewall/failed.status "
it_check "and never says READY" it_not grep -q READY "$DIR/log/notify"
net_in gateway ip addr add 127.0.0.1/8 dev lo
net_in gateway ip addr add ::1/128 dev lo
net_in gateway "$it_build/portcullisd" --remove-rules >/dev/null
it_start
it_check "READY=1" net_wait 10 grep -q READY=1 "$DIR/log/notify"
it_check "by then all tables stand, and nothing is open" grep -q "READY=1.* \
tables=portcullis,portcullis_boot,portcullis_egress\(,portcullis_guard\)\? leases=0" \
    "$DIR/log/notify"
fed() { grep -c WATCHDOG=1 "$DIR/log/notify"; }
feeds() { local n; n=$(fed); net_wait 3 fed_more "$n"; }
fed_more() { [ "$(fed)" -gt "$1" ]; }
# starves PID: stopped, it has what is under way done, and then nothing more.
starves()
{
	local n rc=0
	kill -STOP "$1"
	sleep 0.2
	n=$(fed)
	sleep 2.2
	[ "$(fed)" = "$n" ] || rc=1
	kill -CONT "$1"
	return $rc
}
it_check "WATCHDOG=1, again and again" feeds
it_check "not while the gate hangs" starves "$(it_pid gate)"
it_check "again when it goes on" feeds
it_check "not while the keeper hangs" starves "$(net_pid portcullisd)"
it_check "again when that goes on" feeds
it_check "the marker is gone, a first run is told" files "$first "
it_check "to everybody" [ "$(stat -c %a "$DIR/whonix/$first")" = 644 ]
it_stop
it_check "a stop is no failure" files "$first "
it_check "STOPPING=1" net_wait 5 grep -q STOPPING=1 "$DIR/log/notify"
unset NOTIFY_SOCKET
it_start
it_check "the next start is told as another run" net_wait 10 files \
    "$again $first "
rm "$DIR/whonix/$again"
kill -KILL "$(it_pid gate)"
it_check "and so is a new gate after one that died" net_wait 10 files \
    "$again $first "
it_stop
it_end
