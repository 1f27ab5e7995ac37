"""Peers are equal before they are timed: the same pixels from Blender's compositor and from FFmpeg's filters."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy
import pytest

from artifexpro.benchmarks import blender, look, pixels
from artifexpro.benchmarks.ffmpeg_graph import FilterGraph

SIZE = (320, 180)
FRAME = look.FIRST + pixels.COMPARED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pixels")


def test_ffmpeg_computes_the_same_picture(folder: Path) -> None:
    ours = pixels.Graph(look.chain(folder, SIZE), folder).pixels(FRAME)
    theirs = FilterGraph(folder, SIZE, FRAME, threads=2).pixels()
    greatest, mean = pixels.compare("FFmpeg", ours, theirs)
    print(greatest, mean)
    assert ours.std() > 0.05, "a flat picture would be equal to many"
    other = FilterGraph(folder, SIZE, FRAME + 100, threads=2).pixels()
    with pytest.raises(RuntimeError, match="computes another picture"):
        pixels.compare("FFmpeg", ours, other)


@pytest.mark.blender
def test_blender_computes_the_same_picture(folder: Path) -> None:
    try:
        blender.find()
    except RuntimeError as missing:
        pytest.skip(str(missing))
    ours = pixels.Graph(look.equal(folder, SIZE), folder)
    with blender.running(folder, SIZE) as peer:
        assert peer.version.startswith("5.0")
        peer.save(FRAME, folder / "blender.exr")
        theirs = pixels.OpenImageIO.ImageBuf(str(folder / "blender.exr")).get_pixels("float")
        assert peer.render(FRAME) > 0 and peer.render_empty() > 0
    greatest, mean = pixels.compare("Blender", ours.pixels(FRAME), theirs)
    print(greatest, mean)
    assert theirs.std() > 0.05
    with pytest.raises(RuntimeError, match="computes another picture"):
        pixels.compare("Blender", ours.pixels(FRAME + 100), theirs)


def test_what_is_not_equal_is_refused() -> None:
    flat = numpy.zeros((4, 4, 4), numpy.float32)
    assert pixels.compare("it", flat, flat + 1e-4) == pytest.approx((1e-4, 1e-4))
    one = flat.copy()
    one[1, 1] = 1
    for other in (one, flat + 3e-4, flat[:2], flat * numpy.nan):
        with pytest.raises(RuntimeError, match="another"):
            pixels.compare("it", flat, other)


def test_the_look_runs_and_every_frame_differs(folder: Path) -> None:
    document = look.look12(folder, (192, 108), frames=4)
    assert len(document.nodes) == 13, "twelve, and the background"
    graph = pixels.Graph(document, folder)
    frames = [graph.pixels(look.FIRST + number) for number in range(4)]
    for one, following in pairwise(frames):
        assert numpy.isfinite(one).all()
        assert 0.05 < one[..., :3].mean() < 0.95
        assert one[..., :3].max() <= 1.0
        assert numpy.abs(one - following).max() > 0.02
    assert graph.rate(3) > 0
    assert graph.rate(3) > 0, "the clip begins again where it ends"
    assert {name for name, _ in graph.milliseconds()} <= set(document.nodes)


def test_figures_have_their_public_shape() -> None:
    rates = {"equal": [8.0, 10.0, 9.0], "blender": [2.0, 4.0, 3.0], "blender_empty": [20.0], "chain": [11.0]}
    taken = pixels.Taken(
        rates={**rates, "ffmpeg": [10.0], "look12": [5.0]},
        differences={"blender": (0.001, 0.0001), "ffmpeg": (0.002, 0.0001)},
        nodes={"equal": [("blur", 30.0)], "chain": [], "look12": []},
        blender="5.0.1",
    )
    made = pixels.figures(taken)
    assert [(each.name, each.value, each.peer_value) for each in made] == [
        ("pixels.equal_fps", 9.0, 3.0),
        ("pixels.ffmpeg_chain_fps", 11.0, 10.0),
        ("pixels.look12_fps", 5.0, 3.0),
    ]
    assert "50 ms of a call are spent where there is nothing to compute, 3.53 without it" in made[0].note
    assert "blur 30" in made[0].note


def test_without_blender_there_is_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTIFEXPRO_BLENDERS", str(tmp_path))
    command = [sys.executable, "-m", "artifexpro.benchmarks.pixels", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"Blender 5.0 is not in {tmp_path}" in done.stderr
