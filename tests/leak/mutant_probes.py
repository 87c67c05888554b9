"""What is sent past a mutant, in one run for each position."""
import errno
import socket
import struct
import time

import frames as f
from mutant_city import FAR4, FAR6, IGMP, LINKS
from place import conntrack_add

TOR, GATE, ENGINE, STATUS = 4300, 4242, 4243, 4244
CLEAR, NTP, CLOCK, NOBODY, ROOT = 4400, 4401, 4402, 65534, 0
RESOLVER, STUB_PORT, LOCAL_DNS = 4245, 5453, "127.0.0.53"
BOTH_MARKS, GATE_MARK, EGRESS_MARK = 0x60000000, 0x40000000, 0x20000000
CT_TOR, CT_LOOKUP = 0x10000000, 0x08000000
SO_MARK = 36
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
TIMERS = 0.95   # a SYN without an answer is sent again after a second
PART = 150      # so many probes are sent long before
ORPHAN_SEQ = 1 << 20    # what either end says next
REPAIR_DONE, RECEIVED, SENT = -1, 1, 2  # done, and no probe of the window
GW4, GW6, WS4, WS6 = "10.152.152.10", "fd19::10", "10.152.152.50", "fd19::50"
EXT4, EXT6, OUT4, OUT6 = ("192.0.2.10", "2001:db8::10", "192.0.2.1",
                          "2001:db8::1")
TUN4, PEER4 = "198.51.100.10", "198.51.100.1"
TUN6, PEER6 = "2001:db8:7::10", "2001:db8:7::1"
VIF4 = "10.137.0.1"
ODD4, ODD6 = ("10.99.0.10", "10.99.0.50"), ("fd99::10", "fd99::50")
# The gateway's address, and another on the same link, by interface.
V6 = {"odd0": ODD6, "ws0": (GW6, WS6), "vif7": ("fd37::1", "fd37::50"),
      "ext0": (EXT6, OUT6), "tun0": (TUN6, PEER6)}
V4 = {"odd0": ODD4, "ws0": (GW4, WS4), "vif7": (VIF4, "10.137.0.50"),
      "ext0": (EXT4, OUT4), "tun0": (TUN4, PEER4)}
# What table "others" does to packets with such a TTL or hop limit.
LIAR_TTL, LATE_TTL, SHORT_TTL, UNTRACKED_TTL, REFUSED_TTL = range(99, 94, -1)
MOVED_PORT = 2222

# Where Tor's stand-in listens, and what else the gateway has.
TOR_TCP = [(a, p) for p in (9050, 9040, 9108) for a in (GW4, GW6)] + \
    [("127.0.0.1", p) for p in (9150, 9041, 9108)] + \
    [("::1", p) for p in (9150, 9041, 9108)]
TOR_UDP = [(GW4, 5300), (GW6, 5300), ("127.0.0.1", 5400), ("::1", 5400)]
ROOT_PORTS = (22, 9051, 9997, 9999)     # and nobody listens at 9998
ROOT_AT = (GW4, GW6, VIF4, EXT4, EXT6, TUN4, TUN6, "127.0.0.1", "::1")
OUT_TCP, OUT_UDP = (443, 9001, 123, 8005), (53, 123, 8005, 8012, 443)
OUT_AT = (OUT4, OUT6, PEER4, PEER6, FAR4, FAR6)


def ip(src, dst, proto, l4, hops=64):
    if ":" in dst:
        return f.ip6(src, dst, proto, l4, hops)
    return f.ip4(src, dst, proto, l4, hops)


def l4_of(proto, src, dst, sport, dport, token):
    if proto == f.TCP:
        return f.tcp(src, dst, sport, dport, f.ACK, 7, token, 9)
    return f.udp(src, dst, sport, dport, token)


def l4_tcp(src, dst, sport, dport):
    return lambda own, token: l4_of(f.TCP, src, dst, sport or own,
                                    dport or own, token)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def name_of(error):
    return errno.errorcode.get(error, str(error))


