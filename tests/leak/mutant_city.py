"""The ground for rule mutants: a gateway between workstations and outside.

  ws1 -- ws0 gw ext0 -- ext1      a workstation, the outside
 vif8 -- vif7    tun0 -- tun1     on other interfaces
 odd1 -- odd0                     on one that no policy names

One process has every socket, on one CPU: the kernel then has one queue for
all packets, and what was sent has arrived when a frame sent after it has.
"""
import ctypes
import os
import re
import select
import socket
import struct
import subprocess

import frames as f
from place import Side, conntrack_flush, conntrack_link, libc

SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
ETH_P_ALL, ETH_SENTINEL = 3, 0x88b5
SO_RCVBUFFORCE = 33
BUFFER = 16 << 20
IGMP = 2
ROUNDS = 4      # a packet, its answer, the answer's answer, and one more
MAGIC = b"\xf7MUT"
FIRST_PORT, PER_RUN, RUNS = 10000, 1600, 14
NFPROTOS = (f.TCP, f.UDP, f.ICMP, 253)

# interface of the gateway: side, its interface, IPv4 here and there, IPv6
LINKS = {
    "ws0": ("ws", "ws1", "10.152.152.10", "10.152.152.50", "fd19::10",
            "fd19::50"),
    "vif7": ("ws", "vif8", "10.137.0.1", "10.137.0.50", "fd37::1",
             "fd37::50"),
    "ext0": ("out", "ext1", "192.0.2.10", "192.0.2.1", "2001:db8::10",
             "2001:db8::1"),
    "tun0": ("out", "tun1", "198.51.100.10", "198.51.100.1",
             "2001:db8:7::10", "2001:db8:7::1"),
    # No policy names this one.
    "odd0": ("ws", "odd1", "10.99.0.10", "10.99.0.50", "fd99::10",
             "fd99::50"),
}
# Of ws0's network, but behind vif7 for who binds a socket to that.
MOVED4 = "10.152.152.60"
OTHER4 = "10.152.152.99"    # another workstation
# An address of the gateway where nothing listens.
BARE4, BARE6 = "198.51.100.11", "2001:db8:7::11"
FAR4, FAR6 = "203.0.113.5", "2001:db8:5::5"

NOWHERE = "203.0.113.99", "2001:db8:99::9"  # the gateway knows no way there


class Nft:
    """nft, without a process for each command."""

    def __init__(self, side):
        self.lib = ctypes.CDLL("libnftables.so.1")
        self.lib.nft_ctx_new.restype = ctypes.c_void_p
        for name in ("nft_ctx_get_output_buffer",
                     "nft_ctx_get_error_buffer"):
            getattr(self.lib, name).restype = ctypes.c_char_p
        self.side = side
        with side.inside():
            self.ctx = ctypes.c_void_p(self.lib.nft_ctx_new(0))
        self.lib.nft_ctx_buffer_output(self.ctx)
        self.lib.nft_ctx_buffer_error(self.ctx)

    def attempt(self, text):
        """None, or what nft says against it."""
        with self.side.inside():    # names of interfaces are asked for there
            if self.lib.nft_run_cmd_from_buffer(self.ctx,
                                                text.encode()) == 0:
                return None
        return self.lib.nft_ctx_get_error_buffer(self.ctx).decode()

    def __call__(self, text):
        error = self.attempt(text)
        if error is not None:
            raise RuntimeError("nft: %s" % error)
        return self.lib.nft_ctx_get_output_buffer(self.ctx).decode()

    def code(self, text):
        """What the kernel would be given for TEXT, in lines."""
        self.lib.nft_ctx_set_dry_run(self.ctx, True)
        self.lib.nft_ctx_output_set_debug(self.ctx, 1 << 3)
        try:
            return self(text).splitlines()
        finally:
            self.lib.nft_ctx_output_set_debug(self.ctx, 0)
            self.lib.nft_ctx_set_dry_run(self.ctx, False)


def in_order(code):
    """CODE with the matches of each rule sorted, each of them once: in which
    order they stand does not matter as long as nothing is done between."""
    lines, matches, pending = [], [], []
    for line in code:
        pending.append(line)
        if re.match(r" +\[ (meta|ct|payload|fib|exthdr) load|"
                    r" +\[ bitwise|  \[ rt load", line):
            continue
        if re.match(r" +\[ (cmp|range|lookup)", line) and \
                "dreg" not in line:
            if len(pending) == 1 and matches:   # of the same load
                matches[-1] += (line,)
            else:
                matches.append(tuple(pending))
            pending = []
            continue
        lines += [m for match in sorted(set(matches)) for m in match]
        lines += pending
        matches, pending = [], []
    return lines + [m for match in sorted(set(matches)) for m in match] + \
        pending


