"""The probes: one suite, whatever the policy and the position."""
import struct

import frames as f
from mutant_city import (BARE4, BARE6, FAR4, FAR6, NOWHERE, OTHER4,
                         PER_RUN)
from mutant_dns import names
from mutant_old import memberships, old_flows, orphans, refused
from mutant_probes import (BOTH_MARKS, CLEAR, CLOCK, EGRESS_MARK, ENGINE,
                           EXT4, EXT6, GATE, GATE_MARK, GW4, GW6, LATE_TTL,
                           LIAR_TTL, MOVED_PORT, NOBODY, NTP, ODD4, ODD6,
                           OUT4, OUT6, PEER4, PEER6, ROOT, SHORT_TTL, STATUS,
                           TOR, TUN4, TUN6, V4, V6, VIF4, WS4, WS6, ip,
                           l4_tcp)

LL6 = "fe80::77"
ND = {"rs": 133, "ra": 134, "ns": 135, "na": 136}
MH = 135


class Probe:
    """SEND(run, n) sends; errors() quotes what the gateway sent to FAR."""

    def __init__(self, name, send, role="gw", own=None, far=None):
        self.name, self.send, self.role = name, send, role
        self.own, self.far = own, far

    def errors(self, run, flow, iface):
        """Of a router beyond IFACE, about the packets of this flow."""
        if self.own is None:
            return
        here = (self.own, run.city.base + flow.n)
        far = self.far
        if self.role == "out":
            here, far = (self.own, far[1]), (far[0], here[1])
        l4 = f.tcp if flow.tcp else f.udp
        inner = l4(here[0], far[0], here[1], far[1], *(
            (f.ACK, 1) if flow.tcp else (b"",)))
        if ":" in self.own:
            quote = f.ip6(here[0], far[0], f.TCP if flow.tcp else f.UDP,
                          inner)
            router = V6[iface][1]
            for kind, rest in ((1, 0), (2, 1400), (3, 0)):
                yield f.ip6(router, self.own, f.ICMP6, f.icmp6(
                    router, self.own, kind, 0, struct.pack("!I", rest),
                    quote))
            return
        quote = f.ip4(here[0], far[0], f.TCP if flow.tcp else f.UDP, inner)
        router = V4[iface][1]
        for kind, code in ((3, 1), (3, 4), (11, 0), (11, 4)):
            yield f.ip4(router, self.own, f.ICMP, f.icmp4(
                kind, code, struct.pack("!HH", 0, 1400), quote))


class Suite(list):
    def add(self, name, send, **more):
        self.append(Probe(name, send, **more))

    # --- sockets ---

    def call(self, who, role, uid, to, tcp=True, **more):
        address, port = to
        words = "%s to %s%s.%d" % (who, "" if tcp else "udp:", address, port)
        keep = {k: more.pop(k) for k in ("own", "far") if k in more}
        words += "".join(" %s=%s" % pair for pair in sorted(more.items()))
        self.add(words, lambda run, n: run.call(
            n, role, uid, address, port, tcp, **more), role=role, **keep)

    def datagram(self, who, uid, to, iface):
        self.add("%s to %s" % (who, to[0]), lambda run, n: run.datagram(
            n, uid, *to, iface))

    # --- frames ---

    def frame(self, name, iface, make):
        """MAKE(sport, token) gives a packet or several."""
        def send(run, n):
            made = make(run.city.base + n, run.city.token(n))
            for packet in made if isinstance(made, list) else [made]:
                run.frame(iface, packet)
        self.add("%s on %s" % (name, iface), send, role="frame")

    def raw(self, name, uid, proto, to, make, **more):
        words = "".join(" %s=%s" % pair for pair in sorted(more.items()))
        self.add("raw %s of %d to %s%s" % (name, uid, to, words),
                 lambda run, n: run.raw(
                     n, uid, proto, to, make(run.city.base + n,
                                             run.city.token(n)), **more))

    def packet(self, name, uid, iface, make, **more):
        words = "".join(" %s=%x" % pair for pair in sorted(more.items()))
        self.add("frame of %d, %s, by %s%s" % (uid, name, iface, words),
                 lambda run, n: run.packet(
                     n, uid, iface, make(run.city.base + n,
                                         run.city.token(n)), **more))


