"""A portcullisd with its gate, and a Tor that misbehaves.

tor_run.py FOLDER OUT NAME...|quick|all

FOLDER is one of tests/net, with portcullisd running and no Tor.  Of each
case in tor_cases.py: the gate is open, the misdeed begins, and what is to
come of it is waited for; Tor becomes good, and the gate opens again.  The
workstation knocks all the time, and the kernel's own lease set is read.  A
table goes to OUT.txt, all to OUT.json.  HOSTILE_TCP: see tor_cases.py, "tcp".
"""
import ctypes
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import tor_cases
import tor_voice

SOCKS = ("10.152.152.10", 9050)
CLONE_NEWNET = 0x40000000
KNOCK_EVERY = 0.05
# A busy machine of two processors; the lease itself is exact.
SLACK = 1.0
OPEN_AGAIN = 60
# The longest answer, read once, in seconds.
ANSWER_CPU = 0.2
# portcullisd(8), A HOSTILE TOR: twice the longest answer, and its copy.
MEMORY_KB = (64 if tor_voice.TCP else 16) * 1024
# A case as such; and each change of the gate is told by two, there and back,
# twenty times before it is a storm (storm.c).
LOG_LINES = 40
LOG_FLAPS = 20 * 4
LEASED_EVERY = 0.2
LOG_PER_SECOND = 4
LOG_WIDTH = 512 # log.c
TICK = os.sysconf("SC_CLK_TCK")


class Lines(threading.Thread):
    """Lines of a stream, each with when it came."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.lines = stream, []
        self.start()

    def run(self):
        for line in self.stream:
            self.lines.append((time.monotonic(), line))


class Child:
    """A program of ours in the gateway."""

    def __init__(self, folder, *command):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", ns_of(folder, "gateway"), *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = Lines(self.process.stdout)
        self.seen = 0
        until(10, lambda: self.find("ready"), "%s: not ready" % command[-2])

    def find(self, word):
        return [line.split() for _, line in self.lines.lines[self.seen:]
                if line.startswith(word)]

    def tell(self, *words):
        self.seen = len(self.lines.lines)
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        until(10, lambda: self.find("done"), "the voice does not answer")
        return float(self.find("done")[0][1])

    def end(self):
        self.process.terminate()
        self.process.wait()


def voice_of(folder):
    user = os.environ["NET_TOR_USER"]
    return Child(folder, "setpriv", "--reuid", user, "--regid", user,
                 "--clear-groups", sys.executable, tor_voice.__file__,
                 folder + "/tor")


def impostor_of(folder, uid, place):
    here = os.path.dirname(tor_voice.__file__)
    return Child(folder, sys.executable, here + "/tor_impostor.py", str(uid),
                 place or folder + "/tor/control/socket")


class Status(threading.Thread):
    """What status.sock says; each line has to be UTF-8, JSON and tame."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.path = folder + "/run/status.sock"
        self.lines, self.faults = [], []
        self.keep = open(folder + "/status.lines", "ab")
        self.start()

    def run(self):
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.connect(self.path)
                    for line in sock.makefile("rb"):
                        self.take(line)
            except OSError:
                pass
            time.sleep(0.1)

    def take(self, raw):
        try:
            if any(octet < 0x20 or octet == 0x7f for octet in raw[:-1]):
                raise ValueError("a control character")
            line = json.loads(raw.decode("utf-8"))
            if wild(line):
                raise ValueError("a control character in a text")
        except ValueError as e:
            self.faults.append("%s: %r" % (e, raw[:200]))
            return
        if line.get("type") == "status" or "reason" in line:
            self.keep.write(raw)
            self.lines.append((time.monotonic(), line))

    def now(self):
        return self.lines[-1][1] if self.lines else {}

    def codes_since(self, when):
        return [line["reason"]["code"] for t, line in self.lines if t >= when]


def wild(value):
    if isinstance(value, dict):
        return any(wild(k) or wild(v) for k, v in value.items())
    if isinstance(value, list):
        return any(wild(v) for v in value)
    return isinstance(value, str) and any(
        ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 for c in value)


