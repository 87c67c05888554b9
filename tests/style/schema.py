#!/usr/bin/env python3
"""Every line of status.sock in FILE... against SCHEMA: schema.py SCHEMA FILE...

Lines that differ in figures and times only are looked at once.  Prints what is
wrong with the first ten; none at all is wrong as well.
"""
import json
import re
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is not there")
    sys.exit(77)

MOST_SHOWN = 10
FIGURES = re.compile(rb"[1-9][0-9]*")


def lines_of(names):
    """(where, line), without those that are like one before."""
    seen = set()
    for name in names:
        with open(name, "rb") as lines:
            for number, line in enumerate(lines, 1):
                shape = FIGURES.sub(b"1", line)
                if shape not in seen:
                    seen.add(shape)
                    yield f"{name}:{number}", line


def faults_of(validator, line):
    try:
        value = json.loads(line)
    except ValueError as error:
        return [f"no JSON: {error}"]
    if not line.endswith(b"\n") or b"\n" in line[:-1]:
        return ["not one line"]
    return [f"{error.json_path}: {error.message[:200]}"
            for error in validator.iter_errors(value)]


def main():
    with open(sys.argv[1], encoding="ascii") as schema:
        schema = json.load(schema)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    looked = wrong = 0
    for where, line in lines_of(sys.argv[2:]):
        looked += 1
        faults = faults_of(validator, line)
        wrong += bool(faults)
        if faults and wrong <= MOST_SHOWN:
            print(where, *faults, sep="\n    ")
    print(f"{looked} kinds of lines, {wrong} not as in the schema")
    sys.exit(wrong != 0 or looked == 0)


if __name__ == "__main__":
    main()
