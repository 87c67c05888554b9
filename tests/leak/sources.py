"""Who sends: frames by hand, users of the gateway, programs, held flows.

Every probe is written down in the ledger before it is sent; whatever of it
is seen later names its number, or the port that only it used.
"""
import contextlib
import ctypes
import dataclasses
import errno
import multiprocessing
import os
import signal
import socket
import struct
import time

import frames as f
from place import GW4, GW6, LISTENERS, NAME, WEB4, WEB6, libc, setns

MAGIC = b"\xf7LKM"
# Below Tor's own ports, net.ipv4.ip_local_port_range: never taken for Tor's.
FIRST_PORT, PORTS = 10000, 20000
LINGER_NONE = struct.pack("ii", 1, 0)
CAP_NET_RAW = 1 << 13
CAP_SETUID_SETGID = 1 << 6 | 1 << 7
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS = 1, 8


@dataclasses.dataclass(frozen=True)
class Probe:
    number: int
    token: bytes

    @property
    def sport(self):
        return FIRST_PORT + self.number % PORTS

    @property
    def seq(self):
        return self.number * 2654435761 & 0xffffffff

    @property
    def ident(self):
        return self.number & 0xffff


class Ledger:
    """What was sent: number -> (class, state, phase)."""

    def __init__(self):
        self.run = os.urandom(4)
        self.sent = []
        self.by_port, self.newest = {}, {}
        self.down_port = None

    def probe(self, name, state, phase):
        number = len(self.sent)
        self.sent.append((name, state, phase, time.time()))
        probe = Probe(number, MAGIC + self.run + struct.pack(
            "!II", number, number ^ 0xffffffff))
        self.by_port[probe.sport] = number
        self.newest[name] = number
        return probe

    def find_token(self, data):
        """The number of the probe whose token is in DATA, or None."""
        mark = MAGIC + self.run
        at = data.find(mark)
        if at >= 0:
            return self._number(data[at + 8:at + 16])
        text = mark.hex().encode()
        at = data.lower().find(text)
        if at < 0:
            return None
        try:
            return self._number(bytes.fromhex(
                data[at + 16:at + 32].decode("ascii")))
        except ValueError:
            return None

    def _number(self, octets):
        if len(octets) < 8:
            return None
        number, inverse = struct.unpack("!II", octets)
        if number ^ inverse != 0xffffffff or number >= len(self.sent):
            return None
        return number


class Frames:
    """Two packet sockets that put frames on the wire."""

    def __init__(self, place):
        self.socks = {}
        for source, side, iface in (
                ("workstation", place.workstation, "eth0"),
                ("outside", place.internet, "inet0")):
            self.socks[source] = side.socket(socket.AF_PACKET,
                                             socket.SOCK_RAW, 0)
            self.socks[source].bind((iface, 0))

    def send(self, source, frames):
        for frame in frames:
            # A link that is down takes nothing; that is the state's matter.
            with contextlib.suppress(OSError):
                self.socks[source].send(frame)


# --- users -----------------------------------------------------------------

def become(uid):
    """This process is UID, with raw sockets all the same."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    head = struct.pack("=Ii", 0x20080522, 0)
    caps = struct.pack("=IIIIII", CAP_NET_RAW, CAP_NET_RAW, 0, 0, 0, 0)
    if libc.capset(ctypes.c_char_p(head), ctypes.c_char_p(caps)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


class Hand:
    """Inside a worker: does orders, and keeps what it opened a moment."""

    def __init__(self):
        self.open = []
        self.bound = []

    def do(self, what):
        try:
            getattr(self, "do_" + what["do"])(**what)
            return None
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))

    @staticmethod
    def family(address):
        return socket.AF_INET6 if ":" in address else socket.AF_INET

    def make(self, kind, to, sport=0, mark=0, iface=None, proto=0, **_):
        sock = socket.socket(self.family(to), kind, proto)
        self.open.append((sock, None))
        sock.setblocking(False)
        if iface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                            iface.encode())
        if mark:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
        if sport:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", sport))
        return sock

    def do_tcp(self, to, port, token, **more):
        sock = self.make(socket.SOCK_STREAM, to, **more)
        self.open[-1] = (sock, token)
        with contextlib.suppress(BlockingIOError):
            sock.connect((to, port))

    def do_udp(self, to, port, token, **more):
        sock = self.make(socket.SOCK_DGRAM, to, **more)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.sendto(token, (to, port))

    def do_icmp(self, to, token, sport, **_):
        rest = struct.pack("!HH", sport, 1)
        if ":" in to:
            sock = self.make(socket.SOCK_RAW, to, proto=f.ICMP6)
            sock.sendto(struct.pack("!BBH4s", 128, 0, 0, rest) + token,
                        (to, 0))
        else:
            sock = self.make(socket.SOCK_RAW, to, proto=f.ICMP)
            sock.sendto(f.icmp4(8, 0, rest, token), (to, 0))

    def do_raw(self, to, token, sport, proto, src=None, dport=0, **_):
        if src is None:
            self.make(socket.SOCK_RAW, to, proto=proto).sendto(token, (to, 0))
            return
        sock = self.make(socket.SOCK_RAW, to, proto=socket.IPPROTO_RAW)
        sock.sendto(f.ip4(src, to, f.UDP, f.udp(src, to, sport, dport,
                                                token)), (to, 0))

    def do_packet(self, iface, mark, frames, **_):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.open.append((sock, None))
        if mark:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
        failed = None
        for frame in frames:
            try:
                sock.sendto(frame, (iface, 0))
            except OSError as error:  # what a drop on the way out looks like
                failed = error
        if failed:
            raise failed

    def finish(self):
        """Tokens through what is connected by now; then all is closed."""
        for sock, token in self.open:
            if token:
                with contextlib.suppress(OSError):
                    sock.send(token)
        time.sleep(0.05)
        for sock, token in self.open:
            if token:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    LINGER_NONE)
            sock.close()
        self.open = []

    def bind(self):
        """A decoy at every listener's address; what could not be bound."""
        failed = []
        for proto, address, port in LISTENERS:
            kind = socket.SOCK_STREAM if proto == "tcp" else \
                socket.SOCK_DGRAM
            sock = socket.socket(self.family(address), kind)
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((address, port))
                if proto == "tcp":
                    sock.listen(128)
                self.bound.append(sock)
            except OSError as error:
                failed.append("%s:%d: %s" % (address, port, error.strerror))
        return failed

    def collect(self):
        """All that reached the decoys: (port of the sender, octets)."""
        got = []
        for sock in self.bound:
            with contextlib.suppress(BlockingIOError):
                while True:
                    if sock.type == socket.SOCK_DGRAM:
                        data, peer = sock.recvfrom(4096)
                        got.append((peer[1], data))
                        continue
                    link, peer = sock.accept()
                    link.setblocking(False)
                    data = b""
                    with contextlib.suppress(OSError):
                        data = link.recv(4096)
                    link.close()
                    got.append((peer[1], data))
        return got

    def release(self):
        for sock in self.bound:
            sock.close()
        self.bound = []


