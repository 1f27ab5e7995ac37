"""A graph's sinks: whether they can run, what is left out because none of them takes it, and writing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.compile import Plan, compile_graph, controls, preflight
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.engine import Engine
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.groups import flatten
from artifexpro.core.graph.kinds import SinkNode
from artifexpro.core.graph.records import NodeRecord
from artifexpro.core.graph.registry import Registry
from artifexpro.core.protocol import Artefact

MOST_REMARKS = 20
"""Problems of nodes that are left out, told one by one."""
_MOST_NAMES = 8


class Accepted(NamedTuple):
    """A plan all of whose sinks can run. `remarks` are sentences about nodes that have a problem and are left out."""

    plan: Plan
    remarks: tuple[str, ...]


class Written(NamedTuple):
    """What sinks made, and why some made nothing."""

    artefacts: tuple[Artefact, ...]
    failures: tuple[ArtifexError, ...]


def accept(document: Document, registry: Registry, models: Path) -> Accepted:
    """Compile a graph and ask every node that a sink takes what it would refuse; touches no pixels.

    Raises `GraphError`, with what keeps a sink from running first, where one cannot run or a node is not known here
    that nothing reads, which may be a sink; `ArtifexError` where there is no sink.
    """
    plan = compile_graph(document, registry, models, strict=False)
    if plan.problems:
        _refuse_lost_sinks(document, registry, plan)
    if not plan.sinks():
        raise ArtifexError(
            "accept the graph",
            "nothing in it writes a result",
            "adding a FileOutput or a TimelineOutput",
            code="graph",
        )
    left = _by_problem(plan)
    try:
        preflight(plan)
    except GraphError as refused:
        taken = {plan.steps[at].document_node for at in wanted(plan)}
        fatal = [problem for problem in refused.problems if problem.node in taken]
        if fatal:
            raise GraphError(fatal) from None
        left += [(problem, [problem.node]) for problem in refused.problems]
    return Accepted(plan, tuple(_remarks(left)))


def wanted(plan: Plan) -> list[int]:
    """The steps that a sink is or takes, inputs first."""
    steps = plan.steps
    is_wanted = bytearray(len(steps))
    for at in range(len(steps) - 1, -1, -1):
        step = steps[at]
        if is_wanted[at] or isinstance(step.node, SinkNode):
            is_wanted[at] = 1
            for source in (*step.inputs.values(), *controls(step)):
                is_wanted[source] = 1
    return [at for at in range(len(steps)) if is_wanted[at]]


def write(plan: Plan, context: JobContext, scale: float, engine: Engine | None = None) -> Written:
    """Run all sinks. One that fails does not stop the others. Raises `Cancelled`."""
    evaluator = Evaluator(plan, context, engine)
    artefacts: list[Artefact] = []
    failures: list[ArtifexError] = []
    for sink in plan.sinks():
        try:
            artefacts.extend(evaluator.write(sink, scale))
        except Cancelled:
            raise
        except ArtifexError as failure:
            failures.append(failure)
    return Written(tuple(artefacts), tuple(failures))


def _refuse_lost_sinks(document: Document, registry: Registry, plan: Plan) -> None:
    records = flatten(document).records
    read = {wire.node for record in records.values() for wire in record.inputs.values()}
    lost = [name for name in {**records, **plan.blocked} if name not in plan.index]
    fatal = {
        id(plan.blocked.get(name, plan.problems[-1])) for name in lost if _may_write(name, records, registry, read)
    }
    if fatal:
        raise GraphError(sorted(plan.problems, key=lambda problem: id(problem) not in fatal))


def _may_write(name: str, records: Mapping[str, NodeRecord], registry: Registry, read: set[str]) -> bool:
    """Whether a node that cannot run is a sink, or may be one for all that is known here."""
    declaration = registry.get(records[name].type) if name in records else None
    return name not in read if declaration is None else issubclass(declaration, SinkNode)


def _by_problem(plan: Plan) -> list[tuple[NodeError, list[str]]]:
    """Every problem, with the nodes that it keeps from running."""
    nodes: dict[int, list[str]] = {id(problem): [problem.node] for problem in plan.problems}
    for name, problem in plan.blocked.items():
        if name != problem.node:
            nodes[id(problem)].append(name)
    return [(problem, nodes[id(problem)]) for problem in plan.problems]


def _remarks(left: list[tuple[NodeError, list[str]]]) -> Iterable[str]:
    for problem, nodes in left[:MOST_REMARKS]:
        said = f"could not {problem.attempted}, because {problem.because}"
        if len(nodes) == 1:
            yield f"Node {problem.node} was left out: it {said}."
            continue
        shown = ", ".join(nodes[:_MOST_NAMES])
        more = f" and {len(nodes) - _MOST_NAMES} more" if len(nodes) > _MOST_NAMES else ""
        yield f"Nodes {shown}{more} were left out: {problem.node} {said}."
    if len(left) > MOST_REMARKS:
        yield f"{len(left) - MOST_REMARKS} more nodes of the graph have problems and were left out."
