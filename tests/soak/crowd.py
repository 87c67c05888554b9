"""Status readers that come and go: crowd.py SOCKET PER_SECOND

Each in one of four ways: reads the first line and leaves; leaves without
reading; leaves in the middle of a line; stays for a second and reads all that
comes.  Until TERM; then one line of JSON: how many came, how many lines were
read, and how often the socket was not there.
"""
import json
import random
import signal
import socket
import sys
import time

STAY = 1.0


class Crowd:
    def __init__(self, path):
        self.path, self.staying, self.ended = path, [], False
        self.came = self.lines = self.absent = self.bad = 0

    def first_line(self, link):
        with link.makefile("rb") as stream:
            line = stream.readline()
        self.lines += 1
        said = json.loads(line)
        self.bad += said["type"] not in ("snapshot", "refused")

    def come(self):
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(5)
        try:
            link.connect(self.path)
            self.came += 1
            way = random.randrange(4)
            if way == 0:
                self.first_line(link)
            elif way == 1:
                link.recv(100)
            elif way == 2:
                self.staying.append((time.monotonic() + STAY, link))
                return
        except (OSError, ValueError):
            self.absent += 1
        link.close()

    def leave(self):
        while self.staying and self.staying[0][0] < time.monotonic():
            link = self.staying.pop(0)[1]
            try:
                link.settimeout(0)
                self.lines += link.recv(1 << 20).count(b"\n")
            except OSError:
                self.absent += 1
            link.close()

    def stop(self, *_):
        self.ended = True


def main(path, rate):
    crowd = Crowd(path)
    signal.signal(signal.SIGTERM, crowd.stop)
    print("ready", flush=True)
    begin, pause = time.monotonic(), 0.1
    while not crowd.ended:
        due = (time.monotonic() - begin) * float(rate)
        while crowd.came + crowd.absent < due and not crowd.ended:
            crowd.come()
        crowd.leave()
        time.sleep(pause)
    for _, link in crowd.staying:
        link.close()
    print(json.dumps({"readers": crowd.came, "lines": crowd.lines,
                      "absent": crowd.absent, "bad": crowd.bad}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
