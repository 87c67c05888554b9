"""A control port in front of Tor's own, with more relays:

big_consensus.py LISTEN UPSTREAM COUNT PAUSE_MS ADDRESS:PORT...

Passes everything on, but answers "GETINFO ns/all" itself, after PAUSE_MS (for
Tor to make it): COUNT relays of 10.0.0.0/8, each time at another port, and the
given ones.  Every 3 s it says that a consensus has arrived.

Prints "ns MS" when the engine's next command comes after that answer was
begun, and "gap MS" for each probe: since the one before.
"""
import os
import select
import socket
import sys
import time

RELAY = (b"r relay%d G17rsci5LIX4TrpvM3dwnlyQa6Y m/LN1/M/bAinYRI5EIddhQwVGZQ "
         b"2038-01-01 00:00:00 %s %d 0\r\n"
         b"s Fast Guard HSDir Running Stable V2Dir Valid\r\n"
         b"w Bandwidth=12345\r\n"
         b"p accept 20-21,43,53,79-81,88,110,143,194,220,389,443,464,531,"
         b"543-544,554,563,587,636,706,749,873,902-904,981,989-995,1194,1220,"
         b"1293,1500,1533,1677,1723,1755,1863,2082-2083,2086-2087,2095-2096\r\n")


class Front:
    def __init__(self, link, upstream, count, pause, real):
        self.link, self.count, self.pause, self.real = link, count, pause, real
        self.tor = socket.socket(socket.AF_UNIX)
        self.tor.connect(upstream)
        self.held = b""
        self.port = 9000
        self.asked = self.probed = None
        self.ready = False
        self.event = time.monotonic() + 3

    def answer(self):
        self.port += 1
        time.sleep(self.pause / 1000)
        parts = [b"250+ns/all=\r\n"]
        for i in range(self.count):
            addr = b"10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255)
            parts.append(RELAY % (i, addr, self.port))
        for place in self.real:
            addr, port = place.encode().split(b":")
            parts.append(RELAY % (0, addr, int(port)))
        parts.append(b".\r\n250 OK\r\n")
        self.link.sendall(b"".join(parts))

    def command(self, line):
        now = time.monotonic()
        if self.asked is not None:
            print("ns %d" % ((now - self.asked) * 1000), flush=True)
            self.asked = None
        if line.startswith(b"GETINFO status/circuit-established"):
            if self.probed is not None:
                print("gap %d" % ((now - self.probed) * 1000), flush=True)
            self.probed = now
            self.ready = True
        if line != b"GETINFO ns/all\r\n":
            self.tor.sendall(line)
            return
        self.asked = now
        self.answer()

    def run(self):
        while True:
            got = select.select([self.link, self.tor], [], [], 0.1)[0]
            if self.tor in got:
                octets = self.tor.recv(65536)
                if not octets:
                    return
                self.link.sendall(octets)
            elif self.ready and time.monotonic() >= self.event:
                # Not within an answer: whatever Tor has sent was complete.
                self.event = time.monotonic() + 3
                self.link.sendall(
                    b"650 STATUS_CLIENT NOTICE CONSENSUS_ARRIVED\r\n")
            if self.link in got:
                octets = self.link.recv(65536)
                if not octets:
                    return
                self.held += octets
                while b"\n" in self.held:
                    line, self.held = self.held.split(b"\n", 1)
                    self.command(line + b"\n")


def main(path, upstream, count, pause, *real):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o660)
    server.listen(4)
    print("ready", flush=True)
    while True:
        link, _ = server.accept()
        with link:
            try:
                Front(link, upstream, int(count), int(pause), real).run()
            except OSError as e:
                print("lost: %s" % e, flush=True)


main(*sys.argv[1:])
