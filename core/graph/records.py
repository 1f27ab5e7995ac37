"""Nodes and wires as they are saved: what documents and groups are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any, NamedTuple, TypeGuard

from artifexpro.core.graph.jsontext import DEEPEST, Odd, check, quoted

MOST_NODES = 1_000_000
"""Nodes of one graph, those inside its groups counted as often as they are used."""
GROUP_TYPE = "group:"
"""What the type of a node that is a group begins with; the group's name follows."""
PATH = "/"
"""Stands between the id of a group's node and that of a node inside it, where plans and errors name the latter."""
_FIELDS = frozenset({"type", "version", "params", "inputs", "ui"})


class Wire(NamedTuple):
    """Where an input comes from: a node's id and the name of one of its outputs."""

    node: str
    output: str = "out"


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """One node as it is saved. `ui` (position, colour, label) belongs to the editors and never changes a result."""

    type: str
    version: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Wire] = field(default_factory=dict)
    ui: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> str | None:
        """The key of the group that this node is, "Name@version", or None for a node that is no group."""
        return f"{self.type[len(GROUP_TYPE) :]}@{self.version}" if self.type.startswith(GROUP_TYPE) else None

    def to_json(self) -> dict[str, Any]:
        raw: dict[str, Any] = {"type": self.type, "version": self.version}
        if self.params:
            raw["params"] = dict(self.params)
        if self.inputs:
            raw["inputs"] = {socket: list(wire) for socket, wire in self.inputs.items()}
        if self.ui:
            raw["ui"] = dict(self.ui)
        return raw


def read_nodes(raw: Any, *, paths: bool) -> dict[str, NodeRecord]:
    """Nodes by id from parsed JSON; ids may have a "/" in them where there are no `paths`. Raises `Odd`."""
    if not isinstance(raw, dict):
        raise Odd("its nodes are not a table by id")
    if len(raw) > MOST_NODES:
        raise Odd(f"it has {len(raw):,} nodes and {MOST_NODES:,} is the most")
    nodes = {intern(name): read_node(name, record) for name, record in raw.items()}
    if paths:
        for name in nodes:
            if PATH in name:
                raise Odd(f'the id "{quoted(name)}" has a "{PATH}" in it, which stands for what is inside a group')
    return nodes


def read_node(name: str, raw: Any) -> NodeRecord:
    """One node from parsed JSON. Raises `Odd`."""
    try:
        check(name)
        check(raw, DEEPEST - 2, finite=False)
    except Odd as odd:
        raise Odd(f'{odd} (in node "{quoted(name)}")') from None
    if not name or not isinstance(raw, dict):
        raise Odd(f'node "{quoted(name)}" is not a table' if name else "a node has an empty id")
    if not raw.keys() <= _FIELDS:
        raise Odd(f'node "{quoted(name)}" has the unknown field "{quoted(min(raw.keys() - _FIELDS))}"')
    kind, version = raw.get("type"), raw.get("version", 1)
    if not isinstance(kind, str) or not kind:
        raise Odd(f'node "{quoted(name)}" has no type')
    if not is_version(version):
        raise Odd(f'the version of node "{quoted(name)}" is not a whole number from 1')
    inputs = {}
    for socket, end in _table(name, raw, "inputs").items():
        if (wire := read_wire(end)) is None:
            raise Odd(f'the wire into "{quoted(socket)}" of node "{quoted(name)}" is not ["node", "output"]')
        inputs[socket] = wire
    return NodeRecord(kind, version, _table(name, raw, "params"), inputs, _table(name, raw, "ui"))


def _table(name: str, raw: dict[str, Any], title: str) -> dict[str, Any]:
    table = raw.get(title)
    if isinstance(table, dict):
        return table
    if title in raw:
        raise Odd(f'"{title}" of node "{quoted(name)}" is not a table by name')
    return {}


def read_wire(raw: Any) -> Wire | None:
    """A wire from parsed JSON, or None where it is none."""
    if not isinstance(raw, list) or not 1 <= len(raw) <= 2:
        return None
    node, output = raw[0], raw[-1] if len(raw) == 2 else "out"
    if not isinstance(node, str) or not isinstance(output, str) or not node or not output:
        return None
    return Wire(intern(node), intern(output))


def is_version(value: Any) -> TypeGuard[int]:
    """Whether `value` is a whole number from 1, as versions of formats, nodes and groups are."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
