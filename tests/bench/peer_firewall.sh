#!/bin/bash
# A firewall of the shape of a Whonix gateway's (tests/it/whonix_shape.bash)
# with these listeners' ports: a shell function appends one rule after another
# to a script, in one process per rule, which nft then checks and loads.
# peer_firewall.sh LISTENERS SCRIPT ROUNDS [lean]
#
# LISTENERS has "FAMILY ADDRESS PROTOCOL PORT" lines.  Run it in a network
# namespace of your own: the rules are in force for as long as it runs.  Prints
# the medians as one line of JSON, in ms.  "lean" writes the same script
# without a process per rule.
set -eu
listeners=$1 script=$2 rounds=$3 how=${4:-tee}
here=$(dirname "$0")

# Ports of their custom range are one rule, as theirs are; TransPort has its
# own.
INTERNAL_OPEN_PORTS=$(awk '$3 == "tcp" && $4 != 9040 &&
    ($4 < 9152 || $4 > 9229) { print $4 }' "$listeners" | sort -nu | xargs)
SHAPE_ADDR=$(awk '$2 !~ /^127[.]|^::1$/ { print $2 }' "$listeners" |
    sort -u | xargs)
# shellcheck source=tests/it/whonix_shape.bash
. "$here/../it/whonix_shape.bash"

if [ "$how" = tee ]; then
	shape_put() { echo "$@" | tee -a "$script" >/dev/null; }
else
	shape_put() { echo "$@" >>"$script"; }
fi

generate()
{
	: >"$script"
	shape_ruleset
}

load()
{
	nft --check --file "$script"
	nft --file "$script"
}

# microseconds since some time in the past
clock()
{
	echo "${EPOCHREALTIME/[.,]/}"
}

median()
{
	sort -n | awk '{ a[NR] = $1 }
	    END { low = a[int((NR + 1) / 2)]; high = a[int(NR / 2) + 1]
	    printf "%.1f", (low + high) / 2000 }'
}

made=() loaded=() both=()
for ((i = 0; i < rounds; i++)); do
	begin=$(clock)
	generate
	middle=$(clock)
	load
	end=$(clock)
	made+=($((middle - begin)))
	loaded+=($((end - middle)))
	both+=($((end - begin)))
done
shape_delete
printf '{"%s_make_ms":%s,"%s_load_ms":%s,"%s_ms":%s,"%s_rules":%s}\n' \
    "$how" "$(printf '%s\n' "${made[@]}" | median)" \
    "$how" "$(printf '%s\n' "${loaded[@]}" | median)" \
    "$how" "$(printf '%s\n' "${both[@]}" | median)" \
    "$how" "$(grep -c 'add rule' "$script")"
