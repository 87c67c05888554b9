#!/bin/bash
# portcullis-resolver alone: every answer a resolver can give, DNS over TLS
# with every certificate that is not the right one, the transports' stub, and
# proxies of each kind.  Keeper and engine are played by resolverdrv.c, all in
# a namespace that has nothing but a loopback.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"

if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] || it_skip "network namespaces need root"
	unshare -n true 2>/dev/null ||
	    it_skip "this machine makes no network namespaces"
	exec unshare -n -m "$BASH" "$0" inside
fi

SERVER=198.18.0.53
USER_ID=64004
STUB=5453
DIR=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-it.XXXXXX") || exit 1
chmod 755 "$DIR"
log=$DIR/log
children=

clean()
{
	local pid
	exec 7>&-
	for pid in $children; do
		kill "$pid" 2>/dev/null
	done
	wait
	rm -rf "${DIR:?}"
}
trap clean EXIT
trap 'exit 1' INT TERM

# --- the parts -------------------------------------------------------------

# policy LINE...: the policy with these lines about the resolver.
policy()
{
	cat >"$DIR/policy" <<-END
	tor { user = 64000 control = "unix:/run/tor/control" }
	gateway { internal = { "eth1" } external = { "eth0" } }
	users { gate = 64001 engine = 64002 status = 64003
	    resolver = $USER_ID }
	resolver { address = "$SERVER" timeout_ms = 1500
	    stub_port = $STUB $* }
	listener "socks" { kind = "socks" address = { "10.152.152.10" }
	    port = { "9050" } }
	END
}

# start LINE...: a new resolver, with a policy of that.
start()
{
	stop
	policy "$@"
	rm -f "$DIR/say"
	mkfifo "$DIR/say"
	: >"$log"
	"$it_build/resolverdrv" "$DIR/policy" $USER_ID <"$DIR/say" \
	    >>"$log" 2>&1 &
	drv=$!
	exec 7>"$DIR/say"
	net_wait 5 grep -q '^pid ' "$log" || exit 1
	pid=$(sed -n 's/^pid //p' "$log")
}
drv=
stop()
{
	[ -n "$drv" ] || return 0
	echo quit >&7
	exec 7>&-
	wait "$drv"
	drv=
}

say()
{
	: >"$log"
	echo "$*" >&7
}

# saw REGEX...: each is a line of the log, soon.
saw()
{
	local re
	for re; do
		net_wait 4 grep -qE "^$re" "$log" || return 1
	done
}

# is HOST STATE [ADDRESSES]
is()
{
	saw "result $1 $2 ttl=[0-9]+ addrs:${3:+ $3}\$"
}

server()
{
	local name=$1
	shift
	"$net_python" -u "$it_src/tests/it/nameserver.py" "$@" \
	    >"$DIR/$name" 2>&1 &
	server=$!
	children="$children $server"
	net_wait 5 grep -q ready "$DIR/$name" || exit 1
}

# Asked of the server so far, as "PROTOCOL TYPE NAME".
asked()
{
	grep -cE "^$1\$" "$DIR/${2:-dns}"
}

# ask ADDRESS NAME TYPE OPTION...: the code and the addresses.
ask()
{
	local at=$1 name=$2 type=$3
	shift 3
	dig +time=4 +tries=1 -p $STUB "@$at" "$name" "$type" "$@" >"$DIR/dig" ||
	    return 1
	sed -nE 's/.*status: ([A-Z]+).*/\1/p; s/^[^;].*IN[ \t]+A+[ \t]+//p' \
	    "$DIR/dig" | sort -r | tr '\n' ' '
}
gives()
{
	local want=$1 got
	shift
	got=$(ask "$@")
	[ "$got" = "$want" ] || { echo "got: $got"; return 1; }
}

ip link set lo up
ip addr add $SERVER/32 dev lo
server dns $SERVER

# --- what a resolver can answer --------------------------------------------

start
it_check "its own user" [ "$(sed -n 's/^Uid:\t//p' "/proc/$pid/status" |
    tr '\t' ' ')" = "$USER_ID $USER_ID $USER_ID $USER_ID" ]
