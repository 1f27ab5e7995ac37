"""How a training's minutes are spent: the steps of each stage, fixed before it begins.

Steps, not seconds, decide what a training gives, so that the same minutes and seed give the same weights however busy
the machine is. The rates they are reckoned by are those of two processor cores and of one graphics card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from artifexpro.core.errors import ArtifexError

Size = tuple[int, int, int]
LESSON = (128, 96)
"""Width and height of the VAE's lessons, 192 x 128 at most."""
SMALL: Size = (128, 96, 17)
LARGE: Mapping[Size, float] = MappingProxyType({(192, 128, 33): 0.75, (192, 128, 41): 0.25})
"""Width, height and frames of the transformer's lessons: small ones first, then in these shares."""
SCORED: Size = (192, 128, 33)
"""Of the clips that are scored."""
SHARES: Mapping[str, float] = MappingProxyType(
    {
        "pictures": 0.06,
        "clips": 0.08,
        "small_latents": 0.08,
        "large_latents": 0.16,
        "words": 0.02,
        "places": 0.02,
        "heeds": 0.03,
        "small": 0.2,
        "large": 0.25,
    }
)
"""Of the minutes. What is left is for looking how good it is."""
ON: Mapping[Size, float] = MappingProxyType({(192, 128, 17): 2 / 3, (192, 128, 33): 1 / 3})
"""Sizes and shares of the lessons of a training that goes on."""
ON_SHARES: Mapping[str, float] = MappingProxyType({"words": 0.03, "heeds": 0.06, "large_latents": 0.25, "large": 0.4})
"""Of the minutes of a training that goes on."""
TAUGHT_SHARES: Mapping[str, float] = MappingProxyType({"large_latents": 0.25, "large": 0.5})
"""Of the minutes of one whose text encoder knows its words already."""
RATES: Mapping[str, float] = MappingProxyType(
    {
        "pictures": 250,
        "clips": 150,
        "small_latents": 500,
        "large_latents": 150,
        "words": 400,
        "places": 150,
        "heeds": 120,
        "small": 100,
        "large": 100,
    }
)
"""Steps or clips a minute on two cores: a busy machine makes fewer, a quiet one more."""
CUDA = 25
"""Times as many on a graphics card."""
MOST_MINUTES = 100_000
PATH_SHARES: Mapping[Size, float] = MappingProxyType({SMALL: 0.1, (192, 128, 33): 0.3})
"""Sizes of a LoRA's lessons, and the shares of its minutes in which they are made."""
PATHS: Mapping[Size, float] = MappingProxyType({SMALL: 100, (192, 128, 33): 30})
"""Of them a minute on two cores."""
DESCENT_SHARE, DESCENT = 0.5, 30
"""Share of the minutes in which a LoRA learns, and its steps a minute."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps of each stage (of none nothing is done), clips whose latents are kept (and a quarter as many again from a
    first frame), a share `pairs` of them of two things, and how many steps or clips go together.

    At the end the model is scored on `prompts` held-out prompts of each kind, by clips of `steps` steps, and `looks`
    times in each stage of the transformer on a quarter of them.
    """

    pictures: int
    clips: int
    small_latents: int
    large_latents: int
    words: int
    places: int
    heeds: int
    small: int
    large: int
    pictures_batch: int = 8
    clips_batch: int = 2
    words_batch: int = 48
    small_batch: int = 48
    large_batch: int = 16
    pairs: float = 0.45
    looks: int = 2
    prompts: int = 8
    steps: int = 20
    lesson: tuple[int, int] = LESSON
    small_size: Size = SMALL
    large_sizes: Mapping[Size, float] = field(default_factory=lambda: LARGE)
    scored: Size = SCORED


@dataclass(frozen=True, slots=True)
class Distilling:
    """Clips of each size whose way from noise is kept, a share `given` of them from their first frame, and steps of
    the LoRA's descent that learns from them, `batch` clips each. At the end `prompts` held-out prompts of each kind are
    scored."""

    paths: Mapping[Size, int]
    descent: int
    batch: int = 16
    given: float = 0.25
    prompts: int = 8


def plan(minutes: float, device: str) -> Plan:
    """The plan for so many minutes on "cpu" (two cores) or "cuda". Raises `ArtifexError` (code "settings")."""
    _check(minutes)
    faster = CUDA if device == "cuda" else 1
    steps = _steps(minutes * faster, SHARES)
    return Plan(
        pictures=steps["pictures"],
        clips=steps["clips"],
        small_latents=steps["small_latents"],
        large_latents=steps["large_latents"],
        words=steps["words"],
        places=steps["places"],
        heeds=steps["heeds"],
        small=steps["small"],
        large=steps["large"],
        looks=2 if minutes * faster >= 60 else 1,
        prompts=_prompts(minutes * faster),
    )


def on(minutes: float, device: str, *, taught: bool) -> Plan:
    """The plan of a training that goes on from a trained model for so many minutes: most of its lessons are of two
    things. The lessons of the text encoder, and those that hang on it, are left out for one that was `taught` and has
    kept it. Raises `ArtifexError` (code "settings")."""
    _check(minutes)
    faster = CUDA if device == "cuda" else 1
    steps = {"words": 0, "heeds": 0} | _steps(minutes * faster, TAUGHT_SHARES if taught else ON_SHARES)
    return Plan(
        pictures=0,
        clips=0,
        small_latents=0,
        large_latents=steps["large_latents"],
        words=steps["words"],
        places=0,
        heeds=steps["heeds"],
        small=0,
        large=steps["large"],
        pairs=0.75,
        prompts=_prompts(minutes * faster),
        large_sizes=ON,
    )


def distilling(minutes: float, device: str) -> Distilling:
    """The plan of a LoRA for so many minutes. Raises `ArtifexError` (code "settings")."""
    _check(minutes)
    spent = minutes * (CUDA if device == "cuda" else 1)
    paths = {size: max(2, round(spent * share * PATHS[size])) for size, share in PATH_SHARES.items()}
    return Distilling(paths, max(2, round(spent * DESCENT_SHARE * DESCENT)), prompts=max(2, min(32, round(spent / 2))))


def _steps(minutes: float, shares: Mapping[str, float]) -> dict[str, int]:
    return {name: max(2, round(minutes * share * RATES[name])) for name, share in shares.items()}


def _prompts(minutes: float) -> int:
    return max(2, min(64, round(minutes / 5)))


def _check(minutes: float) -> None:
    if not 0 < minutes <= MOST_MINUTES:
        raise ArtifexError(
            f"train for {minutes:g} minutes",
            f"a training takes from a part of one minute to {MOST_MINUTES:,}",
            "5 for a trial, 360 for a model on two cores, 30 on a graphics card",
            code="settings",
        )
