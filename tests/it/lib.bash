# shellcheck shell=bash
# What the integration tests share: a private network, portcullisd in its
# gateway, probes, and conditions with deadlines.  Sourced by each test.
#
# A test is a list of "it_check SENTENCE COMMAND..."; it ends with it_end.

set -u
umask 022
it_src=${top_srcdir:?run me by make check-it}
it_build=${top_builddir:?run me by make check-it}
export top_builddir
# shellcheck source=tests/net/lib.bash
. "$it_src/tests/net/lib.bash"

it_net=$it_src/tests/net/net
it_passed=0
it_failed=0

# Users of our own programs: numbers that no Debian package has.
IT_GATE_UID=64001
IT_ENGINE_UID=64002
IT_STATUS_UID=64003

it_skip()
{
	echo "SKIP: $*"
	exit 77
}

it_folder()
{
	[ "$(id -u)" = 0 ] || it_skip "network namespaces need root"
	unshare -n true 2>/dev/null ||
	    it_skip "this machine makes no network namespaces"
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-it.XXXXXX") || exit 1
	export DIR
	chmod 755 "$DIR"
	trap it_cleanup EXIT
	trap 'exit 1' INT TERM
}

# it_begin [options of net up]: a network in a folder of its own.
it_begin()
{
	it_folder
	"$it_net" up "$@" "$DIR" || { echo "no network"; exit 1; }
	it_policy >"$DIR/portcullis.conf"
}

# Namespaces and links alone: no Tor anywhere, and no waiting for it.
it_begin_bare()
{
	it_folder
	mkdir "$DIR/pids" "$DIR/log"
	{ net_names_make && net_topology; } || { echo "no network"; exit 1; }
	it_policy >"$DIR/portcullis.conf"
}

it_cleanup()
{
	local rc=$?
	[ "$rc" = 0 ] || [ "$rc" = 77 ] || it_show_logs
	[ -z "${IT_LINES:-}" ] || [ ! -s "$DIR/status.lines" ] ||
	    cp "$DIR/status.lines" "$IT_LINES/${0##*/}.lines"
	"$it_net" down "$DIR"
	rm -rf "${DIR:?}"
}

it_show_logs()
{
	local log
	for log in portcullisd tor; do
		[ -e "$DIR/log/$log" ] || continue
		echo "--- the end of $log's log:"
		tail -n 25 "$DIR/log/$log"
	done
	it_portcullis status || true
}

it_policy()
{
	sed -e "s|@TOR_USER@|$NET_TOR_USER|" -e "s|@DIR@|$DIR|" \
	    -e "s|@GATE_USER@|$IT_GATE_UID|" \
	    -e "s|@ENGINE_USER@|$IT_ENGINE_UID|" \
	    -e "s|@STATUS_USER@|$IT_STATUS_UID|" \
	    "$it_src/tests/net/portcullis.conf.in"
}

# --- portcullisd -----------------------------------------------------------

it_start()
{
	net_spawn portcullisd gateway "$it_build/portcullisd" \
	    --libexec-dir "$it_build" -f "$DIR/portcullis.conf" "$@"
}

it_stop()
{
	net_stop portcullisd
}

it_portcullis()
{
	"$it_build/portcullis" --socket-dir "$DIR/run" "$@"
}

# A fresh status line, kept for tests/it/run, which looks whether each is as
# the schema has it.
it_line()
{
	it_portcullis status --json 2>/dev/null | tee -a "$DIR/status.lines"
}

# it_field .jq.path: of a fresh status line.
it_field()
{
	it_line | jq -r "$1"
}

it_field_is()
{
	[ "$(it_field "$1")" = "$2" ]
}

# it_field_has PATH TEXT
it_field_has()
{
	case $(it_field "$1") in
	*"$2"*) return 0 ;;
	esac
	return 1
}

# it_wait_for open|closed SECONDS
it_wait_for()
{
	net_wait "$2" it_portcullis wait --for "$1" \
	    --timeout "$(net_patience "$2")" >/dev/null 2>&1
}

# it_pid gate|engine|status: never a word that is no pid.
it_pid()
{
	local pid
	pid=$(it_field ".$1.pid")
	case $pid in
	'' | *[!0-9]*)
		it_failed=$((it_failed + 1))
		echo "FAILED: status names no pid of the $1" >&2
		exit 1
		;;
	esac
	echo "$pid"
}

# Every process of portcullisd's, itself first.
it_family()
{
	local pid
	pid=$(net_pid portcullisd) || return 1
	echo "$pid"
	cat "/proc/$pid/task/$pid/children"
}

