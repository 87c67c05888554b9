"""What portcullisd's processes hold, at times: sampler.py DIR OUT SECONDS

Looks from outside, in /proc, at the processes of the supervisor that runs in
the network in DIR; and reads the status socket all the while.  Until TERM:

OUT/samples  one JSON object per look: processes, descriptors by kind, memory,
             CPU, and what the kernel holds for the gateway
OUT/feed     one for each line in which position, reason or closes changed

Times are seconds since boot.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

ROLES = {"portcullisd": "keeper", "portcullis-gate": "gate",
         "portcullis-purg": "purge", "portcullis-engi": "engine",
         "portcullis-stat": "status", "portcullis-reso": "resolver"}
# A listing of the whole ruleset costs more than all the rest.
LOOKS_PER_RULESET = 10
DAMAGED = (OSError, ValueError, IndexError)


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def text(*path):
    with open("/".join(path), encoding="latin-1") as file:
        return file.read()


def fields(pid):
    """Those of /proc/PID/stat behind the name, the state first."""
    return text("/proc", pid, "stat").rpartition(")")[2].split()


def descend(pid):
    yield pid
    for task in os.listdir("/proc/%s/task" % pid):
        for child in text("/proc", pid, "task", task, "children").split():
            yield from descend(child)


def descriptors(pid):
    kinds = {}
    folder = "/proc/%s/fd" % pid
    for fd in os.listdir(folder):
        try:
            what = os.readlink(folder + "/" + fd)
        except OSError:
            continue  # closed meanwhile
        kind = re.sub(r":\[[0-9]+\]$", "", what)
        if kind.startswith("/"):
            kind = "file " + os.path.basename(kind)
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def memory(pid):
    found = dict(re.findall(r"^(\w+): +(\d+) kB$",
                            text("/proc", pid, "smaps_rollup"), re.M))
    return {"pss": int(found["Pss"]), "anon": int(found["Anonymous"]),
            "rss": int(found["Rss"])}


def process(pid):
    stat = fields(pid)
    return {"pid": int(pid), "start": int(stat[19]), "state": stat[0],
            "threads": int(stat[17]), "ticks": int(stat[11]) + int(stat[12]),
            "fds": descriptors(pid), **memory(pid)}


def processes(keeper):
    """Each by its role; a zombie has no memory, and is only counted."""
    found, zombies, others = {}, 0, 0
    for pid in list(descend(keeper)):
        try:
            if fields(pid)[0] == "Z":
                zombies += 1
                continue
            role = ROLES.get(text("/proc", pid, "comm").strip())
            if role is None:
                others += 1  # a child that has not yet its name
                continue
            found[role] = process(pid)
        except DAMAGED:
            continue  # it has just ended
    return found, zombies, others


class Feed(threading.Thread):
    """The status socket, read by somebody who always reads."""

    def __init__(self, path, out):
        super().__init__(daemon=True)
        self.path, self.out, self.key, self.last = path, out, None, {}
        self.lines = self.heartbeats = self.connects = 0

    def take(self, line):
        said = json.loads(line)
        self.lines += 1
        self.heartbeats += said["type"] == "heartbeat"
        wall = said["firewall"]
        state = {"position": said["position"],
                 "reason": said["reason"]["code"], "gate": said["gate"]["pid"],
                 "closes": wall["closes"], "epoch": wall["epoch"],
                 "last": wall["last_close_reason"]}
        self.last = {"built": said["circuits"]["built_id"],
                     "consensus": said["consensus"]["valid_after"],
                     "links": said["counters"]["links"],
                     "repairs": said["counters"]["repairs"],
                     "foreign": wall["foreign_changes"],
                     "purges": wall["purges"],
                     "lines": self.lines, "heartbeats": self.heartbeats,
                     "connects": self.connects, **state}
        if self.key != state:
            self.key = state
            self.out.write(json.dumps({"t": now(), **state}) + "\n")
            self.out.flush()

    def run(self):
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as link:
                    link.connect(self.path)
                    self.connects += 1
                    with link.makefile("rb") as stream:
                        for line in stream:
                            self.take(line)
            except OSError:
                pass
            time.sleep(0.05)


class Kernel:
    """What the gateway's namespace holds."""

    def __init__(self, folder):
        names = dict(line.split() for line in
                     text(folder, "names").splitlines())
        self.enter = ("ip", "netns", "exec", names["gateway"])
        self.rules = {}

    def run(self, *argv):
        return subprocess.run(self.enter + argv, stdout=subprocess.PIPE,
                              check=False, text=True).stdout

    def elements(self):
        listed = json.loads(self.run("nft", "-j", "list", "ruleset"))
        sets = [e["set"] for e in listed["nftables"] if "set" in e]
        return {"elements": sum(len(s.get("elem", ())) for s in sets),
                "rules": sum("rule" in e for e in listed["nftables"])}

    def look(self, with_rules):
        net = "/proc/net/"
        said = self.run("sh", "-c", "cat /proc/sys/net/netfilter/"
                        "nf_conntrack_count; for f in unix netlink packet; do"
                        " wc -l <" + net + "$f; done; cat " + net +
                        "sockstat").splitlines()
        try:
            if with_rules:
                self.rules = self.elements()
            names = ("conntrack", "unix", "netlink", "packet")
            found = dict(zip(names, map(int, said[:4])))
            found["tcp"] = int(said[5].split()[2])
            return {**found, **self.rules}
        except DAMAGED:
            return {}


def main(folder, out, seconds):
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    kernel, looks = Kernel(folder), 0
    with open(out + "/samples", "a", encoding="ascii") as samples, \
            open(out + "/feed", "a", encoding="ascii") as log:
        feed = Feed(folder + "/run/status.sock", log)
        feed.start()
        print("ready", flush=True)
        while not ended.wait(float(seconds)):
            try:
                keeper = text(folder, "pids", "portcullisd").split()[0]
                found, zombies, others = processes(keeper)
                size = os.stat(folder + "/log/portcullisd").st_size
            except DAMAGED:
                continue  # it is being started again
            samples.write(json.dumps({
                "t": now(), "processes": found, "zombies": zombies,
                "others": others, "log": size, "feed": feed.last,
                "kernel": kernel.look(looks % LOOKS_PER_RULESET == 0)}) +
                "\n")
            samples.flush()
            looks += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
