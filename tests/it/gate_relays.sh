#!/bin/bash
# Strict egress with real packets: Tor's uid reaches the address and port of
# a relay and nothing else, whole lists at a time, while lists come and go.
. "$(dirname "$0")/gate.bash"
it_begin
ip -n "$GW" -6 addr add 2001:db8::10/64 dev ext0 nodad
ip -n "$OUT" -6 addr add 2001:db8::1/64 dev ext1 nodad
ip -n "$OUT" -6 addr add 2001:db8::2/64 dev ext1 nodad
ip -n "$OUT" addr add 192.0.2.2/24 dev ext1
A4=192.0.2.1:443 B4=192.0.2.2:443 A4X=192.0.2.1:444
A6="[2001:db8::1]:443" B6="[2001:db8::2]:443" A6X="[2001:db8::1]:444"
in_out python3 "$IT_SRC/traffic.py" 0 serve $A4 $B4 $A4X 2001:db8::1:443 \
    2001:db8::2:443 2001:db8::1:444 udp:192.0.2.1:443 \
    >"$IT_DIR/outside" 2>&1 &
ready 1 "$IT_DIR/outside"
# What comes in outside for others than A, whatever becomes of it.
in_out nft -f - <<-'EOF'
	table inet watch {
		counter others { }
		chain in {
			type filter hook prerouting priority -400;
			iifname ext1 tcp dport 444 counter name others
			iifname ext1 ip daddr 192.0.2.2 counter name others
			iifname ext1 ip6 daddr 2001:db8::2 counter name others
		}
	}
EOF
counted() { in_out nft reset counter inet watch "$1" |
	sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
as_tor() { ask_gw $TOR_UID "${1//[\[\]]/}"; }

# An engine of its own for each: one that is silent for long is replaced.
engine_says() { say engine; say "$@"; }

note "positive control: without rules everything answers, and is counted"
for to in $A4 $B4 $A4X $A6 $B6 $A6X udp:192.0.2.1:443; do
	check "control: $to" as_tor "$to"
done
check "control: the watch sees the others" [ "$(counted others)" -gt 0 ]

gate_start -X
check "strict is reported, no list yet" \
    now_is 'strict=1 relays=0+0 generation=0'
none() {
	for to in "$@"; do refuse "$WHEN: not $to" as_tor "$to"; done
}
all() {
	for to in "$@"; do check "$WHEN: $to" as_tor "$to"; done
}
WHEN="no list"
none $A4 $A6

engine_says "relays 1 $A4 $A6 +5000"
await 'generation=1 ' 5
check "in force, counted" now_is 'relays=5001+5001 generation=1'
WHEN="first list"
all $A4 $A6
none $B4 $B6 $A4X $A6X udp:192.0.2.1:443
refuse "$WHEN: root goes nowhere" ask_gw 0 $A4
check "$WHEN: not one packet of the others came out" [ "$(counted others)" = 0 ]

note "a running flow of a relay that is no longer one is cut"
in_gw python3 "$IT_SRC/traffic.py" $TOR_UID stream $A4 >"$IT_DIR/flow" \
    2>/dev/null &
check "the flow runs" runs "$IT_DIR/flow"
engine_says "relays 2 $B4 $B6"
await 'generation=2 ' 5
sleep 0.3
lines=$(wc -l <"$IT_DIR/flow")
sleep 1
check "the flow is cut" [ "$(wc -l <"$IT_DIR/flow")" = "$lines" ]
WHEN="second list"
all $B4 $B6
none $A4 $A6 $A4X $A6X

note "a list that breaks off, or is nobody's, changes nothing"
engine_says "cut 3 $A4 $A6 +2000"
WHEN="broken off"
check "$WHEN: the old list is reported" now_is 'relays=1+1 generation=2'
all $B4 $B6
none $A4 $A6
say engine
say wait 100
check "another engine: the list stays" now_is 'relays=1+1 generation=2'
WHEN="another engine"
all $B4 $B6
none $A4 $A6

note "its number again, by another engine; of one family; of none; full"
engine_says "relays 2 $A4"
WHEN="IPv4 only"
check "$WHEN: in force" await 'relays=1+0 generation=2 ' 5
all $A4
none $B4 $B6
engine_says "relays 2 $B6"
WHEN="IPv6 only"
check "$WHEN: in force" await 'relays=0+1 generation=2 ' 5
all $B6
none $A4
engine_says "relays 3"
WHEN="an empty list"
check "$WHEN: in force" await 'relays=0+0 generation=3 ' 5
none $A4 $B6
engine_says "relays 5 $A4 $A6 +131071"
WHEN="full sets"
check "$WHEN: in force" await 'relays=131072+131072 generation=5 ' 30
all $A4 $A6
none $B4 $B6

note "two hundred lists, one after the other"
engine_says "relays 4 $A4 $A6"
await 'generation=4 ' 5
sleep 0.5
counted others >/dev/null # what B's closed sockets still had to say
in_gw python3 "$IT_SRC/relays.py" $TOR_UID 12 "+192.0.2.1:443" \
    "+2001:db8::1:443" "-192.0.2.2:443" "-2001:db8::2:443" \
    "-192.0.2.1:444" "-2001:db8::1:444" >"$IT_DIR/knocks" 2>&1 &
knocker=$!
sleep 0.5
start=$(date +%s%N)
say engine
mark
echo "swaps 200 $A4 $A6 +3000" >&7
await '^swapped' 60
took=$((($(date +%s%N) - start) / 1000000))
check "two hundred are in force one after the other" heard '^swapped 200$'
wait "$knocker"
note "in $took ms; meanwhile $(cat "$IT_DIR/knocks")"
check "meanwhile: hundreds of connections" \
    grep -Eq '^echoes=[0-9]{3,}' "$IT_DIR/knocks"
check "meanwhile: not one of a relay's was hampered" \
    grep -q ' late=0 ' "$IT_DIR/knocks"
check "meanwhile: tries at others" grep -Eq 'tries=[0-9]{2,}' "$IT_DIR/knocks"
check "meanwhile: none was let in" grep -q ' in=0$' "$IT_DIR/knocks"
check "meanwhile: no packet to others came out" [ "$(counted others)" = 0 ]
check "no drift, never closed" now_is 'known=1 why=0'

note "what is no page ends the engine; the list outlives it"
for n in 20023 20024 20025; do
	say engine
	say junk $n
	check "junk of $n octets: the engine is dropped" \
	    await 'asked-to-restart' 2
done
WHEN="no engine"
all $A4 $A6
none $B4 $B6
kill -KILL "$GATE_PID"
sleep 0.5
WHEN="gate dead"
none $A4 $A6
gate_stop

note "not strict: pages are no message at all, and Tor reaches all"
gate_start
check "reported" now_is 'strict=0'
WHEN="not strict"
all $A4 $B4 $A4X $A6 $B6 $A6X
engine_says "relays 1 $A4"
check "a page ends the engine" await 'asked-to-restart' 2
gate_stop
it_end
