#!/bin/sh
# "portcullis import-whonix": is the policy that it prints the gateway's
# table; is what it says of settings import.ok; and does it run nothing, read
# nothing outside the root, and end?  --update writes import.ok.
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
program=$top_builddir/portcullis
check=$top_builddir/tests/golden/polcheck
whonix=$top_srcdir/tests/golden/whonix.sh
golden=$top_srcdir/tests/golden/import.ok
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0
root=$dir/root

fail()
{
	echo "$*" >&2
	failed=1
}

# put PATH: standard input to a file of the root.
put()
{
	mkdir -p "$root/$(dirname "$1")"
	cat >"$root/$1"
}

# A Whonix-Gateway as it is shipped.
shipped()
{
	rm -rf "$root"
	echo '%include /etc/torrc.d/*.conf' | put etc/tor/torrc
	echo 'DormantTimeoutEnabled 0' | put etc/torrc.d/60_network.conf
	printf 'ControlPort 9052\nCookieAuthentication 1\n' |
		put etc/torrc.d/65_gateway.conf
	echo '%include /usr/share/tor/tor-service-defaults-torrc.anondist' |
		put etc/torrc.d/70_ws_gw_dynamic.conf
	echo '%include /usr/local/etc/torrc.d/*.conf' |
		put etc/torrc.d/95_whonix.conf
	sh "$whonix" --print |
		put usr/share/tor/tor-service-defaults-torrc.anondist
	put usr/share/tor/tor-service-defaults-torrc <<-END
		User debian-tor
		ControlSocket /run/tor/control GroupWritable
		CookieAuthFile /run/tor/control.authcookie
		SocksPort 9050
	END
	echo '# nothing is changed' |
		put etc/whonix_firewall.d/30_whonix_gateway_default.conf
	echo 'clearnet:x:980:980::/:/usr/sbin/nologin' | put etc/passwd
}

