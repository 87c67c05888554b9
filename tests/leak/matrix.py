"""The leak matrix: matrix.py [--full] [--only STATE]... FOLDER OUT

Goes through the states of states.py on the private network in FOLDER, and
sends every packet class of classes.py in each.  Writes OUT.txt and OUT.json;
prints "ok: ..." or "FAILED: ..." for each sentence, and a count.
"""
import argparse
import contextlib
import fnmatch
import os
import pwd
import sys
import threading
import time

import classes
import states
from lab import Lab, wait_for
from oracle import Capture, Judge
from place import LISTENERS, Place
from report import Matrix
from sources import Flow, Frames, Ledger, Worker

COPIES = 2       # of each probe in each sweep
SWEEPS = 3       # in each state of a full run
SETTLE = 0.4     # seconds until whatever leaks has been seen
CHANGE = 0.2     # of sending before and after a change
BLAST_GAP = 0.004
FLOW_TRIES = 6
HOLE_MIN = 40    # classes that the self-test's hole lets out, at least
USER = 1000

# What is sent all the while a state changes.
BLAST = ("tcp4 syn", "tcp6 syn", "tcp4 ack", "udp4 443", "udp6 53",
         "icmp4 echo", "icmp6 echo", "proto4 47", "frag4 complete",
         "ext6 hop-by-hop", "spoof4 the external address, udp",
         "tcp4 ack to a relay as the gateway", "udp4 dns to a resolver",
         "in4 syn to the workstation", "in6 udp to the workstation")


