#!/bin/bash
# What is left to whoever takes one of our processes over: system calls made
# by the running programs themselves (inject.c), each beside the same one made
# by another process of that user; and what /proc says of what they hold.
# Every single list is gone through by t_sandbox.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
! grep -q '^#define INSTRUMENTED 1' "${top_builddir:?}/config.h" ||
    it_skip "there are no lists in such a build"
it_begin_bare
IT_RESOLVER_UID=64004
log=$DIR/log/portcullisd
inject=$it_build/inject

jail_uid()
{
	case $1 in
	gate | purg) echo $IT_GATE_UID ;;
	engi) echo $IT_ENGINE_UID ;;
	stat) echo $IT_STATUS_UID ;;
	reso) echo $IT_RESOLVER_UID ;;
	esac
}

# Its list is in force: until then it is not what this is about.
jail_sealed()
{
	local pid
	pid=$(it_process "$1") && [ "$(jail_status "$pid" Seccomp)" = 2 ] &&
	    [ "$(jail_status "$pid" Seccomp_filters)" -ge 2 ]
}

jail_status()
{
	sed -n "s/^$2:[[:blank:]]*//p" "/proc/$1/status" |
	    tr -s '\t ' ' ' | sed 's/ $//'
}

# jail_free UID CALL: what a process gets that nobody has locked in.
jail_free()
{
	local pid out
	setpriv --reuid "$1" --regid "$1" --clear-groups sleep 30 &
	pid=$!
	net_wait 5 grep -q '^sleep$' "/proc/$pid/comm" || return 1
	out=$("$inject" "$pid" "$2")
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	echo "$out"
}

# jail_is WHO CALL WANTED FREE
jail_is()
{
	local got free
	got=$("$inject" "$(it_process "$1")" "$2")
	free=$(jail_free "$(jail_uid "$1")" "$2")
	[ "$got" = "$3" ] && [ "$free" = "$4" ] && return 0
	echo "   $1 $2: $got, free: $free"
	return 1
}

# jail_refuses WHO CALL WANTED FREE: and it lives.
jail_refuses()
{
	local pid
	pid=$(it_process "$1")
	jail_is "$@" && [ "$(it_process "$1")" = "$pid" ]
}

# jail_kills WHO CALL FREE: and there is another one soon.
jail_kills()
{
	local pid purg
	pid=$(it_process "$1")
	purg=$(it_process purg)
	jail_is "$1" "$2" "killed 31" "$3" && it_gone "$pid" &&
	    { [ "$1" != gate ] || net_wait 5 it_gone "$purg"; } &&
	    net_wait 5 jail_sealed "$1"
}

