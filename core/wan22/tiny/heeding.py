"""The transformer's second lessons, still before any clip: which of the caption's words are about its own place.

A caption with two things has two motions, and nothing but its place tells a token which of them is its own. By clips
alone colours are sorted out, which are most of what a wrong choice costs, and motions are not: both are then done a
little by both things. So each token of noise is asked, half through the network, what the caption says of the thing on
its side of the picture; and again where it is, for the answer hangs on that.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import TINY, TRAINED_STEPS
from artifexpro.core.wan22.tiny import captions, denoising, placing, reading, scenes
from artifexpro.core.wan22.tiny.scenes import Scene

if TYPE_CHECKING:
    from torch import Tensor

BLOCKS = 3
"""The transformer's first ones: two know where they are, the third asks the caption."""
PAIRS = 0.75
"""Share of the scenes with two things."""
CHOICES = tuple(len(options) for options in reading.OF_THINGS.values())
"""How many answers each question has."""


@dataclass(frozen=True, slots=True)
class Heads:
    """What answers: `heads` of this module, and those of `placing`."""

    asked: Any
    placed: Any


def heads(network: Any) -> Any:
    """What answers all questions at once from the states of `network`; of no use after its lessons."""
    width = network.config.num_attention_heads * network.config.attention_head_dim
    return torch.nn.Sequential(
        torch.nn.LayerNorm(width, elementwise_affine=False), torch.nn.Linear(width, sum(CHOICES))
    )


def answers(scene: Scene, columns: int) -> list[list[int]]:
    """The right answers of the tokens in each of `columns`: about the thing of their half, or about the only one."""
    of_things = [reading.of_thing(thing) for thing in scene.things]
    return [of_things[column * len(of_things) // columns] for column in range(columns)]


def loss(
    network: Any,
    encoder: Any,
    heads: Heads,
    tokenizer: Any,
    shape: tuple[int, ...],
    chance: Any,
    batch: int,
) -> Tensor:
    """The loss of one step on `batch` latents of `shape` (1, C, T, h, w) of noise: cross entropy, the mean of all
    tokens and questions, and the same of `placing`."""
    device = network.device
    drawn = Random(int(torch.randint(2**62, (), generator=chance)))
    shown = [scenes.scene(drawn, things=2 if drawn.random() < PAIRS else 1) for _ in range(batch)]
    words = denoising.states([captions.caption(scene, drawn) for scene in shown], tokenizer, encoder)
    noise = torch.randn((batch, *shape[1:]), generator=chance).to(device)
    timestep = TRAINED_STEPS * torch.rand(batch, generator=chance).to(device)
    with placing.after(network, placing.BLOCKS, BLOCKS) as states:
        network(noise, timestep, words, return_dict=False)
    early, late = states
    rows = shape[3] // TINY.transformer.patch
    columns = shape[4] // TINY.transformer.patch
    right = torch.tensor([answers(scene, columns) for scene in shown], device=device)
    every = right[:, None].expand(-1, shape[2] * rows, -1, -1).flatten(0, 2)
    found = heads.asked(late.float()).float().flatten(0, 1).split(CHOICES, dim=-1)
    losses = [torch.nn.functional.cross_entropy(of_one, every[:, question]) for question, of_one in enumerate(found)]
    return torch.stack(losses).mean() + placing.missed(heads.placed, early, shape)
