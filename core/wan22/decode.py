"""Latents into frames, chunk by chunk, whole or in tiles.

The VAE is causal: what has been decoded does not change with what follows, so frames leave while the rest is still
latents, and memory holds one chunk (1 frame, then 4 each). The loop follows `AutoencoderKLWan._decode` of diffusers
0.42 with its feature cache held here instead of in the model; a test holds it equal to the whole decode, bit for bit.

Tiles lower what one chunk takes. Each tile has a feature cache of its own, which waits in main memory while others
work, so time stays exact; across tiles a pixel is a weighted mean of all tiles that cover it, the weights falling to
nothing towards a tile's inner borders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.encode import denormalised

if TYPE_CHECKING:
    from torch import Tensor

OVERLAP = 64
"""Pixels that neighbouring tiles share, half a tile's side at most."""
TOGETHER = 4
"""Latent frames that one tile decodes before the next one's turn. The caches of all tiles are half of what decoding
takes, so those that wait do so in main memory, and this many frames share the way there and back."""


def chunks(latents: Tensor, vae: Any, tile: int = 0) -> Iterator[Tensor]:
    """Frames (T, H, W, 3), float32 on the processor, display-referred sRGB in 0..1, for each latent frame in turn.

    `latents` are the transformer's, (1, C, T, h, w), normalised. `tile` is the most a tile's side may be in
    pixels, a whole multiple of the VAE's factor; 0 decodes whole pictures.
    """
    with torch.no_grad():
        wanted = latents.to(device=vae.device, dtype=vae.dtype)
        prepared = vae.post_quant_conv(denormalised(wanted, vae))
    factor = vae.config.scale_factor_spatial
    tiles = _tiles(prepared.shape[3], prepared.shape[4], tile // factor, min(OVERLAP, tile // 2) // factor)
    parts = [_Part(place, _cache(vae)) for place in tiles]
    together = TOGETHER if parts[1:] else 1
    for begin in range(0, prepared.shape[2], together):
        pieces = prepared[:, :, begin : begin + together].split(1, dim=2)
        with torch.no_grad():
            decoded = (
                _blended(pieces, vae, parts, begin == 0) if parts[1:] else _whole(pieces, vae, parts[0], begin == 0)
            )
        yield from (pictures(each) for each in decoded)


@dataclass(frozen=True, slots=True)
class Place:
    """A tile in latents: where it is, and how far it overlaps its neighbours (0 at the picture's edge)."""

    rows: slice
    columns: slice
    top: int
    bottom: int
    left: int
    right: int


@dataclass(slots=True)
class _Part:
    place: Place
    cache: list[Any] = field(repr=False)

    def keep_on(self, device: Any) -> None:
        self.cache = [each.to(device) if isinstance(each, torch.Tensor) else each for each in self.cache]


def _cache(vae: Any) -> list[Any]:
    return [None] * vae._cached_conv_counts["decoder"]


def _decoded(piece: Tensor, vae: Any, part: _Part, first: bool) -> Tensor:
    """Pixels (1, 3, T, H, W) in -1..1 of the part of one latent frame that its place shows."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    seen = piece[..., part.place.rows, part.place.columns]
    decoded: Tensor = vae.decoder(seen, feat_cache=part.cache, feat_idx=[0], first_chunk=first)
    return decoded if vae.config.patch_size is None else unpatchify(decoded, patch_size=vae.config.patch_size)


def _whole(pieces: Sequence[Tensor], vae: Any, part: _Part, first: bool) -> list[Tensor]:
    return [_decoded(piece, vae, part, first and not index) for index, piece in enumerate(pieces)]


def _blended(pieces: Sequence[Tensor], vae: Any, parts: list[_Part], first: bool) -> list[Tensor]:
    """The pieces made of all tiles, on the processor. Only the tile that works has its cache on the VAE's device."""
    factor = vae.config.scale_factor_spatial
    size = (pieces[0].shape[3] * factor, pieces[0].shape[4] * factor)
    weight = torch.zeros(size)
    totals: list[Tensor] = []
    for part in parts:
        part.keep_on(vae.device)
        share = _share(part.place, factor)
        rows, columns = (
            slice(side.start * factor, side.stop * factor) for side in (part.place.rows, part.place.columns)
        )
        weight[rows, columns] += share
        for index, decoded in enumerate(_whole(pieces, vae, part, first)):
            pixels = decoded.to(device="cpu", dtype=torch.float32)
            if index == len(totals):
                totals.append(pixels.new_zeros(*pixels.shape[:3], *size))
            totals[index][..., rows, columns] += pixels * share
        part.keep_on("cpu")
    return [total / weight for total in totals]


def _share(place: Place, factor: int) -> Tensor:
    """(H, W) weights of a tile: 1 in its own area, falling linearly across each overlap, never quite to 0."""
    rows = _ramp(place.rows, place.top, place.bottom, factor)
    columns = _ramp(place.columns, place.left, place.right, factor)
    return rows.view(-1, 1) * columns.view(1, -1)


def _ramp(side: slice, before: int, after: int, factor: int) -> Tensor:
    length = (side.stop - side.start) * factor
    position = torch.arange(length) + 0.5
    rising = position / (before * factor) if before else torch.ones(length)
    falling = (length - position) / (after * factor) if after else torch.ones(length)
    return torch.minimum(rising, falling).clamp(max=1.0)


def _tiles(rows: int, columns: int, tile: int, overlap: int) -> list[Place]:
    vertical, horizontal = cuts(rows, tile, overlap), cuts(columns, tile, overlap)
    return [
        Place(slice(*high), slice(*wide), *_shared(vertical, index), *_shared(horizontal, number))
        for index, high in enumerate(vertical)
        for number, wide in enumerate(horizontal)
    ]


def cuts(length: int, tile: int, overlap: int) -> list[tuple[int, int]]:
    """Where tiles begin and end along one side: as few as cover it with at least `overlap`, as small as they may be."""
    if not tile or tile >= length:
        return [(0, length)]
    count = -(-(length - overlap) // (tile - overlap))
    side = -(-(length + (count - 1) * overlap) // count)
    starts = (round(index * (length - side) / (count - 1)) for index in range(count))
    return [(start, start + side) for start in starts]


def _shared(cuts: list[tuple[int, int]], index: int) -> tuple[int, int]:
    """How much of a tile its neighbours before and after cover too."""
    before = cuts[index - 1][1] - cuts[index][0] if index else 0
    after = cuts[index][1] - cuts[index + 1][0] if index + 1 < len(cuts) else 0
    return before, after


def pictures(decoded: Tensor) -> Tensor:
    """(1, 3, T, H, W) in -1..1 as (T, H, W, 3) in 0..1, float32 on the processor."""
    unit = (decoded[0].to(torch.float32).clamp(-1, 1) * 0.5 + 0.5).clamp(0, 1)
    return unit.permute(1, 2, 3, 0).contiguous().cpu()
