"""From nodes to a plan: wired, ordered, keyed, in time that grows with nodes plus wires and without recursion.

A key is a hash of a node's type, version, parameters and *input keys*; the frame number is never in it, so what does
not depend on time is computed once, and an edit changes the keys of what is downstream and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from artifexpro.core.graph.checked import Checked, CheckedGraph, check_edit, check_nodes
from artifexpro.core.graph.conversions import CONVERSIONS
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.faces import face
from artifexpro.core.graph.garbage import no_collecting
from artifexpro.core.graph.kinds import SinkNode
from artifexpro.core.graph.node import Node, Preflight
from artifexpro.core.graph.records import Wire
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import SocketType


class Step(NamedTuple):
    """One node of a plan. `inputs` are indices of earlier steps by socket, `moving` the curve or the control's step by
    parameter. `document_node` is the node an error belongs to (for a conversion: the node it feeds); `same_as` is the
    step whose pictures this one hands on untouched."""

    name: str
    node: Node
    key: bytes
    inputs: Mapping[str, int]
    document_node: str
    moving: Mapping[str, Curve | int]
    identity: bytes
    same_as: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in an order in which inputs come first. `index` finds a document node's step, for a group the one whose
    pictures it shows.

    `problems` are the nodes that cannot run; they and what hangs on them, in `blocked` with the problem to blame, have
    no step.
    """

    steps: tuple[Step, ...]
    index: Mapping[str, int]
    models: Path
    readers: Sequence[Sequence[int]] = field(repr=False)
    """For each step, the steps that read it."""
    problems: tuple[NodeError, ...] = ()
    blocked: Mapping[str, NodeError] = field(default_factory=dict, repr=False)

    def at(self, node: str) -> int:
        """The step of a document's node. Raises the `NodeError` of the node that keeps it from running."""
        found = self.index.get(node)
        if found is not None:
            return found
        if node in self.blocked:
            raise self.blocked[node]
        raise NodeError(node, f"find node {node}", "the graph has no such node", "one that is in the graph")

    def sinks(self) -> tuple[int, ...]:
        """Sinks in the order in which they run: those that refer to others' files last."""
        refers = {at: step.node.refers for at, step in enumerate(self.steps) if isinstance(step.node, SinkNode)}
        return tuple(sorted(refers, key=lambda at: refers[at]))

    def upstream(self, target: int) -> tuple[int, ...]:
        """`target` and all steps it depends on, inputs first."""
        steps = self.steps
        wanted = bytearray(target + 1)
        wanted[target] = 1
        for at in range(target, -1, -1):
            if wanted[at]:
                step = steps[at]
                for source in step.inputs.values():
                    wanted[source] = 1
                for source in controls(step):
                    wanted[source] = 1
        return tuple(at for at in range(target + 1) if wanted[at])

    def downstream(self, source: int) -> tuple[int, ...]:
        """`source` and all steps that depend on it, inputs first."""
        readers = self.readers
        reached = bytearray(len(self.steps))
        reached[source] = 1
        found = []
        for at in range(source, len(readers)):
            if reached[at]:
                found.append(at)
                for reader in readers[at]:
                    reached[reader] = 1
        return tuple(found)

    def with_params(self, node: str, **values: Any) -> Plan:
        """The plan after an edit of `node`'s parameters: only it and what is downstream of it get new keys.

        Raises `NodeError` where the node is blocked and `GraphError` where the values do not fit.
        """
        at = self.at(node)
        old = self.steps[at]
        curves = {name: moving for name, moving in old.moving.items() if isinstance(moving, Curve)}
        wired = {name: moving for name, moving in old.moving.items() if not isinstance(moving, Curve)}
        edited = check_edit(node, old.node, curves, (*old.inputs, *wired), values)
        steps = list(self.steps)
        steps[at] = _step(
            old.name, edited.node, edited.identity, old.inputs, {**edited.curves, **wired}, node, steps, self.models
        )
        for index in self.downstream(at)[1:]:
            name, old_node, _, inputs, document_node, moving, identity, same_as = steps[index]
            key = _key(identity, inputs, moving, steps) if same_as is None else steps[same_as].key
            steps[index] = Step(name, old_node, key, inputs, document_node, moving, identity, same_as)
        return replace(self, steps=tuple(steps))


