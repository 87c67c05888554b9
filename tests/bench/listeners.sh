#!/bin/bash
# What the table of listeners costs, for 9 (an ordinary policy's), 333 (a
# Whonix gateway's) and 4,000, beside what others do for the same:
# listeners.sh [ROUNDS [IDLE_SECONDS]]
# Run by "make bench-listeners".  Prints the section for RESULTS.md; the
# numbers as JSON are in tests/bench/listeners.json of the build folder.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/it/listeners.bash
. "${top_srcdir:?}/tests/it/listeners.bash"
# shellcheck source=tests/bench/lib.bash
. "${top_srcdir:?}/tests/bench/lib.bash"
bench=$it_src/tests/bench
rounds=${1:-10}
idle=${2:-20}
# A commit's time varies with what other CPUs do; it is short.
gate_rounds=$((rounds * 5))
# One rule, one process: so slow that more rounds would tell no more, and that
# 4,000, which nobody has, would take half a minute.
slow_rounds=1
slow_most=1000
# shellcheck disable=SC2154
results=$it_build/tests/bench/listeners.json

it_die()
{
	echo "bench: $*" >&2
	exit 1
}

# --- the policies ------------------------------------------------------------

# 4,000: four addresses, a thousand SocksPorts each.
bench_policy4000()
{
	it_policy | sed '/^listener /,$d'
	cat <<-END
	listener "many" {
		kind = "socks"
		address = { "$NET_GW4", "$NET_GW6", "127.0.0.1", "::1" }
		port = { "10000-10999" }
		flags = { "IPv6Traffic", "IsolateDestAddr" }
	}
	END
}

# What Tor has been told, as "OPTION VALUE" lines.
bench_options()
{
	net_tor_ctl "GETCONF SocksPort HTTPTunnelPort TransPort DNSPort" |
	    tr -d '\r' | sed -n 's/^250[- ]\([A-Za-z]*\)=\(.*\)$/\1 \2/p' |
	    grep -v ' 0$'
}

