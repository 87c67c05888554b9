#!/bin/sh
# Prints those lines of its input that systemcheck's log-checker would report;
# exit code 0 if there are any.
exec grep -i -E 'SECCOMP.*syscall=|warn|fail|error|ordering cycle|BUG|segfault|killed|fault|self-detected stall on CPU'
