"""A Tor's control port and listeners, with the voice of a good Tor.

tor_voice.py FOLDER

FOLDER/control has the socket and the cookie; with HOSTILE_TCP in the
environment it is a TCP port and a password.  It runs as whoever is to own
them; its listeners are real sockets that SETCONF opens and closes, so that
what it says can be proven and the gate opens.  It reads commands from
standard input:

    case NAME   misbehave as tor_cases.py says, on new connections if the
                case is one of those, from the next question on if not
    good        be a good Tor again
    cut         close every control connection

and prints "done" after each, "met TIME" whenever a misdeed was done, and
"ALARM text" if it was told what no wrong peer may be told.
"""
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "it"))
import fake_tor  # noqa: E402
import tor_cases  # noqa: E402

TOKEN = b"a listener of Tor's\n"
KINDS = {"socksport": "socks", "httptunnelport": "httptunnel",
         "transport": "trans", "dnsport": "dns"}
NAMES = {"socksport": "SocksPort", "httptunnelport": "HTTPTunnelPort",
         "transport": "TransPort", "dnsport": "DNSPort"}
PLAIN = {"disablenetwork": "DisableNetwork=0", "usebridges": "UseBridges=0",
         "countprivatebandwidth": "CountPrivateBandwidth=0"}
WORDS = re.compile(r'(\w+)(?:=("(?:[^"\\]|\\.)*"|\S*))?')
EVENTS = ("CIRC STREAM ORCONN BW DEBUG INFO NOTICE WARN ERR NEWDESC ADDRMAP "
          "STATUS_GENERAL STATUS_CLIENT STATUS_SERVER CONF_CHANGED SIGNAL "
          "NETWORK_LIVENESS TRANSPORT_LAUNCHED")
TCP = bool(os.environ.get("HOSTILE_TCP"))
PORT = ("127.0.0.1", 9051)
PASSWORD = "a password, of tor_run.py"
DEFAULTS = "\r\n".join(
    'DirAuthority "a%d orport=443 v3ident=%s 192.0.2.%d:80 %s"' % (
        i, "A" * 40, i, "B" * 40) for i in range(1, 9))
RELAYS = "\r\n".join(
    "r relay%d %s %s 2026-01-31 21:00:00 198.51.100.%d 443 0\r\n"
    "s Fast Running Valid" % (i, "A" * 27, "B" * 27, i)
    for i in range(1, 250))
SAY = threading.Lock()


def say(*words):
    with SAY:
        print(*words, flush=True)


