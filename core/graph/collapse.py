"""Making a group of nodes that are there, and a group's node into the nodes inside it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.definition import Group, GroupFile, GroupInput, GroupOutput, GroupParameter, Pin
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.groups import inside, misfits
from artifexpro.core.graph.jsontext import listed, quoted
from artifexpro.core.graph.records import PATH, NodeRecord, Wire
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import SocketType


class _Socket(NamedTuple):
    """What a wire ends in: its type ("VIDEO", ...) and whether it may stay empty."""

    type: str
    optional: bool


def make_group(
    document: Document,
    nodes: Iterable[str],
    name: str,
    registry: Registry,
    *,
    node: str | None = None,
    version: int = 1,
    doc: str = "",
    parameters: Mapping[str, Sequence[Pin]] | None = None,
) -> tuple[Document, Group]:
    """`document` with `nodes` as one node, which is a new group called `name`, and that group.

    A wire into or out of the selection becomes a socket of the group; `parameters` says which parameters of the nodes
    it exposes. The new node's id is `node`, or made from `name`. Raises `NodeError`, `DocumentError`, `ArtifexError`
    for what cannot be a group: nothing, a node that is not there, nodes with another one between them.
    """
    return _Making(document, dict.fromkeys(nodes), name, registry).make(node, version, doc, parameters or {})


def expand(document: Document, node: str) -> Document:
    """`document` with the nodes inside the group that `node` is in its place. The document goes on carrying the group.

    An id that is taken gets a number. Raises `NodeError` where `node` is no group or does not fit its group.
    """
    attempted = f"expand node {node}"
    record = document.nodes.get(node)
    if record is None:
        raise NodeError(node, attempted, "the graph has no such node", "a node that is there")
    group = document.groups.get(record.group or "")
    if group is None:
        because = "it is no group" if record.group is None else f"the graph does not carry {quoted(record.group)}"
        raise NodeError(node, attempted, because, "a node that is a group of this graph")
    for problem in misfits(node, record, group):
        raise problem
    taken = set(document.nodes) - {node}
    ids: dict[str, str] = {}
    for inner in group.nodes:
        ids[node + PATH + inner] = free = free_id(inner, taken)
        taken.add(free)
    outputs = {
        Wire(node, name): Wire(node + PATH + end.source.node, end.source.output) for name, end in group.outputs.items()
    }

    def moved(each: NodeRecord) -> NodeRecord:
        wires = {socket: outputs.get(wire, wire) for socket, wire in each.inputs.items()}
        return replace(
            each, inputs={socket: Wire(ids.get(wire.node, wire.node), wire.output) for socket, wire in wires.items()}
        )

    expanded: dict[str, NodeRecord] = {}
    for name, each in document.nodes.items():
        if name == node:
            expanded.update({ids[path]: moved(inner) for path, inner in inside(node, record, group)})
        else:
            expanded[name] = moved(each)
    return Document(expanded, document.groups)


def extract(document: Document, key: str) -> GroupFile:
    """A group that `document` carries, by "Name@version", as a file of its own with the groups that it uses.

    Raises `ArtifexError` where it or one of them is not there.
    """
    found: dict[str, Group] = {}
    waiting = [key]
    while waiting:
        each = waiting.pop()
        if each in found:
            continue
        if each not in document.groups:
            raise ArtifexError(
                f"save the group {quoted(key)}",
                f"the graph does not carry {quoted(each)}",
                f"one of: {listed(document.groups, 'none: it has no groups')}",
                code="graph",
            )
        found[each] = document.groups[each]
        waiting.extend(inner for record in found[each].nodes.values() if (inner := record.group) is not None)
    return GroupFile(found.pop(key), found)


def free_id(name: str, taken: Collection[str]) -> str:
    """`name`, or with the first number that makes it another id than those in `taken`."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}{number}"
    return free


