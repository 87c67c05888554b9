#!/usr/bin/env python3
"""Prints a line at every change of the gate; needs nothing but Python."""
import json
import os
import socket
import time

PATH = os.environ.get("PORTCULLIS_RUN_DIR", "/run/portcullis") + "/status.sock"


def states():
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(12.5)  # heartbeats come every 5 seconds
                sock.connect(PATH)
                yield from map(json.loads, sock.makefile())
        except (OSError, ValueError):
            pass
        yield {}  # nothing is known any more
        time.sleep(1)


last = None
for s in states():
    now = "unknown", None, "no answer"
    if s.get("v") == 1 and s["type"] != "refused":  # that: no place for us
        now = s["position"], s["bootstrap"]["progress"], s["reason"]["text"]
    if now != last:
        print(time.strftime("%H:%M:%S"), *(last := now), flush=True)
