from __future__ import annotations

import os
from fractions import Fraction
from typing import ClassVar

import cv2
import numpy
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.kinds import FrameNode, SinkNode, SourceNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, MaskChannel, Region, SocketType, StreamInfo
from artifexpro.core.nodes import built_in
from artifexpro.core.project import preview
from artifexpro.core.project.display import show
from artifexpro.core.project.preview import Look, PreviewSession, region_at

VIDEO = (Socket("video", SocketType.VIDEO),)
INFO = StreamInfo(1, 10, Fraction(24), 1920, 1080)


class Plate(SourceNode):
    """One level."""

    category: ClassVar[str] = "input"
    level: float = parameter(0.5, "Level.")

    def describe(self) -> StreamInfo:
        return StreamInfo(1, 10, Fraction(24), 400, 200)

    def read(self, request: FrameRequest) -> ImageBuffer:
        width, height = self.describe().size_at(request.scale)
        part = request.region or Region(0, 0, width, height)
        pixels = torch.full((1, 4, part.height, part.width), self.level)
        return ImageBuffer(pixels.contiguous(memory_format=torch.channels_last))


class Gain(FrameNode):
    """Multiplies."""

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = VIDEO
    by: float = parameter(1.0, "Factor.", minimum=0, maximum=10)

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        return video.with_pixels(video.pixels * self.by)


class Write(SinkNode):
    """Writes nothing."""

    category: ClassVar[str] = "output"
    inputs: ClassVar[tuple[Socket, ...]] = VIDEO


class Sound(SourceNode):
    """Has only sound."""

    category: ClassVar[str] = "audio"
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.AUDIO),)


NODES = {
    "plate": {"type": "Plate"},
    "gain": {"type": "Gain", "inputs": {"video": ["plate"]}},
    "more": {"type": "Gain", "inputs": {"video": ["gain"]}},
    "write": {"type": "Write", "inputs": {"video": ["more"]}},
    "sound": {"type": "Sound"},
}


@pytest.fixture
def session(tmp_path):
    def make(node="more", nodes=NODES):
        document = Document.parse({"format": "artifexpro.graph", "version": 1, "nodes": nodes})
        context = QuietContext(tmp_path, tmp_path / "store", tmp_path / "models")
        return PreviewSession(document, node, Registry((Plate, Gain, Write, Sound)), context)

    return make


def level(seen):
    return float(seen.picture.pixels.mean())


def runs(session):
    return {told.node: told.runs for told in session.statistics()}


def test_what_was_never_measured_comes_small_first(session):
    looking = session()
    first = looking.first(Look(1, 0.5))
    assert (first.scale, first.final) == (0.25, False) and first.picture.size == (100, 50)
    full = looking.full(Look(1, 0.5))
    assert (full.scale, full.final) == (0.5, True) and full.picture.size == (200, 100)


def test_what_is_known_to_be_quick_comes_whole(session, monkeypatch):
    monkeypatch.setattr(preview, "BUDGET_SECONDS", 1000.0)
    looking = session()
    looking.first(Look(1, 0.5))
    assert all(looking.first(Look(frame, 0.5)).final for frame in (1, 2, 3))


def test_what_is_known_to_be_slow_comes_small_but_never_tiny(session, monkeypatch):
    monkeypatch.setattr(preview, "BUDGET_SECONDS", 0.0)
    looking = session()
    for frame in range(1, 6):
        first = looking.first(Look(frame, 1.0))
        assert not first.final or first.scale == 1.0
        assert min(first.picture.size) >= preview.SMALLEST
        assert looking.full(Look(frame, 1.0)).final


def test_getting_warm_runs_once_and_shows_nothing_new(session, monkeypatch):
    looking = session()
    monkeypatch.setattr(preview, "BUDGET_SECONDS", 0.0)
    look = Look(1, 1.0)
    looking.first(look)
    looking.full(look)
    while looking.warm(look):
        pass
    before = runs(looking)
    assert not looking.warm(look) and runs(looking) == before
    assert level(looking.full(look)) == 0.5


def test_an_edit_runs_what_is_downstream_of_it(session):
    looking = session()
    look = Look(1, 0.5)
    looking.edit("more", {"by": 2.0})
    assert level(looking.full(look)) == 1.0
    before = runs(looking)
    looking.edit("more", {"by": 3.0})
    assert level(looking.full(look)) == 1.5
    after = runs(looking)
    assert {node for node in after if after[node] != before[node]} == {"more"}


def test_statistics_outlive_a_change_of_the_graph(session):
    looking = session()
    looking.full(Look(1, 0.5))
    counted = runs(looking)
    looking.replace(
        Document.parse(
            {
                "format": "artifexpro.graph",
                "version": 1,
                "nodes": {"more": {"type": "Plate", "params": {"level": 0.25}}},
            }
        )
    )
    assert level(looking.full(Look(1, 0.5))) == 0.25
    assert runs(looking) == {**counted, "more": counted["more"] + 1}


def test_a_sink_shows_what_it_would_write(session):
    assert level(session("write").full(Look(1, 0.5))) == 0.5


def test_what_gives_no_pictures_is_named(session):
    with pytest.raises(ArtifexError) as caught:
        session("sound").info()
    assert caught.value.details()["node"] == "sound"


