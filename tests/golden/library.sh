#!/bin/bash
# libcontrolproto as a library: its symbols are those of its headers and of
# its map, its headers stand alone in C and in C++, and a program that knows
# nothing but pkg-config can use it, shared and static.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/../style/lib.sh"
LC_ALL=C
export LC_ALL
DIR=$tmp
# shellcheck source=tests/golden/adopt.bash
. "$top_srcdir/tests/golden/adopt.bash"
include=$(find "$adopt" -type d -path '*/include/controlproto')
object=$adopt_lib/libcontrolproto.so.0
cc=${CC:-cc}

# --- symbols ---------------------------------------------------------------

# symbols OBJECT: what it shows, each in its set.
symbols()
{
	nm -D --defined-only "$1" | awk '$2 != "A" { print $3 }' | sort
}

# What MAP promises, in the same form.
promised()
{
	awk '/^CONTROLPROTO_[0-9.]+ \{$/ { set = $1 }
	    $1 == "local:" { show = 0 }
	    show { sub(/;$/, "", $1); print $1 "@@" set }
	    $1 == "global:" { show = 1 }' "$1" | sort
}

# What the headers declare: a name before "(", or an object.
declared()
{
	local header
	for header in "$include"/*.h; do
		"$cc" -E -P -fpreprocessed "$header" | grep -v '^#' |
		    grep -o 'cp_[a-z0-9_]*(\|cp_limits_[a-z]*;'
	done | tr -d '(;' | sort -u
}

# same A B: two lists.
same()
{
	diff "$1" "$2" >"$tmp/diff" && return
	cat "$tmp/diff"
	return 1
}

symbols "$object" >"$tmp/shown"
promised "$top_srcdir/controlproto/libcontrolproto.map" >"$tmp/promised"
declared >"$tmp/declared"
sed 's/@@.*//' "$tmp/shown" | sort >"$tmp/names"
[ "$(wc -l <"$tmp/names")" -gt 50 ] || { echo "hardly a symbol"; exit 1; }

sed '/^cp_kv_find/d' "$tmp/shown" >"$tmp/less"
must_fail "a symbol less than promised" same "$tmp/promised" "$tmp/less"
sed 's/@@.*/@@CONTROLPROTO_9/' "$tmp/shown" >"$tmp/moved"
must_fail "symbols of another set" same "$tmp/promised" "$tmp/moved"
{ cat "$tmp/names"; echo zz_lex; } >"$tmp/more"
must_fail "a symbol more than declared" same "$tmp/declared" "$tmp/more"

same "$tmp/promised" "$tmp/shown" || { echo "the map, the object"; exit 1; }
same "$tmp/declared" "$tmp/names" || { echo "the headers, the object"; exit 1; }
# described PAGE: each symbol, in its synopsis and in what follows.
described()
{
	local name
	while read -r name; do
		[ "$(grep -c "^\.[FVP][noatq] .*$name\>" "$1")" -gt 1 ] &&
		    continue
		grep -q "^\.It Va $name " "$1" && continue
		echo "$1 is silent about $name"
		return 1
	done <"$tmp/names"
}

page=$top_srcdir/controlproto/libcontrolproto.3
sed '/^\.Fn cp_conn_busy :$/d' "$page" >"$tmp/page"
must_fail "a function without a word" described "$tmp/page"
described "$page" || exit 1
readelf -d "$object" | grep -q 'SONAME.*\[libcontrolproto\.so\.0\]' ||
    { echo "another soname"; exit 1; }
# Whoever uses it needs this and libc, nothing else.
if readelf -d "$object" | grep NEEDED |
    grep -v 'libcrypto\|libc\.so\|lib.san\|ld-linux'; then
	echo "it needs more than it should"
	exit 1
fi

# --- where it is -----------------------------------------------------------

# placed PREFIX LIBDIR: a .pc file that was installed so tells where.
placed()
{
	local at=$tmp/placed
	rm -rf "$at"
	env -u MAKEFLAGS -u MFLAGS make -s -C "$top_builddir" prefix="$at/$1" \
	    libdir="$at/$1/$2" install-cp-pc >"$tmp/log" 2>&1 &&
	    [ "$(PKG_CONFIG_PATH=$at/$1/$2/pkgconfig pkg-config --cflags \
	    --libs libcontrolproto | sed 's/ *$//')" = \
	    "-I$at/$1/include -L$at/$1/$2 -lcontrolproto" ] && return
	cat "$tmp/log"
	cat "$at/$1/$2/pkgconfig/libcontrolproto.pc"
	return 1
}
placed usr lib/x86 || { echo "it names another place"; exit 1; }

# --- headers ---------------------------------------------------------------

# stands_alone COMPILER LANGUAGE HEADER
stands_alone()
{
	echo "#include \"$3\"" | "$1" -Wall -Wextra -Werror -pedantic \
	    -x "$2" -fsyntax-only -
}

cp -r "$include" "$tmp/bad"
sed -i '/#include "err.h"/d' "$tmp/bad/reader.h"
must_fail "a header that needs another" stands_alone "$cc" c "$tmp/bad/reader.h"
for header in "$include"/*.h; do
	stands_alone "$cc" c "$header" || exit 1
	if command -v clang >/dev/null; then
		stands_alone clang c++ "$header" || exit 1
	fi
	grep -q '^extern "C" {$' "$header" ||
	    { echo "$header is not for C++"; exit 1; }
	if grep '# *include' "$header" |
	    grep -v '<std[a-z]*\.h>$\|"[a-z]*\.h"$'; then
		echo "$header includes those"
		exit 1
	fi
done

# --- a program of somebody else's -------------------------------------------

cat >"$tmp/tor.py" <<'END'
import sys, time
sys.path.insert(0, sys.argv[1])
import fake_status, fake_tor
tor = fake_tor.Tor(sys.argv[2] + "/cookie")
tor.answers["SETEVENTS STATUS_CLIENT"] = "250 OK"
tor.answers["SETEVENTS CIRC"] = "250 OK\r\n650 CIRC 7 BUILT"
tor.answers["GETINFO version"] = "250-version=0.4.9.11\r\n250 OK"
tor.answers["GETINFO status/bootstrap-phase"] = (
    '250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=50 TAG=x '
    'SUMMARY="Half of \x1b[31mit"\r\n250 OK\r\n'
    '650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n650 STATUS_CLIENT '
    'NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"')
port = fake_status.Server(None, tor).port
with open(sys.argv[2] + "/port", "w") as file:
    file.write("%d" % port)
fake_status.Server(sys.argv[2] + "/s/control", tor)
time.sleep(60)
END
python3 "$tmp/tor.py" "$top_srcdir/tests/it" "$tmp" &
tor=$!
trap 'kill $tor; rm -rf "$tmp"' EXIT
tries=50
while [ ! -S "$tmp/s/control" ] && [ $tries -gt 0 ]; do
	tries=$((tries - 1))
	sleep 0.1
done

# watches NAME WHERE [COOKIE]: what it says of that Tor.
watches()
{
	local name=$1
	shift
	adopt_run timeout 5 "$adopt/bootstrap-$name" "$@" >"$tmp/said" &&
	    printf '50%% Half of ?[31mit\n100%% Done\n' |
	    cmp -s - "$tmp/said" && return
	cat "$tmp/said"
	return 1
}

# linked shared|static: a program says so itself.
linked()
{
	readelf -d "$adopt/bootstrap-poll" | grep -q 'libcontrolproto\.so\.0'
	[ $? = "$([ "$1" = shared ]; echo $?)" ]
}

# shown N OUT PAGE: the Nth literal block of the page that is a program.
shown()
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$3" |
	    awk -v n="$1" '$1 == ".Bd" { inside = ++at == n; next }
	    $1 == ".Ed" { inside = 0 } inside' | sed 's/\\e/\\/g' >"$2"
	adopt_compile "${2%.c}" static libcontrolproto "$2"
}

# tells PROGRAM: the version, and an event.
tells()
{
	timeout 2 "$1" "unix:$tmp/s/control" >"$tmp/said"
	printf '0.4.9.11\nCIRC 7 BUILT\n' | cmp -s - "$tmp/said" && return
	cat "$tmp/said"
	return 1
}

# The manual is with it, and the programs that it shows are.
[ "$(find "$adopt" -path '*/man3/*')" = \
    "$(find "$adopt" -name libcontrolproto.3)" ] &&
    [ -n "$(find "$adopt" -name libcontrolproto.3)" ] ||
    { echo "another manual"; exit 1; }
sed 's/"CIRC"/"BW"/' "$page" >"$tmp/page"
shown 1 "$tmp/first.c" "$page" && [ "$("$tmp/first")" = ok ] &&
    shown 2 "$tmp/second.c" "$page" && tells "$tmp/second" ||
    { echo "the manual's programs"; exit 1; }
shown 2 "$tmp/mute.c" "$tmp/page" || exit 1
must_fail "a program that asks for others" tells "$tmp/mute"

for how in static shared; do
	adopt_build $how || { echo "$how: does not compile"; exit 1; }
	linked $how || { echo "$how: it is not"; exit 1; }
	for where in "unix:$tmp/s/control" "127.0.0.1:$(cat "$tmp/port")"; do
		watches poll "$where" &&
		    watches event "$where" "$tmp/cookie" ||
		    { echo "$how: does not run"; exit 1; }
	done
done
