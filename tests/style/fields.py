#!/usr/bin/env python3
"""Prints the path of every field that a JSON Schema names, sorted."""
import json
import sys


def walk(node, root, path, out):
    while "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        node = root["$defs"][name]
    if path:
        out.add(path)
    if "items" in node:
        walk(node["items"], root, path + "[]", out)
        out.discard(path + "[]")  # the array has been named
    for name, child in node.get("properties", {}).items():
        walk(child, root, f"{path}.{name}" if path else name, out)


with open(sys.argv[1], encoding="ascii") as file:
    schema = json.load(file)
fields = set()
walk(schema, schema, "", fields)
print(*sorted(fields), sep="\n")
