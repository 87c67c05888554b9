#!/usr/bin/python3
"""What leaked, and who held the tables then.

	windows.py STORM-LOG TABLES-LOG
	windows.py STORM-LOG TABLES-LOG JUDGE-LOG

The first form tells of the flushes, and how long it took from a start to the
claim of portcullis_boot; it ends with "taken=N", how often that was taken from
a keeper that held it, which must be never.

The second is of one judge's frames.  Those that were sent less than a tenth of
a second apart are one window, a line each: the fault before it, how long after
that it began, how long it lasted, how many frames.  It ends with "held=N
double=M".  M are the frames of double faults: the keeper was dead, as the
storm says, somebody took its tables, as the kernel says, and no other keeper
had put them back yet.  All others count as leaked while the tables were held.
"""
import bisect
import re
import sys

GAP_NS = 100_000_000
BOOT = "portcullis_boot"


def read_storm(path):
    """Faults, and marks, which begin with "="; both as (time, name)."""
    faults, marks = [], []
    with open(path, encoding="ascii") as f:
        for line in f:
            at, name = line.split()
            (marks if name[0] == "=" else faults).append((int(at), name))
    return faults, marks


def read_tables(path):
    """What happened to the boot table: (time, "=claimed" or "=taken")."""
    events = []
    with open(path, encoding="ascii") as f:
        for line in f:
            if line.strip() == "lost":
                sys.exit("windows.py: the kernel did not tell everything")
            word = line.split()
            if word[3:4] != [BOOT]:
                continue
            ours = word[5].startswith("portcullis")
            if word[1] == "new" and word[4] == "owned" and ours:
                events.append((int(word[0]), "=claimed"))
            elif word[1] == "del" and not ours:
                events.append((int(word[0]), "=taken"))
    return events


class Story:
    """Without a death that the storm has marked, somebody held them."""

    def __init__(self, storm, tables):
        self.faults, marks = read_storm(storm)
        self.times = [at for at, _ in self.faults]
        self.taken = []       # from a living keeper
        self.gaps = []        # (begin, end): double faults
        self.unheld, self.without = [], []
        self.alive = {"=alive": 0, "=nobody": 0}
        dead = gone = None
        for at, what in sorted(marks + read_tables(tables)):
            if what == "=dead":
                dead = at
            elif what in self.alive:
                self.alive[what] += 1
            elif what == "=taken" and dead is None:
                self.taken.append(at)
            elif what == "=taken":
                gone = gone or (self.fault_before(at)[0], at)
            elif dead is not None:
                self.unheld.append(at - dead)
                if gone is not None:
                    self.gaps.append((gone[0], at))
                    self.without.append(at - gone[1])
                dead = gone = None
        if gone is not None:
            self.gaps.append((gone[0], sys.maxsize))

    def fault_before(self, at):
        i = bisect.bisect_right(self.times, at) - 1
        return self.faults[i] if i >= 0 else (at, "start")

    def is_double(self, at):
        return any(begin <= at <= end for begin, end in self.gaps)


def windows(sent):
    begin = last = sent[0]
    count = 0
    for at in sent:
        if at - last > GAP_NS:
            yield begin, last, count
            begin, count = at, 0
        last = at
        count += 1
    yield begin, last, count


def spread(values):
    if not values:
        return "never"
    v = sorted(values)
    return "/".join(f"{v[i] / 1e6:.1f}" for i in
                    (0, len(v) // 2, len(v) * 99 // 100, -1)) + \
        " ms (least/median/99%/most)"


def tell_tables(story):
    print(f"flushes with a keeper: {story.alive['=alive']}, "
          f"with none: {story.alive['=nobody']}; "
          f"double faults, which took {BOOT} when nobody held it: "
          f"{len(story.gaps)}")
    print(f"from such a flush to the next claim: {spread(story.without)}")
    print(f"from a keeper's start to its claim: {spread(story.unheld)}")
    for at in story.taken:
        print(f"TAKEN from a living keeper after {story.fault_before(at)[1]}")
    print(f"taken={len(story.taken)}")


def tell_frames(story, path):
    with open(path, encoding="ascii") as f:
        sent = sorted(int(n) for n in re.findall(r"sent_ns=(\d+) seen",
                                                 f.read()))
    double = sum(story.is_double(at) for at in sent)
    for begin, last, count in windows(sent) if sent else ():
        at, what = story.fault_before(begin)
        whose = "nobody held the tables" if story.is_double(begin) and \
            story.is_double(last) else "THEY WERE HELD"
        print(f"window: {(begin - at) / 1e6:.2f} ms after {what}, "
              f"{(last - begin) / 1e6:.2f} ms long, {count} frames: {whose}")
    print(f"held={len(sent) - double} double={double}")


def main():
    story = Story(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        tell_frames(story, sys.argv[3])
    else:
        tell_tables(story)


main()
