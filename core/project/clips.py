"""One graph on every clip of a timeline's track: a job that runs it as often as there are clips.

What a clip makes goes to a folder of its own, named by the clip and by its first frame on the timeline, which no other
clip of the track shares. A clip that fails, or for which there is nothing to do, is told and stops no other.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.compile import Plan
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.engine import Engine
from artifexpro.core.graph.kinds import SinkNode
from artifexpro.core.graph.registry import Registry
from artifexpro.core.project import sinks
from artifexpro.core.project.recipe import make_recipe
from artifexpro.core.protocol import (
    Artefact,
    ColorContract,
    EachClip,
    FrameRange,
    JobRequest,
    RenderGraph,
    StageTime,
    Target,
    TimelineClip,
)
from artifexpro.core.timeline.each import ClipWork, Passed, each_clip
from artifexpro.core.timeline.opening import open_timeline

if TYPE_CHECKING:
    import torch

_LONGEST_NAME = 60


class RunningJob(JobContext, Protocol):
    """A context that can be asked, at the end, what it was told."""

    stages: list[StageTime]
    notes: list[str]


def check(request: JobRequest, document: Document, registry: Registry, models: Path) -> Plan:
    """The plan of the graph pointed at the first clip there is work for. Raises `ArtifexError` where the job could not
    make anything, or its clips would write over one another."""
    work, each = _asked(request)
    track, clips = _clips(document, each)
    reason: ArtifexError | None = None
    for _, clip in clips:
        if isinstance(clip, ClipWork):
            plan = sinks.accept(clip.document, registry, models).plan
            _check_places(plan, each, work)
            return plan
        reason = reason or clip.why
    raise reason or _empty(track, each)


def render(request: JobRequest, document: Document, registry: Registry, context: RunningJob) -> tuple[Artefact, ...]:
    """Run the graph on clip after clip and say what was made. `context.recipe` becomes that of all of them.

    Raises the first clip's failure where none made anything, `Cancelled` between frames.
    """
    _, each = _asked(request)
    track, clips = _clips(document, each)
    engine = Engine()
    artefacts: list[Artefact] = []
    recipes: dict[str, dict[str, Any]] = {}
    reason: ArtifexError | None = None
    try:
        for label, clip in clips:
            context.check()
            failures: tuple[ArtifexError, ...]
            if isinstance(clip, Passed):
                failures = (clip.why,)
            else:
                here = _ClipContext.of(clip, label, each, context)
                made, failures = _run(request, clip, registry, here, engine, track)
                artefacts += made
                if made:
                    recipes[here.output.name] = here.recipe
            for failure in failures:
                reason = reason or failure
                context.note(_told(clip, failure))
    finally:
        engine.close()
    if not artefacts:
        raise reason or _empty(track, each)
    context.recipe.update(_common(recipes, document, each))
    return tuple(artefacts)


def _run(
    request: JobRequest,
    clip: ClipWork,
    registry: Registry,
    here: _ClipContext,
    engine: Engine,
    track: str,
) -> sinks.Written:
    """Run the graph on one clip. Raises `Cancelled`."""
    work, each = _asked(request)
    here.progress("begin", 0, 1)
    try:
        plan, remarks = sinks.accept(clip.document, registry, here.models)
        _check_places(plan, each, work)
        here.recipe.update(make_recipe(request, clip.document, plan))
    except ArtifexError as failure:
        return sinks.Written((), (failure,))
    for remark in (*clip.remarks, *remarks):
        here.note(remark)
    made, failures = sinks.write(plan, here, work.scale, engine)
    place = TimelineClip(name=clip.clip.name, track=track, first=clip.clip.first, last=clip.clip.last)
    return sinks.Written(tuple(artefact.model_copy(update={"clip": place}) for artefact in made), failures)


@dataclass
class _ClipContext:
    """The job as the nodes see it while they run on one clip: its own folder, frames, place and recipe."""

    job: RunningJob
    label: str
    output: Path
    store: Path
    models: Path
    color: ColorContract
    frames: FrameRange | None
    target: Target | None
    kept: dict[str, Any] = field(kw_only=True)
    recipe: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, clip: ClipWork, label: str, each: EachClip, job: RunningJob) -> _ClipContext:
        handles = min(clip.handles)
        first = clip.clip.first - (clip.handles[0] - handles)
        target = Target(host="timeline", document=each.timeline, frame=first, handles=handles)
        output = job.output / folder_name(clip.clip.name, clip.clip.first)
        return cls(job, label, output, job.store, job.models, job.color, clip.frames, target, kept=job.kept)

    def check(self) -> None:
        self.job.check()

    def progress(self, stage: str, done: int, total: int) -> None:
        self.job.progress(f"{self.label}, {stage}", done, total)

    def preview(self, pixels: torch.Tensor) -> None:
        self.job.preview(pixels)

    def note(self, sentence: str) -> None:
        self.job.note(sentence)

    def stage(self, name: str) -> AbstractContextManager[None]:
        return self.job.stage(name)


def folder_name(name: str, first: int) -> str:
    """A folder's name for the clip called `name` whose first frame on the timeline is `first`: one that every file
    system takes, and another for each clip of a track."""
    plain = re.sub(r"\W+", "_", unicodedata.normalize("NFC", name)).strip("_")[:_LONGEST_NAME]
    return f"{plain or 'clip'}-{first}"


def _asked(request: JobRequest) -> tuple[RenderGraph, EachClip]:
    """The work and its clips. Raises `ArtifexError` where the request says of all clips what is each clip's own."""
    work = request.work
    assert isinstance(work, RenderGraph) and work.each is not None
    attempted = "run the graph on each clip"
    if work.frames is not None:
        because = f"frames {work.frames.first} to {work.frames.last} were asked for, and every clip has its own frames"
        raise ArtifexError(attempted, because, "leaving the frames out", code="range")
    if request.target is not None and (request.target.frame is not None or request.target.handles):
        because = "the job has a place and handles for one result, and every clip has its own"
        raise ArtifexError(attempted, because, "leaving them out; each.handles is for every clip", code="range")
    return work, work.each


