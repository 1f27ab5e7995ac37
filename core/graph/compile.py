"""From a document to a plan: checked, ordered, keyed, in time that grows with nodes plus wires and without recursion.

A key is a hash of a node's type, version, parameters and *input keys*; the frame number is never in it, so what does
not depend on time is computed once, and an edit changes the keys of what is downstream and of nothing else.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from artifexpro.core.graph.conversions import CONVERSIONS
from artifexpro.core.graph.document import Document, NodeRecord
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.node import FrameNode, Node, Preflight, SinkNode
from artifexpro.core.graph.registry import Registry


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a plan. `inputs` are indices of earlier steps by socket; `document_node` is the node an error
    belongs to (for a conversion: the node it feeds); `same_as` is the step whose frames this one hands on untouched.
    """

    name: str
    node: Node
    key: bytes
    inputs: Mapping[str, int]
    document_node: str
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in an order in which inputs come first. `index` finds a document node's step."""

    steps: tuple[Step, ...]
    index: Mapping[str, int]
    models: Path
    readers: tuple[tuple[int, ...], ...] = field(repr=False)
    """For each step, the steps that read it."""

    def sinks(self) -> tuple[int, ...]:
        """Sinks in the order in which they run: those that refer to others' files last."""
        refers = {at: step.node.refers for at, step in enumerate(self.steps) if isinstance(step.node, SinkNode)}
        return tuple(sorted(refers, key=lambda at: refers[at]))

    def upstream(self, target: int) -> tuple[int, ...]:
        """`target` and all steps it depends on, inputs first."""
        return _reach(target, lambda at: self.steps[at].inputs.values())

    def downstream(self, source: int) -> tuple[int, ...]:
        """`source` and all steps that depend on it, inputs first."""
        return _reach(source, lambda at: self.readers[at])

    def with_params(self, node: str, **values: Any) -> Plan:
        """The plan after an edit of `node`'s parameters: only it and what is downstream of it get new keys.

        Raises `GraphError` where the values do not fit.
        """
        at = self.index[node]
        old = self.steps[at].node
        record = NodeRecord(old.type_name(), old.version, {**old.model_dump(), **values})
        edited = _parse(node, record, type(old))
        steps = list(self.steps)
        for index in self.downstream(at):
            step = steps[index]
            new_node = edited if index == at else step.node
            steps[index] = _step(step.name, new_node, step.inputs, step.document_node, steps, self.models)
        return replace(self, steps=tuple(steps))


