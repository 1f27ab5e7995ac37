"""Sound from files: each sample where it belongs, whatever was read before, and nothing from damaged files."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy
import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.sound import SoundReader

SECONDS = 5
KINDS = {
    "pcm.wav": ("pcm_s16le", 2e-5),
    "deep.wav": ("pcm_s24le", 2e-7),
    "float.wav": ("pcm_f32le", 1e-7),
    "lossless.flac": ("flac", 2e-5),
    "pcm.mov": ("pcm_s16le", 2e-5),
    "lossless.mkv": ("flac", 2e-5),
    "pcm.mkv": ("pcm_s16le", 2e-5),
    "aac.m4a": ("aac", 0.03),
    "aac.mov": ("aac", 0.03),
    "aac.mkv": ("aac", 0.03),
    "lame.mp3": ("libmp3lame", 0.05),
    "opus.ogg": ("libopus", 0.05),
}
"""A coder for each, and how far a decoded sweep may be from the one that was coded."""
MADE_UP = 1e-4
"""How far AAC's made-up noise may differ from one reading to the next."""


def sweep(rate: int = 48000, seconds: float = SECONDS) -> numpy.ndarray:
    """Two tones that rise, so that a shift by one sample shows anywhere: (2, count)."""
    t = numpy.arange(round(rate * seconds)) / rate
    fade = numpy.minimum(1, 50 * numpy.minimum(t, t[-1] - t))
    left, right = (numpy.sin(2 * numpy.pi * (low * t + rise * t * t)) for low, rise in ((200, 160), (300, 120)))
    return (numpy.stack([0.6 * left, 0.5 * right]) * fade).astype(numpy.float32)


