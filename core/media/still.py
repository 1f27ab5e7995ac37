"""One picture from or to one image file, by OpenImageIO.

A picture comes in the working space, whatever its file holds; EXR keeps coverage multiplied in, PNG keeps it apart.
Equal pixels and header give equal bytes: no date is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.values import WORKING_SPACE
from artifexpro.core.lazy import OpenImageIO, numpy, torch
from artifexpro.core.media import color
from artifexpro.core.media.files import check_readable, write_error
from artifexpro.core.media.pixels import from_any_rows, premultiply, rows, unpremultiply
from artifexpro.core.media.resample import resize
from artifexpro.core.media.timecode import from_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENDINGS = frozenset(
    (".exr", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dpx", ".cin", ".bmp", ".tga", ".webp", ".hdr", ".psd", ".jp2")
)
RECIPE = "artifexpro:recipe"
LARGEST_HALF = 65504.0

_CHROMATICITIES = {
    "ACEScg": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767),
    "ACES2065-1": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
    "Linear Rec.709 (sRGB)": (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290),
}
"""Red, green, blue and white in CIE x, y: ACES S-2014-004, SMPTE ST 2065-1, ITU-R BT.709."""

Packing = Literal["exr", "png8", "png16"]


@dataclass(frozen=True, slots=True)
class StillInfo:
    """What an image file's header says. `space` is None where it says nothing; `linear` is true of files of floating
    point numbers."""

    width: int
    height: int
    space: str | None
    linear: bool
    rate: Fraction | None
    recipe: str | None

    def resolved_space(self, space: str) -> str:
        """The space to read the pixels as: `space`, and for "auto" the header's, else scene-linear Rec.709 for floating
        point and sRGB for all others."""
        if space != "auto":
            return space
        return self.space or ("Linear Rec.709 (sRGB)" if self.linear else color.DISPLAY)


@dataclass(frozen=True, slots=True)
class Header:
    """What is written beside the pixels of one frame. `text` are further entries by name."""

    space: str = WORKING_SPACE
    rate: Fraction | None = None
    frame: int | None = None
    text: Mapping[str, str] = field(default_factory=dict)


def probe(path: Path) -> StillInfo:
    """Read a file's header. Raises `ArtifexError` where it is missing, unreadable or no picture."""
    with _open(path) as source:
        return _info(source.spec())


def read(
    path: Path, size: tuple[int, int] | None = None, space: str = "auto", like: StillInfo | None = None
) -> torch.Tensor:
    """(1, 4, H, W) float32 in the working space, premultiplied, at `size` (width, height).

    Grey becomes RGB; a picture without alpha is opaque; an EXR's data window is laid into its display window. `space`
    is the file's space, "auto" as its header says (see `StillInfo.resolved_space`). Raises `ArtifexError`, also where
    the picture has not the full size of `like`.
    """
    with _open(path) as source:
        spec = source.spec()
        info = _info(spec)
        if like is not None and (info.width, info.height) != (like.width, like.height):
            raise ArtifexError(
                f"read {path}",
                f"it is {info.width} x {info.height} and its sequence is {like.width} x {like.height}",
                "rendering that frame again",
            )
        array = _channels(path, source, spec)
        pixels = from_any_rows(_in_display_window(array, spec))
    if spec.alpha_channel >= 0 and spec.get_int_attribute("oiio:UnassociatedAlpha"):
        pixels = premultiply(pixels)
    if size is not None:
        pixels = resize(pixels, size)
    return color.transform(pixels, info.resolved_space(space), WORKING_SPACE, reuse=True)


def write(path: Path, pixels: torch.Tensor, packing: Packing, header: Header) -> None:
    """Write premultiplied pixels that are in `header.space` already.

    "exr" is half RGBA with zip compression, values beyond what half holds becoming its largest; "png8" and "png16" hold
    0..1, with alpha not multiplied in. Raises `ArtifexError`; a file that could not be finished is left to the caller,
    who writes inside `files.appearing`.
    """
    height, width = pixels.shape[2:]
    if packing == "exr":
        spec = OpenImageIO.ImageSpec(width, height, 4, OpenImageIO.HALF)
        _exr_header(spec, header)
        array = rows(pixels.clamp(-LARGEST_HALF, LARGEST_HALF))
    else:
        depth = OpenImageIO.UINT8 if packing == "png8" else OpenImageIO.UINT16
        spec = OpenImageIO.ImageSpec(width, height, 4, depth)
        spec.attribute("oiio:UnassociatedAlpha", 1)
        array = rows(unpremultiply(pixels).clamp(0, 1))
    spec.channelnames = ("R", "G", "B", "A")
    spec.alpha_channel = 3
    identifier = color.interop_id(header.space)
    if identifier is not None:
        spec.attribute("oiio:ColorSpace", identifier)
    for name, text in header.text.items():
        spec.attribute(name, text)
    spec.attribute("DateTime", "")
    _save(path, spec, array)


