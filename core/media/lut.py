"""LUT files, by OpenColorIO."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import PyOpenColorIO
from artifexpro.core.media import color
from artifexpro.core.media.files import check_readable

if TYPE_CHECKING:
    import PyOpenColorIO as ocio

ENDINGS = frozenset(
    (".3dl", ".cc", ".clf", ".csp", ".ctf", ".cub", ".cube", ".itx", ".look", ".lut", ".m3d", ".mga", ".spi1d",
     ".spi3d", ".spimtx", ".vf")
)  # fmt: skip
Interpolation = Literal["tetrahedral", "linear"]


def check_file(path: str) -> None:
    """Refuse what cannot be a LUT: no file, or one with an unknown ending. Raises `ArtifexError`."""
    if not path:
        raise ArtifexError("use a LUT", "no file is chosen", "choosing one", code="missing")
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ArtifexError(
            f"use {path} as a LUT",
            f'files ending in "{ending}" are no LUTs that are known here' if ending else "its name has no ending",
            f"one of {', '.join(sorted(ENDINGS))}",
        )
    check_readable(Path(path))


@lru_cache(maxsize=32)
def processor(
    path: str, written: str, interpolation: Interpolation, source: str, takes: str, gives: str, target: str
) -> ocio.CPUProcessor:
    """From space `source` to what the LUT `takes`, through it, and from what it `gives` to `target`.

    `written` is the file's identity: a file that was written again is read again. Raises `ArtifexError` for a file that
    holds no LUT.
    """
    through = PyOpenColorIO.FileTransform(path, interpolation=getattr(PyOpenColorIO, f"INTERP_{interpolation.upper()}"))
    steps = [through]
    if not color.same(source, takes):
        steps.insert(0, PyOpenColorIO.ColorSpaceTransform(src=source, dst=takes))
    if not color.same(gives, target):
        steps.append(PyOpenColorIO.ColorSpaceTransform(src=gives, dst=target))
    whole = PyOpenColorIO.GroupTransform(steps)
    color.config().clearProcessorCache()
    PyOpenColorIO.ClearAllCaches()
    return color.processor_of(whole, f"use {path} as a LUT", "another file of the LUT").getDefaultCPUProcessor()