it_check "no groups, no capabilities" [ "$(grep -cE \
    '^(Groups:[[:blank:]]*|Cap(Eff|Prm|Inh|Amb):[[:blank:]]*0+)$' \
    "/proc/$pid/status")" = 5 ]
it_check "its name" [ "$(cat "/proc/$pid/comm")" = portcullis-reso ]
it_check "it cannot be looked into" \
    [ "$(stat -c %u "/proc/$pid/environ")" = 0 ]

say auto no
say list 1 ok1.test:l
sleep 0.5
it_check "nothing leaves before the engine says so" [ "$(asked '.*ok1.test')" = 0 ]
it_check "but it is asked for" saw 'want id=[0-9]+ lookup=1'
it_check "without an answer: blocked" is ok1.test blocked
say auto deny
say list 1 ok2.test:l
it_check "denied: blocked" is ok2.test blocked
say auto yes
say list 0 ok3.test:ls
sleep 0.5
it_check "nothing leaves while it is not enabled" [ "$(asked '.*ok3.test')" = 0 ]
it_check "and there is no stub" it_not ask 127.0.0.1 ok3.test A

say list 1 ok.test:l v4only.test:l v6only.test:l half.test:l slow.test:l \
    trunc.test:l full.test:l chain8.test:l mixed.test:l short.test:l long.test:l
it_check "addresses of both families, IPv4 first" \
    is ok.test ok '203.0.113.1 2001:db8::1'
it_check "only IPv4" is v4only.test ok '203.0.113.1'
it_check "only IPv6" is v6only.test ok '2001:db8::1'
it_check "one family fails" is half.test ok '203.0.113.1'
it_check "slow" is slow.test ok '203.0.113.1 2001:db8::1'
it_check "cut off by UDP, whole by TCP" \
    is trunc.test ok '203.0.113.1 2001:db8::1'
it_check "asked by TCP, then" [ "$(asked 'tcp (1|28) trunc.test')" = 2 ]
it_check "sixteen" saw 'result full.test ok .*( 203[0-9.]+){16}$'
it_check "eight aliases, in any order" \
    is chain8.test ok '203.0.113.1 2001:db8::1'
it_check "private ones are left out" is mixed.test ok '203.0.113.1'
it_check "a TTL of 1 is 30" saw 'result short.test ok ttl=(4[0-5]|3[0-9]) '
it_check "a TTL of years is a day" saw 'result long.test ok ttl=86[0-9]{3} '
it_check "the permission is given back" saw 'want id=[0-9]+ lookup=0'

say list 1 nx.test:l empty.test:l servfail.test:l refused.test:l \
    silent.test:l many.test:l chain9.test:l loop.test:l private.test:l \
    loopback.test:l stranger.test:l garbage.test:l lies.test:l \
    regret.test:l
it_check "no such name" is nx.test nxdomain
it_check "no address" is empty.test empty
it_check "SERVFAIL" is servfail.test refused
it_check "REFUSED" is refused.test refused
it_check "silence" is silent.test timeout
it_check "twenty addresses" is many.test bad-answer
it_check "nine aliases" is chain9.test bad-answer
it_check "aliases in a circle" is loop.test bad-answer
it_check "private addresses" is private.test private
it_check "loopback, mapped too" is loopback.test private
it_check "somebody else's addresses" is stranger.test empty
it_check "garbage" is garbage.test timeout
it_check "fewer records than it says" is lies.test bad-answer
# An older c-ares takes the first for the answer.
state=nxdomain
pkg-config --atleast-version=1.28 libcares || state=bad-answer
it_check "the same, and then the truth" is regret.test $state
it_check "no name but those of the lists was asked for" [ "$(grep -E \
    '^(udp|tcp) ' "$DIR/dns" | grep -vcE ' [a-z0-9]+\.test$')" = 0 ]
it_check "a name in a log line is a debug line" it_not grep -q '\.test' \
    <(grep resolver "$log")

# --- what it hears from elsewhere ------------------------------------------

