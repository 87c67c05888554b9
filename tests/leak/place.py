"""Where things are on the private network of tests/net, and how to get there.

One process works in all three network namespaces: a socket belongs to the
namespace that its maker was in.
"""
import contextlib
import ctypes
import os
import socket
import struct
import subprocess

GW4, GW6 = "10.152.152.10", "fd19:c33d:88bc::10"
WS4, WS6 = "10.152.152.11", "fd19:c33d:88bc::11"
EXT4, EXT6 = "10.0.2.15", "2001:db8:2::15"
ROUTER4, ROUTER6 = "10.0.2.2", "2001:db8:2::2"
WEB4, WEB6 = "203.0.113.80", "2001:db8:80::80"
DNS4 = "198.51.100.53"
NAME = "www.portcullis.test"

# Each Tor relay and authority of tests/net: what Tor itself may talk to.
RELAYS = {(a, 5000) for a in ("198.18.1.1", "198.19.1.1", "198.51.100.11",
                              "203.0.113.21", "192.0.2.22")} | \
    {(a, 7000) for a in ("198.18.1.1", "198.19.1.1", "198.51.100.11")}

# What Tor listens on, by policy: tests/net/portcullis.conf.in.
LISTENERS = [("tcp", a, p) for a in (GW4, GW6) for p in (9050, 9190, 9040)] \
    + [("udp", GW4, 5300), ("udp", GW6, 5300), ("tcp", "127.0.0.1", 9050)]

MARKS = 0x60000000  # both bits of ours: what a liar would set

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def setns(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns " + path)
    finally:
        os.close(fd)


class Side:
    """One namespace: internet, gateway or workstation."""

    def __init__(self, role, name):
        self.role, self.name = role, name

    def path(self):
        return "/run/netns/" + self.name

    @contextlib.contextmanager
    def inside(self):
        """This thread works in the namespace until the block ends."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            setns(self.path())
            yield
        finally:
            if libc.setns(home, CLONE_NEWNET) != 0:
                os._exit(99)  # in the wrong namespace nothing is right
            os.close(home)

    def socket(self, *what):
        with self.inside():
            return socket.socket(*what)

    def run(self, *argv, **more):
        """The command's result; its output is kept, never inherited."""
        return subprocess.run(("ip", "netns", "exec", self.name) + argv,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, **more)

    def must(self, *argv, **more):
        done = self.run(*argv, **more)
        if done.returncode != 0:
            raise RuntimeError("%s: %s" % (" ".join(argv), done.stdout))
        return done.stdout

    def sysctl(self, *pairs):
        self.must("sysctl", "-q", "-w", *pairs)

    def mac(self, iface):
        text = self.must("cat", "/sys/class/net/%s/address" % iface)
        return bytes.fromhex(text.strip().replace(":", ""))


class Place:
    """The three sides of the network in the folder DIR."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "names"), encoding="ascii") as names:
            self.sides = {role: Side(role, name) for role, name in
                          (line.split() for line in names)}
        self.internet = self.sides["internet"]
        self.gateway = self.sides["gateway"]
        self.workstation = self.sides["workstation"]
        self.mac_ws = self.workstation.mac("eth0")
        self.mac_int = self.gateway.mac("eth1")
        self.mac_ext = self.gateway.mac("eth0")
        self.mac_inet = self.internet.mac("inet0")
        self.ll_int = link_local(self.mac_int)
        self.ll_ext = link_local(self.mac_ext)


def link_local(mac):
    """The address that the kernel makes from MAC."""
    octets = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + b"\0" * 6 + octets)


NETLINK_NETFILTER = 12
CT_NEW, CT_DELETE = 1 << 8 | 0, 1 << 8 | 2
NLM_F_REQUEST_ACK = 1 | 4
NLM_F_CREATE = 0x400
NESTED = 0x8000
TCP_ESTABLISHED = 3                 # as conntrack counts
OLD = 2 | 4 | 8    # answered, assured, confirmed


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + \
        bytes(-len(data) % 4)


def tuple_attribute(kind, proto, src, dst, sport, dport):
    six = ":" in src
    ends = [socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, end)
            for end in (src, dst)]
    addresses = b"".join(attribute(i + (3 if six else 1), end)
                         for i, end in enumerate(ends))
    number = attribute(1, bytes([proto]))
    if sport:
        number += attribute(2, struct.pack("!H", sport)) + \
            attribute(3, struct.pack("!H", dport))
    return attribute(kind | NESTED, attribute(1 | NESTED, addresses) +
                     attribute(2 | NESTED, number))


def conntrack_link(side):
    """What conntrack_add and conntrack_flush ask SIDE's conntrack by."""
    link = side.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    link.bind((0, 0))
    return link


def conntrack_ask(link, what, flags, family, body):
    """Sent, and answered; raises when the kernel refuses."""
    link.send(struct.pack("=IHHIIBBH", 20 + len(body), what,
                          NLM_F_REQUEST_ACK | flags, 1, 0, family, 0, 0)
              + body)
    code = struct.unpack_from("=i", link.recv(4096), 16)[0]
    if code != 0:
        raise OSError(-code, "conntrack")


def conntrack_add(link, proto, src, dst, sport=0, dport=0, mark=0):
    """A flow that is old, and was answered."""
    info = b""
    if proto == socket.IPPROTO_TCP:
        info = attribute(4 | NESTED, attribute(1 | NESTED, attribute(
            1, bytes([TCP_ESTABLISHED]))))
    body = tuple_attribute(1, proto, src, dst, sport, dport) + \
        tuple_attribute(2, proto, dst, src, dport, sport) + info
    for kind, number in ((3, OLD), (7, 300), (8, mark)):
        body += attribute(kind, struct.pack("!I", number))
    conntrack_ask(link, CT_NEW, NLM_F_CREATE, socket.AF_INET6 if ":" in src
                  else socket.AF_INET, body)


def conntrack_flush(link):
    """What "conntrack -F" does."""
    conntrack_ask(link, CT_DELETE, 0, 0, b"")
