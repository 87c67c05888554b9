"""Sits on ports and tells who comes: decoy.py [--lurk] PROTO:ADDRESS:PORT...

An IPv6 address stands in brackets; [::] takes both families.
--lurk waits for ports that somebody has to become free, and prints "lurks"
while it does.

Prints "ready", then "got PROTO PEER" for each connection or datagram.
"""
import selectors
import socket
import sys
import time


def bind(spec):
    proto, place = spec.split(":", 1)
    address, port = place.rsplit(":", 1)
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    family = socket.AF_INET6 if "[" in address else socket.AF_INET
    sock = socket.socket(family, kind)
    if proto == "tcp":  # connections of its last owner are no hindrance
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address.strip("[]"), int(port)))
    if proto == "tcp":
        sock.listen(16)
    return proto, sock


def lurk(spec):
    print("lurks", flush=True)
    while True:
        try:
            return bind(spec)
        except OSError:
            time.sleep(0.0002)


def meet(proto, sock):
    if proto == "tcp":
        link, peer = sock.accept()
        link.close()
    else:
        _, peer = sock.recvfrom(2048)
    print("got", proto, peer, flush=True)


def main(specs):
    selector = selectors.DefaultSelector()
    take = bind
    if specs[0] == "--lurk":
        take = lurk
        specs = specs[1:]
    for spec in specs:
        proto, sock = take(spec)
        selector.register(sock, selectors.EVENT_READ, proto)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            meet(key.data, key.fileobj)


main(sys.argv[1:])
