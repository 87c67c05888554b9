"""A DNS server that misbehaves as the name asks it to, for resolver.sh.

nameserver.py ADDRESS [PORT CERTIFICATE KEY [stall]]

The first label says what to do; see answers().  UDP and TCP at port 53, or,
with a certificate, DNS over TLS at PORT; "stall" accepts and says nothing.
One line a question on standard output: protocol, type, name.
"""
import os
import socket
import ssl
import struct
import sys
import threading
import time

A, CNAME, AAAA = 1, 5, 28
TTL = 60
V4, V6 = "203.0.113.1", "2001:db8::1"


def say(line):
    os.write(1, line.encode() + b"\n")  # whole, whatever thread


def question(packet):
    labels, at = [], 12
    while packet[at] != 0:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack_from("!H", packet,
                                                        at + 1)[0], at + 5


def wire(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in
                    name.split(".")) + b"\0"


def record(owner, kind, data, ttl=TTL):
    return wire(owner) + struct.pack("!HHIH", kind, 1, ttl,
                                     len(data)) + data


def addrs(owner, kind, v4=(V4,), v6=(V6,), ttl=TTL):
    family, texts = (socket.AF_INET, v4) if kind == A else (
        socket.AF_INET6, v6) if kind == AAAA else (0, ())
    return [record(owner, kind, socket.inet_pton(family, x), ttl)
            for x in texts]


def chain(name, links, kind):
    out = [record(name if i == 0 else "c%d.test" % i, CNAME,
                  wire("c%d.test" % (i + 1))) for i in range(links)]
    out.reverse()  # the order says nothing
    return out + addrs("c%d.test" % links, kind)


def answers(name, kind):
    """A code and records."""
    label = name.split(".")[0]
    if label.startswith("ok"):
        return 0, addrs(name, kind)
    if label == "v4only":
        return 0, addrs(name, kind, v6=())
    if label == "v6only":
        return 0, addrs(name, kind, v4=())
    if label == "empty":
        return 0, []
    if label == "half":  # AAAA fails
        return (0, addrs(name, kind)) if kind == A else (2, [])
    if label == "servfail":
        return 2, []
    if label == "refused":
        return 5, []
    if label == "many":
        return 0, addrs(name, kind, ["203.0.113.%d" % i for i in
                                     range(1, 21)], ())
    if label == "full":
        return 0, addrs(name, kind, ["203.0.113.%d" % i for i in
                                     range(1, 17)], ())
    if label == "trunc" or label.startswith("slow"):
        return 0, addrs(name, kind)
    if label.startswith("chain"):
        return 0, chain(name, int(label[5:]), kind)
    if label == "loop":
        return 0, [record(name, CNAME, wire("l2.test")),
                   record("l2.test", CNAME, wire(name))]
    if label == "private":
        return 0, addrs(name, kind, ("10.1.2.3",), ("fd00::1",))
    if label == "loopback":
        return 0, addrs(name, kind, ("127.0.0.1",), ("::ffff:127.0.0.1",))
    if label == "mixed":
        return 0, addrs(name, kind, ("10.1.2.3", V4), ("fe80::1",))
    if label == "stranger":
        return 0, addrs("other.test", kind)
    if label == "short":
        return 0, addrs(name, kind, ttl=1)
    if label == "long":
        return 0, addrs(name, kind, ttl=0x7fffffff)
    return 3, []


def lie(packet, end):  # more records than there are
    return packet[:2] + struct.pack("!HHHHH", 0x8180, 1, 9, 0,
                                    0) + packet[12:end]


def reply(packet, udp):
    name, kind, end = question(packet)
    label = name.split(".")[0]
    say("%s %d %s" % ("udp" if udp else "tcp", kind, name))
    if label == "silent":
        return None
    if label.startswith("slow"):
        time.sleep(1)
    if label == "garbage":
        return packet[:2] + os.urandom(40)
    code, records = answers(name, kind)
    flags = 0x8180 | code
    if label == "trunc" and udp:
        flags, records = flags | 0x0200, []
    if label == "lies":
        return lie(packet, end)
    return packet[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0,
                                    0) + packet[12:end] + b"".join(records)


def exactly(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def talk(sock, context):
    try:
        if context == "stall":
            time.sleep(60)
            return
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True)
            say("handshake")
        while True:
            size, = struct.unpack("!H", exactly(sock, 2))
            out = reply(exactly(sock, size), False)
            if out is not None:
                sock.sendall(struct.pack("!H", len(out)) + out)
    except (EOFError, OSError):
        say("hung up")
    finally:
        sock.close()


def streams(address, port, context):
    listener = socket.create_server((address, port))
    say("ready")
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=talk, args=(sock, context),
                         daemon=True).start()


def one(sock, packet, peer):
    name, _, end = question(packet)
    if name.startswith("regret."):  # and then the truth: no such name
        sock.sendto(lie(packet, end), peer)
    out = reply(packet, True)
    if out is not None:
        sock.sendto(out, peer)


def datagrams(address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    while True:
        packet, peer = sock.recvfrom(4096)
        threading.Thread(target=one, args=(sock, packet, peer),
                         daemon=True).start()


def main(address, port="53", *tls):
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls[0], tls[1])
        if len(tls) > 2:
            context = "stall"
    else:
        threading.Thread(target=datagrams, args=(address,),
                         daemon=True).start()
    streams(address, int(port), context)


if __name__ == "__main__":
    main(*sys.argv[1:])
