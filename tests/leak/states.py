"""The states and faults, as data: how each is brought about and proven.

mode "closed": nothing of a client may pass.  "open": clients pass through
Tor's listeners, and through them alone.  In both nothing else is on the clear
side: not before, while, and after the state is entered.
"""
import dataclasses
import fnmatch
import os
import signal
import typing

from lab import proc_state, wait_for
from place import EXT4, GW4

OTHER_EXT4 = "10.0.2.16"
OTHER_GW4 = "10.152.152.77"
TABLES = (("inet", "portcullis_boot"), ("inet", "portcullis_guard"),
          ("inet", "portcullis"), ("netdev", "portcullis_egress"))

# Somebody's table that lets everything pass, and hides who sent it.
INTRUDER = """
table inet leak_intruder {
	chain pre { type filter hook prerouting priority -500; accept; }
	chain forward { type filter hook forward priority -500; accept; }
	chain late { type filter hook forward priority 500; accept; }
	chain input { type filter hook input priority 500; accept; }
	chain output { type filter hook output priority 500; accept; }
	chain hide {
		type nat hook postrouting priority 100;
		oifname "eth0" masquerade
	}
}
"""
FOREIGN_MARK = """
table inet leak_marker {
	chain pre {
		type filter hook prerouting priority -360
		meta mark set 0x60000000
	}
	chain out {
		type route hook output priority -360
		meta mark set 0x60000000
	}
}
"""


# What is known to pass, and why: it must, or the line here is out of date.
LIMITS = (
    ("*: packet socket*", "boot ruleset",
     "an inet table sees no packet sockets, and at boot there is no "
     "interface yet to hang a netdev chain on"),
    ("arp for the external address", "boot ruleset",
     "the gate sets arp_ignore; before there is one, portcullis.sysctl does"),
    ("in arp for the internal address", "boot ruleset",
     "the gate sets arp_ignore; before there is one, portcullis.sysctl does"),
)


def limit(name, state):
    """Why this cell is known to leak, or None."""
    for klass, where, reason in LIMITS:
        if fnmatch.fnmatch(name, klass) and fnmatch.fnmatch(state, where):
            return reason
    return None


class Unproven(Exception):
    """The state is not what its name says."""


def need(fact, what):
    if not fact:
        raise Unproven("not so: " + what)
    return what


def both(first, second):
    def act(lab):
        first(lab)
        second(lab)
    return act


@dataclasses.dataclass
class State:
    name: str
    mode: str
    needs: str  # "nothing", or "open": all runs, and the gate is open
    enter: typing.Callable = lambda lab: None
    proof: typing.Callable = lambda lab: "open"
    leave: typing.Callable = lambda lab: None
    during: typing.Optional[typing.Callable] = None  # again and again
    bare: bool = False  # before it is entered there is no barrier at all
    decoys: bool = False
    quick: bool = False
    outer: tuple = ()  # more addresses that Tor may send from
    inner: tuple = ()  # more addresses towards the workstation


# --- without Tor -----------------------------------------------------------

def boot_enter(lab):
    lab.nft(lab.printed("closed"))


def boot_proof(lab):
    need(lab.pid("portcullisd") is None, "no daemon")
    need("inet portcullis\n" not in lab.tables() + "\n", "no gate table")
    return need("inet portcullis_boot" in lab.tables(), "boot ruleset alone")


def closed_proof(lab):
    need(wait_for(15, lambda: lab.position() is not None), "status answers")
    need(wait_for(10, lambda: "inet portcullis\n" in lab.tables() + "\n"),
         "the gate's table")
    need(lab.pid("tor") is None, "no Tor")
    return need(lab.gate_closed(), "no lease in the kernel")


def tor_only_enter(lab):
    lab.cli("hold")


def held_proof(lab):
    need(wait_for(5, lab.gate_closed), "no lease in the kernel")
    return need(lab.pid("tor") is not None, "held, Tor runs")


def tor_only_proof(lab):
    held_proof(lab)
    need(wait_for(3, lambda: lab.position() == "tor-only"),
         "position tor-only, not %s" % lab.position())
    return "position tor-only"


def release(lab):
    lab.cli("release")


# --- open ------------------------------------------------------------------

def open_proof(lab):
    return need(lab.gate_open(), "a lease in the kernel")