# What people change.
changed()
{
	shipped
	put usr/local/etc/torrc.d/50_user.conf <<-END
		SocksPort 10.152.152.10:9300 IsolateDestAdr
		SocksPort auto
		socksport localhost:9301 # a host
		HTTPTunnelPort 0
		ClientTransportPlugin obfs4 exec /usr/bin/obfs4proxy
		ClientTransportPlugin snowflake exec /usr/bin/snowflake-client
		ClientTransportPlugin old socks4 127.0.0.1:4040
		UseBridges 1
		Bridge obfs4 192.0.2.1:443 cert=AbCd iat-mode=0
		%include /usr/local/etc/torrc.d/50_user.conf
		%include relative.conf
	END
	put etc/whonix_firewall.d/50_user.conf <<-END
		EXT_IF='eth0'   # the same
		INTERNAL_OPEN_PORTS+=" 9300 8080 "
		export GATEWAY_ALLOW_INCOMING_SSH=1
		EXTERNAL_OPEN_PORTS="22 80:90"
		GATEWAY_TRANSPARENT_UDP=1; GATEWAY_TRANSPARENT_TCP=1
		firewall_mode=timesync-fail-closed
		if [ -e /etc/vpn ]; then
		    VPN_FIREWALL=1
		fi
		NO_NAT_USERS+=" \$(id -u tunnel)"
		touch $dir/ran
		FOO=\`touch $dir/ran\`
		BAR=1
	END
	put usr/local/etc/whonix_firewall.d/60.conf <<-END
		NON_TOR_GATEWAY="\$NON_TOR_GATEWAY 10.0.0.0/8"
		WORKSTATION_TRANSPARENT_DNS=0
	END
}

import()
{
	timeout 20 "$program" import-whonix "$root" >"$dir/out" 2>"$dir/err"
}

shipped
import || fail "shipped: exit code $?"
sh "$whonix" --same "$dir/out" || fail "shipped: not the table"
[ "$(wc -l <"$dir/out")" -lt 120 ] || fail "shipped: 120 lines or more"

changed
import || fail "changed: exit code $?"
"$check" "$dir/out" >"$dir/checked" 2>&1 || {
	cat "$dir/checked"
	fail "changed: the policy is wrong"
}
[ ! -e "$dir/ran" ] || fail "a command of a drop-in was run"
if [ "${1:-}" = --update ]; then
	cp "$dir/out" "$golden"
else
	diff "$golden" "$dir/out" || fail "changed: not import.ok"
fi

# Lists of several, a transport line as Debian has it, quotes and tabs; and a
# port that the firewall does not open to workstations.
shipped
put usr/local/etc/torrc.d/50_user.conf <<-END
	User "debian-tor"
	ClientTransportPlugin obfs2,obfs3,obfs4,meek_lite exec /usr/bin/obfs4proxy -a b
	ClientTransportPlugin	snow	exec	/usr/bin/snow	-x
	ClientTransportPlugin , exec /usr/bin/none
	ClientTransportPlugin x exec /usr/bin/x "b c"
	SocksPort 10.152.152.10:9400
	SocksPort unix:"/run/tor/a\\"b\\\\c"
END
put etc/whonix_firewall.d/50_user.conf <<-END
	EXT_IF="eth0 eth2"
	INT_IF="eth1 eth3"
	VPN_FIREWALL=1
	INTERNAL_OPEN_PORTS+=" 80:90 x"
	EXTERNAL_OPEN_PORTS="$(seq -s ' ' 1000 1100)"
END
import || fail "several: exit code $?"
"$check" "$dir/out" >"$dir/checked" 2>&1 || {
	cat "$dir/checked"
	fail "several: the policy is wrong"
}
for text in 'internal = { "eth1", "eth3" } external = { "eth0", "eth2", "tun0" }' \
    'methods = { "obfs2", "obfs3", "obfs4", "meek_lite" }' \
    'arguments = "-a b"' 'arguments = "-x"' 'line 4 has no equivalent' \
    'ClientTransportPlugin line 3 has no equivalent' '"1100"' \
    'takes no such path' '"80:90" in INTERNAL_OPEN_PORTS' \
    'user = "debian-tor"'; do
	grep -qF -- "$text" "$dir/out" || fail "several: no $text"
done
grep -q 'port = 9400' "$dir/out" && fail "9400 is open, and was shut"

# No value of anybody's becomes a mark or a keyword of the policy; nor does a
# line that no shell would take for an assignment become one.
shipped
evil='x" } } timesync { required = false'
put usr/local/etc/torrc.d/50_user.conf <<-END
	User x" } tor { egress = "any
	ControlSocket /run/x"y
	CookieAuthFile /run/x"\${HOME}
	ClientTransportPlugin a" exec /usr/bin/b" } service "c"
	ClientTransportPlugin d exec /usr/bin/e \${HOME}
END
put etc/whonix_firewall.d/50_user.conf <<-END
	INT_IF='$evil'
	EXT_IF='$evil'
	VPN_FIREWALL=1
	VPN_INTERFACE='\${HOME}'
	CONTROL_PORT_FILTER_PROXY_PORT='1}evil'
	GATEWAY_ALLOW_INCOMING_OR_PORT=1
	OR_PORT='"evil'
	EXTERNAL_OPEN_PORTS='22"},evil={"'
	echo "
	INTERNAL_OPEN_PORTS=6661
	" \\
	INTERNAL_OPEN_PORTS=6662
	true &&
	INTERNAL_OPEN_PORTS=6663
	FOO=(
	INTERNAL_OPEN_PORTS=6664
	)
	if false; then
	    echo done
	    INTERNAL_OPEN_PORTS=6665
	fi
	cat <<E
	INTERNAL_OPEN_PORTS=6666
	E
END
import || fail "hostile: exit code $?"
grep -v '^#' "$dir/out" | sed 's/\\"//g; s/"[^"]*"//g' >"$dir/bare"
grep -E 'evil|required|HOME|666' "$dir/bare" &&
	fail "hostile: a value became more than a value"
grep -E '666[0-9]' "$dir/out" && fail "hostile: it believed a command"
grep -q '1}evil. in CONTROL_PORT_FILTER_PROXY_PORT' "$dir/out" ||
	fail "hostile: an odd port is not named"
"$check" "$dir/out" >"$dir/checked" 2>&1 && fail "hostile: taken as a policy"
# All that takes a list with more than one, or an account.
shipped
put etc/whonix_firewall.d/50_user.conf <<-END
	GATEWAY_ALLOW_INCOMING_ICMP=1
	GATEWAY_TRANSPARENT_TCP=1
	GATEWAY_TRANSPARENT_DNS=1
	ALLOW_GATEWAY_ROOT_USER=1
	ALLOW_GATEWAY_USER_USER=1
END
echo 'root:x:0:0::/root:/bin/sh' >>"$root/etc/passwd"
import || fail "lists: exit code $?"
"$check" "$dir/out" >"$dir/checked" 2>&1 || {
	cat "$dir/checked"
	fail "lists: the policy is wrong"
}
grep -q 'icmp = { "frag-needed", "echo" }' "$dir/out" ||
	fail "lists: not both kinds of ICMP"
grep -q 'ALLOW_GATEWAY_ROOT_USER has no' "$dir/out" ||
	fail "lists: nothing is said of root"
grep -q 'ALLOW_GATEWAY_USER_USER is set' "$dir/out" ||
	fail "lists: nothing is said of an account that is missing"
echo 'user:x:1000:1000::/home/user:/bin/sh' >>"$root/etc/passwd"
import || fail "lists, with user: exit code $?"
grep -q 'egress "user"' "$dir/out" || fail "lists: no egress for user"

# Only what is below the root, and only files.
shipped
echo 'SocksPort 192.0.2.77:9333' >"$dir/outside"
ln -s "$dir/outside" "$root/etc/torrc.d/98.conf"
ln -s ../../../../../../../..$dir/outside "$root/etc/torrc.d/99.conf"
mkfifo "$root/etc/torrc.d/97.conf"
mkdir "$root/etc/whonix_firewall.d/60.conf"
head -c 2000000 /dev/zero >"$root/etc/whonix_firewall.d/61.conf"
import || fail "odd files: exit code $?"
grep -q 192.0.2.77 "$dir/out" && fail "it read a file outside the root"
grep -q '97.conf is not read' "$dir/out" || fail "the FIFO is not named"
grep -q '60.conf is not read' "$dir/out" || fail "the folder is not named"
grep -q '61.conf is not read' "$dir/out" || fail "the big one is not named"

rm -rf "$root"
mkdir "$root"
import
[ $? = 1 ] || fail "an empty root: not exit code 1"
root=$dir/none
import
[ $? = 254 ] || fail "no root: not exit code 254"
exit $failed
