"""Which files a job made, and where: read from its result as the daemon told it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..bridge.errors import BridgeError
from ..bridge.jobs import Job

POSTER = "poster.png"
"""A still of the clip's first frame, for lists. It costs nothing: the frame is there when the movie is written."""


def files(result: dict[str, Any] | None, role: str) -> list[str]:
    """Paths of all artefacts of a role ("clip", "frames", "still"), as the result has them."""
    return [str(each["path"]) for each in (result or {}).get("artefacts", ()) if each.get("role") == role]


def poster(result: dict[str, Any] | None) -> str | None:
    """The still a list shows; None where the job made none."""
    return next((path for path in files(result, "still") if Path(path).name == POSTER), None)


def main_file(job: Job) -> Path:
    """The clip, else the first frame, else anything the job made, where it still is.

    Raises `BridgeError` where nothing of it is on this disk any more.
    """
    named = [*files(job.result, "clip"), *files(job.result, "frames"), *files(job.result, "still")]
    for path in named:
        if Path(path).is_file():
            return Path(path)
        if "%" in Path(path).name and Path(path).parent.is_dir():
            return Path(path).parent
    raise BridgeError(
        f"find the files of “{job.title}”",
        "they were moved or deleted" if named else "it has made none",
        "Again, which makes the clip once more",
        code="file",
    )
