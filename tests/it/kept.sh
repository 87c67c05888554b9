#!/bin/bash
# Where an applied change is kept: what would keep Tor from reading it, or
# would add to it, is said before anything is changed; a Tor that starts
# anew has it; one that started without is given it again.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
it_begin --no-tor
line=$(net_bridge)
it_uplink_policy
chmod 755 "$DIR/torrc.d"
it_start
include="%include $DIR/torrc.d/*.conf"
it_tor_with "$include"
it_need "straight: open" it_wait_for open 60

change=$(it_bridges_json "$line")

# it_refuses WHAT WORD...: in a dry run, with these words.
it_refuses()
{
	local word
	it_check "$1: refused" it_not it_apply --dry-run "$change"
	for word in "${@:2}"; do
		it_check "... it says $word" it_answer_has "$word"
	done
	it_check "... nothing is written" it_not test -e "$(it_kept)"
}

# it_dry: nothing speaks against it any more.
it_dry()
{
	it_check "... undone: nothing speaks against it" \
	    it_applied --dry-run "$change"
}

# --- what is in the way ----------------------------------------------------

other="$DIR/torrc.d/50_user.conf"
printf '# mine\n\nBridge 192.0.2.7:443\n' >"$other"
it_refuses "another file's bridge" "${other: -30}, line 3, has Bridge"
printf 'SafeLogging 1 \\\n# so \nSocks5Prox 192.0.2.7:443\nUse 0' >"$other"
it_refuses "words cut short" "line 4, has UseBridges"
mkdir "$DIR/more"
printf 'SafeLogging 0\n+HTTPSProxy 192.0.2.7:443\n' >"$DIR/more/b"
echo "UseBridges 1" >"$DIR/more/.hidden"
echo "%include \"$DIR/mor?\"" >"$other"
it_refuses "a proxy in an included folder" "more/b, line 2, has HTTPSProxy"
rm "$DIR/more/b"
it_dry
mkfifo "$DIR/more/c"
it_refuses "a pipe" "more/c" "neither a file nor a folder"
rm "$DIR/more/c"
touch "$DIR/more/d"
chmod 666 "$DIR/more/d"
it_refuses "a file that all may write to" "more/d" "others than root"
rm "$DIR/more/d"
echo "%include $DIR/nothing" >"$other"
it_refuses "an include of nothing" "nothing, which cannot be read"
echo "%include nothing" >"$other"
it_refuses "a relative include" "nothing"
echo "%include $other" >"$other"
it_refuses "a file that includes itself" "too much"
rm "$other"
it_dry

: >"$DIR/tor/torrc.extra"
it_refuses "no include" "does not read the file that is kept" \
    "%include $(it_kept)"
echo "%include $DIR/torrc.d" >"$DIR/tor/torrc.extra"
it_dry
echo "$include" >"$DIR/tor/torrc.extra"
echo "UseBridges 1" >"$DIR/empty"
it_refuses "a bridge among the defaults" "empty, line 1, has UseBridges"
: >"$DIR/empty"

echo "SafeLogging 1" >"$(it_kept)"
it_check "a file that is not ours: refused" it_not it_apply "$change"
it_check "... it says so" it_answer_has "not written by us"
it_check "... and is as it was" [ "$(cat "$(it_kept)")" = "SafeLogging 1" ]
rm "$(it_kept)"
chmod 777 "$DIR/torrc.d"
it_refuses "a folder that all may write to" "others than root"
chmod 755 "$DIR/torrc.d"
mv "$DIR/torrc.d" "$DIR/away"
it_refuses "no folder" "is not there: make it"
mv "$DIR/away" "$DIR/torrc.d"
it_check "still open" it_wait_for open 5

# --- kept ------------------------------------------------------------------

it_restart_tor()
{
	net_stop tor
	printf '%s\n' "$@" >"$DIR/tor/torrc.extra"
	net_tor_start --no-wait
}
it_advice()
{
	case $(it_field '.advice // ""') in
	*"$1"*) return 0 ;;
	esac
	return 1
}

it_check "bridges: applied" it_applied "$change"
it_check "... open" it_wait_for open 20
it_restart_tor "$include"
it_check "a Tor that starts anew has them" net_wait 20 it_conf_is Bridge \
    "$line"
it_check "... open" it_wait_for open 60
it_check "... nothing is said about it" [ "$(it_field .advice)" = null ]

it_restart_tor "# nothing is included"
it_check "one that started without is given them again" \
    net_wait 20 it_conf_is Bridge "$line"
it_check "... open" it_wait_for open 60
it_check "... the status says so" net_wait 5 it_advice "was given it again"
it_check "... and what is to be done" it_advice "%include $(it_kept)"
it_check "... a page" it_retry 20 it_fetch socks4
it_end
