"""The gateway under test: starts, disturbs, and looks at the kernel."""
import json
import os
import signal
import subprocess
import time

import place as where
from place import EXT4, EXT6, GW4, GW6, ROUTER4, ROUTER6, WS4, WS6

TICK = 0.02
REDIRECT = """
table inet leak_redirect {
	chain pre {
		type nat hook prerouting priority -100
		iifname != "eth1" accept
		ip daddr %(gw4)s tcp dport { 9050, 9190 } accept
		ip6 daddr %(gw6)s tcp dport { 9050, 9190 } accept
		meta nfproto ipv4 udp dport 53 dnat ip to %(gw4)s:5300
		meta nfproto ipv6 udp dport 53 dnat ip6 to [%(gw6)s]:5300
		fib daddr type local accept
		meta nfproto ipv4 meta l4proto tcp dnat ip to %(gw4)s:9040
		meta nfproto ipv6 meta l4proto tcp dnat ip6 to [%(gw6)s]:9040
	}
}
""" % {"gw4": GW4, "gw6": GW6}


def wait_for(seconds, ask):
    end = time.monotonic() + seconds
    while not ask():
        if time.monotonic() > end:
            return False
        time.sleep(TICK)
    return True


def proc_state(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8",
                  errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return None


class Lab:
    def __init__(self, place, build, source):
        self.place, self.build, self.source = place, build, source
        self.gw = place.gateway
        self.policy = os.path.join(place.folder, "portcullis.conf")
        with open(self.policy, encoding="ascii") as policy:
            text = policy.read()
        self.strict = 'egress = "strict"' in text
        self.veto = 'mode = "veto"' in text

    # --- the tools of tests/net ---

    def net(self, *argv):
        verb, *rest = argv
        done = subprocess.run(
            [os.path.join(self.source, "tests/net/net"), verb,
             self.place.folder] + rest, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError("net %s: %s" % (verb, done.stdout))
        return done.stdout.strip()

    def pid(self, name):
        try:
            return int(self.net("pid", name))
        except RuntimeError:
            return None

    def daemon_start(self):
        self.net("spawn", "portcullisd", "gateway",
                 os.path.join(self.build, "portcullisd"), "--libexec-dir",
                 self.build, "-f", self.policy)

    def daemon_stop(self):
        self.net("stop", "portcullisd")

    def tor_start(self):
        self.net("tor-start", "--no-wait")

    def tor_stop(self):
        self.net("stop", "tor")

    def redirect(self):
        """In veto mode: the other firewall, which does the redirecting."""
        if self.veto and "leak_redirect" not in self.tables():
            self.nft(REDIRECT)

    # --- ours ---

    def cli(self, *argv):
        return subprocess.run(
            [os.path.join(self.build, "portcullis"), "--socket-dir",
             os.path.join(self.place.folder, "run")] + list(argv),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=60)

    def status(self):
        done = self.cli("status", "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {}

    def position(self):
        return self.status().get("firewall", {}).get("position")

    def child(self, name):
        """Our gate's, engine's or status' pid, by status."""
        return self.status()[name]["pid"]

    def printed(self, position):
        return subprocess.run(
            [os.path.join(self.build, "portcullisd"), "-n", "--print",
             position, "-f", self.policy], stdout=subprocess.PIPE,
            text=True, check=True).stdout

    def nft(self, text):
        return self.gw.must("nft", "-f", "-", input=text)

    def tables(self):
        return self.gw.must("nft", "list", "tables")

    def gate_open(self):
        """Whether the kernel holds a lease for clients, this instant."""
        for name in ("gate", "sync"):
            done = self.gw.run("nft", "-j", "list", "set", "inet",
                               "portcullis", name)
            if done.returncode == 0 and '"elem"' in done.stdout:
                return True
        return False

    def gate_closed(self):
        return not self.gate_open()

    def wait_open(self, seconds=60):
        return wait_for(seconds, self.gate_open)

    def remove_rules(self):
        self.gw.must(os.path.join(self.build, "portcullisd"),
                     "--remove-rules")

    # --- the worst kernel: it would forward for anybody ---

    def neighbours(self):
        """Nobody has to be asked for first: what leaks leaks at once."""
        place = self.place
        for side, iface, mac, addresses in (
                (self.gw, "eth0", place.mac_inet, (ROUTER4, ROUTER6)),
                (self.gw, "eth1", place.mac_ws, (WS4, WS6)),
                (place.workstation, "eth0", place.mac_int, (GW4, GW6)),
                (place.internet, "inet0", place.mac_ext, (EXT4, EXT6))):
            text = ":".join("%02x" % octet for octet in mac)
            for address in addresses:
                side.must("ip", "neigh", "replace", address, "lladdr", text,
                          "dev", iface, "nud", "permanent")

    def forward(self, on):
        value = "1" if on else "0"
        self.gw.sysctl("net.ipv4.ip_forward=" + value,
                       "net.ipv6.conf.all.forwarding=" + value)

    def worst_kernel(self):
        pairs = []
        for iface in ("all", "eth0", "eth1"):
            pairs += ["net.ipv4.conf.%s.%s" % (iface, knob) for knob in (
                "accept_local=1", "route_localnet=1", "rp_filter=0",
                "accept_source_route=1", "accept_redirects=1",
                "send_redirects=0")]
            pairs += ["net.ipv6.conf.%s.accept_source_route=1" % iface]
        self.gw.sysctl("net.ipv4.icmp_ratelimit=0",
                       "net.ipv4.icmp_echo_ignore_broadcasts=0", *pairs)
        self.forward(True)
        self.neighbours()

    def readdress(self):
        """IPv6 addresses and routes that a link lost by going down."""
        self.gw.run("ip", "-6", "addr", "replace", EXT6 + "/64", "dev",
                    "eth0", "nodad")
        self.gw.run("ip", "-6", "addr", "replace", GW6 + "/96", "dev",
                    "eth1", "nodad")
        self.gw.run("ip", "route", "replace", "default", "via", ROUTER4)
        self.gw.run("ip", "-6", "route", "replace", "default", "via",
                    ROUTER6)
        self.neighbours()

    def conntrack_flush(self):
        with where.conntrack_link(self.gw) as link:
            where.conntrack_flush(link)

    @staticmethod
    def kill(pid, sig=signal.SIGKILL):
        os.kill(pid, sig)

    def stopped(self, pid):
        return wait_for(2, lambda: proc_state(pid) in ("T", "t"))

    @staticmethod
    def gone(pid):
        return wait_for(3, lambda: proc_state(pid) in (None, "Z", "X"))
