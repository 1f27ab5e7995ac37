"""Where attention heads look before they have learned anything.

Heads that begin by looking everywhere alike must find out by chance that what comes before and after differs: in some
hundred steps ours did not. So they begin by looking one step to one side each: words to those before and after, pieces
of a clip to the frame before and to their neighbours. What they look at in the end is learned.
"""

from __future__ import annotations

from math import cos, sin
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import TINY

if TYPE_CHECKING:
    from torch import Tensor

_Place = tuple[int | None, int | None, int | None]
_PLACES: tuple[tuple[_Place, ...], ...] = (
    ((-1, 0, 0), (-1, 0, -1), (-1, 0, 1), (-1, -1, 0), (-1, 1, 0), (1, 0, 0), (0, None, None)),
    ((-1, 0, 0), (0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (1, 0, 0), (0, None, None)),
)
"""Where heads of even and odd layers begin to look: frames, rows and columns from their own place, None for any. Heads
beyond these begin as chance has it."""
_TURNS = (0.85, 0.53)
"""Of the first two frequencies, the second to tell a place from one six steps on."""
_BASE = 10000.0
"""Of rotary positions, as the network has it."""
_FIRMNESS, _CONTENT, _KEENNESS = 2.9, 0.4, 1.7
"""Of queries and keys: what they begin with for frames, rows and columns each, the share of the usual that a token adds
(3.3 in all) to that, and the weight of the sum, brought to 5.7 a head."""
_ELSEWHERE = -6.0
"""Logit of what a head looks away from."""


def beside(network: Any) -> None:
    """Let heads of the transformer `network` begin by looking at the places beside their own.

    Rotary positions turn query and key of a head by their places, and the nearer these turns are, the more one sees of
    the other; a query that begins with the turn of one step looks one step on."""
    size = TINY.transformer
    with torch.no_grad():
        for number, block in enumerate(network.blocks):
            attention = block.attn1
            for norm in (attention.norm_q, attention.norm_k):
                norm.weight.fill_(_KEENNESS)
            for part in (attention.to_q, attention.to_k):
                part.weight *= _CONTENT
            query, key = (part.bias.view(size.heads, -1) for part in (attention.to_q, attention.to_k))
            for head, place in enumerate(_PLACES[number % len(_PLACES)]):
                query[head], key[head] = _turned(place, size.head_dim), _turned((0, 0, 0), size.head_dim, place)


def _turned(steps: _Place, width: int, where: _Place | None = None) -> Tensor:
    """What a head of `width` begins with, turned by so many steps; nothing for sides that are None in `where`."""
    across = 2 * (width // 6)
    found, begin = torch.zeros(width), 0
    for side, way, minded in zip((width - 2 * across, across, across), steps, where or steps, strict=True):
        if minded is not None and way is not None:
            for pair, share in enumerate(_TURNS):
                turn = way * _BASE ** (-2 * pair / side)
                found[begin + 2 * pair] = _FIRMNESS * share * cos(turn)
                found[begin + 2 * pair + 1] = _FIRMNESS * share * sin(turn)
        begin += side
    return found


def around(encoder: Any) -> None:
    """Of each layer's four heads in the text encoder let one begin by looking back, one ahead, one at its neighbours
    and one everywhere, so that what comes first in a caption can be told from what comes later."""
    buckets = encoder.config.relative_attention_num_buckets // 2
    away = torch.arange(buckets, dtype=torch.float32)
    with torch.no_grad():
        for block in encoder.encoder.block:
            bias = block.layer[0].SelfAttention.relative_attention_bias.weight
            back, ahead = bias[:buckets], bias[buckets:]
            ahead[:, 0] = back[:, 1] = _ELSEWHERE
            back[:, 2] = ahead[:, 2] = -away
