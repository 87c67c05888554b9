"""The judge on the clear side: wire.py DIR OUT

Every frame that comes out of the gateway's external side is held against the
allow-list of tests/leak/oracle.py, until TERM; to OUT/wire, as JSON: how many
there were, how many were not allowed and why, and how many the capture lost.
"""
import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../leak"))
import oracle  # noqa: E402
from place import Place, RELAYS  # noqa: E402

# What "apply" makes Tor go by: NET_PROXY4 and its port in tests/net.
PROXY = ("203.0.113.50", 1080)
MOST_KINDS = 20


class Wire:
    def __init__(self, folder):
        place = Place(folder)
        self.clear = oracle.ClearSide(place)
        with place.internet.inside():
            # Without a protocol, until all is set.
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.sock.setsockopt(oracle.SOL_PACKET,
                                 oracle.PACKET_IGNORE_OUTGOING, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, oracle.SO_RCVBUFFORCE,
                                 oracle.BUFFER)
            self.sock.bind(("inet0", oracle.ETH_P_ALL))
        self.sock.setblocking(False)
        self.frames = self.wrong = self.lost = self.octets = 0
        self.why, self.ended = {}, False

    def drain(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = self.sock.recv(1 << 17)
                self.frames += 1
                self.octets += len(frame)
                why = self.clear.why_not(frame)
                if why is None:
                    continue
                self.wrong += 1
                if why in self.why or len(self.why) < MOST_KINDS:
                    self.why[why] = self.why.get(why, 0) + 1

    def tell(self, path):
        self.lost += struct.unpack("=II", self.sock.getsockopt(
            oracle.SOL_PACKET, oracle.PACKET_STATISTICS, 8))[1]
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({"frames": self.frames, "octets": self.octets,
                       "wrong": self.wrong, "lost": self.lost,
                       "why": self.why}, file)
        os.rename(path + ".new", path)

    def stop(self, *_):
        self.ended = True


def main(folder, out):
    RELAYS.add(PROXY)
    wire = Wire(folder)
    signal.signal(signal.SIGTERM, wire.stop)
    poll = select.poll()
    poll.register(wire.sock, select.POLLIN)
    print("ready", flush=True)
    while not wire.ended:
        # A frame more or less late is as good; fewer wake-ups.
        poll.poll(200)
        wire.drain()
        wire.ended or select.select([], [], [], 0.02)
    wire.drain()
    wire.tell(out + "/wire")


if __name__ == "__main__":
    main(*sys.argv[1:])
