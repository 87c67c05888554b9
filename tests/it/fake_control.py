"""A control port that misbehaves: fake_control.py HOW SOCKET COOKIEFILE
SOCKET: a path, or a port of 127.0.0.1.

garbage  octets that are no reply       silence  accepts and says nothing
flood    events without end             endless  one line without end
eof      closes after the first command http     another service
hash     a wrong server hash, and alarm if anything is sent after it
"""
import os
import socket
import sys

LIMIT = 64 << 20  # octets per connection, so that the test ends


def pour(link, chunk):
    sent = 0
    while sent < LIMIT:
        link.sendall(chunk)
        sent += len(chunk)


def hash_reply(link, cookie):
    link.sendall(b"250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE,"
                 b"NULL COOKIEFILE=\"%s\"\r\n250-VERSION Tor=\"0.4.9.11\"\r\n"
                 b"250 OK\r\n" % cookie.encode())
    link.recv(4096)
    link.sendall(b"250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s\r\n"
                 % (b"0" * 64, b"1" * 64))
    if link.recv(4096):
        print("ALARM: something was sent after a wrong hash", flush=True)


def serve(link, how, cookie):
    link.settimeout(20)
    link.recv(4096)
    print("asked", flush=True)
    if how == "garbage":
        link.sendall(os.urandom(4096))
    elif how == "silence":
        link.recv(4096)
    elif how == "flood":
        pour(link, b"650 NOTICE flood\r\n" * 4096)
    elif how == "endless":
        pour(link, b"250-" + b"x" * 65536)
    elif how == "http":
        link.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
    elif how == "hash":
        hash_reply(link, cookie)


def main(how, path, cookie):
    with open(cookie, "wb") as file:
        file.write(b"c" * 32)
    os.chmod(cookie, 0o640)
    if path.isdigit():
        server = socket.create_server(("127.0.0.1", int(path)))
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        os.chmod(path, 0o660)
    server.listen(8)
    while True:
        link, _ = server.accept()
        with link:
            try:
                serve(link, how, cookie)
            except OSError:
                pass


main(*sys.argv[1:])