def close_and_open(lab):
    lab.cli("hold")
    need(wait_for(5, lab.gate_closed), "closed before it opens")
    lab.cli("release")
    need(lab.wait_open(20), "opens")


def tor_kill(lab):
    lab.tor_pid = lab.pid("tor")
    lab.kill(lab.tor_pid)
    need(lab.gone(lab.tor_pid), "Tor is gone")


def tor_killed_proof(lab):
    need(lab.pid("tor") is None, "Tor is dead")
    return need(wait_for(5, lab.gate_closed), "Tor dead, no lease")


def tor_again(lab):
    lab.net("stop", "tor")
    lab.tor_start()


def tor_stop(lab):
    lab.tor_pid = lab.pid("tor")
    lab.kill(lab.tor_pid, signal.SIGSTOP)


def tor_stopped_proof(lab):
    need(lab.stopped(lab.tor_pid), "Tor in state T")
    return need(wait_for(10, lab.gate_closed), "Tor stopped, no lease")


def tor_continue(lab):
    lab.kill(lab.tor_pid, signal.SIGCONT)


def tor_hup(lab):
    lab.kill(lab.pid("tor"), signal.SIGHUP)


def tor_hup_proof(lab):
    def told():
        with open(os.path.join(lab.place.folder, "log/tor"),
                  encoding="utf-8", errors="replace") as log:
            return "Received reload signal" in log.read()
    return need(wait_for(10, told), "Tor reloaded")


# --- our programs ----------------------------------------------------------

def keeper_stop(lab):
    """Nobody is started again while there is something to look at."""
    lab.keeper = lab.pid("portcullisd")
    lab.kill(lab.keeper, signal.SIGSTOP)
    need(lab.stopped(lab.keeper), "the keeper is stopped")


def keeper_continue(lab):
    lab.kill(lab.keeper, signal.SIGCONT)


def program(name, sig):
    """State of one of our programs after SIG, with nobody to restart it."""
    def enter(lab):
        lab.victim = lab.child(name)
        keeper_stop(lab)
        lab.kill(lab.victim, sig)

    def proof(lab):
        if sig == signal.SIGKILL:
            need(lab.gone(lab.victim), "the %s is dead" % name)
        else:
            need(lab.stopped(lab.victim), "the %s in state T" % name)
        if name == "status":
            return "the %s is out of order" % name
        return need(wait_for(5, lab.gate_closed),
                    "the %s is out of order, no lease" % name)

    def leave(lab):
        if sig == signal.SIGSTOP:
            lab.kill(lab.victim, signal.SIGCONT)
        keeper_continue(lab)
    word = "killed" if sig == signal.SIGKILL else "stopped"
    return State("%s %s" % (name, word),
                 "open" if name == "status" else "closed", "open", enter,
                 proof, leave, quick=(name == "gate" and
                                      sig == signal.SIGKILL))


def keeper_stopped_proof(lab):
    return need(proc_state(lab.keeper) == "T", "the keeper in state T")


def keeper_kill(lab):
    lab.victim = lab.pid("portcullisd")
    lab.kill(lab.victim)


def keeper_killed_proof(lab):
    need(lab.gone(lab.victim), "the keeper is dead")
    return need(wait_for(5, lab.gate_closed), "no keeper, no lease")


def daemon_again(lab):
    lab.daemon_stop()
    lab.daemon_start()


def restart_enter(lab):
    lab.old = lab.pid("portcullisd")
    daemon_again(lab)


def restart_proof(lab):
    need(lab.pid("portcullisd") not in (None, lab.old), "another keeper")
    return need(lab.wait_open(30), "restarted and open")


def second(lab):
    lab.old = lab.pid("portcullisd")
    lab.second = lab.gw.run(os.path.join(lab.build, "portcullisd"),
                            "--libexec-dir", lab.build, "-f", lab.policy,
                            timeout=30)


def second_proof(lab):
    need(lab.pid("portcullisd") == lab.old, "the first one lives")
    return need(lab.second.returncode == 1, "a second one ended with 1")


def stop_proof(lab):
    need(lab.pid("portcullisd") is None, "no daemon")
    need("portcullis_boot" in lab.tables() or
         "portcullis_guard" in lab.tables(), "rules left behind")
    return need(lab.gate_closed(), "ended, no lease")


