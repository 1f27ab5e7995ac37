"""A finished job comes into its place, once.

The job's name is in a marker on the clip: whoever delivers again finds it there, in this session or the next. What
was inserted is read back from the timeline and held against the plan.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from ..bridge.errors import BridgeError
from ..bridge.jobs import Job
from . import looks, timecode
from .asking import mark_of
from .edit import PAGES, Edit, edit_of
from .hands import Hands
from .placing import Span, fitting, free_place, shown

WAITS = frozenset(
    {"other-project", "other-timeline", "no-project", "no-timeline", "no-python", "no-script", "gone", "silent", "page",
     "locked"}
)  # fmt: skip
"""Troubles that pass: the result waits, and is put in place when they have."""
LUT_FOLDER = "ArtifexPro"


def deliver(hands: Hands, job: Job, promised: list[Span], luts: Path) -> str:
    """Put the result of finished `job` in place; a sentence on where it is. Raises `BridgeError`.

    With a code of `WAITS` the result can be delivered later; with another, not at all. Nothing is left half done.
    """
    names = {name: job.place[name] for name in ("project", "project_name", "timeline", "timeline_name")}
    if job.place["kind"] == "look":
        return _look(hands, job, names, luts)
    clip = clip_of(job)
    there = hands.do("find", mark=mark_of(job.job), **names)
    if there:
        return f"It was on V{there['track']} already, at frame {there['start']}."
    return (_take if job.place["kind"] == "take" else _clip)(hands, job, clip, names, promised)


def clip_of(job: Job) -> dict[str, Any]:
    """The movie among a finished job's artefacts. Raises `BridgeError` where there is none on disk."""
    found = [item for item in (job.result or {}).get("artefacts", ()) if item["role"] == "clip"]
    if not found:
        raise BridgeError(
            "put the result on the timeline", "the job made no movie", "a graph that writes one", code="no-clip"
        )
    path = Path(found[0]["path"])
    if not path.is_file() or path.stat().st_size == 0:
        raise BridgeError(
            "put the result on the timeline", f"the clip {path} is not there any more", "making it again", code="lost"
        )
    clip: dict[str, Any] = found[0]
    return clip


def _clip(hands: Hands, job: Job, clip: dict[str, Any], names: dict[str, Any], promised: list[Span]) -> str:
    edit = _ready(hands, names)
    place, made = job.place, _rate(clip)
    available = _pictures(clip) - place["first"]
    pictures = available if place["pictures"] is None else min(place["pictures"], available)
    if place["gap"]:
        pictures = fitting(pictures, place["length"], made, edit.rate)
    length = shown(pictures, made, edit.rate)
    wanted = Span(place["track"], place["record"], place["record"] + length)
    span = _free(edit, wanted, promised, place)
    landed = hands.do(
        "insert",
        media=clip["path"],
        first=place["first"],
        end=place["first"] + pictures,
        track=span.track,
        record=span.start,
        **_signature(job),
        **names,
    )
    _verify(hands, landed, span, names)
    remarks = [f"On V{landed['track']} at {edit.timecode(landed['start'])}."]
    if landed["track"] != place["track"]:
        remarks.append(f"V{place['track']} was taken meanwhile.")
    remarks.extend(_rates(made, edit, pictures, landed, place))
    return " ".join((*remarks, *job.notes))


def _take(hands: Hands, job: Job, clip: dict[str, Any], names: dict[str, Any], _promised: list[Span]) -> str:
    edit = _ready(hands, names)
    place = job.place
    now = hands.do("item", item=place["item"], **names)
    landed = hands.do(
        "take",
        item=place["item"],
        media=clip["path"],
        first=0,
        end=min(_pictures(clip), place["pictures"]),
        **_signature(job),
        **names,
    )
    remarks = [f"Take {landed['take']} of {landed['takes']} on {now['name']}; its grade is as it was."]
    if now["end"] - now["start"] != place["length"]:
        remarks.append("The clip was trimmed meanwhile: the take begins where it began then.")
    if edit.rate != _rate(clip):
        remarks.append(f"The take plays at {float(_rate(clip)):g} frames a second.")
    return " ".join((*remarks, *job.notes))


