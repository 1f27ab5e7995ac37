"""The measuring program is right about drawn clips, whole, blurred and noisy, and says so where a clip is not right."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import cv2
import numpy
import pytest
import torch

from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.tiny import drawing, evaluating, measuring, scenes
from artifexpro.core.wan22.tiny.evaluating import decibels
from artifexpro.core.wan22.tiny.scenes import COLOURS, MOTIONS, SHAPES, Scene, Thing

PARTS = ("background", "number", "colour", "shape", "motion", "size")


def worsened(clip: torch.Tensor, seed: int) -> torch.Tensor:
    """Soft and noisy, as a poor model's: 25 dB from what it was."""
    soft = torch.from_numpy(numpy.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in clip.numpy()]))
    noise = torch.randn(clip.shape, generator=torch.Generator().manual_seed(seed))
    return (soft + 0.05 * noise).clamp(0, 1)


def right(count: int, first: int, poor: bool, frames: int = 17) -> dict[str, float]:
    found = dict.fromkeys(PARTS, 0)
    for seed in range(first, first + count):
        scene = scenes.scene(Random(seed), held_out=bool(seed % 2), camera=False)
        clip = drawing.clip(scene, seed, 192, 128, frames, anywhere=bool(seed % 2))
        score = measuring.score(measuring.sight(worsened(clip, seed) if poor else clip), scene)
        for part in PARTS:
            found[part] += getattr(score, part)
    return {part: number / count for part, number in found.items()}


@pytest.mark.parametrize("poor", [False, True], ids=["clean", "25 dB"])
def test_it_is_right_about_drawn_clips(poor: bool) -> None:
    assert min(right(40, 70_000, poor, 9).values()) >= 0.97


@pytest.mark.nightly
@pytest.mark.parametrize("poor", [False, True], ids=["clean", "25 dB"])
def test_it_is_right_about_many_drawn_clips(poor: bool) -> None:
    assert min(right(1000, 0, poor, 33).values()) >= 0.99


def test_the_poor_clips_are_about_25_dB_from_what_they_were() -> None:
    scene = scenes.scene(Random(1), camera=False)
    clip = drawing.clip(scene, 1, 192, 128, 5)
    assert 22 < decibels(worsened(clip, 1), clip) < 27


@pytest.mark.parametrize("frames", [5, 33, 81])
def test_the_length_of_a_clip_does_not_matter(frames: int) -> None:
    scene = Scene("black", (Thing("red", "square", "turning", "large", "slowly"),))
    assert measuring.score(measuring.sight(drawing.clip(scene, 1, 96, 64, frames)), scene).everything


def test_one_frame_has_no_motion() -> None:
    scene = Scene("grey", (Thing("white", "star", "still", "large", ""),))
    assert measuring.sight(drawing.clip(scene, 1, 192, 128, 1)).things[0].motion == "still"


def test_an_empty_clip_shows_nothing_and_is_not_right() -> None:
    seen = measuring.sight(torch.full((5, 64, 96, 3), 0.03))
    assert seen == measuring.Sight("black", ())
    score = measuring.score(seen, Scene("black", (Thing("red", "star", "up", "large", "fast"),)))
    assert (score.background, score.number, score.colour, score.everything) == (True, False, False, False)


def test_noise_is_not_right() -> None:
    scene = scenes.scene(Random(3), camera=False)
    assert not measuring.score(measuring.sight(torch.rand(5, 64, 96, 3)), scene).everything


@pytest.mark.parametrize("part", ["colour", "shape", "motion", "size"])
def test_each_part_can_be_wrong_alone(part: str) -> None:
    thing = Thing("red", "square", "left", "small", "slowly")
    other = {"colour": COLOURS, "shape": SHAPES, "motion": MOTIONS[:4], "size": scenes.SIZES}[part]
    for value in [value for value in other if value != getattr(thing, part)]:
        scene = Scene("dark green", (replace(thing, **{part: value}),))
        score = measuring.score(measuring.sight(drawing.clip(scene, 5, 192, 128, 9)), Scene("dark green", (thing,)))
        assert [name for name in PARTS if not getattr(score, name)] == [part]


def test_things_may_stand_in_either_order_but_not_swap_their_motions() -> None:
    left, right_ = Thing("red", "circle", "up", "small", "fast"), Thing("blue", "square", "down", "small", "fast")
    seen = measuring.sight(drawing.clip(Scene("black", (left, right_)), 1, 192, 128, 9))
    assert measuring.score(seen, Scene("black", (right_, left))).everything
    swapped = Scene("black", (replace(left, motion="down"), replace(right_, motion="up")))
    assert not measuring.score(seen, swapped).motion


def test_decibels() -> None:
    assert decibels(torch.zeros(4), torch.full((4,), 0.1)) == pytest.approx(20.0, abs=1e-4)
    assert decibels(torch.zeros(4), torch.zeros(4)) == 100.0
    assert math.isclose(decibels(torch.zeros(2), torch.tensor([0.0, 1.0])), 3.0103, rel_tol=1e-4)


def test_a_model_that_draws_what_it_is_asked_for_scores_everything_and_one_that_mixes_it_up_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    way = evaluating.Way(96, 64, 9)
    scenes_of = {words: (scene, seed) for things in (1, 2) for scene, words, seed in evaluating.asked(6, things)}

    def draws(parts: object, prompts: list[str], seeds: list[int], *_: object) -> list[torch.Tensor]:
        asked_for = [(scenes_of[words][0], seed) for words, seed in zip(prompts, seeds, strict=True)]
        return [drawing.clip(scene, seed, 96, 64, 9, anywhere=True) for scene, seed in asked_for]

    monkeypatch.setattr(evaluating, "clips", draws)
    found = evaluating.scores({}, 6, way, Silent())
    assert {name: share for name, share in found.items() if "db" not in name and share != 1.0} == {}
    assert found["first_db_least"] == 100.0
    monkeypatch.setattr(evaluating, "clips", lambda parts, prompts, *rest: draws(parts, prompts[::-1], *rest))
    mixed = evaluating.scores({}, 6, way, Silent())
    assert mixed["one_everything"] < 0.5
    assert mixed["first_db"] < 30
