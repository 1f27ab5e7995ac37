"""Colour spaces by name, and pixels from one into another, by OpenColorIO.

OpenColorIO computes on float32 pixels in place. Colour is divided by alpha before and multiplied after, because
curves act on colour, not on colour times coverage.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import PyOpenColorIO, cv2, numpy, torch
from artifexpro.core.media.channels import apart
from artifexpro.core.media.pixels import on_card, rows
from artifexpro.core.protocol import ColorContract

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_CONFIG: str = ColorContract().config
DISPLAY = "srgb_tx"
"""The space of pictures made to be looked at, by the one name that every built-in config knows."""


def canonical(space: str, config: str = DEFAULT_CONFIG) -> str:
    """The config's own name of a space, role or alias. Raises `ArtifexError` that names spaces spelt alike."""
    found = _config(config).getColorSpace(space) if space else None
    if found is not None:
        return str(found.getName())
    known = {name.lower(): name for name in spaces(config)}
    alike = [known[name] for name in get_close_matches(space.lower(), known, n=3, cutoff=0.5)]
    raise ArtifexError(
        f'use the colour space "{space}"',
        "the colour config has no such space",
        " or ".join(f'"{name}"' for name in alike or ("ACEScg", DISPLAY)),
        code="color",
    )


def same(one: str, other: str, config: str = DEFAULT_CONFIG) -> bool:
    """Whether two names mean one space. Raises `ArtifexError` for a name the config does not know."""
    return one == other or canonical(one, config) == canonical(other, config)


def spaces(config: str = DEFAULT_CONFIG) -> tuple[str, ...]:
    """All names and aliases of the config's spaces."""
    found = _config(config).getColorSpaces()
    return tuple(name for space in found for name in (space.getName(), *space.getAliases()))


def interop_id(space: str, config: str = DEFAULT_CONFIG) -> str | None:
    """The Color Interop Forum's identifier of a space ("lin_ap1_scene" for ACEScg), as EXR headers carry it; None where
    the config gives none or one of its own."""
    identifier = _identifier(space, config)
    return identifier if identifier and ":" not in identifier else None


def is_rec709(space: str, config: str = DEFAULT_CONFIG) -> bool:
    """Whether a space has the primaries and a curve of Rec.709 displays, so that a movie may be tagged so."""
    identifier = _identifier(space, config)
    return "rec709" in identifier and not identifier.startswith("lin_")


def transform(
    pixels: torch.Tensor, source: str, target: str, config: str = DEFAULT_CONFIG, *, reuse: bool = False
) -> torch.Tensor:
    """(1, 4, H, W) premultiplied pixels of space `source` in space `target`; the same tensor if nothing changes.

    With `reuse` the result may take the place of `pixels`: for whoever made them and shows them to nobody else. Raises
    `ArtifexError` where the config lacks a space or a way between the two.
    """
    processor = between(source, target, config)
    return pixels if processor is None else through(processor, pixels, reuse=reuse)


def between(source: str, target: str, config: str = DEFAULT_CONFIG) -> PyOpenColorIO.CPUProcessor | None:
    """What converts from one space to another, None where they are the same. Raises `ArtifexError` where the config
    lacks a space or a way between the two."""
    return _processor(canonical(source, config), canonical(target, config), config)


def through(
    processor: PyOpenColorIO.CPUProcessor, pixels: torch.Tensor, *, reuse: bool = False, keeps_nothing: bool = False
) -> torch.Tensor:
    """(1, 4, H, W) premultiplied pixels as `processor` makes them, alpha divided out before and multiplied in after.

    `reuse` is as in `transform`, `keeps_nothing` as in `applied`.
    """
    straight, divisor = apart(pixels)
    own = straight is not pixels or reuse
    out = applied(processor, straight, free=own, keeps_nothing=keeps_nothing and divisor is not None)
    if divisor is not None:
        out *= divisor
    return out.to(pixels.dtype)