def flags_word(bits):
    for bit, word in ((f.RST, "R"), (f.SYN | f.ACK, "SA"), (f.SYN, "S"),
                      (f.FIN, "F")):
        if bits & bit == bit:
            return word
    return "A"


def marked(tos):
    """What the observer wrote into the header about the mark."""
    return ("", " marked gate", " marked egress", " marked both")[
        tos >> 2 & 3]


class City:
    def __init__(self, lane):
        self.sides, self.socks, self.by_fd = {}, {}, {}
        self.packets = {}
        self.run_number, self.base = 0, FIRST_PORT
        self.macs = {}
        self.poll = select.poll()
        cpus = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cpus[lane % len(cpus)]})

    # --- building and tearing down ---

    def build(self):
        for role in ("gw", "ws", "out"):
            name = "pcm%s%d" % (role, os.getpid())
            subprocess.run(["ip", "netns", "add", name], check=True)
            self.sides[role] = Side(role, name)
        self.gw, self.ws, self.out = (self.sides[r] for r in
                                      ("gw", "ws", "out"))
        quiet = []
        for name in ("all", "default"):
            quiet += ["net.ipv4.conf.%s.rp_filter=0" % name,
                      "net.ipv4.conf.%s.accept_local=1" % name,
                      "net.ipv4.conf.%s.route_localnet=1" % name,
                      "net.ipv4.conf.%s.accept_source_route=1" % name,
                      "net.ipv4.conf.%s.send_redirects=0" % name,
                      "net.ipv6.conf.%s.accept_dad=0" % name,
                      "net.ipv6.conf.%s.accept_ra=0" % name,
                      "net.ipv6.conf.%s.router_solicitations=0" % name]
        quiet += ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0",
                  "net.ipv4.tcp_invalid_ratelimit=0",
                  "net.ipv4.tcp_autocorking=0",
                  "net.ipv4.tcp_early_retrans=0",
                  "net.ipv4.tcp_synack_retries=0"]
        for side in self.sides.values():
            side.must("ip", "link", "set", "lo", "up")
            side.sysctl(*quiet)
        for name, link in LINKS.items():
            self._link(name, *link)
        for side in self.sides.values():    # which not every kernel has
            for setting in ("icmp_msgs_per_sec=1000000",
                            "icmp_msgs_burst=1000000",
                            "tcp_rto_min_us=60000000"):
                side.run("sysctl", "-qw", "net.ipv4." + setting)
        routes = [(self.gw, ("default", "via", "192.0.2.1")),
                  (self.gw, ("default", "via", "2001:db8::1")),
                  (self.ws, ("default", "via", "10.152.152.10")),
                  (self.ws, ("default", "via", "fd19::10")),
                  (self.ws, ("default", "via", "10.137.0.1", "metric",
                             "2000")),
                  (self.ws, ("default", "via", "fd37::1", "metric", "2000")),
                  (self.out, ("10.152.152.0/24", "via", "192.0.2.10")),
                  (self.out, ("fd19::/64", "via", "2001:db8::10"))]
        for side, route in routes:
            six = ["-6"] if ":" in "".join(route) else []
            side.must("ip", *six, "route", "add", *route)
        for address in NOWHERE:
            six = ["-6"] if ":" in address else []
            self.gw.must("ip", *six, "route", "add", "unreachable", address)
        for address in (FAR4 + "/32", FAR6 + "/128"):
            self.out.must("ip", "addr", "add", address, "dev", "lo")
        for address, there, here in ((MOVED4, "vif8", "vif7"),
                                     (OTHER4, "ws1", "ws0")):
            self._neighbour(self.gw, address, there, here)
        for address, mask in ((BARE4, "/32"), (BARE6, "/128")):
            self.gw.must("ip", "addr", "add", address + mask, "dev", "tun0",
                         *(["nodad"] if ":" in address else []))
            self._neighbour(self.out, address, "tun0", "tun1")
        self._neighbour(self.gw, FAR4, "tun1", "tun0")
        # For who binds a socket to ws0, or to tun0.
        self._neighbour(self.gw, "192.0.2.1", "ws1", "ws0")
        self.gw.must("ip", "-6", "route", "add", "2001:db8::/64", "dev",
                     "tun0", "metric", "4000")
        self._neighbour(self.gw, "2001:db8::1", "tun1", "tun0")
        # Of orphans conntrack has not seen how they began.
        self.gw.sysctl("net.netfilter.nf_conntrack_tcp_be_liberal=1",
                       "net.ipv4.ip_forward=1",
                       "net.ipv6.conf.all.forwarding=1")
        self.gw.must("ip", "-6", "route", "replace", "default", "via",
                     "2001:db8::1")
        self.nft = Nft(self.gw)
        self.flows = conntrack_link(self.gw)
        self._sockets()

    def _link(self, here, role, there, *addresses):
        far = self.sides[role]
        self.gw.must("ip", "link", "add", here, "type", "veth", "peer",
                     "name", there, "netns", far.name)
        for side, iface, v4, v6 in ((self.gw, here) + addresses[0::2],
                                    (far, there) + addresses[1::2]):
            side.must("ip", "link", "set", iface, "up")
            side.must("ip", "addr", "add", v4 + "/24", "dev", iface)
            side.must("ip", "-6", "addr", "add", v6 + "/64", "dev", iface,
                      "nodad")
            # Whoever asked for us is not asked for afterwards.
            side.sysctl(*("net.%s.neigh.%s.delay_first_probe_time=3600" % (
                family, iface) for family in ("ipv4", "ipv6")))
            self.macs[iface] = side.mac(iface)
        for side, iface, peer, own in ((self.gw, here, there, 1),
                                       (far, there, here, 0)):
            for address in addresses[own::2] + ("fe80::77",):
                self._neighbour(side, address, peer, iface)

    def _neighbour(self, side, address, owner, dev):
        """For ever known to SIDE: nobody has to ask for it."""
        side.must("ip", "neigh", "replace", address, "lladdr",
                  ":".join("%02x" % o for o in self.macs[owner]), "dev", dev,
                  "nud", "permanent")

    def destroy(self):
        for side in self.sides.values():
            subprocess.run(["ip", "netns", "del", side.name], check=False)

    # --- seeing ---

    def _sockets(self):
        for _, (role, there, *_rest) in LINKS.items():
            side = self.sides[role]
            sock = side.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            with side.inside():
                sock.bind((there, ETH_P_ALL))
            self._watch(sock, ("frame", there))
            sock = side.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            with side.inside():
                sock.bind((there, 0))
            self.socks[there] = sock
        self.sentinel = self.gw.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        with self.gw.inside():
            self.sentinel.bind(("ws0", ETH_SENTINEL))
        for proto in NFPROTOS:
            self._watch(self.gw.socket(socket.AF_INET, socket.SOCK_RAW,
                                       proto), ("stack4", proto))
            sock = self.gw.socket(socket.AF_INET6, socket.SOCK_RAW,
                                  f.ICMP6 if proto == f.ICMP else proto)
            self._watch6(sock, f.ICMP6 if proto == f.ICMP else proto)
        # Each ICMP in the other's IP.
        self._watch(self.gw.socket(socket.AF_INET, socket.SOCK_RAW, f.ICMP6),
                    ("stack4", f.ICMP6))
        self._watch6(self.gw.socket(socket.AF_INET6, socket.SOCK_RAW,
                                    f.ICMP), f.ICMP)

    def _watch6(self, sock, proto):
        for option in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVTCLASS):
            sock.setsockopt(socket.IPPROTO_IPV6, option, 1)
        self._watch(sock, ("stack6", proto))

    def _watch(self, sock, what):
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        sock.setblocking(False)
        self.by_fd[sock.fileno()] = (sock, what)
        self.poll.register(sock, select.POLLIN)

    def settle(self):
        """Whatever was sent has arrived, and been answered by the kernel."""
        frame = f.eth(self.macs["ws0"], self.macs["ws1"], ETH_SENTINEL,
                      b"\0" * 46)
        for _ in range(ROUNDS):
            self.socks["ws1"].send(frame)
            ready, _, _ = select.select([self.sentinel], [], [], 5)
            if not ready:
                raise RuntimeError("packets do not arrive any more")
            self.sentinel.recv(64)

    def next_run(self):
        self.run_number += 1
        self.base = FIRST_PORT + self.run_number % RUNS * PER_RUN

    def number(self, port):
        n = port - self.base
        return n if 0 <= n < PER_RUN else None

    def token(self, n):
        return MAGIC + struct.pack("!IHH", self.run_number, n, n ^ 0xffff)

    def _by_token(self, data):
        at = data.find(MAGIC)
        if at < 0 or len(data) < at + 12:
            return None
        run, n, inverse = struct.unpack_from("!IHH", data, at + 4)
        if run != self.run_number or n ^ inverse != 0xffff:
            return None
        return n

    def sights(self):
        """Pairs (number of the probe, what was seen of it), since last."""
        seen = set()
        while True:
            ready = self.poll.poll(0)
            if not ready:
                return seen
            for fd, _ in ready:
                sock, what = self.by_fd[fd]
                try:
                    self._take(seen, sock, what)
                except BlockingIOError:
                    continue

    def _take(self, seen, sock, what):
        data, ancillary, _, peer = sock.recvmsg(65600, 512)
        kind, where = what
        if kind == "frame":
            ether = struct.unpack_from("!H", data, 12)[0]
            if ether == ETH_SENTINEL:
                return
            found = self._packet(data[14:], ether)
            text = "%s %s" % (where, found[1])
        elif kind == "stack4":
            found = self._packet(data, f.TYPE4)
            text = "gw %s" % found[1]
        else:
            to, tos = "?", 0
            for level, option, value in ancillary:
                if level == socket.IPPROTO_IPV6 and \
                        option == socket.IPV6_PKTINFO:
                    to = f.ntop(value[:16])
                elif level == socket.IPPROTO_IPV6 and \
                        option == socket.IPV6_TCLASS:
                    tos = struct.unpack("=i", value[:4])[0]
            found = self._inner(peer[0].split("%")[0], to, where, data)
            text = "gw %s%s" % (found[1], marked(tos))
        if found[0] is not None:
            seen.add((found[0], text))

    def _packet(self, data, ether):
        if ether == f.TYPE4 and len(data) >= 20:
            size = (data[0] & 15) * 4
            src, dst = f.ntop(data[12:16]), f.ntop(data[16:20])
            if struct.unpack_from("!H", data, 6)[0] & 0x1fff:
                return self._by_token(data), "%s>%s later fragment" % (src,
                                                                       dst)
            n, text = self._inner(src, dst, data[9], data[size:])
            return n, text + marked(data[1])
        if ether == f.TYPE6 and len(data) >= 40:
            n, text = self._inner(f.ntop(data[8:24]), f.ntop(data[24:40]),
                                  data[6], data[40:])
            return n, text + marked(struct.unpack_from("!H", data)[0] >> 4)
        return self._by_token(data), "frame of type %04x" % ether

    def _inner(self, src, dst, proto, data):
        """Of what probe an IP packet is, and what it says."""
        n = self._by_token(data)
        if proto in (f.TCP, f.UDP) and len(data) >= 8:
            ports = struct.unpack_from("!HH", data)
            for port in ports:
                if n is None:
                    n = self.number(port)
            own = ["N" if self.number(p) is not None else p for p in ports]
            word = flags_word(data[13]) if proto == f.TCP and \
                len(data) >= 14 else "udp"
            return n, "%s.%s>%s.%s %s" % (src, own[0], dst, own[1], word)
        if proto in (f.ICMP, f.ICMP6) and len(data) >= 8:
            return self._icmp(n, src, dst, proto, data)
        if proto == IGMP:
            n = self._group(data)
        return n, "%s>%s protocol %d" % (src, dst, proto)

    def _group(self, data):
        """The probe that a membership report (RFC 3376) is of: each record
        here is of a group without sources."""
        for at in range(12, len(data) - 3, 8):
            if data[at:at + 2] == bytes([239, self.run_number & 255]):
                return struct.unpack_from("!H", data, at + 2)[0]
        return None

    def _icmp(self, n, src, dst, proto, data):
        kind, code, ident = data[0], data[1], struct.unpack_from("!H", data,
                                                                 4)[0]
        error = kind in (3, 11, 12) if proto == f.ICMP else kind < 128
        if error and n is None:
            n = self._packet(data[8:], f.TYPE4 if proto == f.ICMP else
                             f.TYPE6)[0]
        elif proto == f.ICMP6 and kind == 136 and n is None:
            n = f.pton(dst)[-1] | f.pton(dst)[-2] << 8
            dst = "asker"
        elif n is None:
            n = self.number(ident)
        return n, "%s>%s icmp %d/%d" % (src, dst, kind, code)

    def ct_marks(self):
        with self.gw.inside():
            with open("/proc/thread-self/net/nf_conntrack",
                      encoding="ascii") as table:
                for line in table:
                    words = [w.split("=") for w in line.split() if "=" in w]
                    ports = [int(w[1]) for w in words if w[0] == "sport"]
                    mark = [w[1] for w in words if w[0] == "mark"]
                    n = self.number(ports[0]) if ports else None
                    if n is not None and mark:
                        yield n, "ct mark %x" % int(mark[0])

    def forget(self):
        """No flow, and no socket that the kernel still has, is left."""
        for side in self.sides.values():
            with side.inside():     # its child is there too
                subprocess.run(("ss", "-K", "-tan", "state", "all",
                                "exclude", "listening"), check=True,
                               stdout=subprocess.DEVNULL)
        self.settle()
        conntrack_flush(self.flows)

    # --- sockets of users ---

    def packet_socket(self, uid):
        """Kept: to close one takes the kernel very long."""
        if uid not in self.packets:
            self.packets[uid] = self.user_socket(
                "gw", uid, socket.AF_PACKET, socket.SOCK_RAW, 0)
        return self.packets[uid]

    def user_socket(self, role, uid, *what):
        """A socket that is UID's, though made by root."""
        with self.sides[role].inside():
            libc.setfsuid(uid)
            try:
                return socket.socket(*what)
            finally:
                libc.setfsuid(0)
