"""A clip made of another clip: its size and length, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.request import ClipSpec, resolve
from artifexpro.core.wan22.sources import Source


def asked(width: int = 1920, height: int = 1080, length: int = 49, rate: int = 25, **more: Any) -> ClipSpec:
    stated = {"prompt": "ink", "task": "style", "model": "t2v-A14B", **more}
    return resolve(**stated, source=Source(width, height, length, Fraction(rate)))


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (832, 480, (832, 480)),
        (1920, 1080, (832, 464)),
        (1080, 1920, (464, 832)),
        (1000, 1000, (624, 624)),
        (2048, 858, (976, 400)),
    ],
)
def test_the_size_follows_the_sources_shape_within_the_presets_pixels(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    spec = asked(width, height)
    assert (spec.width, spec.height) == expected
    assert spec.width * spec.height <= 832 * 480
    assert any("is made at" in note for note in spec.notes) == (expected != (width, height))


def test_a_stated_size_is_used() -> None:
    spec = asked(width=1920, height=1080, length=49)
    stated = resolve(
        prompt="ink", task="style", model="t2v-A14B", width=320, height=320,
        source=Source(1920, 1080, 49, Fraction(25)),
    )  # fmt: skip
    assert (stated.width, stated.height) == (320, 320) != (spec.width, spec.height)


@pytest.mark.parametrize(("length", "made", "left"), [(49, 49, 0), (50, 49, 1), (52, 49, 3), (53, 53, 0), (5, 5, 0)])
def test_the_clip_is_as_long_as_its_source_but_for_what_no_clip_can_have(length: int, made: int, left: int) -> None:
    spec = asked(length=length)
    assert spec.frames == made
    said = [note for note in spec.notes if "left out" in note]
    assert said == (
        [f"The last {left} of the source's {length} frames are left out: a clip has 4k + 1 frames."] * bool(left)
    )


def test_a_stated_length_takes_the_beginning() -> None:
    spec = asked(length=60, frames=41)
    assert spec.frames == 41
    assert "The last 19 of the source's 60 frames were not asked for." in spec.notes


def test_another_rate_than_the_models_is_kept_and_said() -> None:
    assert any("keeps its source's 25 frames a second" in note for note in asked(rate=25).notes)
    assert not any("frames a second" in note for note in asked(rate=16).notes)


@pytest.mark.parametrize(
    ("changes", "because", "remedy"),
    [
        ({"length": 4}, "at least 5 frames", "5 frames or more"),
        ({"length": 30, "frames": 41}, "41 frames were asked for", "at most 29 frames"),
        ({"length": 10_000}, "positions for 4,093 frames", "up to 4093"),
        ({"length": 49, "frames": 10}, "4k \\+ 1", "9 or 13"),
        ({"width": 4, "height": 4000}, "one side would be shorter than 16", "a crop"),
    ],
)
def test_what_cannot_be_a_source_is_refused_with_numbers(changes: dict[str, Any], because: str, remedy: str) -> None:
    with pytest.raises(ArtifexError, match=because) as refused:
        asked(**changes)
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("strength", "steps", "because"),
    [
        (0.0, 25, "above 0"),
        (1.2, 25, "above 0"),
        (-0.5, 25, "above 0"),
        (float("nan"), 25, "above 0"),
        (0.1, 4, "less than one step"),
    ],
)
def test_a_strength_out_of_range_is_refused(strength: float, steps: int, because: str) -> None:
    with pytest.raises(ArtifexError, match=because):
        asked(strength=strength, steps=steps)


def test_strength_is_said_in_steps() -> None:
    assert asked(strength=0.6, steps=10).strength == 0.6
    assert any("the last 6 of 10 steps" in note for note in asked(strength=0.6, steps=10).notes)
    assert asked().strength == 0.7
    assert any("nothing of the source" in note for note in asked(strength=1.0).notes)


@pytest.mark.parametrize("task", ["t2v", "ti2v", "edit"])
def test_a_task_that_begins_from_noise_has_no_strength(task: str) -> None:
    model = "smoke-vace" if task == "edit" else "smoke"
    assert resolve(prompt="x", task=task, model=model).strength == 1.0
    with pytest.raises(ArtifexError, match="begins from noise"):
        resolve(prompt="x", task=task, model=model, strength=0.5)


def test_only_an_edited_clip_is_laid_over_its_source() -> None:
    assert resolve(prompt="x", task="edit", model="smoke-vace", feather=4).feather == 4
    with pytest.raises(ArtifexError, match="only an edited clip"):
        resolve(prompt="x", task="t2v", feather=4)
    with pytest.raises(ArtifexError, match="softened over 0 to 512"):
        resolve(prompt="x", task="edit", model="smoke-vace", feather=-1)


def test_a_style_adds_its_words_and_stands_for_a_prompt() -> None:
    spec = asked(prompt=" a harbour ", style="anime")
    assert spec.words.startswith("a harbour, hand-drawn anime")
    assert asked(prompt="", style="anime").words.startswith("hand-drawn anime")
    assert asked().words == "ink"
    with pytest.raises(ArtifexError, match="prompt is empty"):
        asked(prompt="")
    with pytest.raises(ArtifexError, match="no style has that name"):
        asked(style="anim")
