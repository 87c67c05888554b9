#!/usr/bin/env python3
"""The gate for a status bar: bar.py waybar (JSON) or bar.py polybar (text)."""
import json
import os
import socket
import sys
import time

PATH = os.environ.get("PORTCULLIS_RUN_DIR", "/run/portcullis") + "/status.sock"
COLOURS = {"open": "#2e9e44", "closed": "#d0312d", "unknown": "#808080"}


def states():
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(12.5)  # heartbeats come every 5 seconds
                sock.connect(PATH)
                with sock.makefile() as stream:
                    yield from map(json.loads, stream)
        except (OSError, ValueError):
            pass
        yield {}
        time.sleep(1)


def show(state, style):
    # "refused": it has no place for us.
    known = state.get("v") == 1 and state["type"] != "refused"
    position = state["position"] if known else "unknown"
    progress = (state["bootstrap"]["progress"] if known else None) or 0
    text = "Tor " + position
    if position != "open" and 0 < progress < 100:
        text += " %d %%" % progress
    if style == "polybar":
        return "%%{F%s}%s %%{F-}" % (COLOURS.get(position, "#d9a400"), text)
    why = [state["reason"]["text"], state["advice"]] if known else ["no answer"]
    return json.dumps({"text": text, "class": position, "percentage": progress,
                       "tooltip": "\n".join(filter(None, why))})


last = None
for state in states():
    now = show(state, sys.argv[1] if len(sys.argv) > 1 else "waybar")
    if now != last:
        print(now, flush=True)
    last = now
