"""The VAE's lessons: single pictures first, then clips; and its answers to many clips, kept for the transformer.

Whole clips go through the VAE at once, with gradients and not cut to -1..1. The loss is mean square plus a little
absolute error: absolute error alone does not get off the ground. Latents get some noise on their way to the decoder, so
that small errors of the transformer do not show, and are kept from growing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as numbers
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.tiny import drawing, scenes
from artifexpro.core.wan22.tiny.course import number
from artifexpro.core.wan22.tiny.whole import Whole

if TYPE_CHECKING:
    from torch import Tensor

_ABSOLUTE, _NOISE, _SIZE = 0.1, 0.03, 1e-4
"""Weights of absolute error and of the latents' mean square; deviation of the noise in deviations of the latents."""
WINDOWS = (9, 9, 9, 17)
"""Frames of the pieces in the second stage, by equal chance. Of longer ones half as many come at a time."""
SHOWN = (192, 128)
"""Width and height of the clips that are made later: half of the lessons are cut out of such ones, half drawn as they
are."""


def pictures(vae: Whole, chance: Any, batch: int, size: tuple[int, int], device: Any) -> Tensor:
    """The loss on `batch` single pictures of `size` (width, height)."""
    shown = torch.stack([_drawn(chance, size, 1)[0] for _ in range(batch)])
    return _loss(vae, shown.permute(0, 3, 1, 2).unsqueeze(2).to(device) * 2 - 1, chance)


def clips(vae: Whole, chance: Any, batch: int, size: tuple[int, int], device: Any) -> Tensor:
    """The loss on `batch` pieces of clips of `size` (width, height), some slow and some fast, or on half as
    many longer ones."""
    window = WINDOWS[_draw(chance, len(WINDOWS))]
    drawn = []
    for _ in range(batch if window == min(WINDOWS) else max(1, batch // 2)):
        frames = (window, 2 * window - 1, 33)[_draw(chance, 3)]
        begin = _draw(chance, frames - window + 1)
        drawn.append(_drawn(chance, size, frames)[begin : begin + window])
    return _loss(vae, torch.stack(drawn).permute(0, 4, 1, 2, 3).to(device) * 2 - 1, chance)


def _draw(chance: Any, below: int) -> int:
    return int(torch.randint(below, (), generator=chance))


def _drawn(chance: Any, size: tuple[int, int], frames: int) -> Tensor:
    """A clip (frames, H, W, 3) of `size`."""
    seed = _draw(chance, 2**62)
    scene = scenes.scene(Random(seed))
    if _draw(chance, 2):
        return drawing.clip(scene, seed, *size, frames, anywhere=True)
    right, down = (_draw(chance, SHOWN[side] - size[side] + 1) for side in (0, 1))
    whole = drawing.clip(scene, seed, *SHOWN, frames, anywhere=True)
    return whole[:, down : down + size[1], right : right + size[0]]


def _loss(vae: Whole, pixels: Tensor, chance: Any) -> Tensor:
    latents = vae.encoded(pixels)
    deviation = latents.detach().std(dim=(0, 2, 3, 4), keepdim=True)
    noise = torch.randn(latents.shape, generator=chance).to(latents.device)
    away = vae.decoded(latents + _NOISE * deviation * noise).float() - pixels
    return away.square().mean() + _ABSOLUTE * away.abs().mean() + _SIZE * latents.float().square().mean()


def lessons(seed: int, name: str, count: int, pairs: float) -> list[int]:
    """Seeds of `count` scenes, of which a share `pairs` has two things, evenly mixed. The first ones of more are the
    same."""
    found: list[int] = []
    drawn = (number(seed, name, index) for index in numbers())
    while len(found) < count:
        two = int((len(found) + 1) * pairs) > int(len(found) * pairs)
        found.append(next(each for each in drawn if (len(scenes.scene(Random(each)).things) == 2) == two))
    return found


def keep(
    vae: Whole,
    seed: int,
    count: int,
    size: tuple[int, int, int],
    anywhere: bool,
    pairs: float,
    folder: Path,
    device: Any,
    compute: str,
    hooks: Hooks,
) -> tuple[Tensor, list[int]]:
    """Latents (count, C, T, h, w) float16, not normalised, of `count` clips of `size` (width, height, frames), with
    things near the middle or `anywhere`, a share `pairs` of them of two, and the seed of each one's scene. `compute` is
    that of a course. Those on disk from an earlier run are not made again; `folder` holds a file for every hundred."""
    from safetensors.torch import load_file, save_file

    name = f"latents {'' if anywhere else 'near '}{'x'.join(map(str, size))}"
    seeds = lessons(seed, name, count, pairs)
    found = []
    for begin in range(0, count, 100):
        part = seeds[begin : begin + 100]
        path = folder / f"{name}-{begin:06d}-{len(part)}.safetensors"
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            made = torch.cat(list(_encoded(vae, part, size, anywhere, device, compute, hooks)))
            save_file({"latents": made}, path.with_suffix(".partial"))
            path.with_suffix(".partial").replace(path)
        found.append(load_file(path)["latents"])
        hooks.progress("latents", begin + len(part), count)
    return torch.cat(found), seeds


def _encoded(
    vae: Whole,
    seeds: list[int],
    size: tuple[int, int, int],
    anywhere: bool,
    device: Any,
    compute: str,
    hooks: Hooks,
) -> Iterator[Tensor]:
    together = 20 if device.type == "cuda" else 4
    for begin in range(0, len(seeds), together):
        hooks.check()
        part = seeds[begin : begin + together]
        drawn = [drawing.clip(scenes.scene(Random(seed)), seed, *size, anywhere=anywhere) for seed in part]
        pixels = torch.stack(drawn).permute(0, 4, 1, 2, 3).to(device) * 2 - 1
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=compute == "bfloat16"):
            latents = vae.encoded(pixels)
        yield latents.to("cpu", torch.float16).contiguous()


def settle(vae: Any, latents: Tensor) -> None:
    """Tell the VAE's configuration mean and deviation a channel of `latents` (N, C, T, h, w)."""
    every = latents.float()
    vae.register_to_config(
        latents_mean=every.mean(dim=(0, 2, 3, 4)).tolist(), latents_std=every.std(dim=(0, 2, 3, 4)).tolist()
    )