# The same as "FAMILY ADDRESS PROTOCOL PORT"; Unix sockets have no rule.
bench_addresses()
{
	sed -n 's/^\([A-Za-z]*\) \([^ ]*\):\([0-9]*\)\( .*\)\{0,1\}$/\1 \2 \3/p' |
	    while read -r option address port; do
		proto=tcp family=ip
		[ "$option" != DNSPort ] || proto=udp
		[ "${address#[}" = "$address" ] || family=ip6
		address=${address#[}
		echo "$family ${address%]} $proto $port"
	    done
}

# --- provisioning a Tor ------------------------------------------------------

bench_clear()
{
	net_tor_ctl "SETCONF SocksPort=0 HTTPTunnelPort=0 TransPort=0 DNSPort=0" \
	    >/dev/null || it_die "Tor does not let go of its listeners"
}

# As it_start, with the time before each line of the log.
# shellcheck disable=SC2016,SC2154 # it is the inner shell's
bench_start()
{
	: >"$DIR/stamped"
	net_spawn portcullisd gateway bash -c 'stamp=$1 out=$2
	    shift 2
	    exec 2> >(exec python3 "$stamp" >"$out")
	    until [ -s "$out" ]; do sleep 0.02; done
	    exec "$@"' bash \
	    "$bench/stamp.py" "$DIR/stamped" "$it_build/portcullisd" \
	    --libexec-dir "$it_build" -f "$DIR/portcullis.conf"
}

# bench_stamp TEXT: when the first line with that came.
bench_stamp()
{
	grep -m 1 -F -e "$1" "$DIR/stamped" | cut -d ' ' -f 1
}

bench_ended()
{
	[ -n "$(bench_stamp 'position=open')" ]
}

# One provisioning, from the engine's first look to proven, and to open.
bench_provision()
{
	local begin proven open
	bench_clear
	bench_start
	net_wait 60 bench_ended || {
		cat "$DIR/stamped"
		it_portcullis status
		it_die "the gate does not open"
	}
	begin=$(bench_stamp ' on SETUP_OK')
	proven=$(bench_stamp ' on CONF_OK')
	open=$(bench_stamp 'position=open')
	echo "$begin $proven $open"
}

bench_median() # COLUMN expression in awk
{
	awk "{ print ($1) * 1000 }" | sort -n | awk '{ a[NR] = $1 }
	    END { low = a[int((NR + 1) / 2)]; high = a[int(NR / 2) + 1]
	    printf "%.1f", (low + high) / 2 }'
}

bench_provisions()
{
	local i
	: >"$DIR/provisions"
	for ((i = 1; i <= rounds; i++)); do
		bench_provision >>"$DIR/provisions" || exit 1
		[ "$i" = "$rounds" ] || it_stop # the last one stays
	done
	net_wait 20 it_all_proven || it_die "not all listeners are proven"
	printf '{"provision_ms":%s,"open_ms":%s}\n' \
	    "$(bench_median '$2 - $1' <"$DIR/provisions")" \
	    "$(bench_median '$3 - $1' <"$DIR/provisions")"
}

# --- what it costs to stand by ------------------------------------------------

bench_pids()
{
	net_pid portcullisd
	it_pid gate && it_pid engine && it_pid status
}

# PSS and RSS in kB, over all of ours.
bench_memory()
{
	local pid
	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Pss:/ { pss += $2 } /^Rss:/ { rss += $2 }
	    END { printf "{\"pss_kb\":%d,\"rss_kb\":%d}\n", pss, rss }'
}

# Nanoseconds on a CPU so far.
bench_cpu()
{
	local pid
	for pid; do
		cat "/proc/$pid/task/"*/schedstat
	done | awk '{ ns += $1 } END { printf "%.0f", ns }'
}

bench_idle()
{
	local before after tor tor_before
	tor=$(net_pid tor) || it_die "Tor is gone"
	# After opening there is still something to tell and to read.
	sleep 3
	before=$(bench_cpu "$@")
	tor_before=$(bench_cpu "$tor")
	sleep "$idle"
	after=$(bench_cpu "$@")
	awk -v ns=$((after - before)) -v s="$idle" \
	    -v tor=$(($(bench_cpu "$tor") - tor_before)) 'BEGIN {
	    printf "{\"idle_cpu_percent\":%.2f,", ns / s / 1e7
	    printf "\"idle_tor_percent\":%.2f}\n", tor / s / 1e7 }'
}

# --- one table ---------------------------------------------------------------

# The kernel's part, each run in a namespace of its own.
bench_gate()
{
	"$it_build/gate_time" -r "$gate_rounds" "$DIR/portcullis.conf" | jq -c '{
	    gate_compile_us: (.compile_ns / 1000 | round),
	    gate_commit_us: (.commit_ns / 1000 | round),
	    gate_compile_commit_us: ((.compile_ns + .commit_ns) / 1000 | round),
	    gate_open_us: (.open_ns / 1000 | round),
	    gate_update_one_us: (.update_one_ns / 1000 | round),
	    gate_close_us: (.close_ns / 1000 | round)}'
	[ "${PIPESTATUS[0]}" = 0 ]
}

bench_stem()
{
	net_in gateway "$net_python" "$bench/peer_stem.py" \
	    "$DIR/tor/control" "$DIR/options" "$rounds"
	case $? in
	0) ;;
	77) echo "left out: python3-stem (apt-get install python3-stem)" >&2 ;;
	*) it_die "stem failed" ;;
	esac
}

bench_firewall() # ROUNDS tee|lean
{
	SHAPE_UID_TOR=$(id -u "$NET_TOR_USER") net_in gateway \
	    bash "$bench/peer_firewall.sh" "$DIR/addresses" \
	    "$DIR/peer.nft" "$1" "$2" || it_die "the peer's nft failed"
}

