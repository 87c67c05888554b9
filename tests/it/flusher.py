#!/usr/bin/python3
"""flusher.py SECONDS: "nft flush ruleset" as fast as the kernel takes it.

One transaction after the other, each one message that deletes every table;
what is owned by somebody stays.  Prints how many the kernel carried out.
"""
import socket
import struct
import sys
import time

NETLINK_NETFILTER = 12
BATCH_BEGIN, BATCH_END = 16, 17
DELTABLE = 10 << 8 | 2
REQUEST, ACK = 1, 4


def message(kind, flags, resource):
    body = struct.pack("!BBH", 0, 0, resource)
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def main():
    flush = message(BATCH_BEGIN, REQUEST, 10) + \
        message(DELTABLE, REQUEST | ACK, 0) + \
        message(BATCH_END, REQUEST, 10)
    done = 0
    end = time.monotonic() + float(sys.argv[1])
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                       NETLINK_NETFILTER) as s:
        s.bind((0, 0))
        while time.monotonic() < end:
            s.send(flush)
            error, = struct.unpack_from("=i", s.recv(4096), 16)
            done += error == 0
    print("flushes=%d" % done)


main()
