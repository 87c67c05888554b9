#!/bin/bash
# A Tor that misbehaves: tor_cases.py says how, tor_run.py what is to come of
# it.  HOSTILE="NAME..." chooses cases, "all" is every one.
# HOSTILE_TCP=1: by TCP with a password, 305 listeners and strict egress.
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin_bare
mkdir -p "$DIR/tor" "$it_build/tests/hostile/out"
chmod go+x "$DIR/tor"
net_tor_dirs || exit 1

by_tcp()
{
	mkdir "$DIR/conf.d"
	cat >"$DIR/conf.d/tcp.conf" <<-END
	tor {
		control = "127.0.0.1:9051"
		auth = { "password" }
		password_file = "$DIR/password"
		egress = "strict"
	}
	listener "many" {
		kind = "socks"
		address = { "10.152.152.10" }
		port = { "20000-20295" }
		flags = { "IsolateDestAddr", "IsolateDestPort" }
	}
	END
	(umask 077 && echo "a password, of tor_run.py" >"$DIR/password") &&
	    chown "$IT_ENGINE_UID" "$DIR/password" &&
	    net_in gateway sysctl -qw net.ipv4.tcp_wmem="4096 4096 4096"
}
name=tor
[ -z "${HOSTILE_TCP:-}" ] || { name=tcp && by_tcp; } || exit 1

it_start
# shellcheck disable=SC2086 # names
NET_TOR_USER=$NET_TOR_USER "$net_python" "$it_src/tests/hostile/tor_run.py" \
    "$DIR" "$it_build/tests/hostile/out/${HOSTILE_OUT:-$name}" \
    ${HOSTILE:-quick} >"$DIR/log/hostile"
rc=$?
cat "$DIR/log/hostile"
it_check "a Tor that misbehaves" [ $rc = 0 ]
it_end
