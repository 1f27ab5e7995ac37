"""Colour over time, single frames, and how alike frames are: figures that are known beforehand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.clip import measure
from artifexpro.core.media.metrics.consistency import Consistency
from artifexpro.core.media.metrics.looked import Looked, looked
from artifexpro.core.media.metrics.pictures import psnr, ssim

RAMP = np.linspace(0.15, 0.85, 400, dtype=np.float32)[None, :, None].repeat(80, 0).repeat(3, 2)
RIPPLE = (0.05 * np.sin(np.arange(400) / 3)).astype(np.float32)[None, :, None] * np.cos(np.arange(80) / 4)[
    :, None, None
]


def toward_the_light(frames: int) -> list[np.ndarray]:
    """A camera that pans to something brighter: the mean grows from 0.26 to 0.58 in 24 frames."""
    wide = (RAMP + RIPPLE).clip(0, 1).astype(np.float32)
    return [wide[:, 8 * t : 8 * t + 120] for t in range(frames)]


def lab(color: tuple[float, float, float]) -> np.ndarray:
    return cv2.cvtColor(np.array([[color]], np.float32), cv2.COLOR_RGB2Lab)[0, 0]


def test_a_pan_to_something_brighter_is_neither_flicker_nor_drift() -> None:
    frames = toward_the_light(24)
    assert frames[-1].mean() - frames[0].mean() > 0.3
    found = measure(frames, 24).scores
    assert found[scores.COLOUR_DRIFT].value < 0.5
    assert found[scores.BRIGHTNESS_FLICKER].value < 0.05


def test_drift_is_the_colour_difference_from_the_beginning() -> None:
    start, end = (0.5, 0.4, 0.3), (0.6, 0.4, 0.25)
    steps = np.linspace(0, 1, 11)
    colors = [*[start] * 10, *[tuple(np.array(start) * (1 - s) + np.array(end) * s) for s in steps], *[end] * 10]
    frames = [np.full((64, 96, 3), color, np.float32) for color in colors]
    found = measure(frames, 24, first=1).scores[scores.COLOUR_DRIFT]
    assert found.value == pytest.approx(np.linalg.norm(lab(end) - lab(start)), rel=0.01)
    assert found.worst is not None and found.worst >= 21


def test_flicker_is_the_distance_from_both_neighbours() -> None:
    bright, dark = (0.52,) * 3, (0.48,) * 3
    frames = [np.full((64, 96, 3), (bright, dark)[t % 2], np.float32) for t in range(10)]
    found = measure(frames, 24).scores
    assert found[scores.BRIGHTNESS_FLICKER].value == pytest.approx(lab(bright)[0] - lab(dark)[0], rel=0.01)
    fade = [np.full((64, 96, 3), 0.3 + 0.02 * t, np.float32) for t in range(10)]
    assert measure(fade, 24).scores[scores.BRIGHTNESS_FLICKER].value < 0.1
    assert measure(fade, 24).scores[scores.COLOUR_DRIFT].value > 8


def test_a_cut_is_no_drift_and_is_named_as_the_worst_frame() -> None:
    rng = np.random.default_rng(2)
    places = [cv2.GaussianBlur(rng.random((80, 400, 3)).astype(np.float32), (0, 0), 3) for _ in range(2)]
    places = [(each - each.min()) / (each.max() - each.min()) for each in places]
    frames = [places[t >= 8][:, 2 * t : 2 * t + 120] for t in range(16)]
    found = measure(frames, 24, first=1).scores
    assert found[scores.COLOUR_DRIFT].value < 1
    assert found[scores.WARP_ERROR].worst == 9
    assert found[scores.CONSISTENCY].worst == 9


def test_psnr_and_ssim_are_their_definitions() -> None:
    rng = np.random.default_rng(3)
    one = rng.random((40, 60, 3)).astype(np.float32)
    assert psnr(one, one) == 100
    assert psnr(np.zeros_like(one), np.full_like(one, 0.1)) == pytest.approx(20)
    assert ssim(one[..., 0], one[..., 0]) == pytest.approx(1)
    a, b, c1 = 0.3, 0.6, 0.01**2
    flat = ssim(np.full((40, 60), a, np.float32), np.full((40, 60), b, np.float32))
    assert flat == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1), rel=1e-4)
    noisy = (one + 0.2 * rng.standard_normal(one.shape)).clip(0, 1).astype(np.float32)
    assert ssim(one[:14, :17, 0], noisy[:14, :17, 0]) == pytest.approx(plain_ssim(one[:14, :17, 0], noisy[:14, :17, 0]))


def plain_ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Wang's formula, window by window."""
    away = np.arange(11) - 5
    window = np.exp(-(away[:, None] ** 2 + away[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    wide = [np.pad(each.astype(float), 5, mode="symmetric") for each in (one, other)]
    values = []
    for y in range(one.shape[0]):
        for x in range(one.shape[1]):
            a, b = (each[y : y + 11, x : x + 11] for each in wide)
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            spread_a, spread_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            shared = (window * (a - mean_a) * (b - mean_b)).sum()
            above = (2 * mean_a * mean_b + 0.0001) * (2 * shared + 0.0009)
            values.append(above / ((mean_a**2 + mean_b**2 + 0.0001) * (spread_a + spread_b + 0.0009)))
    return float(np.mean(values))


def test_the_first_frame_is_held_against_the_picture_and_no_other() -> None:
    frames = toward_the_light(6)
    same = measure(frames, 24, given=frames[0]).scores
    assert same[scores.FIRST_FRAME_PSNR].value == 100
    assert same[scores.FIRST_FRAME_SSIM].value == pytest.approx(1)
    wrong = measure(frames, 24, given=frames[5]).scores
    assert wrong[scores.FIRST_FRAME_PSNR].value == pytest.approx(psnr(frames[0], frames[5]))
    assert wrong[scores.FIRST_FRAME_SSIM].value < 0.9
    assert "no picture was given" in measure(frames, 24).missing[scores.FIRST_FRAME_PSNR]


def of_single(picture: np.ndarray) -> dict[str, float]:
    return {name: found.value for name, found in measure([picture], 24).scores.items()}


def test_single_frames_are_measured_in_known_units() -> None:
    rng = np.random.default_rng(4)
    plain = np.full((200, 300, 3), 0.5, np.float32)
    grain = rng.standard_normal((200, 300, 1)).astype(np.float32)
    assert of_single((plain + 0.02 * grain).clip(0, 1))[scores.NOISE] == pytest.approx(0.02 * 255, rel=0.05)
    halves = plain.copy()
    halves[:, :150], halves[:, 150:] = 0.2, 0.6
    assert of_single(halves)[scores.CONTRAST] == pytest.approx(0.2 * 255, rel=1e-3)
    white = plain.copy()
    white[:50] = 1
    white[50:100, :, 0] = 1
    assert of_single(white)[scores.OVEREXPOSED] == pytest.approx(0.25)


def test_less_detail_is_less_sharp_and_more_noise_is_more_noise() -> None:
    rng = np.random.default_rng(5)
    picture = cv2.GaussianBlur(rng.random((120, 160, 3)).astype(np.float32), (0, 0), 1.5)
    blurred = [of_single(cv2.GaussianBlur(picture, (0, 0), spread))[scores.SHARPNESS] for spread in (0.5, 1, 2, 4)]
    assert blurred == sorted(blurred, reverse=True)
    assert blurred[0] < of_single(picture)[scores.SHARPNESS]
    grain = rng.standard_normal(picture.shape).astype(np.float32)
    noisy = [of_single((picture + spread * grain).clip(0, 1))[scores.NOISE] for spread in (0, 0.01, 0.03)]
    assert noisy == sorted(noisy)


def test_consistency_is_vbenchs_formula() -> None:
    vectors = [np.array(each, float) for each in ([1, 0], [3, 4], [-1, 0], [0, 2], [0, 0])]
    consistency = Consistency("likeness", lambda frame: (vectors[frame.number],))
    for at in range(5):
        consistency.add(looked(np.zeros((4, 4, 3), np.float32), at))
    found = consistency.found()["likeness"]
    pairs = [(0.6 + 0.6) / 2, (0 + 0) / 2, (0 + 0) / 2, (0 + 0) / 2]
    assert not isinstance(found, str)
    assert found.value == pytest.approx(np.mean(pairs))
    assert found.worst == 2


def test_the_stand_in_sees_another_scene_and_other_colours() -> None:
    frames = toward_the_light(2)
    same = [frames[0]] * 4
    warmer = [frames[0] * np.array([1, 1 - 0.1 * t, 1 - 0.2 * t], np.float32) for t in range(4)]
    turned = [np.ascontiguousarray(frames[0][:, :: (-1) ** t]) for t in range(4)]
    alike, warm, other = (measure(each, 24).scores[scores.CONSISTENCY].value for each in (same, warmer, turned))
    assert alike == pytest.approx(1)
    assert warm < 0.9
    assert other < 0.9


def test_a_frame_is_small_only_where_it_is_large() -> None:
    picture = np.zeros((100, 200, 3), np.float32)
    assert Looked(1, picture).small is picture
