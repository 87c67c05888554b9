"""What a long run has shown: judge.py RUN OUT

Reads what soak.sh has gathered in RUN; writes OUT/report.txt for people,
OUT/report.json for machines, and OUT/report.md, a section of
tests/bench/RESULTS.md.  Exits with 1 if a goal is missed.
"""
import collections
import json
import math
import os
import subprocess
import sys

HOUR, DAY = 3600, 86400
TICKS = os.sysconf("SC_CLK_TCK")
# No goal of memory is judged by fewer samples.
FEWEST = 8
# Heaps grow by whole pages, and by what the first of a kind needs: this much
# is no growth, beside 1 kB for each thousand of events.
PAGES_KB = 32
# Two-sided 95 %, for as many samples as these.
STUDENT = 2.0
# Tor's network is out when no circuit was built for so long (the engine gives
# it two minutes; its addresses are private here, so that what passes through
# an older circuit is no evidence), and no page has come for a while: a close
# for one of these reasons is then right.
OUT_S = 100
NO_PAGE_S = 60
ANEW_S = 0.2
OUT_REASONS = ("no-traffic", "no-circuit", "bootstrapping", "stalled",
               "no-way")
ROLES = ("keeper", "gate", "purge", "engine", "resolver", "status")


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def objects(path):
    """A last line may be cut."""
    found = []
    for line in lines(path):
        if line.startswith("{") and line.endswith("}"):
            found.append(json.loads(line))
    return found


def slope(points):
    """(per second, half its 95 % interval) by least squares.

    Neighbouring samples of a heap are nearly the same, so the errors are not
    independent: as many are counted as there would be without correlation of
    the residuals with their predecessors.
    """
    n = len(points)
    mean_t = sum(t for t, _ in points) / n
    mean_y = sum(y for _, y in points) / n
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    if spread == 0:
        return 0.0, math.inf
    rate = sum((t - mean_t) * (y - mean_y) for t, y in points) / spread
    rest = [y - mean_y - rate * (t - mean_t) for t, y in points]
    square = sum(r * r for r in rest)
    if square == 0:
        return rate, 0.0
    rho = sum(a * b for a, b in zip(rest, rest[1:])) / square
    rho = min(max(rho, 0.0), 0.99)
    real = max(3.0, n * (1 - rho) / (1 + rho))
    return rate, STUDENT * math.sqrt(square / (real - 2) / spread)


class Run:
    def __init__(self, folder):
        self.folder = folder
        self.samples = objects(folder + "/samples")
        self.feed = self.known(objects(folder + "/feed"))
        self.streams = [float(w) for w in lines(folder + "/streams")]
        self.count, self.failed = collections.Counter(), collections.Counter()
        self.phases, self.shuts = [], []
        for line in lines(folder + "/events"):
            when, kind, name, *more = line.split()
            self.event(float(when), kind, name, more)
        self.phases.append(("end", math.inf))

    @staticmethod
    def known(feed):
        """Without what a new status process says before it knows.

        The gate counts an epoch up at every close, a new gate begins another.
        """
        found, epoch = [], None
        for number, entry in enumerate(feed):
            if entry["position"] == "unknown":
                after = [e["epoch"] for e in feed[number:] if e["epoch"]]
                if after and after[0] == epoch:
                    continue
            epoch = entry["epoch"] or epoch
            found.append(entry)
        return found

    def event(self, when, kind, name, more):
        if kind == "phase":
            self.phases.append((name, when))
        elif kind == "quiet" and self.phases[-1][0] == "quiet":
            if more[0] in ("end", "failed"):
                self.count[name] += 1
            if more[0] == "failed":
                self.failed[name] += 1
        elif kind == "shut" and more[0] == "begin":
            self.shuts.append([name, when, math.inf, int(more[1])])
        elif kind == "shut":
            self.shuts[-1][2] = when

    def span(self, phase):
        """(begin, end) of it; (0, 0): there was none."""
        for (name, begin), (_, end) in zip(self.phases, self.phases[1:]):
            if name == phase:
                return begin, min(end, self.samples[-1]["t"])
        return 0, 0

    def within(self, begin, end):
        return [s for s in self.samples if begin <= s["t"] <= end]

    def departures(self, begin, end):
        """(time, to what and why) of each time that it left "open".

        After a close all is proven anew: what is still lacking when that is
        done is the reason.
        """
        found, was = [], None
        for entry in self.feed:
            is_open = entry["position"] == "open"
            if was and not is_open and begin < entry["t"] <= end:
                found.append((entry["t"], "%s, %s" % (entry["position"],
                                                      entry["reason"])))
            elif found and not is_open and \
                    entry["t"] < found[-1][0] + ANEW_S:
                found[-1] = (found[-1][0], "%s, %s" % (entry["position"],
                                                       entry["reason"]))
            was = is_open
        return found

    def was_open(self, when):
        """By the last word before WHEN."""
        said = [e["position"] for e in self.feed if e["t"] < when]
        return bool(said) and said[-1] == "open"

    def is_out(self, when):
        """Did nothing at all come through in the time before WHEN?"""
        begin = when - OUT_S
        if self.samples[0]["t"] > begin:
            return False  # it was not looked at for so long
        built = {s["feed"].get("built") for s in self.within(begin, when)}
        return len(built) <= 1 and not any(when - NO_PAGE_S < t < when
                                           for t in self.streams)

    def by_gate(self, begin, end):
        """Closes by the gate's own counter, while one gate ran."""
        inside = [s["feed"] for s in self.within(begin, end)
                  if s["feed"].get("closes") is not None]
        if not inside:
            return 0
        if inside[0]["gate"] != inside[-1]["gate"]:
            return math.inf
        return inside[-1]["closes"] - inside[0]["closes"]


