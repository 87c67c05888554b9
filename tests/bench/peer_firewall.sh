#!/bin/bash
# A firewall in the style of Whonix's: a shell function that appends one rule
# per listener to a script, in one process per rule, which nft then checks and
# loads.  peer_firewall.sh LISTENERS SCRIPT ROUNDS [lean]
#
# LISTENERS has "FAMILY ADDRESS PROTOCOL PORT" lines.  Its own tables, hooked
# nowhere.  Prints the medians as one line of JSON, in ms.  "lean" writes the
# same script without a process per rule.
set -eu
listeners=$1 script=$2 rounds=$3 how=${4:-tee}

rule_tee()
{
	echo "$@" | tee -a "$script" >/dev/null
}

rule_lean()
{
	echo "$@" >>"$script"
}

generate()
{
	local rule=rule_$how family address protocol port
	: >"$script"
	$rule "add table inet peer"
	$rule "delete table inet peer"
	$rule "add table inet peer"
	$rule "add chain inet peer input"
	$rule "add chain inet peer prerouting"
	while read -r family address protocol port; do
		$rule "add rule inet peer input iifname eth1 $family daddr" \
		    "$address $protocol dport $port counter accept"
		$rule "add rule inet peer prerouting iifname eth1 $family" \
		    "daddr $address $protocol dport $port counter return"
	done <"$listeners"
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
nft delete table inet peer
printf '{"%s_make_ms":%s,"%s_load_ms":%s,"%s_ms":%s,"%s_rules":%s}\n' \
    "$how" "$(printf '%s\n' "${made[@]}" | median)" \
    "$how" "$(printf '%s\n' "${loaded[@]}" | median)" \
    "$how" "$(printf '%s\n' "${both[@]}" | median)" \
    "$how" "$(grep -c 'add rule' "$script")"
