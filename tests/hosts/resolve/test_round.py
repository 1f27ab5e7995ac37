"""The whole round through both ways into Resolve, with a real daemon at the other end of a real socket."""

from __future__ import annotations

from typing import Any


def items(way: Any, track: int) -> list[Any]:
    return list(way.host.project.edit.video[track - 1].items)


def test_a_clip_lands_at_the_playhead_with_its_job_on_it(way: Any) -> None:
    way.host.project.edit.playhead = 86400 + 48
    key = way.ask()
    way.host.project.edit.playhead = 86400
    job = way.wait(key)
    (item,) = items(way, 1)
    assert (item.start, item.end, item.color) == (86448, 86453, "Violet")
    (marker,) = item.markers.values()
    assert marker["customData"] == f"artifexpro:{job['job']}"
    assert "V1 at 01:00:02:00" in job["said"]