def _reach(start: int, following: Callable[[int], Iterable[int]]) -> tuple[int, ...]:
    seen = {start}
    waiting = [start]
    while waiting:
        fresh = [at for at in following(waiting.pop()) if at not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
    return tuple(sorted(seen))


def compile_graph(document: Document, registry: Registry, models: Path) -> Plan:
    """Check `document` and make its plan. `models` is the folder of weights, which generators' keys include.

    Raises `GraphError` with every problem found: unknown nodes, parameters out of range, wires that lead nowhere or
    do not fit, missing inputs, cycles.
    """
    problems: list[NodeError] = []
    nodes = _parse_all(document, registry, problems)
    wires = _check_wires(document, nodes, registry, problems)
    if problems:
        raise GraphError(problems)
    return _plan(nodes, wires, _order(document, wires), models)


def preflight(plan: Plan) -> None:
    """Ask every node what it would refuse before work starts. Raises `GraphError` with all answers."""
    problems: list[NodeError] = []
    for step in plan.steps:
        try:
            step.node.preflight(Preflight(frozenset(step.inputs), plan.models))
        except Exception as error:
            problems.append(NodeError.at(step.document_node, error, f"check node {step.name}"))
    if problems:
        raise GraphError(problems)


def _parse_all(document: Document, registry: Registry, problems: list[NodeError]) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for name, record in document.nodes.items():
        declaration = registry.get(record.type)
        if declaration is None:
            close = registry.close_to(record.type)
            remedy = f'"{close}", if that was meant' if close else "installing the package that brings this node"
            problems.append(NodeError(name, f"use node {name}", f'no node is called "{record.type}" here', remedy))
            continue
        if record.version > declaration.version:
            because = (
                f"it was saved by version {record.version} of {record.type} and version {declaration.version} is here"
            )
            problems.append(NodeError(name, f"use node {name}", because, "updating this installation"))
            continue
        try:
            nodes[name] = _parse(name, record, declaration)
        except GraphError as error:
            problems.extend(error.problems)
    return nodes


def _parse(name: str, record: NodeRecord, declaration: type[Node]) -> Node:
    try:
        return declaration.model_validate(dict(record.params), strict=True)
    except ValidationError as error:
        raise GraphError([_wrong_parameter(name, declaration, dict(problem)) for problem in error.errors()]) from None


def _wrong_parameter(name: str, declaration: type[Node], problem: Mapping[str, Any]) -> NodeError:
    where = ".".join(str(part) for part in problem["loc"]) or "parameters"
    known = ", ".join(declaration.model_fields) or "no parameters"
    if problem["type"] == "extra_forbidden":
        because = f'{declaration.type_name()} has no parameter "{where}"'
        return NodeError(name, f"set {where} of node {name}", because, f"one of: {known}")
    if problem["type"] == "missing":
        because = f"{declaration.type_name()} cannot do without it"
        return NodeError(name, f"read {where} of node {name}", because, f'giving "{where}" a value')
    said = str(problem["msg"])
    because = said[0].lower() + said[1:].rstrip(".")
    described = declaration.model_fields[where].description if where in declaration.model_fields else None
    remedy = f"a value that fits ({described.rstrip('.')})" if described else "a value that fits"
    return NodeError(name, f"set {where} of node {name} to {problem['input']!r}", because, remedy)


@dataclass(frozen=True, slots=True)
class _Wire:
    """A checked wire; `through` is the conversion it needs."""

    socket: str
    source: str
    through: type[FrameNode] | None


def _check_wires(
    document: Document, nodes: Mapping[str, Node], registry: Registry, problems: list[NodeError]
) -> dict[str, tuple[_Wire, ...]]:
    wires: dict[str, tuple[_Wire, ...]] = {}
    for name, node in nodes.items():
        record = document.nodes[name]
        good: list[_Wire] = []
        for socket, end in record.inputs.items():
            try:
                good.append(_check_wire(name, node, socket, end.node, end.output, document, nodes))
            except NodeError as error:
                problems.append(error)
            except _Blocked:
                pass
        for socket_here in node.inputs:
            if not socket_here.optional and socket_here.name not in record.inputs:
                problems.append(
                    NodeError(
                        name,
                        f"run node {name}",
                        f'nothing is connected to its input "{socket_here.name}"',
                        f"connecting a {socket_here.type} there",
                    )
                )
        wires[name] = tuple(good)
    return wires


class _Blocked(Exception):
    """The wire comes from a node that has a problem of its own, told already."""


def _check_wire(
    name: str, node: Node, socket: str, source: str, output: str, document: Document, nodes: Mapping[str, Node]
) -> _Wire:
    attempted = f'connect {source}.{output} to the input "{socket}" of node {name}'
    here = node.socket(socket)
    if here is None:
        known = ", ".join(known.name for known in node.inputs) or "none: it has no inputs"
        raise NodeError(name, attempted, f"{node.type_name()} has no such input", f"one of: {known}")
    if source not in document.nodes:
        raise NodeError(name, attempted, f'the graph has no node "{source}"', "connecting a node that exists")
    if source not in nodes:
        raise _Blocked
    there = nodes[source].output(output)
    if there is None:
        known = ", ".join(known.name for known in nodes[source].outputs) or "none: it ends the graph"
        raise NodeError(name, attempted, f"{nodes[source].type_name()} has no such output", f"one of: {known}")
    if there.type == here.type:
        return _Wire(socket, source, None)
    conversion = CONVERSIONS.get((there.type, here.type))
    if conversion is None:
        because = f"{there.type} does not become {here.type} by itself"
        raise NodeError(name, attempted, because, f"a node that makes {here.type} in between")
    return _Wire(socket, source, conversion)


def _order(document: Document, wires: Mapping[str, tuple[_Wire, ...]]) -> list[str]:
    """Kahn's order, in the document's order where there is a choice. Raises `GraphError` on a cycle."""
    waiting_for = {name: len({wire.source for wire in ends}) for name, ends in wires.items()}
    feeds: dict[str, list[str]] = {name: [] for name in wires}
    for name, ends in wires.items():
        for source in {wire.source for wire in ends}:
            feeds[source].append(name)
    ready = deque(name for name, count in waiting_for.items() if count == 0)
    order: list[str] = []
    while ready:
        name = ready.popleft()
        order.append(name)
        for reader in feeds[name]:
            waiting_for[reader] -= 1
            if waiting_for[reader] == 0:
                ready.append(reader)
    if len(order) < len(wires):
        raise GraphError([_cycle(wires, set(wires) - set(order))])
    return order


def _cycle(wires: Mapping[str, tuple[_Wire, ...]], stuck: set[str]) -> NodeError:
    """Walk backwards among the nodes that never became ready until one comes twice: that is a cycle."""
    path: list[str] = []
    name = next(iter(sorted(stuck)))
    while name not in path:
        path.append(name)
        name = next(wire.source for wire in wires[name] if wire.source in stuck)
    cycle = path[path.index(name) :][::-1]
    shown = [*cycle, cycle[0]] if len(cycle) <= 8 else [*cycle[:4], "...", *cycle[-3:], cycle[0]]
    return NodeError(
        cycle[0],
        "order the graph",
        f"it goes round in a circle: {' -> '.join(shown)}",
        f"removing one wire, for example the one from {cycle[-1]} to {cycle[0]}",
    )


def _plan(
    nodes: Mapping[str, Node], wires: Mapping[str, tuple[_Wire, ...]], order: Iterable[str], models: Path
) -> Plan:
    steps: list[Step] = []
    index: dict[str, int] = {}
    converted: dict[tuple[int, type[FrameNode]], int] = {}

    def append(name: str, node: Node, inputs: Mapping[str, int], document_node: str) -> int:
        steps.append(_step(name, node, inputs, document_node, steps, models))
        return len(steps) - 1

    for name in order:
        inputs: dict[str, int] = {}
        for wire in wires[name]:
            source = index[wire.source]
            if wire.through is not None:
                pair = (source, wire.through)
                if pair not in converted:
                    title = f"{wire.source} as {wire.through.outputs[0].type}"
                    converted[pair] = append(title, wire.through(), {"value": source}, name)
                source = converted[pair]
            inputs[wire.socket] = source
        index[name] = append(name, nodes[name], inputs, name)
    readers: list[list[int]] = [[] for _ in steps]
    for at, step in enumerate(steps):
        for source in step.inputs.values():
            readers[source].append(at)
    return Plan(tuple(steps), index, models, tuple(map(tuple, readers)))


def _step(
    name: str, node: Node, inputs: Mapping[str, int], document_node: str, steps: Sequence[Step], models: Path
) -> Step:
    handed_on = node.identity() if isinstance(node, FrameNode) else None
    if handed_on is not None and handed_on in inputs:
        same_as = inputs[handed_on]
        return Step(name, node, steps[same_as].key, inputs, document_node, same_as)
    return Step(name, node, _key(node, inputs, steps, models), inputs, document_node)


def _key(node: Node, inputs: Mapping[str, int], steps: Sequence[Step], models: Path) -> bytes:
    """blake2b, 16 bytes. Parameters go in as canonical JSON; inputs by socket name."""
    digest = blake2b(f"{node.type_name()}\0{node.version}\0".encode(), digest_size=16)
    digest.update(json.dumps(node.model_dump(mode="json"), sort_keys=True).encode())
    digest.update(node.fingerprint(Preflight(frozenset(inputs), models)).encode())
    for socket in sorted(inputs):
        digest.update(b"\0" + socket.encode() + b"\0" + steps[inputs[socket]].key)
    return digest.digest()
