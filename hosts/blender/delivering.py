"""A finished job becomes a strip, once.

The job's name is written on the strip: whoever delivers again finds it there, in this session or the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..bridge.jobs import Job
from . import strips
from .placing import NoRoom, Span, free_place

COLOR_TAG = "COLOR_06"
_SPACES = {
    "srgb_tx": ("sRGB", "sRGB - Texture", "srgb_tx", "sRGB Encoded Rec.709 (sRGB)", "Utility - sRGB - Texture"),
    "ACEScg": ("ACEScg", "ACES - ACEScg"),
}
"""What the daemon's colour spaces are called in Blender's own configuration and in the ACES ones."""


class Undeliverable(Exception):
    """The result cannot become a strip; `str()` is a sentence for the artist."""


@dataclass(frozen=True)
class Arrival:
    """Where the clip is. `remarks` are sentences on what differs from what was asked; `fresh` False: it was there."""

    strip: str
    span: Span
    remarks: tuple[str, ...] = ()
    fresh: bool = True


def deliver(scene: Any, job: Job, promised: list[Span], named: Callable[[str], str] = str) -> Arrival:
    """Put the clip of finished `job` into `scene` at its frozen place, or on the next free channel above it.

    `promised` are places of clips still on their way; `named` turns the file's path into what the strip shall call it.
    Raises `Undeliverable` and leaves the scene as it was.
    """
    there = strips.with_job(scene.sequence_editor, job.job)
    if there is not None:
        return Arrival(there.name, strips.span_of(there), fresh=False)
    clip = clip_of(job)
    editor = scene.sequence_editor or scene.sequence_editor_create()
    closed = strips.closed_channels(editor)
    try:
        place = free_place(_length_of(clip, job), (*strips.taken(editor), *promised), closed)
    except NoRoom as full:
        raise Undeliverable(f"{full} The clip is kept in {clip['path']}.") from full
    strip = strips.top_level(editor).new_movie(
        name=job.title, filepath=named(clip["path"]), channel=place.channel, frame_start=place.start, fit_method="FIT"
    )
    others = [strips.span_of(other) for other in strips.top_level(editor) if other != strip]
    remarks = list(_settle(strip, place, [*others, *promised], closed))
    remarks.extend(_set_space(strip, clip.get("space") or "srgb_tx"))
    _sign(strip, job)
    asked = Span.of(job.place)
    if place.channel != asked.channel:
        remarks.insert(0, f"Channel {asked.channel} was taken meanwhile: the clip is on channel {strip.channel}.")
    remarks.extend(_rates(scene, clip))
    return Arrival(strip.name, strips.span_of(strip), tuple(remarks))


def clip_of(job: Job) -> dict[str, Any]:
    """The movie among a finished job's artefacts. Raises `Undeliverable` where there is none on disk."""
    artefacts = (job.result or {}).get("artefacts", ())
    clip: dict[str, Any] | None = next((item for item in artefacts if item["role"] == "clip"), None)
    if clip is None:
        raise Undeliverable("The job finished without a movie, so there is nothing to put on the timeline.")
    path = Path(clip["path"])
    if not path.is_file() or path.stat().st_size == 0:
        raise Undeliverable(f"The clip {path} is not there any more. Use Generate Again.")
    return clip


def _length_of(clip: dict[str, Any], job: Job) -> Span:
    asked = Span.of(job.place)
    frames = clip.get("frames")
    return Span(asked.channel, asked.start, asked.start + frames["last"] - frames["first"] + 1) if frames else asked


def _settle(strip: Any, planned: Span, others: list[Span], closed: set[int]) -> list[str]:
    """Blender, not the plan, knows how long the strip is; move it up where it meets another because of that."""
    real = strips.span_of(strip)
    if any(real.meets(other) for other in others):
        strip.channel = free_place(real, others, closed).channel
    if real.length == planned.length:
        return []
    return [f"The clip has {planned.length} frames; Blender reads {real.length} of them."]


def _set_space(strip: Any, space: str) -> list[str]:
    known = strip.colorspace_settings.bl_rna.properties["name"].enum_items.keys()
    name = next((name for name in _SPACES.get(space, (space,)) if name in known), None)
    if name is None:
        now = strip.colorspace_settings.name
        return [f"This OpenColorIO configuration has no colour space for {space}: the strip stays in {now}."]
    strip.colorspace_settings.name = name
    return []


def _sign(strip: Any, job: Job) -> None:
    result = job.result or {}
    strip.color_tag = COLOR_TAG
    strip[strips.JOB_PROPERTY] = job.job
    strip[strips.RECIPE_PROPERTY] = json.dumps(result.get("recipe", {}), sort_keys=True)
    frames = next((item["path"] for item in result.get("artefacts", ()) if item["role"] == "frames"), None)
    if frames:
        strip[strips.FRAMES_PROPERTY] = frames


def _rates(scene: Any, clip: dict[str, Any]) -> list[str]:
    """Blender plays one picture a frame whatever the file's rate; say so where that changes the speed."""
    rate = clip.get("rate")
    if not rate:
        return []
    made, shown = Fraction(rate["num"], rate["den"]), scene_rate(scene)
    if made == shown:
        return []
    return [f"The clip was made for {float(made):g} frames a second and plays at the scene's {float(shown):g}."]


def scene_rate(scene: Any) -> Fraction:
    """Frames a second, exact: 24 with a base of 1.001 is 24000/1001."""
    return Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(1001)
