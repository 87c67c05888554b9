#!/bin/bash
# What the table of listeners costs, for 333 (a Whonix gateway's) and 4,000,
# beside what others do for the same: listeners.sh [ROUNDS [IDLE_SECONDS]]
# Run by "make bench-listeners".  Prints a table; the numbers as JSON are in
# tests/bench/listeners.json of the build folder.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/it/listeners.bash
. "${top_srcdir:?}/tests/it/listeners.bash"
bench=$it_src/tests/bench
rounds=${1:-10}
idle=${2:-30}
# One rule, one process: so slow that more rounds would tell no more.
slow_rounds=1
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
	it_all_proven || it_die "not all listeners are proven"
	printf '{"provision_ms":%s,"open_ms":%s}\n' \
	    "$(bench_median '$2 - $1' <"$DIR/provisions")" \
	    "$(bench_median '$3 - $1' <"$DIR/provisions")"
}

# --- what it costs to stand by ------------------------------------------------

bench_pids()
{
	net_pid portcullisd
	it_field '.gate.pid, .engine.pid, .status.pid'
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
	local before after
	# After opening there is still something to tell and to read.
	sleep 3
	before=$(bench_cpu "$@")
	sleep "$idle"
	after=$(bench_cpu "$@")
	awk -v ns=$((after - before)) -v s="$idle" \
	    'BEGIN { printf "{\"idle_cpu_percent\":%.2f}\n", ns / s / 1e7 }'
}

# --- one table ---------------------------------------------------------------

# The kernel's part, each run in a namespace of its own.
bench_gate()
{
	"$it_build/gate_time" -r "$rounds" "$DIR/portcullis.conf" | jq -c '{
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
	net_in gateway bash "$bench/peer_firewall.sh" "$DIR/addresses" \
	    "$DIR/peer.nft" "$1" "$2" || it_die "the peer's nft failed"
}

bench_table()
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
	net_in gateway "$it_build/table_time" prove "$DIR/portcullis.conf" \
	    50 || exit 1
	bench_memory "${pids[@]}"
	bench_idle "${pids[@]}"
	it_stop
	bench_clear
	bench_stem
	bench_firewall "$rounds" lean
	bench_firewall "$slow_rounds" tee
}

bench_show()
{
	jq -rs '((.[0] | keys_unsorted[]) as $k |
	    [$k, (.[][$k] | tostring)]) | @tsv' "$results" |
	    column -t -s "$(printf '\t')"
	jq -r 'def times(a; b): if a and b then a / b * 10 | round / 10
	    else "?" end;
	    "\(.listeners) listeners: provisioning, stem takes " +
	    "\(times(.stem_ms; .provision_ms)) times our time; firewall, " +
	    "a script with nft -f takes " +
	    "\(times(.lean_ms * 1000; .gate_compile_commit_us)) times, with " +
	    "a process per rule \(times(.tee_ms * 1000;
	    .gate_compile_commit_us)) times"' "$results"
}

it_begin --no-tor
net_tor_start
uname -srm
tor --version | head -n 1
sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | sort | uniq -c
mkdir -p "${results%/*}"
: >"$results"
for table in whonix 4000; do
	rm -rf "$DIR/conf.d"
	case $table in
	whonix) it_whonix_policy ;;
	4000) bench_policy4000 >"$DIR/portcullis.conf" ;;
	esac
	bench_table >"$DIR/lines" || exit 1
	jq -cs add "$DIR/lines" >>"$results"
done
bench_show
exit 0
