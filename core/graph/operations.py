"""Changes of a document as small, named operations: what an edit is, what `diff` finds, what editors send one another.

Each says all that it changes and nothing else, so that it can be stored, told and played back on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from artifexpro.core.graph.definition import Group, read_group
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import DocumentError, NodeError
from artifexpro.core.graph.jsontext import Odd, check, quoted
from artifexpro.core.graph.records import NodeRecord, Wire, is_version, read_node, read_wire


class _Open:
    """A node while it is edited."""

    def __init__(self, record: NodeRecord) -> None:
        self.type, self.version = record.type, record.version
        self.params, self.inputs, self.ui = dict(record.params), dict(record.inputs), dict(record.ui)

    def closed(self) -> NodeRecord:
        return NodeRecord(self.type, self.version, self.params, self.inputs, self.ui)


class Draft:
    """A document while operations are played."""

    def __init__(self, document: Document) -> None:
        self.nodes = dict(document.nodes)
        self.groups = dict(document.groups)
        self._open: dict[str, _Open] = {}

    def open(self, node: str, attempted: str) -> _Open:
        if node not in self.nodes:
            raise NodeError(node, attempted, "the graph has no such node", "a node that is there")
        if node not in self._open:
            self._open[node] = _Open(self.nodes[node])
        return self._open[node]

    def add(self, node: str, record: NodeRecord) -> None:
        if node in self.nodes:
            raise NodeError(node, f"add node {node}", "the graph has a node of that id", "another id")
        self.nodes[node] = record

    def remove(self, node: str) -> None:
        self.open(node, f"remove node {node}")
        del self.nodes[node], self._open[node]

    def document(self) -> Document:
        return Document({**self.nodes, **{name: node.closed() for name, node in self._open.items()}}, self.groups)


@dataclass(frozen=True, slots=True)
class Operation:
    """One change. `op` names its kind in JSON, for ever."""

    op: ClassVar[str] = ""

    def play(self, draft: Draft) -> None:
        """Change `draft`. Raises `NodeError` where this does not fit it."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        raw: dict[str, Any] = {"op": self.op}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, (NodeRecord, Group)):
                value = value.to_json()
            raw[each.name] = list(value) if isinstance(value, Wire) else value
        return raw


@dataclass(frozen=True, slots=True)
class AddNode(Operation):
    """A new node, with its parameters and wires."""

    op: ClassVar[str] = "node.add"
    node: str
    record: NodeRecord

    def play(self, draft: Draft) -> None:
        draft.add(self.node, self.record)


@dataclass(frozen=True, slots=True)
class RemoveNode(Operation):
    """A node goes. Wires from it stay where they lead: what has them says so or disconnects them."""

    op: ClassVar[str] = "node.remove"
    node: str

    def play(self, draft: Draft) -> None:
        draft.remove(self.node)


@dataclass(frozen=True, slots=True)
class SetType(Operation):
    """A node becomes one of another type or version."""

    op: ClassVar[str] = "node.type"
    node: str
    type: str
    version: int

    def play(self, draft: Draft) -> None:
        node = draft.open(self.node, f"change the type of node {self.node}")
        node.type, node.version = self.type, self.version


@dataclass(frozen=True, slots=True)
class SetParam(Operation):
    """A parameter gets a value or a curve."""

    op: ClassVar[str] = "param.set"
    node: str
    name: str
    value: Any

    def play(self, draft: Draft) -> None:
        draft.open(self.node, f"set {self.name} of node {self.node}").params[self.name] = self.value


@dataclass(frozen=True, slots=True)
class UnsetParam(Operation):
    """A parameter goes back to what its node has without it."""

    op: ClassVar[str] = "param.unset"
    node: str
    name: str

    def play(self, draft: Draft) -> None:
        attempted = f"reset {self.name} of node {self.node}"
        _drop(self.node, draft.open(self.node, attempted).params, self.name, attempted)


@dataclass(frozen=True, slots=True)
class Connect(Operation):
    """An input gets a wire, in place of the one it has."""

    op: ClassVar[str] = "wire.connect"
    node: str
    socket: str
    wire: Wire

    def play(self, draft: Draft) -> None:
        draft.open(self.node, f"connect {self.socket} of node {self.node}").inputs[self.socket] = self.wire