# --- the goals -------------------------------------------------------------

def false_closes(run):
    """(how many, what of each, outages of Tor's network), in both parts."""
    begin, end = run.span("quiet")
    left = run.departures(begin, end)
    outages = sum(what.split()[-1] in OUT_REASONS and run.is_out(t)
                  for t, what in left)
    told = ["%.1f s: %s%s" % (t - begin, what, "; nothing came through "
            "any more" if run.is_out(t) else "") for t, what in left]
    number = max(len(left), run.by_gate(begin, end)) - outages
    return number + in_shut(run, told), told, outages


def windows(run):
    """(name, departures, how many it has to cause) of each event.

    What is closed already (an outage) cannot close.
    """
    ends = [begin for _, begin, _, _ in run.shuts[1:]] + [math.inf]
    for (name, begin, _, want), end in zip(run.shuts, ends):
        yield name, run.departures(begin, end), \
            want if run.was_open(begin) else 0


def in_shut(run, told):
    """Closes in the second part beyond what each event has to cause."""
    wrong = 0
    for name, left, want in windows(run):
        if len(left) != want:
            told.append("%s: %d instead of %d (%s)" % (
                name, len(left), want, "; ".join(w for _, w in left)))
        wrong += max(0, len(left) - want)
    return wrong


def missing(run):
    """Closes that had to be, and were not."""
    return sum(max(0, want - len(left)) for _, left, want in windows(run))


def least(samples, role):
    """Of each kind the fewest that were seen; a purge is seen at times."""
    seen = [s["processes"][role]["fds"] for s in samples
            if role in s["processes"]]
    kinds = {kind for fds in seen for kind in fds}
    return {kind: min(f.get(kind, 0) for f in seen) for kind in kinds}


def descriptors(run):
    """{role: [before, after]}, and what has grown, by role and kind."""
    table, grown = {}, []
    last = "last" if run.span("last")[0] else "after"
    before, after = run.within(*run.span("before")), \
        run.within(*run.span(last))
    for role in ROLES:
        had, has = least(before, role), least(after, role)
        table[role] = [sum(had.values()), sum(has.values())]
        for kind in sorted(set(had) | set(has)):
            more = has.get(kind, 0) - had.get(kind, 0)
            if more > 0 and had:
                grown.append("%s: %s +%d" % (role, kind, more))
    return table, grown


def memory(run, events):
    """{role: numbers}, and the roles that have grown."""
    begin, end = run.span("quiet")
    middle, table, grown = (begin + end) / 2, {}, []
    allowed = PAGES_KB + events / 1000
    for role in ROLES:
        points = [(s["t"], s["processes"][role]["anon"])
                  for s in run.within(middle, end) if role in s["processes"]]
        if len(points) < FEWEST:
            continue
        rate, half = slope(points)
        more = rate * (points[-1][0] - points[0][0])
        table[role] = {"kb": points[-1][1], "kb_hour": rate * HOUR,
                       "plus_minus": half * HOUR, "more_kb": more,
                       "allowed_kb": allowed, "samples": len(points)}
        if more > allowed and rate > half:
            grown.append(role)
    return table, grown


def restarts(run):
    """Processes of ours that are others at the end of the first part."""
    inside = run.within(*run.span("quiet"))
    if not inside:
        return 1
    first, last = inside[0]["processes"], inside[-1]["processes"]
    return sum(first[r]["pid"] != last.get(r, {}).get("pid")
               for r in first if r != "purge")


# --- what it made of a day -------------------------------------------------

def difference(inside, key):
    values = [s["feed"].get(key) or 0 for s in inside]
    return max(0, values[-1] - values[0]) if values else 0


