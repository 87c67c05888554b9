"""A few commands to a control port: ctl.py [--cookie FILE] ADDRESS CMD...

ADDRESS is a path or HOST:PORT.  Prints the replies; fails unless each is 250.
For the test network only: it sends the plain cookie.
"""
import socket
import sys


def connect(address):
    if address.startswith("/"):
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(5)
        link.connect(address)
        return link
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 5)


def ask(stream, command):
    stream.write(command.encode() + b"\r\n")
    stream.flush()
    lines, data = [], False
    while True:
        line = stream.readline().decode("utf-8", "replace")
        if line == "":
            raise EOFError("the control port closed")
        line = line.rstrip("\r\n")
        lines.append(line)
        if data:
            data = line != "."
        elif line[3:4] == "+":
            data = True
        elif line[3:4] == " ":
            return lines


def main(args):
    cookie = b""
    if args[:1] == ["--cookie"]:
        with open(args[1], "rb") as file:
            cookie = file.read()
        args = args[2:]
    with connect(args[0]) as link, link.makefile("rwb") as stream:
        for command in ["AUTHENTICATE " + cookie.hex()] + args[1:]:
            lines = ask(stream, command)
            if not command.startswith("AUTHENTICATE"):
                print("\n".join(lines))
            if not lines[-1].startswith("250"):
                return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, EOFError) as error:
        sys.exit("ctl: %s" % error)
