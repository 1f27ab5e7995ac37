"""The ways that a model's clips take from noise, at its own pace and guided, kept at the few levels where a distilled
model stops.

They come from the denoising loop itself, over captions and scenes as they are trained on, never held-out ones. Of the
loop's even levels those nearest to the few are moved onto them, so that nothing is read between two steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import encode, loop, schedule
from artifexpro.core.wan22.catalogue import TINY
from artifexpro.core.wan22.condition import FirstFrame, Free
from artifexpro.core.wan22.hooks import Hooks, Silent
from artifexpro.core.wan22.levers import DISTILLED_SHIFT, distilled_levels
from artifexpro.core.wan22.schedule import Schedule
from artifexpro.core.wan22.tiny import denoising, drawing, scenes
from artifexpro.core.wan22.tiny.course import chance, number
from artifexpro.core.wan22.tiny.plan import Size

if TYPE_CHECKING:
    from torch import Tensor

GUIDANCE = 3.0
LEAST_STEPS, A_STEP = 20, 4
"""Steps of a way: so many at least, and so many for each step that is distilled to."""
_TOGETHER, _A_FILE = 8, 32
"""Clips that are made at once, and that share a file."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Ways of clips of one size. `latents` (N, steps + 1, C, T, h, w) float16, from noise to the clip; `words`
    (N, SEEN, D) the embeddings of their captions; `given` whether they begin from their first frame."""

    latents: Tensor
    words: Tensor
    given: bool

    def __len__(self) -> int:
        return len(self.latents)


@dataclass
class _Watched(loop.Progress):
    """Remembers where it was."""

    seen: dict[int, Tensor] = field(default_factory=dict)

    def step(self, velocity: Tensor) -> None:
        loop.Progress.step(self, velocity)
        self.seen[self.index] = self.latents


def few(steps: int) -> Schedule:
    """The schedule of weights distilled to `steps` steps, as the LoRA lever settles it."""
    return schedule.make(steps, DISTILLED_SHIFT, "euler", distilled_levels(steps))


def levels(steps: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Unshifted levels of a way, evenly from 1 down but for those moved onto where `steps` steps stop; and which of
    them those are."""
    count = max(LEAST_STEPS, A_STEP * steps)
    chosen = [1 - index / count for index in range(count)]
    stops = [_unshifted(schedule.shifted(level, DISTILLED_SHIFT)) for level in distilled_levels(steps)]
    places = [min(range(count), key=lambda index: abs(index / count - (1 - stop))) for stop in stops]
    for place, stop in zip(places, stops, strict=True):
        chosen[place] = stop
    return tuple(chosen), tuple(places)


def _unshifted(sigma: float) -> float:
    return sigma / (TINY.shift - (TINY.shift - 1) * sigma)


def keep(
    parts: Mapping[str, Any], seed: int, count: int, size: Size, given: bool, steps: int, folder: Path, hooks: Hooks
) -> Paths:
    """`count` ways of clips of `size` by the model of `parts` (tokenizer, text_encoder, transformer, vae), whose
    network sees short captions (`denoising.shorten`). Those on disk from an earlier run are not made again."""
    from safetensors.torch import load_file, save_file

    name = f"{'x'.join(map(str, size))}-{'given' if given else 'free'}"
    seeds = [number(seed, f"paths {name}", index) for index in range(count)]
    found = []
    for begin in range(0, count, _A_FILE):
        part = seeds[begin : begin + _A_FILE]
        path = folder / f"{name}-{begin:06d}-{len(part)}.safetensors"
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            made = list(_made(parts, part, size, given, steps, hooks))
            latents, words = (torch.cat([each[place] for each in made]) for place in (0, 1))
            save_file({"latents": latents, "words": words}, path.with_suffix(".partial"))
            path.with_suffix(".partial").replace(path)
        found.append(load_file(path))
        hooks.progress(f"paths {name}", begin + len(part), count)
    latents, words = (torch.cat([each[part] for each in found]) for part in ("latents", "words"))
    return Paths(latents, words, given)


def _made(
    parts: Mapping[str, Any], seeds: Sequence[int], size: Size, given: bool, steps: int, hooks: Hooks
) -> Iterator[tuple[Tensor, Tensor]]:
    network, device = parts["transformer"], parts["transformer"].device
    chosen, stops = levels(steps)
    with torch.no_grad():
        avoid = denoising.states([""], parts["tokenizer"], parts["text_encoder"])
        for begin in range(0, len(seeds), _TOGETHER):
            hooks.check()
            part = seeds[begin : begin + _TOGETHER]
            prompts = [denoising.prompt(each, chance(each, "caption", 0)) for each in part]
            show = denoising.states(prompts, parts["tokenizer"], parts["text_encoder"])
            noise = torch.cat([loop.noise(TINY.latent_shape(*size), each, device) for each in part])
            condition: Free = FirstFrame(_beginnings(part, size, parts["vae"])) if given else Free()
            progress = _Watched(noise, schedule.make(len(chosen), TINY.shift, "unipc", chosen))
            progress.seen[0] = noise
            guidance = loop.Guidance(show, avoid.expand_as(show), (GUIDANCE, GUIDANCE))
            clip = loop.denoise(progress, guidance, lambda _: network, Silent(), condition=condition)
            way = torch.stack([*(progress.seen[stop] for stop in stops), clip], dim=1)
            yield way.to("cpu", torch.float16), show.to("cpu", torch.float16)


def _beginnings(seeds: Sequence[int], size: Size, vae: Any) -> Tensor:
    """Latents (N, C, 1, h, w) of the first frames of scenes."""
    width, height, _ = size
    drawn = [drawing.clip(scenes.scene(Random(seed)), seed, width, height, 2, anywhere=True)[0] for seed in seeds]
    return encode.still(torch.stack(drawn).permute(0, 3, 1, 2), vae, vae.device)