def day_table(run, crowd, flows):
    """(what, in a day, in the run, how it comes by that)."""
    c, inside = run.count, run.within(*run.span("quiet"))
    seconds = run.span("quiet")[1] - run.span("quiet")[0]
    asks = sum(c[n] for n in ("status", "shell", "field", "listeners",
                              "explain", "log", "metrics", "check",
                              "applets"))
    consensus = len({s["feed"].get("consensus") for s in inside}) - 1
    streams = sum(flows.get(n, 0) for n in ("socks", "trans"))

    def done(prefix):
        return sum(s[0].startswith(prefix) for s in run.shuts)

    return [
        ("new consensus", 12, consensus, "a vote every 10 s"),
        ("circuits built", 1000, difference(inside, "built"), "use, NEWNYM"),
        ("streams", 20000, streams, ""),
        ("names looked up", 10000, flows.get("names", 0), ""),
        ("relays restarted", 10, c["relay"], "of all five"),
        ("NEWNYM", 24, c["newnym"], ""),
        ("reloads of torrc", 2, done("reload"), "each closes once"),
        ("changes of proxy (apply)", 1, done("apply"), ""),
        ("other controllers, changes of Tor's log", 24,
         c["events"] + c["loglevel"], ""),
        ("checks of isolation", 4, c["isolation"], ""),
        ("status readers that came and went", 1440, crowd["readers"], ""),
        ("status lines to readers", 20000,
         crowd["lines"] + difference(inside, "lines"), ""),
        ("commands and applets", 1440, asks, "each a process"),
        ("screens (top)", 4, c["top"], ""),
        ("policies read (-n), second supervisors", 4,
         c["policy"] + c["second"], ""),
        ("addresses added and removed", 24, c["address"] + c["alias"], ""),
        ("others' tables added and removed", 10, c["table"] + c["accept"],
         ""),
        ("conntrack flushed, filled", 2, c["forget"] + c["conntrack"], ""),
        ("heartbeats of the lease", 4 * DAY, round(4 * seconds),
         "real time: not compressed"),
        ("probes of Tor and proofs", 4 * DAY, round(4 * seconds),
         "real time: not compressed"),
        ("heartbeat lines to one reader", DAY // 5,
         difference(inside, "heartbeats"), "real time: when nothing changes"),
    ]


REAL_TIME = (
    "Not compressed, as they go by the clock: leases and probes (four a "
    "second), the engine's SIGNAL ACTIVE (hourly), the kernel's timers "
    "(lease, conntrack's time-outs of up to five days), Tor's own dormancy "
    "(24 h), change of guards (weeks), rotation of its keys, names' TTLs "
    "beyond the run, the wrap of any counter.")


# --- the report ------------------------------------------------------------

def costs(run):
    """CPU seconds and log octets an hour, and what the kernel holds."""
    inside = run.within(*run.span("quiet"))
    first, last = inside[0], inside[-1]
    seconds = last["t"] - first["t"] or 1
    cpu = {}
    for role in ROLES:
        pair = [s["processes"].get(role) for s in (first, last)]
        if all(pair) and pair[0]["pid"] == pair[1]["pid"]:
            cpu[role] = (pair[1]["ticks"] - pair[0]["ticks"]) / TICKS / \
                seconds * HOUR
    before, after = (run.within(*run.span(p)) for p in ("before", "after"))
    held = {}
    for key in ("conntrack", "elements", "rules", "tcp", "unix", "netlink",
                "packet"):
        held[key] = [min((s["kernel"].get(key, 0) for s in part), default=0)
                     for part in (before, after)]
    return {"cpu_s_hour": cpu, "held": held,
            "log_kb_hour": (last["log"] - first["log"]) / 1000 / seconds *
            HOUR}


def judge(run):
    with open(run.folder + "/wire", encoding="utf-8") as file:
        wire = json.load(file)
    crowd = collections.Counter()
    for entry in objects(run.folder + "/crowd"):
        crowd.update(entry)
    flows = (objects(run.folder + "/flows") or [{}])[-1]
    knocks = [k for k in lines(run.folder + "/knock") if k]
    refused = sum(k.startswith("no ") for k in knocks)
    events = sum(run.count.values()) + crowd["readers"]
    number, told, outages = false_closes(run)
    fds, more_fds = descriptors(run)
    mem, grown = memory(run, events)
    begin, end = run.span("quiet")
    goals = {
        "false_closes": number == 0 and begin < end,
        "missing_closes": missing(run) == 0,
        "leaks": wire["wrong"] == 0 and wire["lost"] == 0 and
        wire["frames"] > 100,
        "memory": not grown,
        "descriptors": not more_fds and fds["status"][0] > 0,
        "zombies": max(s["zombies"] for s in
                       run.within(*run.span("after"))) == 0,
        "restarts": restarts(run) == 0,
    }
    return {"seconds": end - begin, "events": events,
            "by_event": dict(sorted(run.count.items())),
            "failed": dict(run.failed), "crowd": dict(crowd), "flows": flows,
            "knocks": len(knocks), "knocks_refused": refused,
            "false_closes": number, "outages": outages,
            "closes_told": told,
            "must_close": len(run.shuts),
            "closes_wanted": sum(want for _, _, want in windows(run)),
            "missing_closes": missing(run), "wire": wire,
            "memory": mem, "memory_grown": grown, "descriptors": fds,
            "descriptors_grown": more_fds, "restarts": restarts(run),
            "costs": costs(run), "day": day_table(run, crowd, flows),
            "missed": [g for g, met in goals.items() if not met]}


