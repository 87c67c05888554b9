#!/bin/bash
# F4, F5: when their ruleset fails to load, it is taken down in nine steps:
# for some of them there is no filter, and afterwards loopback is dead.  Ours
# has no such step, whatever of it ends, and loopback lives throughout.
#
# F5, their mark of a failure that stays for ever, is no matter of rules; its
# counterpart here is that what our gate reports is read back from the kernel:
# it says that a barrier is missing, and later that it is there again.
# shellcheck disable=SC2086 # lists of addresses are words
# shellcheck source=tests/it/holes.bash
. "$(dirname "$0")/holes.bash"
holes_begin
holes_tor
holes_serve "$GW" 0 127.0.0.1:8888 ::1:8888
LOOPBACK="127.0.0.1:8888 ::1:8888"
watch_begin
floods_begin
gets "control: without rules the flood is on the wire" outside
gets "control: ... and in the gateway" inside

theirs
sleep 0.2
sofar=$(seen outside)
all "theirs: loopback" gw_answers $UID_USER -- $LOOPBACK
check "theirs: nothing of the flood gets out" [ "$(seen outside)" = "$sofar" ]
in_gw env SHAPE_PAUSE=0.02 bash "$SHAPE" lockdown
after=$(seen outside)
note "their failure path let $((after - sofar)) packets out"
check "theirs: the failure path lets packets out: the hole" \
    [ "$after" -gt "$sofar" ]
none "theirs: ... and loopback is dead" gw_answers $UID_USER -- $LOOPBACK
check "theirs: ... and a table of theirs is left behind" \
    in_gw nft list table ip6 nat >/dev/null
theirs_gone

# quiet SENTENCE COMMAND...: it lets nothing of the flood out, or in.
quiet()
{
	local out in_ what=$1
	shift
	out=$(seen outside) in_=$(seen inside)
	"$@"
	sleep 0.3
	check "ours, $what: nothing gets out" [ "$(seen outside)" = "$out" ]
	check "ours, $what: nothing gets in" [ "$(seen inside)" = "$in_" ]
}

# And loopback lives.
holds()
{
	quiet "$@"
	all "ours, $1: loopback" gw_answers $UID_USER -- $LOOPBACK
}

# The watch goes too: it begins at 0 again.
flushed()
{
	in_gw nft flush ruleset
	watch_begin
	in_=0
}

gate_again() { gate_run -f "$IT_DIR/policy.conf"; }
gate_killed()
{
	kill -KILL "$GATE_PID"
	await '^gate-ended' 5
}
gate_ends() { say term; await '^gate-ended' 5; }

# Closed, so that nothing of the flood has a way.
ours < <(holes_listeners)
holds "closed" sleep 0.3
holds "no engine" say hangup
holds "a new engine" say engine
holds "ruleset flushed by another" flushed
holds "gate killed" gate_killed
gate_stop
holds "gate started" gate_again
holds "gate stopped" gate_ends
gate_stop
holds "gate started again" gate_again
holds "their ruleset comes" theirs
quiet "their failure path" in_gw env SHAPE_PAUSE=0.02 bash "$SHAPE" lockdown
holds "their ruleset goes" theirs_gone

note "F5: a failure is reported, and its end"
in_gw nft delete table inet portcullis_boot
await 'report .*foreign=1' 5
check "ours: a barrier that another takes away is counted" \
    now_is 'known=1 .* foreign=[1-9]'
check "ours: ... and is there again" now_is 'barriers=0x[0-9a-f]*[13579bdf] '
check "ours: ... and in the kernel" \
    in_gw nft list table inet portcullis_boot >/dev/null
keep open
check "ours: no failure sticks" now_is 'position=open known=1 .* error=0'
floods_end
ours_gone
it_end
