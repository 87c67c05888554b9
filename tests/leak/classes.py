"""The packet classes, as data: a name, a source, and how it is built.

Sources: "workstation" and "outside" send frames by hand, "uid NAME" is a
user of the gateway with sockets, "client" is an ordinary program of the
workstation, "flow" is a connection through Tor held from before.
"""
import dataclasses
import struct
import typing

import frames as f
from place import (DNS4, EXT4, EXT6, GW4, GW6, LISTENERS, MARKS, ROUTER4,
                   ROUTER6, WEB4, WEB6, WS4, WS6)

RELAY4 = "198.18.1.1"
METADATA = "169.254.169.254"
OTHER4, OTHER6 = "8.8.4.4", "2001:4860::8844"
PORT_RANDOM = 47808
UDP_PORTS = (53, 67, 123, 137, 443, 1900, 5353, 5355, PORT_RANDOM)
RAW_PROTOS = (2, 4, 33, 41, 47, 50, 51, 103, 132, 136, 253, 255)
FLAGS = {"syn": f.SYN, "ack": f.ACK, "fin-ack": f.FIN | f.ACK,
         "rst-ack": f.RST | f.ACK, "psh-ack": f.PSH | f.ACK, "null": 0,
         "xmas": f.FIN | f.PSH | f.URG, "syn-fin": f.SYN | f.FIN,
         "syn-ack": f.SYN | f.ACK, "rst": f.RST}
ICMP4_KINDS = {"echo": (8, 0), "echo-reply": (0, 0), "timestamp": (13, 0),
               "mask": (17, 0), "redirect": (5, 1), "unreach": (3, 1),
               "frag-needed": (3, 4), "time-exceeded": (11, 0),
               "param": (12, 0), "router-sol": (10, 0)}
ICMP6_KINDS = {"echo": (128, 0), "too-big": (2, 0), "unreach": (1, 0),
               "mld-report": (143, 0), "ns": (135, 0), "na": (136, 0),
               "ra": (134, 0), "rs": (133, 0), "redirect": (137, 0),
               "node-info": (139, 0)}

FLOWS = ("trans4", "trans6", "socks4", "socks6", "dns4", "dns6", "local",
         "trans4 down")
FLOW_PORT = 30100  # of the first of them, and so on

MARTIAN = "the kernel drops this source (martian) before it routes"
SCOPE = "the kernel never forwards this scope"
HOPS = "the kernel forwards nothing whose hop count ends here"
NO_DEVICE = "the gateway has no device for such frames"
NO_GROUP = "nobody on the gateway joined the group"
NO_ANSWER = "the kernel answers this to nobody"
# Their answers carry no token: they are known by the address.
ARP_OUTER = "arp for the external address"
ARP_INNER = "in arp for the internal address"


@dataclasses.dataclass(frozen=True)
class Class:
    name: str
    source: str
    make: typing.Callable  # of a Probe: frames, or a worker's order
    unseen: str = ""       # why no barrier is needed to stop it
    needs: str = ""        # "decoy", "strict": what it makes sense with


class Table(list):
    """Collects classes of one source, with its way onto the wire."""

    def __init__(self, place):
        super().__init__()
        self.place = place

    def ws4(self, name, make, unseen=""):
        """MAKE gives IPv4 packets, for the gateway's internal side."""
        self._frames("workstation", name, f.TYPE4, make, unseen)

    def ws6(self, name, make, unseen=""):
        self._frames("workstation", name, f.TYPE6, make, unseen)

    def out4(self, name, make, unseen=""):
        self._frames("outside", name, f.TYPE4, make, unseen)

    def out6(self, name, make, unseen=""):
        self._frames("outside", name, f.TYPE6, make, unseen)

    def _frames(self, source, name, kind, make, unseen):
        place = self.place
        dst, src = (place.mac_int, place.mac_ws) if source == "workstation" \
            else (place.mac_ext, place.mac_inet)

        def whole(probe):
            made = make(probe)
            packets = made if isinstance(made, list) else [made]
            return [f.eth(dst, src, kind, p) for p in packets]
        self.append(Class(name, source, whole, unseen))

    def bare(self, source, name, make, unseen=NO_DEVICE):
        """MAKE(probe, dst, src) gives whole frames."""
        place = self.place
        pair = (place.mac_int, place.mac_ws) if source == "workstation" else \
            (place.mac_ext, place.mac_inet)
        self.append(Class(name, source, lambda p: make(p, *pair), unseen))


