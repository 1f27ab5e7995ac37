"""A frame as the measures look at it: checked, and small enough for flow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import cv2, numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOW_SIDE = 288
"""Most pixels of the shorter side at which movement is looked at: a full HD frame is 512 x 288 then."""
_ROUNDING = 1e-3
"""How far outside 0..1 a value may be by resampling or half floats."""


@dataclass(frozen=True, eq=False)
class Looked:
    """One frame. `number` is its number in the clip, `rgb` (H, W, 3) float32 in display-referred sRGB, 0..1."""

    number: int
    rgb: NDArray[Any]

    @cached_property
    def luma(self) -> NDArray[Any]:
        """(H, W) float32, Rec. 601 weights on sRGB values, as 8 bit greys are made."""
        return cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY)

    @cached_property
    def small(self) -> NDArray[Any]:
        """The frame at the size of flow, (h, w, 3): each pixel the mean of what it covers."""
        height, width = self.rgb.shape[:2]
        scale = FLOW_SIDE / min(height, width)
        if scale >= 1:
            return self.rgb
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return cv2.resize(self.rgb, size, interpolation=cv2.INTER_AREA)

    @cached_property
    def grey(self) -> NDArray[Any]:
        """(h, w) float32 luma at the size of flow."""
        return cv2.cvtColor(self.small, cv2.COLOR_RGB2GRAY)

    @cached_property
    def grey8(self) -> NDArray[Any]:
        """The same in 8 bits."""
        return numpy.rint(self.grey * 255).astype(numpy.uint8)

    @cached_property
    def lab(self) -> NDArray[Any]:
        """(h, w, 3) float32 CIE L*a*b* of D65 at the size of flow."""
        return cv2.cvtColor(self.small, cv2.COLOR_RGB2Lab)


def looked(picture: NDArray[Any], number: int, size: tuple[int, ...] | None = None) -> Looked:
    """A frame that can be measured. `size`, (H, W), is what the clip's other frames have.

    Raises `ArtifexError` (code "image") for what is no picture, holds values that are no numbers or lie outside 0..1,
    or has another size.
    """
    attempted = f"measure frame {number}"
    array = numpy.asarray(picture)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        shape = " x ".join(map(str, array.shape)) or "of a single number"
        raise ArtifexError(attempted, f"it has the shape {shape}", "RGB pictures, height x width x 3", code="image")
    if size is not None and array.shape[:2] != tuple(size):
        (height, width), (rows, columns) = size, array.shape[:2]
        because = f"it is {columns} x {rows} pixels and the first is {width} x {height}"
        raise ArtifexError(attempted, because, "frames of one size", code="image")
    rgb = numpy.ascontiguousarray(array, numpy.float32)
    least, greatest = float(rgb.min()), float(rgb.max())
    if not (numpy.isfinite(least) and numpy.isfinite(greatest)):
        raise ArtifexError(attempted, "it has pixels that are no numbers", "a Repair node before it", code="image")
    if least < -_ROUNDING or greatest > 1 + _ROUNDING:
        because = f"its values go from {least:.4g} to {greatest:.4g}"
        raise ArtifexError(attempted, because, "pictures in display-referred sRGB, 0 to 1", code="image")
    if least < 0 or greatest > 1:
        rgb = rgb.clip(0, 1)
    return Looked(number, rgb)