class Flow:
    """A socket of somebody who calls."""

    def __init__(self, n, sock, tcp):
        self.n, self.sock, self.tcp = n, sock, tcp
        self.up = False


class Servers:
    """Echoes everywhere; one process has them all."""

    def __init__(self, city):
        self.city, self.tcp, self.udp, self.taken = city, [], [], []
        for address, port in TOR_TCP:
            self._tcp("gw", TOR, address, port)
        for address, port in TOR_UDP:
            self._udp("gw", TOR, address, port)
        for address in ROOT_AT:
            for port in ROOT_PORTS:
                self._tcp("gw", ROOT, address, port)
                self._udp("gw", ROOT, address, port)
        for address in ("127.0.0.1", "::1"):
            self._tcp("gw", RESOLVER, address, STUB_PORT)
            self._udp("gw", RESOLVER, address, STUB_PORT)
        self._tcp("gw", ROOT, LOCAL_DNS, 53)
        self._udp("gw", ROOT, LOCAL_DNS, 53)
        for address in OUT_AT:
            for port in OUT_TCP:
                self._tcp("out", ROOT, address, port)
            for port in OUT_UDP:
                self._udp("out", ROOT, address, port)

    def _make(self, role, uid, address, port, kind):
        sock = self.city.user_socket(role, uid, family(address), kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((address, port))
        return sock

    def _tcp(self, role, uid, address, port):
        sock = self._make(role, uid, address, port, socket.SOCK_STREAM)
        sock.listen(512)
        self.tcp.append((sock, role))

    def _udp(self, role, uid, address, port):
        self.udp.append(self._make(role, uid, address, port,
                                   socket.SOCK_DGRAM))

    def serve(self):
        """Take whoever has called, and answer."""
        for sock, role in self.tcp:
            try:
                while True:
                    taken = sock.accept()[0]
                    taken.setblocking(False)
                    at_once(taken)
                    self.taken.append((taken, role))
            except OSError:
                pass
        for sock in self.udp:
            for _ in range(64):
                try:
                    data, peer = sock.recvfrom(2048)
                    sock.sendto(data, peer)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # the rules forbid the answer
        for sock, _ in self.taken:
            try:
                data = sock.recv(2048)
                if data:
                    sock.send(data)
            except OSError:
                pass

    def say(self, role):
        for sock, whose in self.taken:
            if whose == role:
                try:
                    sock.send(b"more")
                except OSError:
                    pass

    def hang_up(self, role):
        for sock, whose in self.taken:
            if whose == role:
                empty(sock)
                sock.close()
        self.taken = [t for t in self.taken if t[1] != role]

    def reset(self):
        for sock, _ in self.taken:
            abort(sock)
        self.taken = []


def at_once(sock):
    """Nothing waits for more."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def empty(sock):
    """Closed with something unread a socket would send a reset."""
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass


def abort(sock):
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()


class Run:
    """One position's packets; self.seen is what came of them."""

    def __init__(self, city, servers, probes):
        self.city, self.servers, self.probes = city, servers, probes
        self.flows, self.open, self.seen = {}, [], set()
        self.phase = ""
        self.called, self.hurried, self.hushed = {}, True, set()
        city.next_run()

    def see(self, n, text):
        self.seen.add((self.phase + self.probes[n].name, text))

    def collect(self):
        self.city.settle()
        for n, text in self.city.sights():
            if n < len(self.probes) and not self._belated(n, text):
                self.see(n, text)

    def _belated(self, n, text):
        """Of an earlier phase: sent again when a timer said so."""
        words = text.split()
        if n in self.hushed and "F" in words:
            return True     # a timer's, on kernels whose timers are short
        return self.phase != "" and ("S" in words or "SA" in words or
                                     n in self.hushed) or \
            self.phase == "error about " and "icmp" not in words

    # --- how probes send ---

    def frame(self, iface, packet, kind=None):
        """A frame from the far end of the gateway's IFACE."""
        there = LINKS[iface][1]
        kind = kind or (f.TYPE6 if packet[0] >> 4 == 6 else f.TYPE4)
        self.city.socks[there].send(f.eth(
            self.city.macs[iface], self.city.macs[there], kind, packet))

    def call(self, n, role, uid, to, port, tcp=True, **more):
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        sock = self.city.user_socket(role, uid, family(to), kind)
        sock.setblocking(False)
        self.open.append(sock)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if tcp:
                at_once(sock)
            if "iface" in more:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                                more["iface"].encode())
            if "mark" in more:
                sock.setsockopt(socket.SOL_SOCKET, SO_MARK, more["mark"])
            sock.bind((more.get("src", ""), more.get("sport",
                                                     self.city.base + n)))
            sock.connect((to, port))
        except BlockingIOError:
            pass
        except OSError as error:
            self.see(n, "connect: " + name_of(error.errno))
            return
        self.flows[n] = self.called[n] = Flow(n, sock, tcp)
        if not tcp:
            self._send(self.flows[n])

    def _send(self, flow):
        try:
            flow.sock.send(self.city.token(flow.n))
        except OSError as error:
            self.see(flow.n, "send: " + name_of(error.errno))

    def datagram(self, n, uid, to, port, iface):
        """To a neighbour, or all of them."""
        sock = self.city.user_socket("gw", uid, family(to),
                                     socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                            iface.encode())
            sock.bind(("", self.city.base + n))
            sock.sendto(self.city.token(n), (to, port))
        except OSError as error:
            self.see(n, "datagram: " + name_of(error.errno))
        finally:
            sock.close()

    def raw(self, n, uid, proto, to, packet, **more):
        """PACKET from a raw socket of UID; TTL or hop limit and a mark."""
        sock = self.city.user_socket("gw", uid, family(to), socket.SOCK_RAW,
                                     proto)
        six = ":" in to
        try:
            if "mark" in more:
                sock.setsockopt(socket.SOL_SOCKET, SO_MARK, more["mark"])
            if "hops" in more:
                sock.setsockopt(*((socket.IPPROTO_IPV6,
                                   socket.IPV6_UNICAST_HOPS) if six else
                                  (socket.IPPROTO_IP, socket.IP_TTL)),
                                more["hops"])
            if "iface" in more:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                                more["iface"].encode())
            if "src" in more:
                sock.bind((more["src"], 0))
            sock.sendto(packet, (to, 0))
        except OSError as error:
            self.see(n, "raw: " + name_of(error.errno))
        finally:
            sock.close()

    def packet(self, n, uid, iface, body, **more):
        """A packet socket's frame of UID, out of IFACE."""
        sock = self.city.packet_socket(uid)
        there = LINKS[iface][1]
        kind = more.get("kind") or (f.TYPE6 if body[0] >> 4 == 6 else
                                    f.TYPE4)
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_MARK, more.get("mark", 0))
            sock.sendto(f.eth(self.city.macs[there], self.city.macs[iface],
                              kind, body), (iface, more.get("said", kind)))
        except OSError as error:
            self.see(n, "packet: " + name_of(error.errno))

    def old(self, proto, src, dst, *more, **mark):
        """Conntrack knows this flow since before our rules."""
        conntrack_add(self.city.flows, proto, src, dst, *more, **mark)

    def join(self, n, here):
        """The kernel says, with no socket, what group we now are in."""
        group = bytes([239, self.city.run_number & 255, n >> 8, n & 255])
        sock = self.city.gw.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.open.append(sock)
        self.old(IGMP, here, "224.0.0.22", mark=EGRESS_MARK | CT_TOR |
                 CT_LOOKUP)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        group + f.pton(here))

    def orphan(self, n, uid, here, there):
        """A connection from HERE to THERE of UID's, that never was made, and
        is closed already: what it still says is nobody's."""
        sock = self.city.user_socket("gw", uid, family(here[0]),
                                     socket.SOCK_STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        for queue in (RECEIVED, SENT):
            sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
            sock.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, ORPHAN_SEQ)
        sock.bind(here)
        sock.connect(there)
        self.hushed.add(n)  # it repeats its FIN
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_DONE)
        sock.close()

    # --- the course of a run ---

    def first(self):
        """Everybody sends.  Who has had no answer by then does not ask again:
        that would be a second later, and whenever that is."""
        for at in range(0, len(self.probes), PART):
            begun = time.monotonic()
            for n, probe in enumerate(self.probes[at:at + PART], at):
                probe.send(self, n)
            self.city.settle()
            for n, flow in list(self.flows.items()):
                if n < at or not flow.tcp:
                    continue
                self._ask(flow)
                if not flow.up:
                    abort(self.flows.pop(n).sock)
            if time.monotonic() - begun > TIMERS:
                self.hurried = False
        self.collect()

    def _ask(self, flow):
        """How it stands with a caller's socket."""
        word = flow.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if word != 0:
            self.see(flow.n, "error: " + name_of(word))
        elif flow.tcp and not flow.up:
            try:
                flow.sock.getpeername()
                flow.up = True
                self.see(flow.n, "connected")
                self._send(flow)
            except OSError:
                self.see(flow.n, "no answer")
        try:
            data = flow.sock.recv(2048)
            self.see(flow.n, "heard" if data else "ended")
        except BlockingIOError:
            pass
        except OSError as error:
            self.see(flow.n, "hears: " + name_of(error.errno))

    def talk(self):
        for _ in range(3):
            self.servers.serve()
            self.collect()
            for flow in self.flows.values():
                self._ask(flow)
            self.collect()

    def marks(self):
        for n, text in self.city.ct_marks():
            if n < len(self.probes):
                self.see(n, text)

    def errors(self):
        """Errors about packets of ours, from a router outside."""
        self.phase = "error about "
        for n, flow in self.called.items():
            # One of the two is the wrong way in.
            for iface in ("ext0", "tun0"):
                for packet in self.probes[n].errors(self, flow, iface):
                    self.frame(iface, packet)
        self.collect()

    def cut(self, phase):
        """The lease is gone, and everybody goes on talking."""
        # What a timer sent just before does not count.
        self.city.settle()
        self.city.sights()
        self.phase = phase
        for flow in self.flows.values():
            self._send(flow)
        self.collect()
        self.servers.say("gw")
        self.servers.say("out")
        self.servers.serve()
        self.collect()
        for flow in self.flows.values():
            self._ask(flow)

    def hang_up(self, meanwhile):
        """Sockets are closed, and leave to the kernel what is still due;
        MEANWHILE is what happens before it does it."""
        self.phase = "closed, "
        self._close("gw")
        self.servers.hang_up("gw")
        self.city.settle()
        meanwhile()
        self.servers.hang_up("out")
        self._close("ws")
        self._close("out")
        self.city.settle()
        self.city.sights()
        self._lingering("out")
        self._lingering("ws")

    def _close(self, role):
        for n, flow in self.flows.items():
            if self.probes[n].role == role:
                empty(flow.sock)
                flow.sock.close()

    def _lingering(self, role):
        for name in ("tcp", "tcp6"):
            with self.city.sides[role].inside():
                with open("/proc/thread-self/net/" + name,
                          encoding="ascii") as table:
                    lines = table.readlines()[1:]
            for line in lines:
                words = line.split()
                for end in words[1:3]:
                    n = self.city.number(int(end.split(":")[1], 16))
                    if n is not None and n < len(self.probes):
                        self.see(n, "%s end in state %s" % (role, words[3]))

    def over(self):
        self.servers.reset()
        for sock in self.open:
            abort(sock)
        self.city.settle()
        for sock, _ in list(self.servers.tcp):
            try:
                while True:
                    abort(sock.accept()[0])
            except OSError:
                pass
        self.city.forget()
        self.city.settle()
        self.city.sights()