def tcp_packet(src, dst, dport, flags):
    ip = f.ip6 if ":" in dst else f.ip4

    def make(p):
        return ip(src, dst, f.TCP, f.tcp(src, dst, p.sport, dport, flags,
                                         p.seq, p.token, p.seq ^ 0x5a5a5a5a))
    return make


def udp_packet(src, dst, dport, **more):
    ip = f.ip6 if ":" in dst else f.ip4

    def make(p):
        return ip(src, dst, f.UDP, f.udp(src, dst, p.sport, dport, p.token),
                  **more)
    return make


def raw_packet(src, dst, proto):
    ip = f.ip6 if ":" in dst else f.ip4
    return lambda p: ip(src, dst, proto, p.token)


def icmp_packet(src, dst, kind, code, inner=None):
    """An ICMP message; errors quote INNER(probe), or a packet of SRC."""
    def make4(p):
        rest = struct.pack("!HH", p.sport, p.seq & 0xffff)
        if kind == 5:
            rest = f.pton(WS4)
        if kind == 3:
            rest = struct.pack("!HH", 0, 576)
        body = p.token
        if kind in (3, 5, 11, 12):
            quoted = inner(p) if inner else \
                udp_packet(dst, src, PORT_RANDOM)(p)
            body = quoted + p.token
        return f.ip4(src, dst, f.ICMP, f.icmp4(kind, code, rest, body))

    def make6(p):
        rest = struct.pack("!HH", p.sport, p.seq & 0xffff)
        body = p.token
        if kind in (1, 2):
            rest = struct.pack("!I", 1280)
            body = (inner(p) if inner else
                    udp_packet(dst, src, PORT_RANDOM)(p)) + p.token
        hops = 255 if kind in (133, 134, 135, 136, 137) else 64
        return f.ip6(src, dst, f.ICMP6,
                     f.icmp6(src, dst, kind, code, rest, body), hops)
    return make6 if ":" in dst else make4


# --- from the workstation --------------------------------------------------

def workstation_tcp(t):
    for name, flags in FLAGS.items():
        t.ws4("tcp4 " + name, tcp_packet(WS4, WEB4, 80, flags))
        t.ws6("tcp6 " + name, tcp_packet(WS6, WEB6, 80, flags))
    t.ws4("tcp4 syn to a relay", tcp_packet(WS4, RELAY4, 5000, f.SYN))
    t.ws4("tcp4 syn to a relay as the gateway",
          tcp_packet(EXT4, RELAY4, 5000, f.SYN))
    t.ws4("tcp4 ack to a relay as the gateway",
          tcp_packet(EXT4, RELAY4, 5000, f.ACK))
    t.ws4("tcp4 syn port 0", tcp_packet(WS4, WEB4, 0, f.SYN))


def workstation_udp(t):
    for port in UDP_PORTS:
        t.ws4("udp4 %d" % port, udp_packet(WS4, WEB4, port))
        t.ws6("udp6 %d" % port, udp_packet(WS6, WEB6, port))
    t.ws4("udp4 dns to a resolver", udp_packet(WS4, DNS4, 53))
    t.ws6("udp6 dhcpv6 to a server", udp_packet(WS6, WEB6, 547))
    t.ws4("udp4 length beyond the packet", lambda p: f.ip4(
        WS4, WEB4, f.UDP, struct.pack("!HHHH", p.sport, 9, 4000, 0) +
        p.token))
    t.ws4("udp4 too short for ports", lambda p: f.ip4(
        WS4, WEB4, f.UDP, struct.pack("!H", p.sport), ident=p.ident),
        "too short to carry a token; as first fragment below")


def workstation_icmp(t):
    for name, (kind, code) in ICMP4_KINDS.items():
        t.ws4("icmp4 " + name, icmp_packet(WS4, WEB4, kind, code))
    for name, (kind, code) in ICMP6_KINDS.items():
        t.ws6("icmp6 " + name, icmp_packet(WS6, WEB6, kind, code))


