#!/bin/sh
# Is every keyword of the parser's table in portcullis.conf(5)?
set -u
: "${top_srcdir:?}"
page=$top_srcdir/supervisor/portcullis.conf.5
table=$top_srcdir/policy/fields.c
failed=0

keywords=$(sed -n \
    's/^	{ POL_SEC_[A-Z]*, "\([a-z_]*\)",.*/\1/p' "$table")
if [ "$(echo "$keywords" | wc -l)" -lt 26 ]; then
	echo "cannot read the table in $table" >&2
	exit 1
fi
for word in $keywords; do
	if ! grep -q "^\.It Ic $word " "$page"; then
		echo "$page does not have $word" >&2
		failed=1
	fi
done
for word in tor gateway users group listener; do
	if ! grep -q "^\.Ss .*$word" "$page"; then
		echo "$page does not have section $word" >&2
		failed=1
	fi
done
exit $failed