def tcp(src, dst, port, flags=f.SYN, hops=64, sport=None):
    return lambda own, token: ip(src, dst, f.TCP, f.tcp(
        src, dst, sport or own, port, flags, 7, token,
        9 if flags & f.ACK else 0), hops)


def udp(src, dst, port, sport=None, hops=64):
    return lambda own, token: ip(src, dst, f.UDP, f.udp(
        src, dst, sport or own, port, token), hops)


def icmp(src, dst, kind, code=0, hops=64):
    def make(own, token):
        rest = struct.pack("!HH", own, 1)
        if ":" in dst:
            return f.ip6(src, dst, f.ICMP6, f.icmp6(src, dst, kind, code,
                                                    rest, token), hops)
        return f.ip4(src, dst, f.ICMP, f.icmp4(kind, code, rest, token),
                     hops)
    return make


def other_ip(src, dst, kind, code=0, hops=64):
    """The ICMP that belongs into the other IP."""
    return lambda own, token: ip(
        src, dst, f.ICMP if ":" in dst else f.ICMP6, f.icmp4(
            kind, code, struct.pack("!HH", own, 1), token), hops)


def nd_body(src, dst, kind, code, token, target):
    rest = b"\0" * 4
    body = b"" if kind in (133,) else b"\0" * 8 if kind == 134 else \
        f.pton(target)
    # a nonce option (RFC 3971), which the kernel skips
    option = bytes([14, 2]) + (token + b"\0" * 14)[:14]
    return f.icmp6(src, dst, kind, code, rest, body + option)


def nd(iface, word, inward, src=None, code=0, hops=255):
    here, there = V6[iface]
    if inward:
        src, dst = src or there, here
    else:
        src, dst = src or here, there
    kind = ND[word]
    return lambda own, token: f.ip6(src, dst, f.ICMP6, nd_body(
        src, dst, kind, code, token, dst if inward else there), hops)


def nd_afar(src, word, code, hops):
    return lambda own, token: f.ip6(src, FAR6, f.ICMP6, nd_body(
        src, FAR6, ND[word], code, token, FAR6), hops)


# --- from the workstations -------------------------------------------------

def workstation_calls(s):
    for port in (9050, 9040, 9108, 22, 9051, 9997, 9998, 9999):
        for to in (GW4, GW6):
            s.call("ws", "ws", ROOT, (to, port))
    for port in (5300, 9050, 9998, 9999, 9051, 22, 53):
        for to in (GW4, GW6):
            s.call("ws", "ws", ROOT, (to, port), tcp=False)
    for to in ((FAR4, 80), (FAR6, 80), (FAR4, 443), (OUT4, 443),
               (EXT4, 22), (EXT4, 9051)):
        s.call("ws", "ws", ROOT, to)
    for to in ((FAR4, 53), (FAR6, 53), (FAR4, 123), (FAR6, 123), (EXT4, 22)):
        s.call("ws", "ws", ROOT, to, tcp=False)
    for src, to in ((WS4, VIF4), (WS6, V6["vif7"][0])):
        s.frame("DNS to %s, where nobody listens" % to, "ws0",
                udp(src, to, 5300))
    other = {"iface": "vif8", "src": "10.137.0.50"}
    for to in ((GW4, 9050), (FAR4, 80), (VIF4, 9051), (VIF4, 9999),
               (GW4, 9108), (GW4, 9051), (VIF4, 9050)):
        s.call("vif", "ws", ROOT, to, **other)
    for to in ((FAR4, 53), (FAR4, 123), (GW4, 5300), (VIF4, 9999),
               (GW4, 9998)):
        s.call("vif", "ws", ROOT, to, tcp=False, **other)
    six = {"iface": "vif8", "src": "fd37::50"}
    for to in ((GW6, 9050), (FAR6, 80)):
        s.call("vif", "ws", ROOT, to, **six)
    for to in ((FAR6, 53), (FAR6, 123)):
        s.call("vif", "ws", ROOT, to, tcp=False, **six)


