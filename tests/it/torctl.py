"""A second, independent controller: torctl.py --cookie FILE HOST:PORT VERB...

listeners            every listener of Tor's, "KIND ADDRESS" on each line
events NAME...       prints events until it is ended; "ready" comes first
repeat MS COMMAND... sends one COMMAND after the other, over and over, every
                     MS milliseconds until it is ended
"""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "net"))
import ctl  # noqa: E402

KINDS = ("socks", "httptunnel", "trans", "dns")


def ask(stream, command):
    lines = ctl.ask(stream, command)
    if not lines[-1].startswith("250"):
        raise EOFError("%s: %s" % (command.split()[0], lines[-1]))
    return lines


def listeners(stream):
    for kind in KINDS:
        key = "net/listeners/" + kind
        line = ask(stream, "GETINFO " + key)[0]
        for address in re.findall(r'"((?:[^"\\]|\\.)*)"',
                                  line.split("=", 1)[1]):
            # A path with a blank comes quoted once more.
            print(kind, re.sub(r'\\(.)', r'\1', address).replace('"', ''))


def events(stream, names):
    ask(stream, "SETEVENTS " + " ".join(names))
    print("ready", flush=True)
    while True:
        line = stream.readline()
        if not line:
            return
        print(line.decode("utf-8", "replace").rstrip(), flush=True)


def repeat(stream, pause, commands):
    print("ready", flush=True)
    while True:
        for command in commands:
            print(ctl.ask(stream, command)[-1], flush=True)
            time.sleep(pause / 1000)


def main(args):
    with open(args[1], "rb") as file:
        cookie = file.read()
    link = ctl.connect(args[2])
    stream = link.makefile("rwb")
    ask(stream, "AUTHENTICATE " + cookie.hex())
    if args[3] == "listeners":
        listeners(stream)
        return
    link.settimeout(None)
    if args[3] == "events":
        events(stream, args[4:])
    else:
        repeat(stream, int(args[4]), args[5:])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, EOFError) as error:
        sys.exit("torctl: %s" % error)
