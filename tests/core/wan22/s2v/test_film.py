"""Sizes and clips of films: those of the reference, and frame n on what is heard at n / 16 s."""

from __future__ import annotations

from itertools import pairwise, product
from types import ModuleType
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.catalogue import Speech
from artifexpro.core.wan22.request import resolve
from artifexpro.core.wan22.s2v.film import parts, size_within
from artifexpro.core.wan22.sources import Source

REAL = Speech()


def test_sizes_are_those_of_the_reference(recipe: ModuleType, reference: dict[str, torch.Tensor]) -> None:
    found = [
        size_within(width, height, area, 64)[::-1] for area, (height, width) in product(recipe.AREAS, recipe.SIZES)
    ]
    assert found == [tuple(size) for size in reference["sizes"].tolist()]


@pytest.mark.parametrize(("width", "height"), [(1, 40_000), (40_000, 1), (3, 20_000)])
def test_a_picture_too_narrow_is_refused(width: int, height: int) -> None:
    with pytest.raises(ArtifexError, match="less narrow") as refused:
        size_within(width, height, 480 * 832, 64)
    assert refused.value.code == "image"


@pytest.mark.parametrize("from_picture", [False, True])
@pytest.mark.parametrize("frames", [1, 76, 77, 78, 157, 158, 400, 9600])
def test_clips_cover_the_film_without_gap_or_overlap(frames: int, from_picture: bool) -> None:
    made = parts(frames, REAL, from_picture)
    assert made[0].first == 0
    assert made[-1].last == frames - 1
    assert all(before.last + 1 == after.first for before, after in pairwise(made))
    assert all(part.first <= part.last for part in made)
    assert all(part.last - part.first + 1 == 80 for part in made[1:-1])


def test_the_first_clip_hides_its_lead_and_later_ones_what_they_go_on_from() -> None:
    assert [(part.first, part.last, part.skipped) for part in parts(200, REAL, False)] == [
        (0, 76, 4),
        (77, 156, 73),
        (157, 199, 73),
    ]
    assert [(part.first, part.last, part.skipped) for part in parts(100, REAL, True)] == [(0, 79, 73), (80, 99, 73)]


def test_a_film_has_the_shape_of_its_picture_and_the_length_of_its_sound() -> None:
    asked: dict[str, Any] = {
        "prompt": "she speaks",
        "model": "s2v-14B",
        "source": Source(1000, 1500, 123, catalogue.model("s2v-14B").rate),
    }
    draft, preview = resolve(**asked), resolve(**asked, preset="Preview")
    assert (draft.width, draft.height, draft.frames) == (*size_within(1000, 1500, 832 * 480, 64), 123)
    assert (preview.width, preview.height) == size_within(1000, 1500, 1280 * 720, 64)
    assert resolve(**asked, frames=40).frames == 40
    stated = resolve(**asked, width=640, height=384)
    assert (stated.width, stated.height) == (640, 384)


def test_a_film_has_the_numbers_of_the_reference() -> None:
    spec = resolve(prompt="she speaks", model="s2v-14B", task="s2v", preset="Production")
    assert (spec.shift, spec.guidance) == (3.0, (4.5, 4.5))
    assert catalogue.model("s2v-14B").rate == 16
    assert spec.negative_prompt.startswith("画面模糊")
    assert any("Shift 3 is used" in note for note in spec.notes)


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        ({"frames": 9601}, "ten minutes"),
        ({"frames": -1}, "ten minutes"),
        ({"width": 832, "height": 480}, "multiples of 64"),
        ({"strength": 0.5}, "has no strength"),
        ({"task": "t2v"}, "speech to video only"),
    ],
)
def test_what_is_no_film_is_refused(wrong: dict[str, object], because: str) -> None:
    with pytest.raises(ArtifexError, match=because):
        resolve(**{"prompt": "she speaks", "model": "s2v-14B", **wrong})  # type: ignore[arg-type]


def test_only_a_film_goes_on_from_its_picture() -> None:
    with pytest.raises(ArtifexError, match="speech to video only"):
        resolve(prompt="a kite", model="smoke", from_picture=True)
    assert resolve(prompt="she speaks", model="smoke-s2v", from_picture=True).from_picture


def test_tokens_of_a_clip_are_those_of_the_network() -> None:
    """63,360 at 1024 x 704 and 35,074 at 832 x 480, counted with the reference's own network."""
    model = catalogue.model("s2v-14B")
    assert model.tokens(1024, 704, 80) == 63_360
    assert model.tokens(832, 480, 80) == 35_074
