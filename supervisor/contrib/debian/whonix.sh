#!/bin/sh
# For debian/rules: what portcullis-whonix puts in the place of which file.
#   whonix.sh LIST PACKAGE-FOLDER
# (A path that is ever taken off the list needs a postinst that gives it back.)
# LIST has a line for each: a file in the folder of our programs, and a path
# that a link to it takes.  It is the only place where those are named.
set -eu
list=$1
package=$2
here=$(dirname "$0")

places=
while read -r name path rest; do
	case $name in
	'' | '#'*) continue ;;
	esac
	case $path in
	/usr/*) ;;
	*) echo "whonix.sh: $path: not below /usr" >&2; exit 1 ;;
	esac
	if [ -n "$rest" ]; then
		echo "whonix.sh: $path: and what is \"$rest\"?" >&2
		exit 1
	fi
	mkdir -p "$package${path%/*}"
	# dh_link(1) makes it relative, as Debian wants it.
	ln -s "/usr/libexec/portcullis/$name" "$package$path"
	places="$places $path"
done <"$list"
if [ -z "$places" ]; then
	echo "whonix.sh: $list names no file" >&2
	exit 1
fi
for script in preinst postrm; do
	sed "s|@PLACES@|${places# }|" "$here/portcullis-whonix.$script.in" \
	    >"$here/portcullis-whonix.$script"
done
