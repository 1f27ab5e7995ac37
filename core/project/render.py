"""Running one graph job: check it, then write every sink.

`check_graph` runs in the daemon before a job is accepted and touches no pixels; `render_graph` runs in a worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import perf_counter
from typing import Protocol

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.compile import Plan, compile_graph, preflight
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.nodes import library
from artifexpro.core.project.recipe import make_recipe
from artifexpro.core.protocol import Artefact, ColorContract, FrameRange, JobRequest, JobResult, RenderGraph, StageTime


class RunningJob(JobContext, Protocol):
    """A context that can be asked, at the end, what it was told."""

    stages: list[StageTime]
    notes: list[str]


def check_graph(request: JobRequest, models: Path) -> Plan:
    """Compile the request's graph and ask every node what it would refuse. Raises `GraphError`, `DocumentError`."""
    _check_color(request.color)
    plan = compile_graph(_document(request), library(), models)
    if not plan.sinks():
        raise ArtifexError(
            "accept the graph",
            "nothing in it writes a result",
            "adding a FileOutput or a TimelineOutput",
            code="graph",
        )
    preflight(plan)
    return plan


def frames_to_write(request: JobRequest) -> FrameRange | None:
    """The frames the request's sinks write: its range, widened at both ends by the target's handles; None is all."""
    wanted = _work(request).frames
    handles = request.target.handles if request.target else 0
    if wanted is None or not handles:
        return wanted
    return FrameRange(first=wanted.first - handles, last=wanted.last + handles)


def render_graph(request: JobRequest, context: RunningJob) -> JobResult:
    """Run all sinks of the request's graph and say what was made. `context.frames` is from `frames_to_write`.

    A sink that fails does not stop the others: they are written, then the first failure is raised.
    """
    plan = check_graph(request, context.models)
    context.recipe.update(make_recipe(request, _document(request), plan))
    evaluator = Evaluator(plan, context)
    artefacts: list[Artefact] = []
    failures: list[ArtifexError] = []
    began = perf_counter()
    for sink in plan.sinks():
        try:
            artefacts.extend(evaluator.write(sink, _work(request).scale))
        except Cancelled:
            raise
        except ArtifexError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    total = StageTime(name="total", seconds=perf_counter() - began)
    return JobResult(
        artefacts=tuple(artefacts),
        stages=(*_summed(context.stages), total),
        recipe=context.recipe,
        notes=tuple(context.notes),
    )


def _summed(stages: Iterable[StageTime]) -> list[StageTime]:
    """One entry a stage, in the order in which they first began: "load" and "decode" come in many pieces."""
    seconds: dict[tuple[str, str | None], float] = {}
    for stage in stages:
        name = (stage.name, stage.node)
        seconds[name] = seconds.get(name, 0.0) + stage.seconds
    return [StageTime(name=name, node=node, seconds=spent) for (name, node), spent in seconds.items()]


def _check_color(contract: ColorContract) -> None:
    """Only `space_out` can be chosen in this release; anything else that was chosen is refused, not ignored."""
    for name in ("config", "space_in", "ceiling"):
        wanted, kept = getattr(contract, name), ColorContract.model_fields[name].default
        if wanted != kept:
            raise ArtifexError(
                f"use {wanted} as the colour contract's {name}",
                f"this release works with {kept} only",
                f"{kept}, with the parameter space of an input or output for a file of another colour space",
                code="color",
            )


def _work(request: JobRequest) -> RenderGraph:
    if not isinstance(request.work, RenderGraph):
        raise TypeError(f"a {request.work.kind} job has no graph")
    return request.work


def _document(request: JobRequest) -> Document:
    return Document.parse(_work(request).document)
