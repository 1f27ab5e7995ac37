"""What FileOutput writes comes back: pixels, range, rate, recipe; and what it cannot write it refuses."""

from __future__ import annotations

import errno
import json
import os
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import OpenImageIO as oiio
import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.node import Preflight
from artifexpro.core.media import color, still
from artifexpro.core.media.files import sha256
from artifexpro.core.media.movie import MovieReader
from artifexpro.core.media.sound import SoundReader
from artifexpro.core.nodes.outputs import FileOutput
from artifexpro.core.protocol import ColorContract, FrameRange, Rate


@pytest.fixture
def nothing_wired(tmp_path: Path) -> Preflight:
    return Preflight(frozenset({"video"}), tmp_path)


def output(graph: Callable, plate: tuple, **params: object) -> object:
    return graph(plate=plate, out=("FileOutput", params, {"video": "plate"}))


def test_an_exr_sequence_is_the_clip(graph: Callable, plate: tuple, job: QuietContext) -> None:
    built = output(graph, plate, path="frames/frame.%04d.exr")
    (made,) = built.write("out")
    assert made.path == str(job.output / "frames" / "frame.%04d.exr")
    assert (made.role, made.space, made.width, made.height) == ("frames", "ACEScg", 96, 64)
    assert (made.frames, made.rate) == (FrameRange(first=1001, last=1006), Rate(num=25))
    names = [f"frame.{frame}.exr" for frame in range(1001, 1007)]
    assert sorted(entry.name for entry in (job.output / "frames").iterdir()) == names
    for frame in (1001, 1006):
        info = still.probe(Path(made.path % frame))
        assert info.recipe == json.dumps(job.recipe, sort_keys=True)
        assert info.rate == Fraction(25)
        expected = built.frame("plate", frame).pixels.half().float()
        torch.testing.assert_close(still.read(Path(made.path % frame)), expected, atol=0, rtol=0)


def test_a_movie_is_the_clip_with_its_recipe_beside_it(graph: Callable, footage: Path, job: QuietContext) -> None:
    clip = ("MediaInput", {"path": str(footage / "clip.mp4")}, {})
    built = graph(clip=clip, out=("FileOutput", {"path": "clip.mp4", "crf": 4}, {"video": "clip"}))
    made, recipe = built.write("out")
    assert (made.role, made.space, made.sha256) == ("clip", "srgb_tx", sha256(job.output / "clip.mp4"))
    assert (recipe.role, recipe.path) == ("recipe", str(job.output / "clip.recipe.json"))
    assert json.loads(Path(recipe.path).read_text()) == job.recipe
    with MovieReader(Path(made.path)) as movie:
        assert (movie.info.frames, movie.info.rate) == (6, Fraction(25))
        torch.testing.assert_close(movie.frame(4), built.frame("clip", 1005).pixels, atol=0.03, rtol=0)


@pytest.mark.parametrize(("codec", "depth"), [("auto", "uint8"), ("png8", "uint8"), ("png16", "uint16")])
def test_a_png_holds_srgb_with_alpha_apart(
    graph: Callable, plate: tuple, job: QuietContext, codec: str, depth: str
) -> None:
    job.frames = FrameRange(first=1002, last=1002)
    built = output(graph, plate, path="still.png", codec=codec)
    (made,) = built.write("out")
    assert (made.role, made.frames, made.space) == ("still", job.frames, "srgb_tx")
    spec = oiio.ImageInput.open(made.path).spec()
    assert spec.format == depth
    assert spec.get_string_attribute(still.RECIPE) == json.dumps(job.recipe, sort_keys=True)
    shown = color.transform(still.read(Path(made.path)), "ACEScg", "srgb_tx")
    expected = color.transform(built.frame("plate", 1002).pixels, "ACEScg", "srgb_tx").clamp(min=0)
    torch.testing.assert_close(shown, expected, atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("path", "codec", "name", "layout"),
    [
        ("a.mov", "prores4444", "prores", "yuva444p12le"),
        ("a.mkv", "ffv1", "ffv1", "gbrap16le"),
        ("a.mkv", "auto", "h264", "yuv420p"),
        ("a.mov", "h264", "h264", "yuv420p"),
    ],
)
def test_codec_acts(
    graph: Callable, plate: tuple, job: QuietContext, path: str, codec: str, name: str, layout: str
) -> None:
    output(graph, plate, path=path, codec=codec).write("out")
    with av.open(str(job.output / path)) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == (name, layout)


