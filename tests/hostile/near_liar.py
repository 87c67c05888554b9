#!/usr/bin/env python3
"""A process with some uid that wants what is Tor's: near_liar.py UID JOB...

  bind tcp|udp ADDRESS PORT [OPTION...]   take a port; options: reuseaddr,
      reuseport, device:NAME, connect:ADDRESS (from there only); prints
      "bound" or "refused REASON", then "got PEER" of each who comes
  raw tcp|packet        open such a socket: "opened" or "refused REASON"
  control PATH          connect there: "connected" or "refused REASON"
  send ADDRESS PORT     a datagram: "sent" or "refused REASON"
  signal NAME PID       send it that
"""
import os
import signal
import socket
import sys


def say(*words):
    print(*words, flush=True)


def bind(proto, address, port, *options):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    s = socket.socket(family, kind)
    for option in options:
        name, _, value = option.partition(":")
        if name == "reuseaddr":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif name == "reuseport":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        elif name == "device":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                         value.encode())
    s.bind((address, int(port)))
    for option in options:
        name, _, value = option.partition(":")
        if name == "connect":
            s.connect((value, 40000))
    if proto == "tcp":
        s.listen(16)
    say("bound")
    while True:
        if proto == "tcp":
            link, peer = s.accept()
            link.close()
        else:
            peer = s.recvfrom(2048)[1]
        say("got", peer)


def raw(kind):
    if kind == "tcp":
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    else:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    say("opened")


def control(path):
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect(path)
    say("connected")


def send(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"?", (address, int(port)))
    say("sent")


def kill(name, pid):
    os.kill(int(pid), getattr(signal, "SIG" + name))
    say("sent")


def main():
    uid = int(sys.argv[1])
    if uid != 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    jobs = {"bind": bind, "raw": raw, "control": control, "send": send,
            "signal": kill}
    try:
        jobs[sys.argv[2]](*sys.argv[3:])
    except OSError as e:
        say("refused", e.strerror)


main()
