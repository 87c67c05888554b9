#!/bin/bash
# The same by TCP with a password, many listeners, and strict egress.
export HOSTILE_TCP=1
. "${top_srcdir:?}/tests/hostile/tor.sh"