class Knocker(threading.Thread):
    """Is a listener to be had from the workstation?"""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.ns = "/run/netns/" + ns_of(folder, "workstation")
        self.knocks = []
        self.start()

    def run(self):
        libc = ctypes.CDLL(None, use_errno=True)
        with open(self.ns) as ns:
            if libc.setns(ns.fileno(), CLONE_NEWNET) == -1:
                raise OSError(ctypes.get_errno(), "setns")
        while True:
            begin = time.monotonic()
            self.knocks.append((begin, self.knock()))
            time.sleep(KNOCK_EVERY)

    def knock(self):
        with socket.socket() as sock:
            sock.settimeout(0.5)
            try:
                sock.connect(SOCKS)
                return sock.recv(64) != b""
            except OSError:
                return False

    def last(self):
        return bool(self.knocks) and self.knocks[-1][1]

    def opened(self, begin, end):
        return [t for t, ok in self.knocks if ok and begin <= t <= end]

    def shut(self, begin, end):
        return [t for t, ok in self.knocks if not ok and begin <= t <= end]


class Kernel(threading.Thread):
    """Is there a lease in the kernel's own set, whoever says what?"""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.ns = ns_of(folder, "gateway")
        self.looks = []
        self.start()

    def run(self):
        while True:
            begin = time.monotonic()
            self.looks.append((begin, self.look()))
            time.sleep(LEASED_EVERY)

    def look(self):
        out = subprocess.run(
            ["ip", "netns", "exec", self.ns, "nft", "list", "set", "inet",
             "portcullis", "gate"], capture_output=True, text=True,
            check=False)
        return out.returncode == 0 and "elements" in out.stdout

    def last(self):
        return bool(self.looks) and self.looks[-1][1]

    def leased(self, begin, end):
        return [t for t, held in self.looks if held and begin <= t <= end]

    def seen(self, begin, end):
        return [t for t, _ in self.looks if begin <= t <= end]


def ns_of(folder, side):
    with open(folder + "/names") as names:
        return dict(line.split() for line in names)[side]


def until(seconds, done, what=None):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            if what is not None:
                sys.exit(what)
            return False
        time.sleep(0.02)
    return True


def proc(pid, what, key):
    with open("/proc/%d/%s" % (pid, what)) as file:
        for line in file:
            if line.startswith(key):
                return int(line.split()[1])
    return 0


