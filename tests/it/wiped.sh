#!/bin/bash
# What has served is gone from the memory of all that runs: Tor's cookie, the
# control password, the password of a proxy.  The engine keeps the last, as
# long as Tor has it: see below.
# shellcheck source=tests/it/uplink.bash
. "${top_srcdir:?}/tests/it/uplink.bash"
! grep -q '^#define INSTRUMENTED 1' "${top_builddir:?}/config.h" ||
    it_skip "what is freed stays in such a build"
programs="keep gate purg engi stat reso"
control='p4ss"W\ord-4Kx9vT'
quoted='s3same"Ov\en-7kQz'
plain=basic-5Ts8mWq2 # tinyproxy's file knows no quotes

hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }

# counts PID...: of all secrets, a line for each.
counts()
{
	"$net_python" "$it_src/tests/it/wiped.py" "$*" \
	    cookie "$(hex "$DIR/tor/control/cookie")" \
	    control "$(printf %s "$control" | hex)" \
	    proxy "$(printf %s "$quoted" | hex)" \
	    tried "$(printf %s "$plain" | hex)"
}

# wanted ENGINES: what counts is to say of the programs.
wanted()
{
	local who times
	for who in $programs; do
		times=0
		[ "$who" != engi ] || times=$1
		echo "cookie 0 control 0 proxy $times tried 0"
	done
}

counts_are()
{
	[ "$(counts "${@:2}")" = "$1" ]
}

# only_engine TIMES: soon, for there may be a question to Tor under way.
only_engine()
{
	local who pids=()
	for who in $programs; do
		pids+=("$(it_process "$who")") || return 1
	done
	net_wait 10 counts_are "$(wanted "$1")" "${pids[@]}" && return 0
	echo "$programs:"
	counts "${pids[@]}" | sed 's/^/   /'
	return 1
}

# The positive control: what a process has in its environment, in each form.
planted()
{
	local pid got
	A=$quoted B=$(printf %s "$quoted" | hex) \
	    C=$(jq -nc '$ARGS.positional[0]' --args "$quoted") \
	    D=$(printf %s "ann:$quoted" | base64) sleep 30 &
	pid=$!
	net_wait 5 grep -q '^sleep$' "/proc/$pid/comm"
	got=$(counts $pid)
	kill $pid
	wait $pid 2>/dev/null
	[ "$got" = "cookie 0 control 0 proxy 4 tried 0" ] && return 0
	echo "   $got"
	return 1
}

# ... and that the engine's memory is looked at, all of it.
version_there()
{
	local version
	version=$(it_field .tor.version)
	[ "$("$net_python" "$it_src/tests/it/wiped.py" "$(it_process engi)" \
	    version "$(printf %s "$version" | hex)")" != "version 0" ]
}

it_begin --no-tor
printf '%s\n' "$control" >"$DIR/password"
chown $IT_ENGINE_UID "$DIR/password"
chmod 400 "$DIR/password"
NET_PROXY_PASSWORD=$plain net_proxy https-auth >/dev/null
NET_PROXY_PASSWORD=$quoted net_proxy socks5-auth >/dev/null
it_uplink_policy it_resolver
it_start
it_tor_with "HashedControlPassword $("$net_tor" --quiet --hash-password \
    "$control" | tail -n 1)"
it_need "open" it_wait_for open 60
it_check "four forms of a secret are found (positive control)" planted
it_check "the engine's memory is found (positive control)" version_there
it_check "by cookie: it is gone" only_engine 0

it_check "applied with a password" it_applied "$(it_proxy_json socks5 \
    "$NET_PROXY4" "${NET_PROXY_PORT[socks5-auth]}" ann "$quoted")"
# struct uplink's: CONF, for the way back of the next change, and TEXT, for
# whether what Tor says is news.
it_check "... the engine has it twice, and nobody else" only_engine 2

it_stop
sed -i -e 's/auth = .*/auth = { "password" }/' \
    -e "s|cookie_file = .*|password_file = \"$DIR/password\"|" \
    "$DIR/portcullis.conf"
it_start
it_need "by password: open" it_wait_for open 60
it_check "... it is gone, and what is kept is there twice" only_engine 2
it_check "a dry run with a password" it_applied --dry-run "$(it_proxy_json \
    https "$NET_PROXY4" "${NET_PROXY_PORT[https-auth]}" ann "$plain")"
it_check "... it is gone" only_engine 2
it_check "straight again" it_applied '{"bridges":"none","proxy":"none"}'
it_check "... nobody has it" only_engine 0
it_end
