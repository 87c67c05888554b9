"""A SOCKS4 proxy: socks4.py ADDRESS PORT

One line on stdout for each connection that it has made: "connected to
ADDRESS PORT".  Numbers only (RFC 1928's elder sister has no names, and
SOCKS4a is not needed: Tor resolves nothing for a proxy).
"""
import socket
import socketserver
import struct
import sys
import threading

GRANTED, FAILED = 90, 91
HEAD = struct.Struct("!BBH4s")


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def read(link, n):
    data = b""
    while len(data) < n:
        more = link.recv(n - len(data))
        if not more:
            raise ConnectionError("it has hung up")
        data += more
    return data


class Asked(socketserver.BaseRequestHandler):
    def handle(self):
        link = self.request
        try:
            version, command, port, address = HEAD.unpack(read(link,
                                                               HEAD.size))
            while read(link, 1) != b"\0":   # who asks
                pass
        except ConnectionError:
            return
        code, far = FAILED, None
        if (version, command) == (4, 1):
            try:
                far = socket.create_connection(
                    (socket.inet_ntoa(address), port), 10)
                far.settimeout(None)
                code = GRANTED
            except OSError:
                pass
        link.sendall(HEAD.pack(0, code, port, address))
        if far is None:
            return
        print("connected to", socket.inet_ntoa(address), port, flush=True)
        back = threading.Thread(target=copy, args=(far, link), daemon=True)
        back.start()
        copy(link, far)
        back.join()
        far.close()


class Proxy(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Proxy((sys.argv[1], int(sys.argv[2])), Asked).serve_forever()
