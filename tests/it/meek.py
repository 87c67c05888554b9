"""Have obfs4proxy look for a front: meek.py UID FOLDER FRONT.

It is started as Tor would, as user UID, and asked, as Tor would by SOCKS5, for
a bridge whose url is https://url.test/.
"""
import os
import socket
import subprocess
import sys


def launch(uid, folder):
    env = {"TOR_PT_MANAGED_TRANSPORT_VER": "1",
           "TOR_PT_STATE_LOCATION": folder,
           "TOR_PT_CLIENT_TRANSPORTS": "meek_lite",
           "TOR_PT_EXIT_ON_STDIN_CLOSE": "1",
           "PATH": os.environ["PATH"]}
    process = subprocess.Popen(["obfs4proxy"], env=env, user=uid, group=uid,
                               extra_groups=[], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    for line in process.stdout:
        words = line.decode().split()
        if words[0] == "CMETHOD":
            host, port = words[3].split(":")
            return process, (host, int(port))
    raise EOFError("no method")


def ask(address, front):
    arguments = b"url=https://url.test/;front=" + front.encode()
    sock = socket.create_connection(address, 5)
    sock.settimeout(5)
    sock.sendall(b"\5\1\2")
    sock.recv(2)
    sock.sendall(bytes([1, len(arguments)]) + arguments + b"\1\0")
    sock.recv(2)
    sock.sendall(b"\5\1\0\1" + socket.inet_aton("192.0.2.1") + b"\0\x50")
    sock.recv(10)
    try:  # what it says to the front gets nowhere
        sock.sendall(b"x" * 100)
        sock.recv(10)
    except OSError:
        pass


def main(uid, folder, front):
    process, address = launch(int(uid), folder)
    try:
        ask(address, front)
    finally:
        process.stdin.close()
        process.wait(5)


if __name__ == "__main__":
    main(*sys.argv[1:])
