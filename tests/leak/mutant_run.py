"""One policy's rules on the ground, and what each position does to packets."""
import re
import socket

import frames as f
from mutant_city import in_order
from mutant_probes import (GATE, LATE_TTL, LIAR_TTL, MOVED_PORT,
                           REFUSED_TTL, ROOT, SHORT_TTL, UNTRACKED_TTL)

# Whoever marks packets before we clear the marks, and after we have read them;
# who sends from one interface to another below IP; who refuses what we let in;
# and conntrack, as long as nobody asks.
OTHERS = """
table inet others {
	chain liar {
		type filter hook prerouting priority -460
		ip ttl %(liar)d meta mark set 0x60000000
		ip6 hoplimit %(liar)d meta mark set 0x60000000
	}
	chain late_liar {
		type filter hook prerouting priority -400
		ip ttl %(late)d meta mark set 0x60000000
		ip6 hoplimit %(late)d meta mark set 0x60000000
	}
	chain moves {
		type nat hook prerouting priority -150
		iifname "ext0" tcp dport %(moved)d redirect to :22
		iifname "tun0" tcp dport %(moved)d redirect to :9997
	}
	chain refuses {
		type filter hook input priority -20
		ip ttl %(refused)d ip protocol tcp reject with tcp reset
		ip6 hoplimit %(refused)d ip6 nexthdr tcp reject with tcp reset
	}
	chain hides {
		type filter hook prerouting priority -300
		ip ttl %(untracked)d notrack
	}
	chain forgets {
		type filter hook prerouting priority -150
	}
	chain tracks {
		type filter hook output priority 10
		ct state established
	}
}
table netdev others {
	chain short_cut {
		type filter hook ingress device "ws0" priority 0
		ip ttl %(short)d ip protocol udp meta mark set 0x20000000 fwd to "ext0"
		ip ttl %(short)d ip protocol tcp meta mark set 0x20000000 fwd to "tun0"
	}
}
""" % {"liar": LIAR_TTL, "late": LATE_TTL, "short": SHORT_TTL,
       "untracked": UNTRACKED_TTL, "moved": MOVED_PORT,
       "refused": REFUSED_TTL}
ALL4 = ["10.152.152.10 . tcp . %d" % p for p in (9050, 9040, 9108)] + \
    ["127.0.0.1 . tcp . %d" % p for p in (9150, 9041, 9108)] + \
    ["10.152.152.10 . udp . 5300", "127.0.0.1 . udp . 5400"]
ALL6 = ["fd19::10 . tcp . %d" % p for p in (9050, 9040, 9108)] + \
    ["::1 . tcp . %d" % p for p in (9150, 9041, 9108)] + \
    ["fd19::10 . udp . 5300", "::1 . udp . 5400"]
LESS4 = [e for e in ALL4 if not e.endswith((" 9041", " 5400"))]
FLOAT4 = LESS4[:]
FLOAT4.remove("127.0.0.1 . tcp . 9108")
FLOAT6 = ["fd19::10 . tcp . %d" % p for p in (9050, 9040, 9108)] + \
    ["fd19::10 . udp . 5300"]
# As if a listener's address had moved to a workstation since it was proven.
MOVED = ["10.152.152.50 . tcp . 7"], ["fd19::50 . tcp . 7"]
# Those of the policy, as they are when every one of them is proven.
POLICIES = {
    "full": (ALL4, ALL6),
    "veto": (LESS4, ["fd19::10 . tcp . 9050", "::1 . tcp . 9108"]),
    "float": (FLOAT4, FLOAT6),
    "names": (["10.152.152.10 . tcp . 9050"], ["fd19::10 . tcp . 9050"]),
}
RELAYS = {"relays4a": "192.0.2.1 . 443, 192.0.2.1 . 9001, "
                      "198.51.100.1 . 443",
          "relays6a": "2001:db8::1 . 9001, 2001:db8:7::1 . 443",
          "relays4b": "203.0.113.5 . 443", "relays6b":
          "2001:db8:5::5 . 443"}
REACH = {"reach_tor4": "192.0.2.1 . 123, 203.0.113.5 . 53",
         "reach_tor6": "2001:db8::1 . 123, 2001:db8:5::5 . 53",
         "reach_resolver4": "192.0.2.1 . 8005",
         "reach_resolver6": "2001:db8::1 . 8005"}
TARGETS = {"target4": "tcp : 10.152.152.10, udp : 10.152.152.10",
           "target6": "tcp : fd19::10, udp : fd19::10"}
