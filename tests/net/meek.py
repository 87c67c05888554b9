"""A meek server: meek.py ADDRESS CERT KEY ORADDRESS ORPORT

HTTPS on ADDRESS, port 443.  A client's POSTs of one X-Session-Id are one
connection to a relay's ORPort: a body is what it sends, the answer's body
what came back since.  One line per new session on stdout: client, host
asked for.
"""
import http.server
import select
import socket
import ssl
import sys
import threading

BODY = 65536    # as much as one answer may hold
PATIENCE = 0.1  # seconds that an answer waits for something to carry


class Session:
    def __init__(self, relay):
        self.sock = socket.create_connection(relay, 5)
        self.lock = threading.Lock()

    def exchange(self, data):
        with self.lock:
            self.sock.sendall(data)
            if not select.select([self.sock], [], [], PATIENCE)[0]:
                return b""
            data = self.sock.recv(BODY)
            if data == b"":
                raise EOFError("the relay closed")
            return data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def session(self):
        ident = self.headers["X-Session-Id"]
        sessions = self.server.sessions
        if ident not in sessions:
            print("session", self.client_address[0], self.headers["Host"],
                  flush=True)
            sessions[ident] = Session(self.server.relay)
        return sessions[ident]

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"] or 0))
        try:
            data = self.session().exchange(data)
        except (OSError, EOFError):
            self.server.sessions.pop(self.headers["X-Session-Id"], None)
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    """The handshake is its thread's: nobody waits for another client."""
    daemon_threads = True
    tls = None

    def process_request_thread(self, request, client_address):
        try:
            request = self.tls.wrap_socket(request, server_side=True)
        except OSError as error:
            print(client_address[0], "broken:", error, flush=True)
            request.close()
            return
        super().process_request_thread(request, client_address)

    def handle_error(self, request, client_address):
        print(client_address[0], "broken:", sys.exc_info()[1], flush=True)


def https(address, cert, key, handler):
    """A server on port 443 that speaks TLS; not yet running."""
    server = Server((address, 443), handler)
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(cert, key)
    return server


def main(address, cert, key, oraddress, orport):
    server = https(address, cert, key, Handler)
    server.relay = (oraddress, int(orport))
    server.sessions = {}
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
