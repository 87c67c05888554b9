#!/bin/bash
# Whose socket is it: the keeper looks for the engine, as the socket's own
# user.  In the engine's place is a program that only asks (keeperdrv.c).
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin_bare
IT_SQUATTER_UID=64099
mkdir "$DIR/libexec"
cp "$it_build/keeperdrv" "$DIR/libexec/portcullis-engine"
cp "$it_build/portcullis-status" "$DIR/libexec/portcullis-status"
log=$DIR/log/portcullisd

# question WORD...: the engine dies, and the next one asks this.
question()
{
	local pid old=
	echo "$*" >"$DIR/libexec/question"
	old=$(engine_pid) && sleep 1.1 && kill -KILL "$old"
	net_wait 5 new_engine "$old"
}
new_engine()
{
	local pid
	pid=$(engine_pid) && [ "$pid" != "$1" ]
}
engine_pid()
{
	local pid
	for pid in $(it_family); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		portcullis-engi*) echo "$pid"; return 0 ;;
		esac
	done
	return 1
}
answers()
{
	grep -c "answer uid=$IT_SQUATTER_UID inode=$inode pid=$1\$" "$log"
}
answered()
{
	[ "$(answers "$1")" -ge 1 ]
}

net_spawn squatter gateway setpriv --reuid $IT_SQUATTER_UID --regid 64098 \
    --clear-groups "$net_python" "$it_src/tests/it/decoy.py" \
    "tcp:$NET_GW4:9050"
net_wait 5 grep -q ready "$DIR/log/squatter"
squatter=$(net_pid squatter)
inode=$(net_in gateway ss -Hltne "sport = :9050" 2>/dev/null | grep -o 'ino:[0-9]*')
inode=${inode#ino:}

echo "ask $IT_SQUATTER_UID $inode 1" >"$DIR/libexec/question"
it_start --libexec-dir "$DIR/libexec"
it_check "the squatter's pid" net_wait 10 answered "$squatter"
it_check "asked once, answered once" [ "$(answers "$squatter")" = 1 ]
it_check "a search leaves no process behind" [ "$(it_family | wc -w)" = 4 ]

question ask $((IT_SQUATTER_UID + 1)) "$inode" 1
it_check "another user does not have it" net_wait 5 grep -q \
    "answer uid=$((IT_SQUATTER_UID + 1)) inode=$inode pid=0\$" "$log"

# --- a flood ---------------------------------------------------------------
: >"$log"
question ask $IT_SQUATTER_UID "$inode" 250 # in some 2.5 s
sleep 4
n=$(answers "$squatter")
it_check "a flood of questions is two searches a second ($n of 250)" \
    [ "$n" -ge 2 -a "$n" -le 8 ]
it_check "and no reason to restart the engine" it_not grep -q nonsense "$log"

# --- what is no question ---------------------------------------------------
for which in 0 1 2 3 4 5; do
	: >"$log"
	question forge $which
	it_check "forged message $which is nonsense" net_wait 5 grep -q \
	    'engine sent nonsense' "$log"
	it_check "forged message $which is not answered" it_not grep -q \
	    'answer' "$log"
done

# --- it has ended ----------------------------------------------------------
: >"$log"
question ask $IT_SQUATTER_UID "$inode" 1
it_check "a question after that is answered" net_wait 10 answered "$squatter"
net_stop squatter
: >"$log"
question ask $IT_SQUATTER_UID "$inode" 1
it_check "nobody has it any more" net_wait 5 answered 0

# --- who looks does not outlive the keeper ----------------------------------
# The squatter's user has stopped it meanwhile, in the squatter's group.
looker_stopped()
{
	local pid
	for pid in $(cat "/proc/$keeper/task/$keeper/children"); do
		[ "$(<"/proc/$pid/comm")" = portcullis-who ] || continue
		grep -q '^Gid:.64098' "/proc/$pid/status" || continue
		kill -STOP "$pid" && looker=$pid && return 0
	done 2>/dev/null
	return 1
}
squat() # with so much open that looking takes a while
{
	net_spawn squatter gateway setpriv --reuid $IT_SQUATTER_UID --regid \
	    64098 --clear-groups "$net_python" -c '
import os, time
for i in range(9000):
    os.dup(0)
time.sleep(600)'
}
ulimit -n 10000
squat
keeper=$(net_pid portcullisd)
looker=
for _ in 1 2 3 4 5; do
	question ask $IT_SQUATTER_UID 1 200
	end=$(($(net_clock) + 300))
	until looker_stopped || [ "$(net_clock)" -gt $end ]; do :; done
	[ -z "$looker" ] || break
done
it_check "one who looks is stopped" [ -n "$looker" ]
read -ra family < <(it_family | tr '\n' ' ')
kill -KILL "$keeper"
it_check "the keeper is killed: nobody is left" net_wait 2 it_gone \
    "${family[@]}" "$looker"
kill -KILL "$looker" 2>/dev/null
net_stop squatter portcullisd
echo "ask 0 0 0" >"$DIR/libexec/question"
it_start --libexec-dir "$DIR/libexec"
it_check "the next one starts" net_wait 10 engine_pid

# --- its last words --------------------------------------------------------
engine_ended() # PID
{
	[ "$(awk '{ print $3 }' "/proc/$1/stat")" = Z ]
}
keeper=$(net_pid portcullisd)
question last 100
engine=$(engine_pid)
kill -STOP "$keeper"
it_check "it has asked, and ended" net_wait 5 engine_ended "$engine"
: >"$log"
kill -CONT "$keeper"
it_check "the next one begins" net_wait 5 grep -q '^started' "$log"
it_check "a hold behind a hundred questions is heard: it begins held" [ \
    "$(grep -m 1 '^started' "$log")" = 'started held' ]
it_check "it is written down" [ -e "$DIR/run/hold" ]
it_check "and was no nonsense" it_not grep -q nonsense "$log"

read -ra family < <(it_family | tr '\n' ' ')
it_stop
it_check "all end when told to" net_wait 5 it_gone "${family[@]}"
it_end