mkdir "$DIR/etc"
echo "nameserver 127.0.0.9" >"$DIR/etc/resolv.conf"
echo "search evil.example" >>"$DIR/etc/resolv.conf"
echo "192.0.2.66 ok4.test hosted.test" >"$DIR/etc/hosts"
[ ! -e /etc/resolv.conf ] || mount --bind "$DIR/etc/resolv.conf" /etc/resolv.conf
mount --bind "$DIR/etc/hosts" /etc/hosts
export LOCALDOMAIN=evil.example RES_OPTIONS="ndots:9" HOSTALIASES=$DIR/etc/hosts
start
say list 1 ok4.test:l hosted.test:l ok:l
it_check "neither resolv.conf nor hosts" \
    is ok4.test ok '203.0.113.1 2001:db8::1'
it_check "a name that only hosts has" is hosted.test nxdomain
it_check "no search domain" is ok ok '203.0.113.1 2001:db8::1'
unset LOCALDOMAIN RES_OPTIONS HOSTALIASES

start private = true
say list 1 private.test:l loopback.test:l
it_check "allowed: private addresses" is private.test ok '10.1.2.3 fd00::1'
it_check "allowed: loopback, but none that is mapped" \
    is loopback.test ok 127.0.0.1

start port = 54
say list 1 ok5.test:l
it_check "nobody listens there" is ok5.test unreachable
if command -v nft >/dev/null; then
	nft add table inet t
	nft add chain inet t o '{ type filter hook output priority 0 ; }'
	nft add rule inet t o udp dport 53 drop
	start
	say list 1 ok6.test:l
	it_check "a firewall drops it" is ok6.test blocked
	nft delete table inet t
fi

# --- the stub --------------------------------------------------------------

start
say list 1 ok.test:ls okb.test:s nx.test:s silent.test:s full.test:s \
    empty.test:s slow2.test:s okl.test:l
it_check "it serves" saw 'count serving=1'
before=$(asked 'udp .* okb.test')
it_check "an address" gives 'NOERROR 203.0.113.1 ' 127.0.0.1 okb.test A
it_check "had been put in force before" saw \
    'want id=[0-9]+ lookup=0 host=okb.test ttl=[0-9]+ addrs: 203.0.113.1 2001:db8::1'
it_check "IPv6, from ::1" gives 'NOERROR 2001:db8::1 ' ::1 okb.test AAAA
it_check "by TCP" gives 'NOERROR 203.0.113.1 ' 127.0.0.1 OKB.test A +tcp
it_check "by TCP, ::1" gives 'NOERROR 203.0.113.1 ' ::1 okb.test A +tcp
it_check "with EDNS" gives 'NOERROR 203.0.113.1 ' 127.0.0.1 okb.test A \
    +edns=0 +bufsize=1232
it_check "asked once each" [ $(($(asked 'udp .* okb.test') - before)) = 2 ]
it_check "no such name" gives 'NXDOMAIN ' 127.0.0.1 nx.test A
it_check "no address" gives 'NOERROR ' 127.0.0.1 empty.test A
it_check "another type" gives 'NOERROR ' 127.0.0.1 ok.test TXT
it_check "not configured" gives 'REFUSED ' 127.0.0.1 evil.test A
it_check "below a configured one" gives 'REFUSED ' 127.0.0.1 a.ok.test A
it_check "configured, but not for transports" \
    gives 'REFUSED ' 127.0.0.1 okl.test A
it_check "another class" gives 'REFUSED ' 127.0.0.1 ok.test A -c CH
it_check "sixteen by UDP" [ "$(ask 127.0.0.1 full.test A | wc -w)" = 17 ]
it_check "silence is a failure" gives 'SERVFAIL ' 127.0.0.1 silent.test A
it_check "counted" saw 'count serving=1 queries=[0-9]+ answered=9 refused=4'
for i in 1 2 3 4 5 6 7 8; do
	ask 127.0.0.1 slow2.test A >/dev/null &
	asking[i]=$!
done
wait "${asking[@]}"
it_check "eight questions, one lookup" [ "$(asked 'udp 1 slow2.test')" -le 2 ]

