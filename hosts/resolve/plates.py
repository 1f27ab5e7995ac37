"""Frames that leave Resolve: a render job of ours, followed until its files are there, then taken out of the queue."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from ..bridge.errors import BridgeError
from .edit import Clip, Edit
from .hands import Hands
from .wishes import Wish

_NUMBERED = re.compile(r"(.*?)(\d+)(\.\w+)")
_OVER = ("Failed", "Cancelled", "")


@dataclass
class Plate:
    """Frames of one clip on their way out; `wish` is asked for when they are there."""

    render: str
    folder: Path
    edit: Edit
    clip: Clip
    wish: Wish


def start(hands: Hands, edit: Edit, clip: Clip, wish: Wish, under: Path) -> Plate:
    """Begin to render what the timeline shows where `clip` lies. Raises `BridgeError`."""
    folder = under / uuid.uuid4().hex[:12]
    folder.mkdir(parents=True)
    span = clip.span
    told = hands.do(
        "render_start", folder=str(folder), name="plate.", first=span.start, last=span.end - 1, **edit.names
    )
    return Plate(told["render"], folder, edit, clip, wish)


def ready(hands: Hands, plate: Plate) -> Path | None:
    """The frames' pattern once all are there, else None. The job is gone from the queue however it ends.

    Raises `BridgeError` where they will never be.
    """
    told = hands.do("render_status", render=plate.render)
    if told["status"] == "Complete":
        hands.do("render_end", render=plate.render)
        return _pattern(plate)
    if told["status"] in _OVER:
        hands.do("render_end", render=plate.render)
        said = told["error"] or (
            f"the render was {told['status'].lower()}" if told["status"] else "the job was removed"
        )
        raise _not_rendered(plate, said.rstrip("."))
    return None


def _pattern(plate: Plate) -> Path:
    """frame.%08d.exr of what lies in the folder, which is ours alone."""
    names = sorted(path.name for path in plate.folder.iterdir())
    found = _NUMBERED.fullmatch(names[0]) if names else None
    wanted = plate.clip.span.length
    if found is None or len(names) != wanted:
        raise _not_rendered(plate, f"Resolve wrote {len(names)} frames of {wanted}")
    return plate.folder / f"{found[1]}%0{len(found[2])}d{found[3]}"


def _not_rendered(plate: Plate, because: str) -> BridgeError:
    return BridgeError(
        f"render the frames of {plate.clip.name}", because, "once more, with room on the disk", code="no-render"
    )