def workstation_raw(t):
    for proto in RAW_PROTOS:
        t.ws4("proto4 %d" % proto, raw_packet(WS4, WEB4, proto))
    for proto in RAW_PROTOS + (f.NONE6,):
        t.ws6("proto6 %d" % proto, raw_packet(WS6, WEB6, proto))
    t.ws4("ip4 in ip4", lambda p: f.ip4(WS4, WEB4, 4, udp_packet(
        EXT4, WEB4, 53)(p)))
    t.ws6("ip4 in ip6", lambda p: f.ip6(WS6, WEB6, 4, udp_packet(
        EXT4, WEB4, 53)(p)))


def workstation_fragments(t):
    def piece(frag, body, proto=f.UDP):
        return lambda p: f.ip4(WS4, WEB4, proto, body(p), ident=p.ident,
                               frag=frag)

    def head(p):
        return f.udp(WS4, WEB4, p.sport, 443, p.token)

    def token(p):
        return p.token

    def pair(p):
        whole = f.udp(WS4, WEB4, p.sport, 443, p.token + p.token)
        return [f.ip4(WS4, WEB4, f.UDP, whole[:24], ident=p.ident,
                      frag=f.MORE),
                f.ip4(WS4, WEB4, f.UDP, whole[24:], ident=p.ident, frag=3)]

    def overlap(p):
        whole = f.udp(WS4, WEB4, p.sport, 443, p.token + p.token)
        return [f.ip4(WS4, WEB4, f.UDP, whole[:24], ident=p.ident,
                      frag=f.MORE),
                f.ip4(WS4, WEB4, f.UDP, whole[16:], ident=p.ident, frag=2)]

    def tiny(p):
        whole = f.tcp(WS4, WEB4, p.sport, 80, f.SYN, p.seq, p.token)
        return [f.ip4(WS4, WEB4, f.TCP, whole[:8], ident=p.ident,
                      frag=f.MORE),
                f.ip4(WS4, WEB4, f.TCP, whole[8:], ident=p.ident, frag=1)]

    t.ws4("frag4 first alone", piece(f.MORE, head))
    t.ws4("frag4 later alone", piece(64, token))
    t.ws4("frag4 last alone of icmp", piece(64, token, f.ICMP))
    t.ws4("frag4 complete", pair)
    t.ws4("frag4 complete, reversed", lambda p: pair(p)[::-1])
    t.ws4("frag4 overlapping", overlap)
    t.ws4("frag4 tiny", tiny)
    t.ws4("frag4 evil bit", piece(0x8000, head))


def workstation_options(t):
    route = bytes([7, 4]) + f.pton(WEB4)
    for name, option in {
            "lsrr": b"\x83" + route, "ssrr": b"\x89" + route,
            "record route": b"\x07\x07\x04\0\0\0\0",
            "timestamp": b"\x44\x0c\x05\x00" + b"\0" * 8,
            "router alert": b"\x94\x04\0\0", "nop": b"\1\1\1\1",
            "security": b"\x82\x0b" + b"\0" * 9}.items():
        t.ws4("option4 " + name, lambda p, o=option: f.ip4(
            WS4, WEB4, f.UDP, f.udp(WS4, WEB4, p.sport, 443, p.token),
            options=o),
              "its next hop is not on a link" if name == "ssrr" else "")
    for name, option in (
            ("lsrr", b"\x83" + route),
            ("ssrr", b"\x89\x07\x04" + f.pton(ROUTER4))):
        t.ws4("option4 %s by way of the gateway" % name,
              lambda p, o=option: f.ip4(
                  WS4, GW4, f.UDP, f.udp(WS4, GW4, p.sport, 443, p.token),
                  options=o))


