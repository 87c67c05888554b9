"""Hostile clients of control.sock: flood_control.py SOCKET

Each must be dropped, or at least never answered with a success.
"""
import socket
import sys

BAD = [
    b"\n" * 10000,
    b"{" * 100000 + b"\n",
    b"[" * 3000 + b"]" * 3000 + b"\n",
    b'{"cmd":"open"}\n',
    b'{"cmd":"hold"' + b" " * 100000 + b"}\n",
    b'{"cmd":7}\n',
    b"\0\0\0\0\n",
    b"\xff\xfe{}\n",
    b'{"cmd":"hold"}x\n',
    b"GET / HTTP/1.0\r\n\r\n",
]


def attack(path, octets):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(15)
        link.connect(path)
        answer = b""
        try:
            link.sendall(octets)
            while b'"ok":true' not in answer.replace(b" ", b""):
                more = link.recv(4096)
                if not more:
                    return False
                answer += more
        except ConnectionError:
            return False
        return True


def main(path):
    for _ in range(20):
        for octets in BAD:
            if attack(path, octets):
                sys.exit("accepted: %r" % octets[:60])


main(sys.argv[1])
