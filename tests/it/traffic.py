#!/usr/bin/python3
"""Echo servers and questions to them, for the gate's namespace tests.

The first word is the user to be, by number: 0 stays root.

serve [udp:]ADDR:PORT...   answer until killed; prints "ready"
ask [udp:]ADDR:PORT        exit 0 if an echo came back within half a second
stream ADDR:PORT           echo without pause; prints the seconds since the
                           epoch of each 10 ms in which an echo came back
spoof SPORT DPORT          one datagram over loopback; prints ok or an errno
"""
import os
import selectors
import socket
import sys
import time

WAIT = 0.5


def split(spec):
    udp = spec.startswith("udp:")
    host, port = (spec[4:] if udp else spec).rsplit(":", 1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    return family, kind, (host, int(port))


def serve(specs):
    sel = selectors.DefaultSelector()
    for spec in specs:
        family, kind, addr = split(spec)
        s = socket.socket(family, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(addr)
        if kind == socket.SOCK_STREAM:
            s.listen(16)
            sel.register(s, selectors.EVENT_READ, "accept")
        else:
            sel.register(s, selectors.EVENT_READ, "udp")
    print("ready", flush=True)
    while True:
        for key, _ in sel.select():
            s = key.fileobj
            try:
                if key.data == "accept":
                    c, _ = s.accept()
                    sel.register(c, selectors.EVENT_READ, "tcp")
                elif key.data == "udp":
                    data, peer = s.recvfrom(2048)
                    s.sendto(data, peer)
                else:
                    data = s.recv(2048)
                    if data:
                        s.send(data)
                    else:
                        sel.unregister(s)
                        s.close()
            except OSError:
                if key.data == "tcp":
                    sel.unregister(s)
                    s.close()


def ask(spec):
    family, kind, addr = split(spec)
    s = socket.socket(family, kind)
    s.settimeout(WAIT)
    try:
        s.connect(addr)
        s.send(b"echo")
        return 0 if s.recv(16) == b"echo" else 1
    except OSError:
        return 1


def stream(spec):
    family, kind, addr = split(spec)
    s = socket.socket(family, kind)
    s.settimeout(WAIT)
    s.connect(addr)
    if kind == socket.SOCK_STREAM:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(10)
    last = 0
    while True:
        s.send(b"x")
        try:
            if not s.recv(64):
                return 0
        except socket.timeout:
            return 0
        now = time.time()
        if now - last >= 0.01:
            print("%.3f" % now, flush=True)
            last = now
        time.sleep(0.002)


def spoof(sport, dport):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if sport:
            s.bind(("127.0.0.2", sport))
        s.sendto(b"", ("127.0.0.1", dport))
        print("ok")
    except OSError as e:
        print(os.strerror(e.errno))
    return 0


def main(argv):
    uid = int(argv.pop(0))
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if argv[0] == "serve":
        return serve(argv[1:])
    if argv[0] == "ask":
        return ask(argv[1])
    if argv[0] == "stream":
        return stream(argv[1])
    return spoof(*map(int, argv[1:3]))


sys.exit(main(sys.argv[1:]))
