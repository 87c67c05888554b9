#!/usr/bin/python3
"""Packets without pause, and a count of those that arrive.

send UID ADDR:PORT      datagrams until killed; refusals do not stop it
count FILE ADDR:PORT... keep in FILE, up to date, how many came to each PORT,
                        as "PORT NUMBER" lines
"""
import os
import selectors
import socket
import sys
import time


def split(spec):
    host, port = spec.rsplit(":", 1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return family, (host, int(port))


def send(uid, spec):
    family, addr = split(spec)
    os.setuid(uid)
    while True:
        s = socket.socket(family, socket.SOCK_DGRAM)
        try:
            for _ in range(2000):  # then another source port: another flow
                try:
                    s.sendto(b"flood", addr)
                except PermissionError:
                    pass
        except OSError:
            time.sleep(0.001)  # no route, or refused: ask again
        s.close()


def write(path, counts):
    with open(path + ".new", "w", encoding="ascii") as f:
        for port, n in counts.items():
            f.write("%d %d\n" % (port, n))
    os.rename(path + ".new", path)


def count(path, specs):
    sel = selectors.DefaultSelector()
    counts = {}
    for spec in specs:
        family, addr = split(spec)
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.bind(addr)
        s.setblocking(False)
        counts[addr[1]] = 0
        sel.register(s, selectors.EVENT_READ, addr[1])
    write(path, counts)
    while True:
        for key, _ in sel.select():
            try:
                while True:
                    key.fileobj.recv(64)
                    counts[key.data] += 1
                    if counts[key.data] % 1000 == 0:
                        break
            except BlockingIOError:
                pass
        write(path, counts)


if sys.argv[1] == "send":
    send(int(sys.argv[2]), sys.argv[3])
else:
    count(sys.argv[2], sys.argv[3:])
