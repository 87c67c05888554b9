#!/bin/bash
# Position "time-sync" with real packets: only the users that set the clock,
# only their listener, only while the lease lasts.
. "$(dirname "$0")/gate.bash"
it_begin
servers_start
CLOCK=4400
note "positive control: without rules everything answers"
check "control: the clock's listener" ask_gw $CLOCK 127.0.0.1:9150
check "control: the same as another" ask_gw 1000 127.0.0.1:9150
check "control: a workstation" ask_ws 10.152.152.10:9050

gate_start -T 3 -U $CLOCK
lease() { in_gw nft list set inet portcullis "$1" | grep -q expires; }
clients_out() {
	refuse "$1: workstation, TCP" ask_ws 10.152.152.10:9050
	refuse "$1: workstation, redirect" ask_ws 198.51.100.1:80
	refuse "$1: workstation, IPv6" ask_ws fd19::10:9050
	refuse "$1: gateway's own program" ask_gw 1000 127.0.0.1:9150
}
closed() {
	clients_out "$1"
	refuse "$1: the clock's user" ask_gw $CLOCK 127.0.0.1:9150
	refuse "$1: no lease of sync" lease sync
	refuse "$1: no lease of gate" lease gate
}
closed "closed"

in_sync() { echo "keep $1" >&7; await 'position=time-sync' 2; }
in_open() { echo "hold $1" >&7; await 'position=open' 2; }
mark
in_sync 4000
check "sync: reported" now_is 'position=time-sync known=1 .* proven=1 '
check "sync: the clock's user" ask_gw $CLOCK 127.0.0.1:9150
check "sync: held" lease sync
clients_out "sync"
await '^done keep' 10
say wait 1300
check "silence: closed" now_is 'position=closed known=1 why=3'
closed "silence"

note "from time-sync to open, without a close"
mark
say keep 500
epoch=$(grep '^report' "$IT_DIR/drv.out" | tail -1)
epoch=${epoch##* epoch=} epoch=${epoch%% *}
mark
in_open 4000
check "open: reported, in the same epoch" \
    now_is "position=open known=1 .* epoch=$epoch "
check "open: workstation" ask_ws 10.152.152.10:9050
check "open: gateway's own program" ask_gw 1000 127.0.0.1:9150
refuse "open: sync is not held as well" lease sync
await '^done hold' 10

note "from open back to time-sync: closed for everybody in between"
say hold 300
say sync
check "lowered: reported" heard 'position=tor-only known=1 why=1'
refuse "lowered: no lease of gate" lease gate
refuse "lowered: no lease of sync either" lease sync
clients_out "lowered"
mark
in_sync 2500
check "asked again: time-sync" ask_gw $CLOCK 127.0.0.1:9150
clients_out "asked again"
await '^done keep' 10

note "what closes open closes time-sync"
say keep 300
say closed
closed "asked to"
say keep 300
say sync 0
check "a listener of others: the engine is dropped" \
    heard 'asked-to-restart'
closed "a listener of others"
say engine
mark
in_sync 3000
kill -KILL "$GATE_PID"
sleep 0.5
clients_out "gate dead"
refuse "gate dead: the clock's user" ask_gw $CLOCK 127.0.0.1:9150
gate_stop

note "SIGSTOP: the lease bounds it"
gate_start -T 3 -U $CLOCK
mark
in_sync 8000
check "held" ask_gw $CLOCK 127.0.0.1:9150
kill -STOP "$GATE_PID"
sleep 1.2
refuse "stopped: the clock's user" ask_gw $CLOCK 127.0.0.1:9150
mark
kill -CONT "$GATE_PID"
check "continued: closed, not revived" await 'position=closed' 3
gate_stop

note "a policy that requires no time-sync"
gate_start
say sync 3
check "it is no request" heard 'asked-to-restart'
refuse "no such set" in_gw nft list set inet portcullis sync 2>/dev/null
gate_stop
it_end
