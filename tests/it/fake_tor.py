"""A Tor's control port that behaves, with answers from a table."""
import hashlib
import hmac
import os

COOKIE = b"c" * 32
SERVER = b"Tor safe cookie authentication server-to-controller hash"
CLIENT = b"Tor safe cookie authentication controller-to-server hash"
HOST = ' HOSTID="%s" HOSTADDR="192.0.2.9:443"' % ("A" * 40)

ANSWERS = {
    "GETINFO status/bootstrap-phase":
        '250-status/bootstrap-phase=WARN BOOTSTRAP PROGRESS=14 TAG=handshake '
        'SUMMARY="Handshaking with a relay" WARNING="Connection refused" '
        'REASON=CONNECTREFUSED COUNT=3 RECOMMENDATION=warn' + HOST +
        '\r\n250 OK',
    "GETINFO status/circuit-established":
        "250-status/circuit-established=1\r\n250 OK",
    "GETINFO dormant": "250-dormant=1\r\n250 OK",
    "GETINFO consensus/valid-after consensus/valid-until":
        "250-consensus/valid-after=2026-01-31 21:00:00\r\n"
        "250-consensus/valid-until=2026-02-01 00:00:00\r\n250 OK",
    "GETCONF DisableNetwork": "250 DisableNetwork=1",
    "SETEVENTS CIRC": "250 OK",
    "SETEVENTS STREAM":
        "250 OK\r\n650 STREAM 9 SENTCONNECT 7 192.0.2.1:443\r\n"
        "650 STREAM 9 SUCCEEDED 7 192.0.2.1:443",
    "EXTENDCIRCUIT 0 purpose=general":
        "650 CIRC 7 LAUNCHED BUILD_FLAGS=NEED_CAPACITY PURPOSE=GENERAL\r\n"
        "250 EXTENDED 7\r\n650 CIRC 17 FAILED PURPOSE=GENERAL REASON=TIMEOUT"
        "\r\n650 CIRC 7 BUILT $%s~relay PURPOSE=GENERAL" % ("B" * 40),
    "SIGNAL ACTIVE": "250 OK",
    "SIGNAL NEWNYM": "250 OK",
}


class Tor:
    """An ACT for fake_status.Server.  METHODS: as in PROTOCOLINFO."""

    def __init__(self, cookie, methods="COOKIE,SAFECOOKIE"):
        self.cookie, self.methods = cookie, methods
        self.answers = dict(ANSWERS)
        self.heard = []
        with open(cookie, "wb") as file:
            file.write(COOKIE)

    def challenge(self, nonce):
        mine = os.urandom(32)
        key = COOKIE + bytes.fromhex(nonce) + mine
        self.proof = hmac.new(CLIENT, key, hashlib.sha256).hexdigest()
        return ("250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s" % (
            hmac.new(SERVER, key, hashlib.sha256).hexdigest(),
            mine.hex())).upper()

    def answer(self, command):
        word, _, rest = command.partition(" ")
        if word == "PROTOCOLINFO":
            return ('250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s COOKIEFILE='
                    '"%s"\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK'
                    % (self.methods, self.cookie))
        if word == "AUTHCHALLENGE":
            return self.challenge(rest.split()[1])
        if word == "AUTHENTICATE":
            good = {"COOKIE,SAFECOOKIE": getattr(self, "proof", None),
                    "COOKIE": COOKIE.hex(), "NULL": ""}[self.methods]
            ok = good is not None and rest.lower() == good.lower()
            return "250 OK" if ok else "515 Bad authentication"
        return self.answers.get(command, '552 Unrecognized key "%s"' % rest)

    def __call__(self, link):
        for line in link.makefile("rb"):
            command = line.decode().rstrip("\r\n")
            self.heard.append(command)
            answer = self.answer(command)
            if answer is None: # says nothing more
                link.recv(1)
                return
            link.sendall(answer.encode() + b"\r\n")
