"""Takes, LUTs and CDLs on the clip under the playhead, through both ways, with a real daemon."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import PyOpenColorIO as ocio
import pytest
from OpenImageIO import ImageBuf

from tests.hosts.resolve.conftest import SMALL, Way, both_ways, put_clip
from tests.hosts.resolve.standin import pictures
from tests.hosts.resolve.standin.state import Node, RenderJob

START = 86400
CLOSE = 0.001
LOOK = [
    ["CDL", {"slope_red": 1.15, "slope_blue": 0.9, "offset_green": 0.01, "power_red": 0.95, "saturation": 0.8}],
    ["ColorCorrector", {"exposure": -0.25}],
]
PLAIN = {"slope": [1, 1, 1], "offset": [0, 0, 0], "power": [1, 1, 1], "saturation": 1}
CONFIG = "ocio://cg-config-v4.0.0_aces-v2.0_ocio-v2.5"


def graded(way: Way) -> Any:
    """A clip of the artist's with a picture, a grade of two nodes, and jobs of hers in the render queue."""
    item = put_clip(way.host, 1, START, 5, path=str(way.ask_still()), frames=1)
    item.clip.frames = 5
    item.clip.path = numbered(way)
    (way.host.luts / "show.cube").write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    way.host.refresh_luts()
    item.nodes = [Node("show.cube"), Node()]
    project = way.host.project
    assert project is not None
    project.render = {"TargetDir": "her folder", "CustomName": "her name", "MarkIn": 1}
    project.presets = {"her preset": ({}, "mov", "H264")}
    project.jobs = [RenderJob({"TargetDir": "her folder"}, "her timeline", "mov", "H264")]
    way.host.page = "color"
    return item


def numbered(way: Way) -> str:
    for number in range(5):
        pictures.write(way.folder / f"hers.{number:04d}.png", np.full((64, 64, 3), number / 5, np.float32))
    return str(way.folder / "hers.%04d.png")


def deliver_page(way: Way) -> Any:
    project = way.host.project
    assert project is not None
    return copy.deepcopy((project.render, project.format, project.codec, project.presets, project.jobs))


@both_ways
def test_a_take_keeps_the_grade_and_the_artists_queue(way: Way) -> None:
    item = graded(way)
    before, grade = deliver_page(way), copy.deepcopy(item.nodes)
    reply = way.say(kind="take", prompt="in oil", **{**SMALL, "frames": 0})
    assert "are being rendered" in reply["said"]
    way.until(way.jobs)
    job = way.wait(way.jobs()[0]["key"])
    assert (len(item.takes), item.selected, item.start, item.end) == (2, 2, START, START + 5)
    assert item.takes[1].clip.frames == 5 and item.nodes == grade
    assert [marker["customData"] for marker in item.markers.values()] == [f"artifexpro:{job['job']}"]
    assert "Take 2 of 2 on her clip; its grade is as it was." in job["said"]
    assert deliver_page(way) == before
    called = {name for name, _ in way.host.calls}
    assert "Project.AddRenderJob" in called and "Project.DeleteRenderJob" in called
    assert "Project.DeleteAllRenderJobs" not in called


def test_the_take_is_made_of_the_clips_own_frames(way: Way) -> None:
    item = graded(way)
    way.say(kind="take", prompt="in oil", **{**SMALL, "frames": 0})
    way.until(way.jobs)
    way.wait(way.jobs()[0]["key"])
    recipe = json.loads(Path(item.takes[1].clip.path).with_name("clip.recipe.json").read_text())
    plate = recipe["graph"]["nodes"]["plate"]["params"]
    assert plate["rate"] == "24" and plate["space"] == "srgb_tx"
    values = [float(ImageBuf(plate["path"] % (START + n)).getpixel(5, 5)[0]) for n in range(5)]
    assert np.allclose(values, [0, 0.2, 0.4, 0.6, 0.8], atol=0.003)


def test_a_render_that_fails_leaves_nothing_and_says_so(way: Way) -> None:
    graded(way)
    before = deliver_page(way)
    way.say(kind="take", prompt="in oil", **{**SMALL, "frames": 0})
    project = way.host.project
    assert project is not None
    next(job for job in project.jobs if job.settings.get("CustomName") == "plate.").status = "Failed"
    way.until(lambda: deliver_page(way) == before)
    assert way.jobs() == []


