#!/bin/bash
# The leak matrix: every packet class in every state; see matrix.py.  Of
# "make check-it" the representative part, of "make leak-matrix" all of it.
#
#   LEAK_FULL=1      all states
#   LEAK_POLICY=reject|drop|veto  what the firewall's knobs are set to
#   LEAK_ONLY=STATE  that one alone
#   LEAK_OUT=PATH    where the table (.txt) and the JSON (.json) go
# shellcheck source=tests/it/lib.bash
. "${top_srcdir:?}/tests/it/lib.bash"
it_begin --no-tor

# Whom Tor itself may talk to is part of what is to be proven, except once.
wall()
{
	printf 'firewall {\n\t%s\n}\n' "$1" >>"$DIR/portcullis.conf"
}
case ${LEAK_POLICY:=reject} in
reject) wall 'refuse = "reject"' ;;
drop) wall 'refuse = "drop" routes = "full" icmp = {}' ;;
veto) wall 'mode = "veto" routes = "off"' ;;
*) echo "no such policy: $LEAK_POLICY"; exit 2 ;;
esac
[ "$LEAK_POLICY" = veto ] ||
	sed -i 's|^tor {|&\n\tegress = "strict"|' "$DIR/portcullis.conf"
mkdir -p "$it_build/tests/leak/out"
out=${LEAK_OUT:-$it_build/tests/leak/out/$LEAK_POLICY}
options=()
[ -z "${LEAK_FULL:-}" ] || options+=(--full)
[ -z "${LEAK_ONLY:-}" ] || options+=(--only "$LEAK_ONLY")
export IT_GATE_UID IT_ENGINE_UID IT_STATUS_UID NET_TOR_USER top_srcdir
"$net_python" "$it_src/tests/leak/matrix.py" "${options[@]}" "$DIR" "$out"
