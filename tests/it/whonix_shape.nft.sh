#!/bin/bash
# A ruleset of the shape of a Whonix gateway's firewall:
#   whonix_shape.nft.sh [-m MODE] [-c CONF] [print|load|lockdown|delete]
# print writes it as nft text, load puts it in force in one transaction,
# lockdown is their failure path, delete takes it away.  Settings come from the
# environment, then from CONF, a shell file as theirs are, then from -m; see
# whonix_shape.bash.  Load and the rest act on the network namespace they are
# run in: never run them in one that is not yours.
set -eu
mode=
conf=
while getopts m:c: opt; do
	case $opt in
	m) mode=$OPTARG ;;
	c) conf=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
# shellcheck source=/dev/null # the user's
[ -z "$conf" ] || . "$conf"
[ -z "$mode" ] || firewall_mode=$mode
# shellcheck source=tests/it/whonix_shape.bash
. "$(dirname "$0")/whonix_shape.bash"
case ${1:-print} in
print) shape_ruleset ;;
load) shape_ruleset | nft -f - ;;
lockdown) shape_lockdown ;;
delete) shape_delete ;;
*) exit 2 ;;
esac