class _Making:
    def __init__(self, document: Document, chosen: Mapping[str, None], name: str, registry: Registry) -> None:
        self.document = document
        self.chosen = chosen
        self.name = name
        self.registry = registry
        self.attempted = f"make a group {quoted(name)}"

    def make(
        self, node: str | None, version: int, doc: str, parameters: Mapping[str, Sequence[Pin]]
    ) -> tuple[Document, Group]:
        self._check()
        nodes = {name: record for name, record in self.document.nodes.items() if name in self.chosen}
        self._check_exposed(nodes, parameters)
        ways_in = self._ways_in(nodes)
        inputs: dict[str, GroupInput] = {}
        wires: dict[str, Wire] = {}
        taken = set(parameters)
        for (source, kind), ends in ways_in.items():
            socket = free_id(ends[0][0].name, taken)
            taken.add(socket)
            inputs[socket] = GroupInput(kind, tuple(pin for pin, _ in ends), all(optional for _, optional in ends))
            wires[socket] = source
        outputs, moved = self._outputs(nodes)
        cut = {pin for ends in ways_in.values() for pin, _ in ends}
        inner = {
            name: replace(
                record,
                inputs={socket: wire for socket, wire in record.inputs.items() if Pin(name, socket) not in cut},
            )
            for name, record in nodes.items()
        }
        exposed = {title: GroupParameter(tuple(Pin(*pin) for pin in pins)) for title, pins in parameters.items()}
        group = Group(self.name, version, doc, inner, inputs, outputs, exposed)
        there = self.document.with_group(GroupFile(group))
        own = node or free_id(self.name.replace(PATH, "-"), self.document.nodes.keys() - self.chosen.keys())
        return self._replaced(there, own, NodeRecord(group.type, version, {}, wires), moved), group

    def _check(self) -> None:
        if not self.chosen:
            raise ArtifexError(
                self.attempted, "no node is chosen", "choosing the nodes that belong into it", code="graph"
            )
        for name in self.chosen:
            if name not in self.document.nodes:
                raise NodeError(name, self.attempted, f"the graph has no node {name}", "nodes that are there")
        for name in self.document.nodes:
            if PATH in name:
                because = f'the id of node {name} has a "{PATH}" in it, which stands for what is inside a group'
                raise NodeError(name, self.attempted, because, "another id for that node")
        if between := self._between():
            because = f"node {between} lies between the chosen ones: it gets from some what others get from it"
            raise NodeError(between, self.attempted, because, "choosing that node too")

    def _between(self) -> str | None:
        """A node outside the selection that is both downstream and upstream of it."""
        readers: dict[str, list[str]] = {}
        for name, record in self.document.nodes.items():
            for wire in record.inputs.values():
                readers.setdefault(wire.node, []).append(name)
        seen: set[str] = set()
        waiting = [reader for name in self.chosen for reader in readers.get(name, ()) if reader not in self.chosen]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for reader in readers.get(name, ()):
                if reader in self.chosen:
                    return name
                waiting.append(reader)
        return None

    def _check_exposed(self, nodes: Mapping[str, NodeRecord], parameters: Mapping[str, Sequence[Pin]]) -> None:
        for node, name in (pin for pins in parameters.values() for pin in pins):
            if node not in nodes or (known := self._parameters(nodes[node])) is None or name in known:
                continue
            because = f'{quoted(nodes[node].type)} has no parameter "{quoted(name)}"'
            remedy = f"one of: {listed(known, 'none: it has no parameters')}"
            raise NodeError(node, f"expose {name} of node {node}", because, remedy)

    def _parameters(self, record: NodeRecord) -> Collection[str] | None:
        """The names of a node's parameters, or None where nothing here knows them."""
        if (group := self.document.groups.get(record.group or "")) is not None:
            return group.parameters.keys()
        declaration = self.registry.get(record.type)
        return None if declaration is None else declaration.model_fields.keys()

    def _ways_in(self, nodes: Mapping[str, NodeRecord]) -> dict[tuple[Wire, str], list[tuple[Pin, bool]]]:
        """For each output outside and type of socket, what inside it is connected to, which may be optional."""
        ways: dict[tuple[Wire, str], list[tuple[Pin, bool]]] = {}
        for name, record in nodes.items():
            for socket, wire in record.inputs.items():
                if wire.node not in self.chosen:
                    pin = Pin(name, socket)
                    kind, optional = self._end(record, pin)
                    ways.setdefault((wire, kind), []).append((pin, optional))
        return ways

    def _outputs(self, nodes: Mapping[str, NodeRecord]) -> tuple[dict[str, GroupOutput], dict[Wire, str]]:
        """The group's outputs, and for each output inside that is used outside the name of the group's."""
        used = dict.fromkeys(
            wire
            for name, record in self.document.nodes.items()
            if name not in self.chosen
            for wire in record.inputs.values()
            if wire.node in self.chosen
        )
        outputs: dict[str, GroupOutput] = {}
        moved: dict[Wire, str] = {}
        for wire in used:
            moved[wire] = title = "out" if len(used) == 1 else free_id(wire.node, outputs)
            outputs[title] = GroupOutput(self._output(nodes[wire.node], wire), wire)
        return outputs, moved

    def _replaced(self, document: Document, own: str, record: NodeRecord, moved: Mapping[Wire, str]) -> Document:
        if own in document.nodes and own not in self.chosen:
            raise NodeError(own, self.attempted, f"the graph has a node {own}", "another id for the group's node")
        nodes: dict[str, NodeRecord] = {}
        for name, old in document.nodes.items():
            if name in self.chosen:
                nodes[own] = record
            elif any(wire in moved for wire in old.inputs.values()):
                wires = {
                    socket: Wire(own, moved[wire]) if wire in moved else wire for socket, wire in old.inputs.items()
                }
                nodes[name] = replace(old, inputs=wires)
            else:
                nodes[name] = old
        return Document(nodes, document.groups)

    def _end(self, record: NodeRecord, pin: Pin) -> _Socket:
        """What an input of a node takes; a parameter that a control drives may also go without."""
        key = record.group
        if key is not None and key in self.document.groups:
            group = self.document.groups[key]
            if (socket := group.inputs.get(pin.name)) is not None:
                return _Socket(socket.type, socket.optional)
            if pin.name in group.parameters:
                return _Socket(SocketType.CONTROL.value, True)
        if (declaration := self.registry.get(record.type)) is not None:
            if (end := declaration.socket(pin.name)) is not None:
                return _Socket(end.type.value, end.optional)
            if pin.name in declaration.model_fields:
                return _Socket(SocketType.CONTROL.value, True)
        raise self._unknown(pin.node, record, f"its input {pin.name} takes")

    def _output(self, record: NodeRecord, wire: Wire) -> str:
        key = record.group
        if key is not None and key in self.document.groups and wire.output in self.document.groups[key].outputs:
            return self.document.groups[key].outputs[wire.output].type
        declaration = self.registry.get(record.type)
        if declaration is not None and (socket := declaration.output(wire.output)) is not None:
            return socket.type.value
        raise self._unknown(wire.node, record, f"comes out of its {wire.output}")

    def _unknown(self, node: str, record: NodeRecord, what: str) -> NodeError:
        because = f"nothing here knows what {what}: it is a {quoted(record.type)}, version {record.version}"
        return NodeError(node, self.attempted, because, "leaving it outside, or installing what brings this node")
