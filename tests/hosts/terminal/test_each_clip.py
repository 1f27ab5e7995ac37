"""A graph on each clip of a timeline, as an artist asks for it at a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import opentimelineio
import pytest

schema, time = opentimelineio.schema, opentimelineio.opentime

NODES = {
    "plate": {"type": "SequenceInput", "params": {"path": "/nowhere/old.%04d.exr"}},
    "soft": {"type": "Blur", "params": {"size": 4.0}, "inputs": {"video": ["plate"]}},
}


def span(first: int, count: int) -> Any:
    return time.TimeRange(time.RationalTime(first, 24), time.RationalTime(count, 24))


@pytest.fixture
def look(tmp_path: Path) -> Path:
    """look.json, and nothing beside it."""
    document = {"format": "artifexpro.graph", "version": 1, "nodes": NODES}
    (tmp_path / "look.json").write_text(json.dumps(document))
    return tmp_path


def test_each_clip_of_a_timeline_is_rendered_into_its_folder(artifexpro, demo, look):
    frames = demo[0] / "frames"
    reference = schema.ImageSequenceReference(
        str(frames), "frame.", ".exr", 1001, 1, 24, 4, available_range=span(0, 33)
    )
    clips = [
        schema.Clip(name="sh010", source_range=span(2, 2), media_reference=reference.clone()),
        schema.Clip(name="sh020", source_range=span(0, 3)),
        schema.Clip(name="sh030", source_range=span(31, 2), media_reference=reference.clone()),
    ]
    timeline = schema.Timeline(name="cut", global_start_time=time.RationalTime(1001, 24))
    timeline.tracks.append(schema.Track(name="V1", kind="Video", children=clips))
    opentimelineio.adapters.write_to_file(timeline, str(look / "cut.otio"))
    said = artifexpro(
        "render", "look.json", "--each-clip", "cut.otio", "--into", "plate", "--track", "V1", "--handles", "1",
        "--scale", "0.25", "--out", "out/soft.%04d.exr", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    made = {path.relative_to(look / "out").as_posix() for path in (look / "out").rglob("*.exr")}
    assert made == {
        *(f"sh010-1001/soft.{frame}.exr" for frame in range(1002, 1006)),
        *(f"sh030-1006/soft.{frame}.exr" for frame in range(1031, 1034)),
    }
    files = said.document["files"]
    assert [file["clip"]["name"] for file in files] == ["sh010", "sh030"]
    assert len(files[0]["sha256"]) == 64
    notes = " ".join(said.document["notes"])
    assert "sh020 at frame 1003 was passed over" in notes
    assert "sh030 has handles of 1 and 0 frames" in notes
    assert re.search(r"clip [13] of 3, write", said.err)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--each-clip", "cut.otio"), "--into"),
        (("--into", "plate"), "--each-clip"),
        (("--track", "V1"), "--each-clip"),
        (("--handles", "8"), "--each-clip"),
        (("--each-clip", "cut.otio", "--into", "plate", "--frames", "1-9"), "--frames"),
        (("--each-clip", "cut.otio", "--into", "plate", "--handles", "-1"), "handles"),
    ],
)
def test_options_that_say_nothing_together_are_wrong_use(artifexpro, look, arguments, word):
    said = artifexpro("render", "look.json", *arguments)
    assert said.status == 2
    assert word in said.err


def test_a_timeline_that_is_not_there_is_refused_before_the_job_is_queued(artifexpro, look):
    said = artifexpro("render", "look.json", "--each-clip", "cut.otio", "--into", "plate", "--out", "soft.%04d.exr")
    assert said.status == 1
    assert "cut.otio" in said.reason and "no such file" in said.reason
