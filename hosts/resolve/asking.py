"""From a wish to a job in the book: placed, and frozen as one request.

The place is decided here and nowhere later: what the artist moves afterwards, the playhead included, changes nothing.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from ..bridge import graphs
from ..bridge.errors import BridgeError
from ..bridge.jobs import Job, JobBook
from . import looks
from .edit import Clip, Edit
from .placing import Span, chosen_place, free_place, gap_at, pictures_for, reserved
from .timecode import frame_of, is_drop, rate_of
from .wishes import LENGTHS, Wish, refused

HOST = "resolve"
FRAMES_PATH = "frames/frame.%04d.exr"
_STATED = ("prompt", "preset", "seed")
_WHERE_GIVEN = ("model", "negative_prompt", "steps", "width", "height")


def ask_clip(book: JobBook, edit: Edit, wish: Wish, client: dict[str, str], output: Path | None) -> Job:
    """A clip from words or a picture, at the playhead or into the gap around it. Raises `BridgeError`."""
    taken = (*edit.taken, *promised(book, edit))
    if wish.kind == "gap":
        gap = gap_at(wish.track or 1, edit.playhead, taken, edit.start)
        span = chosen_place(gap, taken, edit.closed)
        pictures = pictures_for(gap.length, wish.made, edit.rate)
    else:
        pictures = wish.frames or LENGTHS[wish.preset]
        length = reserved(pictures, wish.made, edit.rate)
        wanted = Span(wish.track or 1, edit.playhead, edit.playhead + length)
        span = (
            free_place(wanted, taken, edit.closed, edit.tracks)
            if wish.track is None
            else chosen_place(wanted, taken, edit.closed)
        )
    if span.track > edit.tracks and wish.track is not None:
        raise BridgeError(
            f"put a clip on V{wish.track}",
            f"the timeline has {edit.tracks} video tracks",
            "one of those, or any free track",
            code="no-room",
        )
    total = pictures if wish.kind == "clip" and not wish.handles else _whole(pictures + 2 * wish.handles)
    document = _clip_document(wish, total)
    place = {
        **_names(edit),
        "kind": "clip",
        "track": span.track,
        "record": span.start,
        "length": span.length,
        "first": wish.handles,
        "pictures": pictures,
        "chosen": wish.track is not None,
        "gap": wish.kind == "gap",
    }
    return _book(book, edit, wish, document, place, client, output)


def ask_take(
    book: JobBook, edit: Edit, clip: Clip, plate: Path, wish: Wish, client: dict[str, str], output: Path | None
) -> Job:
    """The clip made again by the prompt, out of the frames `plate` that were rendered of it."""
    params = {**_stated(wish), "strength": wish.strength}
    source = {"path": plate.as_posix(), "rate": str(edit.rate), "space": wish.space}
    nodes = {
        "plate": graphs.node("SequenceInput", source),
        "clip": graphs.node("StyleTransfer", params, video="plate"),
        "movie": graphs.node("FileOutput", {"path": "clip.mov"}, video="clip"),
    }
    if wish.with_frames:
        nodes["frames"] = graphs.node("FileOutput", {"path": FRAMES_PATH}, video="clip")
    place = {
        **_names(edit),
        "kind": "take",
        "item": clip.id,
        "item_name": clip.name,
        "track": clip.span.track,
        "record": clip.span.start,
        "length": clip.span.length,
        "first": 0,
        "pictures": clip.span.length,
    }
    return _book(book, edit, wish, graphs.document(nodes), place, client, output)


def ask_file(book: JobBook, wish: Wish, client: dict[str, str], folder: Path, keeper: str) -> Job:
    """A clip for a timeline that no script can see: it becomes a file that Resolve imports. Raises `BridgeError`.

    Such jobs belong to no project: `keeper` names what keeps them.
    """
    try:
        rate = rate_of(wish.rate)
        start, record = frame_of(wish.start, rate), frame_of(wish.at, rate)
    except ValueError as odd:
        raise refused(f"{odd}", "a rate such as 25 and timecodes such as 01:00:10:00") from odd
    if record < start:
        raise refused(f"{wish.at} is before the timeline's start, {wish.start}", "a later timecode")
    pictures = wish.frames or LENGTHS[wish.preset]
    total = _whole(pictures + 2 * wish.handles) if wish.handles else pictures
    place = {
        "kind": "file",
        "folder": str(folder),
        "rate": str(rate),
        "drop": is_drop(wish.start),
        "timeline_start": start,
        "track": wish.track or 1,
        "record": record,
        "length": reserved(pictures, wish.made, rate),
        "first": wish.handles,
        "pictures": pictures,
    }
    return _book(book, keeper, wish, _clip_document(wish, total), place, client, folder)


def ask_look(book: JobBook, edit: Edit, clip: Clip, wish: Wish, client: dict[str, str], output: Path, node: int) -> Job:
    """A LUT of the wish's grades, for one node of the clip."""
    document = looks.graph(wish.grades, wish.space, output)
    place = {
        **_names(edit),
        "kind": "look",
        "item": clip.id,
        "item_name": clip.name,
        "track": clip.span.track,
        "record": clip.span.start,
        "node": node,
        "space": wish.space,
    }
    return _book(book, edit, wish, document, place, client, output)


