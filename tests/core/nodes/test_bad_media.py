"""Damaged files, files that change while they are read, and pixels that are no numbers: told at the node, with the
path, and never shown as if nothing were wrong."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy
import OpenImageIO
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.values import FrameRequest, ImageBuffer
from artifexpro.core.media.files import appearing
from artifexpro.core.media.movie import MovieReader, MovieWriter
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.still import Header
from artifexpro.core.nodes.repair import Repair

NAN, INF = float("nan"), float("inf")
FRAMES = 24
MOVIES = {"clip.mp4": "h264", "clip.mov": "prores4444", "clip.mkv": "ffv1"}
STILLS = {"card.png": "png8", "deep.png": "png16", "plate.exr": "exr"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, soft_picture: Callable[..., torch.Tensor]) -> Path:
    """Movies of 24 frames and pictures, all whole."""
    folder = tmp_path_factory.mktemp("whole")
    for name, codec in MOVIES.items():
        with appearing(folder / name) as part, MovieWriter(part, codec, Fraction(24), (96, 64)) as movie:  # type: ignore[arg-type]
            for frame in range(FRAMES):
                movie.add(soft_picture(96, 64, phase=frame / 3))
    for name, packing in STILLS.items():
        write_frame(folder / name, soft_picture(96, 64), packing, Header("srgb_tx"))  # type: ignore[arg-type]
    return folder


def source(path: Path) -> tuple:
    return ("MediaInput", {"path": str(path), "first_frame": 0}, {})


def seen(graph: Callable[..., object], path: Path, count: int = FRAMES) -> list[torch.Tensor | str]:
    """Each frame's pixels, or why it is not shown; one reason for all where the file is refused as a whole."""
    built = graph(plate=source(path))
    shown: list[torch.Tensor | str] = []
    for frame in range(count):
        try:
            shown.append(built.frame("plate", frame).pixels)  # type: ignore[attr-defined]
        except NodeError as error:
            assert error.node == "plate"
            assert str(path) in str(error)
            assert "stopped with" not in error.because
            shown.append(error.because)
    return shown


# ---------------------------------------------------------------------- damaged


@pytest.mark.parametrize("name", MOVIES)
@pytest.mark.parametrize("part", [0.0, 0.02, 0.1, 0.3, 0.5, 0.8])
def test_of_a_movie_that_is_cut_off_what_is_shown_is_right_and_the_rest_is_refused(
    graph: Callable[..., object], whole: Path, tmp_path: Path, name: str, part: float
) -> None:
    data = (whole / name).read_bytes()
    torn = tmp_path / name
    torn.write_bytes(data[: int(len(data) * part)])
    good = seen(graph, whole / name)
    shown = seen(graph, torn)
    assert any(isinstance(each, str) for each in shown)
    for frame, (each, right) in enumerate(zip(shown, good, strict=True)):
        assert isinstance(right, torch.Tensor)
        assert isinstance(each, str) or torch.equal(each, right), f"frame {frame} is another picture"


def test_a_movie_with_fewer_frames_than_its_header_says_is_refused_where_it_ends(
    graph: Callable[..., object], whole: Path, tmp_path: Path
) -> None:
    data = (whole / "clip.mp4").read_bytes()
    torn = tmp_path / "clip.mp4"
    torn.write_bytes(data[: int(len(data) * 0.7)])
    with MovieReader(torn) as reader:
        assert reader.info.frames == FRAMES
    last = seen(graph, torn)[-1]
    assert isinstance(last, str) and (f"ends before frame {FRAMES - 1}" in last or "cannot be decoded" in last)


@pytest.mark.parametrize("name", MOVIES)
@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_in_a_movie_never_stop_the_process_or_make_a_black_frame(
    graph: Callable[..., object], whole: Path, tmp_path: Path, name: str, seed: int
) -> None:
    chance = random.Random(seed)
    data = bytearray((whole / name).read_bytes())
    for _ in range(30):
        data[chance.randrange(len(data))] = chance.randrange(256)
    torn = tmp_path / name
    torn.write_bytes(data)
    for each in seen(graph, torn):
        assert isinstance(each, str) or float(each[:, :3].amax()) > 0.05


