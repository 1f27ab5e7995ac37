"""Pictures an artist hands in: refused where they are none, fitted to the clip's size where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def check_picture(image: Tensor, attempted: str = "start the clip from a picture", channels: int = 3) -> None:
    """Refuse what is not an (H, W, `channels`) picture of finite numbers. Raises `ArtifexError` (code "image")."""
    if image.ndim != 3 or image.shape[2] != channels or 0 in image.shape:
        shape = " x ".join(str(side) for side in image.shape)
        raise ArtifexError(
            attempted,
            f"it has the shape {shape or 'of a single number'}",
            f"one {'RGB picture' if channels == 3 else 'matte'}, height x width x {channels}",
            code="image",
        )
    if not bool(torch.isfinite(image).all()):
        raise ArtifexError(
            attempted, "it contains values that are no numbers", "a picture whose pixels are all finite", code="image"
        )


def fitted(image: Tensor, width: int, height: int) -> Tensor:
    """`image` (H, W, C) scaled to cover width x height and cut around its centre: (1, C, height, width), 0..1.

    A picture of that size already comes back unchanged but for its layout.
    """
    planes = image.to(torch.float32).permute(2, 0, 1).unsqueeze(0)
    rows, columns = planes.shape[2:]
    if (rows, columns) == (height, width):
        return planes.clamp(0, 1)
    scale = max(width / columns, height / rows)
    size = (max(height, round(rows * scale)), max(width, round(columns * scale)))
    larger = torch.nn.functional.interpolate(planes, size=size, mode="bicubic", antialias=True)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return larger[:, :, top : top + height, left : left + width].clamp(0, 1)


def letterboxed(image: Tensor, width: int, height: int) -> Tensor:
    """`image` (H, W, 3) scaled to fit into width x height, centred on white: (1, 3, height, width), 0..1.

    As VACE was shown its reference pictures (diffusers, WanVACEPipeline.preprocess_conditions).
    """
    planes = image.to(torch.float32).permute(2, 0, 1).unsqueeze(0).clamp(0, 1)
    rows, columns = planes.shape[2:]
    scale = min(height / rows, width / columns)
    size = (max(1, int(rows * scale)), max(1, int(columns * scale)))
    inside = torch.nn.functional.interpolate(planes, size=size, mode="bilinear", align_corners=False)
    canvas = torch.ones(1, 3, height, width)
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    canvas[:, :, top : top + size[0], left : left + size[1]] = inside
    return canvas
