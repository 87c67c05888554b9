#!/bin/sh
# One look at the gate, by the status socket itself; needs socat and jq.
# Prints "position: reason", and what to do.  Exit code 0: the gate is open;
# 1: it is not; 254: nobody knows; 255: nobody answers.
sock=${PORTCULLIS_RUN_DIR:-/run/portcullis}/status.sock
line=$(timeout 5 socat -u -t 0 "UNIX-CONNECT:$sock" EXEC:'head -n 1' 2>/dev/null)
[ -n "$line" ] || { echo "unknown: no supervisor answers" >&2; exit 255; }
printf '%s\n' "$line" | jq -er 'if .v != 1 then error("another version")
    else "\(.position): \(.reason.text)", (.advice // empty) end' || exit 254
case $(printf '%s\n' "$line" | jq -r .position) in
open) exit 0 ;;
unknown) exit 254 ;;
esac
exit 1
