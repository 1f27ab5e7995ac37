"""Movies, pictures and sequences as sources."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.node import Preflight
from artifexpro.core.graph.values import FrameRequest
from artifexpro.core.media import color
from artifexpro.core.media.files import sha256
from artifexpro.core.nodes.inputs import MediaInput, SequenceInput


@pytest.fixture
def nothing_wired(tmp_path: Path) -> Preflight:
    return Preflight(frozenset(), tmp_path)


def test_a_movie_comes_scene_linear(footage: Path, soft_picture: Callable[..., torch.Tensor]) -> None:
    clip = MediaInput(path=str(footage / "clip.mp4"), first_frame=86400)
    info = clip.describe()
    assert (info.first, info.last, info.rate, info.width, info.height) == (86400, 86405, Fraction(25), 96, 64)
    assert (info.space, info.still) == ("ACEScg", False)
    for frame in (3, 0, 5):
        expected = color.transform(soft_picture(96, 64, phase=frame), "srgb_tx", "ACEScg")
        shown = clip.read(FrameRequest(86400 + frame))
        assert shown.space == "ACEScg"
        torch.testing.assert_close(shown.pixels, expected, atol=0.03, rtol=0)


def test_a_picture_stands_on_every_frame(footage: Path, soft_picture: Callable[..., torch.Tensor]) -> None:
    picture = MediaInput(path=str(footage / "still.png"))
    assert picture.describe().still
    expected = color.transform(soft_picture(96, 64), "srgb_tx", "ACEScg")
    for frame in (1001, 5000):
        torch.testing.assert_close(picture.read(FrameRequest(frame)).pixels, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["clip.mp4", "still.png"])
def test_space_acts(footage: Path, name: str) -> None:
    path = str(footage / name)
    shown, raw = (MediaInput(path=path, space=space).read(FrameRequest(1001)).pixels for space in ("auto", "ACEScg"))
    torch.testing.assert_close(color.transform(raw, "srgb_tx", "ACEScg"), shown)
    with pytest.raises(ArtifexError, match="no such space"):
        MediaInput(path=path, space="Arri").read(FrameRequest(1001))


def test_a_sequence_keeps_its_numbers(footage: Path, soft_picture: Callable[..., torch.Tensor]) -> None:
    plate = SequenceInput(path=str(footage / "plate.####.exr"))
    info = plate.describe()
    assert (info.first, info.last, info.rate, info.width, info.height) == (1001, 1006, Fraction(25), 96, 64)
    expected = soft_picture(96, 64, phase=1004, alpha=True)
    torch.testing.assert_close(plate.read(FrameRequest(1004)).pixels, expected, atol=1e-3, rtol=0)


def test_range_and_rate_of_a_sequence_act(footage: Path) -> None:
    plate = SequenceInput(path=str(footage / "plate.%04d.exr"), first=1002, last=1004, rate="24000/1001")
    info = plate.describe()
    assert (info.first, info.last, info.rate) == (1002, 1004, Fraction(24000, 1001))
    with pytest.raises(ArtifexError, match="frames 1002 to 1004"):
        plate.read(FrameRequest(1005))


def test_a_rate_is_never_guessed(footage: Path, tmp_path: Path, nothing_wired: Preflight) -> None:
    (tmp_path / "f.0001.png").write_bytes((footage / "still.png").read_bytes())
    frames = SequenceInput(path=str(tmp_path / "f.%04d.png"))
    frames.preflight(nothing_wired)
    with pytest.raises(ArtifexError, match="setting rate"):
        frames.describe()
    with pytest.raises(ArtifexError, match=r"23\.976"):
        SequenceInput(path=str(tmp_path / "f.%04d.png"), rate="23.976").preflight(nothing_wired)


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.1])
@pytest.mark.parametrize("node", ["clip.mp4", "still.png", "plate.%04d.exr"])
def test_sources_read_at_the_scale_asked_for(footage: Path, node: str, scale: float) -> None:
    kind = SequenceInput if "%" in node else MediaInput
    source = kind(path=str(footage / node))
    small = source.read(FrameRequest(1001, scale)).pixels
    width, height = source.describe().size_at(scale)
    assert small.shape == (1, 4, height, width)
    whole = torch.nn.functional.interpolate(source.read(FrameRequest(1001)).pixels, size=(height, width), mode="area")
    torch.testing.assert_close(small, whole, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("path", "because"),
    [
        ("{}/none.mov", "there is no such file"),
        ("{}", "no ending"),
        ("{}/notes.txt", r'ending in "\.txt" are not known'),
        ("clip.mp4", "from which folder"),
        ("{}/plate.%04d.exr", "SequenceInput"),
        ("", "none is chosen"),
    ],
)
def test_a_file_that_will_not_do_is_refused_before_work(
    footage: Path, nothing_wired: Preflight, path: str, because: str
) -> None:
    node = MediaInput(path=path.format(footage))
    with pytest.raises(ArtifexError, match=because):
        node.preflight(nothing_wired)


@pytest.mark.parametrize(
    ("params", "because"),
    [
        ({"path": "{}/none.%04d.exr"}, "no frame of that name"),
        ({"path": "{}/plate.%04d.exr", "last": 1007}, r"plate\.1007\.exr is not on disk, which has 1001-1006"),
        ({"path": "{}/plate.exr"}, "no frame number"),
        ({"path": "plate.%04d.exr"}, "from which folder"),
        ({"path": "{}/nowhere/plate.%04d.exr"}, "is not there"),
        ({"path": "{}/plate.%04d.mov"}, "not known"),
    ],
)
def test_a_sequence_that_will_not_do_is_refused_before_work(
    footage: Path, nothing_wired: Preflight, params: dict, because: str
) -> None:
    node = SequenceInput(**{**params, "path": params["path"].format(footage)})
    with pytest.raises(ArtifexError, match=because):
        node.preflight(nothing_wired)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_the_right_to_read_is_refused(footage: Path, tmp_path: Path, nothing_wired: Preflight) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes((footage / "still.png").read_bytes())
    secret.chmod(0)
    with pytest.raises(ArtifexError, match="may not read it"):
        MediaInput(path=str(secret)).preflight(nothing_wired)


def test_keys_change_with_the_file(footage: Path, tmp_path: Path, graph: Callable) -> None:
    place = tmp_path / "still.png"
    place.write_bytes((footage / "still.png").read_bytes())
    before = graph(still=("MediaInput", {"path": str(place)}, {})).key("still")
    assert graph(still=("MediaInput", {"path": str(place)}, {})).key("still") == before
    place.write_bytes((footage / "still.png").read_bytes() + b"\0")
    assert graph(still=("MediaInput", {"path": str(place)}, {})).key("still") != before


def test_keys_change_with_a_frame(footage: Path, tmp_path: Path, graph: Callable) -> None:
    for frame in (1001, 1002):
        (tmp_path / f"plate.{frame}.exr").write_bytes((footage / f"plate.{frame}.exr").read_bytes())
    node = ("SequenceInput", {"path": str(tmp_path / "plate.%04d.exr")}, {})
    before = graph(plate=node).key("plate")
    (tmp_path / "plate.1002.exr").write_bytes((footage / "plate.1003.exr").read_bytes())
    assert graph(plate=node).key("plate") != before


def test_provenance_has_the_hash_of_what_was_read(footage: Path, tmp_path: Path) -> None:
    clip = footage / "clip.mp4"
    assert MediaInput(path=str(clip)).provenance(tmp_path) == {"path": str(clip), "sha256": sha256(clip)}
    plate = SequenceInput(path=str(footage / "plate.%04d.exr")).provenance(tmp_path)
    assert plate["frames"] == [1001, 1002, 1003, 1004, 1005, 1006]
    fewer = SequenceInput(path=str(footage / "plate.%04d.exr"), last=1005).provenance(tmp_path)
    assert fewer["sha256"] != plate["sha256"]


def test_a_damaged_file_names_its_node(tmp_path: Path, graph: Callable) -> None:
    (tmp_path / "clip.mp4").write_text("hello")
    broken = graph(cam=("MediaInput", {"path": str(tmp_path / "clip.mp4")}, {}))
    with pytest.raises(NodeError, match="not a whole movie") as refusal:
        broken.frame("cam", 1001)
    assert refusal.value.node == "cam"


def test_a_missing_file_names_its_node(tmp_path: Path, graph: Callable) -> None:
    with pytest.raises(GraphError, match="no such file") as refusal:
        graph(cam=("MediaInput", {"path": str(tmp_path / "gone.mp4")}, {}))
    assert refusal.value.node == "cam"


def test_a_frame_outside_the_clip_is_refused(footage: Path, graph: Callable) -> None:
    clip = graph(cam=("MediaInput", {"path": str(footage / "clip.mp4")}, {}))
    with pytest.raises(NodeError, match="frames 1001 to 1006"):
        clip.frame("cam", 1007)
