# shellcheck shell=bash
# The packages: what lintian says, a program against libcontrolproto, the
# units, the profiles, and a whole life in a fresh Debian.  Sourced by
# scripts/package, which has set src and work, and build() and die().
: "${src:?run scripts/package test}" "${work:?}"
# Ends with "N passed, N failed".
deb_passed=0
deb_failed=0
deb_log=$work/log
mkdir "$deb_log"
trap deb_finish EXIT
trap 'exit 1' HUP INT TERM

deb_finish()
{
	local rc=$?
	if [ -n "${base_job:-}" ]; then
		kill -TERM -- "-$base_job" 2>/dev/null
		wait "$base_job" 2>/dev/null
	fi
	if [ $rc = 0 ] && [ -z "${KEEP:-}" ]; then
		rm -rf --one-file-system "$work"
	else
		echo "logs and packages are kept in $work"
	fi
}

# check NAME CMD...: its output is shown if it fails.
check()
{
	local name=$1 log=$deb_log/last
	shift
	if "$@" >"$log" 2>&1 </dev/null; then
		deb_passed=$((deb_passed + 1))
		echo "ok: $name"
	else
		deb_failed=$((deb_failed + 1))
		echo "FAILED: $name"
		tail -n 25 "$log" | sed 's/^/    /'
		return 1
	fi
}

# --- a fresh Debian --------------------------------------------------------

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || die "which Debian this is, /etc/os-release does not tell"

# Where this machine has its own packages from.
mirror()
{
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(SITE)' \
	    'Created-By: Packages' | awk -v c="$codename" \
	    '$1 == "Debian" && $2 == c { print $3; exit }'
}

# What our package depends on, each by its first name, is there already: later
# there is no network.
base_packages()
{
	dpkg-deb -f "$1" Pre-Depends Depends Recommends |
	    sed 's/^[^:]*: //' | tr ',' '\n' |
	    sed -E 's/[|(].*//; s/[[:space:]]//g; /^tor$/d; /^$/d'
	echo systemd
}

base_make()
{
	local from
	from=$(mirror)
	if [ -z "$from" ]; then
		echo "no package source of this machine's has $codename"
		return 1
	fi
	if ! debootstrap --variant=minbase "$codename" "$work/base" "$from"
	then
		echo "debootstrap cannot make a fresh $codename:" \
		    "is there a network?"
		return 1
	fi
	printf '#!/bin/sh\nexit 101\n' >"$work/base/usr/sbin/policy-rc.d"
	chmod 755 "$work/base/usr/sbin/policy-rc.d"
}

base_add()
{
	# shellcheck disable=SC2046 # a list of words
	DEBIAN_FRONTEND=noninteractive chroot "$work/base" apt-get install \
	    -q -y --no-install-recommends $(base_packages "$1") || return 1
	chroot "$work/base" apt-get clean
	rm "$work/base/usr/sbin/policy-rc.d"
}

cache=${PORTCULLIS_DEB_CACHE:-}
cached=${cache:+$cache/$codename.tar}

# root_make DEB: $work/base, with all that DEB needs.
root_make()
{
	if [ -n "$cached" ] && [ -e "$cached" ]; then
		mkdir "$work/base" && tar -C "$work/base" -xpf "$cached"
		return
	fi
	wait "$base_job"
	local rc=$?
	base_job=
	if [ $rc != 0 ]; then
		tail -n 3 "$deb_log/base" >&2
		return 1
	fi
	base_add "$1" || return 1
	[ -n "$cached" ] || return 0
	mkdir -p "$cache" &&
	    tar -C "$work/base" --one-file-system -cf "$cached.$$" . &&
	    mv "$cached.$$" "$cached"
}

base_job=
if [ -z "$cached" ] || [ ! -e "$cached" ]; then
	set -m
	base_make >"$deb_log/base" 2>&1 </dev/null &
	base_job=$!
	set +m
fi

# --- the packages ----------------------------------------------------------

out=${PORTCULLIS_DEB_OUT:-$work/out}
if [ -z "${PORTCULLIS_DEB_OUT:-}" ]; then
	build "$out" >"$deb_log/build" 2>&1 || {
		tail -n 30 "$deb_log/build"
		echo "0 passed, 1 failed"
		exit 1
	}
fi
one() { ls "$out/$1"_*.deb; }
main_deb=$(one portcullis)
dev_deb=$(one libcontrolproto-dev)

