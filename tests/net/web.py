"""The internet's web server: web.py TOKEN

/             a small page that holds TOKEN and the client's address
/big?bytes=N  N octets (no number: without end) as fast as they go
/slow?rate=R  R octets a second, without end

Any address, IPv4 and IPv6, port 80.  One line per request on stdout.
"""
import http.server
import socket
import sys
import time
import urllib.parse

CHUNK = 16384
TICK = 0.05  # seconds between two writes of /slow


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        try:
            if url.path == "/big":
                self.big(int(query.get("bytes", "0")))
            elif url.path == "/slow":
                self.slow(int(query.get("rate", "10000")))
            else:
                self.page()
        except OSError:
            self.close_connection = True

    def peer(self):
        return self.client_address[0].removeprefix("::ffff:")

    def head(self, length):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Connection", "close")
        if length:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def page(self):
        text = "%s from=%s\n" % (sys.argv[1], self.peer())
        self.head(len(text))
        self.wfile.write(text.encode())

    def big(self, length):
        self.head(length)
        chunk, left = b"x" * CHUNK, length
        while length == 0 or left > 0:
            part = chunk if length == 0 else chunk[:left]
            self.wfile.write(part)
            left -= len(part)

    def slow(self, rate):
        self.head(0)
        part = b"x" * max(1, int(rate * TICK))
        while True:
            self.wfile.write(part)
            self.wfile.flush()
            time.sleep(TICK)

    def log_message(self, format, *args):
        print("%.3f %s %s" % (time.clock_gettime(time.CLOCK_MONOTONIC),
              self.peer(), format % args), flush=True)


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


if __name__ == "__main__":
    server = Server(("::", 80), Handler)
    print("ready", flush=True)
    server.serve_forever()
