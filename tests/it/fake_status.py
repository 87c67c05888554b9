"""Status lines of a gateway in every state that matters, and a socket that
tells one of them: what the applets and systemcheck's fragment are tested on.
"""
import copy
import json
import os
import socket
import subprocess
import sys
import threading

LINE = 'NOTICE BOOTSTRAP PROGRESS=%d TAG=%s SUMMARY="%s"'
PHASES = ((0, "starting", "Starting"),
          (5, "conn", "Connecting to a relay"),
          (10, "conn_done", "Connected to a relay"),
          (14, "handshake", "Handshaking with a relay"),
          (25, "requesting_status", "Asking for networkstatus consensus"),
          (45, "requesting_descriptors", "Asking for relay descriptors"),
          (75, "enough_dirinfo", "Loaded enough directory info to build "
           "circuits"),
          (95, "circuit_create", "Establishing a Tor circuit"))
AFTER, UNTIL = "2026-01-31T21:00:00Z", "2026-02-01T00:00:00Z"


def sample(is_wanted):
    """A snapshot line as the encoder of the status process makes it."""
    program = os.path.join(os.environ["top_builddir"], "status_lines")
    lines = subprocess.run([program], capture_output=True, check=True)
    for line in map(json.loads, lines.stdout.splitlines()):
        if line["type"] == "snapshot" and is_wanted(line):
            return line
    sys.exit("status_lines tells no such line")


def changed(line, **parts):
    line = copy.deepcopy(line)
    for name, members in parts.items():
        if isinstance(members, dict):
            line[name].update(members)
        else:
            line[name] = members
    return line


OPEN = changed(
    sample(lambda line: line["position"] == "open" and
           line["circuits"]["usable"] == "yes"),
    consensus={"valid_after": AFTER, "fresh_until": AFTER,
               "valid_until": UNTIL}, circuits={"built_id": 42})


def no_link(line, code, **tor):
    """The engine has no connection to Tor: what it said before is void."""
    tor = dict({"enabled": None, "pid": None, "dormant": None}, **tor)
    return changed(
        line, position="tor-only", tor=tor, state="CONNECT",
        reason={"code": code, "text": "There is no link to Tor."},
        control={"authenticated": False, "method": None,
                 "lost": "Nothing listens there."},
        bootstrap=dict.fromkeys(OPEN["bootstrap"]),
        circuits=dict(dict.fromkeys(OPEN["circuits"]), usable="unknown"),
        consensus=dict(dict.fromkeys(OPEN["consensus"]), clock="unknown"))


def stuck(progress, tag, summary):
    young = progress < 45
    return changed(
        OPEN, position="tor-only",
        reason={"code": "bootstrapping", "text": "Tor is still connecting."},
        bootstrap={"progress": progress, "tag": tag, "summary": summary,
                   "stalled": True, "line": LINE % (progress, tag, summary)},
        circuits={"established": False, "enough_dir_info": progress >= 75,
                  "usable": "no", "built": None, "built_id": None,
                  "built_age_ms": None},
        consensus=dict(dict.fromkeys(OPEN["consensus"]), clock="noneyet")
        if young else {},
        clock={"right": False, "timesync": "pending"})


def states():
    """Name -> line.  "gone" has none: nobody listens."""
    table = {
        "gone": None,
        "down": no_link(OPEN, "tor-down", running=False),
        "unreachable": no_link(OPEN, "tor-hung", running=True, pid=812),
        "no-engine": sample(lambda line: line["reason"]["code"] ==
                            "engine-gone"),
        "starting": stuck(*PHASES[0]),
        "established": OPEN,
        "dormant": changed(OPEN, tor={"dormant": True}),
        "disabled": changed(stuck(*PHASES[0]), tor={"enabled": False}),
        "unusable": changed(OPEN, circuits={"usable": "no"}),
    }
    for phase in PHASES[1:]:
        table["stuck-" + phase[1]] = stuck(*phase)
    warned = stuck(*PHASES[1])
    warned["bootstrap"].update(
        warning="No route to host", severity="warn", reason="NOROUTE",
        count=26, recommendation="warn",
        tor_said="(certificate lifetime runs from Aug 16 00:00:00 2014 GMT "
        "through Jul 29 23:59:59 2015 GMT. Your time is Sep 03 10:32:59 "
        "2015 UTC.)",
        line='WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting to a '
        'relay" WARNING="No route to host" REASON=NOROUTE COUNT=26 '
        'RECOMMENDATION=warn')
    table["warned"] = warned
    return table


class Server:
    """A socket; ACT is called with each connection, in a thread of its own.

    PATH of a Unix socket, or None: some port of 127.0.0.1."""

    def __init__(self, path, act):
        self.path, self.act, self.port = path, act, None
        if path is None:
            self.socket = socket.socket(socket.AF_INET)
            self.socket.bind(("127.0.0.1", 0))
            self.port = self.socket.getsockname()[1]
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(path)
        self.socket.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                link, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.handle, args=(link,),
                             daemon=True).start()

    def handle(self, link):
        with link:
            try:
                self.act(link)
            except OSError:
                pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        if self.path is not None:
            os.unlink(self.path)


def tell(line):
    """An ACT: the line, and then nothing until the other side goes."""
    text = json.dumps(line).encode() + b"\n"

    def act(link):
        link.sendall(text)
        link.recv(1)
    return act


def main(path=None):
    """Prints the lines; with PATH, tells them there one after the other."""
    for name, line in states().items():
        if path is None:
            if line is not None:
                print(json.dumps(line))
            continue
        server = line and Server(path, tell(line))
        print(name, flush=True)
        sys.stdin.readline()
        if server:
            server.close()
    if path is not None:
        print("end", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
