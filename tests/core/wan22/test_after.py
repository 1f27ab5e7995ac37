"""Each step of the after-work does what its name says, and holds no more than three frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from artifexpro.core.errors import Cancelled
from artifexpro.core.wan22 import after
from artifexpro.core.wan22.generate import LATENTS, decode_saved, generate
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.presets import AFTER
from artifexpro.core.wan22.request import ClipSpec, resolve


def textured(shift: int, rows: int = 96, columns: int = 128) -> Any:
    """A soft texture, `shift` pixels to the right: what a camera pan sees."""
    x, y = numpy.meshgrid(numpy.arange(columns) - shift, numpy.arange(rows))
    red = 0.5 + 0.2 * numpy.sin(x / 5) * numpy.cos(y / 7) + 0.1 * numpy.sin((x + 2 * y) / 11)
    return numpy.stack([red, red**2, 0.9 - red / 2], axis=2).astype(numpy.float32)


def noisy(picture: Any, seed: int) -> Any:
    return (picture + numpy.random.default_rng(seed).normal(0, 0.02, picture.shape)).astype(numpy.float32)


def error(a: Any, b: Any) -> float:
    return float(((a - b)[8:-8, 8:-8] ** 2).mean() ** 0.5)


def test_denoising_takes_noise_from_a_moving_picture() -> None:
    clean = [textured(3 * frame) for frame in range(3)]
    seen = [noisy(picture, seed) for seed, picture in enumerate(clean)]
    done = after.denoised(seen[1], [seen[0], seen[2]])
    assert error(done, clean[1]) < 0.75 * error(seen[1], clean[1])


def test_denoising_leaves_no_ghost_of_another_shot() -> None:
    picture, other = textured(0), 1 - textured(40)
    assert error(after.denoised(picture, [other]), picture) < 0.003


def test_a_frame_alone_is_not_changed_by_denoising() -> None:
    assert numpy.array_equal(after.denoised(textured(0), []), textured(0))


def test_sharpening_raises_edges_without_a_halo_and_leaves_flat_parts() -> None:
    soft = textured(0)
    done = after.sharpened(soft)
    steepness = [float(numpy.abs(numpy.diff(after.luma(each), axis=1)).mean()) for each in (soft, done)]
    assert steepness[1] > 1.005 * steepness[0]
    step = numpy.repeat(numpy.linspace(0.2, 0.8, 6, dtype=numpy.float32), 8)[None, :, None].repeat(32, 0).repeat(3, 2)
    crisp = after.sharpened(step)
    assert crisp.min() >= 0.2 - 1e-6 and crisp.max() <= 0.8 + 1e-6
    flat = numpy.full((16, 16, 3), 0.3, numpy.float32)
    assert numpy.allclose(after.sharpened(flat), flat, atol=1e-6)


def test_the_grade_adds_contrast_and_colour_and_keeps_black_white_and_grey() -> None:
    greys = numpy.array([[0.0, after.MIDDLE, 1.0]], numpy.float32)[..., None].repeat(3, 2)
    assert numpy.allclose(after.graded(greys), greys, atol=1e-6)
    ramp = numpy.linspace(0, 1, 101, dtype=numpy.float32)[None, :, None].repeat(3, 2)
    toned = after.graded(ramp)[0, :, 0]
    assert (numpy.diff(toned) > 0).all()
    assert toned[20] < 0.2 and toned[80] > 0.8
    skin = numpy.array([[[0.6, 0.45, 0.4]]], numpy.float32)
    spread = [float(numpy.ptp(each)) for each in (skin, after.graded(skin))]
    assert spread[1] == pytest.approx(after.SATURATION * spread[0], rel=1e-4)


def test_enlarging_keeps_the_picture_and_cuts_what_does_not_fit() -> None:
    picture = textured(0, 44, 80)
    done = after.enlarged(picture, (120, 66))
    assert done.shape == (66, 120, 3)
    smaller = after.enlarged(done, (80, 44))
    assert error(smaller, picture) < 0.01
    wide = after.enlarged(textured(0, 44, 80), (100, 60))
    assert wide.shape == (60, 100, 3)


def spec(**changes: Any) -> ClipSpec:
    made = resolve(prompt="x", width=64, height=64, frames=9, steps=1)
    return replace(made, **changes)


class Counting(Silent):
    """Stops after some checks."""

    def __init__(self, most: int = 1000) -> None:
        self.most = most

    def check(self) -> None:
        self.most -= 1
        if self.most < 0:
            raise Cancelled


def test_a_clip_of_any_length_holds_one_frame_ahead_and_can_be_stopped() -> None:
    taken = []

    def frames() -> Iterator[tuple[int, torch.Tensor]]:
        for index in range(50):
            taken.append(index)
            yield index, torch.rand(32, 32, 3)

    made = after.applied(frames(), spec(after=("sharpen",), delivered=(48, 48)), Counting(3))
    index, picture = next(made)
    assert (index, tuple(picture.shape), picture.dtype) == (0, (48, 48, 3), torch.float32)
    assert taken == [0, 1]
    with pytest.raises(Cancelled):
        list(made)
    assert len(taken) == 5


def test_nothing_asked_for_is_nothing_done() -> None:
    frame = torch.rand(8, 8, 3)
    assert next(after.applied(iter([(0, frame)]), spec(), Silent()))[1] is frame


def test_the_after_work_is_done_on_new_clips_and_on_saved_latents(
    random_models: Path, hooks: Any, tmp_path: Path
) -> None:
    plain = torch.stack([each for _, each in generate(spec(), random_models, Silent(), folder=tmp_path / "plain")])
    asked = spec(after=AFTER, delivered=(96, 96))
    made = torch.stack([each for _, each in generate(asked, random_models, hooks, folder=tmp_path / "made")])
    saved = torch.stack([each for _, each in decode_saved(tmp_path / "made" / LATENTS, random_models, Silent())])
    assert plain.shape == (9, 64, 64, 3) and made.shape == (9, 96, 96, 3)
    assert torch.equal(made, saved)
    assert hooks.stages.count("after") == 9
    assert float(made.min()) >= 0 and float(made.max()) <= 1
