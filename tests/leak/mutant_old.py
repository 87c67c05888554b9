"""Probes of what was there before our rules, and of what is nobody's."""
import frames as f
from mutant_city import FAR4, FAR6, MOVED4, OTHER4
from mutant_probes import (CLEAR, CT_LOOKUP, CT_TOR, EGRESS_MARK, EXT4, EXT6, GW4, GW6, NTP,
                           ODD4, ORPHAN_SEQ, OUT4, OUT6, PEER4, PEER6,
                           REFUSED_TTL, ROOT, TOR, TUN4, TUN6, UNTRACKED_TTL,
                           V4, V6, WS4, WS6, ip, l4_of)


def old_flows(s):
    """UDP that was let through before our rules were there."""
    def was(name, role, iface, proto, src, dst, sport, dport, mark=0):
        def send(run, n):
            ports = [p or run.city.base + n for p in (sport, dport)]
            run.old(proto, src, dst, *ports, mark=mark)
            packet = l4_of(proto, src, dst, *ports, run.city.token(n))
            if role == "gw":
                run.raw(n, ROOT, proto, dst, packet, src=src)
            else:
                run.frame(iface, ip(src, dst, proto, packet))
        s.add(name, send, role=role)

    was("old call", "ws", "odd0", f.UDP, *reversed(ODD4), 9999, None)
    was("old call from outside", "out", "ext0", f.UDP, OUT4, EXT4, None,
        9999)
    was("old call of root's", "gw", "ext0", f.UDP, EXT4, OUT4, None, 123)
    was("old TCP call of root's", "gw", "ext0", f.TCP, EXT4, OUT4, None, 9001)
    was("old call of a user's, by root", "gw", "ext0", f.TCP, EXT4, OUT4,
        None, 9001, EGRESS_MARK)
    was("old call of Tor's, by root", "gw", "ext0", f.TCP, EXT4, OUT4, None,
        9001, CT_TOR)
    was("old call of Tor's, by root's service", "gw", "tun0", f.TCP, TUN4,
        PEER4, 9997, 443, CT_TOR)
    for here, there in ((GW4, WS4), (GW6, WS6)):
        was("old call from %s's DNS port" % here, "gw", "ws0", f.UDP, here,
            there, 5300, None)
        was("old call from %s's SOCKS port" % here, "gw", "ws0", f.TCP, here,
            there, 9050, None)
    was("old call from ssh's port", "gw", "ext0", f.TCP, EXT4, OUT4, 22,
        None)
    was("old IPv6 call from ssh's port", "gw", "ext0", f.TCP, EXT6, OUT6, 22,
        None)
    was("old call from the filter's port", "gw", "ws0", f.UDP, GW4, WS4,
        9051, None)
    was("old TCP call from the filter's port", "gw", "ws0", f.TCP, GW4, WS4,
        9051, None)
    was("old call from the deaf port", "gw", "ws0", f.UDP, GW4, WS4, 9998,
        None)
    was("old call from the outside's deaf port", "gw", "tun0", f.UDP, TUN4,
        PEER4, 9998, None)
    was("old call from the port heard outside", "gw", "tun0", f.TCP, TUN4,
        PEER4, 9997, None)
    was("old local call", "gw", "lo", f.TCP, "127.0.0.1", "127.0.0.1", None,
        9150)
    was("old local IPv6 call", "gw", "lo", f.TCP, "::1", "::1", None, 9150)
    was("old call from the peers' port", "gw", "tun0", f.UDP, TUN4, PEER4,
        9999, None)
    old_answers(s)


def answer(s, uid, proto, here, sport, there, dport=None, mark=0, **more):
    """UID answers in a flow that somebody THERE began before."""
    def send(run, n):
        ports = [p or run.city.base + n for p in (sport, dport)]
        run.old(proto, there, here, *reversed(ports), mark=mark)
        run.raw(n, uid, proto, there, l4_of(
            proto, here, there, *ports, run.city.token(n)), src=here, **more)
    s.add("old answer of %d, %d from %s.%s to %s.%s%s%s" % (
        uid, proto, here, sport, there, dport, more.get("iface", ""),
        " %x" % mark if mark else ""), send)


def old_call(s, uid, proto, here, there, dport, mark, back=False):
    """UID goes on in a flow of HERE's that was there before and says MARK;
    BACK: in the one that was begun from the other end."""
    def send(run, n):
        ends = [(here, run.city.base + n), (there, dport)]
        (src, sport), (dst, port) = reversed(ends) if back else ends
        run.old(proto, src, dst, sport, port, mark=mark)
        run.raw(n, uid, proto, there, l4_of(
            proto, here, there, run.city.base + n, dport,
            run.city.token(n)), src=here)
    s.add("old %s of %d, %d to %s.%d, marked %x" % (
        "way back" if back else "call", uid, proto, there, dport, mark),
        send)


