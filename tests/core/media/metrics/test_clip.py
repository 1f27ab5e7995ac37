"""A clip measured in one pass: what is told, of clips of any length, and what is refused."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.clip import measure
from artifexpro.core.media.metrics.scores import NEVER, SCORES

RATE = Fraction(24)
NETWORKS = {scores.SUBJECT_CONSISTENCY, scores.BACKGROUND_CONSISTENCY}
FIRST = {scores.FIRST_FRAME_PSNR, scores.FIRST_FRAME_SSIM}
SINGLE = {scores.SHARPNESS, scores.CONTRAST, scores.NOISE, scores.OVEREXPOSED}
TEMPORAL = set(SCORES) - NETWORKS - FIRST - SINGLE


def waves(t: float, width: int = 96, height: int = 64) -> np.ndarray:
    """A soft pattern that moves two pixels a frame."""
    x, y = np.meshgrid(np.arange(width) - 2.0 * t, np.arange(height))
    planes = [0.5 + 0.3 * np.sin(x / 7 + shift) * np.cos(y / 9 + shift) for shift in (0, 1, 2)]
    return np.stack(planes, axis=-1).astype(np.float32)


def clip(frames: int) -> Iterator[np.ndarray]:
    return (waves(t) for t in range(frames))


def test_every_score_has_a_number_or_a_reason() -> None:
    report = measure(clip(12), RATE, given=waves(0))
    assert report.frames == 12
    assert set(report.scores) == set(SCORES) - NETWORKS
    assert set(report.missing) == NETWORKS | set(NEVER)
    assert "not on disk" in report.missing[scores.SUBJECT_CONSISTENCY]
    assert all(math.isfinite(found.value) for found in report.scores.values())
    assert "aesthetic_quality" in report.missing


def test_names_of_stand_ins_say_so() -> None:
    standing_in = {name for name, score in SCORES.items() if "in place of" in score.source}
    assert standing_in == {name for name in SCORES if "proxy" in name} - {scores.WARP_ERROR, scores.MOTION_JERK}
    assert {scores.MOTION_SMOOTHNESS, scores.DYNAMIC_DEGREE, scores.CONSISTENCY} == standing_in


def test_a_clip_of_one_frame_has_no_number_for_what_is_of_time() -> None:
    report = measure(clip(1), RATE, given=waves(0))
    assert set(report.scores) == SINGLE | FIRST
    assert {report.missing[name] for name in TEMPORAL} == {"a clip of one frame has no movement"}


def test_short_clips_have_the_numbers_that_they_can_have() -> None:
    of_three = {scores.MOTION_SMOOTHNESS, scores.MOTION_JERK, scores.BRIGHTNESS_FLICKER}
    two = measure(clip(2), RATE)
    assert TEMPORAL - set(two.scores) == of_three | {scores.COLOUR_DRIFT}
    assert {two.missing[name] for name in of_three} == {"it takes three frames"}
    assert TEMPORAL - set(measure(clip(3), RATE).scores) == {scores.COLOUR_DRIFT}
    assert TEMPORAL - set(measure(clip(5), RATE).scores) == {scores.COLOUR_DRIFT}
    assert set(measure(clip(6), RATE).scores) >= TEMPORAL


def test_pictures_too_small_for_flow_are_told_and_the_rest_is_measured() -> None:
    report = measure((waves(t, 24, 16) for t in range(8)), RATE)
    without = {name for name in TEMPORAL if "too small for flow" in report.missing.get(name, "")}
    assert without == TEMPORAL - {scores.TEMPORAL_FLICKERING, scores.FROZEN_FRAMES, scores.CONSISTENCY}
    assert set(measure((np.full((1, 1, 3), 0.5, np.float32) for _ in range(3)), RATE).scores) >= {
        scores.FROZEN_FRAMES,
        scores.CONTRAST,
    }


def test_flat_and_black_clips_are_measured() -> None:
    for level in (0.0, 0.5, 1.0):
        found = measure((np.full((40, 60, 3), level, np.float32) for _ in range(7)), RATE).scores
        assert found[scores.FROZEN_FRAMES].value == 1
        assert found[scores.COLOUR_DRIFT].value == found[scores.BRIGHTNESS_FLICKER].value == 0
        assert found[scores.CONSISTENCY].value == pytest.approx(1)
        assert found[scores.OVEREXPOSED].value == (level == 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_with_its_frame(value: float) -> None:
    def damaged() -> Iterator[np.ndarray]:
        for t in range(6):
            picture = waves(t)
            if t == 3:
                picture[5, 7, 1] = value
            yield picture

    with pytest.raises(ArtifexError, match=r"measure frame 1004.*no numbers") as caught:
        measure(damaged(), RATE, first=1001)
    assert caught.value.code == "image"


def test_what_is_no_clip_is_refused() -> None:
    with pytest.raises(ArtifexError, match="it has no frames"):
        measure(iter(()), RATE)
    with pytest.raises(ArtifexError, match=r"from 0 to 255"):
        measure([np.stack([np.zeros((40, 40)), np.full((40, 40), 255.0), np.zeros((40, 40))], -1)], RATE)
    with pytest.raises(ArtifexError, match=r"frame 2.*48 x 32 pixels and the first is 96 x 64"):
        measure([waves(0), waves(1, 48, 32)], RATE)
    for shape in ((40, 40), (40, 40, 4), (0, 40, 3), ()):
        with pytest.raises(ArtifexError, match="it has the shape"):
            measure([np.zeros(shape, np.float32)], RATE)
    with pytest.raises(ArtifexError, match=r"compare the first frame.*48 x 32"):
        measure(clip(2), RATE, given=waves(0, 48, 32))


def test_a_long_clip_is_read_once_and_three_frames_of_it_are_kept() -> None:
    alive: list[weakref.ref[Any]] = []
    asked: list[int] = []

    def frames() -> Iterator[np.ndarray]:
        for t in range(60):
            asked.append(t)
            picture = waves(t)
            alive.append(weakref.ref(picture))
            yield picture
            del picture
            assert sum(ref() is not None for ref in alive) <= 3

    assert measure(frames(), RATE).frames == 60
    assert asked == list(range(60))


def test_the_worst_frame_is_named() -> None:
    flash = [waves(t) * (1.2 if t == 9 else 1.0) for t in range(16)]
    found = measure(flash, RATE, first=1001).scores
    assert found[scores.BRIGHTNESS_FLICKER].worst == 1010
    assert found[scores.WARP_ERROR].worst in (1010, 1011)
    still = [waves(min(t, 11)) for t in range(16)]
    assert measure(still, RATE, first=1001).scores[scores.FROZEN_FRAMES].worst == 1013
    assert measure(clip(8), RATE).scores[scores.FROZEN_FRAMES].worst is None