def test_crf_and_space_act(graph: Callable, plate: tuple, job: QuietContext) -> None:
    sizes = []
    for crf in (2, 40):
        output(graph, plate, path=f"{crf}.mp4", crf=crf).write("out")
        sizes.append((job.output / f"{crf}.mp4").stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]
    (made,) = output(graph, plate, path="f.%04d.exr", space="ACEScct").write("out")
    assert made.space == "ACEScct"
    with pytest.raises(ArtifexError, match="no such space"):
        output(graph, plate, path="f.%04d.exr", space="ACESctt").write("out")
    job.color = ColorContract(space_out="lin_rec709")
    (made,) = output(graph, plate, path="g.%04d.exr").write("out")
    assert made.space == "lin_rec709"
    assert still.probe(Path(made.path % 1001)).space == "lin_rec709_scene"


@pytest.mark.parametrize(("space", "curve"), [("auto", 1), ("p3d65_display", 2)])
def test_a_movie_is_tagged_rec709_only_if_it_is(
    graph: Callable, plate: tuple, job: QuietContext, space: str, curve: int
) -> None:
    output(graph, plate, path="a.mp4", space=space).write("out")
    with av.open(str(job.output / "a.mp4")) as file:
        context = file.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (curve, curve, 1)


def test_only_the_frames_of_the_job_are_written(graph: Callable, plate: tuple, job: QuietContext) -> None:
    job.frames = FrameRange(first=1003, last=1004)
    (made,) = output(graph, plate, path="f.####.exr").write("out")
    assert made.frames == job.frames
    assert made.path.endswith("f.%04d.exr")
    assert len(list(job.output.iterdir())) == 2


def test_a_smaller_job_writes_smaller_files(graph: Callable, plate: tuple, job: QuietContext) -> None:
    built = output(graph, plate, path="half.mp4")
    made, _ = built.write("out", scale=0.5)
    assert (made.width, made.height) == (48, 32)
    with MovieReader(Path(made.path)) as movie:
        assert (movie.info.width, movie.info.height) == (48, 32)


def test_equal_jobs_write_equal_bytes(graph: Callable, plate: tuple, job: QuietContext) -> None:
    for name in "ab":
        for ending in (f"{name}.mp4", f"{name}.%04d.exr"):
            output(graph, plate, path=ending).write("out")
    assert sha256(job.output / "a.mp4") == sha256(job.output / "b.mp4")
    assert sha256(job.output / "a.1003.exr") == sha256(job.output / "b.1003.exr")


@pytest.mark.parametrize(
    ("params", "because"),
    [
        ({"path": ""}, "no ending"),
        ({"path": "clip.xyz"}, r"\.mp4, \.mov, \.mkv, \.exr, \.png"),
        ({"path": "clip.%04d.mp4"}, "needs no frame number"),
        ({"path": "a.%04d.%04d.exr"}, "more than one frame number"),
        ({"path": "a.%04d.exr", "codec": "png16"}, "holds exr"),
        ({"path": "a.mp4", "codec": "prores4444"}, "holds h264"),
        ({"path": "a.%04d.exr", "crf": 12}, "only H.264"),
        ({"path": "a.mov", "codec": "prores4444", "crf": 12}, "only H.264"),
    ],
)
def test_what_cannot_be_written_is_refused_before_work(nothing_wired: Preflight, params: dict, because: str) -> None:
    with pytest.raises(ArtifexError, match=because):
        FileOutput(**params).preflight(nothing_wired)


def test_many_frames_do_not_go_into_one_picture(graph: Callable, plate: tuple, job: QuietContext) -> None:
    with pytest.raises(ArtifexError, match=r"such as still\.%04d\.png"):
        output(graph, plate, path="still.png").write("out")
    assert not job.output.exists()


def test_a_cancelled_movie_leaves_nothing(graph: Callable, plate: tuple, job: QuietContext) -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked > 8:
            raise Cancelled

    job.check = check
    with pytest.raises(Cancelled):
        output(graph, plate, path="clip.mp4").write("out")
    assert list(job.output.iterdir()) == []


