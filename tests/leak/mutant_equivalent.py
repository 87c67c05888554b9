"""Mutants that nothing can tell from the rules, each with its reason.

Table(s), chain (whole, a regular expression), what the rule and the change
must have in them (regular expressions), why.
"""
EQUIVALENT = [
]