def test_an_edit_that_does_not_fit_is_told_at_its_node_until_it_is_mended(session):
    looking = session()
    look = Look(1, 0.5)
    looking.full(look)
    looking.edit("gain", {"by": 11.0})
    for _ in range(2):
        with pytest.raises(ArtifexError) as caught:
            looking.full(look)
        assert caught.value.details()["node"] == "gain"
    looking.edit("more", {"by": 2.0})
    looking.edit("gain", {"by": 2.0})
    assert level(looking.full(look)) == 2.0
    with pytest.raises(ArtifexError, match="no node"):
        looking.edit("gone", {})


def test_a_broken_branch_elsewhere_is_no_hindrance(session):
    nodes = {**NODES, "loose": {"type": "Gain"}, "strange": {"type": "Unheard"}}
    assert level(session("more", nodes).full(Look(1, 0.5))) == 0.5
    with pytest.raises(ArtifexError) as caught:
        session("loose", nodes).info()
    assert caught.value.details()["node"] == "loose"


@pytest.mark.parametrize(
    ("region", "scale", "expected"),
    [
        (None, 0.25, None),
        (Region(0, 0, 1920, 1080), 0.25, None),
        (Region(-50, -50, 9000, 9000), 1.0, None),
        (Region(101, 0, 100, 4), 0.25, Region(25, 0, 26, 1)),
        (Region(1900, 1000, 500, 500), 0.25, Region(475, 250, 5, 20)),
        (Region(7, 9, 1, 1), 1.0, Region(7, 9, 1, 1)),
    ],
)
def test_a_region_has_all_pixels_it_touches_and_none_outside(region, scale, expected):
    assert region_at(region, scale, INFO) == expected


@pytest.mark.parametrize("region", [Region(1920, 0, 5, 5), Region(0, -10, 5, 10), Region(-5, 0, 5, 5)])
def test_a_region_outside_the_picture_is_refused(region):
    with pytest.raises(ArtifexError, match="1920 x 1080"):
        region_at(region, 0.25, INFO)


def buffer(*pixels, space="srgb_tx"):
    values = torch.tensor(pixels, dtype=torch.float32).T.reshape(1, 4, 1, len(pixels))
    return ImageBuffer(values.contiguous(memory_format=torch.channels_last), space)


def test_a_picture_for_the_eye_is_rounded_clipped_and_black_where_it_is_no_number():
    nan, inf = float("nan"), float("inf")
    shown = show(buffer((0.5, 2.0, -1.0, 1.0), (nan, inf, -inf, 1.0)), "srgb")
    assert shown.pixels.tolist() == [[[128, 255, 0, 255], [0, 255, 0, 255]]]
    assert (shown.dtype, shown.space, shown.size) == ("uint8", "srgb_tx", (2, 1))


def test_a_picture_for_the_eye_is_converted_with_its_alpha():
    opaque, half = show(buffer((0.18, 0.18, 0.18, 1.0), (0.09, 0.09, 0.09, 0.5), space="ACEScg"), "srgb").pixels[0]
    assert opaque.tolist() == pytest.approx([118, 118, 118, 255], abs=1)
    assert half.tolist() == pytest.approx([59, 59, 59, 128], abs=1)


def test_a_linear_picture_keeps_its_numbers_and_its_space():
    shown = show(buffer((0.18, 12.0, -1.0, 0.5), space="ACEScg"), "linear")
    assert shown.pixels.tolist() == [[pytest.approx([0.18, 12.0, -1.0, 0.5], rel=1e-3)]]
    assert (shown.dtype, shown.space) == ("float16", "ACEScg")


@pytest.mark.parametrize(("view", "grey", "white"), [("srgb", 64, 255), ("linear", 0.25, 1.0)])
def test_a_matte_is_opaque_grey_as_it_is(view, grey, white):
    shown = show(MaskChannel(torch.full((1, 1, 2, 3), 0.25)), view)
    assert shown.pixels.shape == (2, 3, 4) and shown.pixels[0, 0].tolist() == [grey, grey, grey, white]


def test_showing_a_picture_leaves_it_as_it_was():
    picture = buffer((0.5, 0.25, 0.125, 0.5))
    before = picture.pixels.clone()
    for view in ("srgb", "linear"):
        show(picture, view)
    assert torch.equal(picture.pixels, before)


def test_a_plate_that_was_painted_over_is_told_once_and_then_shown(tmp_path):
    path = tmp_path / "plate.png"
    cv2.imwrite(str(path), numpy.full((64, 64, 3), 255, numpy.uint8))
    raw = {"plate": {"type": "MediaInput", "params": {"path": str(path)}}}
    document = Document.parse({"format": "artifexpro.graph", "version": 1, "nodes": raw})
    looking = PreviewSession(
        document, "plate", built_in(), QuietContext(tmp_path, tmp_path / "store", tmp_path / "models")
    )
    assert level(looking.full(Look(1001, 0.5))) == pytest.approx(1.0, abs=1e-3)
    cv2.imwrite(str(path), numpy.zeros((64, 64, 3), numpy.uint8))
    os.utime(path, (1, 1))
    with pytest.raises(NodeError, match="rendering again"):
        looking.full(Look(1001, 1.0))
    assert level(looking.full(Look(1001, 1.0))) == pytest.approx(0.25)
