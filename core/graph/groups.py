"""Opening groups: from a document whose nodes may be groups, of groups, to one whose nodes are none.

A node inside gets a path for a name: "glow/soft" is node "soft" of the group that node "glow" is. What a wire, a value
or a curve is given to on the outside reaches what it leads to inside, through any number of levels and without
recursion. Sizes are counted before anything is built, so that a few lines that stand for millions of nodes are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.definition import Group, GroupParameter, Pin
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.jsontext import listed, quoted
from artifexpro.core.graph.measure import MOST_BYTES, Measure, Size
from artifexpro.core.graph.records import GROUP_TYPE, MOST_NODES, PATH, NodeRecord, Wire


@dataclass(frozen=True, slots=True)
class Flattened:
    """Nodes by path, none of which is a group. One that has a problem is not among them: wires from it lead to the
    path that the problem names.

    `shown` has, for the path of each group's node, the path of the node inside whose output is its output "out", or
    its first: what to show for the group.
    """

    records: Mapping[str, NodeRecord]
    problems: list[NodeError]
    shown: Mapping[str, str] = field(default_factory=dict)


def flatten(document: Document, groups: Mapping[str, Group] | None = None) -> Flattened:
    """Open all groups of `document`. Groups that it does not carry are looked for in `groups` by "Name@version".

    Raises nothing: what is wrong with a group's node is a problem at that node.
    """
    if not any(record.type.startswith(GROUP_TYPE) for record in document.nodes.values()):
        return Flattened(document.nodes, [])
    return _Opening(document, {**(groups or {}), **document.groups}).run()


class _Opening:
    """One document's way to nodes none of which is a group."""

    def __init__(self, document: Document, groups: Mapping[str, Group]) -> None:
        self.document = document
        self.groups = groups
        self.problems: list[NodeError] = []
        self.records: dict[str, NodeRecord] = {}
        self.opened: dict[str, Group] = {}
        self.known: dict[Wire, Wire] = {}
        self.measure = Measure(document.nodes, groups)
        self.newest: dict[str, int] = {}
        for each in groups.values():
            self.newest[each.type] = max(each.version, self.newest.get(each.type, 0))
        self.room = Size(MOST_NODES - len(document.nodes), 0, MOST_BYTES)

    def run(self) -> Flattened:
        waiting = [iter(self.document.nodes.items())]
        while waiting:
            for path, record in waiting[-1]:
                group = self._group(path, record, at_top=len(waiting) == 1)
                if group is not None:
                    self.opened[path] = group
                    waiting.append(inside(path, record, group))
                    break
            else:
                waiting.pop()
        shown = self._shown()
        for path, record in list(self.records.items()):
            try:
                self.records[path] = self._connected(path, record)
            except NodeError as problem:
                self.problems.append(problem)
                del self.records[path]
        return Flattened(self.records, self.problems, shown)

    def _group(self, path: str, record: NodeRecord, *, at_top: bool) -> Group | None:
        """The group to go into at `path`; None where there is none to go into, which is then seen to."""
        try:
            if at_top and PATH in path:
                because = f'"{PATH}" stands for what is inside a group, and this graph has groups'
                raise NodeError(path, f"use node {path}", because, f'an id without "{PATH}"')
            key = record.group
            if key is None:
                self.records[path] = record
                return None
            group = self._defined(path, record, key)
            self._check_size(path, group, at_top)
        except NodeError as problem:
            self.problems.append(problem)
            return None
        if wrong := list(misfits(path, record, group)):
            self.problems.extend(wrong)
            return None
        return group

    def _defined(self, path: str, record: NodeRecord, key: str) -> Group:
        group = self.groups.get(key)
        if group is None:
            name = quoted(record.type[len(GROUP_TYPE) :])
            because = f"the graph does not carry version {record.version} of the group {name}"
            newest = self.newest.get(record.type)
            there = f"version {newest}, which it carries, or " if newest else ""
            raise NodeError(path, f"use node {path}", because, f"{there}bringing in the file of the group")
        return group

    def _check_size(self, path: str, group: Group, at_top: bool) -> None:
        if way := self.measure.endless(group.key):
            because = f"the group {quoted(group.name)} or one in it contains itself ({quoted(' with '.join(way))})"
            raise NodeError(path, f"open node {path}", because, "a group that does not use what it is used in")
        if not at_top:
            return
        size = self.measure.sizes[group.key]
        room = Size(
            self.room.nodes - size.nodes, 0, self.room.bytes - size.bytes - size.names * (len(path) + len(PATH))
        )
        if room.nodes < 0 or room.bytes < 0:
            because = (
                f"with it the graph has more than {MOST_NODES:,} nodes"
                if room.nodes < 0
                else f"with it the nodes inside the graph's groups take more than {MOST_BYTES:,} bytes"
            )
            raise NodeError(path, f"open node {path}", because, "fewer groups inside one another, or two graphs")
        self.room = room

    def _shown(self) -> dict[str, str]:
        shown: dict[str, str] = {}
        for path, group in reversed(self.opened.items()):
            if group.outputs:
                try:
                    shown[path] = self._through(
                        Wire(path, "out" if "out" in group.outputs else next(iter(group.outputs)))
                    ).node
                except _NoOutput:
                    continue
        return shown

    def _connected(self, path: str, record: NodeRecord) -> NodeRecord:
        """The record with the wires from groups coming from the nodes inside them. Raises `NodeError`."""
        moved: dict[str, Wire] = {}
        for socket, wire in record.inputs.items():
            if wire.node not in self.opened:
                continue
            try:
                moved[socket] = self._through(wire)
            except _NoOutput as missing:
                known = listed(missing.group.outputs, "none: it ends the graph")
                attempted = f'connect {wire.node}.{wire.output} to the input "{socket}" of node {path}'
                because = f'the group {quoted(missing.group.name)} has no output "{quoted(missing.output)}"'
                raise NodeError(path, attempted, because, f"one of: {known}") from None
        if not moved:
            return record
        return NodeRecord(record.type, record.version, record.params, {**record.inputs, **moved}, record.ui)

    def _through(self, wire: Wire) -> Wire:
        """Where a wire from a group comes from inside, through any number of groups. Raises `_NoOutput`."""
        way: list[Wire] = []
        while wire not in self.known and (group := self.opened.get(wire.node)) is not None:
            if wire.output not in group.outputs:
                raise _NoOutput(group, wire.output)
            way.append(wire)
            source = group.outputs[wire.output].source
            wire = Wire(f"{wire.node}{PATH}{source.node}", source.output)
        wire = self.known.get(wire, wire)
        self.known.update(dict.fromkeys(way, wire))
        return wire


