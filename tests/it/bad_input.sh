#!/bin/bash
# Bad policies, a bad control port, bad clients: closed, said once, survived.
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor

# --- policy ----------------------------------------------------------------
sed -e 's/"trans"/"tarns"/' -e 's/lease_ms *= *[0-9]*/lease_ms = 5/' \
    "$DIR/portcullis.conf" >"$DIR/bad.conf"
grep -q lease_ms "$DIR/bad.conf" ||
    sed -i '/^gateway/a lease_ms = 5' "$DIR/bad.conf"
net_in gateway "$it_build/portcullisd" -f "$DIR/bad.conf" \
    >"$DIR/log/bad" 2>&1
it_check "a bad policy: exit code 2" [ $? = 2 ]
it_check "a bad policy: every error, with file and line" [ "$(grep -c \
    "bad.conf:[0-9]*: " "$DIR/log/bad")" -ge 2 ]
it_check "a bad policy: the firewall is untouched" [ -z "$(net_in gateway \
    nft list ruleset)" ]
cp "$DIR/portcullis.conf" "$DIR/open.conf"
chmod 666 "$DIR/open.conf"
net_in gateway "$it_build/portcullisd" -f "$DIR/open.conf" \
    >"$DIR/log/bad" 2>&1
it_check "a world-writable policy is refused" [ $? = 2 ]
it_check "-n checks as any user" setpriv --reuid 65534 --clear-groups \
    "$it_build/portcullisd" -n -f "$DIR/portcullis.conf"

# --- control port: the rest of it is tests/hostile --------------------------
asked()
{
	[ "$(grep -c asked "$DIR/log/fake")" -ge "$1" ]
}

it_start
it_check "closed without a control port" it_wait_for closed 20
net_spawn fake gateway setpriv --reuid "$NET_TOR_USER" --regid \
    "$NET_TOR_USER" --clear-groups "$net_python" \
    "$it_src/tests/it/fake_control.py" garbage "$DIR/tor/control/socket" \
    "$DIR/tor/control/cookie"
it_check "garbage: the fake was asked" net_wait 40 asked 1
it_check "garbage: and asked again (retry)" net_wait 40 asked 2
it_check "garbage: never open" it_field_is .position closed
it_check "garbage: says why" it_field_is .reason.code not-a-control-port
net_stop fake
rm -f "$DIR/log/fake" "$DIR/tor/control/socket"

# --- clients ---------------------------------------------------------------
net_tor_start --no-wait
it_check "recovers when the peer becomes good" it_wait_for open 120
closes=$(it_field .firewall.closes)
for i in 1 2 3 4 5 6 7 8; do # never read
	net_spawn "mute$i" gateway socat -u \
	    "UNIX-CONNECT:$DIR/run/status.sock" EXEC:'sleep 60'
done
"$net_python" "$it_src/tests/it/flood_control.py" "$DIR/run/control.sock"
it_check "a flood on control.sock is dropped" [ $? = 0 ]
it_check "status still answers" it_field_is .position open
it_check "and nothing closed" it_field_is .firewall.closes "$closes"
it_check "a good client is served" it_portcullis reprove
it_end
