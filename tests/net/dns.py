"""The internet's DNS server: dns.py ADDRESS NAME IPV4 IPV6 BOOK [CERT KEY]

NAME and every name below it have A IPV4 and AAAA IPV6; "v4only." and
"v6only." below it have just one.  What the file BOOK says counts first; it
is read again for each question.  A line of it:

  NAME WAY [ADDRESS...]

WAY is "ok", "nxdomain", "servfail", "refused", "silent", "slow:SECONDS",
"cname:NAME" (the addresses are that one's), "short" (by UDP only that the
answer is too long for it) or "garbage".  NAME "*" is every name that has no
line of its own and is not NAME's.  All else does not exist.

UDP and TCP port 53; with CERT and KEY also TLS, port 853.  One line per
question on stdout: asker, type, name, "udp", "tcp" or "tls", WAY.
"""
import ipaddress
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time

A, CNAME, AAAA = 1, 5, 28
TTL = 30    # the shortest that our resolver takes at its word
CODE = {"servfail": 2, "nxdomain": 3, "refused": 5}
RESPONSE = 0x8480  # QR, AA, RA
TC = 0x0200
QR = 0x8000
MALFORMED = (ValueError, IndexError, struct.error)


def question(packet):
    """Name, type and end of the first question."""
    labels, at = [], 12
    while packet[at] != 0:
        size = packet[at]
        if size > 63:
            raise ValueError("compressed question")
        labels.append(packet[at + 1:at + 1 + size].decode("ascii"))
        at += 1 + size
    kind, _ = struct.unpack_from("!HH", packet, at + 1)
    return ".".join(labels).lower(), kind, at + 5


def wire(name):
    """A name as DNS has it."""
    return b"".join(bytes([len(part)]) + part.encode("ascii")
                    for part in name.split(".")) + b"\0"


class World:
    """What there is to know: the zone and the book."""

    def __init__(self, zone, address4, address6, book):
        self.zone, self.book = zone, book
        self.address4, self.address6 = address4, address6

    def way(self, name):
        """(way, addresses) of a name."""
        lines = {}
        with open(self.book, encoding="ascii") as file:
            for line in file:
                words = line.split()
                if words:
                    lines[words[0]] = words[1], words[2:]
        if name in lines:
            return lines[name]
        if name == self.zone or name.endswith("." + self.zone):
            both = {"v4only": [self.address4], "v6only": [self.address6]}
            return "ok", both.get(name.split(".")[0],
                                  [self.address4, self.address6])
        return lines.get("*", ("nxdomain", []))


def records(kind, way, addresses):
    """The answer section: a list of (owner, type, octets)."""
    found, owner = [], b"\xc0\x0c"
    if way.startswith("cname:"):
        target = wire(way.split(":")[1])
        found, owner = [(owner, CNAME, target)], target
    for text in addresses:
        address = ipaddress.ip_address(text)
        if kind == (A if address.version == 4 else AAAA):
            found.append((owner, kind, address.packed))
    return found


def answer(world, packet, proto, peer):
    """(seconds to wait, reply); no reply at all is None."""
    ident, flags, count = struct.unpack_from("!HHH", packet)
    if flags & QR or count != 1:  # never answer an answer
        raise ValueError("not a question")
    name, kind, end = question(packet)
    way, addresses = world.way(name)
    print(peer, kind, name, proto, way, flush=True)
    if way == "silent":
        return 0, None
    if way == "garbage":
        return 0, packet[:2] + b"\x84\x00\xff\xff" * 3
    found = records(kind, way, addresses)
    bits = RESPONSE | (flags & 0x0100) | CODE.get(way, 0)
    if way == "short" and proto == "udp":
        bits, found = bits | TC, []
    if way in CODE:
        found = []
    reply = struct.pack("!HHHHHH", ident, bits, 1, len(found), 0,
                        0) + packet[12:end]
    for owner, rtype, data in found:
        reply += owner + struct.pack("!HHIH", rtype, 1, TTL, len(data)) + data
    late = way.split(":")[1] if way.startswith("slow:") else 0
    return float(late), reply


def serve_udp(world, address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    print("ready", flush=True)
    while True:
        packet, peer = sock.recvfrom(4096)
        try:
            late, reply = answer(world, packet, "udp", peer[0])
        except MALFORMED:
            print(peer[0], "malformed", flush=True)
            continue
        if reply is None:
            continue
        timer = threading.Timer(late, sock.sendto, (reply, peer))
        timer.daemon = True
        timer.start()


class Stream(socketserver.BaseRequestHandler):
    """A TCP connection: each message has its length before it."""

    def setup(self):
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(
                self.request, server_side=True)

    def handle(self):
        proto = "tcp" if self.server.tls is None else "tls"
        with self.request.makefile("rb") as stream:
            while True:
                head = stream.read(2)
                if len(head) < 2:
                    return
                packet = stream.read(struct.unpack("!H", head)[0])
                late, reply = answer(self.server.world, packet, proto,
                                     self.client_address[0])
                time.sleep(late)
                if reply is not None:
                    self.request.sendall(struct.pack("!H", len(reply)) +
                                         reply)


class Streams(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    tls = None

    def handle_error(self, request, client_address):
        print(client_address[0], "broken:", sys.exc_info()[1], flush=True)


def serve_tcp(world, address, port, tls):
    server = Streams((address, port), Stream)
    server.world, server.tls = world, tls
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main(address, zone, address4, address6, book, *pair):
    world = World(zone, address4, address6, book)
    serve_tcp(world, address, 53, None)
    if pair:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*pair)
        serve_tcp(world, address, 853, tls)
    serve_udp(world, address)


if __name__ == "__main__":
    main(*sys.argv[1:])