# --- others at the same firewall -------------------------------------------

def sentinel(lab):
    lab.nft("table inet leak_sentinel {}")


def flush(lab):
    sentinel(lab)
    lab.gw.run("nft", "flush", "ruleset")
    lab.rounds = getattr(lab, "rounds", 0) + 1


def flush_proof(lab):
    sentinel(lab)
    # It says EPERM for what is owned, and then nothing has been flushed.
    done = lab.gw.run("nft", "flush", "ruleset")
    gone = "leak_sentinel" not in lab.tables()
    if not gone:
        lab.nft("delete table inet leak_sentinel")
    return "flushed %s" % ("all others" if gone else
                           "nothing: " + done.stdout.strip()[:60])


def delete_tables(lab):
    for family, name in TABLES:
        lab.gw.run("nft", "delete", "table", family, name)


def deleted_proof(lab):
    done = lab.gw.run("nft", "delete", "table", "inet", "portcullis")
    return "delete: %s" % (done.stdout.strip().split("\n")[0][:60] or "done")


def intrude(lab):
    lab.nft(INTRUDER + FOREIGN_MARK)


def intruded_proof(lab):
    return need("leak_intruder" in lab.tables() and
                "leak_marker" in lab.tables(), "foreign accept rules")


def intruder_go(lab):
    lab.nft("delete table inet leak_intruder\n"
            "delete table inet leak_marker\n")


def shape(lab, verb):
    return lab.gw.run("bash", os.path.join(
        lab.source, "tests/it/whonix_shape.nft.sh"), verb,
        env=dict(
            os.environ, EXT_IF="eth0", INT_IF="eth1",
            SHAPE_UID_TOR=str(lab.tor_uid)))


def shape_load(lab):
    shape(lab, "load")


def shape_proof(lab):
    lab.shape = lab.tables()
    done = shape(lab, "load")
    return need(done.returncode == 0, "their ruleset reloads: %s" %
                done.stdout.strip()[:80])


def shape_lockdown(lab):
    done = shape(lab, "lockdown")
    lab.lockdown = done.returncode
    need(done.returncode == 0, "their lock-down: " + done.stdout[:200])


def lockdown_proof(lab):
    return need(lab.lockdown == 0, "their lock-down ran")


def shape_delete(lab):
    shape(lab, "delete")


# --- the kernel around us --------------------------------------------------

def forward_off_on(lab):
    lab.forward(False)
    lab.forward(True)


def forward_proof(lab):
    values = [lab.gw.must("cat", "/proc/sys/net/" + knob).strip() for knob in
              ("ipv4/ip_forward", "ipv6/conf/all/forwarding")]
    return need(values == ["1", "1"], "forwarding on, both families")


def no_forward_proof(lab):
    value = lab.gw.must("cat", "/proc/sys/net/ipv4/ip_forward").strip()
    return need(value == "0", "forwarding off")


def conntrack_proof(lab):
    lab.conntrack_flush()
    return "conntrack flushed"


def link(iface, how):
    def act(lab):
        lab.gw.must("ip", "link", "set", iface, how)
        if how == "up":
            wait_for(5, lambda: link_is(lab, iface, "up"))
            lab.readdress()
    return act


def link_is(lab, iface, what):
    return lab.gw.must("cat", "/sys/class/net/%s/operstate" % iface) \
        .strip() == what


def link_down_proof(iface):
    return lambda lab: need(link_is(lab, iface, "down"), iface + " is down")


def link_up_down_up(iface):
    def act(lab):
        link(iface, "down")(lab)
        link(iface, "up")(lab)
    return act


def link_up_proof(iface):
    return lambda lab: need(link_is(lab, iface, "up"),
                            iface + " is up again")


