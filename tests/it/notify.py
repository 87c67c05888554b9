# The service manager's end of NOTIFY_SOCKET: each message in a line, with the
# tables that are there when it comes and the leases that are held.
#   notify.py SOCKET
import json
import os
import socket
import subprocess
import sys


def ruleset():
    out = subprocess.run(["nft", "-j", "list", "ruleset"], check=True,
                         stdout=subprocess.PIPE).stdout
    return [next(iter(entry.items())) for entry in json.loads(out)["nftables"]]


def seen():
    tables, leases = [], 0
    for kind, what in ruleset():
        if kind == "table":
            tables.append(what["name"])
        if kind == "set" and what["name"] == "gate":
            leases += len(what.get("elem", []))
    return "tables=%s leases=%d" % (",".join(sorted(tables)), leases)


def main():
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(sys.argv[1])
    os.chmod(sys.argv[1], 0o666)
    print("listening", flush=True)
    while True:
        text = sock.recv(4096).decode("ascii", "replace")
        print(text.replace("\n", " "), seen(), flush=True)


main()
