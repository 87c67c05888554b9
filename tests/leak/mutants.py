"""Every generated rule spoilt in turn: does any packet tell?

    mutants.py BUILD OUT [--seed N --seconds N]

BUILD has tests/leak/mutate; OUT.txt gets the table for people, OUT.json the
one for machines.  Without a seed every mutant has its turn, else of one of the
policies as many as the seconds allow; the seed decides which, and the order.

mutant_equivalent.txt has those that no packet can tell from the rules, each
with its reason.  An entry that is for no mutant, or for one that something
tells, is a failure too.
"""
import argparse
import collections
import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time

from mutant_city import City
from mutant_list import suite
from mutant_probes import Run, Servers
from mutant_run import Bench, POLICIES

FEWEST = 10     # of a lane, however slow the machine is
HERE = os.path.dirname(os.path.abspath(__file__))


class Mutant:
    def __init__(self, policy, words, text):
        self.policy, self.text = policy, text
        self.table, self.chain, self.number, self.what = words
        self.rule = self.spoilt = self.change = ""
        self.verdict, self.why = None, ""

    def key(self):
        return self.policy, self.table, self.chain, self.rule, self.change

    def name(self):
        return "%s: %s %s %s: %s" % (self.policy, self.table, self.chain,
                                     self.number, self.change)

    def __str__(self):
        return self.name() + "\n    " + self.rule


def rules_of(text):
    """Chain -> its rules, as printed."""
    chains, chain = {}, None
    for line in text.splitlines():
        begin = re.match(r"\tchain (\S+) \{", line)
        if begin:
            chain = chains.setdefault(begin.group(1), [])
        elif line == "\t}":
            chain = None
        elif chain is not None and line.startswith("\t\t") and \
                not line.startswith("\t\ttype "):
            chain.append(line.strip())
    return chains


def elsewhere(build):
    """(table, rule) of what policies other than "names" have."""
    found = set()
    for policy in set(POLICIES) - {"names"}:
        for name, text in records(build, policy)[0].items():
            found |= {(name, rule) for chain in rules_of(text).values()
                      for rule in chain}
    return found


def records(build, policy):
    """The tables as they are, by name, and the mutants of POLICY."""
    done = subprocess.run(
        [os.path.join(build, "tests/leak/mutate"),
         os.path.join(HERE, "mutant_%s.conf" % policy)],
        stdout=subprocess.PIPE, check=True)
    tables, mutants, at = {}, [], 0
    while at < len(done.stdout):
        end = done.stdout.index(b"\n", at)
        *words, size = done.stdout[at:end].decode().split("\t")
        at = end + 1 + int(size)
        text = done.stdout[end + 1:at].decode()
        if words[1:] == ["-", "-", "-"]:
            tables[words[0]] = text
        else:
            mutants.append(Mutant(policy, words, text))
    rules = {name: rules_of(text) for name, text in tables.items()}
    if policy == "names":
        others = elsewhere(build)
        mutants = [m for m in mutants if m.number != "-" and (
            m.table, rules[m.table][m.chain][int(m.number) - 1])
            not in others]
    for m in mutants:
        m.change = m.what
        if m.number != "-":
            i = int(m.number) - 1
            m.rule = rules[m.table][m.chain][i]
            m.spoilt = rules_of(m.text)[m.chain][i]
            m.change = change(m)
    return tables, mutants


def change(m):
    """What was done, in words: "away", "policy accept", "without X", "with
    X", or "X is now Y"."""
    if m.what in ("rule away", "policy accept"):
        return m.what.replace("rule ", "")
    old, new = m.rule.split(), m.spoilt.split()
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    if not old:
        return "with " + " ".join(new)
    if not new:
        return "without " + " ".join(old)
    return " ".join(old) + " is now " + " ".join(new)


def excuses():
    """(policy, table, chain, rule, change) of every mutant that no packet can
    tell from the rules -> why."""
    why, found, head = "", {}, None
    with open(os.path.join(HERE, "mutant_equivalent.txt"),
              encoding="ascii") as text:
        for line in text:
            words = re.match(r"(\S+) (\S+) (\S+): (.*)", line)
            if line.startswith("why: "):
                why = line[5:].strip()
            elif line.startswith("     "):
                why += " " + line.strip()
            elif line.startswith("\t") and head is not None:
                for policy in head[0].split(","):
                    found[(policy, head[1], head[2], line.strip(),
                           head[3].strip())] = why
                head = None
            elif words:
                head = words.groups()
                if head[3] == "policy accept":
                    for policy in head[0].split(","):
                        found[(policy, *head[1:3], "", head[3])] = why
            elif line.strip() and line[0] != "#":
                raise ValueError("mutant_equivalent.txt: " + line)
    return found


