# shellcheck shell=bash
# libcontrolproto as somebody else finds it: installed below a folder of its
# own, by "make install", and used by nothing but pkg-config.  Sets adopt, the
# folder, and adopt_lib, that of the library.
: "${top_srcdir:?}" "${top_builddir:?}"
adopt=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/adopt.XXXXXX") || exit 99
env -u MAKEFLAGS -u MFLAGS make -s -C "$top_builddir" DESTDIR="$adopt" \
    install-libcontrolproto >"$adopt/log" 2>&1 || { cat "$adopt/log"; exit 1; }
adopt_pc=$(find "$adopt" -name libcontrolproto.pc)
adopt_lib=${adopt_pc%/pkgconfig/*}

# adopt_flags ARGUMENT...: of pkg-config.
adopt_flags()
{
	PKG_CONFIG_SYSROOT_DIR=$adopt PKG_CONFIG_PATH=${adopt_pc%/*} \
	    pkg-config "$@"
}

# adopt_compile OUT shared|static PACKAGES SOURCE...
adopt_compile()
{
	local out=$1 how=$2 packages=$3 flags static=()
	shift 3
	[ "$how" = shared ] || static=(--static)
	# shellcheck disable=SC2086 # lists of words
	flags=$(adopt_flags "${static[@]}" --cflags --libs $packages) ||
	    return 1
	[ "$how" = shared ] || flags="-static $flags"
	# shellcheck disable=SC2086
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -o "$out" "$@" $flags
}

# adopt_build shared|static: both examples, from where they are installed.
adopt_build()
{
	local at
	at=$(dirname "$(find "$adopt" -name bootstrap-poll.c)")
	adopt_compile "$adopt/bootstrap-poll" "$1" libcontrolproto \
	    "$at/bootstrap-poll.c" &&
	    adopt_compile "$adopt/bootstrap-event" "$1" \
	    "libcontrolproto libevent_core" \
	    "$at/bootstrap-event.c"
}

# adopt_run CMD...: with that library.
adopt_run()
{
	LD_LIBRARY_PATH=$adopt_lib "$@"
}