def workstation_ext6(t):
    def behind(kind, body):
        def make(p):
            inner = f.udp(WS6, WEB6, p.sport, 443, p.token)
            return f.ip6(WS6, WEB6, kind, f.extension(f.UDP, body) + inner)
        return make

    def pieces(p):
        whole = f.udp(WS6, WEB6, p.sport, 443, p.token + p.token)
        return [f.ip6(WS6, WEB6, f.FRAGMENT, f.fragment6(
                    f.UDP, 0, 1, p.seq) + whole[:24]),
                f.ip6(WS6, WEB6, f.FRAGMENT, f.fragment6(
                    f.UDP, 24, 0, p.seq) + whole[24:])]

    def atomic(p):
        return f.ip6(WS6, WEB6, f.FRAGMENT, f.fragment6(
            f.UDP, 0, 0, p.seq) + f.udp(WS6, WEB6, p.sport, 443, p.token))

    def chain(p):
        inner = f.tcp(WS6, WEB6, p.sport, 80, f.SYN, p.seq, p.token)
        return f.ip6(WS6, WEB6, f.HBH, f.extension(f.DSTOPTS, b"\1\2\0\0") +
                     f.extension(f.TCP, b"\1\2\0\0") + inner)

    address = f.pton(WEB6)
    t.ws6("ext6 hop-by-hop", behind(f.HBH, b"\1\2\0\0"))
    t.ws6("ext6 router alert", behind(f.HBH, b"\5\2\0\0"))
    t.ws6("ext6 destination options", behind(f.DSTOPTS, b"\1\2\0\0"))
    t.ws6("ext6 routing type 0", behind(f.ROUTING, b"\0\0" + b"\0" * 4 +
                                        address))
    t.ws6("ext6 routing type 2", behind(f.ROUTING, b"\2\0" + b"\0" * 4 +
                                        address))
    t.ws6("ext6 mobility", behind(135, b"\0" * 6))
    t.ws6("ext6 fragments, complete", pieces)
    t.ws6("ext6 atomic fragment", atomic)
    t.ws6("ext6 chain before a syn", chain)


def workstation_spoofed(t):
    for name, src, unseen in (
            ("the external address", EXT4, ""),
            ("the external router", ROUTER4, ""),
            ("an outsider", OTHER4, ""), ("the internal gateway", GW4, ""),
            ("loopback", "127.0.0.1", ""), ("nobody", "0.0.0.0", MARTIAN),
            ("broadcast", "255.255.255.255", MARTIAN),
            ("multicast", "224.0.0.251", MARTIAN)):
        t.ws4("spoof4 %s, udp" % name, udp_packet(src, WEB4, 443),
              unseen)
        t.ws4("spoof4 %s, syn" % name, tcp_packet(src, WEB4, 80, f.SYN),
              unseen)
        t.ws4("spoof4 %s, syn to a listener" % name,
              tcp_packet(src, GW4, 9050, f.SYN), unseen)
        t.ws4("spoof4 %s, dns" % name, udp_packet(src, GW4, 53), unseen)
    for name, src, unseen in (
            ("the external address", EXT6, ""),
            ("the external router", ROUTER6, ""), ("an outsider", OTHER6, ""),
            ("link-local", "fe80::bad", SCOPE), ("unspecified", "::", SCOPE),
            ("v4-mapped", "::ffff:10.0.2.2", ""),
            ("unique local", "fd00::bad", ""),
            ("loopback", "::1", MARTIAN), ("multicast", "ff02::1", MARTIAN)):
        t.ws6("spoof6 %s, udp" % name, udp_packet(src, WEB6, 443), unseen)
        t.ws6("spoof6 %s, syn" % name, tcp_packet(src, WEB6, 80, f.SYN),
              unseen)
        t.ws6("spoof6 %s, syn to a listener" % name,
              tcp_packet(src, GW6, 9050, f.SYN),
              unseen if unseen == MARTIAN else "")


def workstation_special(t):
    for name, dst, unseen in (
            ("the external address", EXT4, ""),
            ("the external router", ROUTER4, ""),
            ("the external broadcast", "10.0.2.255", ""),
            ("loopback", "127.0.0.1", ""), ("metadata", METADATA, ""),
            ("multicast", "224.0.0.251", SCOPE),
            ("broadcast", "255.255.255.255", ""),
            ("the gateway", GW4, "")):
        t.ws4("to4 %s, udp" % name, udp_packet(WS4, dst, 443), unseen)
        if not name.endswith(("broadcast", "multicast")):
            t.ws4("to4 %s, syn" % name, tcp_packet(WS4, dst, 22, f.SYN),
                  unseen)
            t.ws4("to4 %s, echo" % name, icmp_packet(WS4, dst, 8, 0), unseen)
    for name, dst, unseen in (
            ("the external address", EXT6, ""),
            ("the external router", ROUTER6, ""),
            ("the external link-local", t.place.ll_ext, SCOPE),
            ("unique local", "fd00:1::1", ""),
            ("multicast", "ff02::fb", NO_GROUP),
            ("wide multicast", "ff0e::fb", SCOPE),
            ("v4-mapped", "::ffff:203.0.113.80", ""), ("loopback", "::1",
                                                       MARTIAN),
            ("the gateway", GW6, "")):
        t.ws6("to6 %s, udp" % name, udp_packet(WS6, dst, 443), unseen)
        if "multicast" not in name:
            t.ws6("to6 %s, syn" % name, tcp_packet(WS6, dst, 22, f.SYN),
                  unseen)
    for port in (9040, 9152, 9229, 22, 9051, 53):
        t.ws4("syn4 to the gateway's port %d" % port,
              tcp_packet(WS4, GW4, port, f.SYN))
    t.ws4("udp4 to DNSPort itself", udp_packet(WS4, GW4, 5300))
    t.ws6("udp6 to DNSPort itself", udp_packet(WS6, GW6, 5300))
    t.ws6("syn6 to TransPort itself", tcp_packet(WS6, GW6, 9040, f.SYN))
    for hops in (0, 1):
        t.ws4("ttl4 %d" % hops, udp_packet(WS4, WEB4, 443, ttl=hops), HOPS)
        t.ws6("hops6 %d" % hops, udp_packet(WS6, WEB6, 443, hops=hops), HOPS)
    t.ws4("ttl4 1 as an outsider", udp_packet(OTHER4, WEB4, 443, ttl=1))
    t.ws6("dhcpv6 to all servers", udp_packet("fe80::bad", "ff02::1:2", 547),
          NO_GROUP)


