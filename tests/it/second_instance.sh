#!/bin/bash
# A second portcullisd says in one sentence that there is one already, ends
# with 1, and neither the first, nor its rules, nor its Tor notice anything.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor
echo 'Log info stdout' >"$DIR/tor/torrc.extra" # it tells who connects
net_tor_start --no-wait
it_start
it_check "opens" it_wait_for open 60
it_check "a page comes through (positive control)" it_retry 30 it_fetch trans4

# Other listeners: an engine that got as far as Tor would be seen.
sed -e 's|/run"|/run2"|' -e 's|"5300"|"5301"|' "$DIR/portcullis.conf" \
    >"$DIR/second.conf"

rules()
{
	net_in gateway nft -s list ruleset | sed '/expires/d' | cksum
}

links()
{
	net_tor_ctl "GETINFO net/listeners/dns net/listeners/control" | cksum
}

# No second one may so much as connect to Tor.
connects()
{
	grep -c 'New control connection' "$DIR/log/tor"
}

second()
{
	net_in gateway timeout 20 "$it_build/portcullisd" --libexec-dir \
	    "$it_build" "$@" >"$DIR/log/second" 2>&1
	echo $?
}

before=$(rules)
there=$(links)
closes=$(it_field .firewall.closes)
epoch=$(it_field .firewall.epoch)
talks=$(connects)
it_check "Tor's log shows who talks to it (positive control)" [ "$talks" \
    -ge 2 ]
for conf in portcullis second; do
	it_check "$conf: exit code 1" [ "$(second -f "$DIR/$conf.conf")" = 1 ]
	it_check "$conf: one clear sentence" [ "$(grep -c 'another portcullisd' \
	    "$DIR/log/second")" = 1 ]
done
it_check "it never talked to Tor" [ "$(connects)" = "$talks" ]
net_in gateway "$it_build/portcullisd" --remove-rules >"$DIR/log/remove" 2>&1
it_check "--remove-rules refuses: exit code 1" [ $? = 1 ]
it_check "--remove-rules says why" grep -q 'is running and holds the gate' \
    "$DIR/log/remove"
it_check "the rules are the same" [ "$(rules)" = "$before" ]
it_check "Tor's listeners are the same" [ "$(links)" = "$there" ]
it_check "nothing closed" it_field_is .firewall.closes "$closes"
it_check "the same epoch" it_field_is .firewall.epoch "$epoch"
it_check "still open" it_field_is .position open
it_check "a page still comes through" it_retry 10 it_fetch trans4
it_end
