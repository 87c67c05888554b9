"""What a hostile Tor does.

A deed gets the link and the octets that a good Tor would send; it returns
whether the link goes on after it.
"""
import os
import threading

CHUNK = 65536
LONG = 100 << 20  # octets of what is to be too long


def pour(link, chunk, limit=LONG):
    sent = 0
    while sent < limit and link.going():
        link.send(chunk)
        sent += len(chunk)


# --- how it is said --------------------------------------------------------

def drip(link, good):
    """An octet now and then: the last one comes long after the deadline."""
    for octet in good:
        link.send(bytes([octet]))
        if not link.wait(max(0.25, 15 / len(good))):
            return False
    return True


def octets(link, good):
    """One octet at a time, but as fast as it goes."""
    for octet in good:
        link.send(bytes([octet]))
    return True


def bare_lf(link, good):
    link.send(good.replace(b"\r\n", b"\n"))
    return True


def say(text):
    """TEXT instead of what a good Tor would say."""
    def deed(link, _):
        link.send(text)
        return link.wait(60)
    return deed


def code(number):
    """The good answer with another number before each line."""
    def deed(link, good):
        lines = good.rstrip(b"\r\n").split(b"\r\n")
        link.send(b"".join(number + line[3:] + b"\r\n" for line in lines))
        return True
    return deed


def mixed(link, good):
    lines = good.rstrip(b"\r\n").split(b"\r\n")
    link.send(b"251" + lines[0][3:].replace(b" ", b"-", 1) + b"\r\n" + good)
    return link.wait(60)


def event_inside(link, good):
    head, rest = good.split(b"\r\n", 1)
    link.send(head.replace(b" ", b"-", 1) + b"\r\n650 NOTICE in between\r\n" +
              rest)
    return link.wait(60)


def more(link, good):
    """The answer twice."""
    link.send(good + good)
    return link.wait(60)


def unasked(link, good):
    """A second answer, when there is no question."""
    link.send(good)
    link.wait(0.05)
    link.send(b"250 OK\r\n")
    return True


def first(text):
    """TEXT before the good answer."""
    def deed(link, good):
        link.send(text + good)
        return True
    return deed


def endless_line(link, _):
    pour(link, b"250-" + b"x" * CHUNK)


def endless_text(link, _):
    link.send(b"250-")
    pour(link, b"x" * CHUNK)


def endless_reply(link, _):
    pour(link, b"250-version=0\r\n" * 4096)


def endless_data(link, _):
    link.send(b"250+version=\r\n")
    pour(link, b"a line of it\r\n" * 4096)


def endless_relays(link, _):
    link.send(b"250+ns/all=\r\n")
    pour(link, b"r relay A B 2026-01-31 21:00:00 192.0.2.1 443 0\r\n" * 1024)


def endless_relay(link, _):
    link.send(b"250+ns/all=\r\nr ")
    pour(link, b"x" * CHUNK)


def relays(lines):
    """A list of relays that ends."""
    def deed(link, _):
        link.send(b"250+ns/all=\r\n" + lines() + b".\r\n250 OK\r\n")
        return True
    return deed


def garbage():
    return os.urandom(1 << 20).replace(b"\n", b"?").replace(
        b"\r", b"\r\nr ").replace(b"\n.", b"\n:") + b"\r\n"


def crowd():
    """As many as an answer may be long."""
    return b"".join(b"r x A B 2026-01-31 21:00:00 %d.%d.%d.%d 443 0\r\n" % (
        1 + i % 9, i >> 16, i >> 8 & 255, i & 255) for i in range(200000))


def stuffed(link, good):
    """Answers, and does not read the next question, which is a long one."""
    link.send(good)
    return link.wait(60)


def endless_event(link, good):
    link.send(good)
    link.send(b"650+CONF_CHANGED\r\n")
    pour(link, b"a line of it\r\n" * 4096)


def silence(link, _):
    return link.wait(60)


def late(seconds):
    def deed(link, good):
        link.wait(seconds)
        link.send(good)
        return True
    return deed