# What is open, without numbers of descriptors and inodes.
jail_holds()
{
	local fd
	for fd in /proc/"$1"/fd/*; do
		readlink "$fd"
	done | sed -e 's/:\[[0-9]*\]$//' -e 's/ (deleted)$//' \
	    -e "s|$DIR|DIR|" -e 's|anon_inode:||' | sort -u |
	    tr '\n' ' '
}

jail_holds_only()
{
	local holds
	holds=$(jail_holds "$(it_process "$1")")
	[ "$holds" = "$(printf '%s\n' $2 | sort -u | tr '\n' ' ')" ] &&
	    return 0
	echo "   $1 holds $holds"
	return 1
}

jail_caps()
{
	local pid set
	pid=$(it_process "$1")
	for set in Prm Eff; do
		[ "$(jail_status "$pid" Cap$set)" = "$2" ] || return 1
	done
	for set in Inh Bnd Amb; do
		[ "$(jail_status "$pid" Cap$set)" = 0000000000000000 ] ||
		    return 1
	done
}

jail_bound()
{
	local pid
	pid=$(it_process "$1")
	jail_sealed "$1" && [ "$(jail_status "$pid" NoNewPrivs)" = 1 ] &&
	    [ "$(jail_status "$pid" Uid | tr ' ' '\n' | sort -u)" = \
	    "$(jail_uid "$1")" ] &&
	    [ "$(jail_status "$pid" Groups)" = "$2" ] &&
	    grep -q '^Max core file size *0 *0 ' "/proc/$pid/limits" &&
	    [ "$(stat -c %u "/proc/$pid/fd")" = 0 ] # not dumpable
}

sed -i "s/^\([[:blank:]]*\)status = .*/&\n\1resolver = $IT_RESOLVER_UID/" \
    "$DIR/portcullis.conf"
echo 'resolver { address = "198.18.0.53" }' >>"$DIR/portcullis.conf"
it_start -v
for who in gate purg engi stat reso; do
	it_need "$who runs, with a list of calls" net_wait 10 jail_sealed $who
done
keeper=$(net_pid portcullisd)

# --- what they hold --------------------------------------------------------

it_check "the keeper: a list, no new privileges" \
    [ "$(jail_status "$keeper" Seccomp) $(jail_status "$keeper" \
    NoNewPrivs)" = "2 1" ]
# CAP_CHOWN, KILL, SETGID, SETUID, SETPCAP, NET_ADMIN, IPC_LOCK, SYS_NICE,
# SYS_RESOURCE.
it_check "the keeper: what portcullis.service has, in the bounding set too" \
    [ $((0x$(jail_status "$keeper" CapBnd) & ~0x18051e1)) = 0 ]
for who in purg stat reso gate; do
	it_check "$who: its user, no groups, no core, not to be traced" \
	    jail_bound $who ""
done
it_check "engine: the same, and Tor's group for the cookie" \
    jail_bound engi "$(id -g "$NET_TOR_USER")"
for who in engi stat reso; do
	it_check "$who has no capability" jail_caps $who 0000000000000000
done
for who in gate purg; do
	it_check "$who has CAP_NET_ADMIN" jail_caps $who 0000000000001000
done
it_check "the gate's memory is locked" \
    [ "$(jail_status "$(it_process gate)" VmLck)" != "0 kB" ]
# Where the machine lets root have it.
if (echo -1000 >/proc/self/oom_score_adj) 2>/dev/null; then
	it_check "the gate is the last that is killed for memory" \
	    grep -qx -- -1000 "/proc/$(it_process gate)/oom_score_adj"
fi
std="/dev/null DIR/log/portcullisd socket"
conf=/proc/sys/net/ipv6/conf
settings="/proc/sys/net/ipv4/ip_forward $conf/all/forwarding"
[ ! -e $conf/all/force_forwarding ] || settings="$settings $conf"
it_check "the gate holds no file but settings" jail_holds_only gate \
    "$std $settings [eventfd] [signalfd] [timerfd]"
it_check "purge holds no file" jail_holds_only purg "socket [eventfd]"
it_check "the engine holds no file" jail_holds_only engi \
    "$std pipe [eventpoll] [timerfd]"
it_check "status holds no file but the policy" jail_holds_only stat \
    "$std pipe [eventpoll] [timerfd] /memfd:portcullis-policy"
it_check "the resolver holds no file" jail_holds_only reso \
    "$std pipe [eventpoll]"

# --- refused, and it goes on ------------------------------------------------

# A kernel with nothing for it to read there is what says so.
said=EACCES
[ -e $conf/all/force_forwarding ] || said=ENOENT
it_check "gate cannot open a file" jail_refuses gate open $said ok
for who in purg stat; do
	it_check "$who cannot open a file" jail_refuses $who open EACCES ok
done
it_check "the engine cannot open one that is not for it" \
    jail_refuses engi open EACCES ok
it_check "nor the resolver, beyond /etc and certificates" \
    jail_refuses reso version EACCES ok

# --- refused for good --------------------------------------------------------

# jail_round NAME CALL FREE...: one after the other; programs side by side.
jail_round()
{
	local who=$1 before=$it_failed
	shift
	while [ $# -gt 0 ]; do
		it_check "$who: $1 kills it, and it is started again" \
		    jail_kills "$who" "$1" "$2"
		sleep 1.1 # one that lives so long is started at once
		shift 2
	done
	[ "$it_failed" = "$before" ]
}

rounds=()
jail_round gate setuid EPERM inet ok exec ok mprotect ok >"$DIR/gate" &
rounds+=($!)
jail_round engi write ok packet EPERM exec ok mmap ok >"$DIR/engi" &
rounds+=($!)
jail_round stat setresuid EPERM inet ok exec ok kill EPERM >"$DIR/stat" &
rounds+=($!)
jail_round reso write ok netfilter ok exec ok unshare ok >"$DIR/reso" &
rounds+=($!)
for pid in "${rounds[@]}"; do
	it_check "a round" wait "$pid"
done
cat "$DIR/gate" "$DIR/engi" "$DIR/stat" "$DIR/reso"
it_check "the log says so, and what to do" \
    grep -q 'gate pid=.*not on its list of system calls.*report' "$log"
it_check "and the gate stands again, closed" it_retry 5 it_field_is \
    .position closed

# --- the keeper ---------------------------------------------------------------

# shellcheck disable=SC2046 # a list of words
set -- $(it_family) "$(it_process purg)"
it_check "the keeper cannot mount" \
    [ "$("$inject" "$keeper" mount)" = "killed 31" ]
it_check "with it all others end" net_wait 5 it_gone "$@"
it_check "and the gateway stays closed" it_table inet portcullis_boot
it_end