class Worker:
    """A process of one user in one namespace."""

    def __init__(self, side, uid):
        self.pipe, theirs = multiprocessing.Pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._serve(side, uid, theirs)
            except BaseException:  # a child must never go on as its parent
                import traceback
                traceback.print_exc()
            os._exit(1)
        theirs.close()
        if self.ask("hello") != "hello":
            raise RuntimeError("no worker for user %d" % uid)

    @staticmethod
    def _serve(side, uid, pipe):
        # The namespace is entered for good, as root still.
        setns(side.path())
        become(uid)
        hand = Hand()
        while True:
            verb, what = pipe.recv()
            if verb == "hello":
                pipe.send("hello")
            elif verb == "do":
                pipe.send([hand.do(w) for w in what])
            else:
                pipe.send(getattr(hand, verb)())

    def ask(self, verb, what=None):
        self.pipe.send((verb, what))
        if not self.pipe.poll(20):
            raise RuntimeError("worker %d is silent" % self.pid)
        return self.pipe.recv()

    def end(self):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


# --- flows through Tor -----------------------------------------------------

def dns_question(number, label):
    name = b"".join(bytes([len(part)]) + part for part in
                    (label + "." + NAME).encode().split(b"."))
    return struct.pack("!HHHHHH", number & 0xffff, 0x0100, 1, 0, 0, 0) + \
        name + struct.pack("!BHH", 0, 1, 1)


def socks_through(sock, address):
    octets = f.pton(address)
    sock.sendall(b"\5\1\0")
    if sock.recv(2) != b"\5\0":
        raise OSError("no SOCKS greeting")
    sock.sendall(b"\5\1\0" + (b"\1" if len(octets) == 4 else b"\4") +
                 octets + struct.pack("!H", 80))
    if sock.recv(64)[1:2] != b"\0":
        raise OSError("no SOCKS connection")


class Flow:
    """A connection through Tor.  push() says a token on it."""

    # name: (side, family's web, SOCKS server or None)
    HOW = {"trans4": ("workstation", WEB4, None),
           "trans6": ("workstation", WEB6, None),
           "socks4": ("workstation", WEB4, GW4),
           "socks6": ("workstation", WEB6, GW6),
           "local": ("gateway", WEB4, "127.0.0.1"),
           "trans4 down": ("workstation", WEB4, None)}

    def __init__(self, place, name, port):
        self.name, self.dns = name, name.startswith("dns")
        if self.dns:
            server = GW4 if name == "dns4" else GW6
            self.sock = place.workstation.socket(
                Hand.family(server), socket.SOCK_DGRAM)
            self.sock.connect((server, 53))
            self.sock.setblocking(False)
            return
        role, web, socks = self.HOW[name]
        to = socks or web
        self.sock = place.sides[role].socket(Hand.family(to),
                                             socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(10)
        self.sock.bind(("", port))
        self.sock.connect((to, 9050 if socks else 80))
        if socks:
            socks_through(self.sock, web)
        # One header after the other, and never the end of them.
        path = "/slow?rate=4000" if name.endswith("down") else "/hold"
        self.sock.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n" % path.encode())
        if name.endswith("down"):
            self.sock.sendall(b"\r\n")
        self.sock.setblocking(False)

    def push(self, probe):
        data = dns_question(probe.number, probe.token.hex()) if self.dns \
            else b"X-%s: 1\r\n" % probe.token.hex().encode()
        try:
            self.sock.send(data)
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))
        return None

    def alive(self):
        """Whether the web's octets come: of "down" alone."""
        try:
            return len(self.sock.recv(65536)) > 0
        except OSError:
            return False

    def abort(self):
        """Gone at once: what was not delivered never will be."""
        with contextlib.suppress(OSError):
            if not self.dns:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     LINGER_NONE)
        self.sock.close()