def test_what_goes_on_from_a_damaged_picture_is_refused_with_it(whole: Path, tmp_path: Path) -> None:
    """Codecs build pictures from the ones before: after a damaged one, all are wrong up to the next whole one."""
    data = bytearray((whole / "clip.mp4").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    torn = tmp_path / "clip.mp4"
    torn.write_bytes(data)
    refused = []
    with MovieReader(whole / "clip.mp4") as right, MovieReader(torn) as reader:
        for frame in range(FRAMES):
            try:
                wrong = float((reader.frame(frame) - right.frame(frame)).abs().max())
            except ArtifexError:
                refused.append(frame)
            else:
                assert wrong == 0 or (frame + 3 >= min(refused, default=frame + 1)), f"frame {frame} is wrong"
    assert refused


@pytest.mark.parametrize("name", STILLS)
@pytest.mark.parametrize("part", [0.0, 0.01, 0.2, 0.5, 0.9])
def test_a_picture_that_is_cut_off_is_refused(
    graph: Callable[..., object], whole: Path, tmp_path: Path, name: str, part: float
) -> None:
    data = (whole / name).read_bytes()
    torn = tmp_path / name
    torn.write_bytes(data[: int(len(data) * part)])
    (said,) = seen(graph, torn, 1)
    assert isinstance(said, str), "it is shown"


@pytest.mark.parametrize("name", STILLS)
@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_in_a_picture_never_stop_the_process_or_make_it_black(
    graph: Callable[..., object], whole: Path, tmp_path: Path, name: str, seed: int
) -> None:
    chance = random.Random(seed)
    data = bytearray((whole / name).read_bytes())
    for _ in range(20):
        data[chance.randrange(len(data))] = chance.randrange(256)
    torn = tmp_path / name
    torn.write_bytes(data)
    (each,) = seen_or_refused(graph, torn)
    assert isinstance(each, str) or float(each[:, :3].amax()) > 0.05


def seen_or_refused(graph: Callable[..., object], path: Path) -> list[torch.Tensor | str]:
    try:
        return seen(graph, path, 1)
    except GraphError as error:
        return [error.because]


# ---------------------------------------------------------------------- changing


def changed_by(path: Path, how: str, other: Path) -> None:
    if how == "removed":
        path.unlink()
    elif how == "replaced":
        other.replace(path)
    elif how == "written again":
        path.write_bytes(other.read_bytes())
    else:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("how", ["removed", "replaced", "written again", "cut"])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_movie_that_changes_under_us_is_refused(
    graph: Callable[..., object], whole: Path, tmp_path: Path, soft_picture: Callable[..., torch.Tensor], how: str,
    name: str,
) -> None:  # fmt: skip
    path, shorter = tmp_path / name, tmp_path / f"shorter-{name}"
    path.write_bytes((whole / name).read_bytes())
    with MovieWriter(shorter, MOVIES[name], Fraction(24), (96, 64)) as movie:  # type: ignore[arg-type]
        movie.add(soft_picture(96, 64))
    built = graph(plate=source(path))
    built.frame("plate", 0)  # type: ignore[attr-defined]
    changed_by(path, how, shorter)
    refused(built, "plate", 5, path, how)


@pytest.mark.parametrize("when", ["before it is opened", "after it is opened"])
@pytest.mark.parametrize("how", ["removed", "replaced", "written again", "cut"])
def test_a_picture_that_changes_under_us_is_refused(
    graph: Callable[..., object], whole: Path, tmp_path: Path, how: str, when: str
) -> None:
    path, other = tmp_path / "plate.exr", tmp_path / "other.png"
    path.write_bytes((whole / "plate.exr").read_bytes())
    other.write_bytes((whole / "card.png").read_bytes())
    built = graph(plate=source(path))
    if when == "after it is opened":
        built.info("plate")  # type: ignore[attr-defined]
    changed_by(path, how, other)
    refused(built, "plate", 0, path, how)


@pytest.mark.parametrize("how", ["removed", "replaced", "written again", "cut"])
def test_a_frame_that_changes_under_us_is_refused_and_the_others_are_not(
    graph: Callable[..., object], footage: Path, tmp_path: Path, how: str
) -> None:
    for path in footage.glob("plate.*.exr"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "other.exr").write_bytes((footage / "still.png").read_bytes())
    built = graph(plate=("SequenceInput", {"path": str(tmp_path / "plate.%04d.exr")}, {}))
    built.frame("plate", 1001)  # type: ignore[attr-defined]
    changed = tmp_path / "plate.1003.exr"
    changed_by(changed, how, tmp_path / "other.exr")
    refused(built, "plate", 1003, changed, how)
    built.frame("plate", 1004)  # type: ignore[attr-defined]


def refused(built: object, node: str, frame: int, path: Path, how: str) -> None:
    with pytest.raises(NodeError) as caught:
        built.frame(node, frame)  # type: ignore[attr-defined]
    error = caught.value
    assert error.code == "changed"
    assert str(path) in error.attempted
    assert error.because.startswith("the file was taken away" if how == "removed" else "the file changed")
    assert "rendering again" in error.remedy


def test_a_graph_compiled_after_the_change_reads_the_new_file(
    graph: Callable[..., object], whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes((whole / "clip.mp4").read_bytes())
    before = graph(plate=source(path))
    os.utime(path, ns=(1, 1))
    refused(before, "plate", 0, path, "touched")
    graph(plate=source(path)).frame("plate", 0)  # type: ignore[attr-defined]


# ---------------------------------------------------------------------- no numbers


@pytest.fixture
def sparks(tmp_path: Path) -> tuple:
    """plate.1001.exr to plate.1003.exr, 8 x 4; 1002 has NaN at 3, 1 and both infinities at 5, 2."""
    for frame in (1001, 1002, 1003):
        array = numpy.full((4, 8, 4), 0.5, numpy.float32)
        if frame == 1002:
            array[1, 3] = (NAN, 0.25, 0.25, 1.0)
            array[2, 5] = (INF, -INF, 2.0, 0.5)
        spec = OpenImageIO.ImageSpec(8, 4, 4, OpenImageIO.HALF)
        spec.channelnames, spec.alpha_channel = ("R", "G", "B", "A"), 3
        spec.attribute("colorInteropID", "lin_ap1_scene")
        out = OpenImageIO.ImageOutput.create(str(tmp_path / f"plate.{frame}.exr"))
        assert out.open(str(tmp_path / f"plate.{frame}.exr"), spec) and out.write_image(array)
        out.close()
    return ("SequenceInput", {"path": str(tmp_path / "plate.%04d.exr"), "rate": "24"}, {})


LOOK = {
    "exposed": ("ColorCorrector", {"exposure": 1.0}, {"video": "plate"}),
    "soft": ("Blur", {"size": 1.0}, {"video": "exposed"}),
}


@pytest.mark.parametrize("shown", ["plate", "exposed", "soft"])
def test_pixels_that_are_no_numbers_are_blamed_on_the_plate_that_has_them(
    graph: Callable[..., object], sparks: tuple, shown: str
) -> None:
    built = graph(plate=sparks, **LOOK)
    built.frame(shown, 1001)  # type: ignore[attr-defined]
    with pytest.raises(NodeError) as caught:
        built.frame(shown, 1002)  # type: ignore[attr-defined]
    error = caught.value
    assert (error.node, error.frame, error.code) == ("plate", 1002, "pixels")
    assert error.because == "2 of its pixels are infinite or not numbers, the first at 3, 1 from the upper left"
    assert error.remedy == "a Repair node after it"


def test_they_stop_a_written_frame_too(graph: Callable[..., object], sparks: tuple, job: object) -> None:
    out = ("FileOutput", {"path": "out.%04d.exr"}, {"video": "soft"})
    with pytest.raises(NodeError) as caught:
        graph(plate=sparks, **LOOK, out=out).write("out")  # type: ignore[attr-defined]
    assert (caught.value.node, caught.value.frame) == ("plate", 1002)
    written = sorted(path.name for path in job.output.iterdir())  # type: ignore[attr-defined]
    assert written == ["out.1001.exr"]


def test_the_frame_that_has_them_is_named_and_not_the_one_that_was_asked_for(
    graph: Callable[..., object], sparks: tuple
) -> None:
    later = ("TimeOffset", {"by": 1}, {"video": "plate"})
    with pytest.raises(NodeError) as caught:
        graph(plate=sparks, later=later).frame("later", 1003)  # type: ignore[attr-defined]
    assert (caught.value.node, caught.value.frame) == ("plate", 1002)


def test_a_repair_node_mends_them(graph: Callable[..., object], sparks: tuple, job: object) -> None:
    nodes = {
        "plate": sparks,
        "mended": ("Repair", {"how": "black"}, {"video": "plate"}),
        "exposed": ("ColorCorrector", {"exposure": 1.0}, {"video": "mended"}),
        "out": ("FileOutput", {"path": "out.%04d.exr"}, {"video": "exposed"}),
    }
    built = graph(**nodes)
    pixels = built.frame("mended", 1002).pixels  # type: ignore[attr-defined]
    assert pixels[0, :, 1, 3].tolist() == [0, 0, 0, 1]
    assert pixels[0, :, 2, 5].tolist() == [0, 0, 0, 0.5]
    assert bool((pixels[0, :, 0] == 0.5).all())
    built.write("out")  # type: ignore[attr-defined]
    assert len(list(job.output.glob("out.*.exr"))) == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_what_repair_puts_in_their_place(dtype: torch.dtype) -> None:
    given = torch.tensor([[NAN, 0.5, 300.0, 1.0], [INF, -INF, 0.5, 0.5], [0.1, 0.2, 0.3, NAN], [0.1, 0.2, 0.3, INF]])
    picture = ImageBuffer(given.T.reshape(1, 4, 2, 2).to(dtype))
    kept = picture.pixels.clone()

    def mended(how: str) -> list[list[float]]:
        pixels = Repair(how=how, largest=100.0).point(picture).pixels  # type: ignore[arg-type]
        assert pixels.dtype is dtype
        return [[round(value, 2) for value in row] for row in pixels.reshape(4, 4).T.tolist()]

    assert mended("clamp") == [[0, 0.5, 100, 1], [100, -100, 0.5, 0.5], [0.1, 0.2, 0.3, 0], [0.1, 0.2, 0.3, 1]]
    assert mended("black") == [[0, 0, 0, 1], [0, 0, 0, 0.5], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert torch.equal(picture.pixels, kept) or bool(kept.isnan().any())


def test_repair_leaves_whole_pictures_alone(soft_picture: Callable[..., torch.Tensor]) -> None:
    picture = ImageBuffer(soft_picture(16, 8))
    assert Repair().render(FrameRequest(1), video=picture) is picture
