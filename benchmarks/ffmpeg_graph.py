"""FFmpeg's filters in floating point as a peer: the graph of `look.chain`, through PyAV, in this process."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy
import OpenImageIO
from av.filter import Graph

from artifexpro.benchmarks import look
from artifexpro.core.media.grade import corrector

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "gbrapf32le"
"""Four planes of 32 bit floats: ours have alpha as well."""
_TIME = Fraction(1, 24)
_STEPS = 6
"""Passes of FFmpeg's recursive gaussian, the most it takes: with fewer it is less of a gaussian."""


class FilterGraph:
    """The filters, with both pictures in memory. `threads` as many as there are cores."""

    def __init__(self, folder: Path, size: look.Size, frame: int, threads: int) -> None:
        self._pictures = _picture(look.opaque(folder, size)), _picture(look.stills(folder, size)[1])
        self._graph = Graph()
        self._graph.threads = threads
        self._count = 0
        about = f"video_size={size[0]}x{size[1]}:pix_fmt={FORMAT}:time_base={_TIME}:pixel_aspect=1/1"
        self._sources = [self._graph.add("buffer", about) for _ in self._pictures]
        last = self._sources[0]
        for name, arguments in filters(folder, frame):
            following = self._graph.add(name, arguments)
            last.link_to(following)
            last = following
        self._sources[1].link_to(last, 0, 1)
        self._sink = self._graph.add("buffersink")
        last.link_to(self._sink)
        self._graph.configure()

    def render(self) -> av.VideoFrame:
        """One frame through all filters."""
        for source, picture in zip(self._sources, self._pictures, strict=True):
            picture.pts, picture.time_base = self._count, _TIME
            source.push(picture)
        self._count += 1
        made = self._sink.pull()
        if not isinstance(made, av.VideoFrame) or made.format.name != FORMAT:
            raise RuntimeError("FFmpeg left floating point on the way")
        return made

    def pixels(self) -> NDArray[Any]:
        """One frame as (H, W, 4) float32."""
        return self.render().to_ndarray()


def filters(folder: Path, frame: int) -> list[tuple[str, str]]:
    """Name and arguments of each filter, in order; the last takes the background as its second input."""
    mixes = []
    for saturation, hue in look.MIXES.values():
        matrix = corrector(0.0, 1.0, 0.18, saturation, hue % 360).before.weights
        names = [f"{to}{of}" for to in "rgb" for of in "rgb"]
        values = ":".join(f"{name}={value:.9g}" for name, value in zip(names, matrix[:, :3].ravel(), strict=True))
        mixes.append(("colorchannelmixer", values))
    return [
        ("exposure", f"exposure={look.exposure_at(frame):.9g}"),
        ("gblur", f"sigma={look.SIGMA:.9g}:steps={_STEPS}"),
        *mixes,
        ("lut3d", f"file={_quoted(look.cube(folder))}:interp=tetrahedral"),
        ("blend", f"all_mode=normal:all_opacity={look.MIX}"),
    ]


def _quoted(path: Path) -> str:
    """A path as an option of a filter: what has a meaning there is escaped."""
    return "".join(f"\\{letter}" if letter in "\\':[],;" else letter for letter in path.as_posix())


def _picture(path: Path) -> av.VideoFrame:
    pixels = OpenImageIO.ImageBuf(str(path)).get_pixels(OpenImageIO.FLOAT)
    return av.VideoFrame.from_ndarray(numpy.ascontiguousarray(pixels), format=FORMAT)