def asked_for(pixels: Any) -> Any:
    """The look worked out by OpenColorIO alone: from the display to ACEScg, graded, and back."""
    config = ocio.Config.CreateFromFile(CONFIG)
    work = np.ascontiguousarray(pixels, np.float32).copy()
    config.getProcessor("srgb_tx", "ACEScg").getDefaultCPUProcessor().applyRGB(work)
    cdl = ocio.CDLTransform()
    cdl.setSlope([1.15, 1.0, 0.9])
    cdl.setOffset([0.0, 0.01, 0.0])
    cdl.setPower([0.95, 1.0, 1.0])
    cdl.setSat(0.8)
    cdl.setStyle(ocio.CDL_NO_CLAMP)
    config.getProcessor(cdl).getDefaultCPUProcessor().applyRGB(work)
    work *= 2**-0.25
    config.getProcessor("ACEScg", "srgb_tx").getDefaultCPUProcessor().applyRGB(work)
    return work


def through(path: Path, pixels: Any) -> Any:
    config = ocio.Config.CreateFromFile(CONFIG)
    table = ocio.FileTransform(str(path), interpolation=ocio.INTERP_TETRAHEDRAL)
    work = np.ascontiguousarray(pixels, np.float32).copy()
    config.getProcessor(table).getDefaultCPUProcessor().applyRGB(work)
    return work


@both_ways
def test_a_look_becomes_a_lut_on_the_node_and_is_what_was_asked_for(way: Way) -> None:
    item = graded(way)
    reply = way.say(kind="look", name="Warm évening", grades=LOOK, node=2)
    job = way.wait(reply["key"])
    written = item.nodes[1].lut
    assert item.nodes[0].lut == "show.cube" and written.startswith("ArtifexPro/Warm-évening-")
    assert written in job["said"] and "made for srgb_tx" in job["said"]
    pixels = np.random.default_rng(1).random((4000, 3), np.float32)
    given, asked = through(way.host.luts / written, pixels), asked_for(pixels)
    worst = np.abs(given - asked).max()
    print(f"the LUT differs from what was asked by at most {worst:.6f}")
    assert worst < CLOSE
    assert np.abs(through(way.host.luts / written, pixels) - pixels).max() > 0.05


@pytest.mark.nightly
def test_a_lut_folder_that_cannot_be_written_to_is_told(way: Way) -> None:
    item = graded(way)
    (way.host.luts / "ArtifexPro").write_text("a file in the way")
    job = way.wait(way.say(kind="look", name="cold", grades=LOOK)["key"], "failed")
    assert "LUT folder cannot be written to" in job["said"] and item.nodes[0].lut == "show.cube"


@both_ways
def test_a_cdl_is_set_as_text_on_the_node(way: Way) -> None:
    item = graded(way)
    values = {"slope": [1.1, 1.0, 0.9], "offset": [0.0, 0.01, -0.02], "power": [1.0, 1.0, 1.05], "saturation": 0.85}
    said = way.say(kind="cdl", node=2, **values)["said"]
    assert said == "The CDL is on node 2 of her clip."
    assert item.nodes[0].cdl is None
    assert item.nodes[1].cdl == {
        "NodeIndex": "2",
        "Slope": "1.1 1 0.9",
        "Offset": "0 0.01 -0.02",
        "Power": "1 1 1.05",
        "Saturation": "0.85",
    }


CASES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "look", "grades": LOOK, "node": 3}, "has no node 3"),
    ({"kind": "look", "grades": [["Blur", {"size": 3.0}]]}, "Blur is not the same wherever it stands"),
    ({"kind": "look", "grades": []}, "no grade is in it"),
    ({"kind": "look", "grades": ["CDL"]}, "'CDL' is no grade"),
    ({"kind": "cdl", "node": 5, **PLAIN}, "it has no node 5"),
    ({"kind": "cdl", "node": 1, **PLAIN, "slope": [1]}, "three numbers each"),
]


@both_ways
def test_what_cannot_be_put_on_a_node_is_refused(way: Way) -> None:
    item = graded(way)
    for wish, said in CASES:
        reply = way.say(**wish)
        assert said in reply["said"] and reply["said"].startswith("Attempted to") and reply["refused"], wish
    assert way.jobs() == [] and [node.cdl for node in item.nodes] == [None, None]


def test_without_a_clip_under_the_playhead_there_is_no_take(way: Way) -> None:
    for wish in ({"kind": "take", "prompt": "in oil"}, {"kind": "look", "grades": LOOK}):
        assert "no clip is under the playhead" in way.say(**wish)["said"]
