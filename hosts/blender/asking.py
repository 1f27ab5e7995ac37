"""From what the panel says to a job in the book: checked, placed, and frozen as one request.

The place is decided here and nowhere later: what the artist moves afterwards, the playhead included, changes nothing.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from ..bridge import graphs
from ..bridge.jobs import Job, JobBook
from . import clips, strips
from .placing import NoRoom, Span, free_place
from .source import Picture

HOST = "blender"
FRAMES_PATH = "frames/frame.%04d.exr"
FILES = "files"
"""In the place of a job whose result stays in its files."""
_TITLE_LENGTH = 60
_STATED = ("prompt", "model", "preset", "seed", "frames")
_RECALLED = ("prompt", "negative_prompt", "model", "preset", "seed", "frames", "steps")


class Refused(Exception):
    """The job cannot be asked for as things are; `str()` is a sentence for the artist."""


def new_clip(settings: Any, picture: Picture | None) -> graphs.Document:
    """The graph document for what the panel says. What it leaves open is not in the document: the preset decides."""
    if not settings.prompt.strip():
        raise Refused("The prompt is empty. Write a few words on what should be seen.")
    generator: dict[str, Any] = {name: getattr(settings, name) for name in _STATED}
    if settings.negative_prompt.strip():
        generator["negative_prompt"] = settings.negative_prompt
    if settings.own_size:
        generator["width"], generator["height"] = settings.width, settings.height
    if settings.steps:
        generator["steps"] = settings.steps
    outputs = graphs.Outputs(frames=FRAMES_PATH if settings.with_frames else None)
    if picture is None:
        return graphs.clip_graph("T2VGenerator", generator, outputs)
    return graphs.clip_graph("TI2VGenerator", generator, outputs, image=picture.path, image_frame=picture.index)


def graph_of(recipe: str) -> graphs.Document:
    """The graph in a strip's recipe. Raises `Refused` where there is none to make again."""
    document: graphs.Document = json.loads(recipe).get("graph") or {}
    if not clips.generators(document):
        raise Refused("This strip's recipe has no generator in it, so it cannot be made again.")
    return document


def fill_panel(settings: Any, params: dict[str, Any]) -> None:
    """Set the panel's fields to a generator's parameters; what the recipe leaves to the preset is left to it here."""
    for name in _RECALLED:
        if params.get(name) is not None:
            setattr(settings, name, params[name])
    settings.random_seed = False
    settings.own_size = bool(params.get("width"))
    if settings.own_size:
        settings.width, settings.height = params["width"], params["height"]


def ask(
    book: JobBook,
    scene: Any,
    document: graphs.Document,
    *,
    title: str,
    wanted: Span,
    client: dict[str, str],
    blend: str = "",
) -> Job:
    """Put a job for `document` into the book, at `wanted` or the next free channel above it. Raises `Refused`."""
    editor = scene.sequence_editor
    number = scene.session_uid
    try:
        place = free_place(wanted, (*strips.taken(editor), *promised(book, number)), strips.closed_channels(editor))
    except NoRoom as full:
        raise Refused(str(full)) from full
    key = uuid.uuid4().hex
    target = {
        "host": HOST,
        "document": blend,
        "channel": place.channel,
        "frame": place.start,
        "extra": {"scene": scene.name, "length": place.length},
    }
    request = graphs.job_request(
        graphs.render_work(document),
        title=title,
        key=key,
        output=output_folder(blend, key),
        target=target,
        client=client,
    )
    job = Job(key, title, request, place.as_place(), keeper=number)
    book.add(job)
    return job


def ask_files(
    book: JobBook, scene: Any, document: graphs.Document, *, title: str, client: dict[str, str], blend: str = ""
) -> Job:
    """Put a job into the book that renders a graph's sinks; its files stay where they are written."""
    key = uuid.uuid4().hex
    request = graphs.job_request(
        graphs.render_work(document), title=title, key=key, output=output_folder(blend, key), client=client
    )
    job = Job(key, title, request, {FILES: True}, keeper=scene.session_uid)
    book.add(job)
    return job


def promised(book: JobBook, keeper: Any, besides: Job | None = None) -> list[Span]:
    """The places of clips that have not arrived yet."""
    return [Span.of(place) for place in book.promised(keeper, besides=besides) if FILES not in place]


def output_folder(blend: str, key: str) -> str | None:
    """Beside the saved file, so that it travels with the project; None, the daemon's own folder, before any save."""
    return str(Path(blend).parent / "artifexpro" / key[:12]) if blend else None


def title_of(prompt: str) -> str:
    """The prompt's first words as a strip's name."""
    words = " ".join(prompt.split())
    return words if len(words) <= _TITLE_LENGTH else words[: _TITLE_LENGTH - 1].rstrip() + "…"
