"""Nuke scripts read without Nuke: blocks with their knobs and what they are connected to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..bridge.catalogue import Shown
from ..bridge.errors import BridgeError
from ..bridge.native import damaged
from . import animation
from .nktext import Command, commands, words

RECORD_KNOB = "artifexpro"
GROUPS_KNOB = "artifexpro_groups"
CARRIER = "ArtifexPro_groups"
_GROUPS = ("Group", "Gizmo", "LiveGroup")
_NO_NODES = ("version", "add_layer", "define_window_layout_xml", "load", "cloneId")


@dataclass
class Block:
    """One node of a script. `inputs` are the nodes it takes from, in Nuke's order."""

    kind: str
    knobs: dict[str, str]
    inputs: list[Block | None] = field(default_factory=list)
    inside: list[Block] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.knobs.get("name", "")

    @property
    def is_ours(self) -> bool:
        return RECORD_KNOB in self.knobs

    def arrows(self) -> list[str]:
        """The names of the Input nodes inside, in the order of the arrows outside."""
        inputs = [inner for inner in self.inside if inner.kind == "Input"]
        return [inner.name for inner in sorted(inputs, key=lambda inner: int(inner.knobs.get("number", "0")))]

    def place(self) -> tuple[int, int]:
        return int(float(self.knobs.get("xpos", "0"))), int(float(self.knobs.get("ypos", "0")))

    def everything_inside(self) -> Iterator[Block]:
        waiting = list(self.inside)
        while waiting:
            block = waiting.pop()
            yield block
            waiting.extend(block.inside)


def blocks(text: str) -> list[Block]:
    """The nodes of a script, those inside Groups inside their Group. Raises `BridgeError`."""
    found = commands(text)
    level, at = _level(found, 0, nested=False)
    if at < len(found):
        raise _broken("an end_group stands where no Group was begun")
    return level


def _level(found: Sequence[Command], at: int, *, nested: bool) -> tuple[list[Block], int]:
    """Nodes up to the end of the Group, and where it goes on. Each level has a stack of its own."""
    level: list[Block] = []
    stack: list[Block | None] = []
    kept: dict[str, Block | None] = {}
    while at < len(found):
        command = found[at]
        if command[0] == "end_group":
            return level, at + 1 if nested else at
        at += 1
        if command[0] == "set" and len(command) == 3:
            kept[command[1]] = stack[-1] if stack else None
        elif command[0] == "push" and len(command) == 2:
            stack.append(kept.get(command[1][1:]) if command[1].startswith("$") else None)
        elif (body := _body(command)) is not None:
            block = _block(body[0], body[1], stack)
            if block.kind in _GROUPS:
                block.inside, at = _level(found, at, nested=True)
            if block.kind != "Root":
                stack.append(block)
            level.append(block)
    if nested:
        raise _broken("a Group has no end_group")
    return level, at


def _body(command: Command) -> tuple[str, str] | None:
    """Class and body of a command that makes a node."""
    if command[0] == "clone" and len(command) == 3:
        return "clone", command[2]
    return (command[0], command[1]) if len(command) == 2 and command[0] not in _NO_NODES else None


def _block(kind: str, body: str, stack: list[Block | None]) -> Block:
    knobs: dict[str, str] = {}
    for command in commands(body):
        if command[0] != "addUserKnob":
            knobs[command[0]] = command[1] if len(command) > 1 else ""
    count = sum(int(part) for part in knobs.get("inputs", "1").split("+") if part.isdigit())
    return Block(kind, knobs, [stack.pop() if stack else None for _ in range(count)])


def record(block: Block, knob: str) -> dict[str, Any]:
    """The hidden data of a node. Raises `BridgeError`."""
    try:
        told = json.loads(block.knobs[knob])
    except ValueError:
        raise damaged(block.name, "it is no JSON") from None
    if not isinstance(told, dict):
        raise damaged(block.name, "it is no table")
    return told


def number(text: str, knob: str, node: str, *, whole: bool) -> Shown:
    """A number or a curve of a knob. Raises `BridgeError` for an expression."""
    parts = words(text)
    plain = parts[0] if len(parts) == 1 else text
    try:
        value = float(plain)
    except ValueError:
        return animation.read(plain, knob, node)
    return int(value) if whole and value == int(value) else value


def _broken(because: str) -> BridgeError:
    return BridgeError("read the Nuke script", because, "the whole text as Nuke saved or copied it", code="usage")
