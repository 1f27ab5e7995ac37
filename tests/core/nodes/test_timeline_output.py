"""TimelineOutput: the clip at its place, referring to what FileOutput wrote."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.node import Preflight
from artifexpro.core.nodes.timeline import TimelineOutput
from artifexpro.core.protocol import FrameRange, Target
from artifexpro.core.timeline import otio

VIDEO = {"video": "plate"}


def both(graph: Callable, plate: tuple, media: str, **params: object) -> object:
    """The timeline stands first in the document, and still runs last."""
    timeline = ("TimelineOutput", {"media": media, **params}, VIDEO)
    return graph(plate=plate, edit=timeline, frames=("FileOutput", {"path": media}, VIDEO))


def write_all(built: object) -> dict[str, tuple]:
    names = {at: name for name, at in built.plan.index.items()}
    return {names[at]: built.evaluator.write(at) for at in built.plan.sinks()}


@pytest.mark.parametrize(("media", "first"), [("clip.mp4", 0), ("frames/f.%04d.exr", 1001)])
def test_the_clip_lies_where_the_job_said(
    graph: Callable, plate: tuple, job: QuietContext, media: str, first: int
) -> None:
    job.target = Target(host="blender", frame=1101, handles=2)
    made = write_all(both(graph, plate, media, track="V2", name="boat", start=1001))
    (artefact,) = made["edit"]
    assert (artefact.role, artefact.path) == ("timeline", str(job.output / "edit.otio"))
    assert artefact.frames == FrameRange(first=1101, last=1102)
    (cut,) = otio.read(job.output / "edit.otio")
    assert (cut.name, cut.track, cut.media) == ("boat", "V2", job.output / media)
    assert (cut.first, cut.last, cut.rate) == (first, first + 5, Fraction(25))
    assert (cut.record, cut.timeline_start, cut.handles, cut.shown) == (1101, 1001, 2, 2)
    assert cut.metadata == {"recipe": job.recipe}


def test_without_a_target_it_lies_at_its_own_frame(graph: Callable, plate: tuple, job: QuietContext) -> None:
    job.frames = FrameRange(first=1002, last=1005)
    write_all(both(graph, plate, "clip.mp4"))
    (cut,) = otio.read(job.output / "edit.otio")
    assert (cut.record, cut.first, cut.last, cut.shown) == (1002, 0, 3, 4)


def test_media_that_is_not_there_is_refused(graph: Callable, plate: tuple, job: QuietContext) -> None:
    built = graph(plate=plate, edit=("TimelineOutput", {"media": "other.mp4"}, VIDEO))
    with pytest.raises(ArtifexError, match=r'a FileOutput with path "other\.mp4"'):
        built.write("edit")
    assert not (job.output / "edit.otio").exists()


def test_handles_longer_than_the_clip_are_refused(graph: Callable, plate: tuple, job: QuietContext) -> None:
    job.target = Target(host="blender", frame=10, handles=3)
    with pytest.raises(ArtifexError, match="nothing is left between handles of 3"):
        write_all(both(graph, plate, "clip.mp4"))


def test_a_place_before_the_timeline_is_refused(graph: Callable, plate: tuple, job: QuietContext) -> None:
    job.target = Target(host="blender", frame=10)
    with pytest.raises(ArtifexError, match="starts at frame 1001"):
        write_all(both(graph, plate, "clip.mp4", start=1001))


@pytest.mark.parametrize(("params", "because"), [({"path": "edit.xml"}, r"\.otio"), ({"media": ""}, "no media")])
def test_what_cannot_be_written_is_refused_before_work(tmp_path: Path, params: dict, because: str) -> None:
    with pytest.raises(ArtifexError, match=because):
        TimelineOutput(**params).preflight(Preflight(frozenset({"video"}), tmp_path))
