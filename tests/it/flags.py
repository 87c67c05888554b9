"""flags.py POLASK CONTROL FOLDER: what a policy may say against the real Tor.

Prints "ok: ..." or "FAILED: ..." for each sentence, and at most a few of the
differences.  Tor answers 250 to a flag that it does not know, and drops it:
only its log tells.
"""
import itertools
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "net"))
import ctl  # noqa: E402

KINDS = {"socks": "SocksPort", "httptunnel": "HTTPTunnelPort",
         "trans": "TransPort", "dns": "DNSPort"}
ADDRESS = "127.0.0.1:20001"
# Of tor(1), and some that are no client port's.
WORDS = """IPv4Traffic IPv6Traffic PreferIPv6 DNSRequest OnionTraffic
    OnionTrafficOnly CacheIPv4DNS CacheIPv6DNS CacheDNS UseIPv4Cache
    UseIPv6Cache UseDNSCache PreferIPv6Automap PreferSOCKSNoAuth
    KeepAliveIsolateSOCKSAuth ExtendedErrors IsolateDestPort IsolateDestAddr
    IsolateSOCKSAuth IsolateClientProtocol IsolateClientAddr GroupWritable
    WorldWritable RelaxDirModeCheck SessionGroup=5 NoAdvertise NoListen
    IPv4Only IPv6Only Isolate IsolateDestAdress All IPv6Traffic#
    SessionGroup=0 SessionGroup=2147483647 SessionGroup=2147483648
    SessionGroup=-1 SessionGroup= SessionGroup=0x5 SessionGroup=5x
    SessionGroup""".split()
FORMS = (lambda w: w, lambda w: "No" + w, lambda w: w + "s",
         lambda w: "No" + w + "s", str.upper, str.lower,
         lambda w: "nO" + w.upper() + "S", lambda w: "NoNo" + w)

LINES = """
9999|09999|+9999|++9999|-1| 9999|9999 |\t9999|9999\tIPv6Traffic|9999x|9e3|0x50
auto|AUTO|+auto| auto|auto IPv6Traffic|0|00|+0|-0|0 IPv6Traffic|0 0|65535|65536
4294977295|18446744073709561615|9999 9999|9999,|9999.|127.0.0.1:9999
127.0.0.1:auto|127.0.0.1:0|127.0.0.1: 9999|127.0.0.1|127.0.0.1:|127.1:9999
127.0.0.01:9999|0x7f.0.0.1:9999|0177.0.0.1:9999|2130706433:9999|0:9999
0.0.0.0:9999|0.0.0.0:auto|0.0.0.0|*:9999|*|[::]:9999|[::]:auto|[::1]:9999
[::1]|[::1]:auto|::1:9999|::1|[::ffff:127.0.0.1]:9999|::ffff:127.0.0.1:9999
[fe80::1%lo]:9999|[::1%1]:9999|localhost:9999|LOCALHOST:9999|localhost
localhost:auto|[localhost]:9999|[127.0.0.1]:9999|127.0.0.1:+9999
127.0.0.1:09999|127.0.0.1:0x50|[0:0:0:0:0:0:0:1]:9999|[::0.0.0.1]:9999
[]:9999|:9999|127.0.0.1:9999:9999|127.0.0.1/8:9999|127.0.0.2:9999
10.1.1.1:9999|10.1.1.1:auto|1:2|1.2.3:9999|auto:9999|[::1]9999|[::1]:9999x
255.255.255.255:9999|224.0.0.1:9999|127.0.0.1:9999#x|127.0.0.1:9999 #x
9999#x|9999 #x\n#y\n IPv6Traffic|#9999|9999\nIPv6Traffic|"9999"
0.0.0.0:9999\rIPv6Traffic|127.0.0.1:9999\vIPv6Traffic|[::]:9999#[::1]:9999
unix:@/a|unix:@/a WorldWritable|unix: @/a|UNIX:@/a|unix:"@/a"|unix:"@/a b"
unix:"@/a\\x41b"|unix:"@/a\\101b"|unix:"@/a\\"b"|unix:"@/a\\\\b"
unix:"@/a"IPv6Traffic|unix:@/a#b|unix:"@/a#b"|unix:"@/a"#b|unix:@//a
unix:@/./a|unix:a|unix:|unix:""|unix:@/a\tIPv6Traffic|unix:@/a'b|unix:@/a"b
unix:"@/a|unix:0|unix:auto
"""


