"""Blender's strips under one set of words, for releases 4.2 to 5.2 whose names differ.

4.2 and 4.3 say `sequences` where 4.4 and later say `strips`; 5.1 renamed the ends of a strip, and 6.0 drops the old
names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .placing import Span

JOB_PROPERTY = "artifexpro_job"
RECIPE_PROPERTY = "artifexpro_recipe"
FRAMES_PROPERTY = "artifexpro_frames"
"""Custom properties of a strip: the daemon's job, the recipe as JSON, the EXR frames' pattern where some were made."""


def top_level(editor: Any) -> Any:
    """The collection of strips outside any meta strip; new strips are made through it."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def everywhere(editor: Any) -> Any:
    """All strips, those inside meta strips too."""
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def span_of(strip: Any) -> Span:
    """Channel and frames the strip shows on the timeline."""
    if hasattr(strip, "left_handle"):
        return Span(strip.channel, int(strip.left_handle), int(strip.right_handle))
    return Span(strip.channel, int(strip.frame_final_start), int(strip.frame_final_end))


def content_start(strip: Any) -> int:
    """Timeline frame on which the strip's media would show its first picture, trimmed or not."""
    return int(strip.content_start if hasattr(strip, "content_start") else strip.frame_start)


def taken(editor: Any) -> Iterator[Span]:
    """The places of all strips on the timeline. `editor` None is a scene without any."""
    if editor is not None:
        yield from (span_of(strip) for strip in top_level(editor))


def closed_channels(editor: Any) -> set[int]:
    """Channels that are locked or muted."""
    if editor is None:
        return set()
    return {number for number, channel in enumerate(editor.channels) if channel.lock or channel.mute}


def with_job(editor: Any, job: str) -> Any | None:
    """The strip that carries this job, wherever it was moved to."""
    if editor is None:
        return None
    return next((strip for strip in everywhere(editor) if strip.get(JOB_PROPERTY) == job), None)
