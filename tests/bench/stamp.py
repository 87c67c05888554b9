"""Puts CLOCK_MONOTONIC, in seconds, before each line that comes.

Prints "ready" first: lines that came before would all have the same time.
"""
import sys
import time

print("ready", flush=True)
for line in iter(sys.stdin.buffer.readline, b""):
    print("%.6f %s" % (time.clock_gettime(time.CLOCK_MONOTONIC),
                       line.decode("ascii", "replace").rstrip()), flush=True)
