"""Every generated rule spoilt in turn: does any packet tell?

    mutants.py BUILD OUT [--seed N --seconds N]

BUILD has tests/leak/mutate; OUT.txt gets the table for people, OUT.json the
one for machines.  Without a seed every mutant has its turn, else as many as
the seconds allow, in an order that the seed decides.
"""
import argparse
import collections
import json
import os
import random
import re
import subprocess
import sys
import time

from mutant_city import City
from mutant_list import suite
from mutant_equivalent import EQUIVALENT
from mutant_probes import Run, Servers
from mutant_run import Bench, POLICIES

HERE = os.path.dirname(os.path.abspath(__file__))


class Mutant:
    def __init__(self, policy, words, text):
        self.policy, self.text = policy, text
        self.table, self.chain, self.number, self.what = words
        self.rule = self.spoilt = self.change = ""
        self.verdict, self.why = None, ""

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
    for m in mutants:
        m.change = m.what
        if m.number != "-":
            i = int(m.number) - 1
            m.rule = rules[m.table][m.chain][i]
            m.spoilt = rules_of(m.text)[m.chain][i]
            m.change = change(m)
    return tables, mutants


def change(m):
    """What was done, in words: "away", "policy accept", "without X", or
    "X is now Y"."""
    if m.what in ("rule away", "policy accept"):
        return m.what.replace("rule ", "")
    old, new = m.rule.split(), m.spoilt.split()
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    if not new:
        return "without " + " ".join(old)
    return " ".join(old) + " is now " + " ".join(new)


def equivalent(m):
    for policy, table, chain, rule, what, why in EQUIVALENT:
        if re.fullmatch(policy, m.policy) and \
                re.fullmatch(table, m.table) and \
                re.fullmatch(chain, m.chain) and \
                re.search(rule, m.rule) and re.search(what, m.change):
            return why
    return None


def idle(text, m):
    """Sets that this policy has nothing for."""
    for name, body in re.findall(r"\tset (\S+) \{(.*?)\n\t\}", text, re.S):
        if "flags constant" in body and "elements" not in body and \
                re.search(r"@%s\b" % name, m.rule):
            return "with this policy set %s is empty" % name
    return None


def judge(bench, m):
    """Sets the mutant's verdict: caught, same, listed or survived."""
    bench.restore()
    error = bench.spoil(m.table, m.text)
    if error is not None:
        m.verdict, m.why = "caught", "nft: " + error.splitlines()[0]
        return
    for position in bench.of_table(m.table):
        difference = bench.difference(position)
        if difference:
            m.verdict = "caught"
            m.why = "%s: %s" % (position, difference)
            return
    if bench.same_code(m.table, m.text):
        m.verdict, m.why = "same", "nft makes the same code of it"
        return
    why = idle(bench.tables[m.table], m) or equivalent(m)
    m.verdict, m.why = ("listed", why) if why else ("survived", "")


def work(args, city):
    probes, servers = suite(), Servers(city)
    rng = random.Random(args.seed)
    judged, problems = [], []
    end = time.monotonic() + args.seconds if args.seconds else None
    policies = [p for p in POLICIES if not args.policy or p == args.policy]
    for turn, policy in enumerate(policies):
        tables, mutants = records(args.build, policy)
        if args.only:
            mutants = [m for m in mutants if re.search(args.only, m.name())]
        bench = Bench(city, lambda: Run(city, servers, probes), policy,
                      tables)
        problems += bench.baseline()
        share = None
        if end is not None:
            rng.shuffle(mutants)
            now = time.monotonic()
            share = now + (end - now) / (len(policies) - turn)
        for m in mutants:
            if share is not None and time.monotonic() > share:
                break
            judge(bench, m)
            judged.append(m)
            if m.verdict == "survived" or args.verbose:
                print("%s %s\n    %s" % (m.verdict, m, m.why), flush=True)
        bench.restore()
        problems += bench.again()
    return judged, problems


def table_of(judged):
    rows = collections.defaultdict(collections.Counter)
    for m in judged:
        rows[m.policy, m.table, m.chain][m.verdict] += 1
    form = "%-6s %-18s %-12s %7s %7s %9s %9s\n"
    text = form % ("policy", "table", "chain", "caught", "same",
                   "listed", "survived")
    for key in sorted(rows):
        row = rows[key]
        text += form % (*key, row["caught"], row["same"], row["listed"],
                        row["survived"])
    return text


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
    parser.add_argument("--policy")
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    city = City()
    begun = time.monotonic()
    try:
        city.build()
        judged, problems = work(args, city)
    finally:
        city.destroy()
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
