#!/usr/bin/python3
"""Packet sockets at interfaces that come and go, for gate_netdev.sh.

fire IFACE TOKEN [N]  frames with TOKEN without end, or N, as soon and as long
                      as there is such an interface; at the end prints how
                      many were handed to the kernel
count TOKEN...        whatever comes by on any interface, those to come too;
                      at the end prints how many there were of each TOKEN

Both end with SIGTERM.
"""
import signal
import socket
import sys
import time

ETH_P_ALL = 3
PAUSE = 0.0005
# To everybody, from nobody we know: IPv4, UDP, to 192.0.2.1.
FRAME = bytes.fromhex("ffffffffffff0200000000010800"
                      "4500003800010000401100000000000ac0000201"
                      "1000100000240000")


class Ended(Exception):
    pass


def end(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Ended


def fire(iface, token, most=None):
    frame = FRAME + token.encode().ljust(28)
    sent = 0
    s = None
    try:
        while sent != most:
            time.sleep(PAUSE)
            try:
                if s is None:
                    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                    s.bind((iface, 0))
                s.send(frame)
            except OSError as e:
                # Not there (any more), or down; ENOBUFS is a filter's drop.
                if e.errno != 105:
                    s.close()
                    s = None
                    continue
            sent += 1
    except Ended:
        pass
    print(sent)


def count(tokens):
    seen = dict.fromkeys(tokens, 0)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                      socket.htons(ETH_P_ALL))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    print("ready", flush=True)
    try:
        while True:
            frame = s.recv(256)
            for token in tokens:
                if token.encode() in frame:
                    seen[token] += 1
    except Ended:
        print(" ".join(str(seen[t]) for t in tokens))


signal.signal(signal.SIGTERM, end)
if sys.argv[1] == "fire":
    fire(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))
else:
    count(sys.argv[2:])