def test_progress_counts_frames(graph: Callable, plate: tuple, job: QuietContext) -> None:
    told = []
    job.progress = lambda stage, done, total: told.append((stage, done, total))
    output(graph, plate, path="f.%04d.exr").write("out")
    assert told == [("write", done, 6) for done in range(7)]
    assert [stage.name for stage in job.stages] == ["write"]


def test_a_full_disk_leaves_whole_frames_only(
    graph: Callable, plate: tuple, job: QuietContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, flushed = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal flushed
        flushed += 1
        if flushed > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ArtifexError, match="the disk is full") as refusal:
        output(graph, plate, path="f.%04d.exr").write("out")
    assert (refusal.value.code, refusal.value.node) == ("disk", "out")
    assert sorted(entry.name for entry in job.output.iterdir()) == ["f.1001.exr", "f.1002.exr"]
    for entry in job.output.iterdir():
        still.read(entry)


def voice(path: Path, seconds: float = 1.0, channels: int = 1) -> Path:
    """A tone of 400 Hz that is heard from 0.1 s on, in all channels."""
    time = torch.arange(round(seconds * 48_000)) / 48_000
    tone = torch.sin(2 * torch.pi * 400 * time) * 0.5 * (time >= 0.1)
    words = (tone * 32767).to(torch.int16).unsqueeze(1).expand(-1, channels).contiguous()
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, 48_000, 0, "NONE", ""))
        file.writeframes(words.numpy().tobytes())
    return path


@pytest.mark.parametrize(
    ("name", "codec", "exact"),
    [("clip.mp4", "h264", 0.05), ("clip.mov", "prores4444", 1e-4), ("clip.mkv", "ffv1", 1e-4)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_movie_has_the_sound_of_its_frames(
    name: str,
    codec: str,
    exact: float,
    channels: int,
    graph: Callable,
    footage: Path,
    job: QuietContext,
    tmp_path: Path,
) -> None:
    """Six frames of 25 a second: 0.24 s of the sound, whose tone begins at 0.1 s."""
    built = graph(
        clip=("MediaInput", {"path": str(footage / "clip.mp4")}, {}),
        voice=("AudioInput", {"path": str(voice(tmp_path / "voice.wav", 1.0, channels)), "frame_rate": "25"}, {}),
        out=("FileOutput", {"path": name, "codec": codec}, {"video": "clip", "audio": "voice"}),
    )
    made = built.write("out")[0]
    with SoundReader(Path(made.path)) as written, SoundReader(tmp_path / "voice.wav") as given:
        assert written.info.channels == channels
        assert 0 <= written.info.length - 11_520 <= 2_048
        heard, expected = written.samples(0, 11_000), given.samples(0, 11_000)
    assert float((heard - expected).abs()[:, :4_000].max()) < exact
    assert float((heard - expected).abs()[:, 6_000:].mean()) < exact
    again = graph(
        clip=("MediaInput", {"path": str(footage / "clip.mp4")}, {}),
        voice=("AudioInput", {"path": str(tmp_path / "voice.wav"), "frame_rate": "25"}, {}),
        out=("FileOutput", {"path": f"again-{name}", "codec": codec}, {"video": "clip", "audio": "voice"}),
    ).write("out")[0]
    assert Path(again.path).read_bytes() == Path(made.path).read_bytes()


@pytest.mark.parametrize(
    ("path", "rate", "channels", "because"),
    [
        ("frames/frame.%04d.exr", "25", 1, "pictures have no sound"),
        ("clip.mp4", "24", 1, "24 frames a second and the pictures come 25 a second"),
        ("clip.mp4", "25", 3, "3 channels of sound"),
    ],
)
def test_sound_that_cannot_be_written_is_refused(
    path: str, rate: str, channels: int, because: str, graph: Callable, footage: Path, job: QuietContext, tmp_path: Path
) -> None:
    sound = voice(tmp_path / "voice.wav", 1.0, channels)
    with pytest.raises(ArtifexError, match=because):
        graph(
            clip=("MediaInput", {"path": str(footage / "clip.mp4")}, {}),
            voice=("AudioInput", {"path": str(sound), "frame_rate": rate}, {}),
            out=("FileOutput", {"path": path}, {"video": "clip", "audio": "voice"}),
        ).write("out")
    assert not job.output.exists() or list(job.output.iterdir()) == []
