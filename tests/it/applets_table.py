"""The applets beside the table of what their callers expect.

applets_table.py PROGRAM FOLDER: every applet in every state of the
supervisor, told by a socket of ours; then without a supervisor, with a Tor of
ours; then with what is neither.  Ends with "N passed, N failed".
"""
import json
import os
import socket
import subprocess
import sys
import time

import fake_status
import fake_tor

APPLETS = ("tor-bootstrap-check", "tor-circuit-established-check",
           "tor-circuit-built-check", "tor-stream-success-check",
           "tor-dormant-check", "tor-signal-newnym",
           "tor-consensus-valid-after", "tor-consensus-valid-until",
           "tor-enabled-check")
SILENT = ("", 255)
BUILT = ("Circuit 42 built\n", 0)
NOT_BUILT = ("no new circuit built within 8.0s\n", 1)
STREAM = ("STREAM SUCCEEDED target=not-told\n", 0)
NO_STREAM = ("no STREAM reached SUCCEEDED within 10.0s\n", 1)
VALID = (("2026-01-31 21:00:00\n", 0), ("2026-02-01 00:00:00\n", 0))
LIMIT = 1.0  # seconds, for each


class Bench:
    def __init__(self, program, folder):
        self.program, self.root = program, os.path.join(folder, "root")
        self.status = self.root + "/run/portcullis/status.sock"
        self.tor = self.root + "/run/tor/control"
        self.passed = self.failed = 0
        self.slowest = 0.0
        os.makedirs(self.root + "/etc/tor")

    def run(self, *args, port=0):
        begin = time.monotonic()
        done = subprocess.run(
            [self.program, "--root", self.root, "--control-port", str(port),
             *args], capture_output=True, text=True, timeout=20)
        took = time.monotonic() - begin
        self.slowest = max(self.slowest, took)
        if took >= LIMIT:
            self.check("%s in %.2f s" % (" ".join(args), took), False, True)
        return done.stdout, done.returncode

    def check(self, what, got, want):
        if got == want:
            self.passed += 1
            return
        self.failed += 1
        print("FAILED: %s: %r, not %r" % (what, got, want))

    def expect(self, what, want, *args, port=0):
        self.check("%s: %s" % (what, " ".join(args)),
                   self.run(*args, port=port), want)


def expected(name, line):
    """What each of APPLETS says by LINE, where Tor itself answers nobody."""
    table = dict.fromkeys(APPLETS, SILENT)
    table["tor-enabled-check"] = ("true", 0)  # the default of a torrc
    if line is None or name in ("down", "unreachable", "no-engine"):
        return table
    boot = line["bootstrap"]
    table["tor-bootstrap-check"] = (boot["line"] + "\n", boot["progress"])
    if line["circuits"]["established"]:
        table["tor-circuit-established-check"] = ("1\n", 0)
    else:
        table["tor-circuit-established-check"] = ("0\n", 1)
    usable = line["circuits"]["usable"] == "yes"
    table["tor-circuit-built-check"] = BUILT if usable else NOT_BUILT
    table["tor-stream-success-check"] = STREAM if usable else NO_STREAM
    table["tor-dormant-check"] = ("1\n" if name == "dormant" else "0\n", 0)
    have = line["consensus"]["valid_after"] is not None
    for applet, text in zip(APPLETS[6:8], VALID):
        table[applet] = text if have else ("\n", 0)
    if name == "disabled":
        table["tor-enabled-check"] = ("false", 0)
    return table


def arguments(applet):
    return (applet, "8") if "built" in applet else (applet,)


def every_state(b):
    for name, line in fake_status.states().items():
        server = line and fake_status.Server(b.status,
                                             fake_status.tell(line))
        for applet, want in expected(name, line).items():
            b.expect(name, want, *arguments(applet))
        if server:
            server.close()


