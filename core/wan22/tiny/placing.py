"""The transformer's first lessons, before any clip: where in a clip each of its pieces is.

Rotary positions tell a token only how far away others are. In noise nothing marks the rim of a clip, so that where a
thing should be, and in which frame, is not known when it matters most. It can be found out, by comparing what a head
that looks one step on brings back with what is at hand: at the rim there is no step on. The first blocks learn that in
some hundred steps when they are asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import TINY, TRAINED_STEPS
from artifexpro.core.wan22.tiny.denoising import SEEN

if TYPE_CHECKING:
    from torch import Tensor

BLOCKS = 2
"""The transformer's first ones: no later one is asked."""
FARTHEST = 11
"""Distances from here on are as one."""
_RIMS = 6
"""First and last frame, top and bottom, left and right."""


def heads(network: Any) -> Any:
    """What answers for all rims at once from the states of `network`; of no use after its lessons."""
    width = network.config.num_attention_heads * network.config.attention_head_dim
    return torch.nn.Sequential(
        torch.nn.LayerNorm(width, elementwise_affine=False), torch.nn.Linear(width, _RIMS * (FARTHEST + 1))
    )


def distances(frames: int, rows: int, columns: int) -> Tensor:
    """Tokens from each one to each rim of a clip of so many, (frames * rows * columns, 6), `FARTHEST` at most."""
    sides = (frames, rows, columns)
    places = torch.meshgrid(*(torch.arange(side) for side in sides), indexing="ij")
    both = [way for place, side in zip(places, sides, strict=True) for way in (place, side - 1 - place)]
    return torch.stack(both, dim=-1).flatten(0, 2).clamp(max=FARTHEST)


def loss(network: Any, asked: Any, shape: tuple[int, ...], chance: Any, batch: int) -> Tensor:
    """The loss of one step on `batch` latents of `shape` (1, C, T, h, w) of noise: cross entropy, the mean of all
    tokens and rims."""
    device = network.device
    noise = torch.randn((batch, *shape[1:]), generator=chance).to(device)
    timestep = TRAINED_STEPS * torch.rand(batch, generator=chance).to(device)
    words = torch.zeros(batch, SEEN, network.config.text_dim, device=device)
    with after(network, BLOCKS) as states:
        network(noise, timestep, words, return_dict=False)
    return missed(asked, states[0], shape)


def missed(asked: Any, states: Tensor, shape: tuple[int, ...]) -> Tensor:
    """How far `states` (N, tokens, D) of latents of `shape` are from telling `asked` where they are: cross entropy."""
    found = asked(states.float()).unflatten(-1, (_RIMS, -1))
    patch = TINY.transformer.patch
    right = distances(shape[2], shape[3] // patch, shape[4] // patch).to(states.device)
    return torch.nn.functional.cross_entropy(found.flatten(0, 2).float(), right.repeat(len(states), 1).flatten())


@contextmanager
def after(network: Any, *blocks: int) -> Iterator[list[Tensor]]:
    """`network` of its first blocks alone, as many as the last of `blocks`; the list has the states behind each of
    `blocks` once it was called."""
    whole, states = network.blocks, []
    network.blocks = whole[: blocks[-1]]
    held = [
        whole[number - 1].register_forward_hook(lambda _module, _given, found: states.append(found))
        for number in blocks
    ]
    try:
        yield states
    finally:
        for each in held:
            each.remove()
        network.blocks = whole
