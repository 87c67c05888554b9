#!/bin/bash
# How fast the gate falls, on a private Tor network: close.sh [ROUNDS [FAULT...]]
# Faults: hold nft gate-kill engine-kill engine-stop gate-stop tor-kill.
# Run by "make bench-close"; see close.c for what is measured.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
# shellcheck source=tests/bench/lib.bash
. "${top_srcdir:?}/tests/bench/lib.bash"
rounds=${1:-200}
shift $(($# > 0))
it_begin
it_start
it_wait_for open 90 || { echo "the gate does not open"; exit 1; }

net_in gateway nft -f - <<'END' || exit 1
table inet bench_sensor {
	chain input {
		type filter hook input priority 100
		iifname "eth1" udp dport 5300 log group 77
		iifname "eth1" udp dport 5300 drop
	}
}
table inet peer {
	set gate {
		typeof meta nfproto
		flags timeout
		timeout 9s
	}
}
END
echo "flush set inet peer gate" >"$DIR/peer-close.nft"

# A killed Tor is waited for and started again; the rest is portcullis's.
cat >"$DIR/restart-tor" <<END
#!/bin/bash
rm -f "$DIR/pids/tor"
exec "$it_net" tor-start "$DIR" --no-wait
END
chmod 755 "$DIR/restart-tor"

cd "$DIR" || exit 1
cat <<END
# Closing

\`make bench-close\` on a private Tor network with a real Tor; the workstation sends 20,000 datagrams per second to
DNSPort's redirect, and the last one that any of our chains let through is taken by its send time (tests/bench/close.c). All in
microseconds. $(bench_machine), $(bench_tor), lease 1 s, renewed every 250 ms.

END
net_in gateway "$it_build/close" -d "$DIR/run" \
    -s "/run/netns/$(net_ns workstation)" -a "$NET_GW4" \
    -c "$DIR/tor/control/socket" -t "$DIR/restart-tor" -r "$rounds" "$@" || exit 1
bench_notes close
exit 0
