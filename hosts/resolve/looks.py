"""A look as a LUT: every point of a cube goes through the graph as one picture, and comes back as the table.

The pictures are 16 bit PNG, so that nothing but the standard library is needed on this side. The graph's last node
halves the way back, so that what grades make from -0.5 to 1.5 of the table's space is kept: a table that is cut off at
0 and 1 is wrong between the points on both sides of the cut.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..bridge import graphs
from ..bridge.errors import BridgeError

POINTS = 65
"""Points along each side: at 33 a strong look in a curved space is off by more than 0.001 between them."""
GRADES = ("ColorCorrector", "ColorWheels", "CDL", "HueSaturation", "LUT")
"""Nodes that make of each colour another one, wherever it stands in the picture."""
LATTICE, TABLE = "lattice.png", "look.png"
_LARGEST = 65535
_CHANNELS = ("red", "green", "blue")
_HALVED = {f"{what}_{channel}": value for what, value in (("slope", 0.5), ("offset", 0.25)) for channel in _CHANNELS}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def graph(grades: Sequence[Any], space: str, folder: Path) -> graphs.Document:
    """The graph that sends the lattice in `folder` through the grades. Raises `BridgeError` for what is no grade."""
    steps = [_step(each) for each in grades]
    if not steps:
        raise _refused("no grade is in it", f"at least one of {', '.join(GRADES)}")
    nodes = {"lattice": graphs.node("MediaInput", {"path": (folder / LATTICE).as_posix(), "space": space})}
    last = "lattice"
    for number, (kind, params) in enumerate(steps, 1):
        nodes[f"grade{number}"] = graphs.node(kind, params, video=last)
        last = f"grade{number}"
    nodes["space"] = graphs.node("ColorSpace", {"to": space}, video=last)
    nodes["halved"] = graphs.node("CDL", _HALVED, video="space")
    nodes["table"] = graphs.node("FileOutput", {"path": TABLE, "space": space, "codec": "png16"}, video="halved")
    return graphs.document(nodes)


def write_lattice(folder: Path) -> None:
    """Every point of the cube as a pixel: red changes fastest along a row, a row for each blue."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = [round(_LARGEST * step / (POINTS - 1)) for step in range(POINTS)]
    rows = [[(red, green, blue) for green in steps for red in steps] for blue in steps]
    (folder / LATTICE).write_bytes(_png(rows))


def cube(picture: Path, title: str) -> str:
    """The .cube text of the picture that came back. Raises `BridgeError` where it is not that picture."""
    lines = [f'TITLE "{_plain(title)}"', f"LUT_3D_SIZE {POINTS}", "DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
    lines.extend(" ".join(f"{2 * value / _LARGEST - 0.5:.7f}" for value in pixel) for pixel in _pixels(picture))
    return "\n".join(lines) + "\n"


def file_name(title: str, job: str) -> str:
    """A name for the LUT that every system takes, and that no other job has."""
    words = "-".join("".join(letter if letter.isalnum() else " " for letter in title).split()) or "look"
    return f"{words[:40]}-{job[:8]}.cube"


def _step(each: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(each, (list, tuple)) or len(each) != 2 or not isinstance(each[1], dict):
        raise _refused(f"{each!r} is no grade", '["CDL", {"slope_red": 1.1}]')
    if each[0] not in GRADES:
        raise _refused(f"{each[0]} is not the same wherever it stands in the picture", f"one of {', '.join(GRADES)}")
    return each[0], each[1]


def _refused(because: str, remedy: str) -> BridgeError:
    return BridgeError("make a LUT of the look", because, remedy, code="look")


def _plain(title: str) -> str:
    return title.replace('"', "'").replace("\n", " ")


# ---------------------------------------------------------------------- PNG, 16 bit RGB


def _png(rows: Sequence[Sequence[tuple[int, int, int]]]) -> bytes:
    data = b"".join(b"\0" + b"".join(struct.pack(">3H", *pixel) for pixel in row) for row in rows)
    header = struct.pack(">2I5B", len(rows[0]), len(rows), 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data, 1)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _pixels(path: Path) -> Iterator[tuple[int, int, int]]:
    """Red, green and blue of each pixel, row by row; alpha is passed over."""
    try:
        raw = path.read_bytes()
        width, height, channels, data = _unpacked(raw)
    except (OSError, ValueError, struct.error, zlib.error) as error:
        raise _refused(f"the picture {path} is not whole ({error})", "asking for it again") from error
    if (width, height) != (POINTS * POINTS, POINTS):
        raise _refused(f"the picture {path} has {width} x {height} points", "asking for it again")
    stride = width * channels * 2
    before = bytearray(stride)
    for row in range(height):
        at = row * (stride + 1)
        before = _unfiltered(data[at], bytearray(data[at + 1 : at + 1 + stride]), before, channels * 2)
        values = struct.unpack(f">{width * channels}H", before)
        for pixel in range(0, len(values), channels):
            yield values[pixel], values[pixel + 1], values[pixel + 2]


def _unpacked(raw: bytes) -> tuple[int, int, int, bytes]:
    if not raw.startswith(_SIGNATURE):
        raise ValueError("it is no PNG")
    at, data, header = len(_SIGNATURE), b"", b""
    while at < len(raw):
        (length,) = struct.unpack_from(">I", raw, at)
        kind, body = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        header, data = (body, data) if kind == b"IHDR" else (header, data + body if kind == b"IDAT" else data)
        at += 12 + length
    width, height, bits, color = struct.unpack_from(">2I2B", header)
    if bits != 16 or color not in (2, 6):
        raise ValueError("it has not 16 bits of red, green and blue")
    return width, height, 3 if color == 2 else 4, zlib.decompress(data)


def _unfiltered(kind: int, line: bytearray, above: bytearray, step: int) -> bytearray:
    """One row as it was before PNG's filters (RFC 2083, section 6)."""
    if kind == 0:
        return line
    if kind == 2:
        return bytearray((now + up) & 255 for now, up in zip(line, above))
    for at in range(len(line)):
        left, up = line[at - step] if at >= step else 0, above[at]
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + up) // 2
        else:
            guess = _paeth(left, up, above[at - step] if at >= step else 0)
        line[at] = (line[at] + guess) & 255
    return line


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    distances = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
    return (left, up, corner)[distances.index(min(distances))]