def write(
    path: Path, codec: str, samples: numpy.ndarray, rate: int = 48000, *, pictures: bool = False, late: int = 0
) -> Path:
    """A file of `samples`, which begin `late` samples after the pictures."""
    layout = "stereo" if samples.shape[0] == 2 else "mono"
    with av.open(str(path), "w") as file:
        screen = file.add_stream("libx264", rate=25) if pictures else None
        if screen is not None:
            screen.width = screen.height = 32
            screen.pix_fmt = "yuv420p"
        track = file.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(track, av.AudioStream)
        if codec == "aac":
            track.bit_rate = 320_000
        if screen is not None:
            for number in range(round((samples.shape[1] + late) / rate * 25)):
                grey = av.VideoFrame.from_ndarray(numpy.full((32, 32, 3), number % 255, numpy.uint8), format="rgb24")
                grey.pts, grey.time_base = number, Fraction(1, 25)
                file.mux(screen.encode(grey))
            file.mux(screen.encode())
        for start in range(0, samples.shape[1], 1024):
            piece = numpy.ascontiguousarray(samples[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start + late, Fraction(1, rate)
            file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("sound")

    def made(name: str) -> Path:
        path = folder / name
        return path if path.exists() else write(path, KINDS[name][0], sweep())

    return made


@pytest.mark.parametrize("name", KINDS)
def test_every_sample_is_where_it_was_written(name: str, recording: Callable[[str], Path]) -> None:
    with SoundReader(recording(name)) as reader:
        assert (reader.info.rate, reader.info.channels, reader.info.picture_rate) == (48000, 2, None)
        assert 0 <= reader.info.length - SECONDS * 48000 <= 1024
        read = reader.samples(0, SECONDS * 48000).numpy()
    assert numpy.abs(read - sweep()).max() < KINDS[name][1]


@pytest.mark.parametrize("rate", [48000, 44100])
@pytest.mark.parametrize("name", KINDS)
def test_any_part_is_the_part_of_the_whole(name: str, rate: int, recording: Callable[[str], Path]) -> None:
    chance = random.Random(name)
    with SoundReader(recording(name), rate) as reader, SoundReader(recording(name), rate) as other:
        whole = reader.samples(0, reader.info.length).numpy()
        for _ in range(8):
            start, count = chance.randrange(-3000, reader.info.length + 500), chance.randrange(1, 9000)
            expected = numpy.zeros((2, count), numpy.float32)
            first, last = max(start, 0), min(start + count, reader.info.length)
            if first < last:
                expected[:, first - start : last - start] = whole[:, first:last]
            part = other.samples(start, count).numpy()
            assert numpy.abs(part - expected).max() <= (MADE_UP if name.startswith("aac") else 0)


@pytest.mark.parametrize(("given", "wanted"), [(44100, 48000), (48000, 44100), (96000, 48000), (48000, 8000)])
def test_resampling_keeps_time_and_level(given: int, wanted: int, tmp_path: Path) -> None:
    def tone(rate: int) -> numpy.ndarray:
        return numpy.sin(2 * numpy.pi * 440 * numpy.arange(rate * 3) / rate)[None].astype(numpy.float32)

    path = write(tmp_path / "tone.wav", "pcm_f32le", tone(given), given)
    with SoundReader(path, wanted) as reader:
        assert reader.info.length == wanted * 3
        read = reader.samples(0, wanted * 3).numpy()
    inside = slice(wanted // 20, -wanted // 20)
    assert numpy.abs(read - tone(wanted))[:, inside].max() < 1e-3


def test_no_seam_shows_where_seconds_meet(tmp_path: Path) -> None:
    path = write(tmp_path / "constant.wav", "pcm_f32le", numpy.full((1, 3 * 44100), 0.5, numpy.float32), 44100)
    with SoundReader(path, 48000) as reader:
        assert numpy.abs(reader.samples(4800, 3 * 48000 - 9600).numpy() - 0.5).max() < 1e-4


def test_sound_of_a_movie_is_in_time_with_its_pictures(tmp_path: Path) -> None:
    together = write(tmp_path / "together.mp4", "aac", sweep(), pictures=True)
    late = write(tmp_path / "late.mov", "pcm_s16le", sweep(), pictures=True, late=12000)
    with SoundReader(together) as reader:
        assert reader.info.picture_rate == 25
        assert numpy.abs(reader.samples(0, SECONDS * 48000).numpy() - sweep()).max() < 0.03
    with SoundReader(late) as reader:
        assert not reader.samples(0, 12000).any()
        assert numpy.abs(reader.samples(12000, SECONDS * 48000).numpy() - sweep()).max() < 2e-5


def test_outside_the_sound_is_silence(recording: Callable[[str], Path]) -> None:
    with SoundReader(recording("pcm.wav")) as reader:
        length = reader.info.length
        assert reader.samples(-100, 300).shape == (2, 300)
        for start, count in ((-5000, 5000), (length, 700), (10**9, 3), (5, 0)):
            read = reader.samples(start, count)
            assert read.shape == (2, count)
            assert not read.any()


def test_hours_take_no_more_than_seconds(recording: Callable[[str], Path]) -> None:
    with SoundReader(recording("aac.m4a"), 44100) as reader:
        reader._seconds.clear()
        for start in range(0, reader.info.length, 4000):
            reader.samples(start, 4000)
            assert sum(part.shape[1] for _, part in reader._track._window) < 48000 * 2
        reader.samples(0, 1)
        assert len(reader._seconds) <= 16


def test_a_track_is_chosen_by_number(tmp_path: Path) -> None:
    path = tmp_path / "two.mov"
    with av.open(str(path), "w") as file:
        tracks = [file.add_stream("pcm_s16le", rate=48000, layout="mono") for _ in range(2)]
        for level, track in zip((0.25, 0.5), tracks, strict=True):
            frame = av.AudioFrame.from_ndarray(
                numpy.full((1, 4800), level, numpy.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 48000, 0
            file.mux(track.encode(frame))
            file.mux(track.encode())
    for number, level in ((1, 0.25), (2, 0.5)):
        with SoundReader(path, track=number) as reader:
            assert reader.samples(100, 1)[0, 0] == pytest.approx(level, abs=1e-4)
    with pytest.raises(ArtifexError, match="it has 2 sound tracks"):
        SoundReader(path, track=3)


def refusal(path: Path) -> ArtifexError:
    with pytest.raises(ArtifexError) as refused, SoundReader(path) as reader:
        reader.samples(0, reader.info.length)
    return refused.value


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.wav").code == "missing"


def test_a_file_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as file:
        screen = file.add_stream("libx264", rate=25)
        screen.width = screen.height = 32
        screen.pix_fmt = "yuv420p"
        file.mux(screen.encode(av.VideoFrame.from_ndarray(numpy.zeros((32, 32, 3), numpy.uint8), format="rgb24")))
        file.mux(screen.encode())
    assert refusal(path).because == "it has no sound"


@pytest.mark.parametrize("name", ["aac.m4a", "pcm.mov", "lossless.flac", "pcm.mkv"])
def test_a_file_that_was_cut_off_is_refused(name: str, recording: Callable[[str], Path], tmp_path: Path) -> None:
    whole = recording(name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(whole[: len(whole) // 2])
    assert refusal(cut).code == "damaged"


@pytest.mark.parametrize("name", ["aac.m4a", "lame.mp3"])
def test_a_file_with_rubbish_in_it_is_refused(name: str, recording: Callable[[str], Path], tmp_path: Path) -> None:
    spoilt = bytearray(recording(name).read_bytes())
    middle = len(spoilt) // 2
    spoilt[middle : middle + 2000] = random.Random(1).randbytes(2000)
    path = tmp_path / name
    path.write_bytes(spoilt)
    assert "cannot be decoded near" in refusal(path).because


@pytest.mark.parametrize("content", [b"", b"RIFF", random.Random(2).randbytes(5000)])
def test_what_is_no_sound_at_all_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rubbish.wav"
    path.write_bytes(content)
    assert refusal(path).code == "damaged"