class Run:
    def __init__(self, place, lab, full):
        tor = pwd.getpwnam(os.environ["NET_TOR_USER"]).pw_uid
        lab.tor_uid = tor
        self.users = {"root": 0, "user": USER, "tor": tor,
                      "gate": int(os.environ["IT_GATE_UID"]),
                      "engine": int(os.environ["IT_ENGINE_UID"]),
                      "status": int(os.environ["IT_STATUS_UID"]),
                      "nobody": pwd.getpwnam("nobody").pw_uid}
        self.place, self.lab, self.full = place, lab, full
        self.passed = self.failed = 0
        self.classes = classes.every_class(place, self.users, "tor")
        self.by_name = {c.name: c for c in self.classes}
        self.ledger, self.matrix = Ledger(), Matrix(self.classes)
        # Before there is a thread: a fork copies only this one.
        self.workers = {"uid " + name: Worker(place.gateway, uid)
                        for name, uid in self.users.items()}
        self.workers["client"] = Worker(place.workstation, 0)
        self.decoy = Worker(place.gateway, self.users["nobody"])
        self.frames = Frames(place)
        self.judge = Judge(place, self.ledger, self.classes)
        self.capture = Capture(place)
        self.capture.start()
        self.dropped, self.flows = 0, []
        self.modes = {s.name: s.mode for s in states.every_state()}

    def end(self):
        for worker in list(self.workers.values()) + [self.decoy]:
            worker.end()
        self.capture.stop()

    def check(self, what, fact):
        if fact:
            self.passed += 1
        else:
            self.failed += 1
        print("%s: %s" % ("ok" if fact else "FAILED", what), flush=True)
        return fact

    # --- sending ---

    def wanted(self, cls, state):
        if cls.needs == "decoy":
            return state.decoys
        if cls.needs == "flow":
            return False  # pushed on its own
        return cls.needs != "strict" or self.lab.strict

    def sweep(self, state, phase="steady"):
        orders = {}
        for cls in self.classes:
            if not self.wanted(cls, state):
                continue
            for _ in range(COPIES):
                probe = self.ledger.probe(cls.name, state.name, phase)
                made = cls.make(probe)
                if cls.source in self.frames.socks:
                    self.frames.send(cls.source, made)
                    self.matrix.sent(cls.name, state.name)
                else:
                    orders.setdefault(cls.source, []).append((cls, made))
        for source, pairs in orders.items():
            errors = self.workers[source].ask("do", [m for _, m in pairs])
            for (cls, _), error in zip(pairs, errors):
                self.matrix.sent(cls.name, state.name, [error])
        for flow in self.flows:
            name = "held flow: " + flow.name
            probe = self.ledger.probe(name, state.name, phase)
            error = None if flow.name == "trans4 down" else flow.push(probe)
            self.matrix.sent(name, state.name, [error])
        time.sleep(SETTLE)
        for source in orders:
            self.workers[source].ask("finish")

    @contextlib.contextmanager
    def blast(self, state):
        """A little of all, fast, until the block ends."""
        over = threading.Event()
        some = [self.by_name[name] for name in BLAST]

        def loop():
            while not over.is_set():
                for cls in some:
                    probe = self.ledger.probe(cls.name, state.name, "change")
                    self.frames.send(cls.source, cls.make(probe))
                    self.matrix.sent(cls.name, state.name)
                time.sleep(BLAST_GAP)
        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        try:
            time.sleep(CHANGE)
            yield
            time.sleep(CHANGE)
        finally:
            over.set()
            thread.join()

    @contextlib.contextmanager
    def disturbed(self, state):
        """The state's disturbance, again and again."""
        over, rounds = threading.Event(), [0]

        def loop():
            while not over.is_set():
                with contextlib.suppress(RuntimeError, OSError):
                    state.during(self.lab)
                    rounds[0] += 1
        thread = threading.Thread(target=loop, daemon=True)
        if state.during:
            thread.start()
        try:
            yield rounds
        finally:
            over.set()
            if state.during:
                thread.join()

    # --- flows ---

    def flows_open(self, state):
        """Held connections, each seen to carry a token through Tor."""
        self.flows = []
        for i, name in enumerate(classes.FLOWS):
            # A circuit that broke in the state before costs an attempt.
            for _ in range(FLOW_TRIES):
                port = classes.FLOW_PORT + i
                flow = self.flow_begin(name, port)
                if flow and self.flow_carries(flow, state, port):
                    self.flows.append(flow)
                    break
                if flow:
                    flow.abort()
            else:
                raise states.Unproven("flow %s carries nothing" % name)

    def flow_carries(self, flow, state, port):
        name = "held flow: " + flow.name
        if flow.name == "trans4 down":
            self.ledger.down_port = port
            if not wait_for(4, flow.alive):
                return False
            self.matrix.control(name, "inside")
            return True
        for _ in range(8):
            probe = self.ledger.probe(name, state.name, "before")
            flow.push(probe)
            if wait_for(0.5, lambda: self.went_through(probe)):
                self.matrix.control(name, "through")
                return True
        return False

    def flow_begin(self, name, port):
        for _ in range(10):
            try:
                return Flow(self.place, name, port)
            except OSError:
                time.sleep(0.3)
        return None

    def went_through(self, probe):
        with self.capture.lock:
            sights = [s for s in self.capture.sights if s.where == "through"]
        return any(self.ledger.find_token(s.data) == probe.number
                   for s in sights)

    def flows_abort(self):
        for flow in self.flows:
            flow.abort()
        self.flows = []
        self.ledger.down_port = None

    # --- judging ---

    def judge_state(self, state, steady):
        """All that was seen since the last call.  STEADY: from, until."""
        self.dropped += self.capture.dropped()
        sights = self.capture.take()
        for port, data in self.decoy.ask("collect"):
            self.judge_decoy(state, port, data)
        for sight in sights:
            number = self.judge.probe_of(sight)
            why = self.judge.why(sight, number)
            name, sent_in, phase = self.ledger.sent[number][:3] \
                if number is not None else (None, None, None)
            if number is not None and sent_in != state.name and \
                    self.ledger.find_token(sight.data) is None:
                name = None  # a port alone is nobody's for ever
            if name is not None:
                self.matrix.seen(name, sent_in, sight.where)
            if why == "a held flow's answer":
                if state.mode == "open" or not steady or not \
                        steady[0] <= sight.when <= steady[1]:
                    continue
                name, sent_in = "held flow: trans4 down", state.name
            # Tor may be late with what it was given while it was open.
            late = sight.where == "through" and \
                self.modes.get(sent_in) == "open"
            if why and not late and not self.excused(state, sight, phase):
                self.wrong(state, name, sent_in, sight, number, why)

    @staticmethod
    def excused(state, sight, phase):
        """What an open gate, or one that has yet to close, may show."""
        if sight.where == "through":
            return state.mode == "open" or phase in ("before", "change")
        if sight.where == "stack":
            return (state.mode == "open" or phase == "change") and \
                Judge.to_listener(sight)
        return False

    def judge_decoy(self, state, port, data):
        number = self.ledger.find_token(data)
        if number is None:
            number = self.ledger.by_port.get(port)
        if number is None:
            self.stray(state, "decoy", "a stranger at the decoy", data)
            return
        name, sent_in = self.ledger.sent[number][:2]
        self.matrix.seen(name, sent_in, "decoy")
        self.matrix.leak(name, sent_in, "decoy", "reached the decoy", number)

    def wrong(self, state, name, sent_in, sight, number, why):
        if (name, sent_in) in self.matrix.cells:
            self.matrix.leak(name, sent_in, sight.where, why, number)
        else:
            self.stray(state, sight.where, why, sight.data)

    def stray(self, state, where, why, data):
        self.matrix.strays.append({
            "state": state.name, "where": where, "why": why,
            "octets": data[:96].hex()})

    # --- one state ---

    def ready(self, state):
        lab = self.lab
        if state.needs == "nothing":
            return
        lab.redirect()
        if lab.pid("portcullisd") is None:
            lab.daemon_start()
        if lab.pid("tor") is None:
            lab.net("stop", "tor")
            lab.tor_start()
        if not lab.wait_open(90):
            raise states.Unproven("does not open: %s" %
                                  lab.status().get("reason"))

    def enter(self, state):
        """Into the state, under a blast; its proof."""
        if state.bare:
            state.enter(self.lab)
        with self.blast(state):
            if not state.bare:
                state.enter(self.lab)
            proof = state.proof(self.lab)
        if state.decoys:
            failed = self.decoy.ask("bind")
            states.need(not failed, "decoys are bound: %s" % failed)
            proof += ", decoys bound"
        return proof

    def look(self, state):
        """The state from its beginning to its end; its proof."""
        self.ready(state)
        if state.needs == "open":
            self.flows_open(state)
        proof = self.enter(state)
        begin = time.time()
        with self.disturbed(state) as rounds:
            if state.during:
                with self.blast(state):
                    self.sweep(state)
                    self.sweep(state)
            else:
                for _ in range(SWEEPS if self.full else 1):
                    self.sweep(state)
        end = time.time()
        if state.during:
            states.need(rounds[0] > 0, "disturbed")
            proof += ", %d times" % rounds[0]
        if state.mode == "closed":
            states.need(self.lab.gate_closed(), "still closed")
        self.judge_state(state, (begin, end))
        return proof

    def state_run(self, state):
        begin, strays = time.time(), len(self.matrix.strays)
        self.judge.clear.ext4.update(state.outer)
        self.judge.own.update(state.inner)
        proven = True
        try:
            proof = self.look(state)
        except (states.Unproven, RuntimeError, OSError, KeyError) as error:
            proven, proof = False, "NOT PROVEN: %s" % error
        self.flows_abort()
        if state.decoys:
            self.judge_state(state, None)
            self.decoy.ask("release")
        with contextlib.suppress(RuntimeError, OSError, AttributeError):
            state.leave(self.lab)
        time.sleep(CHANGE)
        self.judge_state(state, None)
        self.matrix.states.append({
            "name": state.name, "mode": state.mode, "proof": proof,
            "proven": proven, "begin": begin, "end": time.time()})
        self.report_state(state, proof, proven, strays)

    def report_state(self, state, proof, proven, strays):
        count = self.matrix.count
        self.check("%s: %s" % (state.name, proof), proven)
        leaks = count(state.name, "LEAK")
        blind = count(state.name, "no control")
        self.check("%s: %d classes ok, %d leaked, %d without control" % (
            state.name, count(state.name, "ok"), leaks, blind),
            leaks == 0 and blind == 0 and count(state.name, "ok") > 0)
        new = self.matrix.strays[strays:]
        self.check("%s: nothing else was seen" % state.name, not new)
        for stray in new[:5]:
            print("   %(where)s: %(why)s" % stray)

    # --- controls ---

    def barrier_off(self, name):
        """Every class with no rules: what each capture sees of it."""
        state = states.State(name, "off", "nothing", decoys=True)
        self.capture.take()
        failed = self.decoy.ask("bind")
        states.need(not failed, "decoys are bound: %s" % failed)
        self.sweep(state)
        self.sweep(state)
        got = self.decoy.ask("collect")
        self.decoy.ask("release")
        return state, self.capture.take(), got

    def controls(self):
        state, sights, got = self.barrier_off("barrier off")
        for sight in sights:
            number = self.judge.probe_of(sight)
            if number is not None and self.judge.why(sight, number):
                self.matrix.control(self.ledger.sent[number][0], sight.where)
        for port, data in got:
            number = self.ledger.find_token(data)
            if number is None:
                number = self.ledger.by_port.get(port)
            if number is not None:
                self.matrix.control(self.ledger.sent[number][0], "decoy")
        blind = [c.name for c in self.classes if self.wanted(c, state) and
                 not c.unseen and c.name not in self.matrix.controls]
        self.check("with the barrier off every class is seen", not blind)
        for name in blind:
            print("   not seen: " + name)
        odd = [c.name for c in self.classes if c.unseen and
               c.name in self.matrix.controls]
        for name in odd:
            print("   seen after all: " + name)
        self.forget(state)

    def the_end(self):
        """Our programs and Tor end: nothing of that is to be seen either."""
        state = states.State("after the end", "closed", "nothing")
        self.judge_state(state, None)
        strays = len(self.matrix.strays)
        self.lab.daemon_stop()
        self.lab.tor_stop()
        self.sweep(state)
        self.judge_state(state, None)
        self.check("after the end: no class leaks, nothing else is seen",
                   self.matrix.count(state.name, "LEAK") == 0 and
                   self.matrix.count(state.name, "ok") > 0 and
                   len(self.matrix.strays) == strays)
        self.forget(state)

    def limits(self):
        """What is known to pass was seen to, or the list is out of date."""
        for klass, where, _ in states.LIMITS:
            cells = [c for c in self.matrix.cells if
                     fnmatch.fnmatch(c[0], klass) and
                     fnmatch.fnmatch(c[1], where)]
            if cells:
                self.check("known to pass, and it does: %s / %s" % (
                    klass, where), any(
                        self.matrix.cells[c]["wrong"] for c in cells))

    # --- that the matrix can fail ---

    def expect_leaks(self, state, what, minimum):
        """STATE was a bad one: WHAT(class, seen wrong at) must tell."""
        found = [name for name in self.by_name
                 if what(name, self.matrix.wrong_at(name, state.name))]
        self.check("self-test: %s shows in %d classes" % (
            state.name, len(found)), len(found) >= minimum)
        good = self.matrix.count(state.name, "ok")
        self.check("self-test: %s: %d classes hold" % (state.name, good),
                   good > 0)
        self.forget(state)

    def forget(self, state):
        for cls in self.classes:
            self.matrix.cells.pop((cls.name, state.name), None)
        self.matrix.strays = [s for s in self.matrix.strays if
                              s["state"] != state.name]

    def test_open(self):
        """An open gate judged as a closed one: clients are seen to pass."""
        state = states.State("open for closed", "closed", "open")
        try:
            self.ready(state)
            self.flows_open(state)
        except (states.Unproven, RuntimeError) as error:
            self.check("self-test: %s" % error, False)
            return
        begin = time.time()
        self.sweep(state)
        self.judge_state(state, (begin, time.time()))
        self.flows_abort()
        self.expect_leaks(state, lambda name, at: name.startswith(
            "held flow") and at & {"through", "inside"}, len(classes.FLOWS))

    def test_forward(self):
        state = states.State("a hole in forward", "closed", "nothing")
        self.lab.nft(holed(self.lab.printed("closed"), "forward", "pre"))
        self.sweep(state)
        self.judge_state(state, None)
        self.expect_leaks(state, lambda _, at: "clear" in at, HOLE_MIN)

    def test_input(self):
        state = states.State("a hole in input", "closed", "nothing",
                             decoys=True)
        self.lab.nft(holed(self.lab.printed("closed"), "input", "pre",
                           "output"))
        states.need(not self.decoy.ask("bind"), "decoys are bound")
        self.sweep(state)
        self.judge_state(state, None)
        self.decoy.ask("release")
        self.expect_leaks(state, lambda _, at: "decoy" in at,
                          len(LISTENERS))


