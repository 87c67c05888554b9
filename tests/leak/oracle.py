"""The judges: everything that is seen on the clear side is judged.

clear    the far end of the external interface: allowed are Tor's TCP to its
         relays, and ARP and neighbour discovery of one form each
inside   the workstation's end: nothing from outside, nothing held back
stack    raw sockets on the gateway: what its own programs would get
through  the exits' loopback: what Tor carried
"""
import contextlib
import dataclasses
import select
import socket
import struct
import threading
import time

import frames as f
from classes import ARP_INNER, ARP_OUTER
from place import (EXT4, EXT6, GW4, GW6, LISTENERS, RELAYS, WEB4, WEB6, DNS4)
from sources import FIRST_PORT, PORTS

SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_AUXDATA = 1, 6, 8
PACKET_IGNORE_OUTGOING, PACKET_MR_PROMISC = 23, 1
ETH_P_ALL = 3
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
TP_STATUS_VLAN_VALID = 1 << 4
BUFFER = 64 << 20
TOR_PORTS = range(32768, 61000)  # ip_local_port_range of a new namespace
ICMP_ERRORS, ICMP6_ERRORS = (3, 11, 12), (1, 2, 3, 4)
STACK4 = (1, 2, 4, 6, 17, 33, 41, 47, 50, 51, 103, 132, 136, 253)
STACK6 = (2, 4, 6, 17, 33, 41, 47, 50, 51, 58, 103, 132, 136, 253)


@dataclasses.dataclass
class Sight:
    """Something that one of the captures saw."""
    when: float
    where: str
    data: bytes
    to: tuple = ()  # stack: protocol, destination, source


def stamp(ancillary):
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, ns = struct.unpack("=qq", data[:16])
            return seconds + ns / 1e9
    return time.time()


def with_vlan(data, ancillary):
    """The tag that the kernel took out of the frame, put back."""
    for level, kind, aux in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH",
                                                          aux[:20])
            if status & TP_STATUS_VLAN_VALID:
                return data[:12] + struct.pack("!HH", tpid or f.TYPE_VLAN,
                                               tci) + data[12:]
    return data


