"""Controls: from sound, keys and data, and what is done with them on the way to a parameter."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
import torch
from pydantic import ValidationError

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph import controls
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.node import Preflight
from artifexpro.core.graph.values import AudioInfo, AudioStream, ControlSignal, DataPayload
from artifexpro.core.nodes.audio import AudioInput
from artifexpro.core.nodes.control import (
    ControlClamp,
    ControlCurve,
    ControlMath,
    ControlRange,
    ControlTable,
    DataControl,
    Envelope,
    Number,
)

RATE = 4800
LINE = {"curve": {"keys": [{"frame": 0, "value": 0.0}, {"frame": 10, "value": 10.0}], "before": "linear", "after": "linear"}}  # fmt: skip  # noqa: E501


def ramp() -> ControlSignal:
    """Says the frame's number."""
    return controls.drawn(Curve.parse(LINE))


def steps(*levels: float) -> AudioStream:
    """A square wave at a level a frame from frame 1001 on, 24 frames a second."""
    frame = torch.tensor([1.0, -1.0]).repeat(RATE // 48)
    samples = torch.cat([frame * level for level in levels]).unsqueeze(0)

    def pull(start: int, count: int) -> torch.Tensor:
        out = torch.zeros(1, count)
        first, last = max(start, 0), min(start + count, samples.shape[1])
        if first < last:
            out[:, first - start : last - start] = samples[:, first:last]
        return out

    return AudioStream(AudioInfo(RATE, 1, samples.shape[1], 1001, Fraction(24)), pull)


def preflight(node: Any, *wired: str) -> None:
    node.preflight(Preflight(frozenset(wired), Path("/models")))


def test_a_number_is_data() -> None:
    assert Number(value=2.5).evaluate() == DataPayload("number", {"value": 2.5})


def test_a_drawn_control_says_what_its_curve_says() -> None:
    node = ControlCurve.model_validate({"curve": LINE}, strict=True)
    assert [node.evaluate().at(frame) for frame in (-1, 2.5, 12)] == [-1, 2.5, 12]
    assert ControlCurve().evaluate().is_constant
    with pytest.raises(ValidationError, match="it has no keys"):
        ControlCurve.model_validate({"curve": {"curve": {"keys": []}}}, strict=True)


@pytest.mark.parametrize(
    ("operation", "with_number", "with_control"),
    [("add", 7, 10), ("subtract", 3, 0), ("multiply", 10, 25), ("minimum", 2, 5), ("maximum", 5, 5)],
)
def test_two_controls_or_a_control_and_a_number(operation: Any, with_number: float, with_control: float) -> None:
    assert ControlMath(operation=operation, number=2.0).evaluate(a=ramp()).at(5) == with_number
    assert ControlMath(operation=operation).evaluate(a=ramp(), b=ramp()).at(5) == with_control


def test_what_is_made_of_constants_is_constant() -> None:
    assert ControlMath(number=2.0).evaluate(a=controls.constant(1)).is_constant
    assert not ControlMath().evaluate(a=controls.constant(1), b=ramp()).is_constant


def test_a_number_that_would_do_nothing_is_refused() -> None:
    preflight(ControlMath(number=2.0), "a")
    preflight(ControlMath(), "a", "b")
    with pytest.raises(ArtifexError, match="another control is connected there"):
        preflight(ControlMath(number=2.0), "a", "b")


def test_a_range_becomes_another() -> None:
    node = ControlRange(from_low=2.0, from_high=4.0, to_low=10.0, to_high=-10.0)
    moved = node.evaluate(control=ramp())
    assert [moved.at(frame) for frame in (0, 2, 3, 4, 9)] == [10, 10, 0, -10, -10]
    free = ControlRange(from_low=2.0, from_high=4.0, to_low=10.0, to_high=-10.0, clamp=False).evaluate(control=ramp())
    assert [free.at(frame) for frame in (0, 3, 9)] == [30, 0, -60]
    with pytest.raises(ArtifexError, match="has no ends"):
        preflight(ControlRange(from_low=1.0))


def test_a_clamped_control_stays_between() -> None:
    kept = ControlClamp(low=2.0, high=4.0).evaluate(control=ramp())
    assert [kept.at(frame) for frame in (0, 3, 9)] == [2, 3, 4]
    with pytest.raises(ArtifexError, match="low is above high"):
        preflight(ControlClamp(low=2.0))


def test_a_control_is_listed_over_a_range() -> None:
    assert ControlTable(first=3, last=5).evaluate(control=ramp()) == DataPayload(
        "frames", {"first": 3, "values": [3, 4, 5]}
    )
    for first, last in ((5, 4), (0, 1_000_000)):
        with pytest.raises(ArtifexError):
            preflight(ControlTable(first=first, last=last))


def test_a_list_of_an_analysis_is_a_control() -> None:
    data = DataPayload("luminance", {"first": 1001, "mean": [1.0, 3.0], "clip": {"mean": 2.0}})
    signal = DataControl().evaluate(data=data)
    assert [signal.at(frame) for frame in (0, 1001, 1001.5, 1002, 9999)] == [1, 1, 2, 3, 3]
    with pytest.raises(ArtifexError, match="its lists are: mean"):
        DataControl(column="median").evaluate(data=data)
    with pytest.raises(ArtifexError, match="its lists are: none"):
        DataControl().evaluate(data=DataPayload("number", {"value": 1.0}))


def test_an_envelope_without_constants_is_the_loudness() -> None:
    envelope = Envelope(gain=2.0).evaluate(audio=steps(0.5, 0.0, 1.0))
    assert [envelope.at(frame) for frame in (1000, 1001, 1002, 1003, 1004)] == pytest.approx([0, 1, 0, 2, 0])


def test_attack_and_release_are_time_constants() -> None:
    levels = [0.0] * 5 + [1.0] * 40 + [0.0] * 40
    envelope = Envelope(attack=4.0, release=6.0).evaluate(audio=steps(*levels))
    for after in (1, 4, 12):
        assert envelope.at(1005 + after) == pytest.approx(1 - math.exp(-after / 4), abs=1e-3)
        assert envelope.at(1045 + after) == pytest.approx(math.exp(-after / 6), abs=1e-3)


def test_an_envelope_is_the_same_in_any_order() -> None:
    audio = steps(*torch.rand(60).tolist())
    forward = Envelope(attack=3.0, release=5.0).evaluate(audio=audio)
    backward = Envelope(attack=3.0, release=5.0).evaluate(audio=audio)
    frames = range(990, 1070)
    there = [forward.at(frame) for frame in frames]
    assert [backward.at(frame) for frame in reversed(frames)][::-1] == there


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds at 48 kHz: a square wave of 0.5 in every other frame of 25 a second."""
    path = tmp_path_factory.mktemp("beats") / "beats.wav"
    frame = numpy.repeat(numpy.tile(numpy.array([0.5, -0.5], numpy.float32), 20), 48)
    samples = numpy.tile(numpy.concatenate([frame, 0 * frame]), 25)[None]
    with av.open(str(path), "w") as file:
        track = file.add_stream("pcm_f32le", rate=48000, layout="mono")
        piece = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        piece.sample_rate = 48000
        file.mux(track.encode(piece))
        file.mux(track.encode())
    return path


def test_sound_from_a_file_lies_on_frames(beats: Path) -> None:
    audio = AudioInput(path=str(beats), frame_rate="25").evaluate()
    assert (audio.info.rate, audio.info.length, audio.info.first_frame) == (48000, 96000, 1001)
    levels = [float(audio.of_frame(frame).abs().max()) for frame in range(1000, 1005)]
    assert levels == pytest.approx([0, 0.5, 0, 0.5, 0])


@pytest.mark.parametrize(
    ("offset", "frames"), [(0.04, [0, 0, 0.5, 0]), (-0.04, [0.5, 0, 0.5, 0]), (0.0, [0, 0.5, 0, 0.5])]
)
def test_sound_may_come_later_or_earlier(offset: float, frames: list[float], beats: Path) -> None:
    audio = AudioInput(path=str(beats), frame_rate="25", offset=offset).evaluate()
    found = [float(audio.of_frame(frame).abs().max()) for frame in range(1000, 1004)]
    assert found == pytest.approx(frames)
    assert audio.info.length == 96000 + round(offset * 48000)


def test_first_frame_and_rate_act(beats: Path) -> None:
    audio = AudioInput(path=str(beats), frame_rate="25", first_frame=1, rate=8000).evaluate()
    assert audio.of_frame(1).shape == (1, 320)
    levels = [float(audio.of_frame(frame)[:, 20:-20].square().mean().sqrt()) for frame in (0, 1, 2, 3)]
    assert levels == pytest.approx([0, 0.5, 0, 0.5], abs=0.05)
    assert audio.info.length == 16000


def test_sound_alone_does_not_know_its_frames(beats: Path) -> None:
    with pytest.raises(ArtifexError, match="setting frame_rate"):
        AudioInput(path=str(beats)).evaluate()


def test_wrong_files_are_refused_before_work(tmp_path: Path, beats: Path) -> None:
    preflight(AudioInput(path=str(beats), frame_rate="24000/1001"))
    (tmp_path / "notes.txt").touch()
    wrong = ("", "beats.wav", str(tmp_path / "none.wav"), str(tmp_path / "notes.txt"), str(tmp_path))
    for path in wrong:
        with pytest.raises(ArtifexError):
            preflight(AudioInput(path=path))
    with pytest.raises(ArtifexError, match="is not a whole number or a fraction"):
        preflight(AudioInput(path=str(beats), frame_rate="23.976"))


def test_a_file_written_again_is_another(beats: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.wav"
    copy.write_bytes(beats.read_bytes())
    wired = Preflight(frozenset(), tmp_path)
    node = AudioInput(path=str(copy))
    before = node.fingerprint(wired)
    copy.write_bytes(beats.read_bytes() + b"\0")
    assert node.fingerprint(wired) != before
    assert AudioInput(path="").fingerprint(wired) == ""
    assert node.provenance(tmp_path)["path"] == str(copy)


def test_sound_moves_a_parameter(graph: Callable[..., Any], plate: tuple, beats: Path) -> None:
    nodes = graph(
        plate=plate,
        sound=("AudioInput", {"path": str(beats), "frame_rate": "25"}, {}),
        level=("Envelope", {"gain": 2.0}, {"audio": "sound"}),
        solid=("ApplyMatte", {}, {"video": "plate", "matte": "plate", "amount": "level"}),
        direct=("ApplyMatte", {}, {"video": "plate", "matte": "plate", "amount": "sound"}),
    )
    for frame in (1001, 1002, 1003):
        whole = nodes.frame("plate", frame).pixels
        cut = whole * whole[:, 3:]
        torch.testing.assert_close(nodes.frame("solid", frame).pixels, cut if frame % 2 else whole)
        torch.testing.assert_close(nodes.frame("direct", frame).pixels, (cut + whole) / 2 if frame % 2 else whole)


def test_a_number_and_a_curve_move_parameters(graph: Callable[..., Any], plate: tuple) -> None:
    curve = {"curve": {"keys": [{"frame": 1001, "value": 0.0}, {"frame": 1003, "value": 1.0}]}}
    both = {"video": "plate", "matte": "plate"}
    nodes = graph(
        plate=plate,
        number=("Number", {"value": 0.5}, {}),
        drawn=("ControlCurve", {"curve": curve}, {}),
        half=("ApplyMatte", {}, {**both, "amount": "number"}),
        rising=("ApplyMatte", {}, {**both, "amount": "drawn"}),
    )
    whole = nodes.frame("plate", 1002).pixels
    expected = whole * (0.5 + 0.5 * whole[:, 3:])
    torch.testing.assert_close(nodes.frame("half", 1002).pixels, expected)
    torch.testing.assert_close(nodes.frame("rising", 1002).pixels, expected)


def test_a_control_that_leaves_the_range_is_told_at_its_frame(graph: Callable[..., Any], plate: tuple) -> None:
    curve = {"curve": {"keys": [{"frame": 1001, "value": 0.0}, {"frame": 1003, "value": 4.0}]}}
    nodes = graph(
        plate=plate,
        drawn=("ControlCurve", {"curve": curve}, {}),
        cut=("ApplyMatte", {}, {"video": "plate", "matte": "plate", "amount": "drawn"}),
    )
    with pytest.raises(ArtifexError) as refusal:
        nodes.frame("cut", 1003)
    assert refusal.value.details()["node"] == "cut"
