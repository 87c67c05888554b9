#!/bin/bash
# portcullis top on a terminal of tmux's.
# shellcheck source=tests/it/desk.bash
. "${top_srcdir:?}/tests/it/desk.bash"
desk_begin tmux python3
portcullis=${top_builddir:?}/portcullis
export PORTCULLIS_RUN_DIR=$DESK/run TMUX_TMPDIR=$DESK
unset TMUX NO_COLOR

mux()
{
	tmux -f /dev/null -L top "$@"
}
desk_at_end mux kill-server

# screen [OPTION]: what is to be seen.
screen()
{
	mux capture-pane -p "$@" -t "${pane:-0}"
}
# sees PATTERN...: all of them, in the same picture.
sees()
{
	local shot pattern
	shot=$(screen)
	for pattern; do
		grep -qE -- "$pattern" <<<"$shot" || return 1
	done
}
# unseen PATTERN
unseen()
{
	! screen | grep -qE -- "$1"
}
shows()
{
	desk_check "$1" desk_until 5 sees "${@:2}" || screen
}
keys()
{
	mux send-keys -t "${pane:-0}" "$@"
}
asked()
{
	grep -qx "$1" "$DESK/asked"
}
gone()
{
	! kill -0 "$1" 2>/dev/null
}
top_pid()
{
	pgrep -P "$(mux display-message -p -t "${pane:-0}" '#{pane_pid}')"
}
# at NAME COMMAND...: in a window of its own, with a shell that stays.
at()
{
	pane=$1
	# The code comes last: it is what is waited for.
	mux new-window -d -n "$1" "$2; code=\$?; stty -g >'$DESK/$1.after'; \
	    echo \"code \$code\" >'$DESK/$1.code'; exec sleep 600"
}
code_is()
{
	[ "$(cat "$DESK/$pane.code" 2>/dev/null)" = "code $1" ]
}

# Nobody serves yet: unknown, and it waits.
mux new-session -d -x 80 -y 24 -n first "echo before; stty -g \
    >'$DESK/before'; '$portcullis' top; code=\$?; \
    stty -g >'$DESK/first.after'; echo \"code \$code\" \
    >'$DESK/first.code'; exec sleep 600"
pane=first
shows "unknown without a supervisor" 'portcullis +unknown' \
    'not running or went away' 'no answer'
desk_start
shows "it connects by itself" 'portcullis +open since' 'told . s ago' \
    'The gate is open: traffic' '\| V  V  V  V  V \|' '100 % done' \
    '861 ms left' '15 of 15 proven, 15 open' 'Closes 3, last 42 us'
desk_check "24 rows of at most 80 columns" sees '^ q quit .*scroll$'
colours=$(screen -e | grep -c $'\033\[[0-9;]*32m')
desk_check "an open gate is green" [ "$colours" -gt 0 ]

# While nothing changes, hardly anything is sent: a serial line has time.
mux pipe-pane -t first "cat >'$DESK/bytes'"
sleep 3
mux pipe-pane -t first
bytes=$(stat -c %s "$DESK/bytes")
desk_check "$bytes octets in 3 s at rest are few" [ "$bytes" -le 300 ]
desk_check "... and the age is told" [ "$bytes" -gt 0 ]

desk_show stalled
shows "a change is shown" 'tor-only since' 'stalled: Connection refused' \
    '\|-\+--\+--\+--\+--\+-\|' '14 % handshake' 'port taken by process 15398'
keys Tab
shows "names and transports" '\[Ways out\]' 'front.example: nxdomain'
keys Tab
shows "history" '\[History\]' '2026-11-22T11:27:58  tor-only'
keys BTab BTab
desk_show open
shows "listeners" '\[Listeners\]' '1-9 of 16'
keys NPage
shows "a page further" '8-16 of 16' 'bitcoin'
keys Up
shows "a line back" '7-15 of 16'
keys Home
keys '?'
shows "help" 'newnym: Tor uses new circuits'
keys h
shows "any key leaves the help" '1-9 of 16'
desk_check "... and does no more" unseen 'y/n'

# Wishes are asked for twice, and go to the control socket.
keys h
shows "hold is asked back" 'Close the gate and keep it closed\?  y/n'
keys n
shows "no is no" 'Nothing was done'
desk_check "... and nothing was asked" test -z \
    "$(grep -x hold "$DESK/asked")"