# What it sends to whom it does not know.
"$net_python" "$it_src/tests/it/stub_noise.py" 127.0.0.1 $STUB >"$DIR/noise" 2>&1
it_check "garbage, floods, half lines: $(tail -n 1 "$DIR/noise")" \
    gives 'NOERROR 203.0.113.1 ' 127.0.0.1 okb.test A
it_check "the process is there" kill -0 "$pid"
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
it_check "it has stayed small ($rss kB)" [ "$rss" -lt 40000 ]
it_check "and has few descriptors" \
    [ "$(find "/proc/$pid/fd" -type l | wc -l)" -lt 60 ]
it_check "by TCP, after it" net_wait 12 gives 'NOERROR 203.0.113.1 ' \
    127.0.0.1 okb.test A +tcp

say auto deny
say list 1 okc.test:s
it_check "addresses that are not in force are not told" \
    gives 'SERVFAIL ' 127.0.0.1 okc.test A
say auto yes
say list 1 ok.test:l
sleep 0.3
it_check "without a transport that asks there is no stub" \
    it_not ask 127.0.0.1 ok.test A
say list 1 okd.test:s
it_check "and it is there again" gives 'NOERROR 203.0.113.1 ' 127.0.0.1 okd.test A
say relink
sleep 0.3
it_check "a new engine: nothing is enabled" it_not ask 127.0.0.1 okd.test A
say list 1 okd.test:s
it_check "before it says so" gives 'NOERROR 203.0.113.1 ' 127.0.0.1 okd.test A
say raw 100
it_check "nonsense ends the link" saw 'link gone'
it_check "and the stub" it_not ask 127.0.0.1 okd.test A
say relink
say list 1 okd.test:s
it_check "not the process" gives 'NOERROR 203.0.113.1 ' 127.0.0.1 okd.test A

# A real transport: Go's resolver, by the redirect that the gate would make.
if command -v nft >/dev/null && command -v obfs4proxy >/dev/null; then
	echo "nameserver 127.0.0.1" >"$DIR/etc/resolv.conf"
	nft add table inet n
	nft add chain inet n o '{ type nat hook output priority -100 ; }'
	nft add rule inet n o meta skuid 64000 meta nfproto ipv4 udp dport 53 \
	    dnat ip to 127.0.0.1:$STUB
	mkdir "$DIR/pt" && chown 64000 "$DIR/pt"
	say list 1 okfront.test:s
	"$net_python" "$it_src/tests/it/meek.py" 64000 "$DIR/pt" okfront.test
	it_check "obfs4proxy's front goes by the stub" saw \
	    'want id=[0-9]+ lookup=0 host=okfront.test'
	it_check "its url's host does not" [ "$(asked '.*url.test')" = 0 ]
	nft delete table inet n
else
	echo "left out: no nft or obfs4proxy"
fi

# --- DNS over TLS ----------------------------------------------------------

# Certificates: one that is right, and those that are wrong in one way.
mkdir "$DIR/ca" "$DIR/tls"
cd "$DIR/tls" || exit 1
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=root -keyout ca.key \
    -out ca.pem 2>/dev/null
# certificate NAME HOST [DAYS]: signed by that authority.
certificate()
{
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$1.key" \
	    -out "$1.csr" 2>/dev/null
	printf 'subjectAltName=DNS:%s\n' "$2" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial \
	    -days "${3:-2}" -extfile "$1.ext" -out "$1.pem" 2>/dev/null
}
certificate right dns.example
certificate name other.example
certificate old dns.example -1
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=dns.example -addext \
    subjectAltName=DNS:dns.example -keyout self.key -out self.pem 2>/dev/null
