"""One graph for each clip: what the jobs read, and what is told of clips that have none."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.document import Document
from artifexpro.core.media.files import appearing
from artifexpro.core.media.movie import MovieWriter
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.still import Header
from artifexpro.core.nodes.inputs import MediaInput, SequenceInput
from artifexpro.core.protocol import FrameRange
from artifexpro.core.timeline.each import ClipWork, Passed, each_clip, missing
from artifexpro.core.timeline.index import TimelineIndex
from artifexpro.core.timeline.opening import index_of

schema = opentimelineio.schema


def grey(value: float) -> torch.Tensor:
    pixels = torch.full((1, 4, 4, 8), value).contiguous(memory_format=torch.channels_last)
    pixels[:, 3] = 1
    return pixels


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.mkv with 20 frames, s.1001.exr to s.1020.exr, card.png."""
    folder = tmp_path_factory.mktemp("media")
    with appearing(folder / "a.mkv") as part, MovieWriter(part, "ffv1", Fraction(24), (8, 4)) as movie:
        for frame in range(20):
            movie.add(grey(frame / 20))
    for frame in range(1001, 1021):
        write_frame(folder / f"s.{frame}.exr", grey(frame - 1000), "exr", Header("ACEScg", Fraction(24), frame))
    write_frame(folder / "card.png", grey(0.5), "png8", Header("srgb_tx"))
    return folder


@pytest.fixture
def timeline(edit: Callable, media: Path) -> TimelineIndex:
    e = edit(24)
    sequence = schema.Clip(
        name="frames",
        source_range=e.range(3, 5),
        media_reference=schema.ImageSequenceReference(
            str(media), "s.", ".exr", 1001, 1, 24, 4, available_range=e.range(0, 20)
        ),
    )
    double = schema.LinearTimeWarp(time_scalar=2.0)
    here = str(media / "{}")
    parts = (
        e.clip("a.mkv", 10, 2, path=here, has=(0, 20)),
        sequence,
        schema.Clip(name="offline", source_range=e.range(0, 2)),
        e.clip("gone.mov", 4, path=here, has=(0, 20)),
        e.clip("card.png", 6, path=here, has=(0, 1)),
        e.clip("a.mkv", 5, 4, path=here, has=(0, 20), effects=[double]),
        e.clip("off", 3, enabled=False),
        e.clip("a.mkv", 8, 15, path=here, has=(0, 20)),
        e.stack("scene", e.track("V1", e.clip("inner", 3))),
    )
    return index_of(e.timeline(e.track("V1", *parts), start=1001), media)


DOCUMENT = Document.parse(
    {
        "format": "artifexpro.graph",
        "version": 1,
        "nodes": {
            "plate": {
                "type": "MediaInput",
                "params": {"path": "/old.mov", "space": "ACEScct"},
                "ui": {"x": 3},
            },
            "grade": {"type": "Blur", "params": {"size": 3.0}, "inputs": {"image": ["plate", "out"]}},
        },
    }
)


def test_each_clip_has_a_job_or_a_reason(timeline: TimelineIndex, media: Path) -> None:
    told = list(each_clip(DOCUMENT, "plate", timeline, "V1", handles=4))
    assert [each.clip.name for each in told] == [item.name for item in timeline.track("V1").items]
    movie, frames, offline, gone, card, double, off, short, scene = told

    assert isinstance(movie, ClipWork)
    assert (movie.frames, movie.handles) == (FrameRange(first=999, last=1014), (2, 4))
    assert movie.document.nodes["plate"].params == {
        "path": str(media / "a.mkv"), "space": "ACEScct", "first_frame": 999
    }  # fmt: skip
    assert movie.document.nodes["plate"].ui == {"x": 3}
    assert movie.document.nodes["grade"] == DOCUMENT.nodes["grade"]
    assert movie.remarks == ("a.mkv has handles of 2 and 4 frames where 4 were asked for.",)

    assert isinstance(frames, ClipWork)
    assert (frames.frames, frames.handles) == (FrameRange(first=1001, last=1012), (3, 4))
    assert frames.document.nodes["plate"].type == "SequenceInput"
    assert frames.document.nodes["plate"].params["path"] == str(media / "s.%04d.exr")
    assert frames.document.nodes["plate"].params["space"] == "ACEScct"

    assert isinstance(card, ClipWork)
    assert (card.frames.first, card.frames.last) == (card.clip.first - 4, card.clip.last + 4)

    assert isinstance(double, ClipWork)
    assert double.frames == FrameRange(first=double.clip.first - 4, last=double.clip.first + 8 + 4)
    assert "does not play one picture of its media a frame" in double.remarks[0]

    for passed, reason in (
        (offline, "names no file"),
        (gone, "no such file"),
        (off, "switched off"),
        (short, "shows pictures 15 to 22 of its media, which has 0 to 19"),
        (scene, "a timeline of its own"),
    ):
        assert isinstance(passed, Passed)
        assert reason in str(passed.why)


def test_the_job_reads_the_pictures_that_the_timeline_shows(timeline: TimelineIndex) -> None:
    """The frame that the graph reads at a clip's place is the picture that the index says is there."""
    plain = Document.parse({**DOCUMENT.to_json(), "nodes": {"plate": {"type": "SequenceInput"}}})
    movie, frames, *_ = each_clip(plain, "plate", timeline, "V1")
    assert isinstance(movie, ClipWork) and isinstance(frames, ClipWork)
    from artifexpro.core.graph.values import FrameRequest

    for work, node, expected in (
        (movie, MediaInput(**movie.document.nodes["plate"].params), None),
        (frames, SequenceInput(**frames.document.nodes["plate"].params), 4.0),
    ):
        assert work.frames.last - work.frames.first + 1 == work.clip.last - work.clip.first + 1
        first = node.read(FrameRequest(work.frames.first)).pixels
        if expected is not None:
            assert float(first[0, 0, 0, 0]) == expected
        else:
            direct = MediaInput(path=node.path, first_frame=0).read(FrameRequest(work.clip.picture(work.clip.first)))
            assert torch.equal(first, direct.pixels)


def test_what_cannot_be_pointed_is_refused_at_once(timeline: TimelineIndex) -> None:
    with pytest.raises(ArtifexError, match='no node "plates"'):
        each_clip(DOCUMENT, "plates", timeline, "V1")
    with pytest.raises(ArtifexError, match="which reads no files"):
        each_clip(DOCUMENT, "grade", timeline, "V1")
    with pytest.raises(ArtifexError, match="no such video track"):
        each_clip(DOCUMENT, "plate", timeline, "V7")


def test_missing_media_are_listed(timeline: TimelineIndex, media: Path) -> None:
    found: list[tuple[str, Any]] = [(clip.name, path) for clip, path in missing(timeline)]
    assert ("offline", None) in found
    assert ("gone.mov", media / "gone.mov") in found
    assert not {name for name, _ in found} & {"a.mkv", "frames", "card.png"}