def cpu(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def spoil_cookie(path, how):
    os.unlink(path)
    sizes = {"empty": 0, "short": 31, "long": 33}
    if how == "missing":
        return
    if how == "fifo":
        os.mkfifo(path, 0o644)
    elif how == "link":
        os.symlink("cookie.real", path)
        path = path + ".real"
    elif how == "directory":
        os.mkdir(path)
    if how not in ("fifo", "directory"):
        with open(path, "wb") as file:
            file.write((b"o" if how == "other" else b"c") *
                       sizes.get(how, 32))
    tor = os.stat(os.path.dirname(path)).st_uid
    os.chown(path, 64098 if how == "foreign" else tor, -1)
    os.chmod(path, 0o000 if how == "closed" else 0o644)


def mend_cookie(path):
    for name in (path, path + ".real"):
        if os.path.lexists(name):
            if stat.S_ISDIR(os.lstat(name).st_mode):
                os.rmdir(name)
            else:
                os.unlink(name)


class Stage:
    """What all cases share."""

    def __init__(self, folder):
        self.folder = folder
        self.cookie = folder + "/tor/control/cookie"
        self.log = folder + "/log/portcullisd"
        self.build = os.environ["top_builddir"]
        self.voice = voice_of(folder)
        self.status = Status(folder)
        self.knocker = Knocker(folder)
        self.kernel = Kernel(folder)
        self.need_open("it does not open at all")
        self.pids = self.pids_now()
        self.rest = self.idle()

    def is_open(self, since=0):
        """By a knock that began after SINCE, and by the last word."""
        return self.status.now().get("position") == "open" and \
            self.kernel.last() and self.knocker.last() and \
            self.knocker.knocks[-1][0] > since

    def need_open(self, what):
        until(OPEN_AGAIN, self.is_open, what)

    def pids_now(self):
        now = self.status.now()
        return {who: now[who]["pid"] for who in ("gate", "engine", "status")}

    def idle(self):
        """Processor time a second while all is well: the control."""
        begin, used = time.monotonic(), cpu(self.pids["engine"])
        time.sleep(2)
        return (cpu(self.pids["engine"]) - used) / (time.monotonic() - begin)

    def reprove(self):
        subprocess.run([self.build + "/portcullis", "--socket-dir",
                        self.folder + "/run", "reprove"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=False)

    def another_engine(self):
        """After some broken lists of relays it asks for none for long."""
        os.kill(self.pids["engine"], signal.SIGKILL)
        until(OPEN_AGAIN, lambda: self.is_open() and self.pids_now()[
            "engine"] != self.pids["engine"], "no other engine")
        self.pids = self.pids_now()

    def read_log(self, offset):
        with open(self.log, "rb") as file:
            file.seek(offset)
            return file.read()



class Run:
    """One case."""

    def __init__(self, stage, case, cut_short):
        self.stage, self.case, self.cut_short = stage, case, cut_short
        self.faults = []

    def check(self, what, good):
        if not good:
            self.faults.append(what)
        return good

    def begin(self):
        stage, case = self.stage, self.case
        if case.step == "NS":
            stage.another_engine()
        self.engine = stage.pids["engine"]
        self.offset = os.path.getsize(stage.log)
        with open("/proc/%d/clear_refs" % self.engine, "w") as file:
            file.write("5") # the peak begins anew
        self.memory = proc(self.engine, "status", "VmRSS")
        self.used = cpu(self.engine)
        self.impostor = None
        self.status_faults = len(stage.status.faults)
        if case.cookie is not None:
            spoil_cookie(stage.cookie, case.cookie)
        self.start = stage.voice.tell("case", case.name)
        if case.impostor is not None:
            self.impostor = impostor_of(stage.folder, *case.impostor)

    def met(self):
        return (self.impostor or self.stage.voice).find("met")

    def wait_met(self):
        """The misdeed is done by itself; a retry may be hurried on."""
        case = self.case
        asked = case.impostor is not None and case.impostor[1] is None
        if not (case.deed or case.lies or asked):
            return self.start
        end = time.monotonic() + OPEN_AGAIN
        hurry = time.monotonic() + 1
        while not self.met() and time.monotonic() < end:
            if not case.alone and time.monotonic() > hurry:
                self.stage.reprove()
                hurry = time.monotonic() + 1
            time.sleep(0.02)
        self.check("it was never met", self.met())
        return float(self.met()[0][1]) if self.met() else self.start

    def said(self):
        codes = self.stage.status.codes_since(self.first)
        return not self.case.reason or any(
            code in self.case.reason for code in codes)

    def logged(self):
        text = self.stage.read_log(self.offset).decode("ascii", "replace")
        return self.case.log is None or re.search(self.case.log, text)

    def flooded(self):
        return self.stage.voice.find("events")

    def act(self):
        case, stage = self.case, self.stage
        first = self.first = self.wait_met()
        began = self.start if case.fresh else first
        until(max(case.watch, 1) + 15 if case.reason or case.log else 0,
              lambda: self.said() and self.logged())
        if case.stays or not (case.reason or case.log):
            until(case.watch, self.flooded)
        end = time.monotonic()
        self.check("no sentence: %s, not %s" % (
            sorted(set(stage.status.codes_since(first))), case.reason),
            self.said())
        self.check("not in the log: " + str(case.log), self.logged())
        if case.shut:
            self.shut(began, end)
        if case.opens:
            self.check("it does not open with it", until(
                15, lambda: self.stage.is_open(first)))
        if case.stays:
            self.check("it closed", not stage.knocker.shut(first, end))
            self.check("the lease ended", stage.kernel.last())

    def shut(self, began, end):
        limit = began + self.case.bound + SLACK
        until(limit - end, lambda: False)
        end = max(end, time.monotonic())
        late = self.stage.knocker.opened(limit, end)
        knocks = self.stage.knocker.opened(began, end)
        self.closed_after = max(knocks) - began if knocks else 0
        self.check("open %.1f s after" % (late[-1] - began if late else 0),
                   not late)
        # Of old connections some listeners may still be proven.
        if not self.case.fresh:
            return
        until(1, lambda: self.stage.kernel.seen(limit, time.monotonic()))
        self.check("nobody asked the kernel",
                   self.stage.kernel.seen(limit, time.monotonic()))
        self.check("a lease without proof", not
                   self.stage.kernel.leased(limit, end))
        if self.case.name == "stuffed":
            self.check("it was read", self.stuffed())

    def stuffed(self):
        """Octets are left that the kernel has no room for."""
        out = subprocess.run(
            ["ip", "netns", "exec", self.stage.kernel.ns, "ss", "-Htn",
             "dport = :9051"], capture_output=True, text=True,
            check=False).stdout.split()
        return len(out) > 2 and 0 < int(out[2]) < 8192

    def end(self):
        stage, case = self.stage, self.case
        time.sleep(0.1)
        self.spent = cpu(self.engine) - self.used
        self.took = time.monotonic() - self.start
        self.grown = proc(self.engine, "status", "VmHWM") - self.memory
        self.done = len(self.met())
        self.events = sum(int(words[1]) for words in
                          stage.voice.find("events"))
        if case.cookie is not None:
            mend_cookie(stage.cookie)
        alarms = stage.voice.find("ALARM")
        if self.impostor is not None:
            alarms += self.impostor.find("ALARM")
            self.impostor.end()
        self.check("told an impostor: %s" % alarms, not alarms)
        stage.voice.tell("good")
        good = time.monotonic()
        soon = 1 if self.cut_short or case.reprove else 6
        until(OPEN_AGAIN if case.alone and not self.cut_short else soon,
              lambda: stage.is_open(good))
        self.hurried = not stage.is_open(good)
        while not stage.is_open(good) and \
                time.monotonic() < good + OPEN_AGAIN:
            stage.reprove()
            until(1, lambda: stage.is_open(good))
        self.check("it does not open again: " + str(
            stage.status.now().get("reason")), stage.is_open(good))
        self.back = time.monotonic() - good

    def judge(self):
        stage, case = self.stage, self.case
        text = stage.read_log(self.offset)
        self.lines = text.count(b"\n")
        self.check("log: control characters", not re.search(
            rb"[^\n -~]", text))
        self.check("log: %d lines" % self.lines, self.lines <
                   LOG_LINES + LOG_PER_SECOND * self.took +
                   (LOG_FLAPS if "unsettled" in case.reason else 0))
        self.check("log: a long line", max(map(len, text.split(b"\n"))) <
                   LOG_WIDTH)
        self.check("status: " + str(stage.status.faults[-1:]),
                   len(stage.status.faults) == self.status_faults)
        self.check("memory: %d kB more" % self.grown,
                   self.grown <= MEMORY_KB)
        now = stage.pids_now()
        self.check("pids: %s" % now, now == stage.pids)
        stage.pids = now
        limit = ANSWER_CPU + self.took * (3 * stage.rest + 0.05)
        if not case.name.startswith(("flood", "first")):
            self.check("processor: %.2f s of %.1f s" % (
                self.spent, self.took), self.spent <= limit)

    def run(self):
        self.closed_after = None
        self.begin()
        self.act()
        self.end()
        self.judge()
        codes = self.stage.status.codes_since(self.start)
        return {"events": self.events, "status_lines": len(codes),
                "name": self.case.name, "words": self.case.words,
                "faults": self.faults, "closed_after": self.closed_after,
                "grown_kb": self.grown, "cpu_s": round(self.spent, 2),
                "took_s": round(self.took, 1), "back_s": round(self.back, 1),
                "hurried": self.hurried, "log_lines": self.lines,
                "log_per_s": round(self.lines / self.took, 1),
                "met": self.done, "codes": sorted(set(codes))}


ROW = "%-26s %-6s %6s %6s %6s %6s %5s %4s %s"


def row(r):
    closed = r["closed_after"]
    return ROW % (r["name"], "FAILED" if r["faults"] else "ok",
                  "-" if closed is None else "%.2f" % closed,
                  r["grown_kb"], r["cpu_s"], r["back_s"], r["log_lines"],
                  r["met"], ",".join(r["codes"]))


def main(folder, out, *names):
    quick = names == ("quick",)
    if names in (("quick",), ("all",)):
        names = [c.name for c in tor_cases.CASES.values()
                 if (c.quick or not quick) and c.tcp == tor_voice.TCP]
        if tor_voice.TCP and not quick:
            names += tor_cases.AGAIN
    stage = Stage(folder)
    results = []
    table = open(out + ".txt", "w")

    def tell(line):
        print(line, flush=True)
        print(line, file=table, flush=True)
    tell(ROW % ("case", "", "closed", "kB", "cpu", "back", "lines", "met",
                "said"))
    try:
        for name in names:
            r = Run(stage, tor_cases.CASES[name], quick).run()
            results.append(r)
            tell(row(r))
            for fault in r["faults"]:
                tell("    " + fault)
    finally:
        stage.voice.end()
        with open(out + ".json", "w") as file:
            json.dump(results, file, indent=1)
    worst = max(results, key=lambda r: r["grown_kb"])
    tell("worst: %s: %d kB more, of %d that it may" % (
        worst["name"], worst["grown_kb"], MEMORY_KB))
    bad = sum(bool(r["faults"]) for r in results)
    tell("%d cases, %d failed" % (len(results), bad))
    return bad != 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(*sys.argv[1:]))