def close(_link, _):
    return False


def half(link, good):
    link.send(good[:len(good) // 2])
    return False


def zero(link, _):
    pour(link, bytes(CHUNK))


def noise(link, _):
    link.send(os.urandom(4096))
    return link.wait(60)


def echo(link, _):
    for line in link.sock.makefile("rb"):
        link.send(line)
    return False


# --- authentication --------------------------------------------------------

def protocolinfo(methods="COOKIE,SAFECOOKIE", cookie=None, version=b"1",
                 extra=b""):
    """COOKIE: octets, as they are to stand between the quotes."""
    def deed(link, _):
        path = link.cookie.encode() if cookie is None else cookie
        if callable(path):
            path = path(link.cookie.encode())
        link.send(b"250-PROTOCOLINFO %s\r\n250-AUTH METHODS=%s COOKIEFILE="
                  b"\"%s\"\r\n%s250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n"
                  % (version, methods.encode(), path, extra))
        return True
    return deed


def octal(path):
    return b"".join(b"\\%03o" % octet for octet in path)


def alarm(link):
    """Whatever is told now is told to somebody who should hear nothing."""
    link.sock.settimeout(3)
    try:
        if link.sock.recv(4096):
            link.shout("something was sent after a wrong hash")
    except TimeoutError:
        pass
    return False


def challenge(text):
    def deed(link, good):
        link.send(text(good) if callable(text) else text)
        return alarm(link)
    return deed


def wrong_hash(good):
    at = good.index(b"SERVERHASH=") + 11
    return good[:at] + (b"0" if good[at:at + 1] != b"0" else b"1") + \
        good[at + 1:]


def short_hash(good):
    at = good.index(b"SERVERHASH=") + 11
    return good[:at] + good[at + 2:]


def no_hash(good):
    return b"250 AUTHCHALLENGE" + good[good.index(b" SERVERNONCE"):]


# --- events ----------------------------------------------------------------

def flood(event, total):
    """TOTAL events beside the answers, as fast as they are read."""
    chunk = event * 500

    def run(link):
        sent = 0
        try:
            while sent < total and link.going():
                link.send(chunk)
                sent += 500
        except OSError:
            pass
        link.count_events(sent)

    def deed(link, good):
        link.send(good)
        if link.events and not link.state.get("flooded"):
            link.state["flooded"] = True
            threading.Thread(target=run, args=(link,), daemon=True).start()
        return True
    return deed


def event(text):
    """One event after each good answer."""
    def deed(link, good):
        link.send(good + (text if link.events else b""))
        return True
    return deed


# --- state -----------------------------------------------------------------

def in_turn(*values):
    """One after the other, over and over."""
    def lie(link, _):
        n = link.state.get(values, 0)
        link.state[values] = n + 1
        return values[n % len(values)]
    return lie


def then(value):
    """The truth once, as long as a connection lasts, and VALUE after it."""
    def lie(link, truth):
        n = link.state.get(value, 0)
        link.state[value] = n + 1
        return truth if n == 0 else value
    return lie


def questions(count):
    """Of so many streams, all of them questions, none was there before."""
    def lie(link, _):
        begin = link.state.get("questions", 1)
        link.state["questions"] = begin + count
        return b"\r\n".join(b"%d %s a%d.example:0" % (
            i, (b"SENTRESOLVE 4", b"NEWRESOLVE 0")[i % 2], i)
            for i in range(begin, begin + count))
    return lie


def deaf(link, good):
    """A SETCONF that is answered and not done."""
    link.send(b"250 OK\r\n")
    return True


def drop_all(voice):
    """As after a reload of a torrc without any of them."""
    with voice.lock:
        voice.conf.clear()
        voice.sync()
    voice.tell(b"650 SIGNAL RELOAD\r\n")


def drop_socks(voice):
    """Its socket is gone; what Tor says of it is as before."""
    place = ("socks", "10.152.152.10:9050")
    voice.missing = (place,)
    voice.listeners[place].close()