class _NoOutput(Exception):
    def __init__(self, group: Group, output: str) -> None:
        super().__init__(output)
        self.group, self.output = group, output


def inside(path: str, record: NodeRecord, group: Group) -> Iterator[tuple[str, NodeRecord]]:
    """The nodes inside the group that node `path` is, by path, with what `record` gives to them.

    A value or wire from outside replaces what the node inside has there. Wires may still come from groups.
    """
    values: dict[str, dict[str, Any]] = {}
    wires: dict[str, dict[str, Wire]] = {}
    for name, parameter in group.parameters.items():
        if name in record.params or "default" in parameter.own:
            value = record.params[name] if name in record.params else parameter.own["default"]
            for pin in parameter.to:
                values.setdefault(pin.node, {})[pin.name] = value
    for name, end in record.inputs.items():
        for pin in (group.inputs[name] if name in group.inputs else group.parameters[name]).to:
            wires.setdefault(pin.node, {})[pin.name] = end
    prefix = path + PATH
    paths = {inner: prefix + inner for inner in group.nodes}
    for inner, old in group.nodes.items():
        params, inputs = old.params, old.inputs
        if inputs:
            inputs = {
                name: Wire(paths.get(wire.node) or prefix + wire.node, wire.output) for name, wire in inputs.items()
            }
        if inner in values:
            params = {**params, **values[inner]}
            inputs = {name: wire for name, wire in inputs.items() if name not in values[inner]}
        if inner in wires:
            inputs = {**inputs, **wires[inner]}
        yield paths[inner], NodeRecord(old.type, old.version, params, inputs, old.ui)


def reached(document: Document, node: str, parameter: str) -> tuple[Pin, ...]:
    """The parameters, by path of their node, that `parameter` of `node` sets: of a plain node itself, of a group those
    that it leads to inside, through any number of levels. Empty where there is none or the group cannot be opened."""
    found: list[Pin] = []
    record = document.nodes.get(node)
    if record is not None and record.group is not None:
        size = Measure({node: record}, document.groups).sizes.get(record.group)
        if size is None or size.nodes > MOST_NODES:
            return ()
    waiting = [(Pin(node, parameter), record)]
    while waiting:
        pin, record = waiting.pop()
        if record is None:
            continue
        if record.group is None:
            found.append(pin)
        elif (group := document.groups.get(record.group)) is not None and pin.name in group.parameters:
            to = group.parameters[pin.name].to
            waiting.extend((Pin(pin.node + PATH + end.node, end.name), group.nodes[end.node]) for end in reversed(to))
    return tuple(found)


def misfits(path: str, record: NodeRecord, group: Group) -> Iterator[NodeError]:
    """What `record` gives to its group that the group does not take, and what it does not give."""
    for parameter, value in record.params.items():
        exposed = group.parameters.get(parameter)
        if exposed is None:
            known = listed(group.parameters, "none: it has no parameters")
            because = f'the group {quoted(group.name)} has no parameter "{quoted(parameter)}"'
            yield NodeError(path, f"set {parameter} of node {path}", because, f"one of: {known}")
        elif said := _outside(exposed, value):
            yield NodeError(path, f"set {parameter} of node {path}", said, "a value in that range")
    for socket in record.inputs:
        if socket not in group.inputs and socket not in group.parameters:
            known = listed(chain(group.inputs, group.parameters), "none: it has no inputs")
            because = f'the group {quoted(group.name)} has no input "{quoted(socket)}"'
            yield NodeError(path, f"connect the input {socket} of node {path}", because, f"one of: {known}")
    for socket, declared in group.inputs.items():
        if not declared.optional and socket not in record.inputs:
            because = f'nothing is connected to its input "{quoted(socket)}"'
            yield NodeError(path, f"run node {path}", because, f"connecting a {quoted(declared.type)} there")


def _outside(parameter: GroupParameter, value: Any) -> str | None:
    """In words, that a number or a curve leaves the range that the group has for it."""
    low, high = parameter.own.get("minimum"), parameter.own.get("maximum")
    if (low is None and high is None) or isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        least = most = value
    elif isinstance(value, dict):
        try:
            least, most = Curve.parse(value).bounds()
        except ArtifexError:
            return None
    else:
        return None
    if (low is None or low <= least) and (high is None or most <= high):
        return None
    reached = least if low is not None and least < low else most
    return f"the group takes {_limits(low, high)} and this is {reached}"


def _limits(low: float | None, high: float | None) -> str:
    if low is None:
        return f"{high} at most"
    return f"{low} at least" if high is None else f"{low} to {high}"
