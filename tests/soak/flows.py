"""A workstation's day: flows.py GATEWAY NAME WEB TOKEN PER_SECOND STREAMS

Pages by SOCKS and by TransPort, names by DNSPort, and one long stream, which
is begun anew when it ends.  Until TERM; then one line of JSON: how many of
each came about, and how many did not.  To the file STREAMS: when each page
came, in seconds since boot.
"""
import contextlib
import json
import random
import signal
import socket
import struct
import sys
import threading
import time

WAIT = 20
SOCKS_PORT, DNS_PORT, WEB_PORT = 9050, 53, 80
SLOW = 4000  # octets a second of the long stream


class Flows:
    def __init__(self, gateway, name, web, token, streams):
        self.streams = open(streams, "a", buffering=1, encoding="ascii")
        self.gateway, self.name, self.web = gateway, name, web
        self.token, self.lock = token.encode(), threading.Lock()
        self.count, self.ended = {}, threading.Event()

    def tally(self, what, more=1):
        with self.lock:
            self.count[what] = self.count.get(what, 0) + more

    def socks(self):
        link = socket.create_connection((self.gateway, SOCKS_PORT), WAIT)
        name = self.name.encode()
        link.sendall(b"\5\1\0")
        self.want(link, b"\5\0")
        link.sendall(b"\5\1\0\3" + bytes([len(name)]) + name +
                     struct.pack("!H", WEB_PORT))
        answer = link.recv(10, socket.MSG_WAITALL)
        if answer[:2] != b"\5\0":
            link.close()
            raise OSError("SOCKS: %r" % answer)
        return link

    @staticmethod
    def want(link, octets):
        if link.recv(len(octets), socket.MSG_WAITALL) != octets:
            raise OSError("SOCKS: another greeting")

    def trans(self):
        return socket.create_connection((self.web, WEB_PORT), WAIT)

    def page(self, connect):
        with connect() as link:
            link.sendall(b"GET / HTTP/1.0\r\n\r\n")
            text = b""
            while more := link.recv(4096):
                text += more
        if self.token not in text:
            raise OSError("no token")
        with self.lock:
            self.streams.write("%.1f\n" % time.clock_gettime(
                time.CLOCK_BOOTTIME))

    def ask(self):
        number = random.randrange(1 << 16)
        name = b"".join(bytes([len(p)]) + p.encode()
                        for p in self.name.split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(WAIT)
            link.connect((self.gateway, DNS_PORT))
            link.send(struct.pack("!HHHHHH", number, 0x100, 1, 0, 0, 0) +
                      name + struct.pack("!HH", 1, 1))
            if link.recv(512)[:2] != struct.pack("!H", number):
                raise OSError("another answer")

    def one(self, what, run):
        try:
            run()
            self.tally(what)
        except OSError:
            self.tally(what + "_failed")

    def lane(self, rate):
        while not self.ended.wait(random.expovariate(rate)):
            way = random.randrange(4)
            if way == 0:
                self.one("names", self.ask)
            elif way == 1:
                self.one("trans", lambda: self.page(self.trans))
            else:
                self.one("socks", lambda: self.page(self.socks))

    def long(self):
        while not self.ended.is_set():
            with contextlib.suppress(OSError), self.socks() as link:
                link.sendall(b"GET /slow?rate=%d HTTP/1.0\r\n\r\n" % SLOW)
                self.tally("long")
                while more := link.recv(65536):
                    self.tally("long_octets", len(more))
                    if self.ended.is_set():
                        return
            self.ended.wait(0.5)


def main(gateway, name, web, token, rate, streams):
    flows, lanes = Flows(gateway, name, web, token, streams), 4
    signal.signal(signal.SIGTERM, lambda *_: flows.ended.set())
    for _ in range(lanes):
        threading.Thread(target=flows.lane, args=(float(rate) / lanes,),
                         daemon=True).start()
    threading.Thread(target=flows.long, daemon=True).start()
    print("ready", flush=True)
    flows.ended.wait()
    with flows.lock:
        print(json.dumps(flows.count), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