# position: leases held, are the listeners proven, and which of our tables are
# there: what two tables forbid can only be seen where one of them is absent.
ALL = ("portcullis_guard", "portcullis", "portcullis_egress")
PERMITS = ("permit_lookup", "permit_stub", "permit_udp")
POSITIONS = {
    "open": (("gate", "egress"), True, ALL),
    "tor-only": (("egress",), True, ALL),
    "closed": ((), True, ALL),
    "time-sync": (("sync", "egress"), True, ALL),
    "unproven": (("gate", "egress"), False, ALL),
    "guard alone": ((), False, ALL[:1]),
    "guard alone, gate mark": ((), False, ALL[:1]),
    "guard alone, egress mark": ((), False, ALL[:1]),
    "open, no guard": (("gate", "egress"), True, ALL[1:2]),
    "time-sync, no guard": (("sync", "egress"), True, ALL[1:2]),
    "tor-only, no guard": (("egress",), True, ALL[1:2]),
    "egress alone": ((), False, ALL[2:]),
    "permits": (("egress",) + PERMITS, True, ALL),
    "permits, no guard": (("egress",) + PERMITS, True, ALL[1:2]),
    "lookup": (("egress", "permit_lookup"), True, ALL),
    "stub": (("egress", "permit_stub"), True, ALL),
    "udp": (("egress", "permit_udp"), True, ALL),
}
# Shows the marks in the packets' own headers.
OBSERVER = """
table inet observer {
	chain shows {
		meta mark & 0x60000000 == 0x40000000 ip dscp set 1
		meta mark & 0x60000000 == 0x20000000 ip dscp set 2
		meta mark & 0x60000000 == 0x60000000 ip dscp set 3
		meta mark & 0x60000000 == 0x40000000 ip6 dscp set 1
		meta mark & 0x60000000 == 0x20000000 ip6 dscp set 2
		meta mark & 0x60000000 == 0x60000000 ip6 dscp set 3
	}
	chain in {
		type filter hook input priority 100
		jump shows
	}
	chain out {
		type filter hook output priority 100
		jump shows
	}
}
"""
# Stands in for the gate table, and marks whatever there is.
PAINTER = """
table inet painter {
	chain pre {
		type filter hook prerouting priority -452
		meta mark set meta mark | 0x%(mark)x
	}
	chain out {
		type filter hook output priority -7
		oifname { "ws0", "vif7" } return
		meta mark set meta mark | 0x%(mark)x
	}
}
"""
MARKS = {"guard alone, gate mark": 0x40000000,
         "guard alone, egress mark": 0x20000000}
TRIES = 8   # until a run is fast enough for the kernel's timers
LEASES = {"gate": 7701, "egress": 7702, "sync": 7703, "permit_lookup": 7704,
          "permit_stub": 7705, "permit_udp": 7706}


