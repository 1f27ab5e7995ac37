"""How good a model is: clips for prompts it has never seen, made by the code that makes all clips, and measured.

Clips are made several at a time, which `loop.denoise` allows where all share their condition's shape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import decode, encode, loop, schedule, text
from artifexpro.core.wan22.catalogue import TINY
from artifexpro.core.wan22.condition import FirstFrame, Free
from artifexpro.core.wan22.hooks import Hooks, Silent
from artifexpro.core.wan22.tiny import captions, drawing, measuring, scenes
from artifexpro.core.wan22.tiny.course import number
from artifexpro.core.wan22.tiny.scenes import Scene

if TYPE_CHECKING:
    from torch import Tensor

TOGETHER = 8
HELD_OUT = 20_000
"""Seed of the scenes that models are scored on: the same for all."""


@dataclass(frozen=True, slots=True)
class Way:
    """How clips are made for a score. `sigmas` are unshifted levels of weights that are distilled to them."""

    width: int = 192
    height: int = 128
    frames: int = 33
    steps: int = 20
    guidance: float = 3.0
    scheduler: str = "unipc"
    shift: float = TINY.shift
    sigmas: tuple[float, ...] | None = None


def asked(count: int, things: int) -> list[tuple[Scene, str, int]]:
    """`count` scenes with held-out combinations, a caption and a seed for each."""
    found = []
    for index in range(count):
        seed = number(HELD_OUT, f"{things} things", index)
        scene = scenes.scene(Random(seed), held_out=True, things=things, camera=False)
        found.append((scene, captions.plain(scene), seed))
    return found


def clips(
    parts: Mapping[str, Any], prompts: list[str], seeds: list[int], way: Way, first: Tensor | None = None
) -> list[Tensor]:
    """A clip (frames, H, W, 3) in 0..1 for each of `prompts`, from the noise of its seed; from pictures `first`
    (N, 3, H, W) in 0..1 where they are given. `parts` are tokenizer, text_encoder, transformer, vae."""
    network, vae = parts["transformer"], parts["vae"]
    device = network.device
    shape = TINY.latent_shape(way.width, way.height, way.frames)
    found: list[Tensor] = []
    with torch.no_grad():
        avoid = _states("", parts)
        for begin in range(0, len(prompts), TOGETHER):
            part = slice(begin, begin + TOGETHER)
            show = torch.cat([_states(each, parts) for each in prompts[part]])
            noise = torch.cat([loop.noise(shape, seed, device) for seed in seeds[part]])
            condition: Free = Free()
            if first is not None:
                condition = FirstFrame(encode.still(first[part], vae, device))
            progress = loop.Progress(noise, schedule.make(way.steps, way.shift, way.scheduler, way.sigmas))
            guidance = loop.Guidance(show, avoid.expand_as(show), (way.guidance, way.guidance))
            latents = loop.denoise(progress, guidance, lambda _: network, Silent(), condition=condition)
            found += [torch.cat(list(decode.chunks(each.unsqueeze(0), vae))) for each in latents]
    return found


def _states(prompt: str, parts: Mapping[str, Any]) -> Tensor:
    return text.encode(prompt, parts["tokenizer"], parts["text_encoder"]).states


def scores(parts: Mapping[str, Any], count: int, way: Way, hooks: Hooks) -> dict[str, float]:
    """Shares of clips of `count` held-out prompts of one thing (`one_colour`, ...) and of two that are right, and of
    clips from a first frame: `first_db`, its likeness there, and `first_motion`."""
    found: dict[str, float] = {}
    for things, name in ((1, "one"), (2, "two")):
        wanted = asked(count, things)
        hooks.check()
        made = clips(parts, [words for _, words, _ in wanted], [seed for *_, seed in wanted], way)
        results = measured(made, wanted)
        for part in ("background", "number", "colour", "motion", "shape", "size", "everything"):
            found[f"{name}_{part}"] = sum(bool(getattr(result, part)) for result in results) / count
    return found | _from_pictures(parts, count, way, hooks)


def measured(made: list[Tensor], wanted: list[tuple[Scene, str, int]]) -> list[measuring.Score]:
    """What of each clip is as its scene says."""
    return [measuring.score(measuring.sight(clip), scene) for clip, (scene, *_) in zip(made, wanted, strict=True)]


def _from_pictures(parts: Mapping[str, Any], count: int, way: Way, hooks: Hooks) -> dict[str, float]:
    wanted = asked(count, 1)
    hooks.check()
    drawn = [
        drawing.clip(scene, seed, way.width, way.height, way.frames, anywhere=True)[0] for scene, _, seed in wanted
    ]
    pictures = torch.stack(drawn).permute(0, 3, 1, 2)
    made = clips(parts, [words for _, words, _ in wanted], [seed for *_, seed in wanted], way, pictures)
    likeness = [decibels(clip[0], picture) for clip, picture in zip(made, drawn, strict=True)]
    moved = [result.motion for result in measured(made, wanted)]
    return {"first_db": sum(likeness) / count, "first_db_least": min(likeness), "first_motion": sum(moved) / count}


def reconstruction(vae: Any, count: int, size: tuple[int, int, int], hooks: Hooks) -> dict[str, float]:
    """`db`: likeness of held-out clips of `size` (width, height, frames) after the VAE, and `flicker`: how much more
    neighbouring frames differ than they should, mean absolute, of 1."""
    likeness, flicker = [], []
    for scene, _, seed in asked(count, 2):
        hooks.check()
        clip = drawing.clip(scene, seed, *size, anywhere=True)
        with torch.no_grad():
            pixels = clip.permute(3, 0, 1, 2).unsqueeze(0) * 2 - 1
            latents = encode.clip(
                (pixels[:, :, span.start : span.stop] for span in encode.spans(size[2])), vae, vae.device, hooks
            )
            again = torch.cat(list(decode.chunks(latents, vae)))
        likeness.append(decibels(again, clip))
        flicker.append(float((again.diff(dim=0) - clip.diff(dim=0)).abs().mean()) if size[2] > 1 else 0.0)
    return {"db": sum(likeness) / count, "db_least": min(likeness), "flicker": sum(flicker) / count}


def decibels(one: Tensor, other: Tensor) -> float:
    """Peak signal to noise ratio of pictures in 0..1; 100 where they are the same."""
    error = float((one - other).square().mean())
    return 100.0 if error <= 1e-10 else -10 * math.log10(error)
