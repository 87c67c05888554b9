#!/usr/bin/env python3
"""Clients of status.sock and control.sock that nobody invited.

near_clients.py UID JOB SOCKET [ARGUMENT...]

  idle N            connect, never read, until killed
  slow N            the same, but read an octet a second
  half N            send half a request, and its other half never
  waves COUNT WAVE  COUNT connections, WAVE at a time: what each was told
  storm SECONDS     connect and close, as fast as it goes
  fds N             pass descriptors, with and without octets
  halves N          shut one direction down, or the other
  requests          what is no request, one line each: what it was answered
  flood SECONDS     send without end, and never read

Prints "ready" when it stands, and counts as "name=number" at its end.
"""
import array
import os
import signal
import socket
import sys
import time

NEST = 100_000
LONG = 48 * 1024  # what a request may have, its newline not counted


def opened(path, patience=5.0):
    """A connection, or None: the door is shut, or the queue full."""
    end = time.monotonic() + patience
    while True:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(patience)
        try:
            s.connect(path)
            return s
        except BlockingIOError:  # the queue at the door is full
            s.close()
        except OSError:
            s.close()
            return None
        if time.monotonic() > end:
            return None
        time.sleep(0.01)


def first_line(s):
    got = b""
    while b"\n" not in got:
        try:
            more = s.recv(65536)
        except OSError:
            break
        if not more:
            break
        got += more
    return got


def several(path, n):
    return [s for s in (opened(path) for _ in range(n)) if s is not None]


def ready(**counts):
    print("ready", *(f"{k}={v}" for k, v in counts.items()), flush=True)


def idle(path, n):
    held = several(path, int(n))
    ready(held=len(held))
    signal.pause()


def slow(path, n):
    held = several(path, int(n))
    ready(held=len(held))
    while True:
        for s in list(held):
            try:
                if not s.recv(1):
                    held.remove(s)
            except OSError:
                held.remove(s)
        time.sleep(1)


def half(path, n):
    held = several(path, int(n))
    for s in held:
        try:
            s.sendall(b'{"cmd": "ho')
        except OSError:
            pass  # it was refused already
    ready(held=len(held))
    signal.pause()


def waves(path, count, wave):
    """Every one has a place or one refusing line; neither is a fault."""
    told = {"snapshot": 0, "refused": 0, "dropped": 0, "shut": 0}
    left = int(count)
    while left > 0:
        n = min(left, int(wave))
        held = several(path, n)
        told["shut"] += n - len(held)
        for s in held:
            line = first_line(s)
            if b'"type":"snapshot"' in line or b'"type": "snapshot"' in line:
                told["snapshot"] += 1
            elif b"refused" in line:
                told["refused"] += 1
            else:
                told["dropped"] += 1
        for s in held:
            s.close()
        left -= n
    ready(**told)


def storm(path, seconds):
    ready()
    end = time.monotonic() + float(seconds)
    n = 0
    while time.monotonic() < end:
        s = opened(path, 0.5)
        if s is not None:
            s.close()
            n += 1
    print(f"connections={n}", flush=True)


def fds(path, n):
    sent = 0
    null = os.open("/dev/null", os.O_RDONLY)
    some = array.array("i", [null] * 64)
    held = several(path, int(n))
    for i, s in enumerate(held):
        text = (b"x", b"\n", b'{"cmd":"no"}\n')[i % 3]
        try:
            s.sendmsg([text],
                      [(socket.SOL_SOCKET, socket.SCM_RIGHTS, some)])
            sent += len(some)
        except OSError:
            pass  # it was refused, or its buffer is full
    ready(sent=sent)
    time.sleep(0.5)


def halves(path, n):
    kept = []
    for i, s in enumerate(several(path, int(n))):
        s.shutdown(socket.SHUT_RD if i % 2 else socket.SHUT_WR)
        kept.append(s)
    heard = 0
    for i, s in enumerate(kept):
        if i % 2 == 0 and first_line(s):
            heard += 1
    ready(held=len(kept), heard=heard)


def flood(path, seconds):
    """As fast as it is taken, on a connection that is made anew."""
    ready()
    end = time.monotonic() + float(seconds)
    sent = 0
    while time.monotonic() < end:
        s = opened(path, 1)
        if s is None:
            continue
        s.settimeout(0.2)
        try:
            while time.monotonic() < end:
                sent += s.send(b"[" * 65536)
        except OSError:
            pass
        s.close()
    print(f"octets={sent}", flush=True)


def bad_requests():
    yield "nested", b"[" * NEST + b"\n"
    yield "nested objects", b'{"a":' * 9000 + b"\n"
    yield "nested in a value", (b'{"cmd":"hold","id":' + b"[" * 20000
                                + b"]" * 20000 + b"}\n")
    yield "twice the same key", b'{"cmd":"newnym","cmd":"hold"}\n'
    yield "a NUL", b'{"cmd":"ho\0ld"}\n'
    yield "an escaped NUL", b'{"cmd":"hold\\u0000"}\n'
    yield "a NUL behind", b'{"cmd":"hold"}\0\n'
    yield "not UTF-8", b'{"cmd":"hold","id":"\xff\xfe\x80"}\n'
    yield "a lone surrogate", b'{"cmd":"hold","id":"\\ud800"}\n'
    yield "overlong UTF-8", b'{"cmd":"hold","id":"\xc0\xaf"}\n'
    yield "a number without end", b'{"cmd":"hold","id":1e400}\n'
    yield "an integer without end", (b'{"cmd":"hold","id":' + b"9" * 40
                                     + b"}\n")
    yield "not a number", b'{"cmd":"hold","id":NaN}\n'
    yield "a huge string", (b'{"cmd":"hold","id":"' + b"a" * 40000
                            + b'"}\n')
    yield "a huge key", b'{"' + b"k" * 40000 + b'":1}\n'
    yield "too long", b'{"cmd":"hold"' + b" " * LONG + b"}\n"
    yield "too long, no end", b" " * (LONG + 2)
    yield "an array", b'["hold"]\n'
    yield "a word", b"hold\n"
    yield "nothing", b"\n"
    yield "two objects", b'{"cmd":"hold"}{"cmd":"hold"}\n'
    yield "another key", b'{"cmd":"hold","uid":0}\n'
    yield "another case", b'{"cmd":"HOLD"}\n'
    yield "a comment", b'{"cmd":"hold"} // please\n'
    yield "a BOM", b'\xef\xbb\xbf{"cmd":"hold"}\n'
    yield "a number as verb", b'{"cmd":1}\n'
    yield "null as verb", b'{"cmd":null}\n'
    yield "wrong apply", b'{"cmd":"apply","bridges":{"a":[[]]}}\n'


def requests(path):
    """None of them is to be done; each is to be told, in one line."""
    refused = silent = done = 0
    for name, line in bad_requests():
        s = opened(path)
        if s is None:
            silent += 1
            continue
        try:
            s.sendall(line)
        except OSError:
            pass  # refused before the end, which is as good
        got = first_line(s)
        if b'"ok":true' in got:
            done += 1
            print("done:", name, got[:200], flush=True)
        elif b'"error"' in got:
            refused += 1
        else:
            silent += 1
            print("silent:", name, got[:200], flush=True)
        s.close()
    ready(refused=refused, silent=silent, done=done)


def main():
    uid = int(sys.argv[1])
    if uid != 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    {"idle": idle, "slow": slow, "half": half, "waves": waves,
     "storm": storm, "fds": fds, "halves": halves, "requests": requests,
     "flood": flood}[sys.argv[2]](*sys.argv[3:])


main()
