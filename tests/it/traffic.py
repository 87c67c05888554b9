#!/usr/bin/python3
"""Echo servers and questions to them, for the gate's namespace tests.

The first word is the user to be, by number: 0 stays root, -1 whoever it is.

serve [udp:]ADDR:PORT...   answer until killed; prints "ready"
ask [udp:]ADDR:PORT        exit 0 if an echo came back within half a second
asks [udp:]ADDR:PORT...    all of these at once; prints those that answered
bound IFACE ADDR:PORT      three datagrams of a socket bound to IFACE
flood ADDR:PORT            datagrams without end, some 5,000 a second
bulk ADDR:PORT             exit 0 if 32 full packets' worth came back
try [udp:]ADDR:PORT        prints echo, refused (a reset, or UDP's port
                           unreachable), prohibited, denied (by our own
                           kernel, at once) or silent
resume ADDR:PORT           asks, waits for a line, asks again as "try" does
linger ADDR:PORT [SPORT]   connects, waits for a line, sends and closes
error ADDR:PORT SPORT CODE ADDR:PORT  ICMP "unreachable" of CODE about TCP
                           from the first to the second, sent to the first
midflow ADDR:PORT [fin]    an IPv4 ACK, or FIN and ACK, of no flow: prints
                           refused or silent
ping ADDR                  exit 0 if an IPv4 ping was answered
stream [udp:]ADDR:PORT     echo without pause; prints the seconds since the
                           epoch of each 10 ms in which what was sent came back
spoof SPORT DPORT          one datagram over loopback; prints ok or an errno
forge syn|ack|udp SOURCE ADDR:PORT  three packets with SOURCE, raw
frame IFACE TYPE ADDR MARK [SPORT]  three IPv4 frames from a packet socket
                           that says TYPE, 0800 in the frame, and sets MARK
sniff IFACE ADDR SECONDS   prints how many packets to ADDR came by; until
                           then or SIGTERM
answers IFACE ADDR SECONDS the same of IPv4, without resets
"""
import errno
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import time

WAIT = 0.5
PATIENCE = 10  # for what must come, on a busy machine
NAMES = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "refused",
         errno.EPIPE: "refused", errno.EHOSTUNREACH: "prohibited",
         errno.EACCES: "prohibited", errno.EPERM: "denied",
         errno.ENETUNREACH: "prohibited"}


