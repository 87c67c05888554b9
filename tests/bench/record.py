"""Record what a real Tor says:

record.py SOCKET COOKIE SECONDS RELAYS OUT.session OUT.ns

Connects as soon as Tor's control socket is there, asks for all events that
an engine or a person would look at, and for SECONDS asks what the engine
asks: a probe four times a second, the options once, circuits and streams.
OUT.session is all that came, without the answers before AUTHENTICATE.

OUT.ns is the answer to "GETINFO ns/all", with the entries of this network
repeated until there are RELAYS of them.
"""
import socket
import sys
import time

EVENTS = ("CIRC CIRC_MINOR STREAM ORCONN BW NOTICE WARN ERR NEWDESC ADDRMAP "
          "STATUS_GENERAL STATUS_CLIENT GUARD NS NEWCONSENSUS "
          "BUILDTIMEOUT_SET SIGNAL CONF_CHANGED NETWORK_LIVENESS STREAM_BW "
          "TRANSPORT_LAUNCHED")
PROBE = ("GETINFO status/circuit-established status/enough-dir-info "
         "net/listeners/socks net/listeners/httptunnel net/listeners/trans "
         "net/listeners/dns traffic/read process/pid status/bootstrap-phase")
CONF = ("GETCONF SocksPort HTTPTunnelPort TransPort DNSPort DisableNetwork "
        "Bridge UseBridges ClientTransportPlugin HTTPSProxy Socks5Proxy")


class Tor:
    def __init__(self, path):
        while True:
            self.link = socket.socket(socket.AF_UNIX)
            try:
                self.link.connect(path)
                break
            except OSError:
                self.link.close()
                time.sleep(0.02)
        self.all = bytearray()
        self.link.settimeout(20)

    def complete(self, begin):
        """Is there an answer, which is no event, behind BEGIN?"""
        data = False
        lines = self.all[begin:].split(b"\r\n")
        for line in lines[:-1]:
            if data:
                data = line != b"."
            elif line[3:4] == b"+":
                data = True
            elif line[3:4] == b" " and line[:1] != b"6":
                return True
        return False

    def ask(self, command):
        begin = len(self.all)
        self.link.sendall(command.encode() + b"\r\n")
        while not self.complete(begin):
            got = self.link.recv(65536)
            if not got:
                raise EOFError(command)
            self.all += got
        return bytes(self.all[begin:])

    def listen(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.link.settimeout(max(end - time.monotonic(), 0.001))
            try:
                self.all += self.link.recv(65536)
            except (TimeoutError, socket.timeout):
                break
        self.link.settimeout(20)


def cut(answer):
    """The entries of an answer to GETINFO ns/all."""
    text = answer[answer.index(b"250+ns/all="):answer.index(b"\r\n.\r\n")]
    entries = text.split(b"\r\nr ")[1:]
    return [b"r " + entry + b"\r\n" for entry in entries]


def main():
    tor = Tor(sys.argv[1])
    with open(sys.argv[2], "rb") as cookie:
        tor.ask("AUTHENTICATE " + cookie.read().hex())
    tor.all.clear()
    tor.ask("SETEVENTS " + EVENTS)
    end = time.monotonic() + float(sys.argv[3])
    while time.monotonic() < end:
        for command in (PROBE, CONF, "GETINFO circuit-status stream-status",
                        "GETINFO orconn-status entry-guards version"):
            tor.ask(command)
        tor.listen(0.25)
    tor.ask("SIGNAL NEWNYM")
    tor.listen(2)
    # What is cut off at the end is no message.
    last = tor.all.rindex(b"\r\n") + 2
    with open(sys.argv[5], "wb") as out:
        out.write(tor.all[:last])
    entries = cut(tor.ask("GETINFO ns/all"))
    count = int(sys.argv[4])
    with open(sys.argv[6], "wb") as out:
        out.write(b"250+ns/all=\r\n")
        for i in range(count):
            out.write(entries[i % len(entries)])
        out.write(b".\r\n250 OK\r\n")


main()
