#!/usr/bin/python3
"""Who made and who took away which nf_tables table: tables.py

A line for each, as the kernel tells it, in the network namespace this runs in:
monotonic nanoseconds, "new" or "del", family, name, "owned" or "free", and the
program.  The order is the kernel's; the time is when it was read.  "lost"
instead if the kernel could not tell all: then nothing follows from the rest.
"""
import errno
import os
import socket
import struct
import sys
import time

NETLINK_NETFILTER = 12
NFNLGRP_NFTABLES = 7
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1
SO_RCVBUFFORCE = 33
SUBSYS = 10 << 8
KINDS = {SUBSYS | 0: "new", SUBSYS | 2: "del"}
NEWGEN = SUBSYS | 15
TABLE_NAME, TABLE_FLAGS, GEN_PROC_NAME = 1, 2, 3
F_OWNER = 2
FAMILIES = {1: "inet", 5: "netdev"}
ROOM = 16 << 20


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[kind & 0x3fff] = data[4:length]
        data = data[length + 3 & ~3:]
    return found


def messages(data):
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if length < 20:
            break
        yield kind, data[16], attributes(data[20:length])
        data = data[length + 3 & ~3:]


def text(octets):
    return octets.rstrip(b"\0").decode("ascii", "replace").replace(" ", "_")


def main():
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
    sock.bind((0, 0))
    sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES)
    os.nice(-20)
    print("ready", flush=True)
    changes = []
    while True:
        try:
            data = sock.recv(1 << 20)
        except OSError as e:
            if e.errno != errno.ENOBUFS:
                raise
            print("lost", flush=True)
            continue
        at = time.monotonic_ns()
        for kind, family, a in messages(data):
            if kind in KINDS:
                # A table that goes has none any more.
                flags = struct.unpack("!I", a.get(TABLE_FLAGS, bytes(4)))[0]
                changes.append(f"{at} {KINDS[kind]} "
                               f"{FAMILIES.get(family, family)} "
                               f"{text(a[TABLE_NAME])} "
                               f"{'owned' if flags & F_OWNER else 'free'}")
            elif kind == NEWGEN:
                who = text(a.get(GEN_PROC_NAME, b"?"))
                for change in changes:
                    print(change, who)
                sys.stdout.flush()
                changes = []


main()
