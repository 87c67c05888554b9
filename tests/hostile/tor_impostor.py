"""Another user's program where Tor should be: tor_impostor.py UID PLACE

PLACE is a path or Tor's control port, where it plays one that knows the
cookie, or another ADDRESS:PORT, where it is a listener that answers
everybody.  It prints "ready", then "met TIME" for each connection, and "ALARM
text" if a control port is told more than the question that every program is
asked.
"""
import os
import socket
import sys
import threading
import time

import tor_voice


def open_place(place):
    """As root; it is listen(2) that says whose it is."""
    if place[0] != "/":  # ADDRESS:PORT
        host, port = place.rsplit(":", 1)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, int(port)))
        return sock
    if os.path.lexists(place):
        os.unlink(place)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(place)
    os.chmod(place, 0o666)
    return sock


class Fake(tor_voice.Link):
    def listen_in(self, line):
        if not line.startswith(b"PROTOCOLINFO"):
            tor_voice.say("ALARM: told: " + repr(line))


def main(uid, place):
    sock = open_place(place)
    os.setgroups([])
    os.setgid(int(uid))
    os.setuid(int(uid))
    sock.listen(16)
    # The folder that the policy knows, whoever may write there.
    voice = tor_voice.Voice(os.path.dirname(os.path.dirname(place)))
    control = place[0] == "/" or place == "%s:%d" % tor_voice.PORT
    tor_voice.say("ready")
    while True:
        link, _ = sock.accept()
        tor_voice.say("met", time.monotonic())
        if control:
            fake = Fake(voice, link)
            threading.Thread(target=fake.run, daemon=True).start()
        else:
            with link:
                link.sendall(tor_voice.TOKEN)


main(*sys.argv[1:])
