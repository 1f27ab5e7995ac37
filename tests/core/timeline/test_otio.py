"""Timelines are written whole, read back equal, and understood by OpenTimelineIO itself."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import opentimelineio
import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.timeline import otio
from artifexpro.core.timeline.otio import Cut

CUT = Cut(
    name="paper boat",
    track="V2",
    media=Path("/shots/sh010/frame.%04d.exr"),
    first=1001,
    last=1041,
    rate=Fraction(24000, 1001),
    record=1010,
    timeline_start=1001,
    handles=8,
    metadata={"recipe": {"seed": 7, "list": [1, {"deep": None}], "text": "\u00e4"}},
)


@pytest.mark.parametrize(
    "cut",
    [
        CUT,
        replace(CUT, handles=0, record=1001),
        replace(CUT, media=Path("/shots/clip.mov"), first=0, last=40, rate=Fraction(25)),
        replace(CUT, timeline_start=86400, record=86500, rate=Fraction(30000, 1001)),
        replace(CUT, media=Path("/shots/f.%d.exr"), first=7, last=30),
        replace(CUT, metadata={}),
    ],
)
def test_what_is_written_is_read_back(tmp_path: Path, cut: Cut) -> None:
    otio.write(tmp_path / "edit.otio", cut)
    assert otio.read(tmp_path / "edit.otio") == (cut,)
    assert [entry.name for entry in tmp_path.iterdir()] == ["edit.otio"]


def test_opentimelineio_sees_the_clip_at_its_place(tmp_path: Path) -> None:
    otio.write(tmp_path / "edit.otio", CUT)
    timeline = opentimelineio.adapters.read_from_file(str(tmp_path / "edit.otio"))
    (track,) = timeline.video_tracks()
    (clip,) = track.find_clips()
    assert track.name == "V2"
    assert round(timeline.global_start_time.value) == 1001
    assert round(clip.range_in_parent().start_time.value) == 9
    assert round(clip.duration().value) == 41 - 16
    assert round(clip.source_range.start_time.value) == 1009
    assert clip.duration().rate == pytest.approx(24000 / 1001, rel=1e-12)
    reference = clip.media_reference
    assert reference.target_url_for_image_number(0) == "/shots/sh010/frame.1001.exr"
    assert reference.number_of_images_in_sequence() == 41
    assert reference.abstract_target_url("%04d") == "/shots/sh010/frame.%04d.exr"


def test_equal_cuts_give_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        otio.write(tmp_path / f"{name}.otio", CUT)
    assert (tmp_path / "a.otio").read_bytes() == (tmp_path / "b.otio").read_bytes()


def test_a_timeline_of_another_program_is_read(tmp_path: Path) -> None:
    """No global start, no exact rate, a gap in another rate's seconds, two tracks."""
    schema, time = opentimelineio.schema, opentimelineio.opentime
    timeline = schema.Timeline(name="other")
    for name in ("V1", "V2"):
        track = schema.Track(name=name, kind="Video")
        span = time.TimeRange(time.RationalTime(5, 30000 / 1001), time.RationalTime(20, 30000 / 1001))
        media = schema.ExternalReference(
            target_url="/plates/a.mov",
            available_range=time.TimeRange(time.RationalTime(0, 30000 / 1001), time.RationalTime(30, 30000 / 1001)),
        )
        track.append(schema.Gap(duration=time.RationalTime(10, 30000 / 1001)))
        track.append(schema.Clip(name=f"clip {name}", media_reference=media, source_range=span))
        track.append(schema.Clip(name="offline", source_range=span))
        timeline.tracks.append(track)
    opentimelineio.adapters.write_to_file(timeline, str(tmp_path / "other.otio"))
    cuts = otio.read(tmp_path / "other.otio")
    assert [(cut.name, cut.track, cut.record, cut.handles) for cut in cuts] == [
        ("clip V1", "V1", 10, 5),
        ("clip V2", "V2", 10, 5),
    ]
    assert cuts[0].rate == Fraction(30000, 1001)
    assert cuts[0].media == Path("/plates/a.mov")


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifexError, match="nothing is left between handles of 21"):
        otio.write(tmp_path / "edit.otio", replace(CUT, handles=21))
    with pytest.raises(ArtifexError, match="starts at frame 1001"):
        otio.write(tmp_path / "edit.otio", replace(CUT, record=1000))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["hello", "{}", '{"OTIO_SCHEMA": "Timeline.1"', '{"OTIO_SCHEMA": "Clip.2", "name": "x"}']
)
def test_what_is_no_timeline_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "edit.otio").write_text(text)
    with pytest.raises(ArtifexError, match="not a whole OpenTimelineIO timeline"):
        otio.read(tmp_path / "edit.otio")


def test_a_missing_timeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifexError, match="no such file"):
        otio.read(tmp_path / "none.otio")