keys h y
shows "held" 'The fake did: hold' 'closed, held since' 'holds the gate closed'
desk_check "hold was asked for" asked hold
keys r y
shows "released" 'The fake did: release' 'The gate is open'
desk_check "release was asked for" asked release
keys n y
shows "a refusal is told" 'The fake refuses'
desk_check "newnym was asked for" asked newnym

# Sizes.
mux resize-window -t first -x 60 -y 15
shows "60x15" '^ open since .* told . s ago$' '^ \[Listeners\].*1-6 of 16' \
    '^ q quit'
desk_check "60x15 has no picture" unseen '\^\|_\|'
mux resize-window -t first -x 39 -y 24
shows "39 columns are too few" '^40x10 needed: too small a screen$'
desk_check "... and that is all" [ "$(screen | grep -c .)" = 1 ]
mux resize-window -t first -x 80 -y 24
# A size that no terminal has: curses by itself dies of it.
tty=$(mux display-message -p -t first '#{pane_tty}')
stty -F "$tty" rows 40000
keys '?' '?' # it draws by the new size at once
sleep 0.3
stty -F "$tty" rows 24
desk_check "... and it lives" kill -0 "$(top_pid)"
shows "80x24 again" '^ \|\^\|_\|.*The gate is open' '^ q quit'

# The daemon is killed, and comes back.
desk_kill
shows "killed: unknown at once" 'portcullis +unknown' \
    'not running or went away' '\?link' 'Nothing is known'
desk_check "nothing old is shown" unseen 'gate is open:|861 ms'
keys h y
shows "nobody to ask" 'Not done: the supervisor is not running'
rm -f "$DESK/asked"
desk_start
shows "back again" 'portcullis +open since' '15 of 15 proven, 15 open'
keys Tab Tab
shows "the gap is in the history" 'unknown +The supervisor is not running'

keys q
desk_check "q ends it with 0" desk_until 5 code_is 0
desk_check "the terminal is as before" cmp -s "$DESK/before" \
    "$DESK/first.after"
shows "and so is the screen" '^before$'

# Ended from outside.
for sig in TERM HUP INT; do
	at "by-$sig" "'$portcullis' top"
	shows "$sig: it runs" 'portcullis +open'
	kill -$sig "$(top_pid)"
	desk_check "$sig ends it" desk_until 5 code_is 0
	desk_check "$sig: the terminal is as before" cmp -s "$DESK/before" \
	    "$DESK/by-$sig.after"
done

# The terminal goes away, and whoever ignored the hangup sees its end.
at lost "trap '' HUP; '$portcullis' top"
shows "it runs" 'portcullis +open'
pid=$(top_pid)
mux kill-window -t lost
desk_check "it ends with its terminal" desk_until 5 gone "$pid"

# Stopped, and gone on with.
at stop "bash --norc --noprofile -i"
keys "'$portcullis' top" Enter
shows "in a shell" 'portcullis +open'
keys C-z
shows "Ctrl-Z gives the shell back" 'Stopped'
keys "stty -a | grep -o ' icanon'; fg" Enter
shows "fg draws it again" 'portcullis +open' '^ q quit'
keys q
shows "the shell had its terminal" '^ icanon$'

# Other terminals.
for term in vt100 vt220 linux; do
	infocmp "$term" >/dev/null 2>&1 || continue
	at "$term" "TERM=$term '$portcullis' top"
	shows "$term" 'portcullis +open' '^ q quit .*scroll$'
	keys q
	desk_check "$term ends" desk_until 5 code_is 0
done
at dumb "TERM=dumb '$portcullis' top"
desk_check "dumb is refused" desk_until 5 code_is 2
shows "... with a sentence" 'cannot place its cursor'
at plain "NO_COLOR=1 '$portcullis' top"
shows "NO_COLOR" 'portcullis +open'
desk_check "no colour with NO_COLOR" test -z \
    "$(screen -e | grep $'\033\[[0-9;]*3[0-7]m')"
"$portcullis" top >"$DESK/out" 2>"$DESK/err" </dev/null
desk_check "no terminal: code 2" [ $? = 2 ]
desk_check "no terminal: a sentence" grep -q 'needs a terminal' "$DESK/err"
desk_end