def dates(b):
    after, until = VALID[0][0], VALID[1][0]
    good = (("--has-consensus", ("", 0)), ("--show-valid-after", (after, 0)),
            ("--show-valid-until", (until, 0)),
            ("--show-middle-range", ("2026-01-31 22:30:00\n", 0)),
            ("--current-time-in-valid-range", ("", 1)),
            ("--tor-cert-lifetime-valid", ("", 0)),
            ("--tor-cert-valid-after", ("", 0)))
    states = fake_status.states()
    server = fake_status.Server(b.status,
                                fake_status.tell(states["established"]))
    for option, want in good:
        b.expect("anondate", want, "anondate", "--verified-only", option)
    b.expect("anondate", ("", 111), "anondate", "--nonsense")
    b.expect("anondate", ("", 1), "anondate", "--verified-only")
    b.expect("anondate, no file", ("", 4), "anondate", "--unverified-only",
             "--has-consensus")
    b.expect("anondate, no file", ("", 1), "anondate", "--user-permission")
    server.close()
    now = time.time()
    line = fake_status.changed(states["established"], consensus={
        "valid_after": iso(now - 3600), "valid_until": iso(now + 7200)})
    server = fake_status.Server(b.status, fake_status.tell(line))
    b.expect("anondate, now", ("", 0), "anondate", "--verified-only",
             "--current-time-in-valid-range")
    server.close()
    server = fake_status.Server(b.status,
                                fake_status.tell(states["warned"]))
    b.expect("anondate, no consensus", ("", 1), "anondate",
             "--has-consensus")
    b.expect("anondate, no consensus", ("", 1), "anondate",
             "--show-valid-after")
    b.expect("anondate, warned", ("", 1), "anondate",
             "--tor-cert-lifetime-valid")
    b.expect("anondate, warned", ("Aug 16 00:00:00 2014 GMT\n", 0),
             "anondate", "--tor-cert-valid-after")
    server.close()