@dataclass(frozen=True, slots=True)
class Disconnect(Operation):
    """An input loses its wire."""

    op: ClassVar[str] = "wire.disconnect"
    node: str
    socket: str

    def play(self, draft: Draft) -> None:
        attempted = f"disconnect {self.socket} of node {self.node}"
        _drop(self.node, draft.open(self.node, attempted).inputs, self.socket, attempted)


@dataclass(frozen=True, slots=True)
class SetUi(Operation):
    """What editors keep with a node changes: its place, colour or label."""

    op: ClassVar[str] = "ui.set"
    node: str
    name: str
    value: Any

    def play(self, draft: Draft) -> None:
        draft.open(self.node, f"set {self.name} of node {self.node}").ui[self.name] = self.value


@dataclass(frozen=True, slots=True)
class UnsetUi(Operation):
    """Something that editors kept with a node goes."""

    op: ClassVar[str] = "ui.unset"
    node: str
    name: str

    def play(self, draft: Draft) -> None:
        attempted = f"reset {self.name} of node {self.node}"
        _drop(self.node, draft.open(self.node, attempted).ui, self.name, attempted)


@dataclass(frozen=True, slots=True)
class SetGroup(Operation):
    """The document carries a group, in place of one of the same name and version."""

    op: ClassVar[str] = "group.set"
    group: Group

    def play(self, draft: Draft) -> None:
        draft.groups[self.group.key] = self.group


@dataclass(frozen=True, slots=True)
class RemoveGroup(Operation):
    """The document carries a group no more. `key` is its "Name@version"."""

    op: ClassVar[str] = "group.remove"
    key: str

    def play(self, draft: Draft) -> None:
        if self.key not in draft.groups:
            raise DocumentError(f"remove the group {self.key}", "the graph does not carry it", "a group that is there")
        del draft.groups[self.key]


def apply(document: Document, operations: Iterable[Operation]) -> Document:
    """`document` after `operations`, in their order. Raises `NodeError`, `DocumentError` where one does not fit:
    then none was played."""
    draft = Draft(document)
    for operation in operations:
        operation.play(draft)
    return draft.document()


def operation(data: Any) -> Operation:
    """An operation from what its `to_json` gave. Raises `DocumentError`."""
    try:
        return _read(data)
    except Odd as odd:
        raise DocumentError("follow a change of the graph", str(odd), "updating this installation") from None


def _read(data: Any) -> Operation:
    check(data)
    if not isinstance(data, dict) or not isinstance(data.get("op"), str):
        raise Odd("it does not say what it does")
    kind = _KINDS.get(data["op"])
    if kind is None:
        raise Odd(f'no change is called "{quoted(data["op"])}"')
    names = {each.name for each in fields(kind)}
    if data.keys() - {"op"} != names:
        raise Odd(f'a change "{kind.op}" has {", ".join(sorted(names))} and nothing else')
    node = data.get("node", "")
    if "node" in names and (not isinstance(node, str) or not node):
        raise Odd(f'a change "{kind.op}" names no node')
    return kind(**{name: _READ.get(name, _as_is)(node, data[name]) for name in names})


def _as_is(_: str, raw: Any) -> Any:
    return raw


def _read_text(_: str, raw: Any) -> str:
    if not isinstance(raw, str) or not raw:
        raise Odd("a name in a change is not text")
    return raw


def _read_wire(_: str, raw: Any) -> Wire:
    if (wire := read_wire(raw)) is None:
        raise Odd('a wire in a change is not ["node", "output"]')
    return wire


def _read_version(_: str, raw: Any) -> int:
    if not is_version(raw):
        raise Odd("a version in a change is not a whole number from 1")
    return raw


def _drop(node: str, table: dict[str, Any], name: str, attempted: str) -> None:
    if name not in table:
        raise NodeError(node, attempted, "there is nothing to take away", "something that is set there")
    del table[name]


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "record": read_node,
    "group": lambda _, raw: read_group(raw),
    "wire": _read_wire,
    "version": _read_version,
    **dict.fromkeys(("node", "name", "socket", "type", "key"), _read_text),
}
_KINDS: Mapping[str, type[Operation]] = {
    kind.op: kind
    for kind in (
        AddNode,
        RemoveNode,
        SetType,
        SetParam,
        UnsetParam,
        Connect,
        Disconnect,
        SetUi,
        UnsetUi,
        SetGroup,
        RemoveGroup,
    )
}
