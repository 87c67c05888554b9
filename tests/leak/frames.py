"""Ethernet frames by hand: what no socket would send, a leak test must."""
import socket
import struct

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
ICMP, IGMP, TCP, UDP, ICMP6 = 1, 2, 6, 17, 58
HBH, ROUTING, FRAGMENT, DSTOPTS, NONE6 = 0, 43, 44, 60, 59
TYPE4, TYPE6, TYPE_ARP, TYPE_VLAN, TYPE_QINQ = (0x0800, 0x86dd, 0x0806,
                                                0x8100, 0x88a8)
MORE = 0x2000  # more fragments
BROADCAST = b"\xff" * 6


def pton(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def ntop(octets):
    return socket.inet_ntop(socket.AF_INET if len(octets) == 4 else
                            socket.AF_INET6, octets)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def with_sum(src, dst, proto, l4, at):
    """L4 with the checksum over it and its pseudo header, at offset AT."""
    pseudo = pton(src) + pton(dst) + struct.pack("!II", len(l4), proto)
    value = checksum(pseudo + l4)
    if value == 0 and proto == UDP:
        value = 0xffff
    return l4[:at] + struct.pack("!H", value) + l4[at + 2:]


def tcp(src, dst, sport, dport, flags, seq, payload=b"", ack=0):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags,
                       8192, 0, 0)
    return with_sum(src, dst, TCP, head + payload, 16)


def udp(src, dst, sport, dport, payload):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    return with_sum(src, dst, UDP, head + payload, 6)


def icmp4(kind, code, rest, payload):
    body = struct.pack("!BBH4s", kind, code, 0, rest) + payload
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def icmp6(src, dst, kind, code, rest, payload):
    body = struct.pack("!BBH4s", kind, code, 0, rest) + payload
    return with_sum(src, dst, ICMP6, body, 2)


def ip4(src, dst, proto, payload, ttl=64, ident=0, frag=0, options=b""):
    options += b"\0" * (-len(options) % 4)
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH4s4s", 4 << 4 | size // 4, 0,
                       size + len(payload), ident, frag, ttl, proto, 0,
                       pton(src), pton(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(src, dst, proto, payload, hops=64):
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), proto, hops,
                       pton(src), pton(dst)) + payload


def extension(following, body):
    """An IPv6 extension header of options BODY, padded to eight octets."""
    room = -(len(body) + 2) % 8
    pad = b"\0" if room == 1 else \
        b"\1" + bytes([room - 2]) + b"\0" * (room - 2) if room else b""
    whole = body + pad
    return bytes([following, (len(whole) + 2) // 8 - 1]) + whole


def fragment6(following, offset, more, ident):
    return struct.pack("!BBHI", following, 0, offset | more, ident)


def eth(dst, src, kind, payload):
    return dst + src + struct.pack("!H", kind) + payload


def vlan(tag, kind, inner):
    """A VLAN header before what has the Ethernet type KIND."""
    return struct.pack("!HH", tag, kind) + inner


def llc(payload):
    """An IEEE 802.2 frame's body: the length stands for a type."""
    return b"\x42\x42\x03" + payload


def arp(op, sender_mac, sender, target_mac, target, padding=b""):
    return struct.pack("!HHBBH6s4s6s4s", 1, TYPE4, 6, 4, op, sender_mac,
                       pton(sender), target_mac, pton(target)) + padding
