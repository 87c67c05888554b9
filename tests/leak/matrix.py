"""The leak matrix: matrix.py [--full] [--only STATE]... FOLDER OUT

Goes through the states of states.py on the private network in FOLDER, and
sends every packet class of classes.py in each.  Writes OUT.txt and OUT.json;
prints "ok: ..." or "FAILED: ..." for each sentence, and a count.
"""
import argparse
import contextlib
import os
import pwd
import sys
import threading
import time

import classes
import states
from lab import Lab, wait_for
from oracle import Capture, Judge
from place import Place
from report import Matrix
from sources import FLOW_PORT, Flow, Frames, Ledger, Worker

COPIES = 2       # of each probe in each sweep
SETTLE = 0.4     # seconds until whatever leaks has been seen
CHANGE = 0.2     # of sending before and after a change
BLAST_GAP = 0.004
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
        self.state = None  # the one that is being looked at

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
        return cls.needs != "strict"

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
            full = "held flow: " + name
            flow = self.flow_begin(name, FLOW_PORT + i)
            if flow is None:
                raise states.Unproven("no flow " + name)
            self.flows.append(flow)
            if name == "trans4 down":
                self.ledger.down_port = FLOW_PORT + i
                if not wait_for(10, flow.alive):
                    raise states.Unproven("nothing comes down")
                self.matrix.control(full, "inside")
                continue
            for _ in range(20):
                probe = self.ledger.probe(full, state.name, "before")
                flow.push(probe)
                if wait_for(0.5, lambda p=probe: self.went_through(p)):
                    self.matrix.control(full, "through")
                    break
            else:
                raise states.Unproven("flow %s carries nothing" % name)

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
            if number is not None:
                self.matrix.seen(name, sent_in, sight.where)
            if why == "a held flow's answer":
                if state.mode == "open" or not steady or not \
                        steady[0] <= sight.when <= steady[1]:
                    continue
                name, sent_in = "held flow: trans4 down", state.name
            if why and not self.excused(state, sight, phase):
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
        if name is not None and (name, sent_in) in self.matrix.cells:
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
        if lab.pid("portcullisd") is None:
            lab.daemon_start()
        if state.needs == "open":
            if lab.pid("tor") is None:
                lab.net("stop", "tor")
                lab.tor_start()
            if not lab.wait_open(90):
                raise states.Unproven("does not open: %s" %
                                      lab.status().get("reason"))

    def enter(self, state):
        """Into the state, under a blast; its proof."""
        if state.needs == "nothing":
            state.enter(self.lab)  # before it there is no barrier at all
        with self.blast(state):
            if state.needs != "nothing":
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
        self.judge.clear.ext4.update(state.addresses)
        self.state, proven = state, True
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
        for cls in self.classes:  # the control is no cell of the matrix
            self.matrix.cells.pop((cls.name, state.name), None)

    def self_test(self):
        """A hole in the boot ruleset: the matrix must show it."""
        state = states.State("self-test: a hole", "closed", "nothing")
        text = self.lab.printed("closed")
        holed = []
        for line in text.splitlines():
            if "hook forward" in line:
                line = line.replace("policy drop", "policy accept")
            holed.append(line)
        text = drop_rules(drop_rules("\n".join(holed), "forward"), "pre")
        self.lab.nft(text)
        self.sweep(state)
        self.judge_state(state, None)
        count = self.matrix.count(state.name, "LEAK")
        self.check("self-test: a hole shows as leaks (%d classes)" % count,
                   count >= HOLE_MIN)
        good = self.matrix.count(state.name, "ok")
        self.check("self-test: and other rules still hold (%d)" % good,
                   good > 0)
        for cls in self.classes:
            self.matrix.cells.pop((cls.name, state.name), None)
        self.matrix.strays = [s for s in self.matrix.strays if
                              s["state"] != state.name]


def drop_rules(text, chain):
    """TEXT without the rules of one chain; the chain itself stays."""
    out, inside = [], False
    for line in text.splitlines():
        word = line.split()
        if word[:2] == ["chain", chain]:
            inside = True
        elif word == ["}"]:
            inside = False
        elif inside and word and word[0] != "type":
            continue
        out.append(line)
    return "\n".join(out) + "\n"


def tear_down(lab):
    lab.daemon_stop()
    lab.tor_stop()
    lab.remove_rules()


def go(run, only):
    lab = run.lab
    lab.worst_kernel()
    run.controls()
    for state in states.every_state():
        if only and state.name not in only:
            continue
        if only or run.full or state.quick:
            run.state_run(state)
    tear_down(lab)
    time.sleep(CHANGE)
    run.capture.take()
    run.self_test()
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