def judge(bench, m, told):
    """Sets the mutant's verdict: caught, same or survived.  TOLD counts in
    which position a table's or a chain's mutants were caught: the next one
    most likely is there too."""
    bench.restore()
    error = bench.spoil(m.table, m.text)
    if error is not None:
        m.verdict, m.why = "caught", "nft: " + error.splitlines()[0]
        return
    # nft does not show a chain's policy.
    if m.number != "-" and bench.same_code(m.table, m.text):
        m.verdict, m.why = "same", "nft makes the same code of it"
        return
    for position in sorted(bench.of_table(m.table), key=lambda p: (
            -told[m.table, m.chain, p], -told[m.table, p])):
        difference = bench.difference(position)
        if difference:
            m.verdict = "caught"
            m.why = "%s: %s" % (position, difference)
            told[m.table, m.chain, position] += 1
            told[m.table, position] += 1
            return
    m.verdict, m.why = "survived", ""


def work(args, city, lane):
    """This lane's share: what was judged, and what went wrong."""
    servers, listed = Servers(city), excuses()
    rng = random.Random(args.seed)
    judged, problems = [], []
    told = collections.Counter()
    end = time.monotonic() + args.seconds if args.seconds else None
    policies = [args.policy] if args.policy else sorted(POLICIES)
    if args.seed is not None:
        policies = [rng.choice(policies)]
    for policy in policies:
        tables, mutants = records(args.build, policy)
        if args.only:
            mutants = [m for m in mutants if re.search(args.only, str(m))]
        probes = suite(policy)
        bench = Bench(city, lambda p=probes: Run(city, servers, p), policy,
                      tables)
        problems += bench.baseline()
        if args.seed is not None:
            rng.shuffle(mutants)  # the same in every lane
        for m in mutants[lane::args.lanes]:
            if end is not None and len(judged) >= FEWEST and \
                    time.monotonic() > end:
                break
            judge(bench, m, told)
            judged.append(m)
            if args.verbose or \
                    m.verdict == "survived" and m.key() not in listed:
                print("%s %s\n    %s" % (m.verdict, m, m.why), flush=True)
        bench.restore()
        problems += bench.again()
    return judged, problems


def excuse(judged, everything):
    """Survivors that are equivalent are listed as such; what is wrong with
    the list.  EVERYTHING has the keys of all mutants, judged or not."""
    listed = excuses()
    problems = ["%s: this excuse is for no mutant" % (key,)
                for key in sorted(set(listed) - everything)]
    survived = {m.key() for m in judged if m.verdict == "survived"}
    for m in judged:
        why = listed.get(m.key())
        # A chain may have the same rule twice.
        if why is not None and m.verdict != "survived" and \
                m.key() not in survived:
            problems.append("an excuse that is not needed (%s): %s" % (
                m.why, m))
        elif why is not None and m.verdict == "survived":
            m.verdict, m.why = "listed", why
    return problems


def stop(*_):
    sys.exit(1)


def drive(args, lane):
    signal.signal(signal.SIGTERM, stop)     # the namespaces have to go
    city = City(lane)
    try:
        city.build()
        return work(args, city, lane)
    finally:
        city.destroy()


def table_of(judged):
    rows = collections.defaultdict(collections.Counter)
    for m in judged:
        rows[m.policy, m.table, m.chain][m.verdict] += 1
    sums = collections.Counter(m.verdict for m in judged)
    begin = "%d mutants: %d caught, %d of the same code, %d equivalent, " \
        "%d survived\n\n" % (len(judged), sums["caught"], sums["same"],
                             sums["listed"], sums["survived"])
    form = "%-6s %-18s %-12s %7s %7s %10s %9s\n"
    text = form % ("policy", "table", "chain", "caught", "same",
                   "equivalent", "survived")
    for key in sorted(rows):
        row = rows[key]
        text += form % (*key, row["caught"], row["same"], row["listed"],
                        row["survived"])
    return begin + text


def write(args, judged, problems):
    os.makedirs(os.path.dirname(args.out) or ".", exist_ok=True)
    with open(args.out + ".txt", "w", encoding="ascii") as out:
        out.write(table_of(judged))
        for m in judged:
            if m.verdict in ("survived", "listed"):
                out.write("\n%s: %s\n    %s\n" % (m.verdict, m, m.why))
        out.writelines("\nproblem: %s\n" % p for p in problems)
    with open(args.out + ".json", "w", encoding="ascii") as out:
        json.dump({"seed": args.seed, "problems": problems, "mutants": [
            {key: getattr(m, key) for key in (
                "policy", "table", "chain", "number", "change", "rule",
                "verdict", "why")} for m in judged]}, out,
            indent=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--lanes", type=int, default=os.cpu_count())
    parser.add_argument("--policy")
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, stop)
    with multiprocessing.get_context("fork").Pool(args.lanes) as pool:
        done = pool.starmap(drive, [(args, i) for i in range(args.lanes)])
    judged = [m for part, _ in done for m in part]
    problems = [p for _, part in done for p in part]
    problems += excuse(judged, {m.key() for policy in POLICIES
                                for m in records(args.build, policy)[1]})
    write(args, judged, problems)
    sys.stdout.write(table_of(judged))
    failed = [m for m in judged if m.verdict == "survived"]
    for m in failed:
        print("FAILED: nothing tells: %s" % m)
    for problem in problems:
        print("FAILED: %s" % problem)
    print("# %d mutants in %d s" % (len(judged), time.monotonic() - begun))
    bad = len(failed) + len(problems) + (not judged)
    print("%d passed, %d failed" % (len(judged) - len(failed), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
