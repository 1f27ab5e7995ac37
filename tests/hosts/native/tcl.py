"""A real Tcl interpreter that reads Nuke's scripts, as Nuke does, and a writer that saves them as Nuke does.

What it cannot show: Nuke's own knobs, its rules for them, and whatever of the grammar is not Tcl's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

tkinter = pytest.importorskip("tkinter", reason="this Python was built without Tcl")


@dataclass
class Node:
    kind: str
    knobs: dict[str, str] = field(default_factory=dict)
    user: list[str] = field(default_factory=list)
    inputs: list[Node | None] = field(default_factory=list)
    inside: list[Node] | None = None

    def find(self, name: str) -> Node:
        return next(each for each in self.inside or () if each.knobs.get("name") == name)


class Tcl:
    """Evaluates a script: `proc unknown` makes the nodes, Tcl itself does the rest."""

    def __init__(self) -> None:
        self._tcl: Any = tkinter.Tcl()
        for name in ("unknown", "stack", "push", "end_group", "version"):
            self._tcl.createcommand(name, getattr(self, f"_{name}"))
        self._known: dict[str, Node | None] = {"0": None}
        self.root = Node("Root", inside=[])
        self._levels: list[tuple[Node, list[Node | None]]] = [(self.root, [])]

    def load(self, text: str) -> Node:
        assert self._tcl.call("info", "complete", text), "a brace, bracket or quote is left open"
        self._tcl.eval(text)
        assert len(self._levels) == 1, "a Group has no end_group"
        return self.root

    def _unknown(self, kind: str, body: str = "") -> str:
        words = self._tcl.splitlist(body)
        assert len(words) % 2 == 0, f"the body of {kind} is no list of knobs and values"
        node = Node(kind)
        for knob, value in zip(words[::2], words[1::2], strict=True):
            if knob == "addUserKnob":
                node.user.append(value)
            else:
                assert knob not in node.knobs, f"{knob} is set twice"
                node.knobs[knob] = value
        level, stack = self._levels[-1]
        count = sum(int(part) for part in node.knobs.pop("inputs", "1").split("+"))
        node.inputs = [stack.pop() if stack else None for _ in range(count)]
        assert level.inside is not None
        level.inside.append(node)
        stack.append(node)
        if kind == "Group":
            node.inside = []
            self._levels.append((node, []))
        return ""

    def _stack(self, index: str) -> str:
        node = self._levels[-1][1][-1 - int(index)]
        token = f"node{id(node)}"
        self._known[token] = node
        return token

    def _push(self, token: str) -> str:
        self._levels[-1][1].append(self._known[token])
        return ""

    def _end_group(self) -> str:
        self._levels.pop()
        return ""

    def _version(self, *_words: str) -> str:
        return ""

    def words(self, text: str) -> list[str]:
        return [str(word) for word in self._tcl.splitlist(text)]


def save(root: Node) -> str:
    """The script as Nuke might save it: numbers rounded to nine digits, what is at zero left out, braces for quotes."""
    lines = ["#! /usr/local/Nuke -nx", "version 14.0 v5", "Root {", " inputs 0", " first_frame 1001", "}"]
    _save(root, lines, 0)
    return "\n".join([*lines, "Viewer {", " name Viewer1", "}"]) + "\n"


def _save(level: Node, lines: list[str], depth: int) -> None:
    names: dict[int, str] = {}
    for node in level.inside or ():
        for source in reversed(node.inputs):
            lines.append(f"push ${names[id(source)]}" if source is not None else "push 0")
        margin = " " * depth
        lines.append(f"{margin}{node.kind} {{")
        lines.append(f"{margin} inputs {len(node.inputs)}")
        declared = {_knob(spec): spec for spec in node.user}
        for knob, value in node.knobs.items():
            if knob not in declared:
                lines.append(f"{margin} {knob} {_value(value)}")
        for knob, spec in declared.items():
            lines.append(f"{margin} addUserKnob {{{spec}}}")
            value = node.knobs.get(knob, "")
            if value not in _ZERO.get(spec.split()[0], ("",)):
                lines.append(f"{margin} {knob} {_value(value)}")
        lines.append(margin + "}")
        if node.inside is not None:
            _save(node, lines, depth + 1)
            lines.append(f"{margin}end_group")
        names[id(node)] = f"Nsaved{len(names):x}d{depth}"
        lines.append(f"set {names[id(node)]} [stack 0]")


_ZERO = {"7": ("0",), "3": ("0",), "6": ("false",)}
"""What Nuke does not write, by the type of the knob."""


def _knob(spec: str) -> str:
    return spec.split()[1]


def _value(value: str) -> str:
    if value.startswith("{curve"):
        words = value.strip("{}").split()
        return "{{" + " ".join(_rounded(word) for word in words) + "}}"
    try:
        float(value)
    except ValueError:
        return _text(value)
    return _rounded(value) if "." in value or "e" in value else value


def _rounded(word: str) -> str:
    """Nine digits, with the letter that a word of a curve may begin with."""
    head = word[0] if word[0] in "xstuv" else ""
    try:
        return f"{head}{float(word[len(head) :]):.9g}"
    except ValueError:
        return word


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    for sign in "[$]{}":
        escaped = escaped.replace(sign, "\\" + sign)
    return f'"{escaped}"'
