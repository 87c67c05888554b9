"""The matrix for people (rows classes, columns states) and for machines."""
import json

from states import LIMITS, limit

SIGN = {"ok": ".", "LEAK": "L", "no control": "?", "none": " ",
        "cannot be seen": "-", "known": "k"}
NAME_WIDTH = 46


class Matrix:
    """Cells by class and state, with what was seen of each."""

    def __init__(self, classes):
        self.classes = {c.name: c for c in classes}
        self.states, self.cells, self.controls = [], {}, {}
        self.strays = []  # violations that nobody's probe explains

    def sent(self, name, state, errors=()):
        cell = self.cells.setdefault((name, state), {
            "sent": 0, "refused": {}, "seen": {}, "wrong": {}, "tokens": []})
        cell["sent"] += 1
        for error in errors:
            if error:
                cell["refused"][error] = cell["refused"].get(error, 0) + 1

    def seen(self, name, state, where):
        cell = self.cells.get((name, state))
        if cell is not None:
            cell["seen"][where] = cell["seen"].get(where, 0) + 1

    def leak(self, name, state, where, why, number):
        cell = self.cells[(name, state)]
        cell["wrong"][where] = cell["wrong"].get(where, 0) + 1
        if len(cell["tokens"]) < 8:
            cell["tokens"].append({"probe": number, "why": why})

    def control(self, name, where):
        seen = self.controls.setdefault(name, {})
        seen[where] = seen.get(where, 0) + 1

    def verdict(self, name, state):
        cell = self.cells.get((name, state))
        if cell is None or cell["sent"] == 0:
            return "none"
        if cell["wrong"]:
            return "known" if limit(name, state) else "LEAK"
        if name in self.controls:
            return "ok"
        return "cannot be seen" if self.classes[name].unseen else \
            "no control"

    def wrong_at(self, name, state):
        """Where a class was seen that should not have been."""
        cell = self.cells.get((name, state))
        return set(cell["wrong"]) if cell else set()

    def count(self, state, verdict):
        return sum(self.verdict(name, state) == verdict
                   for name in self.classes)

    # --- for people ---

    def table(self):
        lines = ["columns:"]
        for i, state in enumerate(self.states, 1):
            lines.append("  %2d %-24s %s" % (i, state["name"],
                                             state["proof"]))
        lines += ["signs: . ok, L leak, ? no control, k known to "
                  "pass, - the kernel itself never lets it be seen",
                  "%-*s %s" % (NAME_WIDTH, "", "".join(
                      "%3d" % i for i in range(1, len(self.states) + 1)))]
        lines += ["%-*s %s" % (NAME_WIDTH, "the state is proven", "".join(
            "  " + ("y" if s["proven"] else "N") for s in self.states))]
        for name in self.classes:
            row = "".join("  " + SIGN[self.verdict(name, s["name"])]
                          for s in self.states)
            if row.strip():
                lines.append("%-*s %s" % (NAME_WIDTH, name[:NAME_WIDTH],
                                          row))
        for name, cls in self.classes.items():
            if cls.unseen and name not in self.controls:
                lines.append("- %s: %s" % (name, cls.unseen))
        for klass, state, reason in LIMITS:
            lines.append("k %s / %s: %s" % (klass, state, reason))
        return "\n".join(lines) + "\n"

    def leaks(self):
        """One line for each cell that leaked."""
        for (name, state), cell in self.cells.items():
            if self.verdict(name, state) == "LEAK":
                yield "%s / %s: %s; %s" % (name, state, ", ".join(
                    "%s (%d)" % pair for pair in cell["wrong"].items()),
                    cell["tokens"][0]["why"] if cell["tokens"] else "")

    # --- for machines ---

    def dump(self, path, more):
        rows = []
        for (name, state), cell in self.cells.items():
            rows.append(dict(cell, state=state,
                             verdict=self.verdict(name, state),
                             **{"class": name}))
        classes = [{"name": c.name, "source": c.source,
                    "control": self.controls.get(c.name, {}),
                    "unseen": c.unseen} for c in self.classes.values()]
        with open(path, "w", encoding="utf-8") as out:
            json.dump(dict(more, v=1, classes=classes, states=self.states,
                           cells=rows, strays=self.strays), out, indent=1)
