"""Knocks on TCP ports: knock.py [--every MS] ADDRESS:PORT...

A knock is a connection that is reset at once; it has WAIT seconds.  Each
one prints "ok ADDRESS:PORT" or "no ADDRESS:PORT WHY".  --every goes on until
it is ended; without it all are knocked on once, and it exits with 0 if all
opened.
"""
import errno
import selectors
import socket
import struct
import sys
import time

WAIT = 0.7
AT_ONCE = 64
RESET = struct.pack("ii", 1, 0)  # no TIME_WAIT left behind


class Knocker:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.open = {}
        self.refused = 0

    def tell(self, sock, where, error):
        self.selector.unregister(sock)
        del self.open[sock]
        sock.close()
        if error == 0:
            print("ok", where, flush=True)
            return
        self.refused += 1
        print("no", where, errno.errorcode.get(error, error), flush=True)

    def knock(self, where):
        host, port = where.rsplit(":", 1)
        host = host.strip("[]")
        sock = socket.socket(socket.AF_INET6 if ":" in host else
                             socket.AF_INET)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.selector.register(sock, selectors.EVENT_WRITE, where)
        self.open[sock] = time.monotonic() + WAIT
        error = sock.connect_ex((host, int(port)))
        if error not in (0, errno.EINPROGRESS):
            self.tell(sock, where, error)

    def turn(self, limit):
        for key, _ in self.selector.select(limit):
            sock = key.fileobj
            self.tell(sock, key.data,
                      sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        now = time.monotonic()
        for sock, end in list(self.open.items()):
            if now >= end:
                where = self.selector.get_key(sock).data
                self.tell(sock, where, errno.ETIMEDOUT)


def forever(knocker, pause, places):
    due = time.monotonic()
    while True:
        knocker.turn(max(0, due - time.monotonic()))
        if time.monotonic() >= due:
            for where in places:
                knocker.knock(where)
            due = max(due + pause, time.monotonic())


def once(knocker, places):
    places = list(places)
    while places or knocker.open:
        while places and len(knocker.open) < AT_ONCE:
            knocker.knock(places.pop())
        knocker.turn(0.1)
    return 1 if knocker.refused else 0


def main(args):
    if args[0] == "--every":
        forever(Knocker(), int(args[1]) / 1000, args[2:])
    return once(Knocker(), args)


sys.exit(main(sys.argv[1:]))
