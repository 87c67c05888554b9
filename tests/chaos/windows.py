#!/usr/bin/python3
"""The windows in which packets leaked: windows.py STORM-LOG JUDGE-LOG

Frames that were sent less than a tenth of a second apart are one window.  Each
is one line: the fault before it, how long after that it began, how long it
lasted, how many frames.
"""
import bisect
import re
import sys

GAP_NS = 100_000_000


def faults(path):
    times, names = [], []
    with open(path, encoding="ascii") as f:
        for line in f:
            at, name = line.split()
            times.append(int(at))
            names.append(name)
    return times, names


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


def main():
    times, names = faults(sys.argv[1])
    with open(sys.argv[2], encoding="ascii") as f:
        sent = sorted(int(n) for n in re.findall(r"sent_ns=(\d+) seen",
                                                 f.read()))
    if not sent:
        return
    for begin, last, count in windows(sent):
        i = bisect.bisect_right(times, begin) - 1
        what = names[i] if i >= 0 else "start"
        after = (begin - times[i]) / 1e6 if i >= 0 else 0
        print(f"window: {after:.2f} ms after {what}, "
              f"{(last - begin) / 1e6:.2f} ms long, {count} frames")


main()