def holed(text, *chains):
    """TEXT with these chains empty, and with accept as their policy."""
    out, inside = [], False
    for line in text.splitlines():
        word = line.split()
        if word[:1] == ["chain"]:
            inside = word[1] in chains
        elif word == ["}"]:
            inside = False
        elif inside and word and word[0] == "type":
            line = line.replace("policy drop", "policy accept")
        elif inside and word:
            continue
        out.append(line)
    return "\n".join(out) + "\n"


def go(run, only):
    lab = run.lab
    lab.worst_kernel()
    run.controls()
    for state in states.every_state():
        if only and state.name not in only:
            continue
        if only or run.full or state.quick:
            run.state_run(state)
    if not only:
        run.limits()
    run.test_open()
    run.the_end()
    lab.remove_rules()
    time.sleep(CHANGE)
    run.capture.take()
    for test in (run.test_forward, run.test_input):
        test()
        lab.remove_rules()
    run.capture.take()
    run.dropped += run.capture.dropped()
    run.check("no capture lost a frame (%d seen)" % sum(
        run.capture.seen.values()), run.dropped == 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("folder")
    parser.add_argument("out")
    args = parser.parse_args()
    begin = time.time()
    place = Place(args.folder)
    lab = Lab(place, os.environ["top_builddir"], os.environ["top_srcdir"])
    run = Run(place, lab, args.full)
    try:
        go(run, args.only)
    finally:
        run.end()
        run.matrix.dump(args.out + ".json", {
            "run": run.ledger.run.hex(), "begin": begin, "end": time.time(),
            "frames": run.capture.seen, "dropped": run.dropped})
        with open(args.out + ".txt", "w", encoding="utf-8") as out:
            out.write(run.matrix.table())
    for line in run.matrix.leaks():
        print("   LEAK: " + line)
    print("%d probes, %d cells, %d s; table and JSON in %s.*" % (
        len(run.ledger.sent), len(run.matrix.cells), time.time() - begin,
        args.out))
    print("%d passed, %d failed" % (run.passed, run.failed))
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
