"""Views: scene-linear pictures as a display shows them.

A view such as ACES 2.0 takes half a second for a picture. `baked` computes it once, for the points of a lattice, and
finds what lies between by tetrahedral interpolation: a hundredth of the time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.values import WORKING_SPACE
from artifexpro.core.lazy import PyOpenColorIO, numpy
from artifexpro.core.media import color

if TYPE_CHECKING:
    import PyOpenColorIO as ocio

POINTS = 65
"""Points of the lattice along each channel."""
BRIGHTEST = 128.0
"""Where the lattice ends: light beyond is shown as this."""
TOE = 2.0**-6
"""Light below this lies on a nearly even scale, light above on one of stops."""


@lru_cache(maxsize=64)
def space_of(display: str, view: str) -> str:
    """The space of what `view` makes for `display`: that of pictures encoded alike, where the config has one, so that
    files and viewers show the numbers as they are. Raises `ArtifexError` for names the config does not know."""
    config = color.config()
    displays = tuple(config.getDisplays())
    if display not in displays:
        raise ArtifexError(
            f'show a picture on "{display}"', "the colour config has no such display", _some(displays), code="color"
        )
    views = tuple(config.getViews(display))
    if view not in views:
        raise ArtifexError(
            f'show a picture by the view "{view}"', f"{display} has no such view", _some(views), code="color"
        )
    named = config.getDisplayViewColorSpaceName(display, view)
    return color.encoded(display if named == "<USE_DISPLAY_NAME>" else named)


@lru_cache(maxsize=16)
def exact(display: str, view: str, source: str) -> ocio.CPUProcessor:
    """The view itself, for pictures in space `source`."""
    return _processor(display, view, source).getDefaultCPUProcessor()


@lru_cache(maxsize=16)
def baked(display: str, view: str, source: str) -> ocio.CPUProcessor:
    """The view as a lattice over light from 0 to `BRIGHTEST` in the working space; negative light counts as none. A
    view that is quick by itself, of matrices and curves alone, is not baked."""
    itself = _processor(display, view, source)
    if not any(isinstance(step, PyOpenColorIO.FixedFunctionTransform) for step in itself.createGroupTransform()):
        return itself.getDefaultCPUProcessor()
    steps: list[ocio.Transform] = [_shaper(), _lattice(display, view)]
    if not color.same(source, WORKING_SPACE):
        steps.insert(0, PyOpenColorIO.ColorSpaceTransform(src=source, dst=WORKING_SPACE))
    through = PyOpenColorIO.GroupTransform(steps)
    return color.processor_of(through, f"show {source} by the view {view}", "another view").getDefaultCPUProcessor()


def _processor(display: str, view: str, source: str) -> ocio.Processor:
    transform = PyOpenColorIO.DisplayViewTransform(src=source, display=display, view=view)
    return color.processor_of(transform, f"show {source} by the view {view}", "another view")


def _shaper() -> ocio.LogAffineTransform:
    """Light x to (log2(x + TOE) - log2(TOE)) / log2(BRIGHTEST / TOE + 1), from 0 to 1."""
    span = float(numpy.log2(BRIGHTEST / TOE + 1))
    return PyOpenColorIO.LogAffineTransform(
        logSideSlope=[1 / span] * 3, logSideOffset=[-float(numpy.log2(TOE)) / span] * 3, linSideOffset=[TOE] * 3
    )


@lru_cache(maxsize=8)
def _lattice(display: str, view: str) -> ocio.Lut3DTransform:
    steps = (numpy.geomspace(TOE, BRIGHTEST + TOE, POINTS) - TOE).astype(numpy.float32)
    steps[0] = 0
    points = numpy.stack(numpy.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    points = numpy.ascontiguousarray(points)
    exact(display, view, WORKING_SPACE).applyRGB(points)
    lattice = PyOpenColorIO.Lut3DTransform(POINTS)
    lattice.setData(points.reshape(-1))
    lattice.setInterpolation(PyOpenColorIO.INTERP_TETRAHEDRAL)
    return lattice


def _some(names: tuple[str, ...]) -> str:
    return " or ".join(f'"{name}"' for name in names)