def _exr_header(spec: OpenImageIO.ImageSpec, header: Header) -> None:
    spec.attribute("compression", "zip")
    identifier = color.interop_id(header.space)
    if identifier is not None:
        spec.attribute("colorInteropID", identifier)
    primaries = _CHROMATICITIES.get(color.canonical(header.space))
    if primaries is not None:
        spec.attribute("chromaticities", OpenImageIO.TypeDesc("float[8]"), primaries)
    if header.rate is not None:
        rate = (header.rate.numerator, header.rate.denominator)
        spec.attribute("framesPerSecond", OpenImageIO.TypeDesc("rational"), rate)
        timecode = None if header.frame is None else from_frame(header.frame, header.rate)
        if timecode is not None:
            spec.attribute("smpte:TimeCode", OpenImageIO.TypeDesc("timecode"), (timecode.packed, 0))


def _save(path: Path, spec: OpenImageIO.ImageSpec, array: NDArray[Any]) -> None:
    target = _target(path)
    good = target.open(str(path), spec) and target.write_image(array)
    said = target.geterror()
    good = target.close() and good
    said = said or target.geterror()
    if not good or said:
        raise write_error(path, said or "it does not say why")


def _target(path: Path) -> Any:
    return OpenImageIO.ImageOutput.create(str(path))


@contextmanager
def _open(path: Path) -> Iterator[OpenImageIO.ImageInput]:
    """The opened file. A header that makes no sense is told as damage, wherever it is found out."""
    check_readable(path)
    hints = OpenImageIO.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    source = OpenImageIO.ImageInput.open(str(path), hints)
    if source is None:
        with suppress(UnicodeDecodeError):
            OpenImageIO.geterror()
        raise ArtifexError(
            f"read {path}",
            "it is not a whole picture of a kind known here",
            "opening it in the program that made it and saving it again",
            code="damaged",
        )
    try:
        yield source
    except (ValueError, OverflowError, MemoryError):
        raise _damaged(path) from None
    finally:
        source.close()


def _damaged(path: Path) -> ArtifexError:
    return ArtifexError(
        f"read {path}",
        "the file is cut off or damaged",
        "rendering or copying this picture again",
        code="damaged",
    )


def _info(spec: OpenImageIO.ImageSpec) -> StillInfo:
    rate = spec.getattribute("framesPerSecond")
    return StillInfo(
        spec.full_width,
        spec.full_height,
        _space(spec),
        spec.format.basetype in (OpenImageIO.HALF, OpenImageIO.FLOAT, OpenImageIO.DOUBLE),
        Fraction(*rate) if isinstance(rate, tuple) and rate[1] > 0 else None,
        spec.get_string_attribute(RECIPE) or None,
    )


def _space(spec: OpenImageIO.ImageSpec) -> str | None:
    """The config's space that a header names: by interop identifier, by chromaticities, or by the file's own tags."""
    identifier = spec.get_string_attribute("colorInteropID")
    if identifier:
        return identifier if identifier in color.spaces() else None
    primaries = spec.getattribute("chromaticities")
    if primaries is not None:
        near = (name for name, known in _CHROMATICITIES.items() if numpy.allclose(primaries, known, atol=2e-3))
        return next(near, None)
    return None


def _channels(path: Path, source: OpenImageIO.ImageInput, spec: OpenImageIO.ImageSpec) -> NDArray[Any]:
    """(H, W, C) float32 of the data window: RGBA or RGB by name where the file has them, else its first channels."""
    names = [name.upper() for name in spec.channelnames]
    if {"R", "G", "B"} <= set(names):
        picked = [names.index(name) for name in "RGBA" if name in names]
    else:
        picked = list(range(spec.nchannels if spec.nchannels <= 4 else 1))
    array = source.read_image(0, 0, 0, max(picked) + 1, OpenImageIO.FLOAT)
    said = source.geterror()
    if array is None or said:
        raise _damaged(path)
    array = array.reshape(spec.height, spec.width, -1)
    return array if picked == list(range(array.shape[2])) else array[..., picked]


def _in_display_window(array: NDArray[Any], spec: OpenImageIO.ImageSpec) -> NDArray[Any]:
    x, y = spec.x - spec.full_x, spec.y - spec.full_y
    width, height = spec.full_width, spec.full_height
    if (x, y, spec.width, spec.height) == (0, 0, width, height):
        return array
    channels = array.shape[2]
    whole = numpy.zeros((height, width, channels), numpy.float32)
    left, top = max(0, x), max(0, y)
    right, bottom = min(width, x + spec.width), min(height, y + spec.height)
    if right > left and bottom > top:
        whole[top:bottom, left:right] = array[top - y : bottom - y, left - x : right - x]
    return whole