# Beside what follows: most of it is one processor's time.
lint()
{
	lintian --allow-root --fail-on error,warning "$out"/*.changes
}
lint >"$deb_log/lintian" 2>&1 &
lint_job=$!

# A program in nobody's tree but its own.
dev_program()
{
	local flags dir=$work/dev
	dpkg-deb -x "$dev_deb" "$dir" || return 1
	cat >"$dir/ask.c" <<'END'
#include <controlproto/reader.h>
#include <controlproto/reply.h>
#include <stdio.h>
#include <string.h>

int
main(void)
{
	static const char said[] = "250 OK\r\n";
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *reply = NULL;
	int rc = 1;

	if (r != NULL && cp_reader_feed(r, said, strlen(said)) == CP_OK &&
	    cp_reader_next(r, &reply) == CP_OK && reply != NULL)
		rc = printf("%s\n", cp_reply_is_ok(reply) ? "ok" : "no") < 0;
	cp_reply_free(reply);
	cp_reader_free(r);
	return rc;
}
END
	flags=$(PKG_CONFIG_SYSROOT_DIR=$dir PKG_CONFIG_PATH=$(
	    echo "$dir"/usr/lib/*/pkgconfig) pkg-config --cflags --libs \
	    libcontrolproto) || return 1
	# shellcheck disable=SC2086 # flags
	cc -Wall -Werror -o "$dir/ask" "$dir/ask.c" $flags &&
	    [ "$("$dir/ask")" = ok ]
}

# Each of the public headers alone, in both languages' sense of a declaration.
dev_headers()
{
	local header
	for header in "$work"/dev/usr/include/controlproto/*.h; do
		echo "#include <controlproto/${header##*/}>" |
		    cc -Wall -Werror -I "$work/dev/usr/include" -x c \
		    -fsyntax-only - || return 1
	done
}

profiles()
{
	local file
	for file in portcullis portcullisd; do
		apparmor_parser -Q -K "$root/etc/apparmor.d/$file" || return 1
	done
	! grep -rn 'flags=.*complain' "$root/etc/apparmor.d"/portcullis*
}

units()
{
	systemd-analyze verify --man=no --root="$root" portcullis.service \
	    portcullis-boot.service 2>&1 | tee "$deb_log/units"
	# It tells faults of Debian's own units, too.
	! grep -i portcullis "$deb_log/units"
}

# What systemd-analyze thinks of it, in tenths; a later change that loosens it
# fails here.
exposure()
{
	systemd-analyze security --offline=true --threshold="$2" \
	    "$root"/*/systemd/system/"$1"
}

# Counts its own checks.
life()
{
	local log=$deb_log/life p=0 f=0
	env WORK="$work" FLOOD="$src/tests/it/flood.py" DEB="$main_deb" \
	    unshare -m -n -p -f --kill-child bash "$src/tests/deb/life.bash" \
	    >"$log" 2>&1 </dev/null
	sed 's/^/    /' "$log"
	read -r p _ f _ < <(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log")
	[ -n "$f" ] || f=1
	deb_passed=$((deb_passed + p))
	deb_failed=$((deb_failed + f))
}

# What is installed can be taken away again, and what is made, too.
leaves_nothing()
{
	local build dest=$work/dest
	build=$(echo "$out"/portcullis-*/build)
	make -s -C "$build" DESTDIR="$dest" install >/dev/null || return 1
	make -s -C "$build" DESTDIR="$dest" uninstall >/dev/null || return 1
	find "$dest" ! -type d | grep . && return 1
	make -s -C "$build" distclean >/dev/null || return 1
	# debhelper's own, in what it has made.
	find "$build" -type f ! -name debian-rules-target | grep . && return 1
	return 0
}

# The same of the unit that a child would have, had it one: the daemon's, whose
# all is inherited, with the user and the capabilities that the running child
# showed, and nothing else that it has given up.
child_exposure()
{
	local status=$work/status.$1 unit=$work/portcullis-$1.service user
	user=$(awk '$1 == "Uid:" { print $2 }' "$status")
	[ "$user" -gt 0 ] && grep -q '^NoNewPrivs:.1$' "$status" &&
	    [ "$(grep -c '^Cap.*:.0*$' "$status")" = 5 ] || return 1
	sed -e '/^CapabilityBoundingSet=/d' -e "s/^\[Service\]/&\nUser=$user\n\
CapabilityBoundingSet=/" "$root"/*/systemd/system/portcullis.service >"$unit"
	systemd-analyze security --offline=true --threshold=20 "$unit"
}

check "a program against libcontrolproto-dev" dev_program
check "its headers stand alone" dev_headers
root=$work/base
if check "a fresh Debian, with what the package needs" root_make "$main_deb"
then
	life
	dpkg-deb -x "$main_deb" "$root"
	check "the units" units
	check "the unit of the daemon: exposure" exposure \
	    portcullis.service 28
	check "the unit of the boot: exposure" exposure \
	    portcullis-boot.service 22
	check "what the engine is left with: exposure" child_exposure engine
	check "what the status process is left with: exposure" \
	    child_exposure status
	check "the profiles: syntax, and enforced" profiles
fi
# Once only: then there is no Makefile any more.
[ -n "${PORTCULLIS_DEB_OUT:-}" ] ||
    check "uninstall and distclean leave nothing" leaves_nothing
check "lintian" wait "$lint_job" || sed 's/^/    /' "$deb_log/lintian"
echo "$deb_passed passed, $deb_failed failed"
[ "$deb_failed" = 0 ]
exit
