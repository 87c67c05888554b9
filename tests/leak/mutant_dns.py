"""Probes of names: the resolver's lookups, Tor's DNS, the stub."""
import struct

import frames as f
from mutant_city import FAR4, FAR6
from mutant_old import answer, ask_orphan, old_call, ours
from mutant_probes import (CLEAR, CT_LOOKUP, CT_TOR, EGRESS_MARK, EXT4, EXT6,
                           LOCAL_DNS, NOBODY, OUT4, OUT6, RESOLVER, ROOT,
                           STUB_PORT, TOR, ip)

ODD_PROTO = 253
LOOPS = ("127.0.0.1", "::1")
GROUPS = ("224.0.0.251", "192.0.2.255", "255.255.255.255", "ff02::fb",
          "ff0e::1")


def own_of(there):
    if there in LOOPS:
        return there
    return EXT6 if ":" in there else EXT4


def ports(dport):
    """The beginning of a header of whatever transport."""
    return lambda own, token: struct.pack("!HH", own, dport) + token


def questions(s):
    for uid in (TOR, RESOLVER, ROOT, NOBODY, CLEAR):
        for tcp in (True, False):
            for to in (OUT4, OUT6, FAR4, FAR6, *LOOPS, LOCAL_DNS):
                s.call("asks, uid %d" % uid, "gw", uid, (to, 53), tcp=tcp)
            for to in LOOPS:
                s.call("asks, uid %d" % uid, "gw", uid, (to, STUB_PORT),
                       tcp=tcp)
            for to in (OUT4, OUT6):
                for port in (8005, 123, 443):
                    s.call("tries, uid %d" % uid, "gw", uid, (to, port),
                           tcp=tcp)
            s.call("asks inside, uid %d" % uid, "gw", uid, (OUT4, 53),
                   tcp=tcp, iface="ws0")
        for to in (OUT4, OUT6, *LOOPS):
            for port in (53, STUB_PORT, 8005, 123):
                s.raw("protocol %d to .%d" % (ODD_PROTO, port), uid,
                      ODD_PROTO, to, ports(port))
    for tcp in (True, False):   # which nobody minds
        s.call("of loopback, uid %d" % TOR, "gw", TOR, (LOOPS[0], 9999),
               tcp=tcp)
    for uid in (TOR, CLEAR):
        for to in GROUPS:
            s.datagram("to all, uid %d" % uid, uid, (to, 3478), "ext0")


def answers(s):
    """What would go back in flows that others began."""
    for uid in (TOR, RESOLVER):
        for proto in (f.TCP, f.UDP):
            for there in (OUT4, OUT6):
                for port in (53, 123, 8005, 443, 9001):
                    answer(s, uid, proto, own_of(there), None, there, port)
    for uid in (TOR, RESOLVER, ROOT):
        for proto in (f.TCP, f.UDP):
            for loop in LOOPS:
                answer(s, uid, proto, loop, None, loop, STUB_PORT)
                answer(s, uid, proto, loop, STUB_PORT, loop)
                answer(s, uid, proto, loop, STUB_PORT, loop, mark=CT_TOR)


def old_calls(s):
    """Of whom a flow says that it is Tor's, or that it is the resolver's."""
    for mark in (0, CT_TOR, CT_LOOKUP):
        for uid in (ROOT, RESOLVER, TOR):
            for proto in (f.TCP, f.UDP):
                for loop in LOOPS:
                    old_call(s, uid, proto, loop, loop, STUB_PORT, mark)
                    old_call(s, uid, proto, loop, loop, STUB_PORT, mark,
                             back=True)
        for there in (OUT4, OUT6):
            for port in (53, 123, 443):
                ours(s, own_of(there), there, port, mark)
    for there in (OUT4, OUT6):
        for port in (8005, 9001):
            ours(s, own_of(there), there, port, CT_LOOKUP)
    ours(s, EXT4, FAR4, 53, CT_LOOKUP)
    ours(s, EXT4, FAR4, 53, CT_TOR)


def called(s, there, port):
    """An orphan of a flow that says it is Tor's, and was begun there."""
    def send(run, n):
        ends = (own_of(there), run.city.base + n), (there, port)
        run.old(f.TCP, there, ends[0][0], port, ends[0][1], mark=CT_TOR)
        ask_orphan(run, n, TOR, "odd0", ends)
    s.add("orphan of a call from %s.%d" % (there, port), send)


def names(s):
    questions(s)
    answers(s)
    old_calls(s)
    for there in (OUT4, OUT6):
        called(s, there, 123)
    s.packet("UDP", RESOLVER, "ext0", lambda own, token: ip(
        EXT4, OUT4, f.UDP, f.udp(EXT4, OUT4, own, 53, token)),
        mark=EGRESS_MARK)
