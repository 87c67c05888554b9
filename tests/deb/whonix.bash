# shellcheck shell=bash
# portcullis-whonix beside a package of others' that has two of the programs:
# installed, theirs upgraded, removed.  Sourced by tests/deb/life.bash, whose
# daemon runs, and without a Tor.
: "${root:?}" "${WORK:?}" "${WHONIX:?}" "${held?}"
established=/usr/bin/tor-circuit-established-check
enabled=/usr/libexec/helper-scripts/tor_enabled_check

# others N: their package, version N, whose programs say so.
others()
{
	local dir=$WORK/others$1 file
	mkdir -p "$dir/DEBIAN"
	printf '%s\n' 'Package: others' "Version: $1" 'Architecture: all' \
	    'Maintainer: Somebody <somebody@portcullis.example>' \
	    'Description: of a test' >"$dir/DEBIAN/control"
	for file in $established $enabled; do
		mkdir -p "$dir${file%/*}"
		printf '#!/bin/sh\necho others %s\n' "$1" >"$dir$file"
		chmod 755 "$dir$file"
	done
	dpkg-deb -Znone --root-owner-group -b "$dir" \
	    "$root/root/others$1.deb" >/dev/null &&
	    in_root dpkg -i "/root/others$1.deb" >"$WORK/log/others$1" 2>&1
}
ours() { in_root dpkg "--$1" "$2" >"$WORK/log/whonix-$1" 2>&1; }
says() { [ "$(in_root "$1")" = "$2" ]; }
# Sourced, as Whonix's own scripts do it.
sourced()
{
	# shellcheck disable=SC2016 # the other bash's
	[ "$(in_root bash -c ". $enabled"'; check_tor_enabled_do
	    echo "$TOR_ENABLED"')" = 1 ]
}
exits() { in_root "$2" >/dev/null 2>&1; [ $? = "$1" ]; }
linked()
{
	local name path
	while read -r name path; do
		[ "$(in_root readlink -e "$path")" = \
		    "/usr/libexec/portcullis/$name" ] || return 1
	done < <(grep '^[^#]' "$root/usr/share/portcullis/contrib/applets.links")
}
diverted() { in_root dpkg-divert --list '*portcullis-orig*' | grep -c .; }

others 1 || exit 1
check "whonix: control: theirs answers" says $established "others 1"
cp "$WHONIX" "$root/root/whonix.deb"
check "whonix: installs" install whonix
check "whonix: each file of the list is ours" linked
check "whonix: without Tor nobody can be reached" exits 255 $established
check "whonix: torrc has it enabled" says $enabled true
check "whonix: and for those who source it" sourced
check "whonix: theirs is kept beside" \
    says $established.portcullis-orig "others 1"
check "whonix: where the status files go" [ -d "$root/run/anon-firewall" ]
check "whonix: theirs can be upgraded" others 2
check "whonix: and ours stay" linked
check "whonix: theirs was upgraded" \
    says $established.portcullis-orig "others 2"
check "whonix: once more" ours install /root/whonix.deb
check "whonix: ours stay" linked
check "whonix: it can be removed" ours purge portcullis-whonix
check "whonix: then theirs answer again" says $established "others 2"
check "whonix: both of them" says $enabled "others 2"
check "whonix: nothing is diverted" [ "$(diverted)" = 0 ]
check "whonix: no link is left" [ ! -L "$root/usr/sbin/anondate" ]
check "whonix: none of this opened anything" nothing_since "$held"