def _clips(document: Document, each: EachClip) -> tuple[str, Iterator[tuple[str, ClipWork | Passed]]]:
    """The name of the track, and of each of its clips "clip 3 of 40" and what there is to do. Raises `ArtifexError`."""
    path = Path(each.timeline)
    timeline = open_timeline(path)
    track = each.track
    if track is None:
        track = next((layer.name for layer in timeline.layers if layer.kind == "video"), None)
    if track is None:
        raise ArtifexError(f"run the graph on each clip of {path}", "it has no video track", "another timeline")
    clips = each_clip(document, each.node, timeline, track, each.handles)
    total = len(timeline.track(track).items)
    return track, ((f"clip {number} of {total}", clip) for number, clip in enumerate(clips, 1))


def _check_places(plan: Plan, each: EachClip, work: RenderGraph) -> None:
    """Refuse sinks that would write to one place for all clips, and a graph to which the clips mean nothing."""
    attempted = "run the graph on each clip"
    if plan.at(each.node) not in sinks.wanted(plan):
        because = f"nothing that it writes comes from node {each.node}"
        raise ArtifexError(attempted, because, "the input that its results come from", code="graph")
    for at in plan.sinks():
        for path in _paths(plan.steps[at].node):
            if Path(path).is_absolute() or ".." in Path(path).parts:
                name = plan.steps[at].name
                because = f"node {name} names one place for all of them, {path}"
                raise ArtifexError(attempted, because, f"a path of {name} inside the job's output folder", code="graph")


def _paths(node: Any) -> Iterator[str]:
    assert isinstance(node, SinkNode)
    for name, info in type(node).model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, Mapping) and extra.get("unit") == "path":
            value = getattr(node, name)
            if isinstance(value, str):
                yield value


def _told(clip: ClipWork | Passed, failure: ArtifexError) -> str:
    place = f"{clip.clip.name or 'A clip without a name'} at frame {math.ceil(clip.clip.start)}"
    if isinstance(clip, Passed):
        return f"{place} was passed over: {failure.because}."
    return f"{place} failed: could not {failure.attempted}, because {failure.because}. Try {failure.remedy}."


def _empty(track: str, each: EachClip) -> ArtifexError:
    return ArtifexError(
        f"run the graph on each clip of {each.timeline}", f"its track {track} has no clip", "another track"
    )


def _common(recipes: Mapping[str, Mapping[str, Any]], document: Document, each: EachClip) -> dict[str, Any]:
    """One recipe for all clips: what their nodes have in common, and by clip what they do not."""
    first, *others = recipes.values()
    shared = {
        name: facts
        for name, facts in first["nodes"].items()
        if all(other["nodes"].get(name) == facts for other in others)
    }
    own = {
        folder: {name: facts for name, facts in recipe["nodes"].items() if name not in shared}
        for folder, recipe in recipes.items()
    }
    return {
        **first,
        "graph": document.to_json(),
        "each": each.model_dump(mode="json"),
        "nodes": shared,
        "clips": own,
    }