class Bench:
    def __init__(self, city, run, policy, tables):
        self.city, self.make_run, self.policy = city, run, policy
        self.tables, self.spoilt, self.expected = tables, None, {}
        gate = tables["portcullis"]
        self.sets = set(re.findall(r"^\t(?:set|map) (\S+) \{", gate, re.M))
        self.positions = [
            p for p in POSITIONS if self.sets | {"gate"} >=
            set(POSITIONS[p][0])]
        self.there, self.codes = set(), {}
        city.nft("flush ruleset")
        city.nft(OTHERS)

    def _load(self, text):
        """None, or nft's error.  Leases are not to lapse meanwhile."""
        return self.city.nft.attempt(re.sub(
            r"^\t\ttimeout \d+ms$", "\t\ttimeout 1h", text, flags=re.M))

    def _must_load(self, text):
        error = self._load(text)
        if error is not None:
            raise RuntimeError(error)

    def _text(self, table):
        if self.spoilt is not None and self.spoilt[0] == table:
            return self.spoilt[1]
        return self.tables[table]

    def stage(self, position):
        """Only the tables of POSITION are there.  Boot never is: what it
        does the guard does too."""
        want = set(POSITIONS[position][2])
        for table in sorted(self.there - want):
            self._away(table)
        for table in sorted(want - self.there):
            self._must_load(self._text(table))
        self.there = want
        # Declared first: there may be none to delete.
        for name in ("observer", "painter"):
            self.city.nft("table inet %s\ndelete table inet %s" % (name,
                                                                  name))
        if position in MARKS:
            self.city.nft(PAINTER % {"mark": MARKS[position]})
        if len(want) == 1:
            self.city.nft(OBSERVER)

    def same_code(self, table, text):
        if table not in self.codes:
            self.codes[table] = self._code(self.tables[table])
        return self.codes[table] == self._code(text)

    def _code(self, text):
        return in_order([line for line in self.city.nft.code(text)
                         if not re.search("table|handle", line)])

    def spoil(self, table, text):
        """TABLE is TEXT now; None, or what nft says against it."""
        self.spoilt = (table, text)
        self._away(table)
        error = self._load(text)
        if error is None:
            self.there.add(table)
        return error

    def restore(self):
        """The spoilt table goes, and comes as it was where it is wanted:
        the next position may be one without it."""
        if self.spoilt is not None:
            self._away(self.spoilt[0])
        self.spoilt = None

    def _away(self, table):
        family = "netdev" if table == "portcullis_egress" else "inet"
        self.city.nft("table %s %s\ndelete table %s %s" % (family, table,
                                                          family, table))
        self.there.discard(table)

    def of_table(self, table):
        """The positions in which TABLE is there."""
        return [p for p in self.positions if table in POSITIONS[p][2]]

    def take(self, position):
        """The gate table's sets as they are in POSITION."""
        leases, proven, tables = POSITIONS[position]
        if "portcullis" not in tables:
            return
        want = {name: "ipv4, ipv6" if name in leases else ""
                for name in LEASES}
        four, six = POLICIES[self.policy]
        if position.startswith("time-sync"):
            four, six = ([e for e in side if e.endswith(" 9108")]
                         for side in (four, six))
        four, six = four + MOVED[0], six + MOVED[1]
        want["proven4"] = ", ".join(four) if proven else ""
        want["proven6"] = ", ".join(six) if proven else ""
        want.update(RELAYS)
        want.update(REACH)
        want.update(TARGETS if proven else dict.fromkeys(TARGETS, ""))
        text = ""
        for name in sorted(self.sets & set(want)):
            kind = "map" if name.startswith("target") else "set"
            text += "flush %s inet portcullis %s\n" % (kind, name)
            if want[name]:
                text += "add element inet portcullis %s { %s }\n" % (
                    name, want[name])
        self.city.nft(text)

    def seen(self, position):
        """What comes of every probe in POSITION.  Once more if it took so
        long that the kernel's timers have sent something too."""
        for _ in range(TRIES):
            run = self._run(position)
            if run.hurried:
                break
        return run.seen

    def _run(self, position):
        self.stage(position)
        self.take(position)
        run = self.make_run()
        run.first()
        run.talk()
        run.marks()
        run.errors()
        # Without the guard every flow lives, and how they end is a matter
        # of the kernel's timers.
        if position == "open":
            self.take("unproven")
            run.cut("unproven now, ")
            self.take(position)
            self.city.nft("flush set inet portcullis gate")
            run.cut("cut, ")
            if "sync" in self.sets:
                self.take("time-sync")
                run.cut("cut for time-sync, ")
        elif position == "permits":
            for name in PERMITS:
                self.city.nft("flush set inet portcullis " + name)
                run.cut("%s cut, " % name)
        elif position == "unproven":
            self.city.nft("flush set inet portcullis egress")
            run.cut("Tor cut, ")
        elif "portcullis_guard" in self.there:
            run.hang_up(lambda: self.forsake(position))
        self.city.nft("flush chain inet others forgets")
        run.over()
        self.heartbeats(run.seen, position)
        return run

    def forsake(self, position):
        """What leftovers are judged by is not there any more."""
        if position == "lookup":
            self.city.nft("flush set inet portcullis permit_lookup")
        if position != "tor-only":
            return
        self.city.nft("add rule inet others forgets ct mark set 0")
        for name in sorted(self.sets & set(RELAYS)):
            self.city.nft("flush set inet portcullis " + name)

    def heartbeats(self, seen, position):
        """Who may renew which lease."""
        if "portcullis" not in self.there:
            return
        self.take(position)
        before = self.leases()
        for uid, port, address in [(GATE, p, a) for p in LEASES.values()
                                   for a in ("127.0.0.1", "::1")] + \
                [(GATE, 7707, "127.0.0.1")] + \
                [(ROOT, p, "127.0.0.1") for p in LEASES.values()]:
            name = "heartbeat of %d to %s.%d" % (uid, address, port)
            sock = self.city.user_socket(
                "gw", uid, socket.AF_INET6 if ":" in address else
                socket.AF_INET, socket.SOCK_DGRAM)
            try:
                sock.bind(("", 7700))
                sock.sendto(b"", (address, port))
                seen.add((name, "sent"))
            except OSError as error:
                seen.add((name, error.strerror))
            finally:
                sock.close()
            now = self.leases()
            seen.add((name, str(now)))
            if now != before:
                self.take(position)
        self.city.settle()
        self.city.sights()

    def leases(self):
        """What the leases hold, and whether for long or renewed just now."""
        text = self.city.nft("list sets inet")
        return [(name, family, "renewed" if re.fullmatch(
            r"(\d+s)?(\d+ms)?", rest) else "long")
                for name, body in re.findall(
                     r"set (gate|egress|sync|permit_\w+) \{(.*?)\n\t\}",
                     text, re.S)
                for family, rest in re.findall(
                    r"(ipv[46])[^,}]*expires (\w+)", body)]

    def baseline(self):
        """Twice; what is not the same both times is a fault of ours."""
        problems = []
        for position in self.positions:
            self.expected[position] = self.seen(position)
            problems += self._changes(position, "is not stable")
        return problems

    def again(self):
        return [p for position in self.positions
                for p in self._changes(position, "has changed meanwhile")]

    def _changes(self, position, what):
        odd = self.expected[position] ^ self.seen(position)
        return ["%s, %s: %s %s: %s" % ((self.policy, position, name, what,
                                        text))
                for name, text in sorted(odd)]

    def difference(self, position):
        """A word on what is different now; None: nothing is."""
        want = self.expected[position]
        odd = want ^ self.seen(position)
        if odd:     # a slow machine has its own differences
            odd &= want ^ self.seen(position)
        if not odd:
            return None
        name, text = min(odd)
        return "%s: %s %s (%d differ)" % (
            name, "not" if (name, text) in want else "now", text, len(odd))