def forged(s):
    """Sources that are not where the packet comes from."""
    for iface, source4, source6 in (
            ("ws0", FAR4, FAR6), ("ws0", "10.137.0.50", "fd37::50"),
            ("vif7", WS4, WS6), ("vif7", OUT4, OUT6)):
        for port in (9050, 9999, 9051):
            s.frame("SYN from %s to .%d" % (source4, port), iface,
                    tcp(source4, GW4, port))
            s.frame("SYN from %s to .%d" % (source6, port), iface,
                    tcp(source6, GW6, port))
        s.frame("UDP from " + source4, iface, udp(source4, GW4, 9999))
        s.frame("UDP from " + source6, iface, udp(source6, GW6, 9999))
        s.frame("UDP elsewhere from " + source4, iface, udp(
            source4, "203.0.113.7", 123))
        s.frame("DNS from " + source4, iface, udp(source4, FAR4, 53))
        s.frame("elsewhere from " + source4, iface, tcp(source4, FAR4, 80))
    s.frame("filter from a foreign net", "ws0", tcp("10.152.153.9", GW4,
                                                    9051))
    s.frame("filter from another workstation", "ws0",
            tcp(OTHER4, GW4, 9051))
    for iface, source, to in (("tun0", OUT4, TUN4), ("tun0", OUT6, TUN6),
                              ("ext0", PEER4, EXT4), ("ext0", PEER6, EXT6)):
        s.frame("SYN to ssh from " + source, iface, tcp(source, to, 22))
        for port in (9997, 9998, 9999):
            s.frame("SYN to .%d from %s" % (port, source), iface,
                    tcp(source, to, port))
            s.frame("UDP to .%d from %s" % (port, source), iface,
                    udp(source, to, port))
    s.frame("UDP to peers from afar", "tun0", udp(FAR4, TUN4, 9999))


def odd_flows(s):
    for name, flags in (("ACK", f.ACK), ("FIN", f.FIN | f.ACK),
                        ("RST", f.RST), ("SYN-ACK", f.SYN | f.ACK),
                        ("nothing", 0), ("SYN-FIN", f.SYN | f.FIN)):
        for port in (9050, 9999):
            s.frame("%s to .%d" % (name, port), "ws0",
                    tcp(WS4, GW4, port, flags))
        s.frame(name + " to elsewhere", "ws0", tcp(WS4, FAR4, 80, flags))
        s.frame(name + " to elsewhere", "vif7",
                tcp("10.137.0.50", FAR4, 80, flags))
        s.frame(name + " to IPv6", "ws0", tcp(WS6, GW6, 9050, flags))
        s.frame(name + " to IPv6 elsewhere", "ws0", tcp(WS6, FAR6, 80, flags))
        s.frame(name + " outside", "ext0", tcp(OUT4, EXT4, 22, flags))
        s.frame(name + " outside", "tun0", tcp(PEER4, TUN4, 9999, flags))
    for port in (9150, 9041, 9108, 9999, 9050):
        s.frame("SYN to loopback.%d" % port, "ws0",
                tcp(WS4, "127.0.0.1", port))
        for iface in ("vif7", "ext0", "tun0"):
            s.frame("SYN to loopback.%d" % port, iface,
                    tcp(V4[iface][1], "127.0.0.1", port))
    s.frame("DNS to loopback", "ws0", udp(WS4, "127.0.0.1", 5400))
    for iface in ("ws0", "vif7", "ext0", "tun0"):
        s.frame("UDP to loopback", iface, udp(V4[iface][1], "127.0.0.1",
                                              9999))


