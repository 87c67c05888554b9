"""A snowflake broker that has no proxies: broker.py ADDRESS CERT KEY STUN

HTTPS on ADDRESS, port 443: every client is told that there is no snowflake
to be had, which is as far as a private network goes.  On STUN, UDP port
3478, a STUN server.  One line per request on stdout: "broker" client host,
or "stun" client.
"""
import http.server
import socket
import struct
import sys
import threading

import meek

ANSWER = b'{"error":"no snowflake proxies currently available"}'
COOKIE = 0x2112A442  # RFC 5389
BINDING, SUCCESS, XOR_MAPPED = 0x0001, 0x0101, 0x0020


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        print("broker", self.client_address[0], self.headers["Host"],
              flush=True)
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format, *args):
        pass


def stun_reply(packet, peer):
    """A binding request's answer: where it came from."""
    kind, _, cookie = struct.unpack_from("!HHI", packet)
    if kind != BINDING or cookie != COOKIE:
        raise ValueError("no binding request")
    address = struct.unpack("!I", socket.inet_aton(peer[0]))[0]
    value = struct.pack("!BBHI", 0, 1, peer[1] ^ COOKIE >> 16,
                        address ^ COOKIE)
    return struct.pack("!HHI", SUCCESS, 4 + len(value), COOKIE) + \
        packet[8:20] + struct.pack("!HH", XOR_MAPPED, len(value)) + value


def stun(sock):
    while True:
        packet, peer = sock.recvfrom(2048)
        try:
            reply = stun_reply(packet, peer)
        except (ValueError, struct.error):
            continue
        print("stun", peer[0], flush=True)
        sock.sendto(reply, peer)


def main(address, cert, key, stun_address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((stun_address, 3478))
    threading.Thread(target=stun, args=(sock,), daemon=True).start()
    server = meek.https(address, cert, key, Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
