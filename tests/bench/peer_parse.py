"""What python3-stem makes of a recording: peer_parse.py FILE ROUNDS [ns]

As parse_time.c, with the same line of JSON.  Exit code 77: no stem.
"""
import json
import resource
import sys
import time

try:
    import stem
    import stem.response
    from stem.descriptor import router_status_entry
    from stem.socket import recv_message
except ImportError:
    sys.exit(77)


def relays(text):
    """The entries of GETINFO ns/all, as Controller.get_network_statuses."""
    import io
    stream = io.BytesIO(text)
    return sum(1 for _ in router_status_entry._parse_file(
        stream, False,
        entry_class=router_status_entry.RouterStatusEntryV3))


def once(path, walk):
    found = dict.fromkeys(("messages", "events", "parts", "octets",
                           "relays"), 0)
    with open(path, "rb") as stream:
        while True:
            try:
                message = recv_message(stream)
            except stem.SocketClosed:
                return found
            found["messages"] += 1
            content = message.content(get_bytes=True)
            if content[0][0] == "650":
                found["events"] += 1
                stem.response.convert("EVENT", message)
            for _, divider, text in content:
                found["parts"] += 1
                found["octets"] += len(text)
                if walk and divider == "+":
                    found["relays"] += relays(text.split(b"\n", 1)[1])


def main():
    rounds, times = int(sys.argv[2]), []
    for _ in range(rounds):
        begin = time.monotonic()
        found = once(sys.argv[1], sys.argv[3:] == ["ns"])
        times.append(time.monotonic() - begin)
    found["us"] = round(sorted(times)[rounds // 2] * 1e6)
    found["rss_kb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(found))


main()
