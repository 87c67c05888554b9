"""Sits on ports and tells who comes: decoy.py PROTO:ADDRESS:PORT...

Prints "ready", then "got PROTO PEER" for each connection or datagram.
"""
import selectors
import socket
import sys


def bind(spec):
    proto, address, port = spec.split(":")
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    sock = socket.socket(socket.AF_INET, kind)
    sock.bind((address, int(port)))
    if proto == "tcp":
        sock.listen(16)
    return proto, sock


def meet(proto, sock):
    if proto == "tcp":
        link, peer = sock.accept()
        link.close()
    else:
        _, peer = sock.recvfrom(2048)
    print("got", proto, peer, flush=True)


def main(specs):
    selector = selectors.DefaultSelector()
    for spec in specs:
        proto, sock = bind(spec)
        selector.register(sock, selectors.EVENT_READ, proto)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            meet(key.data, key.fileobj)


main(sys.argv[1:])