def address_change(iface, old, new, size):
    def enter(lab):
        lab.gw.must("ip", "addr", "add", "%s/%d" % (new, size), "dev", iface)
        lab.gw.must("ip", "addr", "del", "%s/%d" % (old, size), "dev", iface)
        # The kernel deletes what was secondary with its primary address.
        lab.gw.must("ip", "addr", "replace", "%s/%d" % (new, size), "dev",
                    iface)
        lab.readdress()

    def proof(lab):
        text = lab.gw.must("ip", "addr", "show", "dev", iface)
        return need(new in text and old + "/" not in text,
                    "%s has %s" % (iface, new))

    def leave(lab):
        lab.gw.must("ip", "addr", "replace", "%s/%d" % (old, size), "dev",
                    iface)
        lab.gw.must("ip", "addr", "del", "%s/%d" % (new, size), "dev", iface)
        lab.gw.must("ip", "addr", "replace", "%s/%d" % (old, size), "dev",
                    iface)
        lab.readdress()
    return enter, proof, leave


def programs():
    return [program(name, sig) for name in ("gate", "engine", "status")
            for sig in (signal.SIGKILL, signal.SIGSTOP)]


def every_state():
    """In the order in which they are gone through."""
    moved_int = address_change("eth1", GW4, OTHER_GW4, 18)
    moved_ext = address_change("eth0", EXT4, OTHER_EXT4, 24)
    states = [
        State("boot ruleset", "closed", "nothing", boot_enter, boot_proof,
              bare=True, decoys=True, quick=True),
        # The gate takes over from the boot ruleset, under fire.
        State("closed", "closed", "nothing", lambda lab: lab.daemon_start(),
              closed_proof, decoys=True, quick=True),
        State("open", "open", "open", proof=open_proof, quick=True),
        State("opening", "open", "open", close_and_open, open_proof),
        State("closing", "closed", "open", tor_only_enter, held_proof,
              release, quick=True),
        State("tor-only", "closed", "open", tor_only_enter, tor_only_proof,
              release),
        State("Tor killed", "closed", "open", tor_kill, tor_killed_proof,
              tor_again, decoys=True, quick=True),
        State("Tor stopped", "closed", "open", tor_stop, tor_stopped_proof,
              tor_continue),
        State("Tor reloads", "open", "open", tor_hup, tor_hup_proof),
    ]
    states += programs()
    states += [
        State("keeper stopped", "open", "open", keeper_stop,
              keeper_stopped_proof, keeper_continue),
        State("keeper killed", "closed", "open", keeper_kill,
              keeper_killed_proof, daemon_again),
        State("restart", "open", "open", restart_enter, restart_proof),
        State("second instance", "open", "open", second, second_proof),
        State("ended", "closed", "open", lambda lab: lab.daemon_stop(),
              stop_proof, daemon_again),
        State("foreign flush", "open", "open", proof=flush_proof,
              during=flush, quick=True),
        State("foreign delete", "open", "open", proof=deleted_proof,
              during=delete_tables),
        State("foreign accept", "open", "open", intrude, intruded_proof,
              intruder_go),
        State("foreign accept, closed", "closed", "open",
              both(tor_only_enter, intrude),
              lambda lab: held_proof(lab) + ", " + intruded_proof(lab),
              both(release, intruder_go)),
        State("whonix reload", "open", "open", proof=shape_proof,
              during=shape_load, leave=shape_delete),
        State("whonix lock-down", "open", "open", shape_lockdown,
              lockdown_proof, shape_delete),
        State("conntrack flush", "open", "open", proof=conntrack_proof,
              during=lambda lab: lab.conntrack_flush()),
        State("conntrack flush, closed", "closed", "open", tor_only_enter,
              lambda lab: held_proof(lab) + ", " + conntrack_proof(lab),
              release, during=lambda lab: lab.conntrack_flush()),
        State("forwarding off", "open", "open",
              lambda lab: lab.forward(False), no_forward_proof,
              lambda lab: lab.forward(True)),
        State("forwarding off and on", "open", "open", proof=forward_proof,
              during=forward_off_on),
        State("internal down", "open", "open", link("eth1", "down"),
              link_down_proof("eth1"), link("eth1", "up")),
        State("internal down and up", "open", "open",
              link_up_down_up("eth1"), link_up_proof("eth1")),
        State("external down", "open", "open", link("eth0", "down"),
              link_down_proof("eth0"), link("eth0", "up")),
        State("external down and up", "open", "open",
              link_up_down_up("eth0"), link_up_proof("eth0")),
        State("internal address", "open", "open", *moved_int,
              inner=(OTHER_GW4,)),
        State("external address", "open", "open", *moved_ext,
              outer=(OTHER_EXT4,)),
    ]
    return states
