#!/bin/sh
# Is every keyword of the parser's table in portcullis.conf(5)?
set -u
: "${top_srcdir:?}"
page=$top_srcdir/supervisor/portcullis.conf.5
table=$top_srcdir/policy/fields.c
failed=0

# Section and keyword; what stands in a group is said of listeners.
keywords=$(sed -n \
    's/^	{ POL_SEC_\([A-Z]*\), "\([a-z_]*\)",.*/\1 \2/p' "$table" |
    tr '[:upper:]' '[:lower:]' | grep -v '^group ')
if [ "$(echo "$keywords" | wc -l)" -lt 60 ]; then
	echo "cannot read the table in $table" >&2
	exit 1
fi
# The same of the manual page.
described=$(awk '
    $1 == ".Ss" { section = $2 == "Section" ? $3 : "" }
    $1 == ".It" && $2 == "Ic" && section != "" { print section " " $3 }
    ' "$page")
for pair in $(echo "$keywords" | tr ' ' .); do
	if ! echo "$described" | grep -q -x -F "${pair%.*} ${pair#*.}"; then
		echo "$page does not have $pair" >&2
		failed=1
	fi
done
for word in tor gateway users firewall timesync resolver whonix egress service \
    transport group listener
do
	if ! grep -q "^\.Ss Section $word" "$page"; then
		echo "$page does not have section $word" >&2
		failed=1
	fi
done
exit $failed
