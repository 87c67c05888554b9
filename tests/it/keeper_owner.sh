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

read -ra family < <(it_family | tr '\n' ' ')
it_stop
it_check "all end when told to" net_wait 5 it_gone "${family[@]}"
it_end
