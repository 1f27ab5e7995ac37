"""Every number of a clip is settled or refused with a value that would do."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.catalogue import CATALOGUE
from artifexpro.core.wan22.presets import AFTER, PRESETS
from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT
from artifexpro.core.wan22.request import ClipSpec, resolve


def asked(**changes: Any) -> ClipSpec:
    return resolve(**{"prompt": "a red kite", **changes})


@pytest.mark.parametrize("name", ["Draft", "Preview", "Production"])
def test_a_preset_settles_everything_that_is_not_said(name: str) -> None:
    spec = asked(model="t2v-A14B", preset=name)
    preset = PRESETS[name]
    assert (spec.steps, spec.guidance, spec.frames, spec.dtype) == (
        preset.steps,
        preset.guidance,
        preset.frames,
        preset.dtype,
    )
    assert (spec.width, spec.height) == CATALOGUE["t2v-A14B"].sizes[preset.resolution]
    assert spec.negative_prompt == DEFAULT_NEGATIVE_PROMPT


def test_overrides_win_over_the_preset() -> None:
    spec = asked(
        model="t2v-A14B",
        width=832,
        height=480,
        frames=5,
        steps=7,
        guidance=(2.0, 6.0),
        dtype="float32",
        negative_prompt="",
        seed=11,
        scheduler="euler",
    )
    assert (spec.width, spec.height, spec.frames, spec.steps, spec.guidance) == (832, 480, 5, 7, (2.0, 6.0))
    assert (spec.dtype, spec.negative_prompt, spec.seed, spec.scheduler) == ("float32", "", 11, "euler")


@pytest.mark.parametrize(
    ("model", "preset", "shift", "said"),
    [
        ("t2v-A14B", "Draft", 12.0, True),
        ("t2v-A14B", "Production", 12.0, True),
        ("ti2v-5B", "Draft", 5.0, True),
        ("ti2v-5B", "Production", 5.0, False),
    ],
)
def test_the_shift_is_the_models_and_said_where_the_preset_differs(
    model: str, preset: str, shift: float, said: bool
) -> None:
    spec = asked(model=model, preset=preset)
    assert spec.shift == shift
    assert any("Shift" in note for note in spec.notes) == said


def test_a_shift_that_is_given_is_used_without_a_word() -> None:
    spec = asked(model="t2v-A14B", shift=3.0)
    assert spec.shift == 3.0
    assert not any("Shift" in note for note in spec.notes)


def test_one_network_takes_one_guidance_and_says_which() -> None:
    spec = asked(model="ti2v-5B", preset="Production")
    assert spec.guidance == (4.5, 4.5)
    assert any("one network" in note for note in spec.notes)
    assert asked(model="ti2v-5B", guidance=2.0).guidance == (2.0, 2.0)
    with pytest.raises(ArtifexError, match="one network"):
        asked(model="ti2v-5B", guidance=(2.0, 3.0))


def test_cinema_says_what_it_is_generated_and_delivered_at() -> None:
    spec = asked(model="ti2v-5B", preset="Cinema")
    assert (spec.width, spec.height, spec.steps, spec.frames) == (1280, 704, 80, 241)
    assert (spec.picture_size, spec.after) == ((1920, 1080), AFTER)
    assert any("generated at 1280x704 and delivered at 1920x1080" in note for note in spec.notes)
    assert any("adds no detail" in note for note in spec.notes)
    own = asked(model="ti2v-5B", preset="Cinema", width=832, height=480)
    assert own.picture_size == (1872, 1080)
    assert asked(model="ti2v-5B", preset="Production").picture_size == (1280, 704)


def test_a_clip_longer_than_the_model_was_trained_on_is_said() -> None:
    assert any("241 frames are more than the 121" in note for note in asked(model="ti2v-5B", preset="Cinema").notes)
    assert any("121 frames are more than the 81" in note for note in asked(model="t2v-A14B", preset="Production").notes)
    assert not any("trained on" in note for note in asked(model="ti2v-5B", preset="Production").notes)


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(ArtifexError, match="prompt is empty") as refused:
        asked(prompt=prompt)
    assert refused.value.code == "prompt"


@pytest.mark.parametrize("which", ["prompt", "negative_prompt"])
def test_a_prompt_that_nothing_could_read_is_refused(which: str) -> None:
    with pytest.raises(ArtifexError, match="100,000 characters"):
        asked(**{which: "a" * 100_000})


@pytest.mark.parametrize(
    ("model", "size", "remedies"),
    [
        ("ti2v-5B", (1280, 720), ("1280x704", "1280x736")),
        ("t2v-A14B", (830, 480), ("816x480", "832x480")),
        ("t2v-A14B", (8, 8), ("16x16",)),
        ("smoke", (320, 180), ("320x160", "320x192")),
    ],
)
def test_a_size_that_does_not_divide_is_refused_with_its_neighbours(
    model: str, size: tuple[int, int], remedies: tuple[str, ...]
) -> None:
    with pytest.raises(ArtifexError, match="whole multiples") as refused:
        asked(model=model, width=size[0], height=size[1])
    for remedy in remedies:
        assert remedy in refused.value.remedy
        width, height = (int(side) for side in remedy.split("x"))
        assert asked(model=model, width=width, height=height).width == width


def test_a_size_beyond_what_the_model_knows_is_refused() -> None:
    with pytest.raises(ArtifexError, match="along a side"):
        asked(model="t2v-A14B", width=16 * 1025, height=480)


def test_one_side_alone_is_refused() -> None:
    with pytest.raises(ArtifexError, match="one side alone"):
        asked(width=320)


@pytest.mark.parametrize(("frames", "remedies"), [(80, (77, 81)), (2, (1, 5)), (120, (117, 121))])
def test_a_length_that_is_not_4k_plus_1_is_refused_with_its_neighbours(frames: int, remedies: tuple[int, int]) -> None:
    with pytest.raises(ArtifexError, match="4k \\+ 1") as refused:
        asked(frames=frames)
    assert refused.value.remedy == f"{remedies[0]} or {remedies[1]}"
    for remedy in remedies:
        assert asked(frames=remedy).frames == remedy


def test_a_clip_longer_than_the_model_knows_is_refused_with_a_length_it_knows() -> None:
    with pytest.raises(ArtifexError, match="10,000 frames") as refused:
        asked(frames=10_000)
    assert refused.value.remedy == "at most 4093 frames"
    assert asked(frames=4093).frames == 4093


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": -3},
        {"frames": 10_000},
        {"steps": -1},
        {"steps": 100_000},
        {"guidance": 0.5},
        {"guidance": float("nan")},
        {"shift": 0.0},
        {"shift": float("inf")},
        {"seed": -1},
        {"seed": 2**63},
        {"dtype": "int8"},
        {"scheduler": "ddim"},
        {"scheduler": "ddim"},
        {"sigmas": ()},
        {"sigmas": (0.5, 0.75)},
        {"sigmas": (1.0, 0.0)},
        {"sigmas": (1.0, 0.5), "steps": 3},
        {"task": "colour"},
        {"preset": "Final"},
    ],
)
def test_a_setting_out_of_range_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ArtifexError) as refused:
        asked(**changes)
    assert refused.value.code == "settings"


def test_a_task_the_model_does_not_do_is_refused_with_a_model_that_does() -> None:
    with pytest.raises(ArtifexError, match="text to video and style transfer only") as refused:
        asked(model="t2v-A14B", task="ti2v")
    assert "ti2v-5B" in refused.value.remedy
    with pytest.raises(ArtifexError):
        asked(model="smoke", task="s2v")


def test_the_default_negative_prompt_is_the_references() -> None:
    digest = hashlib.sha256(DEFAULT_NEGATIVE_PROMPT.encode()).hexdigest()
    assert digest == "ce96e0324e4b54ce4b6e867f669ca520952e1a34cc116543516b1897f0d3c47e"


def test_few_step_levels_settle_the_number_of_steps() -> None:
    spec = asked(sigmas=(1.0, 0.75, 0.5, 0.25))
    assert (spec.steps, spec.sigmas) == (4, (1.0, 0.75, 0.5, 0.25))


def test_random_models_say_what_they_make_smaller() -> None:
    spec = asked(model="smoke")
    assert (spec.width, spec.height) == (320, 192)
    assert any("320x192" in note for note in spec.notes)