def controls(step: Step) -> Iterable[int]:
    """The steps whose controls move a step's parameters."""
    return (moving for moving in step.moving.values() if isinstance(moving, int)) if step.moving else ()


def compile_graph(document: Document, registry: Registry, models: Path, *, strict: bool = True) -> Plan:
    """Check `document` and make its plan. `models` is the folder of weights, which generators' keys include.

    Raises `GraphError` with every problem found: unknown nodes, parameters out of range, wires that lead nowhere or
    do not fit, missing inputs, cycles. Unless `strict`, they are told in the plan, and what does not hang on them runs.
    """
    return compile_nodes(check_nodes(document, registry), models, strict=strict)


def compile_nodes(graph: CheckedGraph, models: Path, *, strict: bool = True) -> Plan:
    """The plan of nodes that were checked one by one: see `compile_graph`."""
    problems = list(graph.problems)
    with no_collecting():
        wires = _check_wires(graph, problems)
        order = _order(tuple(graph.nodes), wires, problems)
        if problems and strict:
            raise GraphError(problems)
        return _plan(graph, wires, order, models, problems)


def preflight(plan: Plan) -> None:
    """Ask every node what it would refuse before work starts. Raises `GraphError` with all answers."""
    problems: list[NodeError] = []
    for step in plan.steps:
        try:
            step.node.preflight(_seen(step.inputs, plan.models))
        except Exception as error:
            problems.append(NodeError.at(step.document_node, error, f"check node {step.name}"))
    if problems:
        raise GraphError(problems)


_Wire = tuple[str, int, type[Node] | None, bool]
"""A wire that is converted, moves a parameter, or comes from a node with a problem of its own: the socket or parameter
it goes into, the number of the node it comes from or -1, the conversion, and whether it moves a parameter."""


class _Wires(NamedTuple):
    """The wires of all nodes, which are numbered in the graph's order: for each node, the number of the node at each
    input, None for a node with a wire that does not fit; and, of few nodes, those wires that are not so simple."""

    plain: list[dict[str, int] | None]
    special: dict[int, list[_Wire]]

    def sources(self, at: int) -> Iterable[int]:
        """The numbers of the nodes that node `at` reads, -1 for those with a problem."""
        plain = self.plain[at] or {}
        if at not in self.special:
            return plain.values()
        return (*plain.values(), *(source for _, source, _, _ in self.special[at]))


def _check_wires(graph: CheckedGraph, problems: list[NodeError]) -> _Wires:
    """Check every wire, and that no input lacks one it needs."""
    nodes = graph.nodes
    number = {name: at for at, name in enumerate(nodes)}
    faces = [face(type(checked.node)) for checked in nodes.values()]
    outputs = [about.output for about in faces]
    known_bad = {problem.node for problem in problems}
    wires = _Wires([], {})
    for (name, checked), about in zip(nodes.items(), faces, strict=True):
        plain: dict[str, int] = {}
        before = len(problems)
        inputs = about.inputs
        for socket, (source, output) in checked.wires.items():
            at = number.get(source, -1)
            if at >= 0 and output == "out" and outputs[at] is inputs.get(socket):
                plain[socket] = at
                continue
            try:
                through, moves = _other_wire(name, checked, socket, Wire(source, output), nodes, known_bad)
                wires.special.setdefault(number[name], []).append((socket, at, through, moves))
            except NodeError as error:
                problems.append(error)
        if len(plain) < len(inputs) and not about.required <= checked.wires.keys():
            problems.extend(_unwired(name, checked, socket) for socket in sorted(about.required - checked.wires.keys()))
        wires.plain.append(plain if len(problems) == before else None)
    return wires


def _unwired(name: str, checked: Checked, socket: str) -> NodeError:
    wanted = face(type(checked.node)).inputs[socket]
    because = f'nothing is connected to its input "{socket}"'
    return NodeError(name, f"run node {name}", because, f"connecting a {wanted} there")


