#!/bin/bash
# The desktop indicator, as a window under Xvfb and as an item in a tray.
# What was to be seen is left in tests/it/logs/indicator-*.png.
# shellcheck source=tests/it/desk.bash
. "${top_srcdir:?}/tests/it/desk.bash"
if [ -z "${DESK_BUS:-}" ]; then
	# A bus of our own, which ends with us.
	command -v dbus-run-session >/dev/null ||
	    { echo "there is no dbus-run-session"; exit 77; }
	DESK_BUS=1 exec dbus-run-session -- bash "$0"
fi
desk_begin Xvfb
"$desk_python" -c 'import gi; gi.require_version("Gtk", "3.0")' ||
    exit 77
export PORTCULLIS_RUN_DIR=$DESK/run NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory
export XDG_CONFIG_HOME=$DESK XDG_CACHE_HOME=$DESK GDK_BACKEND=x11
indicator=$top_srcdir/supervisor/contrib/examples/indicator.py
logs=${top_builddir:?}/tests/it/logs
mkdir -p "$logs"
GREEN=2E9E44 RED=D0312D YELLOW=D9A400 GREY=808080

mkdir "$DESK/fb"
Xvfb -displayfd 6 -screen 0 400x320x24 -fbdir "$DESK/fb" -nolisten tcp \
    6>"$DESK/display" >"$DESK/xvfb.log" 2>&1 &
desk_at_end kill $!
desk_until 10 test -s "$DESK/display" || { cat "$DESK/xvfb.log"; exit 77; }
DISPLAY=:$(cat "$DESK/display")
export DISPLAY

# run NAME ARGUMENT...: sets $pid
run()
{
	local name=$1
	shift
	"$desk_python" "$indicator" "$@" >"$DESK/$name" 2>&1 &
	pid=$!
	desk_at_end kill $pid
}
colours()
{
	"$desk_python" "$top_srcdir/tests/it/xshot.py" "$DESK/fb/Xvfb_screen0" "$@"
}
# window HAS LACKS...: colours of the window.
window()
{
	local seen colour
	seen=$(colours) && grep -q "^$1 " <<<"$seen" || return 1
	shift
	for colour; do
		! grep -q "^$colour " <<<"$seen" || return 1
	done
}
# shown NAME HAS LACKS...
shown()
{
	desk_check "window, $1" desk_until 8 window "${@:2}" || colours
	colours "$logs/indicator-$1.png" >/dev/null
}
# item TITLE COLOUR: the tray's newest.
item()
{
	[ "$(tail -n 1 "$DESK/tray")" = "$1|32x32|$2" ]
}
in_tray()
{
	desk_check "tray: $1" desk_until 8 item "$@" || tail -n 2 "$DESK/tray"
}

# Without a tray: a window.
run window
shown nobody $GREY $GREEN $RED $YELLOW
desk_start
shown open $GREEN $GREY $RED $YELLOW
green=$(colours | sed -n "s/^$GREEN //p")
desk_show held
shown closed $RED $GREEN $GREY $YELLOW
red=$(colours | sed -n "s/^$RED //p")
desk_check "bars that are down cover more ($red > $green)" \
    [ "$red" -gt "$green" ]
desk_show stalled
shown tor-only $YELLOW $GREEN $RED $GREY
desk_show open
shown open $GREEN $GREY
desk_show unknown
shown unknown $GREY $GREEN $RED $YELLOW
desk_show open
shown open $GREEN $GREY
desk_kill
shown killed $GREY $GREEN $RED $YELLOW
kill "$pid"
desk_check "no complaint" [ ! -s "$DESK/window" ] || cat "$DESK/window"

# With one: an item, and the window at a click.
"$desk_python" "$top_srcdir/tests/it/tray.py" >"$DESK/tray" 2>&1 &
tray=$!
desk_at_end kill $tray
desk_until 5 grep -q ready "$DESK/tray"
desk_start
run item
in_tray "The gate is open" $GREEN
desk_check "no window yet" window 000000 $GREEN
desk_show held
in_tray "The gate is closed" $RED
desk_show stalled
in_tray "The gate is tor-only" $YELLOW
desk_show open
in_tray "The gate is open" $GREEN
kill -USR1 $tray
shown clicked $GREEN $RED
desk_kill
in_tray "The gate is not known to be open or closed" $GREY
desk_check "no complaint of the item" [ ! -s "$DESK/item" ] ||
    cat "$DESK/item"
desk_end
