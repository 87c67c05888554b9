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
	# Nobody minds when a power cut takes this one.
	mkdir -p "$work/base/etc/dpkg/dpkg.cfg.d" || return 1
	echo force-unsafe-io >"$work/base/etc/dpkg/dpkg.cfg.d/unsafe"
	if ! debootstrap --variant=minbase --include=iproute2,nftables,systemd \
	    "$codename" "$work/base" "$from"
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
	if ! DEBIAN_FRONTEND=noninteractive chroot "$work/base" apt-get \
	    install -q -y --no-install-recommends $(base_packages "$1"); then
		echo "the fresh $codename cannot have what the package needs:" \
		    "is there a network?"
		return 1
	fi
	chroot "$work/base" apt-get clean
	rm "$work/base/usr/sbin/policy-rc.d" \
	    "$work/base/etc/dpkg/dpkg.cfg.d/unsafe"
}

cache=${PORTCULLIS_DEB_CACHE:-}
cached=${cache:+$cache/$codename.tar}

# An older one may lack what a newer package needs.
cache_serves()
{
	# shellcheck disable=SC2046 # a list of words
	chroot "$work/base" dpkg-query -W $(base_packages "$1") >/dev/null &&
	    return
	echo "the Debian kept in $cached lacks what the package needs now:" \
	    "remove that file"
	return 1
}

# root_make DEB: $work/base, with all that DEB needs.
root_make()
{
	if [ -n "$cached" ] && [ -e "$cached" ]; then
		mkdir "$work/base" && tar -C "$work/base" -xpf "$cached" &&
		    cache_serves "$1"
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
	build_quickly "$out" >"$deb_log/build" 2>&1 || {
		tail -n 30 "$deb_log/build"
		echo "0 passed, 1 failed"
		exit 1
	}
fi
one() { ls "$out/$1"_*.deb; }
main_deb=$(one portcullis)
lib_deb=$(one libcontrolproto0)
dev_deb=$(one libcontrolproto-dev)
whonix_deb=$(one portcullis-whonix)

# Beside what follows: most of it is one processor's time.
lint()
{
	lintian --allow-root --fail-on error,warning "$out"/*.changes
}
lint >"$deb_log/lintian" 2>&1 &
lint_job=$!

# example N: the N-th of libcontrolproto(3).
example()
{
	gzip -dc "$work"/dev/usr/share/man/man3/libcontrolproto.3.gz |
	    awk -v n="$1" '/^\.Ed/ { on = 0 } on { print }
	    /^\.Bd -literal/ { on = ++i == n }' | sed 's/\\e/\\/g'
}

# dev_flags PACKAGE...: of pkg-config, for what is in the packages.
dev_flags()
{
	PKG_CONFIG_SYSROOT_DIR=$work/dev PKG_CONFIG_PATH=$(
	    echo "$work/dev"/usr/lib/*/pkgconfig) pkg-config --cflags --libs "$@"
}

# With the library of the packages.
dev_run()
{
	LD_LIBRARY_PATH=$(echo "$work/dev"/usr/lib/*-*-*) "$@"
}

# The manual's programs, in nobody's tree but their own.
dev_program()
{
	local flags name dir=$work/dev
	dpkg-deb -x "$lib_deb" "$dir" && dpkg-deb -x "$dev_deb" "$dir" ||
	    return 1
	example 1 >"$dir/one.c"
	example 2 >"$dir/two.c"
	flags=$(dev_flags libcontrolproto) || return 1
	# shellcheck disable=SC2086 # flags
	for name in one two; do
		cc -Wall -Wextra -Werror -Wno-missing-prototypes \
		    -o "$dir/$name" "$dir/$name.c" $flags || return 1
	done
	[ "$(dev_run "$dir/one")" = ok ] &&
	    dev_run "$dir/two" unix:/nothing 2>&1 |
	    grep 'unix:/nothing: No such file or directory$'
}

# Those that are programs already, as they lie in the package; and none of
# them was put into the other.
dev_examples()
{
	local flags name
	local at=$work/dev/usr/share/doc/libcontrolproto-dev/examples
	flags=$(dev_flags libcontrolproto libevent_core) || return 1
	# shellcheck disable=SC2086 # flags
	for name in event poll; do
		cc -Wall -Wextra -Werror -o "$work/dev/$name" \
		    "$at/bootstrap-$name.c" $flags || return 1
		dev_run ldd "$work/dev/$name" | grep "$work/dev/.*so\.0 " ||
		    return 1
	done
	! dpkg-deb -c "$main_deb" | grep 'share/doc/.*/examples/\|man3/'
}

# In the fresh Debian, with its own libraries: one sentence, as there is no
# Tor.
lib_installs()
{
	cp "$lib_deb" "$root/lib.deb" && cp "$work/dev/poll" "$root/" &&
	    chroot "$root" dpkg -i /lib.deb || return 1
	chroot "$root" /poll unix:/nothing 2>&1 | grep -x \
	    'poll: unix:/nothing: No such file or directory' || return 1
	chroot "$root" dpkg -P libcontrolproto0 &&
	    rm "$root/lib.deb" "$root/poll"
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
	for file in portcullis portcullis-applets portcullisd; do
		apparmor_parser -Q -K "$root/etc/apparmor.d/$file" || return 1
	done
	# Each program of ours that is no script has one.
	for file in "$root"/usr/*bin/portcullis* \
	    "$root"/usr/libexec/portcullis/portcullis-*; do
		grep -q "^ *${file#"$root"} mr" \
		    "$root/etc/apparmor.d"/portcullis* && continue
		echo "$file has none"
		return 1
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

# What is no program, and is missed by nobody until somebody looks for it.
complete()
{
	local file share=$work/base/usr/share
	for file in bash-completion/completions/portcullis \
	    zsh/site-functions/_portcullis portcullis/status.schema.json \
	    man/man1/portcullis.1.gz man/man5/portcullis.conf.5.gz \
	    man/man5/portcullis-status.5.gz man/man8/portcullisd.8.gz \
	    man/man8/portcullis-applets.8.gz \
	    portcullis/contrib/whonix-gateway.conf \
	    portcullis/contrib/examples/indicator.py; do
		[ -s "$share/$file" ] || { echo "no $file"; return 1; }
	done
}

# Counts its own checks.
life()
{
	local log=$deb_log/life p=0 f=0
	env WORK="$work" FLOOD="$src/tests/it/flood.py" DEB="$main_deb" \
	    WHONIX="$whonix_deb" \
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

check "libcontrolproto(3), its examples" dev_program
check "its headers stand alone" dev_headers
check "its examples compile as they are installed" dev_examples
root=$work/base
if check "a fresh Debian, with what the package needs" root_make "$main_deb"
then
	check "the shared library: install, use, purge" lib_installs
	life
	dpkg-deb -x "$main_deb" "$root"
	check "pages, completions, schema, examples" complete
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
