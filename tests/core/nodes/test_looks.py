"""Nodes of a look that have more to them than a formula: LUT files, spaces, stills, mirrored pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.node import Preflight
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Region, StreamInfo
from artifexpro.core.media import color
from artifexpro.core.media.pixels import rows
from artifexpro.core.nodes.color import CDL, LUT, View
from artifexpro.core.nodes.effects import Grain
from artifexpro.core.nodes.key import ChromaKey
from artifexpro.core.nodes.solid import Solid
from artifexpro.core.nodes.transform import Flip, Transform2D

MakePicture = Callable[..., torch.Tensor]
INFO = StreamInfo(1, 10, Fraction(24), 64, 48)
NOTHING_WIRED = Preflight(frozenset({"video"}), Path())


def cube(path: Path, power: float = 1.4, points: int = 9) -> Path:
    """A table that mixes channels."""
    steps = np.linspace(0, 1, points)
    lines = [f"LUT_3D_SIZE {points}"]
    for blue in steps:
        for green in steps:
            lines += [f"{red**power:.7f} {(green + 0.2 * blue * red) / 1.2:.7f} {blue * blue:.7f}" for red in steps]
    path.write_text("\n".join(lines) + "\n")
    return path


def by_opencolorio(path: Path, pixels: torch.Tensor, interpolation: object) -> np.ndarray:
    transform = ocio.FileTransform(str(path), interpolation=interpolation)
    out = rows(pixels).copy()
    ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor().applyRGBA(out)
    return out


@pytest.mark.parametrize("interpolation", ["tetrahedral", "linear"])
def test_a_lut_is_that_of_opencolorio(soft_picture: MakePicture, tmp_path: Path, interpolation: str) -> None:
    path, pixels = cube(tmp_path / "look.cube"), soft_picture()
    node = LUT(path=str(path), interpolation=interpolation)
    assert node.describe({"video": INFO}).space == "ACEScg"
    expected = by_opencolorio(path, pixels, getattr(ocio, f"INTERP_{interpolation.upper()}"))
    np.testing.assert_allclose(rows(node.point(video=ImageBuffer(pixels)).pixels), expected, atol=1e-6)


def test_a_one_dimensional_table_and_a_clf(soft_picture: MakePicture, tmp_path: Path) -> None:
    pixels = soft_picture()
    one = tmp_path / "curve.cube"
    one.write_text("LUT_1D_SIZE 3\n0 0 0\n0.25 0.25 0.25\n1 1 1\n")
    curve = LUT(path=str(one)).point(video=ImageBuffer(pixels)).pixels
    expected = torch.where(pixels < 0.5, pixels / 2, 1.5 * pixels - 0.5)
    torch.testing.assert_close(curve[:, :3], expected[:, :3], atol=1e-5, rtol=1e-5)
    clf = tmp_path / "gain.clf"
    clf.write_text(
        '<?xml version="1.0"?><ProcessList compCLFversion="3" id="x"><Matrix inBitDepth="32f" outBitDepth="32f">'
        '<Array dim="3 3">2 0 0 0 3 0 0 0 4</Array></Matrix></ProcessList>'
    )
    gained = LUT(path=str(clf)).point(video=ImageBuffer(pixels)).pixels
    torch.testing.assert_close(gained[:, :3], pixels[:, :3] * torch.tensor([2.0, 3, 4]).view(1, 3, 1, 1))


def test_a_lut_works_in_the_space_it_is_made_for(soft_picture: MakePicture, tmp_path: Path) -> None:
    path, pixels = cube(tmp_path / "look.cube"), soft_picture()
    in_log = color.transform(pixels, "ACEScg", "ACEScct")
    looked = LUT(path=str(path)).point(video=ImageBuffer(in_log, "ACEScct"))
    assert looked.space == "ACEScct"
    there_and_back = LUT(path=str(path), space="ACEScct").point(video=ImageBuffer(pixels))
    assert there_and_back.space == "ACEScg"
    expected = color.transform(looked.pixels, "ACEScct", "ACEScg")
    torch.testing.assert_close(there_and_back.pixels, expected, atol=1e-5, rtol=1e-4)
    shown = LUT(path=str(path), space="ACEScct", gives="srgb_tx")
    assert shown.describe({"video": INFO}).space == "srgb_tx"
    result = shown.point(video=ImageBuffer(pixels))
    assert result.space == "srgb_tx"
    torch.testing.assert_close(result.pixels, looked.pixels, atol=1e-5, rtol=1e-4)


def test_a_lut_that_was_written_again_is_read_again(soft_picture: MakePicture, tmp_path: Path) -> None:
    path, video = cube(tmp_path / "look.cube"), ImageBuffer(soft_picture())
    before = LUT(path=str(path))
    first, mark = before.point(video=video).pixels, before.fingerprint(NOTHING_WIRED)
    cube(path, power=0.6)
    os.utime(path, ns=(1, 1))
    after = LUT(path=str(path))
    assert after.fingerprint(NOTHING_WIRED) != mark
    assert not torch.equal(after.point(video=video).pixels, first)
    assert torch.equal(before.point(video=video).pixels, first), "a job's table changes under it"


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "no file is chosen"), ("look.txt", "one of .3dl"), ("look", "no ending"), ("no.cube", "no such")],
)
def test_what_is_no_lut_is_refused_before_work(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "look.txt").touch()
    node = LUT(path=str(tmp_path / name) if name else "")
    with pytest.raises(ArtifexError, match=said):
        node.preflight(NOTHING_WIRED)
    assert node.fingerprint(NOTHING_WIRED) == ""


@pytest.mark.parametrize("content", ["", "LUT_3D_SIZE 2\n0 0 0\n1 1", "LUT_3D_SIZE 2\nnan\n", "\x00\xff" * 50])
def test_a_damaged_lut_is_refused_when_it_is_opened(tmp_path: Path, content: str) -> None:
    path = tmp_path / "damaged.cube"
    path.write_text(content)
    with pytest.raises(ArtifexError, match=r"use .*damaged\.cube as a LUT"):
        LUT(path=str(path)).describe({"video": INFO})


def test_an_unknown_space_of_a_lut_is_refused(tmp_path: Path) -> None:
    path = str(cube(tmp_path / "look.cube"))
    for node in (LUT(path=path, space="ACEScgg"), LUT(path=path, gives="ACEScgg")):
        with pytest.raises(ArtifexError, match='"ACEScg"'):
            node.describe({"video": INFO})


def test_a_view_is_display_referred_from_there_on(soft_picture: MakePicture) -> None:
    assert View().describe({"video": INFO}).space == "srgb_tx"
    shown = View().point(video=ImageBuffer(soft_picture(alpha=True)))
    assert shown.space == "srgb_tx"
    with pytest.raises(ArtifexError, match="no such view"):
        View(view="Filmic").describe({"video": INFO})


def test_nodes_may_be_asked_from_several_threads(soft_picture: MakePicture, tmp_path: Path) -> None:
    video = ImageBuffer(soft_picture(alpha=True))
    nodes = [View(), LUT(path=str(cube(tmp_path / "a.cube")), space="ACEScct"), CDL(power_red=1.3), ChromaKey()]
    with ThreadPoolExecutor(8) as threads:
        for node in nodes:
            results = list(threads.map(lambda _, node=node: node.point(video=video).pixels, range(16)))
            assert all(torch.equal(result, results[0]) for result in results)


def test_a_solid_is_one_premultiplied_colour() -> None:
    node = Solid(red=2.0, green=0.5, blue=0.25, alpha=0.5, width=40, height=30)
    info = node.describe()
    assert (info.width, info.height, info.still) == (40, 30, True)
    whole = node.read(FrameRequest(7)).pixels
    assert whole.shape == (1, 4, 30, 40)
    assert whole.is_contiguous(memory_format=torch.channels_last)
    assert whole[0, :, 3, 5].tolist() == [1.0, 0.25, 0.125, 0.5]
    assert node.read(FrameRequest(7, 0.5)).pixels.shape == (1, 4, 15, 20)
    assert node.read(FrameRequest(7, 1.0, Region(3, 4, 5, 6))).pixels.shape == (1, 4, 6, 5)


def test_a_solid_in_a_graph(graph: Callable, plate: tuple) -> None:
    solid = ("Solid", {"red": 0.3, "width": 96, "height": 64}, {})
    built = graph(plate=plate, solid=solid, merge=("Merge", {}, {"a": "plate", "b": "solid"}))
    assert (built.info("merge").first, built.info("merge").last) == (1001, 1006)
    plate_pixels = built.frame("plate", 1003).pixels
    expected = plate_pixels[:, 0] + 0.3 * (1 - plate_pixels[:, 3])
    torch.testing.assert_close(built.frame("merge", 1003).pixels[:, 0], expected)


@pytest.mark.parametrize(("horizontal", "vertical"), [(True, False), (False, True), (True, True)])
def test_a_flip_keeps_every_pixel(soft_picture: MakePicture, horizontal: bool, vertical: bool) -> None:
    pixels = soft_picture(33, 20, alpha=True)
    flipped = Flip(horizontal=horizontal, vertical=vertical).render(FrameRequest(1), video=ImageBuffer(pixels)).pixels
    assert torch.equal(flipped, pixels.flip([axis for axis, turned in ((3, horizontal), (2, vertical)) if turned]))
    assert flipped.is_contiguous(memory_format=torch.channels_last)


def test_a_flip_between_moves_is_one_resampling(graph: Callable, plate: tuple) -> None:
    built = graph(
        plate=plate,
        turned=("Transform2D", {"rotate": 30.0}, {"video": "plate"}),
        flipped=("Flip", {"horizontal": True}, {"video": "turned"}),
        back=("Transform2D", {"rotate": 30.0}, {"video": "flipped"}),
        straight=("Flip", {"horizontal": True}, {"video": "back"}),
    )
    assert torch.equal(built.frame("straight", 1002).pixels, built.frame("plate", 1002).pixels)


def test_matrices_say_where_pixels_come_to_lie() -> None:
    info = StreamInfo(1, 1, Fraction(24), 64, 48)
    corner = np.array([0, 0, 1])
    assert (Flip(horizontal=True, vertical=True).matrix(FrameRequest(1), info) @ corner).tolist() == [63, 47, 1]
    assert (Flip(horizontal=True).matrix(FrameRequest(1, 0.5), info) @ corner).tolist() == [31, 0, 1]
    moved = Transform2D(x=5.0, y=2.0).matrix(FrameRequest(1), info) @ corner
    np.testing.assert_allclose(moved, [5, -2, 1])


def test_grain_of_a_still_moves(graph: Callable, footage: Path) -> None:
    still = ("MediaInput", {"path": str(footage / "still.png")}, {})
    built = graph(still=still, grain=("Grain", {"intensity": 0.2}, {"video": "still"}))
    assert built.info("grain").endless
    one, other, again = (built.frame("grain", frame).pixels for frame in (1, 2, 1))
    assert not torch.equal(one, other)
    assert torch.equal(one, again)


def test_grain_weakens_in_a_preview() -> None:
    flat = ImageBuffer(torch.ones(1, 4, 100, 100).contiguous(memory_format=torch.channels_last))
    node = Grain(size=0.5, intensity=0.1)
    whole, small = (node.at_scale(scale).render(FrameRequest(1, scale), video=flat).pixels for scale in (1.0, 0.25))
    assert small[:, :3].std() < 0.7 * whole[:, :3].std()


def test_a_key_whose_clips_cross_is_refused() -> None:
    with pytest.raises(ArtifexError, match="not above its black clip"):
        ChromaKey(black=0.6, white=0.4).preflight(NOTHING_WIRED)
