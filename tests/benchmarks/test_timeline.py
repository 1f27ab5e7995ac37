"""The timeline's figures: what they measure is there, and both sides find the same clips."""

from __future__ import annotations

from pathlib import Path

import opentimelineio

from artifexpro.benchmarks import timeline
from artifexpro.core.timeline.opening import open_timeline


def test_the_edit_is_as_large_as_it_says(tmp_path: Path) -> None:
    timeline.write(tmp_path / "edit.otio")
    index = open_timeline(tmp_path / "edit.otio")
    assert len(index.layers) == 999
    assert sum(1 for _ in index.clips()) == 10_000
    peer = opentimelineio.adapters.read_from_file(str(tmp_path / "edit.otio"))
    for frame in (index.first, index.first + 50, index.last):
        assert timeline.at(index, frame) == timeline.peer_at(peer, frame)
    assert len(timeline.at(index, index.first + 50)) == 999


def test_figures_have_their_public_shape(tmp_path: Path) -> None:
    timeline.write(tmp_path / "edit.otio", tracks=9, clips=60)
    made = timeline.figures(timeline.measure(tmp_path / "edit.otio", opens=1, frames=5))
    assert [(each.name, each.unit) for each in made] == [("timeline.open_s", "s"), ("timeline.find_ms", "ms")]
    for each in made:
        assert each.value > 0 and each.peer_value > 0
        assert each.target and each.note