def workstation_frames(t):
    inner = udp_packet(WS4, WEB4, 443)
    t.bare("workstation", "vlan", lambda p, d, s: [f.eth(
        d, s, f.TYPE_VLAN, f.vlan(7, f.TYPE4, inner(p)))])
    t.bare("workstation", "vlan priority tag", lambda p, d, s: [f.eth(
        d, s, f.TYPE_VLAN, f.vlan(0, f.TYPE4, inner(p)))], "")
    t.bare("workstation", "qinq", lambda p, d, s: [f.eth(
        d, s, f.TYPE_QINQ, f.vlan(7, f.TYPE_VLAN, f.vlan(
            8, f.TYPE4, inner(p))))])
    t.bare("workstation", "llc", lambda p, d, s: [f.eth(
        b"\1\x80\xc2\0\0\0", s, 3 + 16, f.llc(p.token))])
    t.bare("workstation", "lldp", lambda p, d, s: [f.eth(
        b"\1\x80\xc2\0\0\x0e", s, 0x88cc, p.token)])
    t.bare("workstation", "pppoe", lambda p, d, s: [f.eth(
        d, s, 0x8863, b"\x11\x09\0\0\0\x10" + p.token)])
    t.bare("workstation", "experimental type", lambda p, d, s: [f.eth(
        d, s, 0x88b5, p.token)])
    t.bare("workstation", "arp for the external router", lambda p, d, s: [
        f.eth(f.BROADCAST, s, f.TYPE_ARP, f.arp(1, s, WS4, b"\0" * 6,
                                                ROUTER4, p.token))],
           "the kernel proxies no ARP")
    t.bare("workstation", ARP_OUTER, lambda p, d, s: [f.eth(
        f.BROADCAST, s, f.TYPE_ARP, f.arp(1, s, WS4, b"\0" * 6, EXT4,
                                          p.token))], "")
    t.bare("workstation", "broadcast frame to the web", lambda p, d, s: [
        f.eth(f.BROADCAST, s, f.TYPE4, inner(p))],
           "the kernel forwards no packet of a broadcast frame")


# --- from the outside ------------------------------------------------------

def outside_tcp(t):
    for port in (22, 80, 9040, 9050, 9051, 9190, 7701):
        t.out4("in4 syn %d to the gateway" % port,
               tcp_packet(ROUTER4, EXT4, port, f.SYN))
        t.out6("in6 syn %d to the gateway" % port,
               tcp_packet(ROUTER6, EXT6, port, f.SYN))
    for port in (9040, 9050):
        t.out4("in4 syn %d to the internal address" % port,
               tcp_packet(ROUTER4, GW4, port, f.SYN))
        t.out6("in6 syn %d to the internal address" % port,
               tcp_packet(ROUTER6, GW6, port, f.SYN))
    for name, flags in FLAGS.items():
        t.out4("in4 %s to the workstation" % name,
               tcp_packet(WEB4, WS4, 40000, flags))
        t.out6("in6 %s to the workstation" % name,
               tcp_packet(WEB6, WS6, 40000, flags))
    t.out4("in4 syn to loopback", tcp_packet(ROUTER4, "127.0.0.1", 9050,
                                             f.SYN))
    t.out4("in4 syn-ack as a relay", tcp_packet(RELAY4, EXT4, 40001,
                                                f.SYN | f.ACK))
    t.out4("in4 ack as a relay", tcp_packet(RELAY4, EXT4, 40001, f.ACK))


