"""What is looked at before a job is accepted: everything that can be known without touching pixels.

Runs in a thread beside the daemon's loop, because looking at files may be slow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import (
    BundleModels,
    ConvertModel,
    ExtendPrompt,
    FetchModel,
    JobRequest,
    KeepModel,
    RenderGraph,
    VerifyModel,
    Work,
)
from artifexpro.daemon.home import Home

if TYPE_CHECKING:
    from artifexpro.core.graph.compile import Plan

BYTES_A_PIXEL = 8
"""RGBA at half precision, uncompressed."""


def admit(request: JobRequest, home: Home) -> int | None:
    """Refuse what cannot work (`ArtifexError`); returns the bytes the job will write, where arithmetic can tell."""
    _check_output(request)
    for file in request.inputs:
        if not Path(file.path).is_file():
            raise ArtifexError(f"accept a job that reads {file.path}", "there is no such file", "another", code="file")
    if isinstance(request.work, ExtendPrompt):
        _check_prompt(request.work, home)
        return None
    if not isinstance(request.work, RenderGraph):
        return _model_bytes(request.work)
    from artifexpro.core.project.render import check_graph

    return _written_bytes(check_graph(request, home.models), request.work)


def _check_output(request: JobRequest) -> None:
    if request.output is not None and not Path(request.output).is_absolute():
        raise _unrooted(request.output)


def _unrooted(path: str) -> ArtifexError:
    return ArtifexError(
        f"use {path}",
        "the daemon does not know from which folder that path starts",
        "a path that starts at the root of the disk",
        code="bad-request",
    )


def _check_prompt(work: ExtendPrompt, home: Home) -> None:
    from artifexpro.core.wan22.prompting import looking

    looking.settled(work.model_dump(), home.models)
    if work.image is not None and not Path(work.image).is_file():
        raise ArtifexError(f"show the picture {work.image}", "there is no such file", "another", code="file")


def _model_bytes(work: Work) -> int | None:
    """What a download or a copy of one model may write. Raises `ArtifexError` for models that nobody knows."""
    from artifexpro.core.wan22.catalogue import usable

    if isinstance(work, BundleModels):
        for name in work.models:
            usable(name)
        if not Path(work.path).is_absolute():
            raise _unrooted(work.path)
    if isinstance(work, FetchModel) and work.bundle is not None and not Path(work.bundle).is_absolute():
        raise _unrooted(work.bundle)
    if isinstance(work, KeepModel):
        usable(work.model)
    if not isinstance(work, FetchModel | VerifyModel | ConvertModel):
        return None
    parts = usable(work.model).components
    return sum(part.parameters * part.stored_bytes for part in parts) or None


def _written_bytes(plan: Plan, work: RenderGraph) -> int | None:
    """All sinks' pictures, uncompressed; None where a clip read from a file decides: only workers open files."""
    from artifexpro.core.graph.context import QuietContext
    from artifexpro.core.graph.evaluate import Evaluator
    from artifexpro.core.graph.kinds import SourceNode

    evaluator = Evaluator(plan, QuietContext(plan.models, plan.models, plan.models))
    total = 0
    for sink in plan.sinks():
        if any(isinstance(plan.steps[at].node, SourceNode) for at in plan.upstream(sink)):
            return None
        for source in plan.steps[sink].inputs.values():
            info = evaluator.info(source)
            width, height = info.size_at(work.scale)
            frames = len(info) if work.frames is None else work.frames.last - work.frames.first + 1
            total += frames * width * height * BYTES_A_PIXEL
    return total


def warm() -> None:
    """Import what the first graph needs, while nobody waits for it yet."""
    from artifexpro.core.nodes import library
    from artifexpro.core.project import render

    assert render.check_graph is not None
    library()