class Listener:
    """One socket of Tor's; whoever connects is told whose it is."""

    def __init__(self, kind, where):
        host, port = where.rsplit(":", 1)
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        udp = kind == "dns"
        self.sock = socket.socket(family, socket.SOCK_DGRAM if udp else
                                  socket.SOCK_STREAM)
        if not udp:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, int(port)))
        if udp:
            return
        self.sock.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                link, _ = self.sock.accept()
                with link:
                    link.sendall(TOKEN)
            except OSError:
                if self.sock.fileno() == -1:
                    return

    def close(self):
        try: # accept(2) in the other thread keeps it open without
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class Link(fake_tor.Tor):
    """One control connection."""

    def __init__(self, voice, sock):
        self.voice, self.sock = voice, sock
        self.methods = "COOKIE,SAFECOOKIE"
        self.cookie = voice.cookie
        self.lock = threading.Lock()
        self.case = voice.case
        self.events = False
        self.known = False
        self.state = {}

    def send(self, octets):
        with self.lock:
            self.sock.sendall(octets)

    def met(self):
        say("met", time.monotonic())

    def shout(self, text):
        say("ALARM:", text)

    def count_events(self, number):
        say("events", number, time.monotonic())

    def going(self):
        return self.voice.case is self.case

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while self.going() and time.monotonic() < end:
            time.sleep(0.02)
        return self.going()

    # --- answers ---------------------------------------------------------

    def value(self, key):
        voice = self.voice
        if key.startswith("net/listeners/"):
            return " ".join('"%s"' % where for kind, where in
                            voice.listeners if kind == key[14:])
        if key == "traffic/read":
            voice.count += 1000
            return str(voice.count)
        if key == "circuit-status":
            voice.count += 1
            return "%d BUILT $%s~relay PURPOSE=GENERAL" % (voice.count,
                                                           "B" * 40)
        return {
            "version": "0.4.9.11",
            "process/pid": str(os.getpid()),
            "events/names": EVENTS,
            "process/descriptor-limit": "65536",
            "status/circuit-established": "1",
            "status/enough-dir-info": "1",
            "status/bootstrap-phase": 'NOTICE BOOTSTRAP PROGRESS=100 '
                                      'TAG=done SUMMARY="Done"',
            "config/defaults": DEFAULTS,
            "ns/all": RELAYS,
            "stream-status": "",
            "dormant": "0",
            "uptime": str(int(time.monotonic())),
            "consensus/valid-after": "2026-01-31 21:00:00",
            "consensus/fresh-until": "2026-01-31 22:00:00",
            "consensus/valid-until": "2026-02-01 00:00:00",
        }.get(key)

    def getinfo(self, keys):
        out = b""
        for key in keys:
            value = self.value(key)
            if value is None:
                return b'552 Unrecognized key "%s"\r\n' % key.encode()
            value = self.lie(key, value.encode())
            if b"\n" in value:
                out += b"250+%s=\r\n%s\r\n.\r\n" % (key.encode(), value)
            else:
                out += b"250-%s=%s\r\n" % (key.encode(), value)
        return out + b"250 OK\r\n"

    def lie(self, key, truth):
        case = self.voice.case
        lie = case.lies.get(key) if case is not None else None
        if lie is None:
            return truth
        self.met()
        return lie(self, truth) if callable(lie) else lie

    def getconf(self, names):
        lines = []
        for name in names:
            key = name.lower()
            bare = key[:-5] if key.endswith("lines") else key
            if key in PLAIN:
                got = [PLAIN[key].encode()]
            elif self.voice.conf.get(bare):
                got = [b"%s=%s" % (NAMES[bare].encode(), value.encode())
                       for value in self.voice.conf[bare]]
            else:
                got = [name.encode()]
            lines += self.lie("conf " + bare, b"\n".join(got)).split(b"\n")
        return b"".join(b"250%s%s\r\n" % (
            b" " if i == len(lines) - 1 else b"-", line)
            for i, line in enumerate(lines))

    def setconf(self, text):
        wanted = {}
        for name, value in WORDS.findall(text):
            value = re.sub(r"\\(.)", r"\1", value.strip('"'))
            wanted.setdefault(name.lower(), []).append(value)
        if not self.voice.set_ports(wanted):
            return (b"553 Unable to set option: Failed to bind one of the "
                    b"listener ports.\r\n")
        changed = b"".join(b"650-%s\r\n" % b"\r\n650-".join(
            b"%s=%s" % (NAMES.get(key, key).encode(), value.encode())
            for value in values) for key, values in wanted.items())
        return (b"250 OK\r\n650-CONF_CHANGED\r\n" + changed +
                b"650 OK\r\n" if self.events else b"250 OK\r\n")

    def good(self, command):
        word, _, rest = command.partition(" ")
        if word == "GETINFO":
            return self.getinfo(rest.split())
        if word == "GETCONF":
            return self.getconf(rest.split())
        if word == "SETCONF":
            return self.setconf(rest)
        if word == "SETEVENTS":
            self.events = True
        if word in ("SETEVENTS", "SIGNAL", "CLOSESTREAM"):
            return b"250 OK\r\n"
        if word == "PROTOCOLINFO" and TCP:
            return (b'250-PROTOCOLINFO 1\r\n250-AUTH METHODS=HASHEDPASSWORD'
                    b'\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n')
        if word == "AUTHENTICATE" and TCP:
            return b"250 OK\r\n" if self.is_password(rest) else \
                b"515 Bad authentication\r\n"
        if word == "EXTENDCIRCUIT":
            self.voice.count += 1
            return b"250 EXTENDED %d\r\n" % self.voice.count
        return self.answer(command).encode() + b"\r\n"

    @staticmethod
    def is_password(rest):
        return rest in ('"%s"' % PASSWORD, PASSWORD.encode().hex(),
                        PASSWORD.encode().hex().upper())

    # --- life ------------------------------------------------------------

    def listen_in(self, line):
        """No wrong peer may be told the cookie itself."""
        if fake_tor.COOKIE.hex().encode() in line.lower():
            say("ALARM: the cookie was sent")

    def serve(self):
        case = self.case
        if case is not None and case.step == "connect":
            self.met()
            if not case.deed(self, b""):
                return
        for line in self.sock.makefile("rb"):
            self.listen_in(line)
            command = line.decode().rstrip("\r\n")
            self.case = case = self.voice.case
            step = tor_cases.step_of(command)
            if case is None or case.deed is None or case.step not in (
                    step, "any"):
                self.send(self.good(command))
                continue
            good = b"" if case.undone else self.good(command)
            self.met()
            if not case.deed(self, good):
                return

    def run(self):
        try:
            self.serve()
        except (OSError, ValueError):
            pass
        finally:
            self.cut()

    def cut(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class Voice:
    def __init__(self, folder):
        self.path = os.path.join(folder, "control", "socket")
        self.cookie = os.path.join(folder, "control", "cookie")
        self.case = None
        self.conf = {}
        self.listeners = {}
        self.missing = ()  # of those: what is not opened, whatever is said
        self.links = []
        self.count = 1000
        self.lock = threading.Lock()
        self.server = None

    def write_cookie(self):
        if os.path.lexists(self.cookie):
            os.unlink(self.cookie)
        with open(self.cookie, "wb") as file:
            file.write(fake_tor.COOKIE)
        os.chmod(self.cookie, 0o640)

    def set_ports(self, wanted):
        with self.lock:
            for key, values in wanted.items():
                if key in KINDS:
                    self.conf[key] = [v for v in values if v not in ("0", "")]
            return self.sync()

    def sync(self):
        """Open what the options have, close what they do not."""
        want = [(KINDS[key], value.split()[0]) for key, values in
                self.conf.items() for value in values]
        for place in [p for p in self.listeners if p not in want]:
            self.listeners.pop(place).close()
        good = True
        for place in want:
            try:
                if place not in self.listeners or (
                        place not in self.missing and
                        self.listeners[place].sock.fileno() == -1):
                    self.listeners[place] = Listener(*place)
            except OSError:
                good = False
        return good

    def open_port(self):
        """What we are sent fills up soon; what we send has room."""
        self.server = socket.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.server.bind(PORT)

    def open_socket(self):
        if os.path.lexists(self.path):
            os.unlink(self.path)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        os.chmod(self.path, 0o660)

    def bind(self):
        if TCP:
            self.open_port()
        else:
            self.open_socket()
        self.server.listen(64)
        threading.Thread(target=self.accept, args=(self.server,),
                         daemon=True).start()

    def unbind(self):
        if self.server is not None:
            self.server.shutdown(socket.SHUT_RDWR)
            self.server.close()
            self.server = None

    def accept(self, server):
        while True:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            link = Link(self, sock)
            self.links = [x for x in self.links if x.sock.fileno() != -1]
            self.links.append(link)
            threading.Thread(target=link.run, daemon=True).start()

    def cut(self):
        for link in self.links:
            link.cut()

    def tell(self, octets):
        """An event for every connection that has asked for events."""
        for link in self.links:
            if link.events:
                try:
                    link.send(octets)
                except OSError:
                    pass

    def begin(self, name):
        self.case = tor_cases.CASES[name]
        if self.case.act is not None:
            self.case.act(self)
        if self.case.fresh:
            self.cut()

    def good(self):
        case, self.case = self.case, None
        self.missing = ()
        if case is not None and case.cookie is not None:
            self.write_cookie()
        with self.lock:
            self.sync()
        if self.server is None:
            self.bind()
        if case is not None and case.cut:
            self.cut()

    def obey(self):
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "case":
                self.begin(rest)
            elif word == "good":
                self.good()
            elif word == "cut":
                self.cut()
            say("done", time.monotonic())


def main(folder):
    os.umask(0o007)
    voice = Voice(folder)
    voice.write_cookie()
    voice.bind()
    say("ready")
    voice.obey()


if __name__ == "__main__":
    # One module under two names would be two of everything.
    main(sys.argv[1])
