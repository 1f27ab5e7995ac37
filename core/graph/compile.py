"""From nodes to a plan: wired, ordered, keyed, in time that grows with nodes plus wires and without recursion.

A key is a hash of a node's type, version, parameters and *input keys*; the frame number is never in it, so what does
not depend on time is computed once, and an edit changes the keys of what is downstream and of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from artifexpro.core.graph.checked import Checked, CheckedGraph, check_edit, check_nodes
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.faces import face
from artifexpro.core.graph.garbage import no_collecting
from artifexpro.core.graph.kinds import SinkNode
from artifexpro.core.graph.node import Node, Preflight
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.wiring import Wired, order, wire

_STILL: Mapping[str, Curve | int] = MappingProxyType({})
_new = tuple.__new__


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

        def key_of(index: int) -> bytes:
            return steps[index].key

        steps[at] = _step(
            old.name, edited.node, edited.identity, old.inputs, {**edited.curves, **wired}, node, key_of, self.models
        )
        for index in self.downstream(at)[1:]:
            name, old_node, _, inputs, document_node, moving, identity, same_as = steps[index]
            key = _key(identity, _sources(inputs, moving), key_of) if same_as is None else key_of(same_as)
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
        wired = wire(graph, problems)
        ordered = order(wired, problems)
        if problems and strict:
            raise GraphError(problems)
        return _plan(graph, wired, ordered, models, problems)


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


def _plan(graph: CheckedGraph, wired: Wired, ordered: Sequence[int], models: Path, problems: list[NodeError]) -> Plan:
    """Steps from what was wired and ordered; the tables of `wired` become those of the steps."""
    names, owners, nodes, wires, controlled, reading, _ = wired
    place = [-1] * len(names)
    for at, number in enumerate(ordered):
        place[number] = at
    steps: list[Step] = []
    keys: list[bytes] = []
    place_of, key_of = place.__getitem__, keys.__getitem__
    for number in ordered:
        inputs = wires[number]
        for socket, source in inputs.items():
            inputs[socket] = place[source]
        checked = nodes[number]
        about = face(type(checked[0]))
        if about.has_identity or about.has_fingerprint or checked[1] or number in controlled:
            moving: dict[str, Curve | int] = dict(checked[1])
            moving.update((name, place[source]) for name, source in controlled.get(number, {}).items())
            step = _step(names[number], checked[0], checked[3], inputs, moving, owners[number], key_of, models)
        else:
            key = _key(checked[3], inputs.values(), key_of)
            step = _new(Step, (names[number], checked[0], key, inputs, owners[number], _STILL, checked[3], None))
        keys.append(step[2])
        steps.append(step)
    readers = [list(map(place_of, reading[number])) for number in ordered]
    if len(ordered) < len(place):
        readers = [[at for at in each if at >= 0] for each in readers]
    index = {names[number]: at for at, number in enumerate(ordered) if number < len(graph.nodes)}
    blocked = _blame(graph.nodes, index, problems)
    for group, inside in graph.shown.items():
        if inside in index:
            index[group] = index[inside]
        elif inside in blocked:
            blocked.setdefault(group, blocked[inside])
    return Plan(tuple(steps), index, models, readers, tuple(problems), blocked)


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


def _seen(inputs: Mapping[str, int], models: Path) -> Preflight:
    return Preflight(frozenset(inputs), models)


def _step(
    name: str,
    node: Node,
    identity: bytes,
    inputs: Mapping[str, int],
    moving: Mapping[str, Curve | int],
    document_node: str,
    key_of: Callable[[int], bytes],
    models: Path,
) -> Step:
    about = face(type(node))
    if about.has_identity and not moving:
        handed_on = node.identity()  # type: ignore[attr-defined]
        if handed_on is not None and handed_on in inputs:
            same_as = inputs[handed_on]
            return Step(name, node, key_of(same_as), inputs, document_node, moving, identity, same_as)
    if about.has_fingerprint:
        identity = b"%b\0%b" % (identity, node.fingerprint(_seen(inputs, models)).encode())
    key = _key(identity, _sources(inputs, moving), key_of)
    return Step(name, node, key, inputs, document_node, moving, identity, None)


def _sources(inputs: Mapping[str, int], moving: Mapping[str, Curve | int]) -> Iterable[int]:
    """What a step reads, in the order of names: its inputs, then the controls that move it."""
    return (*inputs.values(), *(source for _, source in sorted(moving.items()) if isinstance(source, int)))


def _key(identity: bytes, sources: Iterable[int], key_of: Callable[[int], bytes]) -> bytes:
    """blake2b, 16 bytes, over the node's identity, which names what is wired, and the keys of what it reads."""
    for source in sources:
        identity += key_of(source)
    return blake2b(identity, digest_size=16).digest()