def split(spec):
    udp = spec.startswith("udp:")
    host, port = (spec[4:] if udp else spec).rsplit(":", 1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    return family, kind, (host, int(port))


def serve(specs):
    sel = selectors.DefaultSelector()
    for spec in specs:
        family, kind, addr = split(spec)
        s = socket.socket(family, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(addr)
        if kind == socket.SOCK_STREAM:
            s.listen(16)
            sel.register(s, selectors.EVENT_READ, "accept")
        else:
            sel.register(s, selectors.EVENT_READ, "udp")
    print("ready", flush=True)
    while True:
        for key, _ in sel.select():
            s = key.fileobj
            try:
                if key.data == "accept":
                    c, _ = s.accept()
                    sel.register(c, selectors.EVENT_READ, "tcp")
                elif key.data == "udp":
                    data, peer = s.recvfrom(2048)
                    s.sendto(data, peer)
                else:
                    data = s.recv(2048)
                    if data:
                        s.send(data)
                    else:
                        sel.unregister(s)
                        s.close()
            except OSError:
                if key.data == "tcp":
                    sel.unregister(s)
                    s.close()


def ask(spec):
    family, kind, addr = split(spec)
    s = socket.socket(family, kind)
    s.settimeout(WAIT)
    try:
        s.connect(addr)
        s.send(b"echo")
        return 0 if s.recv(16) == b"echo" else 1
    except OSError:
        return 1


def asks(specs):
    rc = {}
    threads = [threading.Thread(target=lambda s: rc.update({s: ask(s)}),
                                args=(spec,)) for spec in specs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(" ".join(spec for spec in specs if rc[spec] == 0))
    return 0


def bound(iface, spec):
    family, _, addr = split(spec)
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, iface.encode())
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for _ in range(3):
        try:
            s.sendto(b"bound", addr)
        except OSError:  # what a filter's drop looks like
            pass
    return 0


def flood(spec):
    family, _, addr = split(spec)
    s = socket.socket(family, socket.SOCK_DGRAM)
    while True:
        for _ in range(5):
            try:
                s.sendto(b"flood", addr)
            except OSError:  # what a filter's drop looks like
                pass
        time.sleep(0.001)


def bulk(spec):
    family, kind, addr = split(spec)
    s = socket.socket(family, kind)
    s.settimeout(3)
    left = 32 * 1448
    try:
        s.connect(addr)
        s.sendall(b"x" * left)
        while left > 0:
            left -= len(s.recv(left))
    except OSError:
        pass
    return 0 if left == 0 else 1


def outcome(s):
    try:
        s.send(b"echo")
        return "echo" if s.recv(16) == b"echo" else "silent"
    except socket.timeout:
        return "silent"
    except OSError as e:
        return NAMES.get(e.errno, "silent")


def attempt(spec):
    family, kind, addr = split(spec)
    s = socket.socket(family, kind)
    s.settimeout(WAIT)
    if kind == socket.SOCK_DGRAM:  # or ICMP is not told to us
        opt = (0, 11) if family == socket.AF_INET else (41, 25)
        s.setsockopt(*opt, 1)
    try:
        s.connect(addr)
    except socket.timeout:
        print("silent")
        return 0
    except OSError as e:
        print(NAMES.get(e.errno, "silent"))
        return 0
    print(outcome(s))
    return 0


def resume(spec):
    family, kind, addr = split(spec)
    s = socket.socket(family, kind)
    s.settimeout(PATIENCE)
    s.connect(addr)
    print(outcome(s), flush=True)
    sys.stdin.readline()
    print(outcome(s), flush=True)
    return 0


def linger(spec, sport=0):
    family, kind, addr = split(spec)
    s = socket.socket(family, kind)
    s.bind(("::" if family == socket.AF_INET6 else "", int(sport)))
    s.settimeout(PATIENCE)
    s.connect(addr)
    # Held back until the end: an answer that came between the two would have
    # the socket reset while it still has an owner, and nothing be left.
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    s.send(b"last words")
    s.close()
    return 0


def error(src, sport, code, spec):
    _, _, (dst, dport) = split(spec)
    inner = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0,
                        socket.inet_aton(src), socket.inet_aton(dst))
    inner = inner[:10] + struct.pack("!H", checksum(inner)) + inner[12:]
    inner += struct.pack("!HHI", int(sport), dport, 1)
    body = struct.pack("!BBHHH", 3, int(code), 0, 0, 1000) + inner
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.sendto(body, (src, 0))
    return 0


def midflow(spec, what="ack"):
    family, _, (dst, dport) = split(spec)
    route = socket.socket(family, socket.SOCK_DGRAM)
    route.connect((dst, dport))
    src = route.getsockname()[0]
    _, body = transport(what, family, src, dst, dport)
    s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
    s.settimeout(WAIT)
    s.connect((dst, 0))
    s.send(body)
    try:
        while True:
            data = s.recv(128)[20:]
            if data[:2] == body[2:4] and data[13] & 4:
                print("refused")
                return 0
    except socket.timeout:
        print("silent")
    return 0


def ping(dst):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.settimeout(WAIT)
    body = struct.pack("!BBHHH", 8, 0, 0, 7, 7)
    s.connect((dst, 0))
    s.send(body[:2] + struct.pack("!H", checksum(body)) + body[4:])
    try:
        return 0 if s.recv(64)[20] == 0 else 1
    except OSError:
        return 1


def stream(spec):
    family, kind, addr = split(spec)
    s = socket.socket(family, kind)
    s.settimeout(WAIT)
    s.connect(addr)
    if kind == socket.SOCK_STREAM:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(10)
    last = 0
    while True:
        now = time.time()  # of what passed: when we hear of it is the load's
        try:
            s.send(b"x")
            if not s.recv(64):
                return 0
        except OSError:  # silence, or a reset
            return 0
        if now - last >= 0.01:
            print("%.3f" % now, flush=True)
            last = now
        time.sleep(0.002)


def spoof(sport, dport):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if sport:
            s.bind(("127.0.0.2", sport))
        s.sendto(b"", ("127.0.0.1", dport))
        print("ok")
    except OSError as e:
        print(os.strerror(e.errno))
    return 0


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


def transport(what, family, src, dst, dport):
    sport = 40000 + int(time.time() * 10) % 10000
    if what == "udp":
        size, proto = 12, socket.IPPROTO_UDP
        body = struct.pack("!HHHH4s", sport, dport, size, 0, b"echo")
        at = 6
    else:
        size, proto = 20, socket.IPPROTO_TCP
        flags = {"syn": 0x02, "fin": 0x11}.get(what, 0x10)
        body = struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, flags,
                           8192, 0, 0)
        at = 16
    pseudo = (socket.inet_pton(family, src) + socket.inet_pton(family, dst) +
              struct.pack("!II", size, proto))
    return proto, body[:at] + struct.pack("!H", checksum(pseudo + body)) + \
        body[at + 2:]