class Capture(threading.Thread):
    """Every frame and packet that arrives, until stop()."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.sights, self.lock = [], threading.Lock()
        self.frames, self.raws = {}, {}
        self.ended, self.broken = False, None
        self.seen = {}
        for where, side, iface in (
                ("clear", place.internet, "inet0"),
                ("through", place.internet, "lo"),
                ("inside", place.workstation, "eth0")):
            self.frames[self._packet(side, iface)] = where
        for family, protos in ((socket.AF_INET, STACK4),
                               (socket.AF_INET6, STACK6)):
            for proto in protos:
                self.raws[self._raw(place.gateway, family, proto)] = \
                    (family, proto)

    @staticmethod
    def _packet(side, iface):
        with side.inside():
            # Protocol 0 until all is set: no frame before.
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack(
                "=IHH8s", socket.if_nametoindex(iface), PACKET_MR_PROMISC, 0,
                b""))
            sock.bind((iface, ETH_P_ALL))
        sock.setblocking(False)
        return sock

    @staticmethod
    def _raw(side, family, proto):
        sock = side.socket(family, socket.SOCK_RAW, proto)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        sock.setblocking(False)
        return sock

    def run(self):
        poll = select.poll()
        by_fd = {}
        for sock in list(self.frames) + list(self.raws):
            poll.register(sock, select.POLLIN)
            by_fd[sock.fileno()] = sock
        try:
            while not self.ended:
                for fd, _ in poll.poll(100):
                    self._drain(by_fd[fd])
        except Exception as error:  # a blind judge must not be believed
            self.broken = error

    def _drain(self, sock):
        taken = []
        with contextlib.suppress(BlockingIOError):
            for _ in range(256):
                try:
                    data, ancillary, _, peer = sock.recvmsg(65600, 512)
                except OSError as error:
                    if isinstance(error, BlockingIOError):
                        raise
                    break  # the link is down: reported once, then it goes on
                if sock in self.frames:
                    taken.append(Sight(stamp(ancillary), self.frames[sock],
                                       with_vlan(data, ancillary)))
                else:
                    taken.append(self._stack(sock, data, ancillary, peer))
        with self.lock:
            self.sights += taken

    def _stack(self, sock, data, ancillary, peer):
        family, proto = self.raws[sock]
        to = f.ntop(data[16:20]) if family == socket.AF_INET else ""
        for level, kind, value in ancillary:
            if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                to = f.ntop(value[:16])
        return Sight(stamp(ancillary), "stack", data,
                     (proto, to, peer[0].partition("%")[0]))

    def take(self):
        """What was seen since the last call."""
        if self.broken:
            raise RuntimeError("the capture broke: %r" % self.broken)
        with self.lock:
            sights, self.sights = self.sights, []
        for sight in sights:
            self.seen[sight.where] = self.seen.get(sight.where, 0) + 1
        return sorted(sights, key=lambda s: s.when)

    def dropped(self):
        """Frames that the captures did not get, since the last call."""
        return sum(struct.unpack("=II", s.getsockopt(
            SOL_PACKET, PACKET_STATISTICS, 8))[1] for s in self.frames)

    def stop(self):
        self.ended = True
        self.join()


# --- what is allowed on the clear side ------------------------------------

class ClearSide:
    """The allow-list.  why_not() names what is wrong with a frame."""

    def __init__(self, place):
        self.mac = place.mac_ext
        self.ext4, self.ext6 = {EXT4}, {EXT6}
        self.link_local = place.ll_ext

    def why_not(self, frame):
        if len(frame) < 14:
            return "cut frame"
        kind = struct.unpack_from("!H", frame, 12)[0]
        if frame[6:12] != self.mac:
            return "another sender's MAC address"
        if kind == f.TYPE_ARP:
            return self._arp(frame[14:], frame[:6])
        if kind == f.TYPE4:
            return self._ip4(frame[14:])
        if kind == f.TYPE6:
            return self._ip6(frame[14:])
        return "Ethernet type 0x%04x" % kind

    def _arp(self, body, to):
        if len(body) < 28 or body[28:].strip(b"\0"):
            return "ARP of odd length"
        head, op, sha, spa, tha, tpa = struct.unpack("!6sH6s4s6s4s",
                                                     body[:28])
        if head != struct.pack("!HHBB", 1, f.TYPE4, 6, 4) or sha != self.mac:
            return "ARP of odd form"
        if f.ntop(spa) not in self.ext4:
            return "ARP from %s" % f.ntop(spa)
        if tpa[:3] != f.pton(EXT4)[:3]:
            return "ARP for %s" % f.ntop(tpa)
        if op == 1 and tha == b"\0" * 6:
            return None
        if op == 2 and to == tha:
            return None
        return "ARP of odd operation"

    def _ip4(self, body):
        if len(body) < 40:
            return "IPv4, short"
        size, frag = struct.unpack_from("!2xH2xH", body)
        proto, src, dst = body[9], f.ntop(body[12:16]), f.ntop(body[16:20])
        if body[0] != 0x45 or size > len(body) or frag & 0xbfff:
            return "IPv4 with options or in fragments"
        if proto != f.TCP:
            return "IPv4 protocol %d from %s to %s" % (proto, src, dst)
        sport, dport = struct.unpack_from("!HH", body, 20)
        if src not in self.ext4 or (dst, dport) not in RELAYS or \
                sport not in TOR_PORTS:
            return "TCP from %s:%d to %s:%d" % (src, sport, dst, dport)
        return None

    def _ip6(self, body):
        if len(body) < 44:
            return "IPv6, short"
        src, dst = f.ntop(body[8:24]), f.ntop(body[24:40])
        if body[6] != f.ICMP6:
            return "IPv6 next header %d from %s to %s" % (body[6], src, dst)
        kind, code = body[40:42]
        if body[7] != 255 or code != 0:
            return "ICMPv6 type %d code %d" % (kind, code)
        own = {"::", self.link_local} | self.ext6
        if src not in own:
            return "ICMPv6 type %d from %s" % (kind, src)
        return self._neighbour(kind, body[40:], own)

    @staticmethod
    def _neighbour(kind, message, own):
        """One link-layer address as the only option, or none."""
        fixed = {133: 8, 135: 24, 136: 24}.get(kind)
        if fixed is None:
            return "ICMPv6 type %d" % kind
        option = message[fixed:]
        if len(message) < fixed or (option and (
                len(option) != 8 or option[1] != 1 or option[0] not in
                (1, 2))):
            return "ICMPv6 type %d of odd form" % kind
        if kind == 136 and f.ntop(message[8:24]) not in own:
            return "neighbour advertisement of an address not its own"
        return None


# --- from a sight to a cell ------------------------------------------------

def l4_ports(data, at):
    """The ports at the packet that begins at AT, and behind it if quoted."""
    with contextlib.suppress(struct.error, IndexError):
        if data[at] >> 4 == 4:
            proto, end = data[at + 9], at + (data[at] & 15) * 4
        elif data[at] >> 4 == 6:
            proto, end = data[at + 6], at + 40
        else:
            return ()
        if proto in (f.TCP, f.UDP):
            return struct.unpack_from("!HH", data, end)
        if proto in (f.ICMP, f.ICMP6):
            return l4_ports(data, end + 8)
    return ()


def stack_ports(sight):
    """An IPv6 raw socket gives no IP header."""
    at = 0 if ":" in sight.to[1] else (sight.data[0] & 15) * 4
    if len(sight.data) < at + 4:
        return ()
    return struct.unpack_from("!HH", sight.data, at)


class Judge:
    def __init__(self, place, ledger, classes):
        self.ledger, self.clear = ledger, ClearSide(place)
        self.source = {c.name: c.source for c in classes}
        self.own = {GW4, GW6, place.ll_int}
        self.arps = {("clear", f.pton(GW4)): ARP_INNER,
                     ("inside", f.pton(EXT4)): ARP_OUTER}

    def probe_of(self, sight):
        """The number of the probe that SIGHT shows, or None."""
        number = self.ledger.find_token(sight.data)
        if number is not None or sight.where == "through":
            return number
        if sight.where != "stack" and sight.data[12:14] == b"\x08\x06":
            return self.ledger.newest.get(self.arps.get(
                (sight.where, sight.data[28:32])))
        if sight.where == "stack":
            # What is behind another protocol's header is no port; and what
            # goes to a probe's port is the gateway's own answer, over lo.
            ports = stack_ports(sight)[:1] if sight.to[0] in (
                f.TCP, f.UDP) else ()
        else:
            ports = l4_ports(sight.data, 14)
        for port in ports:
            if FIRST_PORT <= port < FIRST_PORT + PORTS and \
                    port in self.ledger.by_port:
                return self.ledger.by_port[port]
        return None

    def why(self, sight, number):
        """Why SIGHT is nothing that a closed gate shows; None: it may be."""
        if sight.where == "clear":
            if number is not None and self.ledger.find_token(sight.data) \
                    is not None:
                return "token on the clear side"
            return self.clear.why_not(sight.data)
        if sight.where == "inside":
            return self._inside(sight.data, number)
        if number is None:
            return None
        source = self.source[self.ledger.sent[number][0]]
        if sight.where == "stack":
            if source in ("workstation", "outside", "client") and \
                    not self._own_error(sight, source):
                return "reached the gateway's stack: protocol %d to %s " \
                    "from %s" % sight.to
            return None
        return "carried by Tor"

    def _own_error(self, sight, source):
        """An ICMP error from the gateway to itself: it quotes a probe."""
        proto, to, src = sight.to
        own = self.clear.ext4 | self.clear.ext6 | self.own | {"127.0.0.1"}
        # An error about what was redirected bears the address asked for.
        if source == "workstation":
            src = to
        if not {to, src} <= own or len(sight.data) <= 48:
            return False
        # Behind ICMP's header: the source of the packet that it quotes.
        if proto == f.ICMP:
            return sight.data[20] in ICMP_ERRORS and \
                f.ntop(sight.data[40:44]) in own
        return proto == f.ICMP6 and sight.data[0] in ICMP6_ERRORS and \
            f.ntop(sight.data[16:32]) in own

    def _inside(self, frame, number):
        kind = struct.unpack_from("!H", frame, 12)[0]
        if kind == f.TYPE_ARP:
            sender = f.ntop(frame[28:32])
            return None if sender in self.own else "ARP from " + sender
        # Every frame from outside carries its token: a port alone may be
        # that of an answer which comes late.
        if number is not None:
            source = self.source[self.ledger.sent[number][0]]
            if source == "outside" and self.ledger.find_token(frame) \
                    is not None:
                return "reached the workstation"
            return None
        if kind == f.TYPE4:
            src = f.ntop(frame[26:30])
            dport = struct.unpack_from("!H", frame, 36)[0]
            proto, ok = frame[23], self.own | {WEB4, DNS4}
        elif kind == f.TYPE6:
            src = f.ntop(frame[22:38])
            dport = struct.unpack_from("!H", frame, 56)[0]
            proto, ok = frame[20], self.own | {WEB6}
        else:
            return "Ethernet type 0x%04x inside" % kind
        if proto == f.TCP and dport == self.ledger.down_port:
            flags = frame[47]
            return None if flags & f.RST else "a held flow's answer"
        return None if src in ok else "a stranger inside: " + src

    @staticmethod
    def to_listener(sight):
        """Whether what reached the stack was for a Tor listener."""
        proto, address, _ = sight.to
        ports = stack_ports(sight)
        return proto in (f.TCP, f.UDP) and ports != () and (
            "tcp" if proto == f.TCP else "udp", address, ports[1]) in \
            LISTENERS
