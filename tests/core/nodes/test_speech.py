"""S2VGenerator: a film from a sound and a picture through the graph, made once, resumed, delivered with its sound."""

from __future__ import annotations

import json
import math
import wave
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.values import AudioInfo, AudioStream, FrameRequest, StreamInfo
from artifexpro.core.media import still
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.sound import resampled
from artifexpro.core.media.still import Header
from artifexpro.core.nodes import material
from artifexpro.core.nodes.speech import S2VGenerator
from artifexpro.core.wan22 import loop
from artifexpro.core.wan22.s2v.speech import RATE

SMALL: dict[str, Any] = {"prompt": "a man speaks", "width": 64, "height": 64, "steps": 1, "seed": 7}


def write_speech(path: Path, seconds: float, rate: int = 48_000, level: float = 0.2) -> Path:
    """Two channels of a hum of harmonics that swells like syllables, four a second."""
    time = numpy.arange(round(seconds * rate)) / rate
    hum = sum(numpy.sin(2 * math.pi * 140 * number * time) / number for number in range(1, 6))
    mono = level * hum * (0.55 + 0.45 * numpy.sin(2 * math.pi * 4 * time))
    words = numpy.repeat((mono * 32767).astype("<i2")[:, None], 2, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(words.tobytes())
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """speech.wav (1.5 s: two clips), silence.wav, short.wav, face.png (90 x 120) and poses.mov."""
    folder = tmp_path_factory.mktemp("speech")
    write_speech(folder / "speech.wav", 1.5)
    write_speech(folder / "silence.wav", 1.5, level=0.0)
    write_speech(folder / "short.wav", 0.2)
    face = torch.rand(1, 4, 120, 90, generator=torch.Generator().manual_seed(3))
    face[:, 3] = 1
    write_frame(folder / "face.png", face, "png8", Header("srgb_tx"))
    return folder


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> QuietContext:
    """One place for models and results, so that the smoke model is built once."""
    home = tmp_path_factory.mktemp("worker")
    return QuietContext(home / "out", home / "store", home / "models")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Any:
    """Networks this small take six times as long on two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def nodes(place: Path, sound: str = "speech.wav", **params: Any) -> dict[str, Any]:
    return {
        "voice": ("AudioInput", {"path": str(place / sound), "frame_rate": "16"}, {}),
        "face": ("MediaInput", {"path": str(place / "face.png")}, {}),
        "film": ("S2VGenerator", {**SMALL, **params}, {"audio": "voice", "reference_image": "face"}),
    }


@pytest.fixture(scope="module")
def film(place: Path, worker: QuietContext, request: pytest.FixtureRequest) -> Evaluator:
    from artifexpro.core.graph.compile import compile_graph, preflight
    from artifexpro.core.graph.document import Document
    from artifexpro.core.nodes import library

    raw = {
        name: {"type": kind, "params": params, "inputs": {socket: [end] for socket, end in inputs.items()}}
        for name, (kind, params, inputs) in nodes(place).items()
    }
    plan = compile_graph(
        Document.parse({"format": "artifexpro.graph", "version": 1, "nodes": raw}), library(), worker.models
    )
    preflight(plan)
    return Evaluator(plan, worker)


def made_by(evaluator: Evaluator) -> Path:
    evaluator.frame(evaluator.plan.index["film"], FrameRequest(1001))
    (clip,) = evaluator.context.store.iterdir()
    return clip


def test_a_film_is_as_long_as_its_sound_and_known_before_it_is_made(film: Evaluator) -> None:
    info = film.info(film.plan.index["film"])
    assert (info.first, info.last, info.rate, info.width, info.height) == (1001, 1024, Fraction(16), 64, 64)


def test_a_film_of_two_clips_is_made_once_and_read_like_footage(film: Evaluator, worker: QuietContext) -> None:
    clip = made_by(film)
    assert sorted(entry.name for entry in (clip / "frames").iterdir()) == [f"frame.{at:04d}.exr" for at in range(24)]
    assert len(list(clip.glob("clip.*.safetensors"))) == 2
    told = json.loads((clip / "clip.json").read_text())
    assert (told["frames"], told["size"], told["spec"]["task"]) == (24, [64, 64], "s2v")
    assert told["model"]["name"] == "smoke-s2v"
    assert any("noise" in note for note in told["notes"])
    at = film.plan.index["film"]
    pictures = [film.frame(at, FrameRequest(1001 + frame)).pixels for frame in range(24)]
    assert all(float((one - other).abs().mean()) > 1e-4 for one, other in pairwise(pictures))
    assert film.frame(at, FrameRequest(1010, 0.5)).size == (32, 32)
    info = still.probe(clip / "frames" / "frame.0000.exr")
    assert info.rate == Fraction(16)
    later = QuietContext(worker.output, worker.store, worker.models)
    assert torch.equal(Evaluator(film.plan, later).frame(at, FrameRequest(1005)).pixels, pictures[4])
    assert any("noise" in note for note in later.notes)


def test_a_size_follows_the_picture_and_a_length_may_be_stated(graph: Callable[..., Any], place: Path) -> None:
    described = graph(**nodes(place, width=0, height=0, frames=9)).info("film")
    assert (described.width, described.height) == (128, 128)
    assert len(described) == 9


def test_poses_are_seen_at_the_films_pace(worker: QuietContext) -> None:
    asked: list[int] = []

    class Stream:
        info = StreamInfo(10, 33, Fraction(24), 64, 64)

        def frame(self, number: int) -> Any:
            asked.append(number)
            raise Cancelled

    poses = material.paced(Stream(), Fraction(16))  # type: ignore[arg-type]
    assert poses is not None and poses.frames == 16
    for frame in range(4):
        with pytest.raises(Cancelled):
            poses.frame(frame)
    assert asked == [10, 11, 13, 14]


def test_poses_change_the_film(graph: Callable[..., Any], place: Path, footage: Path, worker: QuietContext) -> None:
    parts = nodes(place, frames=4)
    kind, params, inputs = parts["film"]
    poses: Any = ("MediaInput", {"path": str(footage / "clip.mp4")}, {})
    posed = graph(**{**parts, "poses": poses, "film": (kind, params, {**inputs, "pose_video": "poses"})}).plan
    plain = graph(**parts).plan
    own = QuietContext(worker.output, worker.output / "posed store", worker.models)
    pictures = [Evaluator(plan, own).frame(plan.index["film"], FrameRequest(1003)).pixels for plan in (plain, posed)]
    assert float((pictures[0] - pictures[1]).abs().max()) > 1e-3


def test_a_film_that_broke_off_goes_on_at_its_clip(
    film: Evaluator, worker: QuietContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    denoised: list[int] = []
    denoise = loop.denoise

    def counted(*given: Any, **named: Any) -> Any:
        denoised.append(1)
        if len(denoised) == 2:
            raise RuntimeError("the power went")
        return denoise(*given, **named)

    monkeypatch.setattr(loop, "denoise", counted)
    own = QuietContext(worker.output, worker.output / "own store", worker.models)
    at = film.plan.index["film"]
    with pytest.raises(NodeError, match="power went"):
        Evaluator(film.plan, own).frame(at, FrameRequest(1001))
    again = Evaluator(film.plan, own)
    again.frame(at, FrameRequest(1001))
    assert len(denoised) == 3
    for name in ("frames/frame.0000.exr", "frames/frame.0023.exr", "clip.json"):
        assert (made_by(again) / name).read_bytes() == (made_by(film) / name).read_bytes()


def test_a_cancelled_film_is_not_there(film: Evaluator, worker: QuietContext, monkeypatch: pytest.MonkeyPatch) -> None:
    own = QuietContext(worker.output, worker.output / "cancelled store", worker.models)
    told: list[str] = []
    monkeypatch.setattr(own, "progress", lambda stage, done, total: told.append(stage))

    def check() -> None:
        if "denoise" in told:
            raise Cancelled

    monkeypatch.setattr(own, "check", check)
    with pytest.raises(Cancelled):
        Evaluator(film.plan, own).frame(film.plan.index["film"], FrameRequest(1001))
    assert told.count("denoise") == 1
    assert not list(own.store.rglob("clip.json"))


@pytest.mark.parametrize(
    ("sound", "params", "because"),
    [
        ("short.wav", {}, "0.20 s long"),
        ("speech.wav", {"prompt": " "}, "prompt is empty"),
        ("speech.wav", {"model": "smoke"}, "speech to video"),
        ("speech.wav", {"model": "s2v-14B"}, "models get s2v-14B"),
        ("speech.wav", {"width": 80, "height": 64}, "multiples of 64"),
        ("missing.wav", {}, "missing.wav"),
    ],
)
def test_what_cannot_be_made_is_refused_before_work(
    sound: str, params: dict[str, Any], because: str, graph: Callable[..., Any], place: Path
) -> None:
    with pytest.raises((GraphError, NodeError), match=because):
        graph(**nodes(place, sound, **params)).info("film")


def test_a_silent_sound_is_refused_before_weights_are_loaded(
    graph: Callable[..., Any], place: Path, worker: QuietContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[str] = []
    own = QuietContext(worker.output, worker.output / "silent store", worker.models)
    stage = own.stage

    def told(name: str) -> Any:
        stages.append(name)
        return stage(name)

    monkeypatch.setattr(own, "stage", told)
    plan = graph(**nodes(place, "silence.wav")).plan
    with pytest.raises(NodeError, match="sound is silent"):
        Evaluator(plan, own).frame(plan.index["film"], FrameRequest(1001))
    assert stages == []


@pytest.mark.parametrize("missing", ["audio", "reference_image"])
def test_sound_and_picture_must_be_connected(missing: str, graph: Callable[..., Any], place: Path) -> None:
    parts = nodes(place)
    kind, params, inputs = parts["film"]
    parts["film"] = (kind, params, {name: end for name, end in inputs.items() if name != missing})
    with pytest.raises(GraphError, match=missing):
        graph(**parts)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", "a woman sings"),
        ("negative_prompt", ""),
        ("preset", "Production"),
        ("seed", 8),
        ("width", 128),
        ("frames", 9),
        ("steps", 3),
        ("begin_with_picture", True),
    ],
)
def test_every_parameter_is_in_the_settled_numbers(name: str, value: object) -> None:
    assert S2VGenerator(**{**SMALL, name: value}).spec() != S2VGenerator(**SMALL).spec()


def test_provenance_leaves_out_what_the_inputs_decide(worker: QuietContext) -> None:
    said = S2VGenerator(**{**SMALL, "width": 0, "height": 0}).provenance(worker.models)
    assert said["model"]["name"] == "smoke-s2v" and said["model"]["files"]
    assert not {"frames", "width", "height"} & set(said["spec"])
    assert said["spec"]["seed"] == 7


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_sound_of_any_rate_and_channels_comes_as_one_at_16_khz(rate: int) -> None:
    """A tone of 200 Hz on one of two channels: half as loud on one, and still 200 Hz."""
    time = torch.arange(rate * 25 + 7) / rate
    tone = torch.stack([torch.sin(2 * torch.pi * 200 * time), torch.zeros(len(time))]).float()
    info = AudioInfo(rate, 2, len(time), 1001, Fraction(16))
    heard = material.sound(AudioStream(info, lambda start, count: tone[:, start : start + count]), RATE)
    assert 0 <= math.ceil(len(time) * RATE / rate) - len(heard) <= 1
    expected = 0.5 * torch.sin(2 * torch.pi * 200 * torch.arange(len(heard)) / RATE)
    assert float((heard - expected)[800:-800].abs().max()) < 2e-3


def test_no_sound_is_no_samples() -> None:
    assert resampled([], 48_000, RATE).shape == (0,)


def test_a_sound_longer_than_ten_minutes_is_refused(worker: QuietContext) -> None:
    infos: dict[str, Any] = {
        "audio": AudioInfo(48_000, 1, 48_000 * 601, 1001, Fraction(16)),
        "reference_image": StreamInfo(1001, 1001, Fraction(24), 90, 120, still=True),
    }
    with pytest.raises(ArtifexError, match="ten minutes"):
        S2VGenerator(**SMALL).describe(infos)