def outside_mapped(t):
    """As the far end of a flow that is open: CVE-2019-14899."""
    for name, flags in (("syn-ack", f.SYN | f.ACK), ("ack", f.ACK),
                        ("rst", f.RST)):
        for src, sport, dst in ((WEB4, 80, WS4), (GW4, 9040, WS4),
                                (WEB6, 80, WS6), (GW6, 9040, WS6)):
            family = "6" if ":" in dst else "4"
            ip = f.ip6 if family == "6" else f.ip4
            out = t.out6 if family == "6" else t.out4
            port = FLOW_PORT + FLOWS.index("trans" + family)
            out("in%s %s for a held flow, as %s" % (
                family, name, "the web" if sport == 80 else "TransPort"),
                lambda p, s=src, sp=sport, d=dst, fl=flags, i=ip, to=port: i(
                    s, d, f.TCP, f.tcp(s, d, sp, to, fl, p.seq, p.token,
                                       p.seq)))


def outside_other(t):
    for name, port in (("dns", 53), ("dhcp client", 68), ("DNSPort", 5300),
                       ("random", PORT_RANDOM)):
        t.out4("in4 udp %s to the gateway" % name,
               udp_packet(ROUTER4, EXT4, port))
        t.out6("in6 udp %s to the gateway" % name,
               udp_packet(ROUTER6, EXT6, port))
    t.out4("in4 udp to the workstation", udp_packet(WEB4, WS4, 40000))
    t.out6("in6 udp to the workstation", udp_packet(WEB6, WS6, 40000))
    t.out4("in4 udp as the workstation", udp_packet(WS4, WEB4, 443))
    t.out4("in4 syn as the workstation", tcp_packet(WS4, GW4, 9050, f.SYN))
    t.out4("in4 udp to multicast", udp_packet(ROUTER4, "224.0.0.251", 5353),
           NO_GROUP)
    t.out4("in4 echo", icmp_packet(ROUTER4, EXT4, 8, 0))
    t.out6("in6 echo", icmp_packet(ROUTER6, EXT6, 128, 0))
    t.out4("in4 echo to the workstation", icmp_packet(WEB4, WS4, 8, 0))
    t.out6("in6 echo to the workstation", icmp_packet(WEB6, WS6, 128, 0))
    t.out4("in4 timestamp", icmp_packet(ROUTER4, EXT4, 13, 0))
    t.out4("in4 redirect", icmp_packet(ROUTER4, EXT4, 5, 1))
    t.out4("in4 frag-needed, forged", icmp_packet(
        ROUTER4, EXT4, 3, 4, tcp_packet(EXT4, RELAY4, 5000, f.ACK)))
    t.out6("in6 too-big, forged", icmp_packet(
        ROUTER6, EXT6, 2, 0, tcp_packet(EXT6, WEB6, 5000, f.ACK)))
    t.out4("in4 unreachable for the workstation", icmp_packet(
        WEB4, WS4, 3, 1, tcp_packet(WS4, WEB4, 80, f.SYN)))
    for proto in (2, 4, 41, 47, 132):
        t.out4("in4 proto %d" % proto, raw_packet(ROUTER4, EXT4, proto))
    t.out4("in4 fragments", lambda p: [
        f.ip4(ROUTER4, EXT4, f.UDP, f.udp(ROUTER4, EXT4, p.sport, 443,
              p.token)[:16], ident=p.ident, frag=f.MORE),
        f.ip4(ROUTER4, EXT4, f.UDP, p.token[-8:], ident=p.ident, frag=2)])
    t.bare("outside", ARP_INNER, lambda p, d, s: [
        f.eth(f.BROADCAST, s, f.TYPE_ARP, f.arp(1, s, ROUTER4, b"\0" * 6,
                                                GW4, p.token))], "")
    t.bare("outside", "in ns for the internal address", lambda p, d, s: [
        f.eth(d, s, f.TYPE6, f.ip6(ROUTER6, EXT6, f.ICMP6, f.icmp6(
            ROUTER6, EXT6, 135, 0, b"\0" * 4, f.pton(GW6)), 255))],
           NO_ANSWER)
    t.bare("outside", "in vlan", lambda p, d, s: [f.eth(
        d, s, f.TYPE_VLAN, f.vlan(7, f.TYPE4, udp_packet(
            ROUTER4, EXT4, 443)(p)))])