def _look(hands: Hands, job: Job, names: dict[str, Any], luts: Path) -> str:
    made = [item["path"] for item in (job.result or {}).get("artefacts", ()) if item["role"] == "still"]
    if not made:
        raise BridgeError("make a LUT of the look", "the job made no table", "asking for it again", code="lost")
    name = f"{LUT_FOLDER}/{looks.file_name(job.title, job.job)}"
    write_lut(luts / name, looks.cube(Path(made[0]), job.title))
    place = job.place
    hands.do("lut", item=place["item"], node=place["node"], lut=name, **names)
    return f"The LUT {name} is on node {place['node']} of {place['item_name']}. It is made for {place['space']}."


def write_lut(path: Path, text: str) -> None:
    """A LUT into Resolve's master folder, whole or not at all. Raises `BridgeError`."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(text.encode("utf-8"))
        part.replace(path)
    except OSError as error:
        raise BridgeError(
            f"write the LUT {path}",
            f"Resolve's LUT folder cannot be written to ({error.strerror})",
            "asking whoever keeps this machine to let you write there: Resolve sets no LUT from any other folder",
            code="lut-folder",
        ) from error


def _ready(hands: Hands, names: dict[str, Any]) -> Edit:
    """The timeline of the job, open on a page where clips can be put onto it."""
    edit = edit_of(hands.do("look"))
    if edit.project != names["project"]:
        raise _waits("other-project", f"it belongs to another project, {names['project_name']}", "opening that project")
    if edit.timeline != names["timeline"]:
        because = f"another timeline is open than {names['timeline_name']}"
        raise _waits("other-timeline", because, "opening that timeline")
    if edit.page not in PAGES:
        raise _waits("page", f"Resolve shows the {edit.page.capitalize()} page", "the Edit page")
    return edit


def _free(edit: Edit, wanted: Span, promised: list[Span], place: dict[str, Any]) -> Span:
    """The place that was chosen, as long as it is free; else the next above it."""
    if place["chosen"] and wanted.track in edit.locked:
        raise _waits("locked", f"track V{wanted.track} is locked", "unlocking it")
    return free_place(wanted, (*edit.taken, *promised), edit.closed, edit.tracks)


def _signature(job: Job) -> dict[str, Any]:
    seed = _seed(job)
    note = f"{job.title} (seed {seed})" if seed is not None else job.title
    return {"name": job.title, "note": f"{note}, job {job.job}", "mark": mark_of(job.job)}


def _seed(job: Job) -> Any:
    nodes = job.request["work"]["document"]["nodes"].values()
    return next((node["params"]["seed"] for node in nodes if "seed" in node.get("params", {})), None)


def _verify(hands: Hands, landed: dict[str, Any], span: Span, names: dict[str, Any]) -> None:
    """Read back once more by its own id; what lies elsewhere is taken away again."""
    now = hands.do("item", item=landed["id"], **names)
    if (now["track"], now["start"], now["end"]) == (span.track, span.start, span.end):
        return
    hands.do("remove", item=landed["id"], **names)
    raise BridgeError(
        "put the clip on the timeline",
        f"it came to lie on V{now['track']} from {now['start']} to {now['end']} instead of V{span.track} from "
        f"{span.start} to {span.end}, and was taken away again",
        "another place",
        code="misplaced",
    )


def _rates(made: Fraction, edit: Edit, pictures: int, landed: dict[str, Any], place: dict[str, Any]) -> list[str]:
    """What the artist must know of a clip that was made for another number of frames a second."""
    told = []
    length = landed["end"] - landed["start"]
    if made != edit.rate:
        told.append(
            f"The clip has {pictures} pictures for {float(made):.6g} frames a second; on this timeline of "
            f"{float(edit.rate):.6g} it takes {length} frames."
        )
    if place["gap"] and length < place["length"]:
        told.append(f"{place['length'] - length} frames of the gap stay empty at its end.")
    return told


def _rate(clip: dict[str, Any]) -> Fraction:
    rate = clip["rate"]
    return Fraction(rate["num"], rate["den"])


def _pictures(clip: dict[str, Any]) -> int:
    return int(clip["frames"]["last"] - clip["frames"]["first"] + 1)


def _waits(code: str, because: str, remedy: str) -> BridgeError:
    return BridgeError("put the result on its timeline", because, f"{remedy}; the result waits", code=code)


def timecode_of(place: dict[str, Any]) -> str:
    """Where a place is, as Resolve writes it."""
    return timecode.timecode_of(place["record"], Fraction(place["rate"]), place["drop"])