def ask_again(book: JobBook, job: Job, edit: Edit, client: dict[str, str], seed: int | None) -> Job:
    """The same once more, with another seed where one is given, on a free track above the first."""
    if job.place["kind"] != "clip":
        raise BridgeError(
            f"make {job.title} again", "it was no clip at the playhead", "asking for the take or look once more"
        )
    document = job.request["work"]["document"]
    if seed is not None:
        document = graphs.with_parameter(document, "clip", "seed", seed)
    wanted = Span(job.place["track"] + 1, job.place["record"], job.place["record"] + job.place["length"])
    taken = (*edit.taken, *promised(book, edit))
    span = free_place(wanted, taken, edit.closed, edit.tracks)
    place = {**job.place, **_names(edit), "track": span.track, "chosen": False, "gap": False}
    wish = Wish(name=job.title)
    before = job.request.get("output")
    folder = None if before is None else Path(before).parent / uuid.uuid4().hex[:12]
    return _book(book, edit, wish, document, place, client, folder)


def promised(book: JobBook, edit: Edit, besides: Job | None = None) -> list[Span]:
    """Places on this timeline of clips that have not arrived yet."""
    places = book.promised(edit.project, besides)
    return [span_of(place) for place in places if place["kind"] == "clip" and place["timeline"] == edit.timeline]


def span_of(place: dict[str, Any]) -> Span:
    return Span(place["track"], place["record"], place["record"] + place["length"])


def mark_of(job: str) -> str:
    """What the marker on a clip says of the daemon's job that made it."""
    return f"artifexpro:{job}"


def _whole(pictures: int) -> int:
    """The shortest length of a clip, 4k + 1, with room for so many pictures."""
    return -(-(pictures - 1) // 4) * 4 + 1


def _stated(wish: Wish) -> dict[str, Any]:
    given = {name: getattr(wish, name) for name in _WHERE_GIVEN if getattr(wish, name)}
    return {**{name: getattr(wish, name) for name in _STATED}, **given}


def _clip_document(wish: Wish, total: int) -> graphs.Document:
    params = {**_stated(wish), "frames": total}
    outputs = graphs.Outputs(frames=FRAMES_PATH if wish.with_frames else None)
    if not wish.image:
        return graphs.clip_graph("T2VGenerator", params, outputs)
    return graphs.clip_graph("TI2VGenerator", params, outputs, image=wish.image)


def _names(edit: Edit) -> dict[str, Any]:
    return {**edit.names, "rate": str(edit.rate), "drop": edit.drop, "timeline_start": edit.start}


def _book(
    book: JobBook,
    where: Edit | str,
    wish: Wish,
    document: graphs.Document,
    place: dict[str, Any],
    client: dict[str, str],
    output: Path | None,
) -> Job:
    key = uuid.uuid4().hex
    project, timeline = ("", "") if isinstance(where, str) else (where.project_name, where.timeline_name)
    target = {
        "host": HOST,
        "document": timeline,
        "channel": place["track"],
        "frame": place["record"],
        "extra": {"project": project, "kind": place["kind"]},
    }
    request = graphs.job_request(
        graphs.render_work(document),
        title=wish.title,
        key=key,
        output=None if output is None else str(output),
        target=target,
        client=client,
    )
    job = Job(key, wish.title, request, place, keeper=where if isinstance(where, str) else where.project)
    book.add(job)
    return job
