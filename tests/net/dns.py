"""The internet's DNS server: dns.py ADDRESS NAME IPV4 IPV6

NAME and every name below it have A IPV4 and AAAA IPV6; "v4only." and
"v6only." below it have just one.  All else does not exist.  UDP, port 53.
One line per question on stdout: asker, type, name.
"""
import socket
import struct
import sys

A, AAAA = 1, 28
TTL = 60
NXDOMAIN = 3
RESPONSE = 0x8400  # QR, AA
QR = 0x8000


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


def records(name, kind, zone, address4, address6):
    """None: no such name; else the list of (type, octets)."""
    if name != zone and not name.endswith("." + zone):
        return None
    if kind == A and not name.startswith("v6only."):
        return [(A, socket.inet_pton(socket.AF_INET, address4))]
    if kind == AAAA and not name.startswith("v4only."):
        return [(AAAA, socket.inet_pton(socket.AF_INET6, address6))]
    return []


def answer(packet, zone, address4, address6):
    ident, flags, count = struct.unpack_from("!HHH", packet)
    if flags & QR or count != 1:  # never answer an answer
        raise ValueError("not a question")
    name, kind, end = question(packet)
    found = records(name, kind, zone, address4, address6)
    code = NXDOMAIN if found is None else 0
    found = found or []
    reply = struct.pack("!HHHHHH", ident, RESPONSE | (flags & 0x0100) | code,
                        1, len(found), 0, 0) + packet[12:end]
    for rtype, data in found:
        reply += struct.pack("!HHHIH", 0xc00c, rtype, 1, TTL, len(data))
        reply += data
    return name, kind, reply


def main(address, *zone):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    print("ready", flush=True)
    while True:
        packet, peer = sock.recvfrom(4096)
        try:
            name, kind, reply = answer(packet, *zone)
        except (ValueError, IndexError, struct.error):
            print(peer[0], "malformed", flush=True)
            continue
        print(peer[0], kind, name, flush=True)
        sock.sendto(reply, peer)


if __name__ == "__main__":
    main(*sys.argv[1:])
