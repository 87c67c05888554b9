#!/bin/bash
# The examples for who writes a GUI, but for the one with a window
# (indicator.sh): each beside a supervisor that opens, closes and dies.
# shellcheck source=tests/it/desk.bash
. "${top_srcdir:?}/tests/it/desk.bash"
desk_begin socat jq
export PORTCULLIS_RUN_DIR=$DESK/run
examples=$top_srcdir/supervisor/contrib/examples

# status CODE LINE: what status.sh says.
status()
{
	local said code
	said=$(sh "$examples/status.sh" 2>&1)
	code=$?
	[ "$code" = "$1" ] && [ "${said%%$'\n'*}" = "$2" ] ||
	    { echo "code $code: $said"; return 1; }
}
# says NAME PATTERN: the last line that NAME printed.
says()
{
	tail -n 1 "$DESK/$1" | grep -qE -- "$2"
}
soon()
{
	desk_check "$1: $2" desk_until 5 says "$1" "$2" ||
	    tail -n 2 "$DESK/$1"
}
# run NAME COMMAND...
run()
{
	local name=$1
	shift
	"$@" >"$DESK/$name" 2>&1 &
	desk_at_end kill $!
}
# The last line is JSON with this in it.
json()
{
	tail -n 1 "$DESK/waybar" | jq -e "$1" >/dev/null
}

desk_check "status.sh with nobody there" status 255 \
    "unknown: no supervisor answers"
run watch "$desk_python" "$examples/watch.py"
run waybar "$desk_python" "$examples/bar.py" waybar
run polybar "$desk_python" "$examples/bar.py" polybar
soon watch 'unknown None no answer$'
soon waybar '"class": "unknown"'
soon polybar 'F#808080}Tor unknown'
desk_start
run lines socat -u "UNIX-CONNECT:$DESK/run/status.sock" -

desk_check "status.sh: open" status 0 \
    "open: Tor is proven to carry the traffic."
soon watch 'open 100 Tor is proven to carry the traffic.$'
soon waybar '"class": "open"'
desk_check "waybar's JSON" json \
    '.text == "Tor open" and .percentage == 100 and (.tooltip | length) > 0'
soon polybar 'F#2e9e44}Tor open'

desk_show stalled
soon watch 'tor-only 14 Tor is connecting'
soon waybar '"text": "Tor tor-only 14 %"'
soon polybar 'F#d9a400}Tor tor-only 14 %'
desk_check "status.sh: tor-only" status 1 "tor-only: Tor is connecting to \
the network, and has made no progress for longer than it should take."

desk_show held
soon watch 'closed 100 An operator holds'
soon polybar 'F#d0312d}Tor closed'
desk_show unknown
soon watch 'unknown None The engine is not running'
desk_check "status.sh: unknown" status 254 \
    "unknown: The engine is not running, so nobody can tell the position."

desk_show sync
soon watch 'time-sync 100'
desk_show down
soon watch 'closed None There is no connection'
desk_show open
soon watch ' open '
# Who finds no place is told so, and asks again; that is no news each time.
desk_show full
soon watch 'unknown None no answer$'
no_place()
{
	timeout 10 "${top_builddir:?}/portcullis" watch >"$DESK/said" 2>&1
	[ $? = 5 ] && tail -n 1 "$DESK/said" |
	    grep -q "no place for another client"
}
desk_check "portcullis watch: no place" no_place
desk_check "a check has its answer all the same" \
    "${top_builddir:?}/portcullis" check usable
socat -u "UNIX-CONNECT:$DESK/run/status.sock" - >"$DESK/refused"
desk_check "it is a line of type refused" grep -q '"refused"' "$DESK/refused"
desk_check "... as in the schema" "$desk_python" \
    "$top_srcdir/tests/style/schema.py" \
    "$top_srcdir/supervisor/status/status.schema.json" "$DESK/refused"
sleep 1.5 # they ask every second
desk_kill
soon watch 'unknown None no answer$'
soon waybar '"class": "unknown"'
soon polybar 'Tor unknown'
lines=$(wc -l <"$DESK/watch")
desk_check "watch.py says each change once ($lines lines)" [ "$lines" = 9 ]

# What the stand-in tells is what a supervisor would.
desk_check "lines are as in the schema" "$desk_python" \
    "$top_srcdir/tests/style/schema.py" \
    "$top_srcdir/supervisor/status/status.schema.json" "$DESK/lines"

# What is shipped for the bars' configurations is in order.
desk_check "waybar.jsonc is JSON but for comments" jq -e \
    '.["custom/portcullis"]["return-type"] == "json"' \
    <(grep -v '^ *//' "$examples/waybar.jsonc") >/dev/null
desk_check "status.sh is 15 lines at most" \
    [ "$(wc -l <"$examples/status.sh")" -le 15 ]
desk_check "watch.py is 30 lines at most" \
    [ "$(wc -l <"$examples/watch.py")" -le 30 ]
desk_end
