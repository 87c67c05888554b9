#!/usr/bin/python3
"""How often do secrets lie in the memory of running processes?

wiped.py "PID..." NAME HEX [NAME HEX]...: prints a line "NAME COUNT..." for
each PID, with the counts of all copies in what it may write to: as it is, in
hexadecimal, quoted as for Tor and JSON, and in base64.  Half a copy counts,
too: free() writes over the beginning of what it is given.
"""
import base64
import sys


def forms(secret):
    """What is sent of it, each as often as it differs from the others."""
    quoted = secret.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    found = [secret, quoted, secret.hex().encode(),
             secret.hex().upper().encode(),
             # Behind so many octets of something else, as a user's name;
             # the first and the last digits may have of what is beside it.
             *(base64.b64encode(b"x" * n + secret)[(4 * n + 2) // 3:-4]
               for n in range(3))]
    return list(dict.fromkeys(found))


def places(memory, what):
    """All of them, overlapping or not."""
    at = memory.find(what)
    while at != -1:
        yield at
        at = memory.find(what, at + 1)


def copies(memory, secret):
    """How many there are of which one half or the other is there."""
    begins = set()
    for form in forms(secret):
        half = len(form) // 2
        begins.update(places(memory, form[:half]))
        begins.update(at - half for at in places(memory, form[half:]))
    return len(begins)


def writable(pid):
    """The contents of all mappings that PID may write to."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, may = line.split()[:2]
            if "w" not in may:
                continue
            begin, end = (int(word, 16) for word in span.split("-"))
            mem.seek(begin)
            part = mem.read(end - begin)
            if len(part) != end - begin:
                sys.exit(f"{line.strip()}: {len(part)} octets only")
            yield part


def main():
    """See above."""
    pids, *pairs = sys.argv[1:]
    for pid in pids.split():
        parts = list(writable(pid))
        words = []
        for name, digits in zip(pairs[::2], pairs[1::2]):
            secret = bytes.fromhex(digits)
            words += [name, sum(copies(part, secret) for part in parts)]
        print(*words)


if __name__ == "__main__":
    main()
