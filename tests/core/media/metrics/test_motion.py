"""Movement: VBench's formulas, and what stands in for its networks."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.clip import measure
from artifexpro.core.media.metrics.flow import Flow, fetched, halfway, inside
from artifexpro.core.media.metrics.looked import FLOW_SIDE, Looked, looked


def texture(width: int, height: int) -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal((height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3) + 2 * cv2.GaussianBlur(noise, (0, 0), 9)
    return (0.1 + 0.8 * (soft - soft.min()) / (soft.max() - soft.min())).astype(np.float32)


WIDE = texture(500, 120)


def pan(step: int, frames: int = 12) -> list[np.ndarray]:
    """A camera that moves right by `step` pixels a frame: (120, 200, 3)."""
    return [WIDE[:, step * t : step * t + 200] for t in range(frames)]


def eight_bits(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture * 255).astype(np.uint8)


def frame(picture: np.ndarray) -> Looked:
    return looked(picture, 1)


def test_flickering_is_vbenchs_formula() -> None:
    frames = pan(2)
    as_vbench = [
        np.mean(cv2.absdiff(eight_bits(a).astype(np.float32), eight_bits(b).astype(np.float32)))
        for a, b in pairwise(frames)
    ]
    expected = (255.0 - np.mean(as_vbench)) / 255.0
    assert measure(frames, 24).scores[scores.TEMPORAL_FLICKERING].value == pytest.approx(expected, abs=2e-4)


def test_flow_points_to_where_a_pixel_lies_in_the_other_frame() -> None:
    one, other = frame(WIDE[:, 10:210]), frame(WIDE[:, 14:214])
    flow = Flow().between(one, other)
    inner = flow[20:-20, 20:-20]
    assert np.median(inner[..., 0]) == pytest.approx(-4, abs=0.1)
    assert np.median(inner[..., 1]) == pytest.approx(0, abs=0.1)
    assert np.abs(fetched(other.small, flow) - one.small)[20:-20, 20:-20].max() < 0.02
    assert not inside(flow)[:, :2].any()
    assert inside(flow)[8:-8, 8:-8].all()


def test_the_frame_between_two_is_the_one_that_was_there() -> None:
    before, between, after = (frame(WIDE[:, at : at + 200]) for at in (10, 13, 16))
    made = halfway(before, after, Flow())
    inner = np.s_[20:-20, 20:-20]
    assert np.abs(made - between.small)[inner].mean() < 0.002
    assert np.abs((before.small + after.small) / 2 - between.small)[inner].mean() > 0.005


def test_smoothness_looks_at_every_second_frame_only() -> None:
    good = pan(2, 9)
    smooth = measure(good, 24).scores[scores.MOTION_SMOOTHNESS].value
    expected = np.mean(
        [np.abs(halfway(frame(good[t]), frame(good[t + 2]), Flow()) - good[t + 1]).mean() for t in (0, 2, 4, 6)]
    )
    assert smooth == pytest.approx(1 - expected, abs=1e-6)
    wrong = [picture.copy() for picture in good]
    wrong[3] = WIDE[:, 9:209]
    found = measure(wrong, 24, first=101).scores[scores.MOTION_SMOOTHNESS]
    assert found.value < smooth - 0.001
    assert found.worst == 104


def test_jerk_is_the_change_of_speed_in_percent_of_the_shorter_side() -> None:
    even = measure(pan(4), 24).scores[scores.MOTION_JERK].value
    places = np.cumsum([0, *([2, 6] * 6)])
    uneven = measure([WIDE[:, at : at + 200] for at in places], 24).scores[scores.MOTION_JERK].value
    assert uneven == pytest.approx(100 * 4 / 120, rel=0.1)
    assert even < uneven / 10


def test_a_clip_is_dynamic_by_vbenchs_speed_whatever_its_rate() -> None:
    """6 of 256 pixels of the shorter side, here 2.8 of 120, from one of eight frames a second to the next."""

    def moves(step: int, rate: float) -> float:
        return measure(pan(step), rate).scores[scores.DYNAMIC_DEGREE].value

    assert (moves(2, 8), moves(4, 8)) == (0, 1)
    assert (moves(1, 24), moves(2, 24)) == (1, 1)
    assert (moves(0, 24), moves(1, 16)) == (0, 0)
    assert (moves(4, 4), moves(8, 4)) == (0, 1)
    assert measure(pan(0), 24).scores[scores.FROZEN_FRAMES].value == 1


def test_small_slow_things_are_not_taken_for_a_freeze() -> None:
    def disc(t: float) -> np.ndarray:
        large = np.zeros((480, 800, 3), np.float32)
        cv2.circle(large, (round(320 + 2 * t), 240), 24, (0.1, 0.2, 0.9), -1)
        return cv2.resize(large, (200, 120), interpolation=cv2.INTER_AREA)

    assert measure([disc(t) for t in range(10)], 24).scores[scores.FROZEN_FRAMES].value == 0
    held = [disc(t if t < 5 else 4) for t in range(10)]
    assert measure(held, 24).scores[scores.FROZEN_FRAMES].value == pytest.approx(5 / 9)


def test_a_large_frame_is_looked_at_small_and_its_jerks_are_the_same_share() -> None:
    assert frame(np.zeros((1080, 1920, 3), np.float32)).small.shape == (FLOW_SIDE, 512, 3)
    places = np.cumsum([0, *([2, 6] * 4)])
    small = [WIDE[:, at : at + 200] for at in places]
    large = [cv2.resize(picture, (1000, 600), interpolation=cv2.INTER_CUBIC).clip(0, 1) for picture in small]
    one, other = (measure(frames, 24).scores[scores.MOTION_JERK].value for frames in (small, large))
    assert other == pytest.approx(one, rel=0.15)