def forge(what, src, spec):
    family, _, (dst, dport) = split(spec)
    proto, body = transport(what, family, src, dst, dport)
    if family == socket.AF_INET:
        s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64,
                           proto, 0, socket.inet_pton(family, src),
                           socket.inet_pton(family, dst))
    else:
        s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        head = struct.pack("!IHBB16s16s", 6 << 28, len(body), proto, 64,
                           socket.inet_pton(family, src),
                           socket.inet_pton(family, dst))
    for _ in range(3):
        s.sendto(head + body, (dst, 0))
        time.sleep(0.05)
    return 0


def frame(iface, kind, dst, mark, sport=0):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(mark, 0))
    src = "192.0.2.10"
    proto, body = transport("udp", socket.AF_INET, src, dst, 53)
    if sport:  # and no checksum
        body = struct.pack("!H", int(sport)) + body[2:6] + b"\0\0" + body[8:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64,
                       proto, 0, socket.inet_aton(src), socket.inet_aton(dst))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    for _ in range(3):
        try:
            s.sendto(b"\xff" * 6 + b"\2" + b"\0" * 5 + b"\x08\x00" + head +
                     body, (iface, int(kind, 16), 0, 0, b"\xff" * 6))
        except OSError:  # what a drop on the way out looks like
            pass
        time.sleep(0.05)
    return 0


def is_reset(data):
    at = 14 + (data[14] & 15) * 4 + 13
    return data[23] == socket.IPPROTO_TCP and len(data) > at and \
        data[at] & 4 != 0


def sniff(iface, addr, seconds, resets=True):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    want = socket.inet_pton(family, addr)
    at = 14 + (24 if family == socket.AF_INET6 else 16)
    # In one go: a socket that has a protocol already is deaf while it is bound.
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind((iface, 3))
    s.settimeout(0.1)
    n = 0
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    end = time.time() + float(seconds)
    while time.time() < end:
        try:
            data = s.recv(2048)
        except socket.timeout:
            if told:
                break
            continue
        n += data[at:at + len(want)] == want and \
            (resets or not is_reset(data))
    print(n)
    return 0


def main(argv):
    uid = int(argv.pop(0))
    if uid != -1:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if argv[0] == "serve":
        return serve(argv[1:])
    if argv[0] == "ask":
        return ask(argv[1])
    if argv[0] == "asks":
        return asks(argv[1:])
    if argv[0] == "bound":
        return bound(*argv[1:3])
    if argv[0] == "flood":
        return flood(argv[1])
    if argv[0] == "bulk":
        return bulk(argv[1])
    if argv[0] == "try":
        return attempt(argv[1])
    if argv[0] == "resume":
        return resume(argv[1])
    if argv[0] == "linger":
        return linger(*argv[1:3])
    if argv[0] == "midflow":
        return midflow(*argv[1:3])
    if argv[0] == "ping":
        return ping(argv[1])
    if argv[0] == "error":
        return error(*argv[1:5])
    if argv[0] == "stream":
        return stream(argv[1])
    if argv[0] == "forge":
        return forge(*argv[1:4])
    if argv[0] == "frame":
        return frame(*argv[1:6])
    if argv[0] == "sniff":
        return sniff(*argv[1:4])
    if argv[0] == "answers":
        return sniff(*argv[1:4], resets=False)
    return spoof(*map(int, argv[1:3]))


sys.exit(main(sys.argv[1:]))
