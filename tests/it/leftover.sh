#!/bin/bash
# A listener that the policy names no more is closed at the next start, though
# Tor runs on; the user's own lines, and those that remain, are not.
. "${top_srcdir:?}/tests/it/lib.bash"
. "${top_srcdir:?}/tests/it/listeners.bash"
it_begin --no-tor
echo "SocksPort 127.0.0.1:9999 IsolateDestPort" >"$DIR/tor/torrc.extra"
net_tor_start
cp "$DIR/portcullis.conf" "$DIR/portcullis.conf.short"
cat >>"$DIR/portcullis.conf" <<END
listener "old" { kind = "socks" address = "$NET_GW4" port = 9051 }
END
it_start
it_need "opens" it_wait_for open 60
it_need "all are proven" net_wait 10 it_all_proven
it_check "the one that is to go listens (positive control)" \
    it_tor_has socks "$NET_GW4:9051"
it_stop
it_check "and goes on listening without us" it_tor_has socks "$NET_GW4:9051"

# One that Tor has from elsewhere, on the workstation's side as well.
lines=$(net_tor_ctl "GETCONF SocksPort" | tr -d '\r' |
    sed -n 's/^250[- ]\(SocksPort\)=\(.*\)/\1="\2"/p' | tr '\n' ' ')
net_tor_ctl "SETCONF $lines SocksPort=$NET_GW4:9052" >/dev/null
it_need "a stranger's listens" it_tor_has socks "$NET_GW4:9052"

cp "$DIR/portcullis.conf.short" "$DIR/portcullis.conf"
it_start
it_need "opens with the shorter policy" it_wait_for open 60
it_need "all of that are proven" net_wait 10 it_all_proven
it_check "the one that was left out is closed" \
    it_not it_tor_has socks "$NET_GW4:9051"
it_check "the user's own is there" it_tor_has socks 127.0.0.1:9999
it_check "the stranger's too" it_tor_has socks "$NET_GW4:9052"
it_check "which is an alarm, the only one" \
    it_field_is .listeners.alarms 1
it_check "the log says what was closed" \
    grep -q "9051.* was of an earlier policy" "$DIR/log/portcullisd"
it_end