def _other_wire(
    name: str, here: Checked, socket: str, end: Wire, nodes: Mapping[str, Checked], bad: set[str]
) -> tuple[type[Node] | None, bool]:
    """The conversion of a wire that is not simply from an output to an input of one type, and whether it moves a
    parameter. Raises `NodeError`."""
    source, output = end
    attempted = f'connect {source}.{output} to the input "{socket}" of node {name}'
    about = face(type(here.node))
    moves = socket in about.moving
    wanted = SocketType.CONTROL if moves else about.inputs.get(socket)
    if wanted is None:
        known = ", ".join(about.inputs) or "none: it has no inputs"
        raise NodeError(name, attempted, f"{here.node.type_name()} has no such input", f"one of: {known}")
    if source not in nodes:
        if source in bad:
            return None, moves
        raise NodeError(name, attempted, f'the graph has no node "{source}"', "connecting a node that exists")
    there = nodes[source].node
    if there.output(output) is None:
        known = ", ".join(known.name for known in there.outputs) or "none: it ends the graph"
        raise NodeError(name, attempted, f"{there.type_name()} has no such output", f"one of: {known}")
    given = face(type(there)).output
    assert given is not None
    if given is wanted:
        return None, moves
    conversion = CONVERSIONS.get((given, wanted))
    if conversion is None:
        because = f"{given} does not become {wanted} by itself"
        raise NodeError(name, attempted, because, f"a node that makes {wanted} in between")
    return conversion, moves


def _order(names: Sequence[str], wires: _Wires, problems: list[NodeError]) -> list[int]:
    """Kahn's order of all that hangs on no problem. Where there is a choice, what was made ready last comes next, so
    that a branch is finished before another is begun and few pictures are held at once."""
    waiting_for = [-1 if plain is None else len(plain) for plain in wires.plain]
    feeds: list[list[int]] = [[] for _ in waiting_for]
    for at, plain in enumerate(wires.plain):
        for source in plain.values() if plain else ():
            feeds[source].append(at)
    for at, special in wires.special.items():
        waiting_for[at] += len(special) if waiting_for[at] >= 0 else 0
        for _, source, _, _ in special:
            if source >= 0:
                feeds[source].append(at)
    ready = [at for at in range(len(feeds) - 1, -1, -1) if waiting_for[at] == 0]
    order: list[int] = []
    while ready:
        at = ready.pop()
        order.append(at)
        for reader in reversed(feeds[at]):
            waiting_for[reader] -= 1
            if waiting_for[reader] == 0:
                ready.append(reader)
    if len(order) < len(feeds) and (cycle := _cycle(wires, waiting_for)):
        problems.append(_round([names[at] for at in cycle]))
    return order


def _cycle(wires: _Wires, waiting_for: Sequence[int]) -> list[int] | None:
    """Walk backwards among the nodes that never became ready until one comes twice: that is a cycle. A walk that ends
    at a node with a problem of its own leaves the rest to look at."""
    stuck = {at: None for at, count in enumerate(waiting_for) if count > 0}
    while stuck:
        path: dict[int, None] = {}
        at: int | None = next(iter(stuck))
        while at is not None and at not in path:
            path[at] = None
            at = next((source for source in wires.sources(at) if source in stuck), None)
        if at is not None:
            walked = list(path)
            return walked[walked.index(at) :][::-1]
        for walked_over in path:
            del stuck[walked_over]
    return None


def _round(cycle: list[str]) -> NodeError:
    shown = [*cycle, cycle[0]] if len(cycle) <= 8 else [*cycle[:4], "...", *cycle[-3:], cycle[0]]
    return NodeError(
        cycle[0],
        "order the graph",
        f"it goes round in a circle: {' -> '.join(shown)}",
        f"removing one wire, for example the one from {cycle[-1]} to {cycle[0]}",
    )


