#!/bin/bash
# How fast the gate falls, on a private Tor network: close.sh [ROUNDS [FAULT...]]
# Faults: hold nft gate-kill engine-kill engine-stop gate-stop tor-kill.
# Run by "make bench-close"; see close.c for what is measured.
. "${top_srcdir:?}/tests/it/lib.bash"
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

uname -srm
tor --version | head -n 1
sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | sort | uniq -c
cd "$DIR" || exit 1
net_in gateway "$it_build/close" -d "$DIR/run" \
    -s "/run/netns/$(net_ns workstation)" -a "$NET_GW4" \
    -c "$DIR/tor/control/socket" -t "$DIR/restart-tor" -r "$rounds" "$@" || exit 1
exit 0
