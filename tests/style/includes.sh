#!/bin/sh
# Who may include whom: the arrows of the design point one way.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

# Folder, and what no file in it may include.
rules='
controlproto		(policy|supervisor)/
policy			(controlproto|supervisor)/
supervisor/gate		(event2/|event\.h|openssl/|jansson|ares|controlproto/)
supervisor/keeper	(event2/|event\.h|openssl/|jansson|ares|controlproto/)
supervisor/engine	(libnftnl/|linux/netfilter/nf_tables|jansson|ares)
supervisor/status	(libnftnl/|libmnl/|openssl/|confuse|ares|controlproto/)
supervisor/resolver	(libnftnl/|libmnl/|linux/netfilter/nf_tables|jansson|controlproto/)
supervisor/top		(libnftnl/|libmnl/|openssl/|confuse|ares|controlproto/)
supervisor/applets	(libnftnl/|libmnl/|openssl/|event2/|event\.h|confuse|ares)
supervisor/cli		(libnftnl/|libmnl/|openssl/|confuse|ares|controlproto/)
'

check()
{
	bad=0
	while read -r folder pattern; do
		[ -n "$folder" ] || continue
		[ -d "$1/$folder" ] || continue
		if grep -rnE --include='*.[ch]' \
		    "^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*[<\"]$pattern" \
		    "$1/$folder"; then
			echo "$folder must not include those"
			bad=1
		fi
		if grep -rnE --include='*.[ch]' \
		    '^[[:blank:]]*#[[:blank:]]*include.*[<"/]\.\./' \
		    "$1/$folder"; then
			echo "$folder: include from the top, not by ../"
			bad=1
		fi
	done <<-END
	$rules
	END
	return $bad
}

# refuse FOLDER LINE: a tree with just that include must be refused.
refuse()
{
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/$1"
	echo "$2" >"$tmp/tree/$1/a.c"
	must_fail "$2 in $1" check "$tmp/tree"
}

refuse controlproto '#include "policy/policy.h"'
refuse policy '#include "controlproto/conn.h"'
refuse policy '#  include "supervisor/log.h"'
refuse supervisor/gate '#include <event2/event.h>'
refuse supervisor/gate '#include <openssl/hmac.h>'
refuse supervisor/gate '#include "controlproto/conn.h"'
refuse supervisor/engine '#include <libnftnl/rule.h>'
refuse supervisor/status '#include <confuse.h>'
refuse supervisor/resolver '#include <libnftnl/rule.h>'
refuse supervisor/engine '#include <ares.h>'
refuse supervisor/top '#include <confuse.h>'
refuse supervisor/cli '#include "../gate/gate.h"'
mkdir -p "$tmp/good/policy"
echo '#include "policy/policy.h"' >"$tmp/good/policy/a.c"
must_pass "an include of its own folder" check "$tmp/good"

check "$top_srcdir"