def split4(packet_of, at=16):
    """The packet in two fragments."""
    def make(own, token):
        whole = packet_of(own, token)
        l4, src, dst = whole[20:], f.ntop(whole[12:16]), f.ntop(
            whole[16:20])
        ident = own
        return [f.ip4(src, dst, whole[9], l4[:at], 64, ident, f.MORE),
                f.ip4(src, dst, whole[9], l4[at:], 64, ident, at // 8)]
    return make


def strange(s):
    for iface, src, src6 in (("ws0", WS4, WS6),
                             ("vif7", "10.137.0.50", "fd37::50")):
        for port in (9050, 9051):
            s.frame("SYN in two, .%d" % port, iface,
                    split4(tcp(src, GW4, port)))
        s.frame("UDP in two", iface, split4(udp(src, GW4, 9999), 8))
        for name, option in (("LSRR", b"\x83\x07\x04" + f.pton(GW4)),
                             ("RR", b"\x07\x07\x04" + b"\0" * 4)):
            s.frame("option " + name, iface, lambda own, token, o=option,
                    a=src: f.ip4(a, GW4, f.TCP, f.tcp(
                        a, GW4, own, 9050, f.SYN, 7, token), options=o))
        headers(s, iface, src6)


def honest(s):
    """Fragments and options from outside are the kernel's matter."""
    s.frame("SYN to ssh in two", "ext0", split4(tcp(OUT4, EXT4, 22)))
    s.frame("UDP to peers in two", "tun0", split4(udp(PEER4, TUN4, 9999), 8))


def headers(s, iface, src6):
    def behind(header, body):
        def make(own, token):
            inner = f.tcp(src6, GW6, own, 9050, f.SYN, 7, token)
            return f.ip6(src6, GW6, header, f.extension(f.TCP, body) + inner)
        return make

    s.frame("hop-by-hop", iface, behind(f.HBH, b""))
    s.frame("destination options", iface, behind(f.DSTOPTS, b""))
    s.frame("routing header", iface, behind(f.ROUTING, bytes(6)))
    s.frame("one fragment", iface, lambda own, token: f.ip6(
        src6, GW6, f.FRAGMENT, f.fragment6(f.TCP, 0, 0, own) +
        f.tcp(src6, GW6, own, 9050, f.SYN, 7, token)))
    s.frame("two fragments", iface, lambda own, token: [
        f.ip6(src6, GW6, f.FRAGMENT, f.fragment6(f.TCP, 0, 1, own) +
              f.tcp(src6, GW6, own, 9050, f.SYN, 7, token)[:24]),
        f.ip6(src6, GW6, f.FRAGMENT, f.fragment6(f.TCP, 24, 0, own) +
              f.tcp(src6, GW6, own, 9050, f.SYN, 7, token)[24:])])
    s.frame("mobility header", iface, lambda own, token: f.ip6(
        src6, GW6, MH, f.with_sum(src6, GW6, MH, f.extension(
            f.NONE6, b"\0\0\0\0" + token), 4)))


def liars(s):
    """Marked by somebody else's table before or after ours see them."""
    for iface in V4:
        here, there = V4[iface]
        here6, there6 = V6[iface]
        for word, ttl in (("marked", LIAR_TTL), ("marked late", LATE_TTL)):
            for port in (9050, 9051, 9999, 22):
                s.frame("%s SYN to .%d" % (word, port), iface,
                        tcp(there, here, port, hops=ttl))
            s.frame(word + " SYN to IPv6", iface,
                    tcp(there6, here6, 9999, hops=ttl))
            s.frame(word + " SYN to Tor", iface,
                    tcp(there, GW4, 9050, hops=ttl))
            s.frame(word + " UDP on", iface, udp(there, FAR4, 123,
                                                 hops=ttl))
    for make in (udp, tcp):
        s.frame("short cut of " + make.__name__, "ws0",
                make(WS4, FAR4, 123, hops=SHORT_TTL))
    for to, far in ((EXT4, OUT4), (EXT6, OUT6), (TUN4, PEER4),
                    (TUN6, PEER6)):
        s.call("caller of another port", "out", ROOT, (to, MOVED_PORT),
               src=far)


def odd_interface(s):
    """One that no policy names."""
    here, there = ODD4
    here6, there6 = ODD6
    for port in (22, 9051, 9999, 9050):
        s.frame("SYN to .%d" % port, "odd0", tcp(there, here, port))
        s.frame("IPv6 SYN to .%d" % port, "odd0", tcp(there6, here6, port))
    for to in (GW4, "127.0.0.1"):
        for port in (9050, 9108, 9999):
            s.frame("SYN to %s.%d" % (to, port), "odd0",
                    tcp(there, to, port))
    for to in ((there, 80), (there6, 80), (there, 22)):
        s.call("uid 0", "gw", ROOT, to)
        s.call("uid 0", "gw", ROOT, to, mark=BOTH_MARKS)
    for to in ((there, 53), (there6, 53), (there, 123)):
        s.call("uid 0", "gw", ROOT, to, tcp=False)


def link_noise(s):
    for iface in V4:
        here, there = V6[iface]
        for word in ("ns", "na"):
            for code, hops in ((0, 255), (0, 64), (1, 255)):
                s.frame("%s to afar %d/%d" % (word, code, hops), iface,
                        nd_afar(there, word, code, hops))
        s.frame("echo to afar", iface, icmp(there, FAR6, 128, hops=255))
        for word, kind in ND.items():
            for src in (there, LL6):
                s.frame("%s from %s" % (word, src), iface,
                        nd(iface, word, True, src))
            s.frame(word + " forwarded", iface,
                    nd(iface, word, True, LL6, hops=254))
            s.frame(word + " code 1", iface,
                    nd(iface, word, True, LL6, code=1))
            s.frame(word + " as IPv4", iface, other_ip(
                V4[iface][1], V4[iface][0], kind, hops=255))
        s.frame("redirect", iface, icmp(LL6, here, 137, hops=255))
        for kind, code in ((128, 0), (128, 1), (129, 0), (1, 0), (2, 0)):
            s.frame("ICMPv6 %d/%d" % (kind, code), iface,
                    icmp(there, here, kind, code))
        for kind, code in ((8, 0), (8, 1), (0, 0), (3, 1), (3, 4), (13, 0),
                           (128, 0)):
            s.frame("ICMP %d/%d" % (kind, code), iface, icmp(
                V4[iface][1], V4[iface][0], kind, code))
        for kind in (8, 3):
            s.frame("ICMP %d in IPv6" % kind, iface, other_ip(there, here,
                                                              kind))
        for kind in (1, 2, 128):
            s.frame("ICMPv6 %d in IPv4" % kind, iface, other_ip(
                V4[iface][1], V4[iface][0], kind))
        for sport, dport in ((67, 68), (67, 69), (66, 68)):
            s.frame("DHCP %d to %d" % (sport, dport), iface, udp(
                V4[iface][1], V4[iface][0], dport, sport))
            s.frame("DHCP over IPv6, %d to %d" % (sport, dport), iface,
                    udp(there, here, dport, sport))
        s.frame("DHCP over TCP", iface, tcp(V4[iface][1], V4[iface][0], 68,
                                            sport=67))
        s.frame("protocol 253", iface, lambda own, token, i=iface: f.ip4(
            V4[i][1], V4[i][0], 253, token))
        s.frame("protocol 253, IPv6", iface, lambda own, token, i=iface:
                f.ip6(V6[i][1], V6[i][0], 253, token))


# --- from outside ----------------------------------------------------------

def outside_calls(s):
    for to in (EXT4, EXT6):
        for port in (22, 9051, 9999, 9050, 9040, 5300):
            for tcp_ in (True, False):
                s.call("out", "out", ROOT, (to, port), tcp=tcp_, own=to,
                       far=(OUT6 if ":" in to else OUT4, port))
    for to in (BARE4, BARE6, TUN4, TUN6):
        for far in (OUT6, PEER6) if ":" in to else (OUT4, PEER4):
            s.frame("UDP from %s to deaf %s" % (far, to), "tun0",
                    udp(far, to, 9998))
    for to, far in ((TUN4, PEER4), (TUN6, PEER6)):
        s.call("peer", "out", ROOT, (to, 9997), src=far)
    s.call("out", "out", ROOT, (EXT4, 22), src=FAR4)
    s.call("out", "out", ROOT, (EXT6, 22), src=FAR6)
    for port in (22, 9999, 9050):
        s.call("peer", "out", ROOT, (TUN4, port), src=PEER4, own=TUN4,
               far=(PEER4, port))
        s.call("peer", "out", ROOT, (TUN6, port), src=PEER6)
        s.call("far peer", "out", ROOT, (TUN4, port), src=FAR4)
        s.call("peer", "out", ROOT, (TUN4, port), tcp=False, src=PEER4)
    for port in (9050, 9040, 9108):
        s.call("out", "out", ROOT, (GW4, port))
        s.call("out", "out", ROOT, (GW6, port))
        s.frame("SYN to Tor .%d" % port, "tun0", tcp(PEER4, GW4, port))
    s.call("out", "out", ROOT, (GW4, 5300), tcp=False)
    for iface, src in (("ext0", OUT4), ("tun0", PEER4), ("ws0", WS4)):
        s.frame("forward UDP", iface, udp(src, FAR4 if iface == "ws0" else
                                          WS4, 7))
        s.frame("forward SYN", iface, tcp(src, "10.137.0.50", 7))
        s.frame("forward ICMP", iface, icmp(src, "10.137.0.50", 8))
    for iface in ("ws0", "vif7"):
        s.frame("dying UDP", iface, udp(V4[iface][1], FAR4, 123, hops=1))
        s.frame("dying IPv6 UDP", iface, udp(V6[iface][1], FAR6, 123,
                                             hops=1))
        s.frame("UDP to nowhere", iface, udp(V4[iface][1], NOWHERE[0], 123))
        s.frame("IPv6 UDP to nowhere", iface, udp(V6[iface][1], NOWHERE[1],
                                                  123))
    s.frame("broadcast", "ws0", udp(WS4, "10.152.152.255", 5300))
    s.frame("multicast", "ws0", udp(WS6, "ff02::1", 5300))
    s.frame("forward IPv6", "ext0", udp(OUT6, WS6, 7))
    s.frame("forward IPv6 SYN", "tun0", tcp(PEER6, "fd37::50", 7))


# --- from the gateway's users ----------------------------------------------

def gateway_calls(s):
    def far(uid, to, tcp_=True, **more):
        own = {OUT4: EXT4, FAR4: EXT4, OUT6: EXT6, FAR6: EXT6, PEER4: TUN4,
               PEER6: TUN6}[to[0]]
        s.call("uid %d" % uid, "gw", uid, to, tcp=tcp_, own=own, far=to,
               **more)

    for uid in (TOR, CLEAR, NTP, CLOCK, ROOT, NOBODY, GATE, ENGINE, STATUS):
        for to in ((OUT4, 443), (FAR4, 443), (PEER4, 443), (FAR6, 443)):
            far(uid, to)
        for to in ((OUT4, 123), (PEER4, 123), (FAR4, 53), (FAR6, 53)):
            far(uid, to, False)
        s.call("uid %d" % uid, "gw", uid, (WS4, 7))
        s.call("uid %d" % uid, "gw", uid, (WS6, 7))
        s.call("uid %d" % uid, "gw", uid, (WS4, 7), tcp=False)
    for uid in (TOR, CLEAR, NTP):
        for to in ((OUT4, 9001), (OUT6, 9001), (PEER6, 443)):
            far(uid, to)
        for port in (443, 8005, 8011, 8012):
            far(uid, (OUT4, port), False)
        far(uid, (OUT6, 123), False)
        far(uid, (FAR4, 123), False)
        far(uid, (OUT4, 53), False)
        far(uid, (OUT6, 53), False)
        for to in (OUT4, OUT6):
            far(uid, (to, 53))
            far(uid, (to, 53), False, iface="tun0")
        far(uid, (PEER4, 53), False)
        far(uid, (OUT4, 123))
        far(uid, (OUT4, 8005))
        far(uid, (PEER4, 8005))
    for to in ((FAR6, 123), (FAR6, 8005), (FAR4, 8005), (OUT6, 8005),
               (OUT6, 8011), (OUT6, 8012), (OUT6, 443), (PEER6, 123)):
        far(NTP, to, False)
    for to in (OUT4, OUT6):
        for port in (53, 8005):
            s.raw("ACK to .%d" % port, NTP, f.TCP, to, l4_tcp(
                EXT6 if ":" in to else EXT4, to, None, port))
    for to in ((PEER4, 53), (PEER6, 53), (OUT4, 53), (OUT6, 53)):
        far(ROOT, to, False)
    far(ROOT, (OUT6, 8005), False)
    far(ROOT, (OUT6, 123), False)
    far(TOR, (PEER6, 443), False)
    # Tor's own end may have the number of a listener's port.
    far(TOR, (OUT4, 443), src=EXT4, sport=9040)
    far(TOR, (OUT6, 9001), src=EXT6, sport=9040)
    for uid in (ROOT, TOR, NTP):
        far(uid, (OUT4, 443), mark=BOTH_MARKS)
        far(uid, (OUT4, 53), False, mark=EGRESS_MARK)
        far(uid, (FAR4, 80), iface="ext0")
    s.call("root", "gw", ROOT, ("10.137.0.50", 7), tcp=False)
    s.call("root", "gw", ROOT, ("10.137.0.50", 7), mark=BOTH_MARKS)


def local_calls(s):
    for uid in (ROOT, CLOCK, NOBODY, TOR):
        for to in (("127.0.0.1", 9150), ("::1", 9150), ("127.0.0.1", 9041),
                   ("127.0.0.1", 9108), ("::1", 9108), (GW4, 9050),
                   (GW6, 9050), (GW4, 9040), (GW4, 9108), (GW6, 9108),
                   ("127.0.0.1", 9999), (GW4, 9999)):
            s.call("uid %d" % uid, "gw", uid, to)
        for to in (("127.0.0.1", 5400), ("::1", 5400), (GW4, 5300),
                   (GW6, 5300), ("127.0.0.1", 9999)):
            s.call("uid %d" % uid, "gw", uid, to, tcp=False)
    s.call("marked", "gw", ROOT, ("127.0.0.1", 9150), mark=GATE_MARK)
    s.call("marked", "gw", ROOT, (GW4, 9050), mark=BOTH_MARKS)
    # the heartbeat's ports, from others, and others from the heartbeat's
    for uid, port in ((ROOT, 7701), (ROOT, 7702), (ROOT, 7703), (GATE, 9999)):
        s.raw("heartbeat to .%d" % port, uid, f.UDP, "127.0.0.1",
              lambda own, token, p=port: f.udp("127.0.0.1", "127.0.0.1",
                                               7700, p, token))
    s.raw("TCP heartbeat", ROOT, f.TCP, "127.0.0.1",
          lambda own, token: f.tcp("127.0.0.1", "127.0.0.1", 7700, 9999,
                                   f.SYN, 7, token))
    # as if a listener answered
    for sport in (9050, 9150):
        s.raw("answer from .%d" % sport, ROOT, f.TCP, "127.0.0.1",
              lambda own, token, p=sport: f.tcp(
                  "127.0.0.1", "127.0.0.1", p, own, f.ACK, 7, token))


def raw_sockets(s):
    for here, there in ((EXT4, OUT4), (TUN4, PEER4)):
        for sport in (22, 9997, 9998, 9999, 123):
            s.raw("marked TCP from .%d" % sport, ROOT, f.TCP, there,
                  l4_tcp(here, there, sport, None), mark=EGRESS_MARK)
            s.raw("marked UDP from .%d" % sport, ROOT, f.UDP, there,
                  lambda own, token, a=here, b=there, p=sport: f.udp(
                      a, b, p, own, token), mark=EGRESS_MARK)
    for iface in V4:
        here, there = V6[iface]
        for word, kind in ND.items():
            s.raw(word, ROOT, f.ICMP6, there, lambda own, token, h=here,
                  t=there, k=kind: nd_body(h, t, k, 0, token, t), hops=255)
            s.raw(word + " code 1", ROOT, f.ICMP6, there,
                  lambda own, token, h=here, t=there, k=kind:
                  nd_body(h, t, k, 1, token, t), hops=255)
            s.raw(word, ROOT, f.ICMP6, there, lambda own, token, h=here,
                  t=there, k=kind: nd_body(h, t, k, 0, token, t), hops=64)
        here4, there4 = V4[iface]
        for uid in (ROOT, TOR, CLEAR):
            s.raw("ping", uid, f.ICMP, there4, lambda own, token: f.icmp4(
                8, 0, struct.pack("!HH", own, 1), token))
            s.raw("pong", uid, f.ICMP, there4, lambda own, token: f.icmp4(
                0, 0, struct.pack("!HH", own, 1), token))
            s.raw("pong6", uid, f.ICMP6, there, lambda own, token, h=here,
                  t=there: f.icmp6(h, t, 129, 0,
                                   struct.pack("!HH", own, 1), token))
            s.raw("reset", uid, f.TCP, there4, lambda own, token, h=here4,
                  t=there4: f.tcp(h, t, 9050, own, f.RST, 7, token))
            s.raw("SYN-ACK from ssh", uid, f.TCP, there4,
                  lambda own, token, h=here4, t=there4: f.tcp(
                      h, t, 22, own, f.SYN | f.ACK, 7, token))
            s.raw("prohibited", uid, f.ICMP, there4, lambda own, token:
                  f.icmp4(3, 13, b"\0" * 4, b"\x45" + bytes(27) + token))
            s.raw("prohibited6", uid, f.ICMP6, there,
                  lambda own, token, h=here, t=there: f.icmp6(
                      h, t, 1, 1, b"\0" * 4, b"\x60" + bytes(39) + token))
        for sport, dport in ((68, 67), (68, 66), (69, 67)):
            s.raw("DHCP %d to %d" % (sport, dport), ROOT, f.UDP, there4,
                  lambda own, token, a=sport, b=dport, h=here4, t=there4:
                  f.udp(h, t, a, b, token))
            s.raw("DHCP %d to %d" % (sport, dport), ROOT, f.UDP, there,
                  lambda own, token, a=sport, b=dport, h=here, t=there:
                  f.udp(h, t, a, b, token))
        s.raw("DHCP over TCP", ROOT, f.TCP, there4, lambda own, token,
              h=here4, t=there4: f.tcp(h, t, 68, 67, f.SYN, 7, token))
        s.raw("ND as IPv4", ROOT, f.ICMP, there4, lambda own, token:
              f.icmp4(135, 0, b"\0" * 4, token), hops=255)


def packet_sockets(s):
    for iface in ("ext0", "tun0"):
        here, there = V4[iface]
        here6, there6 = V6[iface]
        for uid in (ROOT, TOR, CLEAR, NTP):
            for mark in (0, EGRESS_MARK, GATE_MARK):
                s.packet("UDP", uid, iface, udp(here, there, 123), mark=mark)
        for mark in (0, EGRESS_MARK):
            for sport in (22, 9997, 9998, 9999):
                s.packet("TCP from .%d" % sport, ROOT, iface, tcp(
                    here, there, 7, sport=sport), mark=mark)
                s.packet("UDP from .%d" % sport, ROOT, iface, udp(
                    here, there, 7, sport), mark=mark)
        for said in (f.TYPE_ARP, f.TYPE6):
            s.packet("IPv4 said to be else", ROOT, iface,
                     udp(here, there, 123), said=said)
        s.packet("ARP", ROOT, iface, lambda own, token, h=here, t=there:
                 f.arp(1, bytes(6), h, bytes(6), t, token), kind=f.TYPE_ARP)
        s.packet("type 88b6", ROOT, iface, lambda own, token: token,
                 kind=0x88b6)
        for word in ND:
            for code, hops in ((0, 255), (1, 255), (0, 64)):
                s.packet("%s %d/%d" % (word, code, hops), ROOT, iface,
                         nd(iface, word, False, code=code, hops=hops))
            s.packet("IPv4 ICMP as " + word, ROOT, iface, icmp(
                here, there, ND[word], hops=255))
        s.packet("ICMPv6 128", ROOT, iface, icmp(here6, there6, 128,
                                                 hops=255))
        s.packet("UDP, hop limit 255", ROOT, iface, udp(
            here6, there6, 34560, 34560, hops=255))
        for sport, dport in ((68, 67), (68, 66), (69, 67)):
            s.packet("DHCP %d to %d" % (sport, dport), ROOT, iface,
                     udp(here, there, dport, sport))
            s.packet("DHCP %d to %d, IPv6" % (sport, dport), ROOT, iface,
                     udp(here6, there6, dport, sport))
        s.packet("DHCP over TCP", ROOT, iface, tcp(here, there, 67,
                                                   sport=68))


PARTS = (memberships, orphans, odd_interface, workstation_calls, forged,
         odd_flows, strange, honest, liars, refused, link_noise,
         outside_calls, gateway_calls, old_flows, local_calls, raw_sockets,
         packet_sockets)
# Of "names" only what no other policy has is spoilt.
NAMES_PARTS = (memberships, orphans, raw_sockets, packet_sockets, names)


def suite(policy):
    s = Suite()
    for part in NAMES_PARTS if policy == "names" else PARTS:
        part(s)
    if len(s) > PER_RUN:
        raise RuntimeError("more probes than ports to know them by")
    names = [probe.name for probe in s]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise RuntimeError("two probes are called %s" % sorted(twice)[0])
    return s