bench_table() # peers|none
{
	local pids
	"$it_build/table_time" compile "$DIR/portcullis.conf" 50 || exit 1
	bench_gate || exit 1
	bench_provisions || exit 1
	bench_options >"$DIR/options"
	bench_addresses <"$DIR/options" >"$DIR/addresses"
	printf '{"listeners":%d,"rounds":%d}\n' "$(wc -l <"$DIR/options")" \
	    "$rounds"
	mapfile -t pids < <(bench_pids)
	[ ${#pids[@]} = 4 ] || it_die "the four processes are not known"
	net_in gateway "$it_build/table_time" prove "$DIR/portcullis.conf" \
	    50 || exit 1
	bench_memory "${pids[@]}"
	bench_idle "${pids[@]}"
	[ "$1" = peers ] || return 0
	it_stop
	bench_clear
	bench_stem
	bench_firewall "$rounds" lean
	[ "$(wc -l <"$DIR/options")" -gt "$slow_most" ] ||
	    bench_firewall "$slow_rounds" tee
}

# Rows of the section: what is said, and the value in each column.
bench_rows()
{
	cat <<-'END'
	def ms(f): if f then f / 1000 else null end;
	def one: if . == null then "-" elif . >= 100 then round
	    elif . >= 10 then . * 10 | round / 10
	    else . * 100 | round / 100 end | tostring;
	def row(name; f): "| \(name) | " + (map(f | one) | join(" | ")) + " |";
	row("read and check the policy"; ms(.parse_us)),
	row("rules from it"; ms(.rules_us)),
	row("netlink messages from them"; ms(.gate_compile_us)),
	row("the kernel's commit of guard and gate tables";
	    ms(.gate_commit_us)),
	row("**compile and commit** (goal: 5)"; ms(.gate_compile_commit_us)),
	row("open: all elements in, read back"; ms(.gate_open_us)),
	row("one listener in or out, read back"; ms(.gate_update_one_us)),
	row("close"; ms(.gate_close_us)),
	row("provision a Tor: first look, SETCONF, read back, all proven";
	    .provision_ms),
	row("the same until the gate is open"; .open_ms),
	row("one proof of all owners by sock_diag"; ms(.prove_us)),
	row("memory of all four processes, PSS, MB"; ms(.pss_kb)),
	row("... RSS, MB"; ms(.rss_kb)),
	row("CPU with nothing changing, ours, % of one core";
	    .idle_cpu_percent),
	row("... of Tor, for answering us"; .idle_tor_percent),
	row("python3-stem: the same SETCONF and read-back, no proof";
	    .stem_ms),
	row("the rules of a Whonix gateway's shape, by a shell script: generate, `nft --check`, `nft -f`";
	    .lean_ms),
	row("the same with a `tee` for each rule, as whonix_firewall does";
	    .tee_ms)
	END
}

bench_ratios()
{
	cat <<-'END'
	def times(a; b): if a and b then a / b * 10 | round / 10
	    | "\(.) times" else "(not measured)" end;
	.[] | select(.lean_ms) |
	"* \(.listeners) listeners: stem takes " +
	times(.stem_ms; .provision_ms) + " our time; the script with `nft -f` " +
	times(.lean_ms * 1000; .gate_compile_commit_us) + " and with a process " +
	"per rule " + times(if .tee_ms then .tee_ms * 1000 else null end;
	    .gate_compile_commit_us) + " that of compile and commit."
	END
}

bench_show()
{
	cat <<-END
	# The table of listeners

	\`make bench-listeners\`: 9 listeners, 333 (the shipped Whonix policy) and 4,000 (four addresses, a thousand SocksPorts each) on a real Tor, in
	one run beside two peers. Medians of $rounds rounds ($gate_rounds for the kernel's part), in milliseconds; CPU over
	$idle s. $(bench_machine), $(bench_tor).

	| | $(jq -rs 'map(.listeners | tostring) | join(" | ")' "$results") |
	|---|---|---|---|
	END
	jq -rs "$(bench_rows)" "$results"
	echo
	jq -rs "$(bench_ratios)" "$results"
	bench_notes listeners | sed 1d
}

it_begin --no-tor
net_tor_start
mkdir -p "${results%/*}"
: >"$results"
for table in plain whonix 4000; do
	rm -rf "$DIR/conf.d"
	peers=peers
	case $table in
	plain)
		it_policy >"$DIR/portcullis.conf"
		peers=none
		;;
	whonix) it_whonix_policy ;;
	4000) bench_policy4000 >"$DIR/portcullis.conf" ;;
	esac
	bench_table $peers >"$DIR/lines" || exit 1
	[ $peers = peers ] || it_stop
	jq -cs add "$DIR/lines" >>"$results"
done
bench_show
exit 0
