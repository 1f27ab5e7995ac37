"""Running one graph job: check it, then write every sink.

`check_graph` runs in the daemon before a job is accepted and touches no pixels; `render_graph` runs in a worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.compile import Plan
from artifexpro.core.graph.document import Document
from artifexpro.core.nodes import library
from artifexpro.core.project import clips, sinks
from artifexpro.core.project.clips import RunningJob
from artifexpro.core.project.recipe import make_recipe
from artifexpro.core.protocol import ColorContract, FrameRange, JobRequest, JobResult, RenderGraph, StageTime


def check_graph(request: JobRequest, models: Path) -> Plan:
    """Compile the request's graph and ask every node what it would refuse; for a graph that runs on each clip of a
    timeline, pointed at the first of them. Raises `GraphError`, `DocumentError`."""
    _check_color(request.color)
    if _work(request).each is not None:
        return clips.check(request, _document(request), library(), models)
    return sinks.accept(_document(request), library(), models).plan


def frames_to_write(request: JobRequest) -> FrameRange | None:
    """The frames the request's sinks write: its range, widened at both ends by the target's handles; None is all."""
    wanted = _work(request).frames
    handles = request.target.handles if request.target else 0
    if wanted is None or not handles:
        return wanted
    return FrameRange(first=wanted.first - handles, last=wanted.last + handles)


def render_graph(request: JobRequest, context: RunningJob) -> JobResult:
    """Run all sinks of the request's graph and say what was made. `context.frames` is from `frames_to_write`.

    A sink that fails does not stop the others: they are written, then the first failure is raised. What no sink takes
    need not be whole; it is told in the result's notes.
    """
    _check_color(request.color)
    work, document = _work(request), _document(request)
    began = perf_counter()
    if work.each is not None:
        artefacts = clips.render(request, document, library(), context)
    else:
        plan, remarks = sinks.accept(document, library(), context.models)
        context.recipe.update(make_recipe(request, document, plan))
        for remark in remarks:
            context.note(remark)
        artefacts, failures = sinks.write(plan, context, work.scale)
        if failures:
            raise failures[0]
    total = StageTime(name="total", seconds=perf_counter() - began)
    return JobResult(
        artefacts=artefacts,
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