class Policy:
    def __init__(self, program):
        self.child = subprocess.Popen([program], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)

    def ask(self, question):
        self.child.stdin.write(question + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().rstrip("\n")


class Tor:
    def __init__(self, address):
        self.stream = ctl.connect(address).makefile("rwb")
        self.ask("AUTHENTICATE")
        self.ask("SETEVENTS WARN")

    def ask(self, command):
        """The answer without events, and the warnings among these."""
        self.stream.write(command.encode() + b"\r\n")
        self.stream.flush()
        lines, events = [], []
        while not lines or lines[-1][3:4] != " ":
            line = self.stream.readline().decode("utf-8", "replace")
            if line == "":
                raise EOFError("the control port closed")
            which = events if line.startswith("650") else lines
            which.append(line.rstrip("\r\n"))
        return lines, events

    def set(self, option, value):
        """True: with no word of warning; None: with one; False: refused."""
        escaped = "".join("\\%03o" % c if c < 32 else
                          "\\" + chr(c) if c in b'"\\' else chr(c)
                          for c in value.encode())
        lines, events = self.ask('SETCONF %s="%s"' % (option, escaped))
        events += self.ask("GETINFO version")[1]  # those that come late
        if not lines[-1].startswith("250"):
            return False
        # The cache flags do what they say, for all Tor's regrets.
        if any("deprecated" not in e and "public address" not in e and
               "running Tor as root" not in e for e in events):
            return None
        return True

    def listeners(self, kind):
        line = self.ask("GETINFO net/listeners/" + kind)[0][0]
        return [re.sub(r"\\(.)", r"\1", text) for text in
                re.findall(r'"((?:[^"\\]|\\.)*)"', line.split("=", 1)[1])]


def report(sentence, count, wrong):
    print("%s: %s (%d)" % ("FAILED" if wrong or count == 0 else "ok",
                           sentence, count))
    for line in wrong[:20]:
        print("    " + line)


def close(tor):
    for option in KINDS.values():
        if tor.set(option, "0") is False:
            raise EOFError("Tor does not close its " + option)


def single_flags(tor, policy, kind, place):
    """Exactly what Tor takes without a word."""
    wrong = []
    flags = sorted({form(word) for word in WORDS for form in FORMS})
    for flag in flags:
        ours = policy.ask("policy %s %s %s" % (kind, place, flag))
        theirs = tor.set(KINDS[kind],
                         (ADDRESS if place == "127.0.0.1" else place) +
                         " " + flag)
        if ours.startswith("yes") != (theirs is True):
            wrong.append("%s: we say %s, Tor %s" % (flag, ours, theirs))
    close(tor)
    report("each flag of a %s listener at %s, one by one" %
           (kind, place.split(":")[0]), len(flags), wrong)


def several_flags(tor, policy, kind, place):
    """What we take together Tor takes; we may be stricter."""
    good = [flag for flag in [f + w for w in WORDS for f in ("", "No")]
            if policy.ask("policy %s %s %s" % (kind, place, flag)) != "no"]
    traffic = [f for f in good if "Traffic" in f or "Request" in f]
    wrong, count = [], 0
    for flags in itertools.chain(
            itertools.combinations(good, 2), itertools.combinations(traffic, 3),
            itertools.combinations(traffic, 4)):
        ours = policy.ask("policy %s %s %s" % (kind, place, " ".join(flags)))
        if ours == "no":
            continue
        count += 1
        if tor.set(KINDS[kind], ours[4:]) is not True:
            wrong.append(ours[4:])
    close(tor)
    report("what a policy may say of a %s listener at %s" %
           (kind, place.split(":")[0]), count, wrong)


def loopback(place):
    return place.startswith(("unix:", "127.", "[::1]:"))


def line_fault(answer, open_now):
    """Why what we say is not what Tor does; None when it is."""
    where, place = answer.split(" ", 1)
    if any(not loopback(p) for p in open_now) and where != "reachable":
        return "can be reached"
    if place == "unknown":
        return None if where == "reachable" else "unknown but local"
    if (place == "off") != (open_now == []):
        return "not " + place
    for is_open in open_now:
        if place.startswith("?:"):
            same = place.endswith(":0") or is_open.endswith(place[1:])
        elif place.endswith(":0"):
            same = is_open.startswith(place[:-1])
        else:
            same = is_open == place
        if not same:
            return "is " + is_open
    return None


def port_lines(tor, policy, folder):
    wrong, count = [], 0
    values = [v for row in LINES.strip("\n").split("\n")
              for v in row.replace("\\t", "\t").split("|")]
    values.append("unix:" + folder + "/" + (106 - len(folder)) * "x")
    for value in values:
        value = value.replace("@", folder)
        close(tor)
        if tor.set("SocksPort", value) is False:
            continue
        count += 1
        answer = policy.ask("line " + value.encode().hex())
        fault = line_fault(answer, tor.listeners("socks"))
        if fault is not None:
            wrong.append("%r: we say %s, it %s" % (value, answer, fault))
    close(tor)
    report("each line that Tor takes is read as Tor does", count, wrong)


def main(args):
    policy, tor, folder = Policy(args[1]), Tor(args[2]), args[3]
    path = folder + "/" + (106 - len(folder)) * "s"
    for kind in KINDS:
        single_flags(tor, policy, kind, "127.0.0.1")
        several_flags(tor, policy, kind, "127.0.0.1")
    single_flags(tor, policy, "socks", "unix:" + path)
    several_flags(tor, policy, "socks", "unix:" + path)
    port_lines(tor, policy, folder)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except (OSError, EOFError) as error:
        sys.exit("flags: %s" % error)