def old_answers(s):
    """What the gateway would answer to calls that were let in before."""
    for proto in (f.TCP, f.UDP):
        for port in (22, 9997, 9998, 9999, 123):
            for here, there in ((EXT4, OUT4), (EXT6, OUT6), (EXT4, FAR4),
                                (EXT6, FAR6), (TUN4, PEER4), (TUN6, PEER6),
                                (TUN4, FAR4)):
                answer(s, ROOT, proto, here, port, there)
            answer(s, ROOT, proto, TUN4, port, FAR4, iface="tun0")
        for port in (9050, 9051, 9108, 9998, 9999):
            for here, there in ((GW4, WS4), (GW6, WS6), (GW4, FAR4),
                                (GW6, FAR6), (GW4, OTHER4),
                                (GW4, "10.137.0.50"), (GW4, ODD4[1])):
                answer(s, ROOT, proto, here, port, there)
            answer(s, ROOT, proto, GW4, port, MOVED4, iface="vif7")
    for uid, proto, port in ((TOR, f.TCP, 443), (CLEAR, f.TCP, 443),
                             (NTP, f.UDP, 53), (NTP, f.UDP, 8005)):
        for here, there in ((EXT4, OUT4), (EXT6, OUT6), (TUN4, PEER4),
                            (TUN6, PEER6)):
            answer(s, uid, proto, here, None, there, port)
    answer(s, TOR, f.TCP, EXT6, None, OUT6, 9001)


def ask_orphan(run, n, uid, iface, ends, hops=64):
    """Who says once more what a socket has heard is told so by the kernel."""
    run.orphan(n, uid, *ends)
    (here, own), (there, port) = ends
    run.frame(iface, ip(there, here, f.TCP, f.tcp(
        there, here, port, own, f.ACK, ORPHAN_SEQ - 99, run.city.token(n),
        ORPHAN_SEQ), hops))


def ours(s, here, there, port, mark):
    """An orphan of root's, of a flow that was begun here and says MARK."""
    def send(run, n):
        ends = (here, run.city.base + n), (there, port)
        run.old(f.TCP, here, there, ends[0][1], port, mark=mark)
        ask_orphan(run, n, ROOT, "ext0", ends)
    s.add("orphan of our flow to %s.%d, marked %x" % (there, port, mark),
          send)


def orphans(s):
    def orphan(name, iface, uid, here, there, hops=64, **flow):
        def send(run, n):
            ends = [(a, p or run.city.base + n) for a, p in (here, there)]
            if flow:
                run.old(f.TCP, there[0], here[0], ends[1][1], ends[0][1],
                        **flow)
            ask_orphan(run, n, uid, iface, ends, hops)
        s.add("orphan of %d, %s" % (uid, name), send)

    orphan("a workstation's", "ws0", TOR, (GW4, 9050), (WS4, None))
    orphan("a workstation's by IPv6", "ws0", TOR, (GW6, 9050), (WS6, None))
    for here, there in ((EXT4, OUT4), (TUN4, PEER4)):
        orphan("called from %s before" % there, "odd0", TOR, (here, None),
               (there, 443), mark=EGRESS_MARK | CT_TOR | CT_LOOKUP)
        orphan("of %s, which conntrack forgot" % there, "odd0", TOR,
               (here, None), (there, 443), hops=UNTRACKED_TTL)
    for mark in (0, EGRESS_MARK, CT_TOR):
        for here, there in ((EXT4, OUT4), (EXT6, OUT6)):
            ours(s, here, there, 9001, mark)
            ours(s, here, there, 8005, mark)


def refused(s):
    """Calls to services, which somebody else's rule answers with a reset: of
    the call's flow, in the reply direction, but to conntrack only related."""
    for iface, port in (("ws0", 9051), ("ext0", 22), ("tun0", 9997)):
        for here, there in (V4[iface], V6[iface]):
            s.frame("refused SYN from %s to .%d" % (there, port), iface,
                    lambda own, token, h=here, t=there, p=port: ip(
                        t, h, f.TCP, f.tcp(t, h, own, p, f.SYN, 7, token),
                        REFUSED_TTL))


def memberships(s):
    """What the kernel sends of its own, as if of a flow that is old."""
    for iface in ("ext0", "tun0"):
        s.add("membership on " + iface, lambda run, n, here=V4[iface][0]:
              run.join(n, here))
