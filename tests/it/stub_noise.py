"""What a stub has to survive: stub_noise.py ADDRESS PORT.

Garbage, mutilated questions, floods, and connections that are slow, half
said, silent or too many.  Prints one line about what was sent.
"""
import os
import random
import socket
import struct
import sys
import time


def question(name, kind=1, ident=7):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0,
                       0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def mutilate(dice, packet):
    packet = bytearray(packet)
    for _ in range(dice.randrange(1, 6)):
        packet[dice.randrange(len(packet))] = dice.randrange(256)
    return bytes(packet[:dice.randrange(1, len(packet) + 1)])


def datagrams(address, dice):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(address)
    sock.setblocking(False)
    sent = 0
    base = [question("ok.test"), question("okb.test", 28),
            question("evil.test"), question("silent.test")]
    for i in range(20000):
        packet = dice.choice(base)
        if i % 3 == 0:
            packet = mutilate(dice, packet)
        elif i % 3 == 1:
            packet = struct.pack("!H", i & 0xffff) + packet[2:]
        elif i % 30 == 2:
            packet = os.urandom(dice.randrange(1, 1400))
        try:
            sock.send(packet)
            sent += 1
        except OSError:
            time.sleep(0.001)
        try:
            while True:
                sock.recv(4096)
        except OSError:
            pass
    return sent


def connections(address, dice):
    held = []
    whole = question("okb.test")
    for i in range(120):
        sock = socket.create_connection(address, 2)
        sock.settimeout(0.05)
        data = [b"", b"\0", b"\0\x20" + whole[:10],
                struct.pack("!H", 65535) + b"x" * 100,
                struct.pack("!H", 3) + b"abc",
                struct.pack("!H", len(whole)) + whole,
                (struct.pack("!H", len(whole)) + whole) * 40,
                os.urandom(200)][i % 8]
        try:
            if data:
                sock.sendall(data)
            if i % 4 == 1:
                sock.close()
            elif i % 8 != 6:
                sock.recv(10)
        except OSError:
            pass
        held.append(sock)
    time.sleep(0.5)
    for sock in held:
        sock.close()
    return len(held)


def main(host, port):
    seed = int(os.environ.get("PORTCULLIS_SEED", time.time()))
    dice = random.Random(seed)
    address = (host, int(port))
    sent = datagrams(address, dice)
    made = connections(address, dice)
    print("seed %d, %d datagrams, %d connections" % (seed, sent, made))


if __name__ == "__main__":
    main(*sys.argv[1:])