def iso(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def files(b):
    data = b.root + "/var/lib/tor/"
    write(data + "unverified-microdesc-consensus",
          "network-status-version 3 microdesc\n"
          "valid-after 2026-01-31 21:00:00\nvalid-until "
          "2026-02-01 00:00:00\n")
    write(data + "cached-microdesc-consensus", "network-status-version 3\n")
    for option, code in (("--unverified-only", 0), ("--verified-only", 1),
                         ("--prefer-verified", 1)):
        b.expect("anondate by file", ("", code), "anondate", option,
                 "--has-consensus")
    os.unlink(data + "cached-microdesc-consensus")
    b.expect("anondate by file", ("", 0), "anondate", "--prefer-verified",
             "--has-consensus")
    name = subprocess.run(["id", "-un"], capture_output=True, text=True)
    b.expect("anondate by file", (name.stdout, 0), "anondate",
             "--unverified-only", "--user-permission")
    check = "tor-enabled-check"
    write(b.root + "/etc/tor/torrc", "DisableNetwork 0\n# DisableNetwork 1\n"
          "%include /etc/torrc.d/*.conf\n")
    b.expect("torrc", ("true", 0), check)
    write(b.root + "/usr/local/etc/torrc.d/50_user.conf",
          "\tdisablenetwork  1 # until asked\n")
    b.expect("torrc", ("false", 0), check)
    write(b.root + "/usr/local/etc/torrc.d/60.bak", "DisableNetwork 0\n")
    b.expect("torrc, a file that Tor does not read", ("false", 0), check)
    os.mkfifo(b.root + "/usr/local/etc/torrc.d/70.conf")
    b.expect("torrc, a FIFO", ("false", 0), check)


TOR_SAYS = {
    "tor-bootstrap-check": (fake_tor.ANSWERS[
        "GETINFO status/bootstrap-phase"].split("=", 1)[1].split("\r")[0]
        .replace(fake_tor.HOST, "") + "\n", 14),
    "tor-circuit-established-check": ("1\n", 0),
    "tor-circuit-built-check": ("Circuit 7 built\n", 0),
    "tor-stream-success-check": STREAM,
    "tor-dormant-check": ("1\n", 0),
    "tor-signal-newnym": ("", 0),
    "tor-consensus-valid-after": VALID[0],
    "tor-consensus-valid-until": VALID[1],
    "tor-enabled-check": ("false", 0),
}


def fallback(b, cookie):
    """Without a supervisor, and with one whose link is down."""
    tor = fake_tor.Tor(cookie)
    server = fake_status.Server(b.tor, tor)
    for applet, want in TOR_SAYS.items():
        b.expect("Tor", want, *arguments(applet))
    b.check("signals in their order", [c for c in tor.heard if "SIGNAL" in c],
            ["SIGNAL ACTIVE", "SIGNAL NEWNYM"])
    down = fake_status.Server(b.status, fake_status.tell(
        fake_status.states()["unreachable"]))
    for applet, want in TOR_SAYS.items():
        b.expect("Tor beside a supervisor", want, *arguments(applet))
    down.close()
    server.close()
    for methods in ("NULL", "COOKIE"):
        server = fake_status.Server(b.tor, fake_tor.Tor(cookie, methods))
        b.expect(methods, ("1\n", 0), "tor-dormant-check")
        server.close()


def odd_tors(b, cookie):
    """A Tor that refuses, knows no consensus, or answers no more."""
    for changes, applet, want in (
            ({"getinfo_dormant": None}, "tor-dormant-check", SILENT),
            ({"getinfo_dormant": "250-dormant=x\r\n250 OK"},
             "tor-dormant-check", SILENT),
            ({"getinfo_status/bootstrap-phase":
              "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=101\r\n"
              "250 OK"}, "tor-bootstrap-check", SILENT),
            ({"getinfo_status/bootstrap-phase":
              "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=7 TAG=x "
              "SUMMARY=\"\033[31m\"\r\n250 OK"}, "tor-bootstrap-check",
             ('NOTICE BOOTSTRAP PROGRESS=7 TAG=x SUMMARY="?[31m"\n', 7)),
            ({"setevents_circ": "552 Unrecognized event"},
             "tor-circuit-built-check", SILENT),
            ({"signal_newnym": "551 No"}, "tor-signal-newnym", SILENT)):
        answers = {}
        for key, value in changes.items():
            word, _, rest = key.partition("_")
            answers[word.upper() + " " + (rest if word == "getinfo" else
                                          rest.upper())] = value
        tor = fake_tor.Tor(cookie)
        tor.answers.update(answers)
        server = fake_status.Server(b.tor, tor)
        b.expect(str(changes), want, *arguments(applet))
        server.close()
    extend = "EXTENDCIRCUIT 0 purpose=general"
    empty = "250-consensus/valid-after=\r\n250-consensus/valid-until=\r\n"
    both = "GETINFO consensus/valid-after consensus/valid-until"
    for key, value, applet, want in (
            (extend, "250 EXTENDED 7\r\n650 CIRC 7 FAILED PURPOSE=GENERAL "
             "REASON=TIMEOUT", "tor-circuit-built-check",
             ("circuit build failed: TIMEOUT\n", 1)),
            (extend, "551 Couldn't start circuit", "tor-circuit-built-check",
             ("circuit build failed: Couldn't start circuit\n", 1)),
            (extend, "250 EXTENDED 7", "tor-circuit-built-check", NOT_BUILT),
            (both, empty + "250 OK", "tor-consensus-valid-after", ("\n", 0)),
            (both, "552 Unrecognized key", "tor-consensus-valid-until",
             ("\n", 0))):
        tor = fake_tor.Tor(cookie)
        tor.answers[key] = value
        server = fake_status.Server(b.tor, tor)
        b.expect(value, want, *arguments(applet))
        server.close()


def pour(chunk):
    def act(link):
        while True:
            link.sendall(chunk)
    return act


def strangers(b):
    """What talks at the supervisor's place is none."""
    for name, act in (("silence", lambda link: link.recv(1)),
                      ("eof", lambda link: None),
                      ("endless", pour(b"{" * 65536)),
                      ("lines", pour(b"[]\n")),
                      ("deep", fake_status.tell(json.loads("[" * 90 + "]" * 90))),
                      ("schema", fake_status.tell(dict(fake_status.OPEN,
                                                       v=2))),
                      ("types", fake_status.tell({
                          "v": 1, "bootstrap": {"progress": "100"},
                          "circuits": 7, "consensus": []})),
                      ("range", fake_status.tell({
                          "v": 1, "bootstrap": {"progress": 256}}))):
        server = fake_status.Server(b.status, act)
        for applet in ("tor-bootstrap-check", "tor-circuit-built-check"):
            b.expect("supervisor: " + name, SILENT, *arguments(applet))
        server.close()


def bad_tors(b, cookie):
    """The control ports that the engine is tested on."""
    fake = os.path.join(os.path.dirname(__file__), "fake_control.py")
    for how in ("garbage", "silence", "flood", "endless", "eof", "http",
                "hash"):
        process = subprocess.Popen([sys.executable, fake, how, b.tor, cookie],
                                   stdout=subprocess.PIPE, text=True)
        while not can_connect(b.tor):
            time.sleep(0.01)
        b.expect("Tor: " + how, SILENT, "tor-bootstrap-check")
        process.kill()
        said = process.communicate()[0]
        b.check("%s was asked, and told nothing" % how,
                ("asked" in said, "ALARM" in said), (True, False))
        os.unlink(b.tor)


def can_connect(path):
    with socket.socket(socket.AF_UNIX) as link:
        return link.connect_ex(path) == 0


def impostors(b, cookie):
    tor = fake_tor.Tor(cookie)
    tor.challenge = lambda nonce: ("250 AUTHCHALLENGE SERVERHASH=%s "
                                   "SERVERNONCE=%s" % ("0" * 64, "1" * 64))
    server = fake_status.Server(b.tor, tor)
    b.expect("a wrong hash", SILENT, "tor-dormant-check")
    b.check("and nothing after it", tor.heard[-1].split()[0],
            "AUTHCHALLENGE")
    server.close()
    tor = fake_tor.Tor(cookie)
    os.truncate(cookie, 31)
    server = fake_status.Server(b.tor, tor)
    b.expect("a cookie of 31 octets", SILENT, "tor-dormant-check")
    b.check("and nothing was tried", tor.heard[-1].split()[0],
            "PROTOCOLINFO")
    server.close()


def by_port(b, folder):
    """Whoever sits at a TCP port is told no cookie, and hashes no other."""
    for methods, name, want in (
            ("COOKIE,SAFECOOKIE", "control.authcookie", ("1\n", 0)),
            ("NULL", "none", ("1\n", 0)),
            ("COOKIE", "control.authcookie", SILENT),
            ("COOKIE,SAFECOOKIE", "secret.key", SILENT)):
        tor = fake_tor.Tor(os.path.join(folder, name), methods)
        server = fake_status.Server(None, tor)
        b.expect("by a port, %s, %s" % (methods, name), want,
                 "tor-dormant-check", port=server.port)
        b.check("told no secret", [c for c in tor.heard if "63" * 32 in c],
                [])
        server.close()


def names(b, folder):
    """By the names of the files that are displaced, through a link."""
    server = fake_status.Server(b.status, fake_status.tell(fake_status.OPEN))
    link = os.path.join(folder, "tor_bootstrap_check.py")
    os.symlink(b.program, link)
    done = subprocess.run([link, "--root"], capture_output=True)
    b.check("by another name there are no options of ours",
            done.returncode in (255, *range(101)), True)
    done = subprocess.run([b.program, "--root", b.root, link],
                          capture_output=True, text=True)
    b.check("by the displaced file's name", done.returncode, 100)
    server.close()


def main(program, folder):
    b = Bench(os.path.abspath(program), folder)
    cookie = os.path.join(folder, "cookie")
    every_state(b)
    dates(b)
    files(b)
    fallback(b, cookie)
    odd_tors(b, cookie)
    strangers(b)
    bad_tors(b, cookie)
    impostors(b, cookie)
    by_port(b, folder)
    names(b, folder)
    print("the slowest took %.2f s" % b.slowest)
    print("%d passed, %d failed" % (b.passed, b.failed))
    return 1 if b.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
