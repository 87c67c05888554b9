"""Are the README's figures measured?  figures.py README RESULTS

Looks at the table "What happens when each part dies": each number with a unit
must be one of RESULTS, which has microseconds, to as many digits as are given.
"""
import re
import sys

UNITS = {"us": 1, "ms": 1000}
# What is promised by the design and not measured: said so in words.
PROMISED = re.compile(r"with the next poll, 250 ms at most|two leases \(2 s\)")


def numbers(text):
    found = re.findall(r"[0-9][0-9,]*(?:\.[0-9]+)?", text)
    return {float(number.replace(",", "")) for number in found}


def same(quoted, unit, measured):
    digits = len(quoted.partition(".")[2])
    step = 10 ** -digits * UNITS[unit]
    value = float(quoted) * UNITS[unit]
    # As rounded or as cut off, since "at most" is never more than it was.
    return any(abs(number - value) < step for number in measured)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        readme = file.read()
    with open(sys.argv[2], encoding="utf-8") as file:
        measured = numbers(file.read())
    begin = readme.index("## What happens when each part dies")
    part = readme[begin:readme.index("\n## ", begin)]
    wrong = count = 0
    for line in part.splitlines():
        line, unit = PROMISED.sub("", line), None
        # "p99 9.43" has the unit of the number before it.
        for quoted, said in re.findall(
                r"(?:(?<=p99 )|(?<![\w.]))([0-9]+(?:\.[0-9]+)?)"
                r"(?: (us|ms)\b|(?=\)|;| \|))", line):
            unit = said or unit
            if unit is None:
                continue
            count += 1
            if not same(quoted, unit, measured):
                print(f"README: {quoted} {unit} is not in RESULTS.md: {line}")
                wrong += 1
    if count < 10:
        sys.exit("README: no figures found")
    sys.exit(1 if wrong else 0)


main()