# it_process keep|gate|purg|engi|stat|reso: the pid of the one that runs, by the
# name that it has given itself.
it_process()
{
	local pid keeper
	keeper=$(net_pid portcullisd)
	[ "$1" != keep ] || { echo "$keeper"; return; }
	for pid in $(it_family) \
	    $(cat /proc/"$(pgrep -P "$keeper" portcullis-gate)"/task/*/children \
	    2>/dev/null); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		portcullis-"$1") echo "$pid"; return 0 ;;
		esac
	done
	return 1
}

# it_gone PID...: none of them is left, not even as a zombie of ours.
it_gone()
{
	local pid
	for pid; do
		! net_starttime "$pid" >/dev/null || return 1
	done
}

it_table()
{
	net_in gateway nft list table "$@" >/dev/null 2>&1
}

# The names of all tables, ours or not.
it_tables()
{
	net_in gateway nft list tables | sort | tr '\n' ' '
}

# --- probes from the workstation -------------------------------------------

it_curl()
{
	net_in workstation curl -sS -g --max-time 20 "$@"
}

# it_fetch socks4|socks6|trans4|trans6: a page through Tor, its token seen.
it_fetch()
{
	local out
	case $1 in
	socks4) out=$(it_curl --socks5-hostname "$NET_GW4:9050" \
	    "http://$NET_NAME/") ;;
	socks6) out=$(it_curl --socks5-hostname "[$NET_GW6]:9050" \
	    "http://$NET_NAME/") ;;
	tunnel4) out=$(it_curl --proxytunnel --proxy "http://$NET_GW4:9190" \
	    "http://$NET_NAME/") ;;
	trans4) out=$(it_curl "http://$NET_WEB4/") ;;
	trans6) out=$(it_curl "http://[$NET_WEB6]/") ;;
	esac
	# The exit's address, never the workstation's or the gateway's.
	case $out in
	*"$NET_TOKEN"*"from=$NET_WS4"* | *"$NET_TOKEN"*"from=10.0.2.15"*)
		return 1 ;;
	*"$NET_TOKEN"*) return 0 ;;
	esac
	return 1
}

it_fetch_fails()
{
	! it_curl --connect-timeout 2 --max-time 3 "http://$NET_WEB4/" \
	    >/dev/null 2>&1 &&
	    ! it_curl --connect-timeout 2 --max-time 3 --socks5-hostname \
	    "$NET_GW4:9050" "http://$NET_WEB4/" >/dev/null 2>&1
}

# it_resolve SERVER: the test name through DNSPort.
it_resolve()
{
	[ "$(net_in workstation dig +short +tries=2 +time=5 "@$1" \
	    "$NET_NAME" A)" = "$NET_WEB4" ]
}

# it_retry SECONDS CMD...: Tor may need a moment for its first stream.
it_retry()
{
	net_wait "$@"
}

# --- leaks -----------------------------------------------------------------

# Kinds of packets that a kernel that forwards would carry to the internet.
IT_KINDS="udp icmp syn ack frag gre esp sctp proto"

it_ws_mac()
{
	net_in gateway cat /sys/class/net/eth1/address
}

# it_leak_probe: one packet of each kind and family from the workstation to
# the internet, and what of them shows on the clear side, in it_leaked.
it_leak_probe()
{
	local kind family dst src mac pids=()
	mac=$(it_ws_mac)
	rm -rf "$DIR/leak"
	mkdir "$DIR/leak"
	for kind in $IT_KINDS; do
		for family in 4 6; do
			net_in internet "$it_build/pktool" sink \
			    -t "leak-$kind-$family" -i inet0 -s 4 -n 1 \
			    >"$DIR/leak/$kind-$family" &
			pids+=($!)
		done
	done
	net_wait 10 it_sinks_ready ${#pids[@]} || return 1
	for kind in $IT_KINDS; do
		for family in 4 6; do
			dst=$NET_WEB4 src=$NET_WS4
			[ $family = 4 ] || dst=$NET_WEB6 src=$NET_WS6
			net_in workstation "$it_build/pktool" probe \
			    -t "leak-$kind-$family" -i eth0 -m "$mac" \
			    -S "$src" "$kind" "$dst" 4444 >/dev/null ||
			    return 1
		done
	done
	wait "${pids[@]}"
	it_leaked=$(cd "$DIR/leak" && grep -lv -e ready -e 'count=0 ' -- * |
	    tr '\n' ' ')
	[ -z "$it_leaked" ] || echo "   seen: $it_leaked"
}

it_sinks_ready()
{
	[ "$(grep -l ready "$DIR/leak/"* | wc -l)" = "$1" ]
}

it_leaks_nothing()
{
	it_leak_probe && [ -z "$it_leaked" ]
}

# The positive control: without a barrier each of them is seen.
it_leaks_everything()
{
	local kind
	it_leak_probe || return 1
	for kind in $IT_KINDS; do
		case " $it_leaked" in
		*" $kind-4 $kind-6 "*) ;; # sorted by name
		*)
			echo "   not seen: $kind"
			return 1
			;;
		esac
	done
}

# --- results ---------------------------------------------------------------

# it_check SENTENCE CMD...
it_check()
{
	local what=$1
	shift
	if "$@"; then
		it_passed=$((it_passed + 1))
		echo "ok: $what"
	else
		it_failed=$((it_failed + 1))
		echo "FAILED: $what"
	fi
}

# The same for what all the rest stands on: without it the test ends here.
it_need()
{
	local failed=$it_failed
	it_check "$@"
	[ "$it_failed" = "$failed" ] || it_end
}

it_not()
{
	! "$@"
}

it_end()
{
	echo "$it_passed passed, $it_failed failed"
	[ "$it_failed" = 0 ] || exit 1
	exit 0
}