def applied(
    processor: PyOpenColorIO.CPUProcessor, pixels: torch.Tensor, *, free: bool, keeps_nothing: bool = False
) -> torch.Tensor:
    """(1, 4, H, W) pixels without alpha in them as `processor` makes them, float32; to `pixels` it may write if they
    are `free`. With `keeps_nothing`, where alpha is 0 black stays black, whatever the processor makes of it.

    OpenColorIO computes on the processor: pixels of a card go there and back.
    """
    out = pixels.cpu().to(torch.float32, memory_format=torch.channels_last, copy=not (free or on_card(pixels)))
    picture = rows(out)
    height, width = picture.shape[:2]
    processor.apply(PyOpenColorIO.PackedImageDesc(picture, width, height, 4))
    black = processor.applyRGB([0.0, 0.0, 0.0]) if keeps_nothing else ()
    if any(black):
        nothing = cv2.inRange(cv2.extractChannel(picture, 3), 0.0, 0.0)  # type: ignore[call-overload]
        cv2.subtract(picture, (*black, 0.0), dst=picture, mask=nothing)  # type: ignore[call-overload]
    return out.to(pixels.device)


@lru_cache(maxsize=16)
def of_bytes(source: str, target: str, config: str = DEFAULT_CONFIG) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """For pictures of 8 bit, the conversion as a table of 256 values for every channel and a (3, 3) matrix after it;
    None where it is not of that form. Several times quicker than computing a curve for every pixel."""
    processor = _processor(canonical(source, config), canonical(target, config), config)
    steps = numpy.arange(256, dtype=numpy.float32) / 255
    if processor is None:
        return steps, numpy.eye(3)
    primaries = numpy.eye(3, dtype=numpy.float32)
    greys = numpy.repeat(steps[:, None], 3, axis=1)
    some = numpy.random.default_rng(0).integers(0, 256, (4096, 3))
    colors = steps[some]
    for each in (primaries, greys, colors):
        processor.applyRGB(each)
    matrix = primaries.T.astype(numpy.float64)
    table = greys[:, 0] / matrix[0].sum()
    fits = numpy.allclose(table[some] @ matrix.T, colors, atol=_LAST_PLACES, rtol=_LAST_PLACES)
    return (table.astype(numpy.float32), matrix) if fits else None


_LAST_PLACES = 2e-6
"""By how much single precision may differ between two orders of the same sums."""


def config(name: str = DEFAULT_CONFIG) -> PyOpenColorIO.Config:
    """A config by its name or path. Raises `ArtifexError` where it cannot be opened."""
    return _config(name)


def encoded(display: str, config: str = DEFAULT_CONFIG) -> str:
    """The space of pictures whose numbers a display's space shows as they are: `DISPLAY` for sRGB displays; the
    display's own where the config has none."""
    shown = _identifier(display, config)
    alike = shown.removeprefix("ocio:").removesuffix("_display") + "_scene"
    for space in _config(config).getColorSpaces():
        if shown.endswith("_display") and space.getInteropID().removeprefix("ocio:") == alike:
            return DISPLAY if same(space.getName(), DISPLAY, config) else str(space.getName())
    return display


def processor_of(
    transform: PyOpenColorIO.Transform, attempted: str, remedy: str, config: str = DEFAULT_CONFIG
) -> PyOpenColorIO.Processor:
    """What computes `transform`. Raises `ArtifexError` in OpenColorIO's words."""
    try:
        return _config(config).getProcessor(transform)
    except PyOpenColorIO.Exception as error:
        because = f"OpenColorIO said: {' '.join(str(error).split()).rstrip('.')}"
        raise ArtifexError(attempted, because, remedy, code="color") from None


def _identifier(space: str, config: str) -> str:
    return str(_config(config).getColorSpace(canonical(space, config)).getInteropID())


@cache
def _config(name: str) -> PyOpenColorIO.Config:
    try:
        return PyOpenColorIO.Config.CreateFromFile(name)
    except PyOpenColorIO.Exception as error:
        raise ArtifexError(
            f"open the colour config {name}",
            f"OpenColorIO said: {' '.join(str(error).split()).rstrip('.')}",
            f"the built-in {DEFAULT_CONFIG}",
            code="color",
        ) from None


@lru_cache(maxsize=64)
def _processor(source: str, target: str, config: str) -> PyOpenColorIO.CPUProcessor | None:
    steps = PyOpenColorIO.ColorSpaceTransform(src=source, dst=target)
    processor = processor_of(steps, f"convert from {source} to {target}", "another colour space", config)
    return None if processor.isNoOp() else processor.getDefaultCPUProcessor()
