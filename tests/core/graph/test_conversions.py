"""Each conversion: what it keeps, what it loses, and what is left after the way there and back."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph import controls
from artifexpro.core.graph.conversions import CONVERSIONS
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.kinds import PointNode, ValueNode
from artifexpro.core.graph.values import (
    WORKING_SPACE,
    AudioInfo,
    AudioStream,
    FrameRequest,
    ImageBuffer,
    MaskChannel,
    SocketType,
    StreamInfo,
    Value,
)

IMAGE, VIDEO, MASK = SocketType.IMAGE, SocketType.VIDEO, SocketType.MASK
AUDIO, DATA, CONTROL = SocketType.AUDIO, SocketType.DATA, SocketType.CONTROL
CLIP = StreamInfo(1001, 1010, Fraction(24), 2, 2, "ACEScct")


def matte(coverage: float) -> MaskChannel:
    return MaskChannel(torch.full((1, 1, 2, 2), coverage))


def colour(*rgba: float) -> ImageBuffer:
    return ImageBuffer(torch.tensor(rgba).view(1, 4, 1, 1).expand(1, 4, 2, 2).contiguous())


def convert(a: SocketType, b: SocketType, value: Any) -> Any:
    node = CONVERSIONS[a, b]()
    if isinstance(node, ValueNode):
        return node.evaluate(value=value)
    return node.render(FrameRequest(1001), value=value)


def described(a: SocketType, b: SocketType, info: StreamInfo = CLIP) -> StreamInfo:
    return CONVERSIONS[a, b]().describe({"value": info})


def test_the_table_is_complete() -> None:
    """What a wire may become by itself. A new pair must be added here with a test of what it keeps."""
    assert set(CONVERSIONS) == {
        (IMAGE, VIDEO), (VIDEO, IMAGE), (MASK, IMAGE), (MASK, VIDEO), (IMAGE, MASK), (VIDEO, MASK), (AUDIO, CONTROL),
        (CONTROL, DATA), (DATA, CONTROL),
    }  # fmt: skip
    for (a, b), node in CONVERSIONS.items():
        assert (node.inputs[0].type, node.outputs[0].type) == (a, b)
        assert node.help().endswith(".")
        assert not node.model_fields


@pytest.mark.parametrize("kind", [IMAGE, VIDEO])
def test_matte_to_picture_keeps_coverage_as_grey(kind: SocketType) -> None:
    grey = convert(MASK, kind, matte(0.25))
    assert torch.equal(grey.pixels[:, :3], torch.full((1, 3, 2, 2), 0.25))
    assert torch.equal(grey.pixels[:, 3], torch.ones(1, 2, 2))
    assert grey.pixels.is_contiguous(memory_format=torch.channels_last)
    assert grey.space == described(MASK, kind).space == WORKING_SPACE


@pytest.mark.parametrize("kind", [IMAGE, VIDEO])
def test_picture_to_matte_keeps_alpha_and_loses_colour(kind: SocketType) -> None:
    found = convert(kind, MASK, colour(0.1, 0.2, 0.3, 0.4))
    assert isinstance(found, MaskChannel)
    assert torch.equal(found.pixels, torch.full((1, 1, 2, 2), 0.4))
    assert found.pixels.is_contiguous()


@pytest.mark.parametrize("kind", [IMAGE, VIDEO])
def test_matte_to_picture_and_back_is_a_full_matte(kind: SocketType) -> None:
    assert torch.equal(convert(kind, MASK, convert(MASK, kind, matte(0.25))).pixels, torch.ones(1, 1, 2, 2))


@pytest.mark.parametrize("kind", [IMAGE, VIDEO])
def test_picture_to_matte_and_back_is_coverage_in_grey(kind: SocketType) -> None:
    back = convert(MASK, kind, convert(kind, MASK, colour(0.1, 0.2, 0.3, 0.4)))
    assert torch.equal(back.pixels, colour(0.4, 0.4, 0.4, 1.0).pixels)


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf, -2.0, 7.0])
def test_no_pixel_is_changed_on_the_way(value: float) -> None:
    assert torch.equal(
        convert(VIDEO, MASK, colour(1, 1, 1, value)).pixels.nan_to_num(9),
        torch.full((1, 1, 2, 2), value).nan_to_num(9),
    )
    assert torch.equal(
        convert(MASK, VIDEO, matte(value)).pixels[:, :1].nan_to_num(9), matte(value).pixels.nan_to_num(9)
    )


@pytest.mark.parametrize(("a", "b"), [(VIDEO, IMAGE), (MASK, IMAGE)])
def test_what_moves_becomes_its_first_frame(a: SocketType, b: SocketType) -> None:
    info = described(a, b)
    assert (info.first, info.last, info.still, info.endless) == (1001, 1001, True, False)
    wanted = CONVERSIONS[a, b]().needs(FrameRequest(1007, 0.5), {"value": CLIP})
    assert wanted == {"value": (FrameRequest(1001, 0.5),)}


@pytest.mark.parametrize(("a", "b"), [(IMAGE, VIDEO), (MASK, VIDEO), (IMAGE, MASK), (VIDEO, MASK)])
def test_all_else_keeps_every_frame_and_is_done_pixel_by_pixel(a: SocketType, b: SocketType) -> None:
    assert issubclass(CONVERSIONS[a, b], PointNode)
    info = described(a, b)
    assert (info.first, info.last, info.rate, info.width, info.height) == (1001, 1010, 24, 2, 2)


def test_image_to_video_hands_on_the_picture() -> None:
    picture = colour(0.1, 0.2, 0.3, 0.4)
    assert CONVERSIONS[IMAGE, VIDEO]().identity() == "value"
    assert convert(VIDEO, IMAGE, convert(IMAGE, VIDEO, picture)) is picture


def sound(samples: torch.Tensor, rate: int = 4800, frame_rate: Fraction = Fraction(24)) -> AudioStream:
    """Samples from the start of frame 1001 and silence around them."""

    def pull(start: int, count: int) -> torch.Tensor:
        out = torch.zeros(samples.shape[0], count)
        first, last = max(start, 0), min(start + count, samples.shape[1])
        if last > first:
            out[:, first - start : last - start] = samples[:, first:last]
        return out

    return AudioStream(AudioInfo(rate, samples.shape[0], samples.shape[1], 1001, frame_rate), pull)


def test_sound_to_control_is_the_loudness_of_each_frame() -> None:
    turns = torch.arange(800) / 200 * 2 * math.pi * 5
    loud = torch.stack([torch.sin(turns), torch.sin(turns)]) * torch.tensor([1.0, 0.5, 0.0, 1.0]).repeat_interleave(200)
    envelope = convert(AUDIO, CONTROL, sound(loud))
    assert not envelope.is_constant
    levels = [envelope.at(frame) for frame in (1000, 1001, 1002, 1003, 1004, 1005)]
    assert levels == pytest.approx([0, math.sqrt(0.5), math.sqrt(0.125), 0, math.sqrt(0.5), 0], abs=1e-6)
    assert envelope.at(1001.5) == pytest.approx(math.sqrt((0.5 + 0.125) / 2), abs=1e-6)


def test_loudness_is_over_all_channels_and_loses_their_difference() -> None:
    one_side = torch.stack([torch.ones(200), torch.zeros(200)])
    assert convert(AUDIO, CONTROL, sound(one_side)).at(1001) == pytest.approx(math.sqrt(0.5))


def test_every_sample_counts_once_at_broken_frame_rates() -> None:
    noise = torch.rand(1, 48000)
    envelope = controls.loudness(sound(noise, 48000, Fraction(30000, 1001)))
    stream = sound(noise, 48000, Fraction(30000, 1001))
    energy = sum(envelope.at(frame) ** 2 * stream.of_frame(frame).shape[1] for frame in range(1001, 1032))
    assert energy == pytest.approx(float(noise.square().sum()), rel=1e-5)


def control(value: Value) -> Any:
    return convert(DATA, CONTROL, value)


def test_a_number_becomes_a_constant_control_and_comes_back() -> None:
    data = controls.DataPayload("number", {"value": 0.25})
    signal = control(data)
    assert signal.is_constant
    assert [signal.at(frame) for frame in (-5, 0.5, 1001)] == [0.25] * 3
    assert convert(CONTROL, DATA, signal) == data


def test_a_curve_becomes_a_moving_control_and_comes_back() -> None:
    curve = Curve.parse({"curve": {"keys": [{"frame": 1, "value": 2.0}, {"frame": 3, "value": 4.0}]}})
    data = controls.DataPayload("curve", curve.to_json())
    signal = control(data)
    assert not signal.is_constant
    assert [signal.at(frame) for frame in (0, 2, 3)] == [2.0, 3.0, 4.0]
    assert convert(CONTROL, DATA, signal) == data


def test_a_table_becomes_a_control_that_holds_its_ends() -> None:
    data = controls.DataPayload("frames", {"first": 1001, "values": [1.0, 3, 5.5]})
    signal = control(data)
    assert [signal.at(frame) for frame in (900, 1001, 1001.5, 1002, 1003, 2000)] == [1.0, 1.0, 2.0, 3, 5.5, 5.5]
    assert controls.table(signal, 1001, 1003) == data
    assert control(controls.DataPayload("frames", {"first": 7, "values": [2.0, 2.0]})).is_constant


def test_a_computed_control_is_no_data_by_itself() -> None:
    table = control(controls.DataPayload("frames", {"first": 1001, "values": [1.0, 3.0]}))
    for signal in (table, convert(AUDIO, CONTROL, sound(torch.ones(1, 100)))):
        with pytest.raises(ArtifexError, match="computed from frame to frame"):
            convert(CONTROL, DATA, signal)


@pytest.mark.parametrize(
    ("kind", "content", "because"),
    [
        ("scenes", {"cuts": [1, 2]}, "this kind of data is not one number a frame"),
        ("number", {}, "it lacks the numbers"),
        ("number", {"value": "loud"}, "it lacks the numbers"),
        ("number", {"value": math.nan}, "it lacks the numbers"),
        ("number", {"value": True}, "it lacks the numbers"),
        ("frames", {"first": 1, "values": []}, "it lacks the numbers"),
        ("frames", {"values": [1.0]}, "it lacks the numbers"),
        ("frames", {"first": 1, "values": [1.0, None]}, "it lacks the numbers"),
        ("curve", {"curve": {"keys": []}}, "it has no keys"),
        ("curve", {}, "it lacks the numbers"),
    ],
)
def test_data_that_is_no_control_is_refused_in_words(kind: str, content: dict[str, Any], because: str) -> None:
    with pytest.raises(ArtifexError) as refusal:
        control(controls.DataPayload(kind, content))
    assert because in refusal.value.because


def test_video_to_image_takes_the_first_frame(bench):
    graph = bench.evaluator(a=("Ramp", {}, {}), still=("Needle", {}, {"still": "a"}))
    assert bench.value(graph, "still", 1) == 1
    assert graph.info(graph.plan.index["still"]).still


def test_image_to_video_shows_it_on_every_frame(bench):
    graph = bench.evaluator(
        a=("Ramp", {}, {}), still=("Needle", {}, {"still": "a"}), out=("Add", {}, {"plate": "still"})
    )
    assert [bench.value(graph, "out", frame) for frame in (1, 7, 500)] == [2, 2, 2]


def test_video_to_matte_in_a_graph(bench):
    graph = bench.evaluator(a=("Ramp", {}, {}), cut=("Matte", {}, {"matte": "a"}))
    assert bench.value(graph, "cut", 6) == 6
    assert not graph.info(graph.plan.index["cut"]).still
