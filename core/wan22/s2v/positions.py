"""Where each token stands in time and space, as rotations of queries and keys.

The clip's patches stand at times 0, 1, 2 ..., the reference picture at time 30, and what came before at negative times,
packed: one latent frame in patches of 1 x 2 x 2, two in patches of 2 x 4 x 4 and sixteen in patches of 4 x 8 x 8. A
larger patch takes the position of one of the small patches it covers. Source: `rope_precompute` and
`FramePackMotioner` in Wan-Video/Wan2.2, wan/modules/s2v.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy
import torch
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from torch import Tensor

REFERENCE_TIME = 30


@dataclass(frozen=True, slots=True)
class Bucket:
    """Latent frames of the past that are packed alike: how many, how large a patch is in frames, and in latents along
    each side. `reach` is how many latent frames before the clip the bucket begins, which is where its first patch
    stands."""

    frames: int
    depth: int
    side: int
    reach: int


BUCKETS = (Bucket(1, 1, 2, 1), Bucket(2, 2, 4, 3), Bucket(16, 4, 8, 19))
"""From the nearest past to the farthest."""
PACKED = sum(bucket.frames for bucket in BUCKETS)


def spread(first: int, last: int, count: int) -> Tensor:
    """`count` whole positions from `first` to `last`, evenly and cut towards zero."""
    return torch.from_numpy(numpy.linspace(first, last, count).astype(numpy.int64))


class S2VPositions(WanRotaryPosEmbed):
    """Cosines and sines (1, tokens, 1, head_dim) each, for the order clip, reference picture, past."""

    freqs_cos: Tensor
    freqs_sin: Tensor

    def forward(  # type: ignore[override]
        self, hidden_states: Tensor, with_past: bool
    ) -> tuple[Tensor, Tensor]:
        """`hidden_states` are the clip's latents, (B, C, T, h, w)."""
        frames, rows, columns = hidden_states.shape[2:]
        parts = [self._grid(*axes) for axes in grids(frames, rows, columns, with_past)]
        return torch.cat([cosine for cosine, _ in parts], dim=1), torch.cat([sine for _, sine in parts], dim=1)

    def _grid(self, times: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        shape = (len(times), len(rows), len(columns))
        sizes = [self.t_dim, self.h_dim, self.w_dim]
        turned = []
        for table, sign in ((self.freqs_cos, None), (self.freqs_sin, times.sign())):
            along = table.split(sizes, dim=1)
            over_time = along[0][times.abs().to(table.device)]
            if sign is not None:
                over_time = over_time * sign.to(table).unsqueeze(1)
            axes = (
                over_time.view(shape[0], 1, 1, -1),
                along[1][rows.to(table.device)].view(1, shape[1], 1, -1),
                along[2][columns.to(table.device)].view(1, 1, shape[2], -1),
            )
            whole = torch.cat([axis.expand(*shape, -1) for axis in axes], dim=-1)
            turned.append(whole.reshape(1, -1, 1, sum(sizes)))
        return turned[0], turned[1]


def grids(frames: int, rows: int, columns: int, with_past: bool) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Times, rows and columns of the patches of each part, for latents of `frames` x `rows` x `columns`."""
    high, wide = rows // 2, columns // 2
    yield torch.arange(frames), torch.arange(high), torch.arange(wide)
    yield torch.tensor([REFERENCE_TIME]), torch.arange(high), torch.arange(wide)
    if not with_past:
        return
    for bucket in BUCKETS:
        yield (
            -spread(bucket.reach, bucket.reach - bucket.frames + 1, bucket.frames // bucket.depth),
            spread(0, high - 1, rows // bucket.side),
            spread(0, wide - 1, columns // bucket.side),
        )
