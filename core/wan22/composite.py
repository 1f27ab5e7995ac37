"""An edited clip over its source: what lies outside the mask is the source's, to the last bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.footage import Footage

if TYPE_CHECKING:
    from torch import Tensor


def over(
    edited: Iterable[tuple[int, Tensor]], source: Footage, mask: Footage, feather: int
) -> Iterator[tuple[int, Tensor]]:
    """Each (index, (H, W, 3)) of `edited`, inside the mask, over `source` outside it.

    The border is soft over `feather` pixels inwards from the mask's edge, so that nothing outside changes.
    """
    for index, picture in edited:
        height, width = picture.shape[:2]
        behind = source.picture(index, width, height)[0].permute(1, 2, 0)
        cover = softened(mask.picture(index, width, height), feather)[0].permute(1, 2, 0)
        yield index, behind.lerp(picture, cover.expand_as(picture))


def softened(cover: Tensor, feather: int) -> Tensor:
    """`cover` (1, 1, H, W) shrunk by `feather` pixels and blurred over as many: 0 wherever `cover` is 0.

    Beyond the picture's edge the mask goes on as it is at the edge.
    """
    if feather == 0:
        return cover
    side = 2 * feather + 1
    padded = torch.nn.functional.pad(cover, [2 * feather] * 4, mode="replicate")
    shrunk = -torch.nn.functional.max_pool2d(-padded, side, stride=1)
    return torch.nn.functional.avg_pool2d(shrunk, side, stride=1)