chmod 644 ./*.key
cp ca.pem "$DIR/ca/"
openssl rehash "$DIR/ca" 2>/dev/null
chmod 755 "$DIR/ca"
mount --bind "$DIR/ca" /etc/ssl/certs
cd / || exit 1

pin()
{
	openssl x509 -in "$DIR/tls/$1.pem" -noout -pubkey | openssl pkey -pubin \
	    -outform DER | openssl dgst -sha256 -binary | openssl base64
}
# tls CERTIFICATE STATE SENTENCE LINE...: such a server; policy lines.
number=0
tls()
{
	local which=$1 state=$2 what=$3
	shift 3
	number=$((number + 1))
	server "tls$number" $SERVER 853 "$DIR/tls/$which.pem" \
	    "$DIR/tls/$which.key"
	start 'protocol = "tls"' 'name = "dns.example"' "$@"
	say list 1 ok$number.test:l nx.test:l
	if [ "$state" = ok ]; then
		it_check "$what" is ok$number.test ok '203.0.113.1 2001:db8::1'
		it_check "$what: no such name" is nx.test nxdomain
		it_check "$what: one connection" [ "$(asked handshake \
		    tls$number)" = 1 ]
	else
		it_check "$what: refused" is ok$number.test "$state"
		it_check "$what: no name was told" \
		    [ "$(asked 'tcp .*' tls$number)" = 0 ]
		it_check "$what: said on the log" saw \
		    '.*resolver.: (the resolver|no TLS)'
	fi
	kill "$server"
	wait "$server" 2>/dev/null
}
tls right ok "TLS, the right certificate"
tls name tls "TLS, for another name"
tls self tls "TLS, signed by itself"
tls old tls "TLS, expired"
tls right ok "TLS, the right key" "pin = \"$(pin right)\""
tls self ok "TLS, signed by itself, the right key" "pin = \"$(pin self)\""
tls old ok "TLS, expired, the right key" "pin = \"$(pin old)\""
tls right tls "TLS, another key" "pin = \"$(pin self)\""
tls name tls "TLS, the right key, another name" "pin = \"$(pin name)\""

server stall $SERVER 853 "$DIR/tls/right.pem" "$DIR/tls/right.key" stall
start 'protocol = "tls"' 'name = "dns.example"'
cpu() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }
used=$(cpu)
say list 1 ok7.test:l
it_check "TLS, a handshake that hangs" is ok7.test timeout
it_check "nothing spins meanwhile" [ $(($(cpu) - used)) -lt 20 ]
kill "$server"
wait "$server" 2>/dev/null
start 'protocol = "tls"' 'name = "dns.example"'
say list 1 ok8.test:l
it_check "TLS, nobody there" is ok8.test unreachable

# --- proxies ---------------------------------------------------------------

ip addr add 203.0.113.80/32 dev lo
"$net_python" -m http.server --bind 203.0.113.80 8000 >/dev/null 2>&1 &
children="$children $!"
target="203.0.113.80 8000"
# tries STATE WORDS...
tries()
{
	local want=$1
	shift
	say try "$*"
	net_wait 20 grep -q '^verdict' "$log"
	grep -q "^verdict $want\$" "$log" || { grep verdict "$log"; return 1; }
}
start
net_wait 5 bash -c ': </dev/tcp/203.0.113.80/8000' 2>/dev/null
it_check "somebody listens" tries 'ok code=0' tcp "$target" "$target"
it_check "nobody listens" tries 'refused code=0' tcp 203.0.113.80 8001 "$target"
it_check "no way there" tries 'unreachable code=0' tcp 192.0.2.9 80 "$target"
"$net_python" -c 'import socket
s = socket.create_server(("203.0.113.80", 25))
while True:
    s.accept()[0].send(b"220 mail\r\n")' &
children="$children $!"
net_wait 5 bash -c ': </dev/tcp/203.0.113.80/25' 2>/dev/null
for kind in https socks4 socks5; do
	it_check "no $kind: a mail server" tries 'wrong-protocol code=0' $kind \
	    203.0.113.80 25 "$target"
done
it_check "a web server is no HTTP proxy" tries 'denied code=501' https \
    "$target" "$target"
server quiet $SERVER 1080 "$DIR/tls/right.pem" "$DIR/tls/right.key" stall
it_check "one that says nothing" tries 'timeout code=0' socks5 $SERVER 1080 "$target"

if command -v microsocks >/dev/null; then
	microsocks -i 127.0.0.1 -p 1081 >/dev/null 2>&1 &
	children="$children $!"
	microsocks -i 127.0.0.1 -p 1082 -u me -P secret >/dev/null 2>&1 &
	children="$children $!"
	net_wait 5 bash -c ': </dev/tcp/127.0.0.1/1081 </dev/tcp/127.0.0.1/1082' \
	    2>/dev/null
	it_check "SOCKS5" tries 'ok code=0' socks5 127.0.0.1 1081 "$target"
	it_check "SOCKS5, nobody behind it" tries 'denied code=5' socks5 \
	    127.0.0.1 1081 203.0.113.80 8001
	it_check "SOCKS5 wants a password" tries 'password code=0' socks5 \
	    127.0.0.1 1082 "$target"
	it_check "SOCKS5, the right one" tries 'ok code=0' socks5 127.0.0.1 1082 \
	    "$target" me secret
	it_check "SOCKS5, a wrong one" tries 'password code=0' socks5 127.0.0.1 \
	    1082 "$target" me guess
	it_check "a SOCKS5 proxy is no HTTP proxy" tries 'wrong-protocol code=0' \
	    https 127.0.0.1 1081 "$target"
	it_check "nor a SOCKS4 proxy" tries 'wrong-protocol code=0' \
	    socks4 127.0.0.1 1081 "$target"
else
	echo "left out: no microsocks"
fi
if command -v tinyproxy >/dev/null; then
	for port in 8081 8082; do
		printf 'Port %s\nListen 127.0.0.1\nLogFile "%s"\nLogLevel Critical\n' \
		    $port "$DIR/tiny$port.log" >"$DIR/tiny$port"
		echo "ConnectPort 8000" >>"$DIR/tiny$port"
		[ $port = 8081 ] || echo "BasicAuth me secret" >>"$DIR/tiny$port"
		tinyproxy -d -c "$DIR/tiny$port" >/dev/null 2>&1 &
		children="$children $!"
	done
	net_wait 5 bash -c ': </dev/tcp/127.0.0.1/8081 </dev/tcp/127.0.0.1/8082' \
	    2>/dev/null
	it_check "HTTP proxy" tries 'ok code=200' https 127.0.0.1 8081 "$target"
	it_check "HTTP proxy, a port that it forbids" tries 'denied code=403' \
	    https 127.0.0.1 8081 203.0.113.80 8001
	it_check "HTTP proxy wants a password" tries 'password code=407' https \
	    127.0.0.1 8082 "$target"
	it_check "HTTP proxy, the right one" tries 'ok code=200' https 127.0.0.1 \
	    8082 "$target" me secret
	it_check "HTTP proxy, a wrong one" tries 'password code=401' https \
	    127.0.0.1 8082 "$target" me guess
else
	echo "left out: no tinyproxy"
fi
if command -v danted >/dev/null; then
	cat >"$DIR/danted.conf" <<-END
	logoutput: $DIR/danted.log
	internal: 127.0.0.1 port = 1083
	external: lo
	socksmethod: none
	clientmethod: none
	user.unprivileged: nobody
	client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
	socks pass { from: 0.0.0.0/0 to: 203.0.113.80/32 port = 8000 }
	socks block { from: 0.0.0.0/0 to: 0.0.0.0/0 }
	END
	danted -f "$DIR/danted.conf" -p "$DIR/danted.pid" >/dev/null 2>&1 &
	children="$children $!"
	net_wait 5 bash -c ': </dev/tcp/127.0.0.1/1083' 2>/dev/null
	it_check "SOCKS4" tries 'ok code=90' socks4 127.0.0.1 1083 "$target"
	it_check "SOCKS4, forbidden" tries 'denied code=91' socks4 127.0.0.1 1083 \
	    203.0.113.80 8001
	it_check "SOCKS4 knows no IPv6" tries 'denied code=0' socks4 127.0.0.1 \
	    1083 2001:db8::1 80
else
	echo "left out: no dante-server"
fi

it_check "no secret in a process list or log" it_not grep -q secret "$log"
it_check "nothing that the engine would not believe" it_not grep -q BAD "$log"
stop
it_end
