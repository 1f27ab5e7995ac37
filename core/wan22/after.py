"""Work on decoded frames, for the preset that is delivered larger than it is generated: noise, size, sharpness, grade.

Frames pass through with one neighbour on each side in memory, so a clip's length costs nothing. All of it is plain
image processing, and nothing here invents detail: the enlargement is Lanczos resampling, not a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy, torch
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.request import ClipSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Picture = NDArray[Any]

NOISE = 0.02
"""Difference (of 0..1) between a frame and its neighbour, moved into place, that still counts as noise."""
SHARPEN_RADIUS, SHARPEN = 1.2, 0.6
"""Deviation of the blur in delivered pixels, and how much of what it takes away is added."""
CONTRAST, SATURATION = 1.1, 1.08
MIDDLE = 0.46
"""Display value of an 18 per cent grey, which the grade leaves where it is."""
_LUMA = (0.2126, 0.7152, 0.0722)
Frames = Iterator[tuple[int, "Tensor"]]


def applied(frames: Frames, spec: ClipSpec, hooks: Hooks) -> Frames:
    """`frames`, (index, (H, W, 3) float32 sRGB in 0..1), after the spec's work, in its `picture_size`. Asks
    `hooks.check` for each frame; the time is told as the stage "after"."""
    if not spec.after and spec.picture_size == (spec.width, spec.height):
        yield from frames
        return
    for index, before, picture, behind in _neighbours(frames):
        hooks.check()
        with hooks.stage("after"):
            done = _worked(before, picture, behind, spec)
        yield index, torch.from_numpy(done)


def _neighbours(frames: Frames) -> Iterator[tuple[int, Picture | None, Picture, Picture | None]]:
    """(index, the frame before, the frame, the frame behind); None at the clip's ends."""
    before: Picture | None = None
    now: tuple[int, Picture] | None = None
    for index, tensor in frames:
        picture = tensor.to(torch.float32).contiguous().numpy()
        if now is not None:
            yield now[0], before, now[1], picture
            before = now[1]
        now = index, picture
    if now is not None:
        yield now[0], before, now[1], None


def _worked(before: Picture | None, picture: Picture, behind: Picture | None, spec: ClipSpec) -> Picture:
    done = picture
    if "denoise" in spec.after:
        done = denoised(done, [other for other in (before, behind) if other is not None])
    done = enlarged(done, spec.picture_size)
    if "sharpen" in spec.after:
        done = sharpened(done)
    if "color_grade" in spec.after:
        done = graded(done)
    return numpy.ascontiguousarray(done.clip(0, 1), dtype=numpy.float32)


def denoised(picture: Picture, neighbours: list[Picture]) -> Picture:
    """(H, W, 3): the mean of the frame and its neighbours, each moved into place by optical flow (DIS: T. Kroeger et
    al., 2016) and counted only where it agrees with the frame."""
    total, weight = picture.copy(), numpy.ones(picture.shape[:2], numpy.float32)
    for other in neighbours:
        moved = _moved_onto(picture, other)
        apart = cv2.GaussianBlur(((moved - picture) ** 2).mean(axis=2), (0, 0), 1.5)
        agreeing = numpy.exp(-apart / (2 * NOISE**2)).astype(numpy.float32)
        total += moved * agreeing[..., None]
        weight += agreeing
    result: Picture = total / weight[..., None]
    return result


def _moved_onto(picture: Picture, other: Picture) -> Picture:
    """`other` with its content where `picture` has it."""
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = solver.calc(_grey(picture), _grey(other), None)  # type: ignore[call-overload]
    rows, columns = picture.shape[:2]
    x, y = numpy.meshgrid(numpy.arange(columns, dtype=numpy.float32), numpy.arange(rows, dtype=numpy.float32))
    moved: Picture = cv2.remap(
        other, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return moved


def _grey(picture: Picture) -> Picture:
    eight: Picture = (luma(picture) * 255 + 0.5).clip(0, 255).astype(numpy.uint8)
    return eight


def enlarged(picture: Picture, size: tuple[int, int]) -> Picture:
    """(H, W, 3) scaled to cover `size` (width, height) and cut around its centre, by Lanczos over eight pixels."""
    rows, columns = picture.shape[:2]
    if (columns, rows) == size:
        return picture
    scale = max(size[0] / columns, size[1] / rows)
    whole = max(size[0], round(columns * scale)), max(size[1], round(rows * scale))
    larger: Picture = cv2.resize(picture, whole, interpolation=cv2.INTER_LANCZOS4)
    left, top = (whole[0] - size[0]) // 2, (whole[1] - size[1]) // 2
    return larger[top : top + size[1], left : left + size[0]]


def sharpened(picture: Picture) -> Picture:
    """Unsharp mask on brightness, held between the darkest and brightest pixel around, so that edges get no halo."""
    bright = luma(picture)
    crisp = bright + SHARPEN * (bright - cv2.GaussianBlur(bright, (0, 0), SHARPEN_RADIUS))
    around = numpy.ones((3, 3), numpy.uint8)
    held = crisp.clip(cv2.erode(bright, around), cv2.dilate(bright, around))
    result: Picture = picture + (held - bright)[..., None]
    return result


def graded(picture: Picture) -> Picture:
    """More contrast around the middle grey and more colour. Black, white and the middle grey stay; the curve is two
    powers that meet there with the slope `CONTRAST`."""
    bright = luma(picture)[..., None].clip(0, 1)
    low = MIDDLE * (bright / MIDDLE).clip(0, 1) ** CONTRAST
    high = 1 - (1 - MIDDLE) * ((1 - bright) / (1 - MIDDLE)).clip(0, 1) ** CONTRAST
    toned = numpy.where(bright < MIDDLE, low, high)
    result: Picture = toned + (picture - bright) * SATURATION
    return result


def luma(picture: Picture) -> Picture:
    """(H, W) brightness of (H, W, 3) by Rec. 709."""
    result: Picture = picture @ numpy.array(_LUMA, numpy.float32)
    return result
