"""The wires of a graph: each checked, converted where types differ, and all that they join brought into an order.

Nodes have numbers here instead of names. Every pass over a large graph touches as few objects as it can: what it costs
is waiting for memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from artifexpro.core.graph.checked import Checked, CheckedGraph
from artifexpro.core.graph.conversions import CONVERSIONS
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.faces import face
from artifexpro.core.graph.node import Node
from artifexpro.core.graph.records import Wire
from artifexpro.core.graph.values import SocketType

_NEVER = -1


class Wired(NamedTuple):
    """What is to become steps, by number: the graph's nodes in its order, then the conversions between them.

    `names` are the steps' names, `owners` the nodes that their errors belong to. `inputs` has for each the number at
    each input; `controls`, of few, the numbers at the parameters that a control moves; `readers` those that read it;
    `waiting` how many it reads, negative for a node with a problem of its own, too many for one that reads such a node.
    """

    names: list[str]
    owners: list[str]
    checked: list[Checked]
    inputs: list[dict[str, int]]
    controls: dict[int, dict[str, int]]
    readers: list[list[int]]
    waiting: list[int]

    def sources(self, at: int) -> Iterable[int]:
        """The numbers of what `at` reads."""
        plain = self.inputs[at].values()
        return (*plain, *self.controls[at].values()) if at in self.controls else plain


def wire(graph: CheckedGraph, problems: list[NodeError]) -> Wired:
    """Check every wire, and that no input lacks one it needs; what is wrong is added to `problems`."""
    nodes = graph.nodes
    number = {name: at for at, name in enumerate(nodes)}
    faces = [face(type(each.node)) for each in nodes.values()]
    outputs = [about.output for about in faces]
    known_bad = {problem.node for problem in problems}
    readers: list[list[int]] = [[] for _ in nodes]
    wired = Wired(list(nodes), list(nodes), list(nodes.values()), [], {}, readers, [])
    converted: dict[tuple[int, type[Node]], int] = {}
    all_inputs, waiting = wired.inputs, wired.waiting
    for at, here in enumerate(nodes.values()):
        about = faces[at]
        before = len(problems)
        wanted = about.inputs
        inputs: dict[str, int] = {}
        more = 0
        for socket, end in here[2].items():
            there = number.get(end[0], -1)
            if there >= 0 and end[1] == "out" and outputs[there] is wanted.get(socket):
                inputs[socket] = there
                readers[there].append(at)
                continue
            name = wired.names[at]
            try:
                through = _conversion(name, here, socket, end, nodes, known_bad)
            except NodeError as error:
                problems.append(error)
                continue
            more += 1
            if there >= 0:
                read = there if through is None else _converted(there, through, name, wired, converted)
                readers[read].append(at)
                if socket in about.moving:
                    wired.controls.setdefault(at, {})[socket] = read
                else:
                    inputs[socket] = read
                    more -= 1
        if len(inputs) < len(wanted) and not about.required <= here.wires.keys():
            name = wired.names[at]
            problems.extend(_unwired(name, here, socket) for socket in sorted(about.required - here.wires.keys()))
        all_inputs.append(inputs)
        waiting.append(len(inputs) + more if len(problems) == before else _NEVER)
    for origin, _ in converted:
        all_inputs.append({"value": origin})
        waiting.append(1)
    return wired


def _converted(
    source: int, through: type[Node], reader: str, wired: Wired, known: dict[tuple[int, type[Node]], int]
) -> int:
    """The number of the conversion of what `source` gives; one for all its readers."""
    pair = (source, through)
    if pair not in known:
        known[pair] = len(wired.names)
        node = through()
        identity = f"{node.type_name()}\0{node.version}\0value\0".encode()
        wired.names.append(f"{wired.names[source]} as {through.outputs[0].type}")
        wired.owners.append(reader)
        wired.checked.append(Checked(node, {}, {}, identity))
        wired.readers[source].append(known[pair])
        wired.readers.append([])
    return known[pair]


def _unwired(name: str, checked: Checked, socket: str) -> NodeError:
    wanted = face(type(checked.node)).inputs[socket]
    because = f'nothing is connected to its input "{socket}"'
    return NodeError(name, f"run node {name}", because, f"connecting a {wanted} there")


def _conversion(
    name: str, here: Checked, socket: str, end: Wire, nodes: Mapping[str, Checked], bad: set[str]
) -> type[Node] | None:
    """The conversion of a wire that is not simply from an output to an input of one type; None where it needs none.
    Raises `NodeError`."""
    source, output = end
    attempted = f'connect {source}.{output} to the input "{socket}" of node {name}'
    about = face(type(here.node))
    wanted = SocketType.CONTROL if socket in about.moving else about.inputs.get(socket)
    if wanted is None:
        known = ", ".join(about.inputs) or "none: it has no inputs"
        raise NodeError(name, attempted, f"{here.node.type_name()} has no such input", f"one of: {known}")
    if source not in nodes:
        if source in bad:
            return None
        raise NodeError(name, attempted, f'the graph has no node "{source}"', "connecting a node that exists")
    there = nodes[source].node
    if there.output(output) is None:
        known = ", ".join(known.name for known in there.outputs) or "none: it ends the graph"
        raise NodeError(name, attempted, f"{there.type_name()} has no such output", f"one of: {known}")
    given = face(type(there)).output
    assert given is not None
    if given is wanted:
        return None
    conversion = CONVERSIONS.get((given, wanted))
    if conversion is None:
        because = f"{given} does not become {wanted} by itself"
        raise NodeError(name, attempted, because, f"a node that makes {wanted} in between")
    return conversion


def order(wired: Wired, problems: list[NodeError]) -> list[int]:
    """The numbers of all that hangs on no problem in Kahn's order; a cycle is added to `problems`.

    Where there is a choice, what was made ready last comes next, so that a branch is finished before another is begun
    and few pictures are held at once.
    """
    readers, waiting = wired.readers, wired.waiting.copy()
    ready = [at for at in range(len(waiting) - 1, -1, -1) if waiting[at] == 0]
    found: list[int] = []
    while ready:
        at = ready.pop()
        found.append(at)
        for reader in reversed(readers[at]):
            waiting[reader] -= 1
            if waiting[reader] == 0:
                ready.append(reader)
    if len(found) < len(readers) and (cycle := _cycle(wired, waiting)):
        problems.append(_round([wired.names[at] for at in cycle if wired.names[at] == wired.owners[at]]))
    return found


def _cycle(wired: Wired, waiting: Sequence[int]) -> list[int] | None:
    """Walk backwards among what never became ready until one comes twice: that is a cycle. A walk that ends at a node
    with a problem of its own leaves the rest to look at."""
    stuck = {at: None for at, count in enumerate(waiting) if count > 0}
    while stuck:
        path: dict[int, None] = {}
        at: int | None = next(iter(stuck))
        while at is not None and at not in path:
            path[at] = None
            at = next((source for source in wired.sources(at) if source in stuck), None)
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
