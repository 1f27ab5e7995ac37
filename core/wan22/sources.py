"""The clip made of another clip: which size it gets and how long it is, from what is known before any pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.catalogue import ModelSpec

SHORTEST = 5
"""Frames: the first latent stands for one, the second for the next four. Less than both does not move."""


@dataclass(frozen=True, slots=True)
class Source:
    """A clip to restyle or to edit, or a picture of one frame: size in pixels, frames, frames a second."""

    width: int
    height: int
    frames: int
    rate: Fraction


def size_of(source: Source, model: ModelSpec, preset: tuple[int, int], notes: list[str]) -> tuple[int, int]:
    """(width, height) in the source's shape with no more pixels than `preset`, in the model's multiples.

    As wan/image2video.py of Wan-Video/Wan2.2 takes them: sqrt(area x shape), rounded down.
    Raises `ArtifexError` (code "settings") for a source too narrow for that.
    """
    area, step = preset[0] * preset[1], model.multiple
    width = math.isqrt(area * source.width // source.height) // step * step
    height = math.isqrt(area * source.height // source.width) // step * step
    if not (step <= width <= model.largest_side and step <= height <= model.largest_side):
        raise ArtifexError(
            f"make a clip of the shape {source.width} x {source.height}",
            f"at {area:,} pixels one side would be shorter than {step} or longer than {model.largest_side}",
            "a crop of it, or a width and height",
            code="settings",
        )
    if source.frames > 1 and (width, height) != (source.width, source.height):
        notes.append(f"The clip of {source.width} x {source.height} is made at {width} x {height}.")
    return width, height


def length_of(source: Source, model: ModelSpec, asked: int, notes: list[str]) -> int:
    """Frames: those asked for from the source's beginning, or with 0 as many of it as a clip can have.

    Raises `ArtifexError` (code "settings") where the source is too short or too long.
    """
    step, there = model.vae.temporal, source.frames
    attempted = f"make a clip from {there:,} frames"
    if there < SHORTEST:
        raise _refusal(attempted, f"a clip has at least {SHORTEST} frames", f"a source of {SHORTEST} frames or more")
    if asked > there:
        whole = (there - 1) // step * step + 1
        raise _refusal(attempted, f"{asked:,} frames were asked for", f"at most {whole} frames, or a longer source")
    if not asked and there > model.longest_clip:
        raise _refusal(
            attempted,
            f"{model.name} knows positions for {model.longest_clip:,} frames",
            f"a part of it: frames up to {model.longest_clip}, and far fewer on any card",
        )
    taken = asked or (there - 1) // step * step + 1
    if taken < there:
        why = "were not asked for" if asked else f"are left out: a clip has {step}k + 1 frames"
        notes.append(f"The last {there - taken} of the source's {there} frames {why}.")
    if source.rate != model.rate:
        notes.append(
            f"The clip keeps its source's {float(source.rate):g} frames a second; {model.name} was made for "
            f"{float(model.rate):g}."
        )
    return taken


def _refusal(attempted: str, because: str, remedy: str) -> ArtifexError:
    return ArtifexError(attempted, because, remedy, code="settings")
