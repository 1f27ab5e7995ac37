"""The main job, whole: what `artifexpro demo` leaves in its folder."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy
import OpenImageIO
import opentimelineio
import torch
from opentimelineio.opentime import RationalTime

from artifexpro.core.wan22.tiny import measuring


def test_the_demo_writes_everything_it_says(demo):
    folder, said = demo
    assert said.status == 0, said.err
    expected = {"clip.mp4", "clip.recipe.json", "frames", "edit.otio", "contact-sheet.png", "report.json"}
    assert {path.name for path in folder.iterdir()} == expected
    assert len(list((folder / "frames").iterdir())) == 33
    for file in said.document["files"]:
        path = Path(file["path"])
        assert path.with_name(path.name.replace("%04d", "1001")).exists()


def test_the_clip_has_the_frames_and_the_rate(demo):
    folder, _ = demo
    with av.open(str(folder / "clip.mp4")) as clip:
        stream = clip.streams.video[0]
        assert (stream.width, stream.height) == (192, 128)
        assert stream.average_rate == 24
        assert sum(1 for _ in clip.decode(video=0)) == 33


def test_frames_are_half_float_acescg_with_the_recipe(demo):
    folder, _ = demo
    frame = OpenImageIO.ImageBuf(str(folder / "frames" / "frame.1001.exr"))
    spec = frame.spec()
    assert spec.format.basetype == OpenImageIO.HALF
    assert spec.channelnames == ("R", "G", "B", "A")
    assert spec.get_string_attribute("colorInteropID") == "lin_ap1_scene"
    assert numpy.allclose(
        spec.getattribute("chromaticities"), (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
    )
    recipe = json.loads(spec.get_string_attribute("artifexpro:recipe"))
    assert recipe["nodes"]["clip"]["spec"]["seed"] == 7
    pixels = frame.get_pixels()
    assert numpy.isfinite(pixels).all()
    assert pixels[..., :3].std() > 0.01


def test_the_timeline_has_the_clip_at_its_place(demo):
    folder, _ = demo
    timeline = opentimelineio.adapters.read_from_file(str(folder / "edit.otio"))
    clip = next(iter(timeline.find_clips()))
    place = clip.transformed_time_range(
        opentimelineio.opentime.TimeRange(RationalTime(0, 24), clip.duration()), timeline.tracks
    )
    assert clip.duration() == RationalTime(33, 24)
    assert place.start_time + (timeline.global_start_time or RationalTime(0, 24)) == RationalTime(1001, 24)
    assert clip.media_reference.target_url.endswith("clip.mp4")


def test_the_contact_sheet_is_no_blank(demo):
    folder, _ = demo
    sheet = OpenImageIO.ImageBuf(str(folder / "contact-sheet.png")).get_pixels()
    assert sheet[..., :3].std() > 0.02


def test_the_clip_shows_what_the_prompt_says(demo):
    folder, _ = demo
    with av.open(str(folder / "clip.mp4")) as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    seen = measuring.sight(torch.from_numpy(numpy.stack(frames)).float() / 255)
    assert seen.background == "dark blue"
    assert [(thing.colour, thing.shape, thing.motion) for thing in seen.things] == [("yellow", "star", "right")]


def test_the_report_says_how_it_was_made(demo):
    folder, said = demo
    report = json.loads((folder / "report.json").read_text())
    assert report.items() <= said.document.items()
    assert (report["model"], report["seed"]) == ("wan22-tiny", 7)
    assert {"denoise", "decode", "write", "total"} <= report["seconds"].keys()
    assert report["versions"]["torch"]
    assert not any("It does not know" in note for note in report["notes"])


def test_the_same_demo_again_makes_the_same_pictures(demo, artifexpro, tmp_path):
    folder, said = demo
    again = artifexpro("demo", "--out", "again", "--json")
    assert again.document["job"] != said.document["job"]
    for name in ("clip.mp4", "frames/frame.1009.exr", "contact-sheet.png"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_finished_job_reproduces(demo, artifexpro):
    _, said = demo
    compared = artifexpro("jobs", "reproduce", said.document["job"], "--json")
    assert compared.status == 0, compared.err
    assert compared.document["equal"] is True