def _plan(
    graph: CheckedGraph,
    wires: _Wires,
    order: Iterable[int],
    models: Path,
    problems: list[NodeError],
) -> Plan:
    nodes = list(graph.nodes.items())
    steps: list[Step] = []
    index: dict[str, int] = {}
    place = [-1] * len(nodes)
    readers: list[list[int]] = []
    converted: dict[tuple[int, type[Node]], int] = {}
    for number in order:
        name, checked = nodes[number]
        inputs = {socket: place[source] for socket, source in (wires.plain[number] or {}).items()}
        moving: Mapping[str, Curve | int] = checked.curves
        if number in wires.special:
            moving = dict(moving)
            for socket, source, through, moves in wires.special[number]:
                at = place[source]
                if through is not None:
                    at = _converted(at, through, steps, readers, converted, name, models)
                if moves:
                    moving[socket] = at
                else:
                    inputs[socket] = at
            inputs = dict(sorted(inputs.items()))
        here = index[name] = place[number] = len(steps)
        node, identity = checked.node, checked.identity
        about = face(type(node))
        if about.has_identity or about.has_fingerprint:
            step = _step(name, node, identity, inputs, moving, name, steps, models)
        else:
            step = Step(name, node, _key(identity, inputs, moving, steps), inputs, name, moving, identity, None)
        for at in (*inputs.values(), *controls(step)) if moving else inputs.values():
            readers[at].append(here)
        readers.append([])
        steps.append(step)
    blocked = _blame(graph.nodes, index, problems)
    for group, inside in graph.shown.items():
        if inside in index:
            index[group] = index[inside]
        elif inside in blocked:
            blocked.setdefault(group, blocked[inside])
    return Plan(tuple(steps), index, models, readers, tuple(problems), blocked)


def _converted(
    source: int,
    through: type[Node],
    steps: list[Step],
    readers: list[list[int]],
    known: dict[tuple[int, type[Node]], int],
    reader: str,
    models: Path,
) -> int:
    """The step that converts what step `source` gives; one for all its readers."""
    pair = (source, through)
    if pair not in known:
        node = through()
        title = f"{steps[source].name} as {through.outputs[0].type}"
        known[pair] = len(steps)
        readers[source].append(len(steps))
        readers.append([])
        steps.append(_step(title, node, _identity(node), {"value": source}, {}, reader, steps, models))
    return known[pair]


def _blame(nodes: Mapping[str, Checked], index: Mapping[str, int], problems: list[NodeError]) -> dict[str, NodeError]:
    """For each node that cannot run, the problem that keeps it from running."""
    blocked: dict[str, NodeError] = {}
    for problem in problems:
        blocked.setdefault(problem.node, problem)
    if not problems:
        return blocked
    feeds: dict[str, list[str]] = {}
    for name, checked in nodes.items():
        for end in checked.wires.values():
            feeds.setdefault(end.node, []).append(name)
    waiting = list(blocked)
    while waiting:
        name = waiting.pop()
        for reader in feeds.get(name, ()):
            if reader not in blocked and reader not in index:
                blocked[reader] = blocked[name]
                waiting.append(reader)
    return blocked


def _identity(node: Node) -> bytes:
    return f"{node.type_name()}\0{node.version}\0value\0".encode()


def _seen(inputs: Mapping[str, int], models: Path) -> Preflight:
    return Preflight(frozenset(inputs), models)


def _step(
    name: str,
    node: Node,
    identity: bytes,
    inputs: Mapping[str, int],
    moving: Mapping[str, Curve | int],
    document_node: str,
    steps: list[Step],
    models: Path,
) -> Step:
    about = face(type(node))
    if about.has_identity and not moving:
        handed_on = node.identity()  # type: ignore[attr-defined]
        if handed_on is not None and handed_on in inputs:
            same_as = inputs[handed_on]
            return Step(name, node, steps[same_as].key, inputs, document_node, moving, identity, same_as)
    if about.has_fingerprint:
        identity = b"%b\0%b" % (identity, node.fingerprint(_seen(inputs, models)).encode())
    key = _key(identity, inputs, moving, steps)
    return Step(name, node, key, inputs, document_node, moving, identity, None)


def _key(identity: bytes, inputs: Mapping[str, int], moving: Mapping[str, Curve | int], steps: list[Step]) -> bytes:
    """blake2b, 16 bytes, over the node's identity, which names what is wired, and, in the order of names, the keys of
    its inputs and of the controls that move it."""
    for source in inputs.values():
        identity += steps[source].key
    if moving:
        identity += b"".join(steps[source].key for _, source in sorted(moving.items()) if isinstance(source, int))
    return blake2b(identity, digest_size=16).digest()
