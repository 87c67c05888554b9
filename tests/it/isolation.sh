#!/bin/bash
# The isolation check: a right table passes; a listener whose flags are older
# than its line is named, though Tor's GETCONF swears that all is well.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor

# check_says EXIT TEXT...: the answer's code, and each TEXT in it.
check_says()
{
	local want=$1 got text
	shift
	it_portcullis check isolation >"$DIR/check" 2>&1
	got=$?
	for text; do
		grep -qF -- "$text" "$DIR/check" || got="$got without '$text'"
	done
	[ "$got" = "$want" ] && return 0
	echo "   exit $got, wanted $want:"
	sed 's/^/   /' "$DIR/check"
	return 1
}

# Questions that the internet's name server was asked.
questions()
{
	wc -l <"$DIR/log/dns"
}

# Tor, as root, opens a port below 1024 without any flag: nobody can close and
# open it again.  Then the policy wants flags there, SETCONF is accepted, and
# GETCONF says that they are set.
# Two more are left in one session group: those share circuits.
old=10.152.152.10:443
left=10.152.152.10:444
right=10.152.152.10:445
cat >"$DIR/tor/torrc.extra" <<-END
	ClientRejectInternalAddresses 1
	HTTPTunnelPort $old
	SocksPort $left SessionGroup=7
	HTTPTunnelPort $right SessionGroup=7
END
cat >>"$DIR/portcullis.conf" <<-END
	listener "unix" {
		kind = "socks"
		address = { "unix:$DIR/tor/control/socks" }
		flags = { "RelaxDirModeCheck", "GroupWritable" }
	}
END
cp "$DIR/portcullis.conf" "$DIR/plain.conf"
cat >>"$DIR/portcullis.conf" <<-END
	listener "old" {
		kind = "httptunnel"
		address = { "10.152.152.10" }
		port = { "443" }
		flags = { "IsolateDestAddr", "IsolateDestPort" }
	}
	listener "left" { kind = "socks" address = "10.152.152.10" port = 444 }
	listener "right" { kind = "httptunnel" address = "10.152.152.10"
		port = 445 }
END

net_tor_start
it_start
it_check "opens" it_wait_for open 60
it_check "Tor claims that the flags are set" grep -q \
    "$old IsolateDestAddr IsolateDestPort" \
    <(net_tor_ctl "GETCONF HTTPTunnelPort")
it_check "the check finds that they are not" check_says 1 \
    "\"old\" at $old: IsolateDestAddr is not in force" \
    "\"old\" at $old: IsolateDestPort is not in force" \
    "failures in 13 listeners; 7 of 7 circuits"
it_check "... and which pair shares circuits" grep -qF \
    "\"left\" at $left and \"right\" at $right are both in session group 7." \
    "$DIR/check"
it_check "... and blames nobody else" [ -z "$(grep ' at ' "$DIR/check" |
    grep -v '^"\(old\|left\|right\)" at ')" ]
it_check "the gate stays open" it_wait_for open 1
it_stop

# The same Tor, without those listeners in the policy.
cp "$DIR/plain.conf" "$DIR/portcullis.conf"
it_start
it_check "opens without them" it_wait_for open 60
asked=$(questions)
it_check "a right table is isolated" check_says 0 \
    "10 listeners: every pair isolated; isolation flags in force" \
    "4 of 4 circuits seen, all different"
it_check "the check can be had again" check_says 0 "every pair isolated"
it_check "no name server was asked" [ "$(questions)" = "$asked" ]
it_check "... as it is when a client asks (positive control)" \
    it_retry 20 it_resolve 10.152.152.10
it_check "... which shows" [ "$(questions)" -gt "$asked" ]
it_portcullis hold >/dev/null
it_check "a hold closes" it_wait_for closed 5
it_check "closed: the check says that it needs an open gate" \
    check_says 5 "only while the gate is open"
it_portcullis release >/dev/null
it_check "a release opens" it_wait_for open 10
it_end
