"""Puts CLOCK_MONOTONIC, in seconds, before each line that comes."""
import sys
import time

for line in iter(sys.stdin.buffer.readline, b""):
    print("%.6f %s" % (time.clock_gettime(time.CLOCK_MONOTONIC),
                       line.decode("ascii", "replace").rstrip()), flush=True)
