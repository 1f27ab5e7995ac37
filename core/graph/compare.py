"""What differs between two documents, and joining what two people did to one. Nodes are told apart by id alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from artifexpro.core.graph.definition import Group
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.operations import (
    AddNode,
    Connect,
    Disconnect,
    Operation,
    RemoveGroup,
    RemoveNode,
    SetGroup,
    SetParam,
    SetType,
    SetUi,
    UnsetParam,
    UnsetUi,
)
from artifexpro.core.graph.records import NodeRecord, Wire


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""In a conflict: nothing is there. None is a value that a parameter can have."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two people changed one thing differently; the merged document has it as `mine`, or as who kept a node that the
    other removed.

    `field` is "params.NAME", "inputs.SOCKET", "ui.NAME", "node" for a node as a whole and, with `node` empty,
    "groups.NAME@VERSION". The values are as in documents, `ABSENT` where there is none. A wire that one connected to a
    node that the other removed is a conflict of that input.
    """

    node: str
    field: str
    base: Any
    mine: Any
    theirs: Any

    def to_json(self) -> dict[str, Any]:
        values = {"base": self.base, "mine": self.mine, "theirs": self.theirs}
        told = {name: _raw(value) for name, value in values.items() if value is not ABSENT}
        return {"node": self.node, "field": self.field, **told}


def diff(one: Document, other: Document) -> list[Operation]:
    """The operations that make `other` out of `one`; none where they are equal but for the order of their nodes."""
    operations: list[Operation] = []
    for key, group in other.groups.items():
        if key not in one.groups or not same(one.groups[key], group):
            operations.append(SetGroup(group))
    operations.extend(RemoveNode(name) for name in one.nodes if name not in other.nodes)
    for name, record in other.nodes.items():
        if name not in one.nodes:
            operations.append(AddNode(name, record))
        elif one.nodes[name] is not record:
            operations.extend(_edits(name, one.nodes[name], record))
    operations.extend(RemoveGroup(key) for key in one.groups if key not in other.groups)
    return operations


def _edits(node: str, one: NodeRecord, other: NodeRecord) -> Iterator[Operation]:
    if (one.type, one.version) != (other.type, other.version):
        yield SetType(node, other.type, other.version)
    for name, value in _changed(one.params, other.params):
        yield UnsetParam(node, name) if value is ABSENT else SetParam(node, name, value)
    for name, wire in _changed(one.inputs, other.inputs):
        yield Disconnect(node, name) if wire is ABSENT else Connect(node, name, wire)
    for name, value in _changed(one.ui, other.ui):
        yield UnsetUi(node, name) if value is ABSENT else SetUi(node, name, value)


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in one:
        if name not in other:
            yield name, ABSENT
    for name, value in other.items():
        if name not in one or not same(one[name], value):
            yield name, value


def merge(base: Document, mine: Document, theirs: Document) -> tuple[Document, list[Conflict]]:
    """What became of `base` when `mine` and `theirs` were made of it apart, and where they contradict each other.

    A change that one of them made is made; equal ones are made once. What one changed and the other removed stays.
    """
    return _Merge(base, mine, theirs).run()