# --- users of the gateway --------------------------------------------------

def order(do, **more):
    return lambda p: dict(more, do=do, token=p.token, sport=p.sport,
                          ident=p.ident)


def packet_socket(place, mark):
    def make(p):
        return {"do": "packet", "iface": "eth0", "mark": mark, "frames": [
            f.eth(place.mac_inet, place.mac_ext, f.TYPE4, f.ip4(
                EXT4, WEB4, f.TCP, f.tcp(EXT4, WEB4, p.sport, 80, f.SYN,
                                         p.seq, p.token))),
            f.eth(place.mac_inet, place.mac_ext, f.TYPE6, f.ip6(
                EXT6, WEB6, f.UDP, f.udp(EXT6, WEB6, p.sport, 53,
                                         p.token))),
            f.eth(f.BROADCAST, place.mac_ext, 0x88b5, p.token)]}
    return make


def gateway_user(t, user, is_tor):
    strict = "strict" if is_tor else ""

    def add(name, make, needs="", unseen=""):
        t.append(Class("%s: %s" % (user, name), "uid " + user, make, unseen,
                       needs))
    for family, web, dns in (("4", WEB4, DNS4), ("6", WEB6, WEB6)):
        add("tcp" + family, order("tcp", to=web, port=80), strict)
        add("tcp%s marked" % family, order("tcp", to=web, port=80,
                                           mark=MARKS), strict)
        add("udp%s 53" % family, order("udp", to=dns, port=53))
        add("udp%s 443 marked" % family, order("udp", to=web, port=443,
                                               mark=MARKS))
        add("icmp" + family, order("icmp", to=web))
        add("raw ip" + family, order("raw", to=web, proto=253))
    if not is_tor:
        add("tcp4 to a relay", order("tcp", to=RELAY4, port=5000))
        add("packet socket", packet_socket(t.place, 0))
        add("packet socket, marked", packet_socket(t.place, MARKS))
    add("udp4 as the workstation", order("raw", to=WEB4, proto=f.UDP,
                                         src=WS4, dport=443))
    add("udp4 broadcast", order("udp", to="10.0.2.255", port=PORT_RANDOM))
    add("udp4 multicast", order("udp", to="224.0.0.251", port=5353,
                                iface="eth0"))
    add("udp6 multicast", order("udp", to="ff02::fb", port=5353,
                                iface="eth0"))


# --- Tor's own ports -------------------------------------------------------

def tor_ports(t):
    """Towards each listener; a decoy is bound there while Tor is not."""
    for source, name in (("client", "a program"), ("uid user", "gateway")):
        for proto, address, port in LISTENERS:
            if source == "client" and address == "127.0.0.1":
                continue
            if source == "uid user" and address == GW6:
                continue
            t.append(Class("%s: %s port %s %d" % (
                name, proto, "IPv6" if ":" in address else address, port),
                source, order(proto, to=address, port=port), "", "decoy"))
    t.append(Class("a program: the web, redirected", "client",
                   order("tcp", to=WEB4, port=80), "", "decoy"))
    t.append(Class("a program: the web, redirected, IPv6", "client",
                   order("tcp", to=WEB6, port=80), "", "decoy"))
    t.append(Class("a program: dns, redirected", "client",
                   order("udp", to=DNS4, port=53), "", "decoy"))


def flows(t):
    for name in FLOWS:
        t.append(Class("held flow: " + name, "flow", lambda p: p, "",
                       "flow"))


def every_class(place, users, tor_user):
    """The whole table, in the order of the report."""
    t = Table(place)
    for part in (workstation_tcp, workstation_udp, workstation_icmp,
                 workstation_raw, workstation_fragments, workstation_options,
                 workstation_ext6, workstation_spoofed, workstation_special,
                 workstation_frames, outside_tcp, outside_mapped,
                 outside_other):
        part(t)
    for user in users:
        gateway_user(t, user, user == tor_user)
    tor_ports(t)
    flows(t)
    names = [c.name for c in t]
    assert len(set(names)) == len(names), "two classes of one name"
    return list(t)
