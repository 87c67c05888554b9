#!/usr/bin/python3
"""Connections without pause while lists of relays are exchanged.

relays.py UID SECONDS +ADDR:PORT... -ADDR:PORT...

As user UID, for SECONDS: connect to each + and have an echo back, and try to
connect to each -.  Prints one line: so many echoes, how many took longer than
half a second or never came (a packet that was dropped is sent again after a
second at the earliest), so many tries, how many of those were let in.
"""
import os
import socket
import sys
import time

SLOW = 0.5
SHORT = 0.02


def split(spec):
    host, port = spec.rsplit(":", 1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return family, (host, int(port))


def echo(spec):
    family, addr = split(spec)
    start = time.monotonic()
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        try:
            s.connect(addr)
            s.send(b"echo")
            if s.recv(16) != b"echo":
                return False
        except OSError:
            return False
    return time.monotonic() - start < SLOW


def try_in(spec):
    family, addr = split(spec)
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(SHORT)
        try:
            s.connect(addr)
            return True
        except OSError:
            return False


def main():
    os.setgid(int(sys.argv[1]))
    os.setuid(int(sys.argv[1]))
    end = time.monotonic() + float(sys.argv[2])
    listed = [a[1:] for a in sys.argv[3:] if a[0] == "+"]
    others = [a[1:] for a in sys.argv[3:] if a[0] == "-"]
    echoes = late = tries = let_in = 0
    while time.monotonic() < end:
        for spec in listed:
            echoes += 1
            late += not echo(spec)
        for spec in others:
            tries += 1
            let_in += try_in(spec)
    print(f"echoes={echoes} late={late} tries={tries} in={let_in}")
    return 0


sys.exit(main())