def verdicts(r):
    """(what, found, goal) of each counter."""
    grown = ", ".join(r["descriptors_grown"]) or "0"
    return [
        ("false closes", r["false_closes"], "0"),
        ("closes as Tor's network carried nothing any more",
         r["outages"], "-"),
        ("closes that had to be, and were not", "%d of %d" % (
            r["missing_closes"], r["closes_wanted"]), "0"),
        ("frames on the clear side that are not Tor's", "%d of %d" % (
            r["wire"]["wrong"], r["wire"]["frames"]), "0"),
        ("frames that the capture lost", r["wire"]["lost"], "0"),
        ("programs whose memory grows", ", ".join(r["memory_grown"]) or "0",
         "0"),
        ("descriptors more than before", grown, "0"),
        ("restarts of ours while nothing was to close", r["restarts"], "0"),
    ]


def table(head, rows):
    """In columns, for people."""
    rows = [tuple(str(c) for c in row) for row in [head] + rows]
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    return ["  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip()
            for r in rows] + [""]


def pipes(head, rows):
    """The same in Markdown."""
    rows = [head, ("---",) * len(head)] + rows
    return ["| " + " | ".join(str(c) for c in r) + " |" for r in rows] + [""]


def program_rows(r):
    rows = []
    for role in ROLES:
        m, fds = r["memory"].get(role), r["descriptors"][role]
        if m is None:
            continue
        rows.append((role, m["kb"], "%.1f ± %.1f" % (
            m["kb_hour"], m["plus_minus"]), "%.1f" % m["more_kb"],
            "%d, %d" % tuple(fds),
            "%.1f" % r["costs"]["cpu_s_hour"].get(role, math.nan)))
    return rows


def sections(r, draw):
    held = r["costs"]["held"]
    yield from draw(("counter", "found", "goal"), verdicts(r))
    yield from draw(("program", "anonymous memory, kB", "kB an hour (95 %)",
                     "kB in the 2nd half", "descriptors before, after",
                     "CPU, s an hour"), program_rows(r))
    yield from draw(("in the gateway's kernel", "before", "after"),
                    [(k, *v) for k, v in held.items()])
    yield from draw(("what", "a day has", "the run had", "how"), r["day"])


def machine():
    """"2 CPUs, AMD EPYC, Linux 6.18, Tor 0.4.9"."""
    cpu = [line.partition(": ")[2] for line in lines("/proc/cpuinfo")
           if line.startswith("model name")]
    tor = subprocess.run(["tor", "--version"], stdout=subprocess.PIPE,
                         text=True, check=False).stdout.split("\n")[0]
    return "%d CPUs, %s, Linux %s, %s" % (
        os.cpu_count(), cpu[0] if cpu else "of no name", os.uname().release,
        tor.replace("Tor version ", "Tor ").rstrip("."))


def summary(r):
    return ("%d s; %d events and readers, then %d events that must close or "
            "kill; %d of %d knocks of the workstation refused; log %.1f kB an "
            "hour." % (r["seconds"], r["events"], r["must_close"],
                       r["knocks_refused"], r["knocks"],
                       r["costs"]["log_kb_hour"]))


def main(folder, out):
    r = judge(Run(folder))
    text = [summary(r), ""] + list(sections(r, table))
    text += ["close: " + t for t in r["closes_told"]]
    text += ["clear side: %d x %s" % (n, w) for w, n in
             r["wire"]["why"].items()]
    text += ["did not succeed: %d x %s" % (n, w) for w, n in
             r["failed"].items()]
    text += ["missed: " + ", ".join(r["missed"])] if r["missed"] else []
    mark = ["# Long run", "",
            "`make soak`: a real Tor, a workstation with traffic, and what "
            "happens to a gateway in a day, pressed together. " +
            machine() + ". " + summary(r),
            ""] + list(sections(r, pipes))
    mark += ["* Close: " + t + "." for t in r["closes_told"]] + \
        ["* " + REAL_TIME]
    for name, content in (("txt", text), ("md", mark)):
        with open(out + "/report." + name, "w", encoding="utf-8") as file:
            file.write("\n".join(content) + "\n")
    with open(out + "/report.json", "w", encoding="ascii") as file:
        json.dump(r, file, indent=1)
        file.write("\n")
    return 1 if r["missed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
