"""The watched folder: a wish lies in `in`, the clip and an .otio of its place come to `out`. No script takes part.

A wish is a .txt with nothing but the prompt, or a .json with the fields of `wishes.Wish`. What was read is moved to
`read`, and what cannot be asked for gets a sentence in a file beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from ..bridge.errors import BridgeError
from ..bridge.jobs import Job
from . import otio
from .delivering import clip_of
from .wishes import Wish, refused

_BOX = ("in", "read", "out")


def make(folder: Path) -> None:
    for name in _BOX:
        (folder / name).mkdir(parents=True, exist_ok=True)


def take_wishes(folder: Path, ask: Callable[[Wish, Path], str]) -> Iterator[str]:
    """Ask for what lies in `in`, once; a sentence for each."""
    for path in sorted((folder / "in").iterdir()):
        if path.suffix not in (".txt", ".json") or not path.is_file():
            continue
        read = folder / "read" / path.name
        path.replace(read)
        try:
            said = ask(_wish(read), folder / "out" / read.stem)
        except BridgeError as refusal:
            said = refusal.sentence()
        (folder / "read" / f"{path.name}.said").write_text(said + "\n", encoding="utf-8")
        yield said


def deliver(job: Job) -> str:
    """The .otio of a finished clip, beside it; a sentence. Raises `BridgeError`."""
    clip, place = clip_of(job), job.place
    rate = Fraction(clip["rate"]["num"], clip["rate"]["den"])
    available = clip["frames"]["last"] - clip["frames"]["first"] + 1
    path = Path(place["folder"]) / f"{Path(place['folder']).name}.otio"
    cut = otio.Cut(
        name=job.title,
        media=Path(clip["path"]),
        available=available,
        first=place["first"],
        pictures=min(place["pictures"], available - place["first"]),
        made=rate,
        track=place["track"],
        record=place["record"],
        rate=Fraction(place["rate"]),
        start=place["timeline_start"],
        job=job.job,
    )
    otio.write(path, cut)
    return f"It is in {place['folder']}: File > Import > Timeline takes {path.name}."


def _wish(path: Path) -> Wish:
    try:
        text = path.read_text(encoding="utf-8")
        said = json.loads(text) if path.suffix == ".json" else {"prompt": text.strip()}
    except (UnicodeDecodeError, ValueError) as error:
        raise refused(f"{path.name} is not readable as text ({error})", "saving it again as UTF-8") from error
    if not isinstance(said, dict):
        raise refused(f"{path.name} is no table of names and values", '{"prompt": "..."}')
    return Wish.of({**said, "kind": "file"})