class _Merge:
    def __init__(self, base: Document, mine: Document, theirs: Document) -> None:
        self.base, self.mine, self.theirs = base, mine, theirs
        self.conflicts: list[Conflict] = []

    def run(self) -> tuple[Document, list[Conflict]]:
        nodes: dict[str, NodeRecord] = {}
        for name in {**self.mine.nodes, **self.theirs.nodes}:
            record = self._node(name, *(each.nodes.get(name, ABSENT) for each in (self.base, self.mine, self.theirs)))
            if isinstance(record, NodeRecord):
                nodes[name] = record
        told = {(conflict.node, conflict.field) for conflict in self.conflicts}
        for name, record in nodes.items():
            self._check_wires(name, record, nodes, told)
        return Document(nodes, self._groups(nodes)), self.conflicts

    def _node(self, name: str, base: Any, mine: Any, theirs: Any) -> Any:
        if (whole := _agreed(base, mine, theirs)) is not _UNCLEAR:
            return whole
        if mine is ABSENT or theirs is ABSENT or _clash(base, mine, theirs):
            self.conflicts.append(Conflict(name, "node", base, mine, theirs))
            return theirs if mine is ABSENT else mine
        old = NodeRecord(mine.type, mine.version) if base is ABSENT else base
        kind = _agreed((old.type, old.version), (mine.type, mine.version), (theirs.type, theirs.version))
        tables = [
            self._table(name, field, getattr(old, field), getattr(mine, field), getattr(theirs, field))
            for field in ("params", "inputs", "ui")
        ]
        return NodeRecord(*kind, *tables)

    def _table(
        self, node: str, field: str, base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]
    ) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for name in {**mine, **theirs}:
            values = tuple(table.get(name, ABSENT) for table in (base, mine, theirs))
            value = _agreed(*values)
            if value is _UNCLEAR:
                self.conflicts.append(Conflict(node, f"{field}.{name}", *values))
                value = values[2] if values[1] is ABSENT else values[1]
            if value is not ABSENT:
                merged[name] = value
        return merged

    def _check_wires(
        self, name: str, record: NodeRecord, nodes: Mapping[str, NodeRecord], told: Set[tuple[str, str]]
    ) -> None:
        """A wire that leads nowhere now, though whoever had it had its source too, is a conflict."""
        for socket, wire in record.inputs.items():
            field = f"inputs.{socket}"
            if wire.node in nodes or told & {(name, field), (name, "node")}:
                continue
            ends = [_end(side, name, socket) for side in (self.base, self.mine, self.theirs)]
            having = [side for side, end in zip((self.mine, self.theirs), ends[1:], strict=True) if end == wire]
            if all(wire.node in side.nodes for side in having):
                self.conflicts.append(Conflict(name, field, *ends))

    def _groups(self, nodes: Mapping[str, NodeRecord]) -> dict[str, Group]:
        groups: dict[str, Group] = {}
        for key in {**self.mine.groups, **self.theirs.groups}:
            values = tuple(each.groups.get(key, ABSENT) for each in (self.base, self.mine, self.theirs))
            value = _agreed(*values)
            if value is _UNCLEAR:
                self.conflicts.append(Conflict("", f"groups.{key}", *values))
                value = values[2] if values[1] is ABSENT else values[1]
            if isinstance(value, Group):
                groups[key] = value
        return {**groups, **self._still_used(nodes, groups)}

    def _still_used(self, nodes: Mapping[str, NodeRecord], groups: Mapping[str, Group]) -> dict[str, Group]:
        """Groups that one removed, having no use for them any more, and the other goes on using."""
        used = _uses(nodes, groups)
        kept: dict[str, Group] = {}
        for remover, keeper in ((self.mine, self.theirs), (self.theirs, self.mine)):
            gone = keeper.groups.keys() - remover.groups.keys() - groups.keys()
            needless = gone - _uses(remover.nodes, remover.groups) if gone else gone
            kept.update({key: keeper.groups[key] for key in sorted(needless & used)})
        return kept


_UNCLEAR: Final = object()


def _agreed(base: Any, mine: Any, theirs: Any) -> Any:
    if same(mine, theirs) or same(base, theirs):
        return mine
    return theirs if same(base, mine) else _UNCLEAR


def _clash(base: Any, mine: NodeRecord, theirs: NodeRecord) -> bool:
    """Whether the two cannot be joined field by field: one made it another kind of node, the other changed it too."""
    if (mine.type, mine.version) == (theirs.type, theirs.version):
        return False
    return base is ABSENT or not any(same(_core(base), _core(side)) for side in (mine, theirs))


def _core(record: NodeRecord) -> tuple[Any, ...]:
    return record.type, record.version, record.params, record.inputs


def _end(document: Document, node: str, socket: str) -> Any:
    record = document.nodes.get(node)
    return ABSENT if record is None else record.inputs.get(socket, ABSENT)


def _uses(nodes: Mapping[str, NodeRecord], groups: Mapping[str, Group]) -> set[str]:
    tables = [nodes, *(group.nodes for group in groups.values())]
    return {key for table in tables for record in table.values() if (key := record.group) is not None}


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal kind: unlike `==` it tells 1 from 1.0 and from True, as documents do."""
    if one is other:
        return True
    if is_dataclass(one) and type(one) is type(other):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is not type(other) or one != other:
        return False
    return not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other)


def _raw(value: Any) -> Any:
    if isinstance(value, (NodeRecord, Group)):
        return value.to_json()
    return list(value) if isinstance(value, Wire) else value
