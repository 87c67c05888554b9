"""python3-stem doing what the engine does: peer_stem.py DIR OPTIONS ROUNDS

DIR has Tor's control socket and cookie; by TCP, delayed acknowledgements
would add 40 ms of their own.  OPTIONS is a file of "OPTION VALUE" lines.  Each round sets them all by one
SETCONF and reads back net/listeners and GETCONF of each option.  Prints the
rounds' times as one line of JSON, in ms; exit code 77 when there is no stem.
"""
import json
import os
import statistics
import sys
import time

try:
    import stem.control
except ImportError:
    print("python3-stem is not installed", file=sys.stderr)
    sys.exit(77)

KINDS = {"SocksPort": "socks", "HTTPTunnelPort": "httptunnel",
         "TransPort": "trans", "DNSPort": "dns"}


def wanted(path):
    options = {}
    with open(path) as file:
        for line in file:
            name, value = line.rstrip("\n").split(" ", 1)
            options.setdefault(name, []).append(value)
    return options


def round_trip(controller, options):
    begin = time.monotonic()
    controller.set_options(list(options.items()))
    middle = time.monotonic()
    named = lines = 0
    for name in options:
        reply = controller.get_info("net/listeners/" + KINDS[name])
        named += len(reply.split())
        lines += len(controller.get_conf(name, multiple=True))
    end = time.monotonic()
    return (middle - begin) * 1e3, (end - middle) * 1e3, named, lines


def main(folder, path, rounds):
    options = wanted(path)
    total = sum(len(values) for values in options.values())
    off = [(name, "0") for name in options]
    with stem.control.Controller.from_socket_file(
            os.path.join(folder, "socket")) as controller:
        with open(os.path.join(folder, "cookie"), "rb") as file:
            controller.authenticate(file.read().hex())
        results = []
        for _ in range(int(rounds)):
            controller.set_options(off)
            results.append(round_trip(controller, options))
            if results[-1][2:] != (total, total):
                sys.exit("peer_stem: %d listeners, %d lines of %d" %
                         (results[-1][2], results[-1][3], total))
        controller.set_options(off)
    print(json.dumps({
        name: round(statistics.median(times), 1) for name, times in (
            ("stem_set_ms", [r[0] for r in results]),
            ("stem_read_ms", [r[1] for r in results]),
            ("stem_ms", [r[0] + r[1] for r in results]))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
